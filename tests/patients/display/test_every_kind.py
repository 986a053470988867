"""Every kind of entry on every page that lists entries, over HTTP, with its values in words."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crs_app.accounts.models import User
from grading.engine.entries import KINDS
from patients.display.timeline import TIMELINE_KINDS
from patients.models import Course, Entry
from patients.recording.inputs import NewEntry
from patients.recording.record import record_entries
from patients.review.flowsheet_form import ROWS
from tests.entry_forms import HTMX, text_of, url
from tests.factories import ago, chart, end, record, sending
from tests.patients.display.every_kind import EVERY_KIND

pytestmark = pytest.mark.django_db
_OF_A_COURSE = (
    "bedside", "timeline", "last_day", "timeline_table", "flowsheet", "state", "review",
    "instant", "review_series", "review_latest", "paper", "summary", "summary_json", "handover",
    "identity", "transfer", "guidance",
)  # fmt: skip


def bodies() -> Iterator[tuple[str, dict[str, Any], str]]:
    for kind, listed in EVERY_KIND.items():
        for body, words in listed:
            yield kind, body, words


@pytest.fixture
def charted(course: Course, nurse: User) -> Course:
    """A course with an entry of each kind, an hour apart in the order of the list; death last."""
    first = ago(hours=len(list(bodies())) + 1)
    record(
        course,
        nurse,
        [
            NewEntry(kind, first + timedelta(hours=number), body)
            for number, (kind, body, _) in enumerate(bodies())
        ],
    )
    return course


def words_of(answer: Any) -> str:
    assert answer.status_code == 200, answer.content.decode()[:2000]
    return text_of(answer.content.decode()).replace("\u00a0", " ")


def retract_all(course: Course, by: User) -> None:
    for entry in list(Entry.objects.filter(course=course, replaces=None)):
        retraction = NewEntry("retraction", entry.at, {}, replaces=entry.pk)
        record_entries(course, [retraction], sending(by, answers={"reason": "typo"}))


def test_no_kind_is_missing_here() -> None:
    assert EVERY_KIND.keys() | {"retraction"} == KINDS.keys()


def test_every_page_of_a_course_with_every_kind_opens(
    charted: Course, nurse_client: Client
) -> None:
    queries: list[dict[str, str]] = [{}, {"at": ago(hours=3).isoformat()}]
    for name in _OF_A_COURSE:
        for query in queries:
            answer = nurse_client.get(url(name, charted), query, follow=True)
            assert answer.status_code == 200, (name, query)
    for rows, _ in ROWS:
        words_of(nurse_client.get(url("flowsheet", charted), {"rows": rows, "bin": "4"}))
    assert charted.patient.name in words_of(nurse_client.get(reverse("patients:board")))


@pytest.mark.parametrize("name", ["flowsheet", "paper"])
def test_every_list_of_entries_writes_every_value(
    charted: Course, nurse_client: Client, name: str
) -> None:
    query = {"bin": "entry", "span": "72"} if name == "flowsheet" else {}
    page = words_of(nurse_client.get(url(name, charted), query))
    assert [words for _, _, words in bodies() if words not in page] == []


def test_the_timeline_and_its_table_are_filtered_by_every_kind(
    charted: Course, nurse_client: Client
) -> None:
    for kind, listed in EVERY_KIND.items():
        page = words_of(nurse_client.get(url("timeline", charted), {"kind": kind}, **HTMX))
        assert [words for _, words in listed if words not in page] == []
        assert kind in dict(TIMELINE_KINDS)
        table = nurse_client.get(url("timeline_table", charted), {"kind": kind}, **HTMX)
        assert "has no rows in the table" not in words_of(table), kind


def test_every_entry_can_be_opened_to_be_corrected_retracted_or_moved(
    charted: Course, nurse_client: Client
) -> None:
    for entry in Entry.objects.filter(course=charted):
        for name in ("retract", "correct", "move_entry"):
            answer = nurse_client.get(url(name, charted, entry.pk), follow=True)
            assert answer.status_code == 200, (entry.kind, name)


def test_what_was_entered_in_error_stays_readable_and_is_named_as_different_today(
    charted: Course, nurse_client: Client, nurse: User
) -> None:
    known_at = timezone.now()
    retract_all(charted, nurse)
    page = words_of(nurse_client.get(url("paper", charted)))
    assert [words for _, _, words in bodies() if words not in page] == []
    query = {"known_at": known_at.isoformat(), "different": "1"}
    page = words_of(nurse_client.get(url("review", charted), query))
    of_scales = list(EVERY_KIND)[list(EVERY_KIND).index("ice") :]
    for kind in of_scales:
        assert [words for _, words in EVERY_KIND[kind] if words not in page] == []


def test_the_record_and_the_last_change_name_a_kind_in_words(
    course: Course, nurse: User, auditor_client: Client, nurse_client: Client
) -> None:
    chart(course, nurse, "admission", setting="icu")
    chart(course, nurse, "ice", score="9")
    who_looked = reverse("record:course", args=[course.pk])
    page = words_of(auditor_client.get(who_looked, {"what": "charted"}))
    assert "Charted: ICE" in page
    assert "Charted: place of care" in page
    before = {"known_at": timezone.now().isoformat()}
    assert ", ICE" in words_of(nurse_client.get(url("review", course), before))


def test_a_closed_course_opens_with_every_kind(
    charted: Course, nurse_client: Client, nurse: User
) -> None:
    end(charted, nurse)
    assert nurse_client.get(url("bedside", charted)).status_code == 200


def test_a_finding_of_another_cause_is_shown_as_not_counted(
    course: Course, nurse: User, nurse_client: Client
) -> None:
    chart(course, nurse, "consciousness", level="voice", attribution="other")
    for name in ("timeline", "bedside"):
        page = words_of(nurse_client.get(url(name, course)))
        assert "Consciousness: wakes to voice" in page
        assert "other cause, not counted" in page


def test_a_death_of_no_listed_cause_says_so(
    course: Course, nurse: User, nurse_client: Client
) -> None:
    chart(course, nurse, "death", due_to=[], attribution="other")
    page = words_of(nurse_client.get(url("timeline", course), **HTMX))
    assert "Death, due to none of CRS, neurotoxicity (ICANS), IEC-HS" in page
