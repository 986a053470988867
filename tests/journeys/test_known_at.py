"""What the pages said at twenty moments, they say again when they are asked for them later.

A course of a day and a half over the end of summer time: late entries, corrections, a retraction,
something not known, a rise by the clock, a corrected identity and infusion, a move to another ward,
a changed policy, answers to advice, sign-offs, a closing and a reopening. Everything is done over
HTTP. In the end the author has another name and another role.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.urls import reverse

from crs_app.accounts.models import Role, User
from patients.models import Course, PolicyVersion
from tests.entry_forms import HTMX, form, send_correction, url
from tests.journeys.chart_story import Story, at, parts
from tests.journeys.hospital_clock import HospitalClock
from tests.owner import rights_of_owner
from tests.patients.guidance_panel import answer_url
from tests.patients.policy.policy_form import PAGE, policy_form
from tests.patients.review import sign_off_form

pytestmark = pytest.mark.django_db


@pytest.fixture
def story(
    db: None, settings: Any, time_machine: Any, nurse: User, intensivist: User, administrator: User
) -> Iterator[Story]:
    settings.TIME_ZONE = "Europe/Berlin"
    clock = HospitalClock(time_machine, at(24, "09:00"))
    people = {"nurse": nurse, "intensivist": intensivist, "administrator": administrator}
    yield Story(clock, people)
    with connection.cursor() as cursor:
        cursor.execute("RESET search_path")


def admitted(story: Story) -> None:
    sent = {
        "form_id": str(uuid.uuid4()), "mrn": "5502718", "name": "NOVAK, Irena", "sex": "female",
        "birth_date": "1965-03-14", "product": "axicabtagene ciloleucel",
        "infused_date": "2026-10-24", "infused_time": "08:00", "weight_kg": "72",
        "systolic_mmhg": "128", "diastolic_mmhg": "76", "ward": "7B", "bed": "12",
    }  # fmt: skip
    story.post("nurse", reverse("patients:admit"), sent)
    story.course = Course.objects.select_related("patient", "policy").get()


def fever(story: Story) -> None:
    story.kept = story.chart("vitals", temperature="38.6")


def low_pressure_charted_late(story: Story) -> None:
    story.low = story.chart(
        "vitals", systolic_mmhg="84", diastolic_mmhg="50",
        observed_date="2026-10-24", observed_time="10:30",
    )  # fmt: skip


def fever_corrected(story: Story) -> None:
    send_correction(story.client(), story.course, story.kept, temperature="39.1")


def pressure_retracted(story: Story) -> None:
    address = url("retract", story.course, story.low.pk)
    story.post("nurse", address, form(reason="other patient"), **HTMX)


def flow_without_fio2(story: Story) -> None:
    story.chart("oxygen", device="high_flow_nasal_cannula", flow_l_per_min="40")


def signed(story: Story) -> None:
    sign_off_form.signed(story.client("intensivist"), story.course)


def moved(story: Story) -> None:
    story.move("moved", ward="Intensive care", bed="B 13")


def name_corrected(story: Story) -> None:
    story.correct_identity("name", name="NOWAK, Irena")


def birth_date_corrected(story: Story) -> None:
    story.correct_identity("birth", day="14", month="3", year="1956")


def policy_changed(story: Story) -> None:
    fields = policy_form(high_dose_minutes="120")
    story.post("administrator", PAGE, fields)
    story.post("administrator", PAGE, fields | {"step": "confirm"})


def recalculated_under_the_new_policy(story: Story) -> None:
    version = PolicyVersion.objects.latest("pk")
    fields = {"form_id": str(uuid.uuid4()), "version": version.pk, "reason": "asked by the ward"}
    address = reverse("patients:course_policy", args=[story.course.pk])
    story.post("administrator", address, fields | {"step": "confirm"})


def norepinephrine(story: Story) -> None:
    story.chart("vasopressor", drug="norepinephrine", rate="0.32", unit="ug/kg/min")


def nothing(story: Story) -> None:
    """Only time passes."""


def advice_answered(story: Story) -> None:
    fields = {"form_id": str(uuid.uuid4()), "seen": ""}
    story.post("nurse", answer_url(story.course, "icu.one_to_one", "done"), fields, **HTMX)


def vitals(story: Story) -> None:
    story.chart("vitals", temperature="38.2", systolic_mmhg="101", diastolic_mmhg="60")


def late_in_the_second_of_two_hours(story: Story) -> None:
    story.chart(
        "vitals", temperature="37.1", observed_date="2026-10-25", observed_time="02:40",
        observed_which="later",
    )  # fmt: skip


def signed_with_another_grade(story: Story) -> None:
    words = sign_off_form.another(2, "less_sick", "alert, walks")
    client = story.client("intensivist")
    sign_off_form.signed(client, story.course, at(24, "23:00"), **words)


def weight(story: Story) -> None:
    story.chart("weight", weight_kg="70")


def infusion_corrected(story: Story) -> None:
    story.correct_identity("infusion", day="24", month="10", year="2026", infused_time="07:30")


def closed(story: Story) -> None:
    story.move("ended", reason="Discharged home")


def reopened(story: Story) -> None:
    story.move("reopened", ward="7B", bed="3", reason="Came back")


STORY: list[tuple[datetime, Callable[[Story], None]]] = [
    (at(24, "09:00"), admitted),
    (at(24, "10:00"), fever),
    (at(24, "13:00"), low_pressure_charted_late),
    (at(24, "13:30"), fever_corrected),
    (at(24, "14:00"), pressure_retracted),
    (at(24, "15:00"), flow_without_fio2),
    (at(24, "16:00"), signed),
    (at(24, "17:00"), moved),
    (at(24, "18:00"), name_corrected),
    (at(24, "18:30"), birth_date_corrected),
    (at(24, "19:00"), policy_changed),
    (at(24, "19:15"), recalculated_under_the_new_policy),
    (at(24, "19:30"), norepinephrine),
    (at(24, "22:00"), nothing),
    (at(24, "22:30"), advice_answered),
    (at(25, "02:30"), vitals),
    (at(25, "02:30", second=True), vitals),
    (at(25, "03:30"), late_in_the_second_of_two_hours),
    (at(25, "08:00"), signed_with_another_grade),
    (at(25, "09:00"), weight),
    (at(25, "10:00"), infusion_corrected),
    (at(25, "11:00"), closed),
    (at(25, "12:00"), reopened),
]
"""When something happens, and what."""


def test_what_pages_said_at_a_moment_they_say_again_when_asked_for_it_later(story: Story) -> None:
    for when, act in STORY:
        story.clock.move_to(when)
        act(story)
        story.clock.move_to(when + timedelta(minutes=11))
        story.record()
    story.clock.move_to(at(28, "09:40"))
    nurse = story.people["nurse"]
    with rights_of_owner():
        User.objects.filter(pk=nurse.pk).update(last_name="Smith", role=Role.ICU_REVIEWER)
        User.objects.filter(username="icu").update(last_name="Adeyemi", role=Role.ADMINISTRATOR)
    for moment, said in story.said.items():
        again = parts(story.client(), story.course, known_at=moment.isoformat())
        for name, part in said.items():
            assert again[name] == part, f"{name} as known at {moment}"
    assert len(story.said) >= 20
    first, *_, last = story.said.values()
    assert "NOVAK" in first["banner"]
    assert "NOWAK" in last["banner"]
    assert any("J. Ruiz, Ward clinician" in said["grade"] for said in story.said.values())
    assert any("A. Osei, ICU reviewer" in said["beside"] for said in story.said.values())
    assert all(len({said[name] for said in story.said.values()}) > 4 for name in first)
