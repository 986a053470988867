"""Who looked at a patient and what a person did: found, limited, paged, downloaded, recorded."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crs_app.accounts.models import User
from crs_app.record.models import EventKind
from crs_app.record.write import record_event
from patients.models import Course
from patients.recording.join import JoinRequest, join_records, join_token
from tests.entry_forms import text_of
from tests.factories import admit, chart, sending
from tests.record.conftest import recorded

pytestmark = pytest.mark.django_db


def who_looked(client: Client, course: Course, **asked: str) -> Any:
    return client.get(reverse("record:course", args=[course.pk]), asked)


def told(page: Any) -> list[str]:
    """The rows of a list, as "who: what more"."""
    return [
        f"{one['row'].by_name}: {one['what']} {one['more']}".strip() for one in page.context["rows"]
    ]


def test_who_looked_at_a_patient_the_newest_first_with_role_reason_and_address(
    nurse_client: Client, auditor_client: Client, intensivist: User, course: Course
) -> None:
    nurse_client.get(reverse("patients:bedside", args=[course.pk]), REMOTE_ADDR="10.4.7.31")
    record_event(
        EventKind.EMERGENCY_ACCESS, by=intensivist, course_id=course.pk, purpose="covering for 7B"
    )
    page = who_looked(auditor_client, course)
    assert told(page)[:2] == ["A. Osei: Emergency access", "J. Ruiz: Opened: chart"]
    text = text_of(page.content.decode())
    for shown in ("covering for 7B", "Ward clinician", "10.4.7.31", course.patient.name):
        assert shown in text


def test_reading_the_list_is_itself_recorded(auditor_client: Client, course: Course) -> None:
    who_looked(auditor_client, course, what="taken")
    (event,) = recorded(course)
    assert (event.kind, event.by_name) == ("record_read", "M. Ito")
    assert event.details == {"page": "who looked at this patient", "what": "taken"}
    assert told(who_looked(auditor_client, course))[0].startswith("M. Ito: Read this record")


def test_the_list_has_every_course_of_the_patient_joined_ones_too(
    nurse_client: Client, auditor_client: Client, administrator: User, course: Course
) -> None:
    other = admit(administrator, product="a second")
    nurse_client.get(reverse("patients:bedside", args=[other.pk]))
    kept, joined = course.patient_id, other.patient_id
    asked = JoinRequest(kept, joined, "one person", join_token(kept, joined))
    join_records(asked, sending(administrator))
    assert "J. Ruiz: Opened: chart" in told(who_looked(auditor_client, course))


def test_what_was_charted_stands_among_what_was_opened(
    nurse_client: Client, nurse: User, auditor_client: Client, course: Course
) -> None:
    nurse_client.get(reverse("patients:bedside", args=[course.pk]))
    chart(course, nurse, "vitals", temperature_c="38.5")
    page = auditor_client.get(reverse("record:person", args=[nurse.pk]))
    assert told(page) == ["J. Ruiz: Charted: vital signs", "J. Ruiz: Opened: chart"]


def test_what_a_person_did_with_each_patient(
    nurse_client: Client, nurse: User, intensivist_client: Client, auditor_client: Client,
    course: Course,
) -> None:  # fmt: skip
    nurse_client.get(reverse("patients:board"), {"q": "okon"})
    nurse_client.get(reverse("patients:bedside", args=[course.pk]))
    intensivist_client.get(reverse("patients:board"))
    page = auditor_client.get(reverse("record:person", args=[nurse.pk]))
    assert told(page) == ["J. Ruiz: Opened: chart", "J. Ruiz: Searched “okon”: ward board"]
    assert course.patient.name in page.content.decode()


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"what": "taken"}, ["export"]),
        ({"what": "opened"}, ["view"]),
        ({"who": "osei"}, ["export"]),
        ({"who": "nobody"}, []),
        ({"who": "%"}, []),
    ],
)
def test_a_list_can_be_limited(
    nurse: User, intensivist: User, auditor_client: Client, course: Course,
    asked: dict[str, str], found: list[str],
) -> None:  # fmt: skip
    record_event(EventKind.VIEW, by=nurse, course_id=course.pk, details={"page": "chart"})
    record_event(EventKind.EXPORT, by=intensivist, course_id=course.pk, details={"page": "x"})
    page = who_looked(auditor_client, course, **asked)
    assert [one["row"].kind for one in page.context["rows"]] == found


def test_a_list_can_be_limited_by_time(nurse: User, auditor_client: Client, course: Course) -> None:
    record_event(EventKind.VIEW, by=nurse, course_id=course.pk, details={"page": "chart"})
    now = timezone.localtime()
    earlier, later = (f"{now + timedelta(hours=hours):%Y-%m-%dT%H:%M}" for hours in (-1, 1))
    assert told(who_looked(auditor_client, course, since=earlier, until=later, what="opened"))
    assert not told(who_looked(auditor_client, course, until=earlier, what="opened"))
    assert not told(who_looked(auditor_client, course, since=later, what="opened"))


@pytest.mark.parametrize(
    "asked",
    [
        {"since": "yesterday"},
        {"since": "0001-01-01T00:00"},
        {"until": "9999-12-31T23:59"},
        {"since": "2026-11-29T12:00", "until": "2026-11-28T12:00"},
        {"what": "nothing"},
        {"who": "a\0b"},
    ],
)
def test_a_filter_that_cannot_be_read_is_named_and_kept(
    auditor_client: Client, course: Course, asked: dict[str, str]
) -> None:
    page = who_looked(auditor_client, course, **asked)
    assert page.status_code == 400
    assert page.context["form"].errors
    assert "2200" not in str(page.context["form"].errors)
    assert auditor_client.get(reverse("record:events_csv"), asked).status_code == 400


def test_older_rows_follow_and_none_is_shown_twice(
    nurse: User, auditor_client: Client, course: Course
) -> None:
    for number in range(120):
        record_event(EventKind.VIEW, by=nurse, course_id=course.pk, details={"page": str(number)})
    seen: list[str] = []
    asked: dict[str, str] = {"what": "opened"}
    for _ in range(3):
        page = who_looked(auditor_client, course, **asked)
        seen += [one["row"].details["page"] for one in page.context["rows"]]
        asked = {"what": "opened", "before": page.context["older"]}
    assert seen == [str(number) for number in reversed(range(120))]
    assert page.context["older"] == ""
    assert "before=" not in page.content.decode()


@pytest.mark.parametrize("before", ["x", "~", "2026-11-29", "0001-01-01T00:00:00+23:59~e", "\0~\0"])
def test_a_cursor_that_names_no_place_shows_the_newest(
    nurse: User, auditor_client: Client, course: Course, before: str
) -> None:
    record_event(EventKind.VIEW, by=nurse, course_id=course.pk, details={"page": "chart"})
    page = who_looked(auditor_client, course, what="opened", before=before)
    assert told(page) == ["J. Ruiz: Opened: chart"]


def test_a_download_has_every_row_and_no_formula(
    nurse: User, auditor_client: Client, course: Course
) -> None:
    record_event(
        EventKind.SEARCH, by=nurse, course_id=course.pk, purpose="=1+1", details={"page": "@x"}
    )
    sent = auditor_client.get(reverse("record:course_csv", args=[course.pk]))
    assert sent["Content-Type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(b"".join(sent).decode("utf-8-sig"))))
    row = next(row for row in rows if row["event"].startswith("Searched"))
    assert (row["user"], row["purpose"]) == ("J. Ruiz", "'=1+1")
    assert row["mrn"] == course.patient.mrn
    assert rows[-1]["event"].startswith("Charted")
    assert recorded(course)[-1].kind == "export"


def test_a_patient_and_a_person_are_found_from_the_record(
    auditor_client: Client, nurse: User, course: Course
) -> None:
    address = reverse("record:events")
    page = auditor_client.get(address, {"q": course.patient.mrn}).content.decode()
    assert reverse("record:course", args=[course.pk]) in page
    page = auditor_client.get(address, {"q": "ruiz"}).content.decode()
    assert reverse("record:person", args=[nurse.pk]) in page


def test_the_record_is_one_link_away_for_those_who_may_read_it_alone(
    auditor_client: Client, nurse_client: Client, course: Course
) -> None:
    pages = {
        reverse("patients:board"): reverse("record:events"),
        reverse("patients:bedside", args=[course.pk]): reverse("record:course", args=[course.pk]),
        reverse("patients:review", args=[course.pk]): reverse("record:course", args=[course.pk]),
        reverse("patients:flowsheet", args=[course.pk]): reverse("record:course", args=[course.pk]),
    }
    for page, link in pages.items():
        assert f'href="{link}"' in auditor_client.get(page).content.decode(), page
        assert f'href="{link}"' not in nurse_client.get(page).content.decode(), page


def test_what_was_typed_is_shown_as_text(
    nurse: User, auditor_client: Client, course: Course
) -> None:
    attack = "<script>alert(1)</script>"
    record_event(
        EventKind.VIEW, by=nurse, address=attack, course_id=course.pk, purpose=attack,
        details={"page": attack, attack: attack},
    )  # fmt: skip
    page = who_looked(auditor_client, course, who="").content.decode()
    assert attack not in page
    assert "&lt;script&gt;" in page


def test_the_list_is_found_by_an_index(nurse: User, auditor_client: Client, course: Course) -> None:
    """One chain, not the whole record, is read for one patient."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(
            "EXPLAIN SELECT * FROM record_event WHERE chain = %s ORDER BY at DESC LIMIT 50",
            [course.pk],
        )
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "Seq Scan" not in plan


def test_links_to_older_rows_keep_the_filter(
    nurse: User, auditor_client: Client, course: Course
) -> None:
    for _ in range(51):
        record_event(EventKind.VIEW, by=nurse, course_id=course.pk, details={"page": "chart"})
    page = who_looked(auditor_client, course, who="Ruiz", what="opened").content.decode()
    (link,) = [part.split('"')[0] for part in page.split('href="') if part.startswith("?")]
    asked = parse_qs(urlsplit(link.replace("&amp;", "&")).query)
    assert asked["who"] == ["Ruiz"]
    assert asked["what"] == ["opened"]
    assert len(told(who_looked(auditor_client, course, **{k: v[0] for k, v in asked.items()}))) == 1


def test_the_pages_say_when_the_record_was_checked_and_what_was_found(
    client: Client, auditor: User, course: Course, time_machine: Any
) -> None:
    def shown() -> str:
        client.force_login(auditor)
        pages = (who_looked(client, course), client.get(reverse("record:events")))
        texts = {
            re.search(r'data-check="(.*?)">(.*?)</p>', page.content.decode(), re.DOTALL)
            for page in pages
        }
        found = {f"{one[1]}: {text_of(one[2]).strip()}" for one in texts if one}
        assert len(found) == 1
        return found.pop()

    assert shown().startswith("none: Not checked yet.")
    call_command("verify_audit", stdout=io.StringIO())
    assert re.fullmatch(
        r"complete: ✓ Complete. Checked .*: \d+ events, none changed, none missing.", shown()
    )
    time_machine.move_to(timezone.now() + timedelta(hours=37))
    assert shown().startswith("old: ✓ Complete.")
    assert shown().endswith("Not checked since.")


@pytest.mark.usefixtures("as_owner")
def test_the_pages_say_that_the_record_is_not_as_it_was_written(
    auditor_client: Client, course: Course
) -> None:
    auditor_client.get(reverse("record:events"))
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE record_event SET by_name = 'X' WHERE kind = 'record_read'")
        cursor.execute("SET LOCAL session_replication_role = origin")
    with pytest.raises(CommandError):
        call_command("verify_audit", stdout=io.StringIO(), stderr=io.StringIO())
    page = who_looked(auditor_client, course).content.decode()
    assert 'data-check="faults"' in page
    assert "1 fault. Tell who runs this site" in text_of(page)
