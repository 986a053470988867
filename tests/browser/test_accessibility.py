"""No state of a page breaks a rule of axe-core, in light and in dark, from phone to desk.

A state is reached once and then checked at every width and in both themes, by axe.py. The states
are spread over tests of a few seconds, so that workers share them.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import BrowserContext, Page, Route, expect

from crs_app.accounts.models import User
from crs_app.accounts.wards import set_wards
from patients.models import Course
from patients.recording.inputs import NewEntry
from patients.recording.record import retract_entry
from tests.browser.axe import WIDTHS, faults_of
from tests.browser.bedside_page import OF_THE_SERVER, BedsidePage
from tests.browser.shared_contexts import FOR_AXE, SharedContexts
from tests.factories import admit, ago, chart, correct, end, record, sending

TABS = (
    ("Vitals", "Oxygen", "Vasopressor", "Fluid bolus", "Weight", "Labs"),
    ("Symptoms", "Toxicity", "Treatment", "Baseline", "Risk factors", "Clinical judgement"),
    ("Place of care", "Blood product", "Note", "Not observed", "Death"),
)


@pytest.fixture
def context(contexts: SharedContexts) -> Iterator[BrowserContext]:
    with contexts.lend(**FOR_AXE) as lent:
        yield lent


@pytest.fixture
def busy_course(course: Course, nurse: User) -> Course:
    """A course with everything that a card and a timeline can show."""
    now = timezone.now()

    def ago(hours: float) -> Any:
        return now - timedelta(hours=hours)

    chart(course, nurse, "vitals", ago(30), temperature_c="39.4", systolic_mmhg="84")
    oxygen = chart(course, nurse, "oxygen", ago(9), device="nasal_cannula").entries[0]
    corrected = {"device": "nasal_cannula", "flow_l_per_min": "2"}
    correct(oxygen, oxygen.at, corrected, sending(nurse, answers={"reason": "Misread"}))
    wrong = chart(course, nurse, "vitals", ago(8), temperature_c="36.1", note="left arm").entries[0]
    retract_entry(wrong, sending(nurse, answers={"reason": "Another patient"}))
    chart(course, nurse, "oxygen", ago(2), device="nasal_cannula")
    chart(course, nurse, "vitals", ago(1), temperature_c="38.4", attribution="uncertain")
    chart(course, nurse, "vitals", ago(0.9), heart_rate="120", attribution="other")
    chart(course, nurse, "vasopressor", ago(1), drug="norepinephrine", rate="22", unit="ug/min")
    return course


def test_the_board_with_things_to_do_and_the_wall(
    page: Page, nurse: User, course: Course, sign_in: Callable[[Page, User], None]
) -> None:
    """Late, asked and planned beside a line of the day; the page of screens, the wall, red too."""
    chart(course, nurse, "oxygen", ago(130), device="nasal_cannula")
    chart(course, nurse, "treatment", ago(120), agent="tocilizumab", dose_mg="320")
    calm = admit(nurse, name="LINDQVIST, Per", bed="14")
    chart(calm, nurse, "vitals", temperature_c="36.8", systolic_mmhg="120")
    sign_in(page, nurse)
    page.goto("/")
    faults = faults_of(page, "board with things to do", ".board")
    page.goto("/wall/screens/")
    page.get_by_role("button", name="Show the wall here").click()
    faults += faults_of(page, "wall screens, refused")
    page.get_by_role("checkbox", name="7B").check()
    page.get_by_role("button", name="Show the wall here").click()
    expect(page.get_by_role("listitem")).to_have_count(2)
    faults += faults_of(page, "wall", sizes={**WIDTHS, 1920: 1080})
    page.evaluate("document.querySelector('[data-board]').toggleAttribute('data-blind', true)")
    page.evaluate("document.querySelector('[data-board-blind]').hidden = false")
    faults += faults_of(page, "wall that is not updated")
    assert faults == []


def test_the_door_and_the_board(
    page: Page, nurse: User, busy_course: Course, sign_in: Callable[[Page, User], None]
) -> None:
    """Sign-in, refused sign-in, board, admission, refused admission, a page that is not there."""
    faults: list[str] = []
    page.goto("/accounts/sign-in/")
    faults += faults_of(page, "sign-in")
    page.get_by_role("textbox", name="Username").fill("nurse")
    page.get_by_role("textbox", name="Password").fill("wrong horse")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_be_visible()
    faults += faults_of(page, "sign-in refused")

    sign_in(page, nurse)
    admit(nurse, name="LINDQVIST, Per", bed="14")
    page.goto("/")
    faults += faults_of(page, "board")
    page.evaluate("document.querySelector('[data-board]').toggleAttribute('data-blind', true)")
    page.evaluate("document.querySelector('[data-board-blind]').hidden = false")
    faults += faults_of(page, "board that is not updated", "main")
    page.goto("/?q=nobody&ward=7B")
    faults += faults_of(page, "board without a result")
    end(admit(nurse, name="HOME, At", bed="15"), nurse)
    page.goto("/?ended")
    faults += faults_of(page, "closed courses")
    page.goto("/courses/admit/")
    faults += faults_of(page, "admit")
    page.get_by_role("textbox", name="Dosing weight").fill("8000")
    page.get_by_role("button", name="Admit").click()
    expect(page.get_by_text("8000 kg is not possible").first).to_be_visible()
    faults += faults_of(page, "admit refused")
    page.goto("/courses/nothing/")
    faults += faults_of(page, "not found")
    assert not faults, "\n".join(faults)


@pytest.fixture
def busy_bedside(
    page: Page, nurse: User, busy_course: Course, sign_in: Callable[[Page, User], None]
) -> BedsidePage:
    """The page of the busy course, opened by the nurse."""
    sign_in(page, nurse)
    page.goto(f"/courses/{busy_course.pk}/")
    return BedsidePage(page)


@pytest.mark.parametrize("tabs", TABS, ids=", ".join)
def test_each_tab_empty_and_refused(busy_bedside: BedsidePage, tabs: tuple[str, ...]) -> None:
    bedside, page = busy_bedside, busy_bedside.page
    faults: list[str] = []
    for tab in tabs:
        bedside.open_tab(tab)
        bedside.open_attribution()
        faults += faults_of(page, tab, "html" if tab == "Vitals" else "#entry-form")
        bedside.fill({"Time": "25:99"} | ({} if tab == "Death" else {"Note": "n"}))
        bedside.save()
        expect(page.get_by_role("alert").first).to_be_visible()
        faults += faults_of(page, f"{tab} refused", "#entry-form")
    assert not faults, "\n".join(faults)


def test_a_round_of_ice_in_its_steps_and_refused(
    busy_bedside: BedsidePage, nurse: User, busy_course: Course
) -> None:
    chart(busy_course, nurse, "ice", ago(hours=9), score="9", note="Handwriting: even")
    sign = {"sign": "posturing", "present": True, "attribution": "other"}
    chart(busy_course, nurse, "neuro_sign", ago(hours=9), **sign)
    bedside, page = busy_bedside, busy_bedside.page
    bedside.open_round()
    page.get_by_text("Could not be done…").click()
    page.locator("[name=ask_year][value=right]").click(force=True)
    faults = faults_of(page, "ICE")
    for step in ("2 · Awake", "3 · Weakness"):
        page.get_by_role("button", name=step).click()
        for summary in page.locator("[data-of-step]:not([hidden]) summary").all():
            summary.click()
        if step == "2 · Awake":
            page.locator("[name=seizure_type][value=focal]").click(force=True)
        faults += faults_of(page, step, "#entry-form")
    page.locator("[name=sign_posturing][value=yes]").click(force=True)
    page.locator("[name=signs_none]").click(force=True)
    page.get_by_role("button", name="Save round").click()
    expect(page.get_by_role("alert").first).to_be_visible()
    faults += faults_of(page, "ICE refused", "#entry-form", {768: 1024})
    page.goto(f"/courses/{busy_course.pk}/?kind=ice&tool=capd")
    faults += faults_of(page, "CAPD", "#entry-form")
    assert not faults, "\n".join(faults)


def test_a_saved_entry_and_its_menu(busy_bedside: BedsidePage) -> None:
    bedside = busy_bedside
    bedside.open_tab("Weight")
    bedside.fill({"Weight": "81", "Time": ""})
    bedside.save_and_see_it_saved()
    bedside.rows.locator("summary").first.click()
    # Scrolled, the patient's bar covers a part of whatever is below it.
    bedside.page.evaluate("scrollTo(0, 0)")
    faults = faults_of(bedside.page, "saved")
    assert not faults, "\n".join(faults)


def test_corrections_and_conflicts(
    nurse: User, busy_course: Course, busy_bedside: BedsidePage
) -> None:
    """Correcting, retracting, both refused, and a conflict with another who was first."""
    bedside, page = busy_bedside, busy_bedside.page
    faults: list[str] = []
    bedside.change("Norepinephrine 22 mcg/min", "Entered in error")
    faults += faults_of(page, "retract")
    page.get_by_role("button", name="Mark as entered in error").click()
    expect(page.get_by_role("alert")).to_be_visible()
    faults += faults_of(page, "retract refused")
    bedside.change("Norepinephrine 22 mcg/min", "Correct")
    faults += faults_of(page, "correct")
    bedside.save()
    expect(page.get_by_role("alert")).to_be_visible()
    faults += faults_of(page, "correct refused")

    entry = busy_course.entries.get(kind="vasopressor")
    retract_entry(entry, sending(nurse, answers={"reason": "Another patient"}))
    bedside.fill({"Reason for the correction": "Misread"})
    bedside.save()
    expect(page.get_by_text("marked this entry as an error")).to_be_visible()
    faults += faults_of(page, "conflict")
    assert not faults, "\n".join(faults)


def test_what_is_not_sent_and_the_list_of_keys(bedside: BedsidePage) -> None:
    """A course not assessed, the shortcuts, a failed send, drafts that wait, an expired sign-in."""
    page = bedside.page
    bedside.expect_not_assessed()
    faults = faults_of(page, "not assessed")
    bedside.open_shortcuts()
    faults += faults_of(page, "shortcuts")
    page.keyboard.press("Escape")

    bedside.fill({"Temperature": "38.4"})
    bedside.open_tab("Oxygen")
    bedside.fill({"Device": "Nasal cannula"})
    fault = partial(Route.fulfill, status=500, headers=OF_THE_SERVER)
    page.route("**/entries/oxygen/", fault, times=1)
    bedside.save()
    expect(page.get_by_role("alert")).to_contain_text("Not sent yet.")
    faults += faults_of(page, "not confirmed")
    signed_out = partial(Route.fulfill, status=401, headers=OF_THE_SERVER)
    page.route("**/entries/oxygen/", signed_out, times=1)
    bedside.save()
    expect(page.get_by_role("link", name="Sign in and come back")).to_be_visible()
    faults += faults_of(page, "signed out")
    page.reload()
    expect(page.get_by_role("button", name="Discard")).to_be_visible()
    faults += faults_of(page, "put back")
    assert not faults, "\n".join(faults)


def test_toxicities_and_symptoms(busy_bedside: BedsidePage) -> None:
    """A tap on "Asleep", a toxicity searched for and graded, a symptom ticked."""
    bedside, page = busy_bedside, busy_bedside.page
    faults: list[str] = []
    page.get_by_role("button", name="Asleep").click()
    bedside.expect_saved("not observed")
    faults += faults_of(page, "not observed")
    bedside.open_tab("Toxicity")
    page.locator("#toxicity-search").fill("liver")
    expect(page.get_by_role("option", name="Hepatic failure")).to_be_visible()
    faults += faults_of(page, "looking for a toxicity", "#entry-form")
    page.keyboard.press("Enter")
    page.get_by_role("radio", name="4 moderate").check()
    faults += faults_of(page, "grading a toxicity", "#entry-form")
    bedside.open_tab("Symptoms")
    page.get_by_role("radiogroup", name="Rash").get_by_role("radio", name="yes").check()
    faults += faults_of(page, "a symptom ticked", "#entry-form")
    assert not faults, "\n".join(faults)


def test_a_death_to_confirm_and_a_transfer_refused(
    busy_course: Course, busy_bedside: BedsidePage
) -> None:
    bedside, page = busy_bedside, busy_bedside.page
    faults: list[str] = []
    bedside.open_tab("Death")
    bedside.fill({"Death due to": "uncertain", "Reason": "Sepsis perhaps"})
    bedside.save()
    expect(page.get_by_role("region", name="Please confirm")).to_be_visible()
    faults += faults_of(page, "a death read back")
    page.goto(f"/courses/{busy_course.pk}/place/")
    page.get_by_role("button", name="End the course").click()
    expect(page.get_by_role("alert")).to_be_visible()
    faults += faults_of(page, "ward and bed")
    page.get_by_label("Reason", exact=True).fill("Discharged")
    page.get_by_role("button", name="End the course").click()
    expect(page.get_by_role("region", name="End the course?")).to_be_visible()
    faults += faults_of(page, "the end asked about")
    assert not faults, "\n".join(faults)


def test_an_identity_corrected(
    page: Page, nurse: User, busy_course: Course, sign_in: Callable[[Page, User], None]
) -> None:
    """The history, each fact, a refusal, what will change, and what was saved."""
    faults: list[str] = []
    sign_in(page, nurse)
    admit(nurse, mrn="IN 7", name="OKONKWO, Ada")
    address = f"/courses/{busy_course.pk}/identity/"
    for what in ("", "?what=birth", "?what=infusion", "?what=mrn"):
        page.goto(address + what)
        faults += faults_of(page, f"identity {what}")
    page.get_by_role("textbox", name="MRN").fill("IN 7")
    page.get_by_label("Why is it corrected?").fill("Passport")
    page.get_by_role("button", name="Show what will change").click()
    expect(page.get_by_role("link", name="Join two records")).to_be_visible()
    faults += faults_of(page, "MRN in use")
    page.goto(f"{address}?what=birth")
    for label, typed in (("Day", "5"), ("Year", "2017")):
        page.get_by_role("textbox", name=label).fill(typed)
    page.get_by_role("combobox", name="Month").select_option(label="May")
    page.get_by_label("Why is it corrected?").fill("Passport")
    page.get_by_role("button", name="Show what will change").click()
    expect(page.get_by_text("Not saved yet.")).to_be_visible()
    faults += faults_of(page, "what will change")
    page.get_by_label("I compared name").check()
    faults += faults_of(page, "compared", "main")
    page.get_by_role("button", name="Correct and recalculate").click()
    expect(page.get_by_text("Corrected")).to_be_visible()
    faults += faults_of(page, "corrected")
    assert not faults, "\n".join(faults)


def test_records_joined_and_an_entry_moved(
    page: Page,
    nurse: User,
    administrator: User,
    busy_course: Course,
    sign_in: Callable[[Page, User], None],
) -> None:
    """Search, both side by side, what a join changes, undoing it, and both pages of a move."""
    faults: list[str] = []
    other = admit(nurse, mrn="IN 7", name="OKONKWO, A.", product="another")
    sign_in(page, administrator)
    join = f"/courses/{busy_course.pk}/join/"
    page.goto(f"{join}?q=okonkwo")
    faults += faults_of(page, "search for a record")
    page.get_by_role("link", name="OKONKWO, A.").click()
    faults += faults_of(page, "two records")
    page.get_by_label("Why?").fill("One person")
    page.get_by_role("button", name="Show what will change").click()
    page.get_by_label("I compared name").check()
    faults += faults_of(page, "what a join changes")
    page.get_by_role("button", name="Join the records").click()
    page.goto(join)
    faults += faults_of(page, "joined records")
    page.get_by_role("link", name="Undo this join…").click()
    faults += faults_of(page, "undo a join")

    sign_in(page, nurse)
    entry = busy_course.entries.get(kind="vasopressor")
    move = f"/courses/{busy_course.pk}/entries/{entry.pk}/move/"
    page.goto(f"{move}?q=okonkwo")
    faults += faults_of(page, "search for a patient")
    page.goto(f"{move}?to={other.pk}")
    faults += faults_of(page, "both patients")
    page.goto(f"{move}?to={busy_course.pk}")
    faults += faults_of(page, "cannot be moved")
    assert not faults, "\n".join(faults)


@pytest.fixture
def severe_bedside(bedside: BedsidePage, course: Course, nurse: User) -> BedsidePage:
    """The page of a course that reached grade 3, by oxygen, five minutes ago."""
    at = timezone.now() - timedelta(minutes=5)
    chart(course, nurse, "oxygen", at, device="venturi_mask", fio2_percent="50")
    bedside.page.reload()
    return bedside


def test_guidance_and_a_dose_to_chart(severe_bedside: BedsidePage) -> None:
    """The panel, an item open, and the form of the dose that was given."""
    bedside, page = severe_bedside, severe_bedside.page
    dose = bedside.guidance_item("Tocilizumab 4 mg/kg")
    faults = faults_of(page, "guidance")
    dose.locator("summary").first.click()
    dose.get_by_text("Not now", exact=True).click()
    faults += faults_of(page, "an item open", "#guidance")
    dose.get_by_role("link", name="Other dose given…").click()
    expect(bedside.field("Dose")).to_be_visible()
    faults += faults_of(page, "the dose that was given")
    assert not faults, "\n".join(faults)


def test_guidance_not_appropriate_and_sources(severe_bedside: BedsidePage, course: Course) -> None:
    bedside, page = severe_bedside, severe_bedside.page
    item = bedside.guidance_item("Monitor very closely")
    item.get_by_role("link", name="Not suitable…").click()
    expect(page.get_by_label("Goals of care")).to_be_visible()
    faults = faults_of(page, "the reason why not")
    page.get_by_label("Goals of care").check()
    bedside.save()
    expect(bedside.rows.filter(has_text="Goals of care")).to_be_visible()
    bedside.unfold_guidance()
    expect(item).to_be_visible()
    expect(item).to_contain_text("Goals of care")
    faults += faults_of(page, "answered")
    page.goto(f"/sources/?course={course.pk}")
    faults += faults_of(page, "sources")
    assert not faults, "\n".join(faults)


def test_an_opened_timeline_a_lost_connection_and_a_closed_course(
    busy_bedside: BedsidePage, course: Course, nurse: User
) -> None:
    page = busy_bedside.page
    at = timezone.now() - timedelta(minutes=9)
    results = (("crp", "142", "mg/L"), ("ferritin", "900", "ug/L"))
    record(
        course,
        nurse,
        [NewEntry("lab", at, {"analyte": a, "value": v, "unit": u}) for a, v, u in results],
    )
    chart(course, nurse, "note", at, note="word" * 80)
    page.reload()
    for name in ("evidence", "lab-results"):
        page.locator(f"details.{name} summary").first.click()
    faults = faults_of(page, "timeline, rows opened")
    page.context.set_offline(True)
    page.get_by_role("link", name="Oxygen", exact=True).click()
    expect(page.get_by_text("Needs the connection. Your entries are safe.")).to_be_visible()
    faults += faults_of(page, "no connection")
    page.context.set_offline(False)
    end(course, nurse)
    page.reload()
    expect(page.get_by_role("region", name="Grade at end")).to_be_visible()
    faults += faults_of(page, "course closed")
    assert faults == []


def test_roles_wards_and_a_patient_of_another_ward(
    page: Page,
    nurse: User,
    administrator: User,
    busy_course: Course,
    sign_in: Callable[[Page, User], None],
) -> None:
    faults: list[str] = []
    sign_in(page, administrator)
    ward = f"/wards/{busy_course.on_ward_id}/"
    for address in ("/roles/", "/wards/", ward, "/find/?q=okonkwo"):
        page.goto(address)
        faults += faults_of(page, address)
    set_wards(nurse, [])
    sign_in(page, nurse)
    page.goto(f"/courses/{busy_course.pk}/")
    page.get_by_role("button", name="Open for 4 hours").click()
    faults += faults_of(page, "the question without an answer")
    page.get_by_label("Another reason").check()
    page.get_by_label("In your words").fill("cardiac arrest call")
    page.get_by_role("button", name="Open for 4 hours").click()
    page.get_by_text("Emergency access until").wait_for()
    faults += faults_of(page, "the notice", within=".notices")
    sign_in(page, administrator)
    page.goto("/emergency-access/")
    faults += faults_of(page, "who used emergency access")
    assert faults == []


def test_the_record_and_the_locked_display(
    page: Page,
    nurse: User,
    auditor: User,
    busy_course: Course,
    sign_in: Callable[[Page, User], None],
) -> None:
    """All events, found, a filter that is refused, one person, one patient; a locked tablet."""
    faults: list[str] = []
    sign_in(page, nurse)
    page.goto(f"/courses/{busy_course.pk}/locked/")
    faults += faults_of(page, "locked")
    sign_in(page, auditor)
    course = f"/record/courses/{busy_course.pk}/"
    for address in (
        "/record/?q=o",
        "/record/?since=2026-02-01T00:00&until=2026-01-01T00:00",
        f"/record/people/{nurse.pk}/",
        course,
        f"{course}?what=emergency",
    ):
        page.goto(address)
        faults += faults_of(page, address)
    assert not faults, "\n".join(faults)
