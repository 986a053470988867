"""The command ``python -m patients.exchange``: its answer, exit statuses and lines of errors."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from patients.exchange.__main__ import main
from patients.exchange.formats.exact_json import write_json
from tests.patients.exchange.formats.hl7_sent import PID, header
from tests.patients.exchange.message_cases import bundle_of, resource_of
from tests.patients.exchange.of_the_command import CONTEXT, NOW

ROOT = Path(__file__).parents[3]
SAMPLE = Path(__file__).parent / "formats" / "sample_export.json"
OBX = "OBX|1|NM|2160-0^Creatinine^LN||{}|mg/dL|||||F|||20260302120000+0000"
Captured = pytest.CaptureFixture[str]


class Files:
    """Files of one test by their contents."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.count = 0

    def add(self, contents: str | bytes | dict[str, Any]) -> str:
        self.count += 1
        path = self.folder / f"file-{self.count}"
        if isinstance(contents, dict):
            contents = write_json(contents)
        path.write_bytes(contents.encode() if isinstance(contents, str) else contents)
        return str(path)

    def bundle(self, *statements: str) -> str:
        return self.add(bundle_of([resource_of(text) for text in statements]))


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def to_course(files: Files, *names: str, **context: Any) -> int:
    own = files.add(CONTEXT | context)
    return main(["to-course", "--context", own, "--now", NOW, *names])


def hl7_message(value: str, control_id: str = "A1", **more: str) -> str:
    obr = "OBR|1|P1|F1|24323-8^Panel^LN|||20260302120000+0000"
    return "\r".join((header(control_id=control_id, **more), PID, obr, OBX.format(value), ""))


def test_new_entries_stand_after_those_of_the_context_with_the_time_of_reception(
    files: Files, capsys: Captured
) -> None:
    entry = {"id": "n1", "kind": "weight", "at": "2026-03-02T08:00:00+00:00", "weight_kg": "80"}
    course = CONTEXT["course"] | {"entries": [entry]}
    name = files.bundle("12:00 hr HR 88", "18:04 t T 38.20")
    assert to_course(files, name, course=course) == 0
    answer = json.loads(capsys.readouterr().out, parse_float=str)
    first, second, third = answer["course"]["entries"]
    assert first["id"] == "n1"
    assert (second["heart_rate"], second["recorded_at"]) == (88, NOW)
    assert (third["temperature_c"], third["recorded_at"]) == ("38.20", third["at"])
    assert len({first["id"], second["id"], third["id"]}) == 3
    assert (answer["held"], answer["remarks"], answer["acks"]) == ([], [], [])


def test_files_are_successive_messages_and_some_held_is_status_1(
    files: Files, capsys: Captured
) -> None:
    names = [files.bundle("12:00 hr.1 HR 88"), files.bundle("12:00 hr.2 HR 90", "12:00 x HR 999")]
    assert to_course(files, *names) == 1
    answer = json.loads(capsys.readouterr().out)
    first, second = answer["course"]["entries"]
    assert second["replaces"] == first["id"]
    (held,) = answer["held"]
    assert (held["reason"], held["place"]) == ("value.impossible", "entry[2].resource")


def test_the_answer_can_be_graded(files: Files, capsys: Captured) -> None:
    assert to_course(files, str(SAMPLE)) == 1
    answer = json.loads(capsys.readouterr().out, parse_float=str)
    course = files.add(json.dumps(answer["course"]))
    command = [sys.executable, "-m", "grading", "--format", "json", course]
    graded = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert json.loads(graded.stdout)["maximum"] == 3


def test_a_kind_of_the_second_format_makes_the_answer_one_of_it(
    files: Files, capsys: Captured
) -> None:
    course = CONTEXT["course"] | {
        "format": "crs-course/2",
        "entries": [{"kind": "ice", "at": "2026-03-02T08:00:00+00:00", "score": 9}],
    }
    assert main(["from-course", "--format", "fhir", files.add(course)]) == 0
    bundle = files.add(capsys.readouterr().out)
    assert to_course(files, bundle, mrn_system="urn:crs:mrn") == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["course"]["format"] == "crs-course/2"
    assert answer["course"]["entries"][0]["score"] == 9


@pytest.mark.parametrize(
    "contents", ["", "{", '{"resourceType": "Bundle", "resourceType": "Bundle"}']
)
def test_a_fhir_file_that_is_refused_is_status_2_and_nothing_on_standard_output(
    contents: str, files: Files, capsys: Captured
) -> None:
    good = files.bundle("12:00 hr HR 88")
    assert to_course(files, good, files.add(contents)) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("document: ")
    assert err.count("\n") == 1


def test_another_patient_is_refused(files: Files, capsys: Captured) -> None:
    name = files.bundle("12:00 hr HR 88")
    assert to_course(files, name, mrn_system="urn:other") == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "entry[0].resource: a patient without the MRN of the course in its system\n"


def test_hl7_messages_are_answered_one_by_one(files: Files, capsys: Captured) -> None:
    messages = hl7_message("1.2") + hl7_message("1.3", "A2", kind="ADT^A08")
    framed = b"\x0b" + hl7_message("1.2", "A3").encode() + b"\x1c\r"
    assert to_course(files, files.add(messages), files.add(framed)) == 1
    out, err = capsys.readouterr()
    answer = json.loads(out)
    assert answer["acks"] == ["AA", "AR", "AA"]
    assert [entry["value"] for entry in answer["course"]["entries"]] == [1.2]
    assert err.startswith("MSH-9.1: ")


@pytest.mark.parametrize(
    "before", [b"\xef\xbb\xbf", b"\r\n", b"FHS|^~\\&|L\rBHS|^~\\&|L\r", b"BHS|^~\\&\n"]
)
def test_a_file_of_hl7_messages_is_known_by_its_beginning(
    before: bytes, files: Files, capsys: Captured
) -> None:
    batch = before + hl7_message("1.9").encode() + hl7_message("2.1", "A2").encode()
    assert to_course(files, files.add(batch + b"BTS|2\rFTS|1\r")) == 1  # one key, two values
    assert json.loads(capsys.readouterr().out)["acks"] == ["AA", "AA"]
    main(["validate", files.add(batch)])
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    "contents", [hl7_message("1.2", kind="ADT^A08"), "MSH", "\x0b no message \x1c\r"]
)
def test_no_hl7_message_accepted_is_status_2_with_an_answer(
    contents: str, files: Files, capsys: Captured
) -> None:
    assert to_course(files, files.add(contents)) == 2
    out, err = capsys.readouterr()
    assert json.loads(out)["acks"] == ["AR"]
    assert err.count("\n") == 1


ZONE = "context.timezone: "
FAULTS: list[tuple[dict[str, Any], list[str]]] = [
    ({"course": 1}, ["context.course: expected an object"]),
    ({"timezone": "Berlin"}, [ZONE + "expected the name of a time zone, like Europe/Berlin"]),
    ({"timezone": None}, [ZONE + "required: the time zone of the system, like Europe/Berlin"]),
    ({"mrn_system": ""}, ["context.mrn_system: required"]),
    ({"system": {"kind": "fax"}}, ["context.system.kind: expected one of ehr, monitor, "]),
    (
        {"system": {"kind": "ehr", "filing": {"default": "guess", "mood": "file"}}},
        [
            "context.system.filing.default: expected one of file, propose",
            "context.system.filing.mood: expected default, or a kind of entry",
        ],
    ),
    ({"extra": 1}, ["context.extra: no such key here"]),
    (
        {"local_codes": [{"system": "L", "code": "X"}, {"code": "Y", "analyte": "mood"}]},
        [
            "context.local_codes[0]: expected one of analyte, sign, drug",
            "context.local_codes[1].analyte: no analyte of the course file has this name",
        ],
    ),
    (
        {"source_keys": [{"resource": "Observation/a", "entry": "e9"}]},
        ['context.source_keys[0].entry: no entry of the course has the id "e9"'],
    ),
    (
        {"course": CONTEXT["course"] | {"entries": [{"kind": "mood"}]}},
        ["context.course.entries[0].kind: expected one of "],
    ),
]


@pytest.mark.parametrize(("context", "lines"), FAULTS)
def test_a_fault_of_the_context_is_named_by_its_place(
    context: dict[str, Any], lines: list[str], files: Files, capsys: Captured
) -> None:
    assert to_course(files, files.bundle("12:00 hr HR 88"), **context) == 2
    out, err = capsys.readouterr()
    assert out == ""
    found = err.splitlines()
    assert len(found) == len(lines)
    assert all(line.startswith(start) for line, start in zip(found, lines, strict=True))


def test_local_codes_and_the_usual_filing_of_a_monitor(files: Files, capsys: Captured) -> None:
    codes = [{"system": "urn:lab", "code": "CRE-X", "analyte": "creatinine"}]
    resource = resource_of("12:00 cr creatinine 1.2")
    resource["code"] = {"coding": [{"system": "urn:lab", "code": "CRE-X"}]}
    name = files.add(bundle_of([resource]))
    assert to_course(files, name, local_codes=codes) == 0
    assert json.loads(capsys.readouterr().out)["course"]["entries"][0]["analyte"] == "creatinine"
    assert to_course(files, name, local_codes=codes, system={"name": "m", "kind": "monitor"}) == 1
    assert json.loads(capsys.readouterr().out)["held"][0]["reason"] == "unvalidated"


def test_validate_lists_what_would_be_held_without_a_chart(files: Files, capsys: Captured) -> None:
    assert main(["validate", files.bundle("12:00 hr HR 999", "12:00 t T 38")]) == 1
    out, err = capsys.readouterr()
    assert out.startswith("entry[1].resource: value.impossible: ")
    assert (out.count("\n"), err) == (1, "")
    good = [
        files.bundle("12:00 t T 38"),
        files.add(hl7_message("1.2")),
        files.add(CONTEXT["course"]),
    ]
    assert main(["validate", *good]) == 0
    assert capsys.readouterr() == ("", "")
    bad = [files.add("{"), files.add({"format": "crs-course/9"}), files.add("MSH")]
    assert main(["validate", *bad]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 3)


def test_from_course_refuses_a_course_file_with_a_fault(files: Files, capsys: Captured) -> None:
    assert main(["from-course", "--format", "fhir", files.add({"format": "crs-course/1"})]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("patient: required\n")


@pytest.mark.parametrize("name", ["no-such-file", "."])
def test_a_file_that_cannot_be_opened_is_named(name: str, files: Files, capsys: Captured) -> None:
    assert to_course(files, str(files.folder / name)) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"{files.folder / name}: ")


def test_the_command_needs_no_django(files: Files) -> None:
    context = files.add(CONTEXT)
    program = (
        "import sys\n"
        "from patients.exchange.__main__ import main\n"
        "status = main(sys.argv[1:])\n"
        "loaded = {name.split('.')[0] for name in sys.modules}\n"
        "sys.exit(9 if loaded & {'django', 'psycopg', 'crs_app'} else status)\n"
    )
    command = [sys.executable, "-c", program, "to-course", "--context", context, "--now", NOW]
    found = subprocess.run(
        [*command, files.bundle("12:00 hr HR 88")],
        cwd=ROOT, env={"PATH": ""}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (found.returncode, found.stderr) == (0, "")
    assert json.loads(found.stdout)["course"]["entries"][0]["heart_rate"] == 88
