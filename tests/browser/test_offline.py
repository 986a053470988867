"""Without a connection: said at once, on the page and under what was tapped; nothing is lost."""

import re
import time

from django.utils import timezone
from playwright.sync_api import Route, expect

from crs_app.accounts.models import User
from patients.models import Course, Entry, EntryKind
from patients.queries.timeline import PAGE_OF_ROWS
from patients.recording.inputs import NewEntry
from tests.browser.bedside_page import BedsidePage
from tests.factories import ago, chart, record

NEEDED = "Needs the connection. Your entries are safe."


def chart_rates(course: Course, nurse: User) -> None:
    """Charts five heart rates more than a page of the timeline shows, from 60 up."""
    rates = range(60, 60 + PAGE_OF_ROWS + 5)
    entries = [
        NewEntry(EntryKind.VITALS, ago(260 - rate), {"heart_rate": str(rate)}) for rate in rates
    ]
    record(course, nurse, entries)


def test_every_tap_that_needs_the_connection_says_so(
    bedside: BedsidePage, course: Course, nurse: User
) -> None:
    chart_rates(course, nurse)
    page = bedside.page
    page.reload()
    bedside.fill({"Temperature": "39.2"})
    page.context.set_offline(True)
    expect(page.get_by_text(re.compile(r"No connection since \d\d:\d\d\."))).to_be_visible()

    page.get_by_role("link", name="Oxygen", exact=True).click()
    expect(page.locator(".tabs + [data-needs-connection]")).to_have_text(NEEDED)
    expect(bedside.field("Temperature")).to_have_value("39.2")
    page.get_by_label("Show").select_option(label="Oxygen")
    expect(page.locator(".timeline-head [data-needs-connection]")).to_have_text(NEEDED)
    expect(page.get_by_label("Show")).to_have_value("")
    page.get_by_role("link", name="Older").click()
    expect(page.locator("#older [data-needs-connection]")).to_have_text(NEEDED)
    page.get_by_role("button", name="Refused").click()
    expect(page.locator("[data-quick-message]")).to_contain_text("Kept on this tablet. Refused.")
    bedside.save()
    kept = page.get_by_role("alert").filter(has_text="Kept on this tablet. Temperature 39.2 °C")
    expect(kept).to_be_visible()

    page.context.set_offline(False)
    expect(page.get_by_text("No connection since")).to_be_hidden()
    expect(page.locator("#entry-message")).to_contain_text("Saved Sent from this tablet")
    expect(page.locator("[data-needs-connection]")).to_have_count(0)
    assert Entry.objects.filter(body__has_key="temperature_c").count() == 1
    assert Entry.objects.filter(kind=EntryKind.NOT_OBSERVED).count() == 1


def test_a_slow_save_says_that_it_saves_in_the_width_of_its_button(bedside: BedsidePage) -> None:
    page = bedside.page

    def slowly(route: Route) -> None:
        time.sleep(2.5)
        route.continue_()

    page.route("**/entries/vitals/", slowly)
    button = page.locator("#save")
    width = button.evaluate("button => button.offsetWidth")
    page.evaluate(
        """() => { window.said = []; new MutationObserver(() =>
        window.said.push(document.getElementById("save").textContent))
        .observe(document.getElementById("save"), { childList: true }); }"""
    )
    bedside.fill({"Heart rate": "88"})
    bedside.save()
    bedside.expect_saved("HR 88")
    assert page.evaluate("window.said")[:2] == ["Saving…", "Still saving…"]
    expect(button).to_have_text("Save")
    assert button.evaluate("button => button.offsetWidth") == width


def test_a_refused_form_without_a_value_is_not_kept(bedside: BedsidePage) -> None:
    bedside.open_tab("Symptoms")
    bedside.save()
    expect(bedside.page.get_by_role("alert").first).to_be_visible()
    bedside.open_tab("Vitals")
    expect(bedside.page.get_by_text("Not sent yet")).to_have_count(0)


def test_filter_day_and_tab_are_in_the_address_and_back_works(
    bedside: BedsidePage, course: Course, nurse: User
) -> None:
    chart(course, nurse, "oxygen", ago(hours=30), device="room_air")
    chart(course, nurse, "vitals", ago(10), heart_rate="99")
    page = bedside.page
    page.reload()
    page.get_by_label("Show").select_option(label="Oxygen")
    expect(bedside.rows).to_have_count(1)
    expect(page).to_have_url(re.compile("show=oxygen"))
    bedside.open_tab("Fluid")
    expect(page).to_have_url(re.compile("kind=fluid_bolus.*show=oxygen"))
    page.reload()
    expect(bedside.rows).to_have_count(1)
    expect(bedside.field("Volume")).to_be_visible()
    page.go_back()
    expect(bedside.field("Temperature")).to_be_visible()
    expect(bedside.rows).to_have_count(1)
    page.go_back()
    expect(bedside.rows.filter(has_text="HR 99")).to_have_count(1)
    day = timezone.localdate(ago(hours=30)).isoformat()
    page.get_by_label("up to").fill(day)
    expect(page).to_have_url(re.compile(f"day={day}"))
    expect(bedside.rows.filter(has_text="HR 99")).to_have_count(0)
    expect(bedside.rows.filter(has_text="Room air")).to_have_count(1)


def test_older_moves_the_focus_to_the_first_new_row_and_a_reload_keeps_it(
    bedside: BedsidePage, course: Course, nurse: User
) -> None:
    chart_rates(course, nurse)
    page = bedside.page
    page.reload()
    page.get_by_role("link", name="Older").click()
    first_older = bedside.rows.filter(has_text="HR 64")
    expect(first_older).to_be_focused()
    count = bedside.rows.count()
    page.reload()
    expect(bedside.rows).to_have_count(count)
