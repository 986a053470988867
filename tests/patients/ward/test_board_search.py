"""The board is searched by name, MRN and bed, limited to a ward, and shows closed courses."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from crs_app.accounts.models import User
from crs_app.record.models import Event
from crs_app.searches import unseal
from patients.models import Course, Move
from patients.ward.transfer import TransferRequest, location_token, record_transfer
from tests.factories import admit, ago, chart, sending

pytestmark = pytest.mark.django_db
HTMX: dict[str, Any] = {"headers": {"HX-Request": "true"}}
BOARD = "/"


def close(course: Course, by: User, reason: str, hours_ago: float = 0) -> None:
    asked = TransferRequest(Move.ENDED, ago(hours=hours_ago), location_token(course), reason=reason)
    record_transfer(course, asked, sending(by))


def names(client: Client, **asked: str) -> list[str]:
    answer = client.get(BOARD, asked)
    assert answer.status_code == 200
    return [row.name for row in answer.context["rows"]]


@pytest.fixture
def three(clinician: User) -> list[Course]:
    return [
        admit(clinician, name="HERNÁNDEZ GARCÍA, José", mrn="00123", ward="7B", bed="12"),
        admit(clinician, name="O\u2019Hara, Łucja", mrn="447-1902", ward="7B", bed="9"),
        admit(clinician, name="ΠΑΠΑΣ, 100%_X", mrn="55", ward="K4", bed="A1"),
    ]


SPELLINGS: dict[str, tuple[str, ...]] = {
    "MÜLLER, Jörg": ("mueller", "muller", "müller", "MU\u0308LLER", "joerg mull", "jorg"),
    "Mueller, Eva": ("müller", "mueller"),
    "Sørensen, Åse": ("soerensen", "sorensen", "sörensen", "aase", "ase"),
    "Strauß, Kjær": ("strauss", "STRAUẞ", "kjaer"),
    "Đorđević, Ana": ("djordjevic", "dordevic", "ĐORĐEVIĆ"),
    "Agüero, Suarez": ("aguero", "agüero"),
}


@pytest.mark.parametrize("closed", [False, True])
def test_a_name_is_found_by_each_of_its_spellings(
    nurse_client: Client, clinician: User, *, closed: bool
) -> None:
    """Letters that are no spelling of the name find nothing, where another name has them."""
    for bed, name in enumerate(SPELLINGS):
        course = admit(clinician, name=name, bed=str(bed))
        if closed:
            close(course, clinician, "Home")
    listed = {"ended": "1"} if closed else {}
    for name, all_typed in SPELLINGS.items():
        for typed in all_typed:
            assert name in names(nurse_client, q=typed, **listed), (name, typed)
    # The u of Suarez is looked at only where no name has what was typed.
    assert (
        names(nurse_client, q="mueller", **listed)
        == ["MÜLLER, Jörg", "Mueller, Eva"][:: -1 if closed else 1]
    )
    assert names(nurse_client, q="suearez", **listed) == ["Agüero, Suarez"]
    assert names(nurse_client, q="suerez", **listed) == []
    page = nurse_client.get(BOARD, {"q": "mueller", **listed}).content.decode()
    assert "Found by another spelling of “mueller”: MÜLLER.</p>" in page
    page = nurse_client.get(BOARD, {"q": "mull", **listed}).content.decode()
    assert "another spelling" not in page


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("hernandez", "HERNÁNDEZ"),
        ("HERNA\u0301NDEZ garcia", "HERNÁNDEZ"),
        ("jose hern", "HERNÁNDEZ"),
        ("lucja", "O\u2019Hara"),
        ("o'hara", "O\u2019Hara"),
        ("OHARA", "O\u2019Hara"),
        ("παπας", "ΠΑΠΑΣ"),
        ("123", "HERNÁNDEZ"),
        ("MRN 00123", "HERNÁNDEZ"),
        ("\uff10\uff10\uff11\uff12\uff13", "HERNÁNDEZ"),
        ("447 1902", "O\u2019Hara"),
        ("7b 9", "O\u2019Hara"),
        ("7B-09", None),
        ("7b9", "O\u2019Hara"),
        ("bed a1", "ΠΑΠΑΣ"),
        ("100%", "ΠΑΠΑΣ"),
        ("%_", "ΠΑΠΑΣ"),
        ("H%R", None),
        ("H_RN", None),
        ("\\", None),
        ("' OR 1=1 --", None),
    ],
)
@pytest.mark.parametrize("closed", [False, True])
def test_a_patient_is_found_however_it_is_typed(
    nurse_client: Client,
    clinician: User,
    three: list[Course],
    typed: str,
    found: str | None,
    *,
    closed: bool,
) -> None:
    if closed:
        for course in three:
            close(course, clinician, "Home")
    listed = names(nurse_client, q=typed, **({"ended": "1"} if closed else {}))
    expected = [course.patient.name for course in three]
    assert listed == [name for name in expected if found and name.startswith(found)]


@pytest.mark.parametrize(
    "typed",
    ["\0", "a\0b", "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"), "x" * 1_000_000,
     "\u202e\u200b", "%" * 101, "a " * 400, "\r\nX: y"],
)  # fmt: skip
@pytest.mark.parametrize("name", ["q", "ward", "show", "sort", "page", "ended", "seen"])
@pytest.mark.parametrize("ended", [{}, {"ended": ""}])
def test_strange_input_is_answered(
    nurse_client: Client, course: Course, name: str, typed: str, ended: dict[str, str]
) -> None:
    answer = nurse_client.get(BOARD, ended | {name: typed})
    assert answer.status_code == 200
    assert len(answer.content) < 100_000


@pytest.mark.parametrize("page", ["0", "-1", "1e3", "999", "99999999999999999999", "\u0661", "1.5"])
def test_a_page_that_is_not_there_is_empty_or_the_first(nurse_client: Client, page: str) -> None:
    assert names(nurse_client, ended="", page=page) == []


def test_a_search_longer_than_a_name_finds_nothing_and_says_so(
    nurse_client: Client, course: Course
) -> None:
    answer = nurse_client.get(BOARD, {"q": "a" * 101})
    assert answer.context["rows"] == []
    assert "at most 100 characters" in answer.content.decode()


def test_a_ward_limits_the_board(nurse_client: Client, three: list[Course]) -> None:
    assert names(nurse_client, ward="K4") == [three[2].patient.name]
    assert names(nurse_client, ward="K4", q="hara") == []
    page = nurse_client.get(BOARD, {"ward": "K4"}).content.decode()
    assert re.findall(r'<option value="([^"]*)"[^>]*>\s*(?:Ward|All)', page) == ["", "7B", "K4"]


def test_a_search_without_result_leads_to_the_closed_courses(
    nurse_client: Client, clinician: User, course: Course
) -> None:
    other = admit(clinician, name="MOVED, Home", mrn="77")
    close(other, clinician, "Discharged home")
    page = nurse_client.get(BOARD, {"q": "moved", "ward": "7B"}).content.decode()
    assert "No open course matches “moved” on ward 7B." in page
    found = re.search(r'href="([^"]*)">Look in closed courses', page)
    assert found is not None
    closed = nurse_client.get(found[1].replace("&amp;", "&"))
    assert [row.name for row in closed.context["rows"]] == ["MOVED, Home"]


def test_the_board_is_limited_to_what_is_urgent(nurse_client: Client, clinician: User) -> None:
    calm = admit(clinician, name="CALM")
    chart(calm, clinician, "vitals", temperature_c="36.8")
    rising = admit(clinician, name="RISING")
    chart(
        rising, clinician, "vasopressor", ago(30), drug="norepinephrine", rate="22", unit="ug/min"
    )
    severe = admit(clinician, name="SEVERE")
    chart(severe, clinician, "oxygen", device="venturi_mask", fio2_percent="50")
    unclear = admit(clinician, name="UNCLEAR", ward="K4")
    chart(unclear, clinician, "oxygen", device="nasal_cannula")
    assert names(nurse_client, show="severe") == ["SEVERE"]
    assert names(nurse_client, show="could_be_higher") == ["UNCLEAR"]
    assert names(nurse_client, show="rise") == ["RISING"]
    assert names(nurse_client) == ["SEVERE", "UNCLEAR", "RISING", "CALM"]
    counts = nurse_client.get(BOARD).context["board"].counts
    assert counts == {"": 4, "severe": 1, "could_be_higher": 1, "late": 4, "rise": 1, "sign_off": 3}


def test_of_one_grade_the_nearest_rise_and_then_the_longest_unobserved_come_first(
    nurse_client: Client, clinician: User
) -> None:
    dose = {"drug": "norepinephrine", "rate": "22", "unit": "ug/min"}
    for name, minutes in (("IN 2 h", 60), ("IN 1 h", 120)):
        chart(admit(clinician, name=name), clinician, "vasopressor", ago(minutes), **dose)
    for name, minutes in (("SEEN NOW", 1), ("SEEN LONG AGO", 300)):
        given = {"device": "nasal_cannula", "flow_l_per_min": "2"}
        chart(admit(clinician, name=name), clinician, "oxygen", ago(minutes), **given)
    assert names(nurse_client) == ["IN 1 h", "IN 2 h", "SEEN LONG AGO", "SEEN NOW"]


def test_the_board_is_ordered_by_ward_and_bed(nurse_client: Client, three: list[Course]) -> None:
    beds = [row.bed for row in nurse_client.get(BOARD, {"sort": "place"}).context["rows"]]
    assert beds == ["9", "12", "A1"]


def test_what_runs_since_before_the_infusion_is_named_on_the_board_and_missing_on_the_card(
    nurse_client: Client, clinician: User, course: Course
) -> None:
    """It counts in no grade until it is charted again."""
    before = course.infused_at - timedelta(hours=1)
    chart(course, clinician, "oxygen", before, device="nasal_cannula", flow_l_per_min="4")
    rate = {"drug": "norepinephrine", "rate": "6", "unit": "ug/min"}
    chart(course, clinician, "vasopressor", before, **rate)
    (row,) = nurse_client.get(BOARD).context["rows"]
    assert row.support == (
        "Cannula 4 L/min (before infusion)",
        "Norepi 6 mcg/min (before infusion)",
    )
    page = nurse_client.get(f"/courses/{course.pk}/").content.decode()
    assert re.search(r"Not charted since the infusion: [^<]*oxygen", page)
    chart(course, clinician, "vasopressor", course.infused_at, **rate)
    (row,) = nurse_client.get(BOARD).context["rows"]
    assert row.support.vasopressors == "Norepi 6 mcg/min"


def test_oxygen_and_running_vasopressors_are_in_words(
    nurse_client: Client, clinician: User, course: Course
) -> None:
    chart(course, clinician, "oxygen", ago(60), device="bipap", fio2_percent="60")
    chart(course, clinician, "oxygen", ago(30), device="nasal_cannula", flow_l_per_min="4")
    norepinephrine = {"drug": "norepinephrine", "unit": "ug/min"}
    chart(course, clinician, "vasopressor", ago(50), rate="22", **norepinephrine)
    chart(course, clinician, "vasopressor", ago(20), rate="6", **norepinephrine)
    chart(course, clinician, "vasopressor", ago(40), drug="dopamine", rate="5", unit="ug/kg/min")
    chart(course, clinician, "vasopressor", ago(10), drug="dopamine", rate="0")
    board = nurse_client.get(BOARD)
    (row,) = board.context["rows"]
    assert row.support == ("Cannula 4 L/min", "Norepi 6 mcg/min")
    # A number and its unit stay on one line.
    assert {"Cannula 4\xa0L/min", "Norepi 6\xa0mcg/min"} <= set(
        re.findall(r"(?:Cannula|Norepi)[^<]*\w", board.content.decode())
    )
    chart(course, clinician, "vasopressor", ago(5), drug="norepinephrine", rate="0")
    (row,) = nurse_client.get(BOARD).context["rows"]
    assert row.support.vasopressors == "stopped"


def test_closed_courses_say_when_why_and_by_whom(
    nurse_client: Client, clinician: User, course: Course
) -> None:
    chart(course, clinician, "oxygen", ago(60), device="venturi_mask", fio2_percent="50")
    chart(course, clinician, "oxygen", ago(30), device="room_air")
    close(course, clinician, "Discharged <home>")
    page = nurse_client.get(BOARD, {"ended": ""})
    (row,) = page.context["rows"]
    assert (row.highest, row.grade, row.closed_by) == (3, 0, "J. Ruiz")
    shown = page.content.decode()
    for text in ("<h1", "Closed courses</h1>", "Highest grade", "Discharged &lt;home&gt;"):
        assert text in shown
    assert "Ward board</h1>" not in shown
    assert "Open courses, most urgent" not in shown
    assert "data-countdown" not in shown
    assert "data-age" not in shown
    assert "min ago" not in shown


def test_a_grade_that_the_clock_would_bring_after_the_end_is_not_the_highest(
    nurse_client: Client, clinician: User, course: Course
) -> None:
    dose = {"drug": "norepinephrine", "rate": "22", "unit": "ug/min"}
    chart(course, clinician, "vasopressor", ago(hours=2), **dose)
    close(course, clinician, "Moved to another hospital")
    later = timezone.now() + timedelta(hours=3)
    from patients.ward.address import BoardAddress
    from patients.ward.board import board_of

    (row,) = board_of(BoardAddress(ended=True), later).rows
    assert (row.grade, row.highest) == (2, 2)  # type: ignore[union-attr]


def test_an_old_closing_has_its_year(nurse_client: Client, clinician: User) -> None:
    then = timezone.now() - timedelta(days=800)
    old = admit(clinician, infused_at=then)
    close(old, clinician, "Home", hours_ago=24 * 799)
    shown = nurse_client.get(BOARD, {"ended": ""}).content.decode()
    closed = timezone.localtime(then + timedelta(days=1))
    assert f"{closed.day} {closed:%b} {closed.year}" in shown


def test_closed_courses_come_by_pages(
    nurse_client: Client, clinician: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("patients.ward.board.CLOSED_ON_A_PAGE", 2)
    for number in range(3):
        close(admit(clinician, name=f"N{number}"), clinician, "Home", hours_ago=number)
    assert names(nurse_client, ended="") == ["N0", "N1"]
    page = nurse_client.get(BOARD, {"ended": ""}).content.decode()
    assert 'href="/?ended=1&amp;page=2">Closed earlier' in page
    assert names(nurse_client, ended="", page="2") == ["N2"]


@pytest.mark.parametrize(
    "asked",
    [
        {"ended": "1"},
        {"ended": "1", "q": "ada", "ward": "7B", "page": "2"},
        {"q": "ad a&b=c", "ward": "7B", "show": "severe", "sort": "place"},
    ],
)
def test_the_poll_keeps_every_parameter_of_the_address(
    nurse_client: Client, clinician: User, course: Course, asked: dict[str, str]
) -> None:
    close(admit(clinician, name="ADA 2"), clinician, "Home")
    page = nurse_client.get(BOARD, asked)
    polled = re.search(r'<div id="board"[^>]*hx-get="([^"]*)"', page.content.decode(), re.DOTALL)
    assert polled is not None
    address = polled[1].replace("&amp;", "&")
    parameters = parse_qs(urlsplit(address).query)
    assert parameters.pop("seen") == [page.context["signature"]]
    assert {name: [unseal(value)] for name, (value,) in parameters.items()} == {
        name: [value] for name, value in asked.items()
    }
    assert nurse_client.get(address, **HTMX).status_code == 204
    chart(course, clinician, "vitals", heart_rate="90")
    close(admit(clinician, name="ADA 3"), clinician, "Home")
    swapped = nurse_client.get(address, **HTMX)
    assert swapped.status_code == 200
    shown = swapped.context["asked"]
    assert {name: str(getattr(shown, name)) for name in asked if name != "ended"} == {
        name: value for name, value in asked.items() if name != "ended"
    }
    assert shown.ended is ("ended" in asked)


def test_back_in_the_history_brings_the_whole_page(nurse_client: Client, course: Course) -> None:
    restored = {"HX-Request": "true", "HX-History-Restore-Request": "true"}
    assert b"<html" in nurse_client.get(BOARD, {"q": "ada"}, headers=restored).content
    assert b"<html" not in nurse_client.get(BOARD, {"q": "ada"}, **HTMX).content


@pytest.mark.parametrize(("asked", "statements"), [({}, 7), ({"q": "a"}, 8), ({"ended": ""}, 6),
                                                   ({"ended": "", "q": "a"}, 8)])  # fmt: skip
def test_a_search_costs_the_same_for_any_number_of_courses(
    nurse_client: Client, clinician: User, asked: dict[str, str], statements: int
) -> None:
    """The last one records that the board was opened."""
    for number in range(4):
        course = admit(clinician)
        if number % 2:
            close(course, clinician, "Home")
    nurse_client.get(BOARD, asked)
    with CaptureQueriesContext(connection) as sent:
        nurse_client.get(BOARD, asked)
    assert len(sent) <= statements


def test_what_was_searched_for_stands_in_no_address(
    nurse_client: Client, clinician: User, course: Course
) -> None:
    """By a form it is posted, by htmx a header; what leads back is sealed, and opens again."""
    admit(clinician, name="LINDQVIST, Per")
    live = nurse_client.get(BOARD, headers={**HTMX["headers"], "CRS-Search": "lindqv%20p"})
    address = live.headers["HX-Replace-Url"]
    posted = nurse_client.post(BOARD, {"q": " lindqv  p", "csrfmiddlewaretoken": "x", "ward": ""})
    assert (posted.status_code, posted.headers["Location"]) == (302, address)
    ordered = nurse_client.post(BOARD, {"q": "lindqv p", "sort": "place"})
    assert ordered.headers["Location"] == f"{address}&sort=place"
    assert re.fullmatch(r"/\?q=~[\w-]{43}", address)
    opened = nurse_client.get(address)
    for answer in (live, opened):
        page = answer.content.decode()
        assert "LINDQVIST, Per" in page
        assert "OKONKWO" not in page
        assert not re.search(r'(href|hx-get|action)="[^"]*lindqv', page)
    assert 'value="lindqv p"' in opened.content.decode()
    searches = Event.objects.filter(kind="search").values_list("details__q", flat=True)
    assert list(searches) == ["lindqv p"] * 2
    damaged = f"{address[:-2]}{'AA' if not address.endswith('AA') else 'BB'}"
    assert "OKONKWO" in nurse_client.get(damaged).content.decode()


@pytest.mark.parametrize("name", ["board", "find", "inbox", "join", "move_entry"])
def test_each_search_for_a_patient_is_posted(
    nurse_client: Client, nurse: User, course: Course, name: str
) -> None:
    (entry,) = chart(course, nurse, "vitals", temperature_c="38").entries
    ids = {"join": [course.pk], "move_entry": [course.pk, entry.pk]}
    address = reverse(f"patients:{name}", args=ids.get(name, []))
    form = re.search(r'<form[^>]*role="search"[^>]*>', nurse_client.get(address).content.decode())
    assert form is not None
    assert 'method="post"' in form[0]
    # Not the board alone: each of them finds a name by its other spellings.
    admit(nurse, name="MÜLLER, Jörg")
    spelled = nurse_client.post(address, {"q": "mueller"}, follow=True).content.decode()
    assert ("another spelling of “mueller”: MÜLLER." in spelled) is (name != "inbox")
    found = nurse_client.post(address, {"q": "okonkwo"}, follow=True)
    assert [status for _, status in found.redirect_chain] == [302]
    assert "okonkwo" not in found.redirect_chain[0][0]
    assert 'value="okonkwo"' in found.content.decode()
    assert nurse_client.post(address, {"q": ""}).headers["Location"] == address


def test_a_long_row_of_letters_with_two_spellings_is_searched_at_once(
    nurse_client: Client, clinician: User
) -> None:
    """Each of them can be read in two ways: all ways together would take for ever to try."""
    admit(clinician, name="å" * 80, mrn="ROW-1")
    assert names(nurse_client, q="a" * 79 + "x") == []
    assert names(nurse_client, q="x" * 100_000) == []
    assert names(nurse_client, q="a" * 80) == ["å" * 80]
