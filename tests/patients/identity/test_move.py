"""An entry charted on the wrong patient is retracted there and charted on the right one."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.test import Client

from crs_app.accounts.models import User
from patients.identity import move_views
from patients.models import ChartingAct, Course, Entry, Fact
from patients.queries.identity import courses_of_patient
from patients.queries.laboratory import read_last_reports, read_latest_limits
from patients.recording.identity import IdentityChange, correct_identity, identity_token
from patients.recording.record import retract_entry
from patients.recording.verify import differences
from tests.entry_forms import send, text_of, url
from tests.factories import admit, ago, chart, end, sending
from tests.record.conftest import recorded


@pytest.fixture
def other(clinician: User) -> Course:
    """The right patient: a child of 12 kg on the same ward."""
    return admit(
        clinician, name="WEBER, Luca", mrn="4480771", bed="04", weight_kg="12",
        baseline={"systolic_mmhg": "100", "diastolic_mmhg": "60"},
    )  # fmt: skip


@pytest.fixture
def fever(course: Course, clinician: User) -> Entry:
    return chart(course, clinician, "vitals", ago(30), temperature_c="39.4").entries[0]


def move(client: Client, entry: Entry, to: Course, **fields: Any) -> Any:
    shown = client.get(url("move_entry", entry.course, entry.pk), {"to": to.pk})
    data = {"form_id": str(uuid.uuid4()), "to": str(to.pk), "reason": "wrong patient"}
    data["seen"] = shown.context["seen"]
    check = shown.context["check"]
    if check.questions:
        data["confirmed"] = check.digest
    return client.post(url("move_entry", entry.course, entry.pk), data | fields)


def refusal(client: Client, entry: Entry, to: Course) -> str:
    answer = move(client, entry, to)
    assert answer.status_code in (409, 422)
    moved = Entry.objects.filter(kind="retraction", act__answers__reason__startswith="Moved")
    assert not moved.exists()
    return text_of(answer.content.decode())


def test_one_press_retracts_here_and_charts_there(
    course: Course, other: Course, fever: Entry, clinician: User, nurse: User, nurse_client: Client
) -> None:
    assert move(nurse_client, fever, other).status_code == 302
    moved = other.entries.get(kind="vitals")
    assert (moved.at, moved.body, moved.recorded_by) == (fever.at, fever.body, nurse)
    assert (differences(course), differences(other)) == ([], [])
    here = text_of(nurse_client.get(url("bedside", course)).content.decode())
    assert "Moved to WEBER, Luca, MRN 4480771: wrong patient" in here
    assert "39.4" in here
    assert clinician.display_name in here
    there = text_of(nurse_client.get(url("bedside", other)).content.decode())
    assert f"Moved from OKONKWO, Ada, MRN {course.patient.mrn}: wrong patient" in there
    assert nurse_client.get(url("bedside", other)).context["card"].grade == 1


def test_a_move_sent_twice_is_recorded_once(
    other: Course, fever: Entry, nurse_client: Client
) -> None:
    form_id = str(uuid.uuid4())
    for _ in range(2):
        assert move(nurse_client, fever, other, form_id=form_id).status_code == 302
    assert ChartingAct.objects.filter(form_id=form_id).count() == 2
    assert other.entries.filter(kind="vitals").count() == 1
    again = move(nurse_client, fever, other, form_id=form_id, reason="something else")
    assert again.status_code == 409


def test_the_patient_is_found_by_name_number_and_bed(
    course: Course, other: Course, fever: Entry, clinician: User, nurse_client: Client
) -> None:
    closed = admit(clinician, name="WEBER, Anna")
    end(closed, clinician)
    for text in ("weber", "4480771", "7B 04", "7b-04", "luca 04"):
        page = nurse_client.get(url("move_entry", course, fever.pk), {"q": text})
        assert [one.pk for one in page.context["found"]] == [other.pk], text
    nobody = nurse_client.get(url("move_entry", course, fever.pk), {"q": "nobody"})
    assert "No open course is found" in text_of(nobody.content.decode())


def test_both_patients_stand_side_by_side(
    course: Course, other: Course, fever: Entry, nurse_client: Client
) -> None:
    page = nurse_client.get(url("move_entry", course, fever.pk), {"to": other.pk})
    text = text_of(page.content.decode())
    for words in ("OKONKWO, Ada", "WEBER, Luca", course.patient.mrn, "4480771", "39.4"):
        assert words in text
    for one in (course, other):
        assert recorded(one)[-1].details["page"] == "entry on the wrong patient"


def test_an_entry_that_cannot_stand_there_is_refused_in_words(
    course: Course, clinician: User, nurse_client: Client
) -> None:
    oxygen = chart(course, clinician, "oxygen", ago(hours=30), device="cpap").entries[0]
    later = admit(clinician, product="later", infused_at=ago(hours=20))
    why = refusal(nurse_client, oxygen, later)
    assert "before the infusion" in why
    assert "enter it there as a new entry" in why
    assert "Enter a time" not in why
    heavy = chart(course, clinician, "fluid_bolus", ago(20), volume_ml="500").entries[0]
    end(later, clinician)
    assert "is closed" in refusal(nurse_client, heavy, later)
    assert "already" in refusal(nurse_client, heavy, course)


def test_a_rate_is_judged_by_the_other_weight(
    course: Course, other: Course, clinician: User, nurse_client: Client
) -> None:
    """5 mcg/kg/min is 60 mcg/min at 12 kg, and 400 at 80 kg: above what can be."""
    rate = {"drug": "norepinephrine", "rate": "5", "unit": "ug/kg/min"}
    infusion = chart(other, clinician, "vasopressor", ago(20), **rate).entries[0]
    assert "At 80 kg this is above 300 mcg/min" in refusal(nurse_client, infusion, course)


def test_a_weight_stays_where_its_move_would_leave_a_rate_beyond_its_limit(
    course: Course, other: Course, clinician: User, nurse_client: Client
) -> None:
    """Without the 60 kg, the 80 kg of the admission convert 4 mcg/kg/min."""
    weight = chart(course, clinician, "weight", ago(60), weight_kg="60").entries[0]
    chart(course, clinician, "vasopressor", ago(30), drug="norepinephrine", rate="4",
          unit="ug/kg/min")  # fmt: skip
    shown = nurse_client.get(url("move_entry", course, weight.pk), {"to": other.pk})
    page = text_of(shown.content.decode())
    assert "Norepinephrine 4 mcg/kg/min" in page
    assert "at 80 kg this is above 300 mcg/min" in page
    assert "Correct this rate" in page
    assert "at 80 kg this is above" in refusal(nurse_client, weight, other)


@pytest.mark.parametrize("whose", ["source", "target"])
@pytest.mark.parametrize("is_late", [False, True])
def test_who_a_patient_is_was_corrected_since_the_page_was_opened(
    course: Course, other: Course, fever: Entry, nurse: User, nurse_client: Client,
    monkeypatch: pytest.MonkeyPatch, whose: str, is_late: bool,
) -> None:  # fmt: skip
    """Also between the check of the page and the lock: both are shown again, the reason is kept."""
    seen = nurse_client.get(url("move_entry", course, fever.pk), {"to": other.pk}).context["seen"]
    patient = (course if whose == "source" else other).patient

    def rename() -> None:
        token = identity_token(list(courses_of_patient(patient.pk)))
        change = IdentityChange(Fact.NAME, "wristband", token, of_patient={"name": "KOVAC, Mia"})
        correct_identity(patient.pk, change, sending(nurse))

    def check_then_rename(entry: Entry, target: Course) -> Any:
        found = original(entry, target)
        monkeypatch.undo()
        rename()
        return found

    if is_late:
        original = move_views.check_move
        monkeypatch.setattr(move_views, "check_move", check_then_rename)
    else:
        rename()
    data = {"form_id": str(uuid.uuid4()), "to": other.pk, "reason": "typed", "seen": seen}
    answer = nurse_client.post(url("move_entry", course, fever.pk), data)
    assert answer.status_code == 409
    page = text_of(answer.content.decode())
    assert "Compare both patients again before you move the entry" in page
    assert "KOVAC, Mia" in page
    assert 'value="typed"' in answer.content.decode()
    assert not other.entries.filter(kind="vitals").exists()
    data["seen"] = answer.context["seen"]
    assert nurse_client.post(url("move_entry", course, fever.pk), data).status_code == 302


def test_a_move_after_a_retraction_is_a_conflict(
    other: Course, fever: Entry, clinician: User, nurse_client: Client
) -> None:
    retract_entry(fever, sending(clinician, answers={"reason": "misread"}))
    fever.refresh_from_db()
    assert "corrected or retracted this entry" in refusal(nurse_client, fever, other)
    assert not other.entries.filter(kind="vitals").exists()


def test_the_reason_of_another_cause_comes_along(
    course: Course, other: Course, nurse_client: Client
) -> None:
    saved = send(
        nurse_client, course, "vitals", temperature="39.4", attribution="other",
        attribution_reason="transfusion",
    )  # fmt: skip
    assert saved.status_code == 200
    entry = course.entries.get(kind="vitals")
    assert move(nurse_client, entry, other).status_code == 302
    moved = other.entries.select_related("act").get(kind="vitals")
    assert moved.act.answers["attribution_reason"] == "transfusion"
    assert moved.body["attribution"] == "other"


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("lab", {"analyte": "crp", "value": "80", "unit": "mg/L"}),
        ("symptom", {"term": "rigors", "present": True}),
        ("toxicity", {"term": "confusion", "grade": "2"}),
        ("note", {"note": "family was here"}),
        ("weight", {"weight_kg": "13"}),
        ("baseline", {"systolic_mmhg": "120"}),
        ("risk", {"older_age": True}),
        ("judgement", {"about": "relative_hypotension", "present": True}),
        ("treatment", {"agent": "tocilizumab", "dose_mg": "96"}),
        ("not_observed", {"what": "vital_signs", "reason": "asleep"}),
        ("vasopressor", {"drug": "vasopressin", "rate": None}),
        ("death", {}),
        ("vitals", {"temperature_f": "102.2", "heart_rate": "120"}),
    ],
)
def test_an_entry_of_every_kind_can_be_moved(
    course: Course,
    other: Course,
    clinician: User,
    nurse_client: Client,
    kind: str,
    body: dict[str, Any],
) -> None:
    entry = chart(course, clinician, kind, ago(10), **body).entries[0]
    answer = move(nurse_client, entry, other)
    assert answer.status_code == 302, text_of(answer.content.decode())
    moved = other.entries.get(kind=kind, at=entry.at)
    assert moved.body == entry.body
    assert (differences(course), differences(other)) == ([], [])


def test_a_moved_result_brings_its_laboratory_and_its_limits_along(
    course: Course, clinician: User, nurse_client: Client
) -> None:
    """They leave what is remembered with the retracted result, and come back with the moved one."""
    right = admit(clinician, name="LINDQVIST, Per", mrn="4480772", bed="05")
    report = {
        "laboratory": "Core laboratory", "creatinine": "0.9", "creatinine_unit": "mg/dL",
        "creatinine_lower_limit": "0.5", "creatinine_upper_limit": "1.1",
    }  # fmt: skip
    assert send(nurse_client, course, "lab", **report).status_code == 200
    assert move(nurse_client, course.entries.get(kind="lab"), right).status_code == 302
    assert read_last_reports(right).laboratory == "Core laboratory"
    (limits,) = read_latest_limits()
    assert (limits.laboratory, limits.lower, limits.upper) == ("Core laboratory", "0.5", "1.1")
    assert limits.act.course_id == right.pk


def test_there_is_no_move_of_what_is_not_there(course: Course, nurse_client: Client) -> None:
    assert nurse_client.get(url("move_entry", course, uuid.uuid4())).status_code == 404


def test_a_closed_course_is_named_before_a_patient_is_asked_for(
    course: Course, other: Course, fever: Entry, clinician: User, nurse_client: Client
) -> None:
    """An old link leads here: no button is offered that the move refuses."""
    open_page = nurse_client.get(url("move_entry", course, fever.pk), {"to": other.pk})
    sent = {"form_id": str(uuid.uuid4()), "to": str(other.pk), "reason": "wrong patient"}
    sent["seen"] = open_page.context["seen"]
    end(course, clinician)
    closed = "This course is closed. Reopen it before you move an entry."
    opened = len(recorded(other))
    for query in ({}, {"to": other.pk}, {"q": "weber"}):
        page = nurse_client.get(url("move_entry", course, fever.pk), query).content.decode()
        assert closed in text_of(page)
        assert "Retract here, chart there" not in page
        assert 'id="q"' not in page
        assert f'href="{url("transfer", course)}">Reopen…</a>' in page
    assert len(recorded(other)) == opened
    refused = nurse_client.post(url("move_entry", course, fever.pk), sent)
    assert refused.status_code == 422
    assert closed in text_of(refused.content.decode())
    assert "Retract here, chart there" not in refused.content.decode()
