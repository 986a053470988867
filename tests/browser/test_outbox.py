"""An hour without network: what is saved is kept, shown as not graded, and sent once."""

from __future__ import annotations

import re
from collections.abc import Callable

from django.test import Client
from playwright.sync_api import BrowserContext, Page, Route, expect

from chaos.restored import Snapshot
from crs_app.accounts.models import Role, User
from crs_app.accounts.wards import set_wards
from patients.models import ChartingAct, Course, Entry, EntryKind
from tests.browser.bedside_page import BedsidePage
from tests.entry_forms import HTMX, url
from tests.entry_forms import vitals as vitals_form
from tests.factories import ago, chart
from tests.owner import rights_of_owner

KEPT = "Not graded. Kept on this tablet."
ALL_STORED = """async () => {
    const open = indexedDB.open("crs-outbox");
    const database = await new Promise((done) => { open.onsuccess = () => done(open.result); });
    const all = database.transaction("entries").objectStore("entries").getAll();
    await new Promise((done) => { all.onsuccess = done; });
    return JSON.stringify([all.result, Object.entries(localStorage)]);
}"""

SEND_NOW = "dispatchEvent(new Event('online'))"


def fetch_forms_at_once(route: Route) -> None:
    page = route.fetch()
    at_once = page.text().replace('data-kept-forms-after="10000"', 'data-kept-forms-after="0"')
    route.fulfill(response=page, body=at_once)


def vitals(course: Course) -> list[dict[str, str]]:
    found = Entry.objects.filter(course=course, kind=EntryKind.VITALS).order_by("recorded_at")
    return [entry.body for entry in found]


def save_without_network(bedside: BedsidePage, typed: dict[str, str]) -> None:
    bedside.fill(typed)
    bedside.save()
    expect(bedside.page.get_by_role("alert").filter(has_text=KEPT)).to_be_visible()


def expect_strip(page: Page, words: str) -> None:
    expect(page.get_by_role("region", name="Entries not sent")).to_contain_text(words)


def expect_no_strip(page: Page) -> None:
    expect(page.locator("#outbox")).to_be_hidden()


def test_an_open_page_charts_on_and_each_entry_arrives_once_in_order(
    bedside: BedsidePage, course: Course
) -> None:
    page = bedside.page
    page.context.set_offline(True)
    save_without_network(bedside, {"Temperature": "39.2", "Heart rate": "118"})
    expect(bedside.field("Temperature")).to_have_value("")
    expect_strip(page, "Not graded: 1 entry unsent")
    expect_strip(page, "Sent by itself when the network is back.")
    expect(bedside.card).to_contain_text("Not graded: 1 entry unsent. This grade is without it.")
    bedside.expect_not_assessed()
    save_without_network(bedside, {"Systolic": "84"})
    expect_strip(page, "Not graded: 2 entries unsent")
    page.locator("#outbox summary").click()
    lines = page.locator("#outbox li")
    expect(lines).to_have_count(2)
    expect(lines.first).to_contain_text("Temperature 39.2 °C · Heart rate 118 /min")
    expect(lines.first).to_contain_text(course.patient.name)
    assert not vitals(course)

    page.context.set_offline(False)
    expect_no_strip(page)
    bedside.expect_grade(2)
    expect(page.locator("[data-not-graded]")).to_have_count(0)
    expect(bedside.rows.filter(has_text="Temp 39.2 °C")).to_have_count(1)
    assert vitals(course) == [
        {"heart_rate": "118", "temperature_c": "39.2"},
        {"systolic_mmhg": "84"},
    ]


def test_a_tablet_whose_storage_is_full_keeps_the_form_and_says_so(
    bedside: BedsidePage, course: Course
) -> None:
    page = bedside.page
    set_item = "Storage.prototype.setItem"
    page.evaluate(
        f"() => {{ window.set = {set_item}; {set_item} = () => {{ throw new Error(); }} }}"
    )
    page.context.set_offline(True)
    bedside.fill({"Temperature": "39.2"})
    bedside.save()
    expect(page.get_by_role("alert").filter(has_text="Not sent yet.")).to_be_visible()
    expect(page.get_by_label("Temperature").first).to_have_value("39.2")
    expect_no_strip(page)
    page.evaluate(f"() => {{ {set_item} = window.set }}")
    bedside.save()
    expect(page.get_by_role("alert").filter(has_text=KEPT)).to_be_visible()
    expect_strip(page, "1 entry unsent")
    page.context.set_offline(False)
    page.evaluate(SEND_NOW)
    expect_no_strip(page)
    assert [body["temperature_c"] for body in vitals(course)] == ["39.2"]


MOVE_CLOCK = """(minutes) => {
    const before = Date.now.bind(Date);
    Date.now = () => before() + minutes * 60000;
}"""


POLL = """() => new Promise((done) => {
    addEventListener("htmx:afterRequest", ({ detail: { elt } }) => {
        if (elt.id === "live") done();
    });
    document.body.dispatchEvent(new Event("crs:clock"));
})"""


def test_a_clock_that_is_set_while_the_page_is_open_moves_no_entry(
    bedside: BedsidePage, course: Course
) -> None:
    """Back while there is no network, forward before it: the times are those of the server."""
    page = bedside.page
    page.context.set_offline(True)
    page.evaluate(MOVE_CLOCK, -60)
    save_without_network(bedside, {"Temperature": "39.2"})
    page.context.set_offline(False)
    expect_no_strip(page)
    page.evaluate(MOVE_CLOCK, 8)
    page.evaluate(POLL)
    page.context.set_offline(True)
    save_without_network(bedside, {"Heart rate": "118"})
    page.context.set_offline(False)
    expect_no_strip(page)
    entries = Entry.objects.filter(course=course, kind=EntryKind.VITALS)
    assert [ago(3) < entry.at for entry in entries] == [True, True]


def test_a_browser_that_refuses_its_storage_charts_on(bedside: BedsidePage, course: Course) -> None:
    """As where its user has blocked what sites keep, or the page is framed by another site."""
    page = bedside.page
    page.add_init_script("""
        const refuse = () => { throw new DOMException("refused", "SecurityError"); };
        for (const name of ["localStorage", "sessionStorage", "indexedDB"]) {
            Object.defineProperty(window, name, { get: refuse });
        }
    """)
    page.reload()
    expect(page.get_by_text("This browser refuses to keep anything")).to_be_visible()
    bedside.fill({"Temperature": "38.4"})
    bedside.save_and_see_it_saved()
    page.context.set_offline(True)
    bedside.fill({"Temperature": "39.2"})
    bedside.save()
    expect(page.get_by_role("alert").filter(has_text="Not sent yet.")).to_be_visible()
    expect(bedside.field("Temperature")).to_have_value("39.2")
    page.context.set_offline(False)
    page.get_by_role("button", name="Send now").click()
    bedside.expect_saved("Temp 39.2 °C")
    assert [body["temperature_c"] for body in vitals(course)] == ["38.4", "39.2"]


def test_a_stored_entry_is_not_called_refused_where_its_author_may_chart_no_more(
    bedside: BedsidePage, course: Course, nurse: User
) -> None:
    """The answer to the first was lost and the second never came, then the nurse left the ward."""
    page = bedside.page

    def lose_the_answer(route: Route) -> None:
        route.fetch()
        page.context.set_offline(True)
        route.abort("connectionreset")

    page.route("**/entries/vitals/", lose_the_answer, times=1)
    save_without_network(bedside, {"Temperature": "38.4"})
    save_without_network(bedside, {"Temperature": "39.4"})
    set_wards(nurse, [])
    page.context.set_offline(False)
    expect_strip(page, "Not graded: 1 entry refused")
    expect_strip(page, "Temperature 39.4 °C")
    expect_strip(page, "You may not chart for this patient at present")
    assert vitals(course) == [{"temperature_c": "38.4"}]


def leave_without_network(bedside: BedsidePage, context: BrowserContext) -> Page:
    """The tab is closed before the network is back; returns a new one."""
    bedside.page.close()
    context.set_offline(False)
    return context.new_page()


def test_a_form_that_was_stored_before_the_tablet_died_can_record_other_values(
    bedside: BedsidePage, course: Course, nurse_client: Client
) -> None:
    """Its draft comes back with the id under which it was stored: that id is not used again."""
    page = bedside.page
    bedside.fill({"Heart rate": "81"})
    form_id = page.locator("form[data-entry] #id_form_id").input_value()
    stored = vitals_form(heart_rate="81") | {"form_id": form_id}
    assert nurse_client.post(url("entries", course, "vitals"), stored, **HTMX).status_code == 200
    bedside.fill({"Heart rate": "82"})
    bedside.save()
    refusal = page.locator("#entry-message")
    expect(refusal).to_contain_text("You already saved this form with other contents.")
    expect(refusal).to_contain_text(re.compile(r"Saved before: \d\d:\d\d HR 81"))
    expect(refusal).to_contain_text("Yours, not saved: HR 82")
    assert [found["heart_rate"] for found in vitals(course)] == ["81"]
    page.reload()
    expect(bedside.field("Heart rate")).to_have_value("82")
    bedside.save_and_see_it_saved()
    assert [found["heart_rate"] for found in vitals(course)] == ["81", "82"]


def test_another_user_sees_no_more_than_the_count_and_sends_nothing(
    bedside: BedsidePage, course: Course, context: BrowserContext, nurse: User,
    make_user: Callable[..., User], sign_in: Callable[[Page, User], None],
) -> None:  # fmt: skip
    colleague = make_user("colleague", Role.WARD_CLINICIAN, first_name="Ana", last_name="Silva")
    context.set_offline(True)
    save_without_network(bedside, {"Temperature": "39.2"})
    page = leave_without_network(bedside, context)
    sign_in(page, colleague)
    page.goto(f"/courses/{course.pk}/")
    expect_strip(page, "J. Ruiz: 1 entry unsent")
    expect(page.locator("#outbox details")).to_have_count(0)
    stored = page.evaluate(ALL_STORED)
    assert "J. Ruiz" in stored
    assert not re.search(r"39\.2|temperature|OKONKWO|/entries/", stored)
    assert not vitals(course)
    page.close()

    page = context.new_page()
    sign_in(page, nurse)
    with page.expect_response("**/entries/vitals/"):
        page.goto("/")
    expect_no_strip(page)
    assert vitals(course) == [{"temperature_c": "39.2"}]
    assert ChartingAct.objects.latest("recorded_at").recorded_by == nurse


def test_entries_of_a_deactivated_user_are_kept_and_not_sent(
    bedside: BedsidePage, course: Course, context: BrowserContext, nurse: User,
    sign_in: Callable[[Page, User], None],
) -> None:  # fmt: skip
    context.set_offline(True)
    save_without_network(bedside, {"Temperature": "39.2"})
    User.objects.filter(pk=nurse.pk).update(is_active=False)
    with bedside.page.expect_response("**/entries/vitals/") as answer:
        context.set_offline(False)
    assert answer.value.status == 401
    expect_strip(bedside.page, "Not graded: 1 entry unsent")
    bedside.page.goto("/")
    expect_strip(bedside.page, "J. Ruiz: 1 entry unsent")
    assert not vitals(course)

    User.objects.filter(pk=nurse.pk).update(is_active=True)
    with bedside.page.expect_response("**/entries/vitals/"):
        bedside.page.goto("/")
    expect_no_strip(bedside.page)
    assert vitals(course) == [{"temperature_c": "39.2"}]


def test_a_refused_entry_keeps_its_text_says_why_and_is_mended_or_discarded(
    bedside: BedsidePage, course: Course
) -> None:
    page = bedside.page
    page.context.set_offline(True)
    bedside.fill({"Temperature": "98.6"})
    bedside.save()
    expect(page.get_by_role("alert")).to_contain_text("A marked value is not possible.")
    bedside.field("Temperature").fill("")
    save_without_network(bedside, {"Systolic": "80", "Diastolic": "120"})
    save_without_network(bedside, {"Systolic": "70", "Diastolic": "110"})
    page.context.set_offline(False)
    expect_strip(page, "Not graded: 2 entries refused")
    first = page.locator("#outbox li").first
    expect(first).to_contain_text("Systolic 80 mmHg · Diastolic 120 mmHg")
    expect(first.locator(".wrong").first).to_contain_text(re.compile(r"iastolic.* Request \w+\."))
    assert not vitals(course)

    first.get_by_role("button", name="Open in the form").click()
    expect(bedside.field("Systolic")).to_have_value("80")
    bedside.fill({"Diastolic": "60"})
    bedside.save_and_see_it_saved()
    expect_strip(page, "Not graded: 1 entry refused")
    assert vitals(course) == [{"diastolic_mmhg": "60", "systolic_mmhg": "80"}]

    page.get_by_role("button", name="Discard").click()
    page.get_by_role("button", name="Keep it").click()
    page.get_by_role("button", name="Discard").click()
    page.get_by_role("button", name="Discard it for good").click()
    expect_no_strip(page)
    page.reload()
    expect_no_strip(page)
    assert len(vitals(course)) == 1


def test_a_correction_and_a_retraction_wait_as_new_entries_do(
    bedside: BedsidePage, course: Course, nurse: User
) -> None:
    page = bedside.page
    chart(course, nurse, "vitals", temperature_c="39.4")
    page.reload()
    bedside.change("Temp 39.4 °C", "Correct")
    page.context.set_offline(True)
    save_without_network(bedside, {"Temperature": "38.4", "Reason for the correction": "Misread"})
    expect_strip(page, "Not graded: 1 entry unsent")
    page.context.set_offline(False)
    expect_no_strip(page)
    bedside.change("Temp 38.4 °C", "Entered in error")
    bedside.field("Why was it entered in error?").fill("Another patient")
    page.context.set_offline(True)
    page.locator("#save").click()
    expect_strip(page, "Not graded: 1 entry unsent")
    page.context.set_offline(False)
    expect_no_strip(page)
    kinds = (
        Entry.objects.filter(course=course).order_by("recorded_at").values_list("kind", flat=True)
    )
    assert list(kinds)[-3:] == ["vitals", "vitals", "retraction"]


def test_a_server_restored_to_yesterday_gets_the_last_day_again(
    bedside: BedsidePage, course: Course
) -> None:
    """A correction and a retraction of what the backup does not have find it again."""
    page = bedside.page
    with rights_of_owner():
        yesterday = Snapshot.of(course.pk)
    for typed, saved in (({"Temperature": "39.2"}, "Temp 39.2"), ({"Systolic": "84"}, "SBP 84")):
        bedside.fill(typed)
        bedside.save()
        bedside.expect_saved(saved)
    bedside.change("Temp 39.2 °C", "Correct")
    bedside.fill({"Temperature": "38.2", "Reason for the correction": "Misread"})
    bedside.save_and_see_it_saved()
    bedside.change("SBP 84", "Entered in error")
    bedside.field("Why was it entered in error?").fill("Another patient")
    page.context.set_offline(True)
    page.locator("#save").click()
    expect_strip(page, "Not graded: 1 entry unsent")
    recorded = set(Entry.objects.filter(course=course).values_list("pk", "kind"))
    with rights_of_owner():
        yesterday.restore()
    assert not vitals(course)
    page.context.set_offline(False)
    expect_no_strip(page)
    expect(bedside.rows.filter(has_text="Temp 38.2 °C")).to_have_count(1)
    bedside.expect_grade(1)
    again = Entry.objects.filter(course=course).select_related("replaces")
    assert recorded < {(entry.pk, entry.kind) for entry in again}
    # The two changes come after what they change, and in either order.
    changed = {
        entry.kind: entry.replaces.body.keys() & {"temperature_c", "systolic_mmhg"}
        for entry in again
        if entry.replaces
    }
    assert changed == {"vitals": {"temperature_c"}, "retraction": {"systolic_mmhg"}}


def test_a_correction_waits_for_an_entry_that_another_tablet_sends_again(
    bedside: BedsidePage, course: Course, nurse: User
) -> None:
    page = bedside.page
    with rights_of_owner():
        yesterday = Snapshot.of(course.pk)
    chart(course, nurse, "vitals", temperature_c="39.4")
    with rights_of_owner():
        today = Snapshot.of(course.pk)
    page.reload()
    bedside.change("Temp 39.4 °C", "Correct")
    page.context.set_offline(True)
    with rights_of_owner():
        yesterday.restore()
    save_without_network(bedside, {"Temperature": "38.4", "Reason for the correction": "Misread"})
    page.context.set_offline(False)
    page.locator("#outbox summary").click()
    expect_strip(page, "The entry that this changes is not on the server: it was restored")
    expect_strip(page, "Not graded: 1 entry unsent")
    with rights_of_owner():
        today.restore()
    page.evaluate(SEND_NOW)
    expect_no_strip(page)
    assert vitals(course) == [{"temperature_c": "39.4"}, {"temperature_c": "38.4"}]


def test_an_open_page_charts_every_kind_and_one_tap_answers_without_network(
    bedside: BedsidePage, course: Course, nurse: User
) -> None:
    """Forms that were not opened before the cut, and taps, which chart at their own time."""
    page = bedside.page
    rate = {"drug": "norepinephrine", "rate": "5", "unit": "ug/min"}
    chart(course, nurse, "vasopressor", ago(hours=3), **rate)
    page.route(f"**/courses/{course.pk}/", fetch_forms_at_once)
    with page.expect_request_finished(lambda one: one.url.endswith("/forms/"), timeout=20_000):
        page.reload()
    page.context.set_offline(True)
    bedside.open_tab("Oxygen")
    save_without_network(bedside, {"Device": "Nasal cannula", "Flow": "2"})
    bedside.open_tab("Weight")
    save_without_network(bedside, {"Weight": "81"})
    save_without_network(bedside, {"Weight": "82"})
    bedside.open_tab("Toxicity")
    bedside.open_round()
    page.locator(".round-back").click()
    bedside.expect_form_of_vital_signs()
    page.get_by_role("button", name="Asleep").click()
    quick = page.locator("[data-quick-message]")
    expect(quick).to_contain_text("Not graded. Kept on this tablet. Asleep.")
    bedside.guidance_item("still running?").get_by_role("button", name="Stopped").click()
    expect(bedside.guidance.get_by_role("alert")).to_contain_text("Kept on this tablet. Stopped.")
    expect_strip(page, "Not graded: 5 entries unsent")
    page.context.set_offline(False)
    expect_no_strip(page)
    expect(quick).to_contain_text("Saved Sent from this tablet: Asleep")
    entries = Entry.objects.filter(course=course).order_by("recorded_at")
    assert [(entry.kind, entry.body.get("weight_kg")) for entry in entries][-5:] == [
        ("oxygen", None), ("weight", "81"), ("weight", "82"), ("not_observed", None),
        ("vasopressor", None),
    ]  # fmt: skip
