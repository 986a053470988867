"""The guidance panel: what it shows, in which order, and when it is sent again."""

import html
import re
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crs_app.accounts.models import User
from grading.service import CurrentStatus
from patients.display.grade_card import GradeCard, grade_card
from patients.guidance.panel import read_panel
from patients.models import ChartingAct, Course, Entry, GradePeriod, GuidanceAnswer
from patients.queries.status import read_course_status, read_history_for
from tests.entry_forms import HTMX
from tests.factories import ago, chart
from tests.patients.guidance_panel import DOSE, ICU, answer_url, answered, card, codes, panel


def test_at_grade_0_nothing_is_asked(course: Course) -> None:
    assert codes(course) == []


def test_the_most_urgent_stands_first_with_its_basis(grade_3: Course) -> None:
    shown = panel(grade_3)
    assert shown.first is not None
    assert (shown.first.code, shown.first.indicator) == ("immunosuppression.indicated", "critical")
    (used, *_) = shown.first.inputs
    assert (used.author, used.what) == ("J. Ruiz", "Grade 3")
    assert "50 %" in used.value
    dose = card(grade_3, DOSE)
    assert "4 mg/kg × 80 kg = 320 mg" in dose.detail
    assert dose.other_source.startswith("Not from the paper: current US label")
    assert "Lee 2014" in dose.citation


def open_codes(course: Course) -> list[str]:
    return [item.code for item in panel(course).open]


def test_the_dose_to_choose_stands_beside_its_advice(grade_3: Course) -> None:
    assert open_codes(grade_3) == ["immunosuppression.indicated", DOSE, ICU]


@pytest.mark.parametrize(
    ("weight_kg", "paper", "label"),
    [
        ("100", ("400", "4 mg/kg × 100 kg"), ("800", "8 mg/kg × 100 kg")),
        ("100.5", ("402", "4 mg/kg × 100.5 kg"), ("800", "at most 800 mg a dose")),
        ("200", ("800", "4 mg/kg × 200 kg"), ("800", "at most 800 mg a dose")),
        ("25", ("100", "4 mg/kg × 25 kg"), ("300", "12 mg/kg × 25 kg")),
    ],
)
def test_only_the_label_has_a_highest_dose(
    grade_3: Course, clinician: User, weight_kg: str, paper: tuple[str, str], label: tuple[str, str]
) -> None:
    chart(grade_3, clinician, "weight", ago(minutes=1), weight_kg=weight_kg)
    shown = [
        (one.amount_mg, one.source.replace("\u00a0", " ")) for one in card(grade_3, DOSE).doses
    ]
    assert shown == [
        (paper[0], f"Lee 2014: {paper[1]}, over 1 h"),
        (label[0], f"US label today: {label[1]}, over 1 h"),
    ]


def test_what_became_due_by_time_stands_before_what_was_open(
    clinician: User, grade_3: Course
) -> None:
    """A day after tocilizumab: old oxygen and the reassessment, then what is critical."""
    chart(grade_3, clinician, "treatment", ago(minutes=10), agent="tocilizumab", dose_mg="320")
    assert open_codes(grade_3) == [ICU, "tocilizumab.awaiting"]
    with time_machine.travel(timezone.now() + timedelta(hours=24), tick=False):
        assert open_codes(grade_3) == [
            "evidence.stale",
            "tocilizumab.reassess",
            "immunosuppression.indicated",
        ]
        assert DOSE in [item.code for item in panel(grade_3).folded]


def test_an_item_that_was_put_off_comes_back_in_sight(
    nurse_client: Client, clinician: User, grade_3: Course
) -> None:
    """It comes back before the most urgent one, which has been open for longer."""
    answered(nurse_client, grade_3, ICU, "not_now", minutes="60")
    assert ICU not in codes(grade_3)
    with time_machine.travel(timezone.now() + timedelta(minutes=61), tick=False):
        assert open_codes(grade_3) == [ICU, "immunosuppression.indicated", DOSE]


def test_a_page_of_guidance_writes_nothing(nurse_client: Client, grade_3: Course) -> None:
    before = [model.objects.count() for model in (ChartingAct, Entry, GradePeriod, GuidanceAnswer)]
    for address in (
        reverse("patients:guidance", args=[grade_3.pk]),
        answer_url(grade_3, DOSE, "done"),
        answer_url(grade_3, ICU, "not_appropriate"),
        reverse("patients:sources"),
    ):
        for headers in ({}, HTMX):
            assert nurse_client.get(address, **headers).status_code == 200, address
    after = [model.objects.count() for model in (ChartingAct, Entry, GradePeriod, GuidanceAnswer)]
    assert after == before


def test_what_was_seen_is_not_sent_again(nurse_client: Client, grade_1: Course) -> None:
    address = reverse("patients:guidance", args=[grade_1.pk])
    seen = panel(grade_1).signature
    assert nurse_client.get(address, {"seen": seen}, **HTMX).status_code == 204
    assert nurse_client.get(address, {"seen": "another"}, **HTMX).status_code == 200


def test_each_button_of_the_panel_is_recorded_once(nurse_client: Client, grade_3: Course) -> None:
    """All buttons send one form: pressed twice, a button is a replay; another is recorded too."""
    address = reverse("patients:guidance", args=[grade_3.pk])
    panels = [nurse_client.get(address, **HTMX).content.decode() for _ in range(2)]
    ids = [re.findall(r'name="form_id" value="([^"]+)"', panel) for panel in panels]
    tokens = [re.findall(r'name="csrfmiddlewaretoken" value="([^"]+)"', panel) for panel in panels]
    assert [len(found) for found in (*ids, *tokens)] == [1, 1, 1, 1]
    assert ids[0] != ids[1]
    assert tokens[0] != tokens[1]
    done = [
        html.unescape(there) for there in re.findall(r'formaction="([^"]+/done/[^"]*)"', panels[0])
    ]
    assert len(done) >= 2
    sent = {"form_id": ids[0][0]}
    replays = [
        nurse_client.post(there, sent, **HTMX).context["saved"].is_replay
        for there in (done[0], done[1], done[0])
    ]
    assert replays == [False, False, True]
    assert GuidanceAnswer.objects.filter(course=grade_3).count() == 2


def card_of(course: Course, status: CurrentStatus) -> GradeCard:
    history = read_history_for(course.pk, status)
    return grade_card(course.pk, status, history)


def test_a_page_left_open_over_midnight_is_sent_the_dates(clinician: User, course: Course) -> None:
    """What it shows reads alike, but 22:40 is yesterday's now.

    Half a minute past the minute, the temperature is as many whole minutes old before and after.
    """
    observed_at = ago(minutes=30).replace(second=30, microsecond=0)
    chart(course, clinician, "vitals", observed_at, temperature_c="38.6")
    there = timezone.localtime() + timedelta(days=1)
    midnight = there.replace(hour=0, minute=0, second=0, microsecond=0)
    before, after = (
        read_course_status(course, midnight + timedelta(seconds=seconds)) for seconds in (-1, 1)
    )
    evening, morning = read_panel(before), read_panel(after)
    assert evening.asked == morning.asked
    assert evening.signature != morning.signature
    cards = [card_of(course, reading.current) for reading in (before, after)]
    assert cards[0].criteria == cards[1].criteria
    assert cards[0].signature != cards[1].signature


def test_a_change_of_what_the_clock_will_ask_is_sent(clinician: User, grade_1: Course) -> None:
    """The page asks again at the instant in the panel: another instant is another panel."""
    before = panel(grade_1)
    given = {"agent": "antipyretic", "dose_mg": "1000"}
    chart(grade_1, clinician, "treatment", ago(hours=30), **given)
    assert panel(grade_1).signature == before.signature
    chart(grade_1, clinician, "treatment", ago(hours=1), **given)
    assert panel(grade_1).next_at not in (None, before.next_at)
    assert panel(grade_1).signature != before.signature


def test_a_first_rise_is_shown_while_it_lasts(clinician: User, grade_1: Course) -> None:
    rise = panel(grade_1).rise
    assert rise is not None
    assert (rise.before, rise.grade) == (0, 1)
    chart(grade_1, clinician, "vitals", ago(minutes=9), temperature_c="37")
    assert panel(grade_1).rise is None
    chart(grade_1, clinician, "vitals", ago(minutes=8), temperature_c="39")
    assert panel(grade_1).rise is None, "it has been there before"
    chart(grade_1, clinician, "oxygen", ago(minutes=7), device="venturi_mask", fio2_percent="50")
    assert panel(grade_1).rise.grade == 3
    with time_machine.travel(timezone.now() + timedelta(hours=25), tick=False):
        assert panel(grade_1).rise is None
