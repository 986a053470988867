"""Oxygen and infusions charted as unchanged with a set of vital signs."""

import uuid
from datetime import timedelta

from django.test import Client
from django.utils import timezone

from crs_app.accounts.models import User
from patients.bedside.page import read_bedside_data
from patients.forms.proposals import Proposals
from patients.forms.registry import ENTRY_FORMS
from patients.forms.unchanged import EmptyTicks
from patients.models import Course, Entry
from patients.recording.inputs import NewEntry
from tests.entry_forms import HTMX, rows_of, url, vitals
from tests.factories import ago, chart, record


def test_a_tick_does_not_reach_back_before_what_it_repeats(course: Course, clinician: User) -> None:
    chart(course, clinician, "oxygen", timezone.now(), device="room_air")
    (thing,) = read_bedside_data(course, timezone.now()).unchanged
    earlier = timezone.localtime(timezone.now() - timedelta(minutes=30))
    sent = {
        "form_id": str(uuid.uuid4()),
        "attribution": "crs",
        "temperature_unit": "c",
        "observed_date": f"{earlier:%Y-%m-%d}",
        "observed_time": f"{earlier:%H:%M}",
        thing.field_name: thing.version,
    }
    form = ENTRY_FORMS["vitals"](
        sent, course=course, now=timezone.now(), proposed=Proposals(unchanged=[thing])
    )
    assert not form.is_valid()
    assert "charted later than this time" in form.errors[thing.field_name][0]


def test_the_ticks_of_an_answer_are_written_as_the_form_writes_them(
    course: Course, clinician: User
) -> None:
    chart(course, clinician, "oxygen", timezone.now(), device="room_air")
    chart(course, clinician, "weight", timezone.now(), weight_kg="70")
    drug = {"drug": "norepinephrine", "rate": "0.1", "unit": "ug/kg/min"}
    chart(course, clinician, "vasopressor", timezone.now(), **drug)
    shown = read_bedside_data(course, timezone.now()).unchanged
    form = ENTRY_FORMS["vitals"](
        course=course, now=timezone.now(), proposed=Proposals(unchanged=shown)
    )
    assert len(shown) == 2
    for (item, ours), (of_form, djangos) in zip(
        EmptyTicks(shown).unchanged_ticks, form.unchanged_ticks, strict=True
    ):
        assert (item, ours.auto_id) == (of_form, djangos.auto_id)
        assert ours.__html__() == str(djangos)


def test_a_round_charts_what_is_unchanged_too(
    nurse_client: Client, course: Course, clinician: User
) -> None:
    at = timezone.now() - timedelta(hours=1)
    chart(course, clinician, "oxygen", at, device="nasal_cannula", flow_l_per_min="2")
    chart(course, clinician, "vasopressor", at, drug="norepinephrine", rate="0.1", unit="ug/kg/min")
    chart(course, clinician, "weight", at + timedelta(minutes=30), weight_kg="70")
    address = url("entries", course, "vitals")
    opened = nurse_client.get(address, **HTMX).context["form"]
    ticks = {
        name: opened.fields[name].widget.attrs["value"]
        for name in ("oxygen_unchanged", "unchanged_norepinephrine")
    }
    assert (
        "0.1 mcg/kg/min × 80 kg = 8 mcg/min" in opened.fields["unchanged_norepinephrine"].help_text
    )
    answer = nurse_client.post(address, vitals(heart_rate="90", **ticks), **HTMX)
    assert answer.status_code == 200
    kept = Entry.objects.filter(kind="vasopressor").latest("at")
    # A pump that nobody touched gives what it gave, whatever the patient weighs today.
    assert kept.body == {
        "drug": "norepinephrine", "rate": "0.1", "unit": "ug/kg/min", "weight_kg": "80",
    }  # fmt: skip
    assert len(rows_of(answer.context["saved"])) == 3
    again = nurse_client.post(address, vitals(**ticks), **HTMX)
    assert again.status_code == 200
    assert Entry.objects.filter(kind="oxygen").count() == 3
    chart(course, clinician, "oxygen", timezone.now(), device="room_air")
    changed = nurse_client.post(address, vitals(heart_rate="90", **ticks), **HTMX)
    assert changed.status_code == 422
    assert "has changed" in str(changed.context["form"].errors["oxygen_unchanged"])
    wrong = nurse_client.post(address, vitals(heart_rate="9"), **HTMX)
    assert "oxygen_unchanged" in wrong.context["form"].fields
    chart(course, clinician, "vasopressor", timezone.now(), drug="norepinephrine", rate="0")
    ticked = {"unchanged_norepinephrine": ticks["unchanged_norepinephrine"]}
    stopped = nurse_client.post(address, vitals(heart_rate="90", **ticked), **HTMX)
    assert stopped.status_code == 422
    assert "stopped by someone else" in str(stopped.context["form"].non_field_errors())


def test_a_rate_beyond_its_limit_is_not_charted_again(
    nurse_client: Client, course: Course, nurse: User
) -> None:
    """As a file of an earlier version could bring it."""
    rate = {"drug": "norepinephrine", "rate": "12", "unit": "ug/kg/min"}
    entry = NewEntry("vasopressor", ago(1), rate)
    record(course, nurse, [entry], recorded_at=timezone.now())
    (item,) = read_bedside_data(course, timezone.now()).unchanged
    sent = vitals(heart_rate="90", **{item.field_name: item.version})
    refused = nurse_client.post(url("entries", course, "vitals"), sent, **HTMX)
    assert refused.status_code == 422
    assert "Norepinephrine cannot be charted again: at 80 kg this is above 300 mcg/min" in str(
        refused.context["form"].errors[item.field_name]
    )
    action = {"action": f"unchanged:{item.field_name}", "seen_version": item.version}
    address = url("guidance_action", course)
    tapped = nurse_client.post(address, {"form_id": str(uuid.uuid4()), **action}, **HTMX)
    assert tapped.status_code == 409
