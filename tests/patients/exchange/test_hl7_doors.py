"""HL7 v2 messages come in by HTTP and by files, and are answered once they are stored."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import hl7
import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.test import Client

from crs_app.accounts.models import User
from patients.exchange import hl7_receive
from patients.exchange.formats.mllp_frames import Frame, framed
from patients.models import Course, Entry, EntryKind, HeldItem, InboundMessage, SystemKind
from tests.factories import admit, ago, end
from tests.patients.exchange import signed
from tests.patients.exchange.hl7_messages import laboratory, oru

MEDIA_TYPE = "x-application/hl7-v2+er7"


@pytest.fixture
def headers(administrator: User) -> dict[str, str]:
    system = signed.make_system("lab-1", administrator)
    assert system.name == "lab-1"
    headers: dict[str, str] = signed.bearer(signed.token("lab-1"))["headers"]
    return headers


def post(raw: bytes, headers: dict[str, str]) -> tuple[int, str, str]:
    """Status, MSA and ERR-3 of the answer."""
    answer = Client().post("/hl7", raw, content_type=MEDIA_TYPE, headers=headers)
    assert answer.headers["Content-Type"] == MEDIA_TYPE
    parsed = hl7.parse(answer.content.decode())
    msa = parsed.segment("MSA")
    error = str(parsed.segment("ERR")[3]).split("^")[0] if len(parsed) > 2 else ""
    return answer.status_code, f"{msa[1]} {msa[2]}", error


def creatinines(course: Course) -> list[str]:
    labs = Entry.objects.filter(course=course, kind=EntryKind.LAB).order_by("recorded_at")
    return [entry.body["value"] for entry in labs]


def test_a_result_is_charted_once_however_often_it_is_sent(
    course: Course, headers: dict[str, str]
) -> None:
    raw = oru(course, "A1")
    assert [post(raw, headers) for _ in range(2)] == [(200, "AA A1", "")] * 2
    assert creatinines(course) == ["1.9"]
    assert InboundMessage.objects.count() == 1
    entry = Entry.objects.get(kind=EntryKind.LAB)
    assert entry.recorded_by.external_system.name == "lab-1"


def test_a_message_may_have_a_megabyte(course: Course, headers: dict[str, str]) -> None:
    long = oru(course, "A1") + b"NTE|1||" + b"x" * 900_000 + b"\r"
    assert post(long, headers) == (200, "AA A1", "")
    assert creatinines(course) == ["1.9"]


@pytest.mark.parametrize(("year", "reason"), [(2999, "time.future"), (1850, "value.impossible")])
def test_a_result_of_a_time_that_no_chart_has_is_held(
    course: Course, headers: dict[str, str], year: int, reason: str
) -> None:
    at = ago(minutes=5).replace(year=year, day=28)
    assert post(oru(course, "A1", at=at), headers) == (200, "AA A1", "")
    item = HeldItem.objects.get()
    assert (item.reason, item.at, creatinines(course)) == (reason, None, [])


def test_other_contents_under_a_control_id_are_rejected_and_kept(
    course: Course, headers: dict[str, str]
) -> None:
    at = ago(minutes=5)
    post(oru(course, "A1", at=at), headers)
    assert post(oru(course, "A1", "2.5", at=at), headers) == (400, "AR A1", "205")
    assert creatinines(course) == ["1.9"]
    kept = InboundMessage.objects.values_list("verdict", flat=True)
    assert sorted(kept) == ["accepted", "rejected"]


@pytest.mark.parametrize("control_id", ["", '""', " "])
def test_messages_without_a_control_id_are_not_taken_for_each_other(
    control_id: str, course: Course, headers: dict[str, str]
) -> None:
    for value in ("1.9", "2.4"):
        answer = post(oru(course, control_id, value), headers)
        assert answer == (422, f"AE {control_id}", "101")
    assert InboundMessage.objects.count() == 2


def test_a_preliminary_result_is_held_and_charted_once_it_is_final_without_its_value(
    course: Course, headers: dict[str, str]
) -> None:
    at = ago(minutes=5)
    preliminary = oru(course, "A1", status="P", at=at)
    final = oru(course, "A2", "", status="U", at=at).replace(b"||A2|", b"||A1|")
    post(preliminary, headers)
    assert creatinines(course) == []
    assert post(final, headers) == (200, "AA A2", "")
    assert creatinines(course) == ["1.9"]
    (item,) = HeldItem.objects.all()
    assert item.decision.what == "closed"


@pytest.mark.parametrize(
    ("changes", "answer"),
    [
        ({"kind": "ADT^A08"}, (400, "AR A1", "200")),
        ({"patient": "PID|1||NOBODY^^^^MR"}, (422, "AE A1", "204")),
        ({"patient": "PID|1"}, (422, "AE A1", "101")),
        ({"name": "Schmidt"}, (422, "AE A1", "204")),
        ({"value": "hemolysed"}, (200, "AA A1", "")),
    ],
)
def test_what_is_not_charted_is_answered_and_kept(
    course: Course,
    headers: dict[str, str],
    changes: dict[str, str],
    answer: tuple[int, str, str],
) -> None:
    assert post(oru(course, "A1", **changes), headers) == answer  # type: ignore[arg-type]
    assert creatinines(course) == []
    kept = InboundMessage.objects.get()
    assert bytes(kept.raw).startswith(b"MSH|")
    reasons = list(HeldItem.objects.values_list("reason", flat=True))
    expected = {"Schmidt": ["patient.contradiction"], "hemolysed": ["value.not_numeric"]}
    assert reasons == expected.get(next(iter(changes.values())), [])


def test_a_patient_who_is_admitted_meanwhile_is_accepted_when_it_comes_again(
    course: Course, clinician: User, headers: dict[str, str]
) -> None:
    raw = oru(course, "A1")
    mrn = course.patient.mrn
    missing = raw.replace(mrn.encode(), b"NOT-YET")
    assert post(missing, headers)[0] == 422
    admit(clinician, mrn="NOT-YET")
    assert post(missing, headers) == (200, "AA A1", "")


def test_a_course_that_ended_is_not_charted(
    course: Course, nurse: User, headers: dict[str, str]
) -> None:
    end(course, nurse)
    assert post(oru(course, "A1"), headers) == (422, "AE A1", "204")


def test_what_cannot_be_decoded_is_answered(headers: dict[str, str]) -> None:
    assert post(b"MSH|^~\\&|L\xc4B|||||||A7|P|2.5\r", headers) == (400, "AR A7", "102")
    assert post(b"hello", headers)[0] == 400


def test_only_a_post_with_a_token_and_the_media_type_is_received(headers: dict[str, str]) -> None:
    client = Client()
    assert client.post("/hl7", b"MSH", content_type=MEDIA_TYPE).status_code == 401
    assert client.get("/hl7", headers=headers).status_code == 405
    assert InboundMessage.objects.count() == 0


def test_without_a_database_nothing_is_answered_but_503(
    course: Course, headers: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*args: object, **kwargs: object) -> None:
        raise OperationalError

    monkeypatch.setattr(hl7_receive, "receive", fails)
    client = Client(raise_request_exception=False)
    answer = client.post("/hl7", oru(course, "A1"), content_type=MEDIA_TYPE, headers=headers)
    assert answer.status_code == 503
    assert b"MSA" not in answer.content


def test_other_types_are_accepted_and_kept_where_a_system_is_set_so(course: Course) -> None:
    system = laboratory(accepts_other_types=True)
    frame = Frame(oru(course, "A1", kind="ADT^A08"))
    answered = hl7_receive.receive_frame(system, frame)
    assert (answered.code.value, answered.course_id) == ("AA", None)
    assert InboundMessage.objects.get().reason == "type.unsupported"


@pytest.mark.parametrize(
    ("obeys", "acknowledge", "is_answered"),
    [(True, "NE", False), (True, "AL", True), (False, "NE", True)],
)
def test_no_answer_is_sent_where_none_is_wanted_and_that_is_obeyed(
    course: Course, obeys: bool, acknowledge: str, is_answered: bool
) -> None:
    system = laboratory(obeys_no_answer=obeys)
    frame = Frame(oru(course, "A1", acknowledge=acknowledge))
    answered = hl7_receive.receive_frame(system, frame)
    assert (answered.answer is not None) == is_answered
    assert creatinines(course) == ["1.9"]


@pytest.mark.parametrize(("ward", "bed", "code"), [("7B", "12", "AA"), ("7B", "13", "AE")])
def test_a_monitor_without_a_patient_is_matched_by_bed_and_proposed(
    course: Course, ward: str, bed: str, code: str
) -> None:
    system = laboratory(
        "monitor-1", kind=SystemKind.MONITOR, matches_by_bed=True, filing={"default": "file"}
    )
    raw = oru(course, "A1", patient=f"PV1|1|I|{ward}^1^{bed}")
    answered = hl7_receive.receive_frame(system, Frame(raw))
    assert answered.code.value == code
    assert creatinines(course) == []
    reasons = list(HeldItem.objects.values_list("reason", flat=True))
    assert reasons == (["unvalidated"] if code == "AA" else [])


def test_a_bed_matches_nobody_unless_the_system_is_set_so(course: Course) -> None:
    raw = oru(course, "A1", patient="PV1|1|I|7B^1^12")
    answered = hl7_receive.receive_frame(laboratory(), Frame(raw))
    assert answered.code.value == "AE"


def import_file(path: Path, name: str = "lab-1") -> str:
    out = StringIO()
    call_command("import_hl7", str(path), system=name, stdout=out, stderr=out)
    return out.getvalue()


def test_a_file_is_imported_message_by_message(course: Course, tmp_path: Path) -> None:
    laboratory()
    path = tmp_path / "results.hl7"
    one, two = (
        oru(course, f"A{n}", f"1.{n}", at=ago(minutes=n)).replace(b"\r", b"\r\n") for n in (1, 2)
    )
    path.write_bytes(one + two + one)
    said = import_file(path)
    assert said.count(": AA: 1 filed, 0 held") == 2
    assert "message 3: AA: came before" in said
    assert creatinines(course) == ["1.1", "1.2"]


def test_what_of_a_file_is_not_accepted_is_listed_and_the_rest_is_charted(
    course: Course, tmp_path: Path
) -> None:
    laboratory()
    path = tmp_path / "results.hl7"
    path.write_bytes(framed(oru("NOBODY", "A1")) + framed(oru(course, "A2")) + b"\x0bMSH|half")
    out = StringIO()
    with pytest.raises(CommandError, match="1 not accepted"):
        call_command("import_hl7", str(path), system="lab-1", stdout=out, stderr=out)
    assert "message 1: AE: patient.unknown" in out.getvalue()
    assert "9 bytes are part of no message" in out.getvalue()
    assert creatinines(course) == ["1.9"]


@pytest.mark.parametrize("contents", [None, b"", b"\x0bMSH|half"])
def test_a_file_without_a_message_is_refused(
    db: None, contents: bytes | None, tmp_path: Path
) -> None:
    laboratory()
    path = tmp_path / "results.hl7"
    if contents is not None:
        path.write_bytes(contents)
    with pytest.raises(CommandError, match="not accepted"):
        import_file(path)


def test_a_system_that_nobody_registered_imports_nothing(db: None, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="no system has the name"):
        import_file(tmp_path / "results.hl7", "other")
