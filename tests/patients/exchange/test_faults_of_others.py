"""Faults that other systems really had: none of them is ours, by the converter's own command.

Framing of MLLP (nextgen connect#1275, #1153, #276, #1227) is held in ``test_mllp.py`` and
``formats/test_mllp_frames.py``, an answer before the commit (medplum#3720) in
``project/test_listener_kills.py``, prefetch (cds-hooks/docs#5, cqf-ruler#536) in
``test_cds_hooks.py``, a launch that keeps step with nobody (openemr#5943, smart-app-launch#17) in
``test_launched_session.py``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from patients.exchange.__main__ import main
from tests.patients.exchange.formats.fhir_documents import (
    bundle,
    component,
    device,
    infusion,
    measured,
    observation,
    quantity,
)
from tests.patients.exchange.formats.hl7_sent import PID, header
from tests.patients.exchange.of_the_command import CONTEXT, NOW

OBR = "OBR|1|P1|F1|24323-8^Panel^LN|||202603021000"
CRP = "1988-5^CRP^LN"
MOLAR = "14682-9^Creatinine^LN"
VENTURI = "428285009"
_OF_THE_ROW = frozenset({"id", "recorded_at", "replaces"})
_FROM = "2026-03-02T09:00:00+00:00"
_TO = "2026-03-02T10:00:00+00:00"


@dataclass(frozen=True)
class Left:
    """What is in force in the end, and the reason words and answers, each in its order."""

    entries: list[str]
    held: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    acks: list[str] = field(default_factory=list)


def obx(
    value: str, code: str = CRP, unit: str = "mg/L", status: str = "F", kind: str = "NM"
) -> str:
    return f"OBX|1|{kind}|{code}||{value}|{unit}|||||{status}"


def hl7(*segments: str, ends: str = "\r", charset: str = "", control_id: str = "A1") -> bytes:
    lines = (header(control_id=control_id, charset=charset), PID, OBR, *segments, "")
    return ends.join(lines).encode("latin-1" if charset == "8859/1" else "utf-8")


def fio2(number: str, unit: str) -> str:
    return bundle(device(VENTURI, component=[component("3150-0", number, unit)]))


def running(number: str, unit: str, /, **more: Any) -> str:
    return bundle(infusion(dosage={"rateQuantity": quantity(number, unit)}, **more))


def shown(entries: Iterable[dict[str, Any]]) -> list[str]:
    """Kind and values of the entries in force; times and ids left out."""
    entries = list(entries)
    gone = {entry.get("replaces") for entry in entries}
    return [
        " ".join(
            str(value)
            for name, value in entry.items()
            if name not in _OF_THE_ROW and (name != "at" or entry["kind"] == "vasopressor")
        )
        for entry in entries
        if entry["id"] not in gone and entry["kind"] != "retraction"
    ]


CASES: list[tuple[str, list[str | bytes], Left]] = [
    (
        "an infusion that runs on, with the last day of the calendar as its end",
        [running("8", "ug/min", effectivePeriod={"start": _FROM, "end": "9999-12-31T23:59:59Z"})],
        Left([f"vasopressor {_FROM} norepinephrine 8 ug/min"], ["time.future"]),
    ),
    (
        "fhir.resources#203: a decimal cut to a binary float",
        [fio2("39.999999999999999999", "%")],
        Left(["oxygen venturi_mask 39.999999999999999999"]),
    ),
    (
        "synthea#675: 120 written with an exponent",
        [bundle(measured("8867-4", "1.2E+2", "/min"))],
        Left(["vitals 120"]),
    ),
    (
        "trusted-intermediary#1454: a leading zero",
        [hl7(obx("065.88"))],
        Left(["lab crp 65.88 mg/L"], acks=["AA"]),
    ),
    (
        "trusted-intermediary#1133: a coded result lost",
        [hl7(obx("260373001^Detected^SCT", kind="CWE"))],
        Left([], ["value.not_numeric"], acks=["AA"]),
    ),
    (
        "trusted-intermediary#1133: micro sign, U+00B5",
        [hl7(obx("90", MOLAR, "\u00b5mol/L"))],
        Left(["lab creatinine 90 umol/L"], acks=["AA"]),
    ),
    (
        "trusted-intermediary#1133: Greek mu, U+03BC",
        [hl7(obx("90", MOLAR, "\u03bcmol/L"))],
        Left(["lab creatinine 90 umol/L"], acks=["AA"]),
    ),
    (
        "trusted-intermediary#1497: the value of another analyte under the same code",
        [hl7(obx("5"), obx("88"))],
        Left([], ["duplicate.conflict", "duplicate.conflict"], acks=["AA"]),
    ),
    (
        "prime-reportstream#15982, #6318, #4078: one control id for many messages",
        [hl7(obx("5")), hl7(obx("6")), hl7(obx("5"))],
        Left(["lab crp 5 mg/L"], acks=["AA", "AR", "AA"]),
    ),
    (
        "prime-reportstream#4551: no status",
        [hl7(obx("5", status=""))],
        Left([], ["status.missing"], acks=["AA"]),
    ),
    (
        "prime-simplereport PR 9080: deleted (D)",
        [hl7(obx("5")), hl7(obx("5", status="D"), control_id="A2")],
        Left([], acks=["AA", "AA"]),
    ),
    (
        "prime-simplereport PR 9080: not obtained (X) retracts nothing",
        [hl7(obx("5")), hl7(obx("", status="X"), control_id="A2")],
        Left(["lab crp 5 mg/L"], remarks=["result.none"], acks=["AA", "AA"]),
    ),
    (
        "prime-simplereport PR 9080: of the wrong patient (W)",
        [hl7(obx("5")), hl7(obx("5", status="W"), control_id="A2")],
        Left([], remarks=["status.wrong"], acks=["AA", "AA"]),
    ),
    (
        "eCRNow#646, #577: entered in error by whatever path",
        [
            bundle(measured("8310-5", "39", "Cel", status="entered-in-error")),
            bundle(device(VENTURI, id="d", status="entered-in-error")),
            running("5", "ug/min", status="entered-in-error"),
        ],
        Left([], remarks=["retraction.unknown"] * 3),
    ),
    (
        "growth-chart-app PR 32: whatever the status",
        [
            bundle(measured("8310-5", "39", "Cel", status="preliminary")),
            bundle(measured("8310-5", "39", "Cel", id="o2", status="cancelled")),
        ],
        Left([], ["status.preliminary"], ["status.cancelled"]),
    ),
    (
        "YosemiteCrew#2471, N3C Data-Ingestion#58: Celsius stored as Fahrenheit",
        [bundle(measured("8310-5", "38.2", "Cel")), bundle(
            measured("8310-5", "100.8", "[degF]", id="o2", effectiveDateTime=_TO))],
        Left(["vitals 38.2", "vitals 100.8"]),
    ),
    (
        "eicu-code#68: FiO2 of 1",
        [fio2("1", "%")],
        Left(["oxygen venturi_mask"], ["value.ambiguous"]),
    ),
    (
        "AmsterdamUMCdb#68: a flow keyed as FiO2",
        [fio2("3", "%")],
        Left(["oxygen venturi_mask"], ["value.ambiguous"]),
    ),
    (
        "eicu-code#68: FiO2 of 1000",
        [fio2("1000", "%")],
        Left(["oxygen venturi_mask"], ["value.impossible"]),
    ),
    (
        "eicu-code#44: mL/h without a concentration",
        [running("8", "mL/h")],
        Left(["vasopressor 2026-03-02T10:00:00+01:00 norepinephrine None"],
             ["infusion.concentration_missing"]),
    ),
    (
        "eicu-code#75: a rate converted with 80 kg for everybody",
        [running("8", "ug/min")],
        Left(["vasopressor 2026-03-02T10:00:00+01:00 norepinephrine 8 ug/min"]),
    ),
    (
        "CLIF#53, OHDSI CommonDataModel#381: a stop",
        [running("8", "ug/min", status="stopped", effectivePeriod={"start": _FROM, "end": _TO})],
        Left([f"vasopressor {_FROM} norepinephrine 8 ug/min",
              f"vasopressor {_TO} norepinephrine 0"]),
    ),
    (
        "Xt-EHR#414: a change of rate in one resource",
        [
            running("8", "ug/min", meta={"versionId": "1"}),
            running("9", "ug/min", meta={"versionId": "2"}),
        ],
        Left(["vasopressor 2026-03-02T10:00:00+01:00 norepinephrine 8 ug/min"],
             ["infusion.change_untimed"]),
    ),
    (
        "hl7apy#31, camel PR 6389: the charset of MSH-18 passed over",
        [hl7(obx("90", MOLAR, "\u00b5mol/L"), charset="8859/1")],
        Left(["lab creatinine 90 umol/L"], acks=["AA"]),
    ),
    (
        "hl7v2-fhir-converter#55, #81: FHIR without an offset",
        [bundle(measured("8310-5", "38.2", "Cel", effectiveDateTime="2026-03-02T10:00:00"))],
        Left([], ["invalid"]),
    ),
    (
        "fhir-works-on-aws#741: the example of the standard refused",
        [bundle(device("336623009", component=[component("3151-8", "2", "L/min")]))],
        Left(["oxygen nasal_cannula 2"]),
    ),
    (
        "python-hl7#24: lines that end with LF",
        [hl7(obx("5"), ends="\n")],
        Left(["lab crp 5 mg/L"], acks=["AA"]),
    ),
]  # fmt: skip


def converted(folder: Path, files: list[str | bytes], capsys: pytest.CaptureFixture[str]) -> Any:
    """The answer of ``to-course`` to files in this order, with numbers as they stand."""
    paths = []
    for number, contents in enumerate([json.dumps(CONTEXT), *files]):
        path = folder / f"{number}"
        path.write_bytes(contents.encode() if isinstance(contents, str) else contents)
        paths.append(str(path))
    main(["to-course", "--context", paths[0], "--now", NOW, *paths[1:]])
    return json.loads(capsys.readouterr().out, parse_float=str, parse_int=str)


@pytest.mark.parametrize(("files", "left"), [one[1:] for one in CASES], ids=[c[0] for c in CASES])
def test_the_fault_of_another_system_is_not_ours(
    files: list[str | bytes], left: Left, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = converted(tmp_path, files, capsys)
    found = Left(
        shown(answer["course"]["entries"]),
        [one["reason"] for one in answer["held"]],
        [one["reason"] for one in answer["remarks"]],
        answer.get("acks", []),
    )
    assert found == left


def test_a_time_of_hl7_without_an_offset_is_of_the_site(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """hl7v2-fhir-converter#55, #81."""
    (entry,) = converted(tmp_path, [hl7(obx("5"))], capsys)["course"]["entries"]
    assert entry["at"] == "2026-03-02T10:00:00+01:00"


def test_fahrenheit_keeps_its_digits_and_is_graded_exactly(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """hapi-fhir#6047, spark#501, Fhir.Metrics#1: 100.399 degF is below 38 degrees Celsius."""
    sent = [bundle(measured("8310-5", "100.399", "[degF]"))]
    (entry,) = converted(tmp_path, sent, capsys)["course"]["entries"]
    assert entry["temperature_f"] == "100.399"


def test_a_retraction_reaches_who_reads_from_here(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """canvas PR 287: the Observation that was sent out lived on."""
    first = measured("8310-5", "39.0", "Cel")
    sent = [bundle(first), bundle(observation(status="entered-in-error"))]
    course = tmp_path / "course.json"
    answer = converted(tmp_path, sent, capsys)
    course.write_text(json.dumps(answer["course"]))
    assert main(["from-course", "--format", "fhir", str(course)]) == 0
    written = json.loads(capsys.readouterr().out)["entry"]
    temperatures = [
        one["resource"]["status"]
        for one in written
        if "8310-5" in json.dumps(one["resource"].get("code", {}))
    ]
    assert temperatures == ["entered-in-error"]
