"""The files of one course: what they say, and that they say the same again."""

from __future__ import annotations

import csv
import io
import json
import random
import re
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crs_app.accounts.models import User
from crs_app.accounts.wards import set_wards
from crs_app.record.models import Event
from grading.course_file import read_course
from grading.course_result import grade_course
from grading.engine.policy import policy_from
from patients.exchange.course_file import CourseFileError, import_course
from patients.exchange.export_forms import ExportForm
from patients.models import Course, Fact
from patients.policy.decide import Decision, decide, regrade_from_start
from patients.queries.policies import version_of
from patients.recording.identity import IdentityChange, correct_identity, identity_token
from patients.recording.record import retract_entry
from patients.ward.emergency import AskedAccess, open_with_reason
from tests.factories import admit, ago, chart, correct, sending
from tests.patients.review.reviewed_course import FILE, import_reviewed

pytestmark = pytest.mark.django_db
AS_OF = "2026-11-28T09:40:00+01:00"


def sent(client: Client, course: Course, **fields: Any) -> Any:
    data = {"contents": "identified", "format": "json", "purpose": "a second opinion", **fields}
    return client.post(reverse("patients:export_course", args=[course.pk]), data)


def text_of(response: Any) -> str:
    assert response.status_code == 200, response.content.decode()
    return b"".join(response.streaming_content).decode()


def document_of(response: Any) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(text_of(response))
    return document


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def answer(document: Any, now: datetime, known_at: datetime | None = None) -> Any:
    """The periods and the status without what names entries and places."""
    result = grade_course(read_course(document), now, known_at)
    return [
        (period.start, period.end, period.grade, period.at_most,
         [one.code for one in period.criteria])
        for period in (*result.periods, *result.projected)
    ], result.status.grade, result.status.at_most  # fmt: skip


@pytest.fixture
def story(nurse: User) -> Iterator[Course]:
    """A course with corrections, late entries and a clock rule, with ids of the database."""
    with time_machine.travel(AS_OF, tick=True):
        yield import_reviewed(nurse)


def moments(document: dict[str, Any], count: int = 12) -> list[datetime]:
    times = [datetime.fromisoformat(entry["recorded_at"]) for entry in document["entries"]]
    chance = random.Random(15)  # noqa: S311
    span = (max(times) - min(times)) / timedelta(seconds=1)
    return [min(times) + timedelta(seconds=chance.random() * span) for _ in range(count)]


def test_an_exported_course_graded_again_has_the_same_grades_at_random_instants(
    story: Course, nurse_client: Client
) -> None:
    """At what was known earlier too: corrected and retracted entries are in the file."""
    original, again = (
        json.loads(FILE.read_bytes(), parse_float=str),
        document_of(sent(nurse_client, story)),
    )
    assert again["patient"]["mrn"] == original["patient"]["mrn"]
    instants = moments(again)
    for now, known_at in zip(instants, reversed(instants), strict=True):
        assert answer(again, now) == answer(original, now)
        assert answer(again, now, known_at) == answer(original, now, known_at)


def test_an_exported_course_imported_again_is_the_same_course(
    story: Course, nurse: User, nurse_client: Client
) -> None:
    document = document_of(sent(nurse_client, story))
    document["patient"] |= {"mrn": "ELSEWHERE-1", "name": "Elsewhere, Ewa"}
    second = document_of(sent(nurse_client, import_course(json.dumps(document), [nurse])))
    assert len(second["entries"]) == len(document["entries"])
    for now in moments(document, 5):
        assert answer(second, now) == answer(document, now)


def test_the_file_says_what_was_known_then(
    course: Course, nurse_client: Client, nurse: User
) -> None:
    wrong = chart(course, nurse, "vitals", ago(hours=5), temperature_c="41").entries[0]
    then = timezone.now()
    correct(wrong, wrong.at, {"temperature_c": "37"}, sending(nurse))
    chart(course, nurse, "vitals", ago(minutes=1), temperature_c="40")
    change = IdentityChange(
        Fact.NAME, "passport", identity_token([course]), of_patient={"name": "OKONKWO, Adaeze"}
    )
    correct_identity(course.patient_id, change, sending(nurse))
    known = document_of(sent(nurse_client, course, known_at=then.isoformat()))
    assert known["patient"]["name"] == "OKONKWO, Ada"
    assert [one.get("temperature_c") for one in known["entries"]] == [None, None, "41"]
    assert document_of(sent(nurse_client, course))["patient"]["name"] == "OKONKWO, Adaeze"


@pytest.mark.parametrize("contents", ["identified", "deidentified"])
@pytest.mark.parametrize("kind", ["json", "csv"])
def test_the_bytes_are_the_same_later_and_the_time_is_in_the_name_alone(
    story: Course, nurse: User, nurse_client: Client, contents: str, kind: str
) -> None:
    asked = {"contents": contents, "format": kind, "known_at": "2026-11-28T07:00:00+00:00"}
    first = sent(nurse_client, story, **asked)
    before = text_of(first)
    chart(story, nurse, "vitals", temperature_c="40.5")
    second = sent(nurse_client, story, **asked)
    assert text_of(second) == before
    assert "-known-20261128T070000Z-exported-" in second["Content-Disposition"]
    assert first["Content-Disposition"] != second["Content-Disposition"]
    assert "exported" not in before


def test_a_policy_of_the_middle_of_a_course_is_in_its_file(
    course: Course, nurse: User, nurse_client: Client, administrator: User
) -> None:
    chart(course, nurse, "vitals", ago(hours=5), temperature_c="38.2")
    policy = policy_from({"fever_threshold_c": "38.5"})
    decide(Decision(policy, None, "study", administrator, uuid.uuid4(), seen=0))
    document = document_of(sent(nurse_client, course))
    assert [one["policy"]["fever_threshold_c"] for one in document["later_policies"]] == ["38.5"]
    now = timezone.now()
    assert answer(document, now)[1] == 0
    assert answer(document, now - timedelta(hours=1))[1] == 1
    with pytest.raises(CourseFileError, match="later_policies"):
        import_course(json.dumps(document), [nurse])


def test_a_policy_from_the_infusion_on_is_the_policy_of_the_file(
    course: Course, nurse: User, nurse_client: Client, administrator: User
) -> None:
    """Such a file can be imported: the chart has nothing to take from a site."""
    chart(course, nurse, "vitals", ago(hours=5), temperature_c="38.2")
    version = version_of(policy_from({"fever_threshold_c": "38.5"}), timezone.now())
    regrade_from_start(course, version, reason="study", by=administrator, form_id=uuid.uuid4())
    document = document_of(sent(nurse_client, course))
    assert "later_policies" not in document
    assert document["policy"]["fever_threshold_c"] == "38.5"
    assert {one[2] for one in answer(document, timezone.now())[0]} == {0}
    document["patient"] |= {"mrn": "ELSEWHERE-1", "name": "Elsewhere, Ewa"}
    again = document_of(sent(nurse_client, import_course(json.dumps(document), [nurse])))
    assert again["policy"] == document["policy"]


def test_an_export_by_emergency_access_is_recorded_as_such(
    course: Course, nurse: User, nurse_client: Client
) -> None:
    set_wards(nurse, [])
    assert sent(nurse_client, course).status_code == 403
    open_with_reason(course, AskedAccess("called", "cardiac arrest call", uuid.uuid4()), nurse)
    text_of(sent(nurse_client, course))
    event = Event.objects.get(kind="export")
    assert (event.purpose, event.details["by"]) == ("a second opinion", "emergency access")


def test_each_entry_is_a_row_with_its_state_its_author_and_the_grade(
    course: Course, nurse: User, nurse_client: Client
) -> None:
    wrong = chart(course, nurse, "vitals", ago(hours=5), temperature_c="41").entries[0]
    correct(wrong, wrong.at, {"temperature_c": "39.5", "note": "=HYPERLINK(1)"}, sending(nurse))
    mistaken = chart(course, nurse, "treatment", ago(hours=4), agent="tocilizumab").entries[0]
    retract_entry(mistaken, sending(nurse))
    chart(course, nurse, "vasopressor", ago(hours=3), drug="norepinephrine", rate=None)
    rows = rows_of(text_of(sent(nurse_client, course, format="csv")))[2:]
    assert [(row["kind"], row["status"]) for row in rows] == [
        ("vitals", "corrected"),
        ("vitals", "in force"),
        ("treatment", "entered in error"),
        ("retraction", "marks an error"),
        ("vasopressor", "in force"),
    ]
    fever, pressor = rows[1], rows[4]
    assert (fever["temperature_c"], fever["note"]) == ("39.5", "'=HYPERLINK(1)")
    assert (fever["author"], fever["scale"], fever["crs_grade"]) == ("J. Ruiz", "lee-2014", "1")
    assert (pressor["rate"], pressor["crs_could_be"]) == ("not known", "3")


def test_a_course_of_which_too_little_is_charted_is_not_called_grade_0(
    course: Course, nurse: User, nurse_client: Client
) -> None:
    chart(course, nurse, "vitals", ago(hours=5), temperature_c="36.8")
    [*_, row] = rows_of(text_of(sent(nurse_client, course, format="csv")))
    assert row["crs_grade"] == "not assessed"


def test_an_identified_file_needs_a_purpose_which_the_record_keeps(
    course: Course, nurse_client: Client
) -> None:
    refused = sent(nurse_client, course, purpose=" ")
    assert refused.status_code == 422
    assert "Say what the identified file is for." in refused.content.decode()
    assert not Event.objects.filter(kind="export").exists()
    text_of(sent(nurse_client, course))
    event = Event.objects.get(kind="export")
    assert (event.course_id, event.purpose) == (course.pk, "a second opinion")
    assert event.details["contents"] == "identified"
    assert event.details["page"] == "export of the course"
    text_of(sent(nurse_client, course, contents="deidentified", purpose=""))
    assert Event.objects.filter(kind="export", chain=course.pk).count() == 2


@pytest.mark.parametrize(
    ("typed", "fault"),
    [
        ("2199-01-01T00:00:00", "This time has not come"),
        ("1200-01-01T00:00:00", "Nothing was charted in the year 1200. Check the year"),
        ("yesterday", "Type a date and a time"),
    ],
)
def test_a_wrong_time_is_refused_at_its_field_and_kept(
    course: Course, nurse_client: Client, typed: str, fault: str
) -> None:
    page = sent(nurse_client, course, known_at=typed)
    assert page.status_code == 422
    assert fault in page.content.decode()
    assert f'value="{typed}"' in page.content.decode()


@pytest.mark.parametrize(
    ("asked", "proposed"),
    [
        ("2026-11-27T03:40:00.123456%2B00:00", "2026-11-27T03:40:00.124"),
        ("9999-12-31T23:59:59.999999%2B00:00", ""),
        ("soon", ""),
    ],
)
def test_a_page_of_the_past_leads_to_the_export_of_its_time(
    course: Course, nurse_client: Client, settings: Any, asked: str, proposed: str
) -> None:
    settings.TIME_ZONE = "UTC"
    address = reverse("patients:export_course", args=[course.pk])
    page = nurse_client.get(f"{address}?known_at={asked}").content.decode()
    [field] = re.findall(r'<input[^>]*name="known_at"[^>]*>', page)
    assert f'value="{proposed}"' in field


def test_of_a_time_that_was_shown_twice_the_page_says_which(
    nurse: User, nurse_client: Client, settings: Any
) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    first = datetime(2025, 10, 26, 0, 30, tzinfo=UTC)
    course = admit(nurse, infused_at=first - timedelta(days=2))
    address = reverse("patients:export_course", args=[course.pk])
    for which, known_at in (("earlier", first), ("later", first + timedelta(hours=1))):
        form = nurse_client.get(address, {"known_at": known_at.isoformat()}).context["form"]
        assert form.asks_which
        shown = {name: form[name].value() for name in ("known_at", "known_at_which")}
        assert shown == {"known_at": "2025-10-26T02:30:00.000", "known_at_which": which}
        filled = ExportForm({"contents": "deidentified", "format": "csv", **shown}, now=known_at)
        assert filled.is_valid(), filled.errors
        assert filled.cleaned_data["known_at"] == known_at
    asked = sent(nurse_client, course, known_at="2025-10-26 02:30").content.decode()
    assert "occurred twice on 26 Oct 2025" in asked
    assert 'name="known_at_which"' in asked
    skipped = sent(nurse_client, course, known_at="2025-03-30T02:30").content.decode()
    assert "did not exist here" in skipped


def test_a_newborn_cannot_be_deidentified(nurse: User, nurse_client: Client) -> None:
    born = timezone.localdate() - timedelta(days=20)
    newborn = admit(nurse, birth_date=born, weight_kg="4")
    refused = sent(nurse_client, newborn, contents="deidentified")
    assert refused.status_code == 422
    assert "under 28 days old" in refused.content.decode()
    assert document_of(sent(nurse_client, newborn))["patient"]["birth_date"] == str(born)
