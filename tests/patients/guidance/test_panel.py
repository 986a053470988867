"""The guidance panel: what it asks, how each answer is kept, and when it asks again."""

import re
import uuid
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crs_app.accounts.models import User
from grading.engine.algorithm import ITEMS, Reply
from grading.service import CurrentStatus
from patients.display.grade_card import GradeCard, grade_card
from patients.guidance.advice import CHARTED_BY_DONE
from patients.guidance.export import as_spreadsheet_text
from patients.guidance.panel import GuidancePanel, ItemCard, read_panel
from patients.guidance.sources import CHART_USED
from patients.models import ChartingAct, Course, Entry, EntryKind, GradePeriod, GuidanceAnswer
from patients.queries.status import read_course_status, read_history_for
from tests.factories import admit, chart

HTMX = {"HTTP_HX_REQUEST": "true"}
DOSE = "tocilizumab.dose"
WORKUP = "infection.workup"
ICU = "icu.one_to_one"


def panel(course: Course) -> GuidancePanel:
    return read_panel(read_course_status(course, timezone.now()))


def card(course: Course, code: str) -> ItemCard:
    shown = panel(course)
    return next(item for item in (*shown.asked, *shown.answered) if item.code == code)


def codes(course: Course) -> list[str]:
    return [item.code for item in panel(course).asked]


def url(course: Course, code: str, reply: str) -> str:
    return reverse("patients:guidance_answer", args=[course.pk, code, reply])


def answered(
    client: Client, course: Course, code: str, reply: str, *, seen: str = "", **said: Any
) -> Any:
    sent = {"form_id": str(uuid.uuid4()), "seen": seen, **said}
    return client.post(url(course, code, reply), sent, **HTMX)


def tapped(client: Client, course: Course, says: str, **said: Any) -> Any:
    sent = {"form_id": str(uuid.uuid4()), "says": says, **said}
    return client.post(reverse("patients:guidance_action", args=[course.pk]), sent, **HTMX)


def ago(**since: int) -> Any:
    return timezone.now() - timedelta(**since)


@pytest.fixture
def grade_1(course: Course, clinician: User) -> Course:
    chart(course, clinician, "vitals", ago(minutes=30), temperature_c="38.6")
    return course


@pytest.fixture
def grade_2(grade_1: Course, clinician: User) -> Course:
    chart(grade_1, clinician, "oxygen", ago(minutes=20), device="nasal_cannula", flow_l_per_min="2")
    return grade_1


@pytest.fixture
def grade_3(grade_1: Course, clinician: User) -> Course:
    chart(grade_1, clinician, "oxygen", ago(minutes=20), device="venturi_mask", fio2_percent="50")
    return grade_1


# What is shown


def test_grade_0_is_told_nothing(course: Course) -> None:
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


def test_a_page_of_guidance_writes_nothing(nurse_client: Client, grade_3: Course) -> None:
    before = [model.objects.count() for model in (ChartingAct, Entry, GradePeriod, GuidanceAnswer)]
    for address in (
        reverse("patients:guidance", args=[grade_3.pk]),
        url(grade_3, DOSE, "done"),
        url(grade_3, ICU, "not_appropriate"),
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


def test_a_save_brings_the_guidance_along(nurse_client: Client, course: Course) -> None:
    sent = {"form_id": str(uuid.uuid4()), "attribution": "crs", "temperature_unit": "c"}
    address = reverse("patients:entries", args=[course.pk, "vitals"])
    answer = nurse_client.post(address, {**sent, "temperature": "38.6"}, **HTMX)
    assert answer.context["guidance"].asked
    assert b'id="guidance"' in answer.content


def test_a_save_leaves_guidance_alone_that_reads_as_it_did(
    nurse_client: Client, grade_1: Course
) -> None:
    """The page says what it shows as it saves, and learns what it should show."""

    def saved(shown: str, **typed: str) -> Any:
        sent = {"form_id": str(uuid.uuid4()), "attribution": "crs", "temperature_unit": "c"}
        address = reverse("patients:entries", args=[grade_1.pk, "vitals"])
        headers = {"HX-Request": "true", "CRS-Shown": f"guidance={shown}"}
        return nurse_client.post(address, {**sent, **typed}, headers=headers)

    shown = panel(grade_1).signature
    same = saved(shown, heart_rate="90")
    assert same["CRS-Shown"] == f"guidance={shown}"
    assert b'id="guidance"' not in same.content
    assert b'id="guidance-lead"' not in same.content
    other = saved(shown, temperature="36.8")
    assert other["CRS-Shown"] == f"guidance={panel(grade_1).signature}" != f"guidance={shown}"
    assert b'id="guidance"' in other.content
    assert b'id="guidance-lead"' in other.content


def test_each_form_of_the_panel_is_recorded_by_itself(
    nurse_client: Client, grade_3: Course
) -> None:
    """What is kept of the panel's text leaves each request its token, and each form its own id."""
    address = reverse("patients:guidance", args=[grade_3.pk])
    ids, tokens = [], []
    for _ in range(2):
        forms = re.findall(
            r"<form.*?</form>", nurse_client.get(address, **HTMX).content.decode(), re.S
        )
        assert len(forms) > 2
        for form in forms:
            (own_id,) = re.findall(r'<input type="hidden" name="form_id" value="([^"]+)">', form)
            (token,) = re.findall(r'name="csrfmiddlewaretoken" value="([^"]+)">', form)
            ids.append(own_id)
            tokens.append(token)
    assert len(set(ids)) == len(ids)
    assert len(set(tokens)) == 2


def card_of(course: Course, status: CurrentStatus) -> GradeCard:
    history = read_history_for(course.pk, status)
    return grade_card(course.pk, status, history.grades, history.authors)


def test_a_page_left_open_over_midnight_is_told_the_dates(grade_1: Course) -> None:
    """What it shows reads alike, but 22:40 is yesterday's now."""
    there = timezone.localtime() + timedelta(days=1)
    midnight = there.replace(hour=0, minute=0, second=0, microsecond=0)
    before, after = (
        read_course_status(grade_1, midnight + timedelta(seconds=seconds)) for seconds in (-1, 1)
    )
    evening, morning = read_panel(before), read_panel(after)
    assert evening.asked == morning.asked
    assert evening.signature != morning.signature
    cards = [card_of(grade_1, reading.current) for reading in (before, after)]
    assert cards[0].criteria == cards[1].criteria
    assert cards[0].signature != cards[1].signature


def test_what_the_clock_will_ask_is_told_anew(clinician: User, grade_1: Course) -> None:
    """The page looks again at the instant it was told: another instant makes it another panel."""
    before = panel(grade_1)
    given = {"agent": "antipyretic", "dose_mg": "1000"}
    chart(grade_1, clinician, "treatment", ago(hours=30), **given)
    assert panel(grade_1).signature == before.signature
    chart(grade_1, clinician, "treatment", ago(hours=1), **given)
    assert panel(grade_1).next_at not in (None, before.next_at)
    assert panel(grade_1).signature != before.signature


# Questions, judgements and what is stale: one tap each


def test_risk_questions_are_asked_at_grade_2_and_kept(
    nurse_client: Client, nurse: User, grade_2: Course
) -> None:
    asked = card(grade_2, "risk.unanswered")
    assert [task.label for task in asked.tasks] == ["Extensive comorbidities?", "Older age?"]
    tapped(nurse_client, grade_2, "risk:extensive_comorbidities:no")
    tapped(nurse_client, grade_2, "risk:older_age:no")
    assert "immunosuppression.not_advised" in codes(grade_2)
    tapped(nurse_client, grade_2, "risk:older_age:yes")
    assert "immunosuppression.consider" in codes(grade_2)
    entries = Entry.objects.filter(kind=EntryKind.RISK).order_by("recorded_at")
    assert [entry.body for entry in entries] == [
        {"extensive_comorbidities": False},
        {"older_age": False},
        {"older_age": True},
    ]
    assert {entry.recorded_by for entry in entries} == {nurse}
    assert [task.told for task in panel(grade_2).told] == [
        "extensive comorbidities no",
        "older age yes",
    ]


def test_chronic_corticosteroids_are_asked_and_answered(
    nurse_client: Client, grade_2: Course
) -> None:
    assert [task.label for task in panel(grade_2).questions] == ["Chronic corticosteroids?"]
    tapped(nurse_client, grade_2, "risk:chronic_corticosteroids:yes")
    assert "hydrocortisone.stress" in codes(grade_2)


def test_a_judgement_is_one_tap(nurse_client: Client, clinician: User, course: Course) -> None:
    chart(course, clinician, "vitals", ago(minutes=10), systolic_mmhg="95", temperature_c="38.6")
    chart(course, clinician, "baseline", systolic_mmhg="140")
    (task,) = card(course, "bound.resolve").tasks
    assert [tap.says for tap in task.taps] == [
        "judgement:relative_hypotension:yes",
        "judgement:relative_hypotension:no",
    ]
    answer = tapped(nurse_client, course, task.taps[0].says)
    assert answer.context["saved"].card.grade == 2
    assert Entry.objects.get(kind=EntryKind.JUDGEMENT).body == {
        "about": "relative_hypotension",
        "present": True,
    }


def test_what_is_not_known_leads_to_its_form(clinician: User, course: Course) -> None:
    chart(course, clinician, "oxygen", ago(minutes=10), device="nasal_cannula")
    (task,) = card(course, "bound.resolve").tasks
    assert (task.form_kind, task.form_label) == ("oxygen", "Chart oxygen")


@pytest.fixture
def stale(course: Course, clinician: User) -> Course:
    body = {"drug": "norepinephrine", "rate": "5", "unit": "ug/min"}
    chart(course, clinician, "vasopressor", ago(hours=3), **body)
    return course


def test_a_stale_infusion_goes_on_unchanged(nurse_client: Client, stale: Course) -> None:
    (task,) = card(stale, "evidence.stale").tasks
    unchanged, stopped = task.taps
    assert task.form_kind == "vasopressor"
    assert stopped.label == "Stopped"
    tapped(nurse_client, stale, unchanged.says, mark=unchanged.mark)
    entry = Entry.objects.filter(kind=EntryKind.VASOPRESSOR).latest("recorded_at")
    assert entry.body == {"drug": "norepinephrine", "rate": "5", "unit": "ug/min"}
    assert "evidence.stale" not in codes(stale)


def test_a_stale_infusion_was_stopped(nurse_client: Client, stale: Course) -> None:
    (task,) = card(stale, "evidence.stale").tasks
    tapped(nurse_client, stale, task.taps[1].says, mark=task.taps[1].mark)
    entry = Entry.objects.filter(kind=EntryKind.VASOPRESSOR).latest("recorded_at")
    assert entry.body == {"drug": "norepinephrine", "rate": "0"}
    assert panel(stale).grade == 0


@pytest.mark.parametrize("place", [0, 1])
def test_a_change_meanwhile_is_noticed(
    nurse_client: Client, clinician: User, stale: Course, place: int
) -> None:
    (task,) = card(stale, "evidence.stale").tasks
    changed = {"drug": "norepinephrine", "rate": "9", "unit": "ug/min"}
    chart(stale, clinician, "vasopressor", **changed)
    before = Entry.objects.count()
    answer = tapped(nurse_client, stale, task.taps[place].says, mark=task.taps[place].mark)
    assert answer.status_code == 409
    assert "9 mcg/min" in answer.context["refusal"]
    chart(stale, clinician, "vasopressor", drug="norepinephrine", rate="0")
    answer = tapped(nurse_client, stale, task.taps[place].says, mark=task.taps[place].mark)
    assert "does not run any more" in answer.context["refusal"]
    assert Entry.objects.count() == before + 1


@pytest.mark.parametrize(
    "says", ["", "risk:age:yes", "risk:older_age:maybe", "judgement:x:yes", "stopped:tea", "x"]
)
def test_a_tap_that_says_nothing_is_refused(
    nurse_client: Client, grade_1: Course, says: str
) -> None:
    before = Entry.objects.count()
    assert tapped(nurse_client, grade_1, says).status_code == 409
    assert Entry.objects.count() == before


# Answers


def test_done_charts_the_dose_in_the_same_step(
    nurse_client: Client, nurse: User, grade_3: Course
) -> None:
    form = nurse_client.get(url(grade_3, DOSE, "done"), **HTMX).context["form"]
    assert form["dose_mg"].value() == "320"
    assert form["agent"].value() == "tocilizumab"
    answer = answered(nurse_client, grade_3, DOSE, "done", agent="tocilizumab", dose_mg="320")
    assert answer.status_code == 200
    treatment = Entry.objects.get(kind=EntryKind.TREATMENT)
    assert treatment.body == {"agent": "tocilizumab", "dose_mg": "320"}
    kept = GuidanceAnswer.objects.get()
    assert (kept.reply, kept.treatment, kept.act) == ("done", treatment, treatment.act)
    assert (kept.grade, kept.recorded_by, kept.code) == (3, nurse, DOSE)
    assert {"tocilizumab.awaiting"} <= set(codes(grade_3))
    assert DOSE not in codes(grade_3)
    assert panel(grade_3).next_at == treatment.at + timedelta(hours=24)


def test_the_dose_may_be_changed_and_must_be_given(nurse_client: Client, grade_3: Course) -> None:
    for wrong in ("", "0", "many", "-4"):
        refused = answered(nurse_client, grade_3, DOSE, "done", agent="tocilizumab", dose_mg=wrong)
        assert refused.status_code == 422
        assert refused.context["form"].errors["dose_mg"]
    refused = answered(nurse_client, grade_3, DOSE, "done", agent="antibiotics", dose_mg="3")
    assert refused.status_code == 422
    assert not GuidanceAnswer.objects.exists()
    answered(nurse_client, grade_3, DOSE, "done", agent="tocilizumab", dose_mg="640")
    assert Entry.objects.get(kind=EntryKind.TREATMENT).body["dose_mg"] == "640"


def test_a_days_amount_is_not_put_in_as_one_dose(nurse_client: Client, grade_1: Course) -> None:
    chart_ventilator = {"device": "invasive_ventilation", "fio2_percent": "60"}
    chart(grade_1, grade_1.admitted_by, "oxygen", **chart_ventilator)
    form = nurse_client.get(url(grade_1, "methylprednisolone.dose", "done"), **HTMX).context["form"]
    assert form["dose_mg"].value() is None
    assert "160 mg" in form["dose_mg"].help_text


def test_of_several_treatments_one_is_chosen(nurse_client: Client, grade_3: Course) -> None:
    code = "immunosuppression.indicated"
    refused = answered(nurse_client, grade_3, code, "done", dose_mg="10")
    assert refused.context["form"].errors["agent"] == ["Choose what was given."]
    answered(nurse_client, grade_3, code, "done", agent="dexamethasone", dose_mg="10")
    assert Entry.objects.get(kind=EntryKind.TREATMENT).body["agent"] == "dexamethasone"
    assert card(grade_3, code).answered is not None


def test_done_may_have_nothing_to_chart(nurse_client: Client, grade_1: Course) -> None:
    answered(nurse_client, grade_1, WORKUP, "done", agent="")
    assert not Entry.objects.filter(kind=EntryKind.TREATMENT).exists()
    shown = panel(grade_1)
    assert [item.code for item in shown.answered] == [WORKUP]
    assert shown.answered[0].answered is not None
    assert shown.answered[0].answered.text == "Done"


def test_not_now_returns_after_its_time(nurse_client: Client, grade_1: Course) -> None:
    refused = answered(nurse_client, grade_1, WORKUP, "not_now", minutes="16")
    assert refused.status_code == 422
    answered(nurse_client, grade_1, WORKUP, "not_now", minutes="15")
    kept = GuidanceAnswer.objects.get()
    assert kept.returns_at == kept.recorded_at + timedelta(minutes=15)
    assert WORKUP not in codes(grade_1)
    assert panel(grade_1).next_at == kept.returns_at
    with time_machine.travel(kept.returns_at - timedelta(seconds=1), tick=False):
        assert WORKUP not in codes(grade_1)
    with time_machine.travel(kept.returns_at, tick=False):
        again = card(grade_1, WORKUP)
        assert again.is_open
        assert again.answered is not None
        assert again.answered.why_again.startswith("asked again since")


def test_not_appropriate_needs_a_reason(nurse_client: Client, grade_1: Course) -> None:
    for missing in ({}, {"why": "other"}, {"why": "weather"}):
        assert (
            answered(nurse_client, grade_1, WORKUP, "not_appropriate", **missing).status_code == 422
        )
    assert not GuidanceAnswer.objects.exists()
    answered(nurse_client, grade_1, WORKUP, "not_appropriate", why="other", in_words="palliative")
    assert GuidanceAnswer.objects.get().reason == "palliative"
    seen = card(grade_1, WORKUP).seen
    answered(nurse_client, grade_1, WORKUP, "not_appropriate", seen=seen, why="done_elsewhere")
    assert GuidanceAnswer.objects.latest("recorded_at").reason == "Done already, charted elsewhere"
    assert GuidanceAnswer.objects.count() == 2


def test_a_rise_of_the_grade_asks_again(
    nurse_client: Client, clinician: User, grade_1: Course
) -> None:
    answered(nurse_client, grade_1, WORKUP, "not_appropriate", why="goals_of_care")
    assert WORKUP not in codes(grade_1)
    chart(grade_1, clinician, "oxygen", device="venturi_mask", fio2_percent="50")
    again = card(grade_1, WORKUP)
    assert again.is_open
    assert again.answered is not None
    assert again.answered.why_again == "asked again: grade 1 to 3 by what was charted since"


def test_a_fall_does_not_ask_again(nurse_client: Client, clinician: User, grade_3: Course) -> None:
    answered(nurse_client, grade_3, WORKUP, "not_appropriate", why="goals_of_care")
    chart(grade_3, clinician, "oxygen", timezone.now(), device="room_air")
    assert panel(grade_3).grade == 1
    assert WORKUP not in codes(grade_3)


def test_what_done_charted_and_was_taken_back_is_asked_again(
    nurse_client: Client, grade_1: Course
) -> None:
    answered(nurse_client, grade_1, WORKUP, "done", agent="antibiotics")
    entry = Entry.objects.get(kind=EntryKind.TREATMENT)
    address = reverse("patients:retract", args=[grade_1.pk, entry.pk])
    nurse_client.post(address, {"form_id": str(uuid.uuid4()), "reason": "not given"}, **HTMX)
    assert WORKUP in codes(grade_1)


@pytest.fixture
def a_day_after_tocilizumab(grade_3: Course, clinician: User) -> Course:
    chart(grade_3, clinician, "oxygen", ago(hours=30), device="venturi_mask", fio2_percent="50")
    chart(grade_3, clinician, "treatment", ago(hours=25), agent="tocilizumab", dose_mg="320")
    return grade_3


def test_stabilised_ends_the_reassessment(
    nurse_client: Client, a_day_after_tocilizumab: Course
) -> None:
    course = a_day_after_tocilizumab
    assert "tocilizumab.reassess" in codes(course)
    answered(nurse_client, course, "tocilizumab.reassess", "stabilised")
    assert GuidanceAnswer.objects.get().reply == Reply.STABILISED
    assert "tocilizumab.reassess" not in codes(course)


def test_another_dose_is_another_question(
    nurse_client: Client, clinician: User, a_day_after_tocilizumab: Course
) -> None:
    course = a_day_after_tocilizumab
    answered(nurse_client, course, DOSE, "not_appropriate", why="team_decided")
    assert DOSE not in codes(course)
    chart(course, clinician, "treatment", agent="tocilizumab", dose_mg="320")
    with time_machine.travel(timezone.now() + timedelta(hours=24), tick=False):
        again = card(course, DOSE)
    assert again.is_open
    assert again.answered is not None
    assert again.answered.why_again == "asked again: tocilizumab was given since"


def test_the_24_hours_run_by_the_clock(nurse_client: Client, grade_3: Course) -> None:
    answered(nurse_client, grade_3, DOSE, "done", agent="tocilizumab", dose_mg="320")
    given_at = Entry.objects.get(kind=EntryKind.TREATMENT).at
    due = given_at + timedelta(hours=24)
    assert card(grade_3, "tocilizumab.awaiting").next_at == due
    with time_machine.travel(due - timedelta(seconds=1), tick=False):
        assert "tocilizumab.reassess" not in codes(grade_3)
    with time_machine.travel(due, tick=False):
        assert "tocilizumab.reassess" in codes(grade_3)
        assert "tocilizumab.awaiting" not in codes(grade_3)
        assert DOSE in codes(grade_3)


# Two hands, and the same hand twice


def test_the_same_answer_sent_twice_is_kept_once(nurse_client: Client, grade_3: Course) -> None:
    sent = {"form_id": str(uuid.uuid4()), "seen": "", "agent": "tocilizumab", "dose_mg": "320"}
    for _ in range(2):
        assert nurse_client.post(url(grade_3, DOSE, "done"), sent, **HTMX).status_code == 200
    assert GuidanceAnswer.objects.count() == 1
    assert Entry.objects.filter(kind=EntryKind.TREATMENT).count() == 1
    changed = nurse_client.post(url(grade_3, DOSE, "done"), sent | {"dose_mg": "300"}, **HTMX)
    assert changed.status_code == 409


def test_two_people_do_not_chart_one_dose(
    nurse_client: Client, intensivist_client: Client, grade_3: Course
) -> None:
    said = {"agent": "tocilizumab", "dose_mg": "320"}
    assert answered(nurse_client, grade_3, DOSE, "done", **said).status_code == 200
    second = answered(intensivist_client, grade_3, DOSE, "done", **said)
    assert second.status_code == 409
    assert Entry.objects.filter(kind=EntryKind.TREATMENT).count() == 1


def test_an_answer_given_meanwhile_is_told(
    nurse_client: Client, intensivist_client: Client, grade_1: Course
) -> None:
    answered(nurse_client, grade_1, WORKUP, "done", agent="antibiotics")
    second = answered(intensivist_client, grade_1, WORKUP, "done", agent="antibiotics")
    assert second.status_code == 409
    assert second.context["refusal"] == "J. Ruiz has answered this meanwhile: Done."
    assert GuidanceAnswer.objects.count() == 1


def test_what_is_not_advised_cannot_be_answered(nurse_client: Client, grade_1: Course) -> None:
    for code in (DOSE, "weather"):
        assert answered(nurse_client, grade_1, code, "done").status_code == 409
    assert answered(nurse_client, grade_1, WORKUP, "stabilised").status_code == 409
    assert answered(nurse_client, grade_1, WORKUP, "perhaps").status_code == 404
    assert not GuidanceAnswer.objects.exists()


def test_an_answer_and_its_treatment_are_kept_together_or_not_at_all(
    nurse_client: Client, grade_3: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("patients.guidance.answer._store", lambda *_args: 1 / 0)
    acts = ChartingAct.objects.count()
    with pytest.raises(ZeroDivisionError):
        answered(nurse_client, grade_3, DOSE, "done", agent="tocilizumab", dose_mg="320")
    assert ChartingAct.objects.count() == acts
    assert not Entry.objects.filter(kind=EntryKind.TREATMENT).exists()


# Who may, and what stays


def test_those_who_read_do_not_answer(
    auditor_client: Client, administrator_client: Client, grade_3: Course
) -> None:
    for reader in (auditor_client, administrator_client):
        assert answered(reader, grade_3, ICU, "done").status_code == 403
        assert tapped(reader, grade_3, "risk:older_age:yes").status_code == 403
        assert reader.get(url(grade_3, ICU, "not_appropriate")).status_code == 403
        page = reader.get(reverse("patients:bedside", args=[grade_3.pk]))
        assert b"data-guidance" not in page.content
        assert b"Monitor very closely" in page.content
    assert not GuidanceAnswer.objects.exists()


def test_a_stranger_is_sent_to_sign_in(client: Client, grade_3: Course) -> None:
    for address in (
        reverse("patients:guidance", args=[grade_3.pk]),
        reverse("patients:guidance_action", args=[grade_3.pk]),
        url(grade_3, ICU, "done"),
        reverse("patients:answers_csv"),
        reverse("patients:sources"),
    ):
        for method in (client.get, client.post):
            assert "/accounts/" in method(address).get("Location", "")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE patients_guidanceanswer SET reply = 'stabilised'",
        "DELETE FROM patients_guidanceanswer",
        "TRUNCATE patients_guidanceanswer",
    ],
)
def test_an_answer_stays_as_it_was_given(
    nurse_client: Client, grade_3: Course, statement: str
) -> None:
    answered(nurse_client, grade_3, ICU, "done")
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        connection.cursor().execute(f"SET CONSTRAINTS ALL IMMEDIATE; {statement}")


@pytest.mark.parametrize(
    ("changes", "constraint"),
    [
        ({"reply": "maybe"}, "answer_reply_known_word"),
        ({"reply": "not_now"}, "answer_not_now_returns"),
        ({"reply": "not_appropriate"}, "answer_not_appropriate_says_why"),
    ],
)
def test_an_answer_without_what_it_needs_is_refused_by_the_database(
    nurse_client: Client, grade_3: Course, changes: dict[str, str], constraint: str
) -> None:
    answered(nurse_client, grade_3, ICU, "done")
    kept = GuidanceAnswer.objects.get()
    act = kept.act
    act.pk, act.form_id = uuid.uuid4(), uuid.uuid4()
    act.recorded_at += timedelta(seconds=1)
    act.save(force_insert=True)
    kept.pk, kept.act = uuid.uuid4(), act
    for field, value in changes.items():
        setattr(kept, field, value)
    with pytest.raises(DatabaseError, match=constraint), transaction.atomic():
        kept.save(force_insert=True)


def test_answers_stand_in_the_timeline(nurse_client: Client, grade_3: Course) -> None:
    answer = answered(nurse_client, grade_3, ICU, "done")
    ((row, *_),) = [new.rows for new in answer.context["saved"].new_rows]
    assert row.text.startswith("Done · Monitor very closely")
    assert row.author == "J. Ruiz"
    address = reverse("patients:timeline", args=[grade_3.pk])
    for kind in ("", "guidance"):
        rows = nurse_client.get(address, {"kind": kind}, **HTMX).context["timeline"].rows
        assert sum(row.kind == "guidance" for row in rows) == 1


# Without JavaScript


def test_without_htmx_an_answer_goes_back_to_the_page(
    nurse_client: Client, grade_3: Course
) -> None:
    sent = {"form_id": str(uuid.uuid4()), "seen": ""}
    answer = nurse_client.post(url(grade_3, ICU, "done"), sent, follow=True)
    assert answer.redirect_chain[0][0].endswith("#guidance")
    assert b"Saved. Done" in answer.content
    again = nurse_client.post(url(grade_3, ICU, "done"), {**sent, "form_id": str(uuid.uuid4())})
    assert again.status_code == 409
    assert b"has answered this meanwhile" in again.content
    wrong = {"form_id": str(uuid.uuid4()), "seen": ""}
    refused = nurse_client.post(url(grade_3, WORKUP, "not_appropriate"), wrong)
    assert refused.status_code == 422
    assert b"Choose a reason" in refused.content


# The file of answers, and the page of sources


def test_the_file_is_for_those_who_review(
    nurse_client: Client,
    intensivist_client: Client,
    administrator_client: Client,
    auditor_client: Client,
    grade_3: Course,
) -> None:
    address = reverse("patients:answers_csv")
    assert nurse_client.get(address).status_code == 403
    for client in (intensivist_client, administrator_client, auditor_client):
        assert client.get(address)["Content-Type"] == "text/csv; charset=utf-8"


def lines(client: Client, **query: Any) -> list[str]:
    answer = client.get(reverse("patients:answers_csv"), query)
    return b"".join(answer.streaming_content).decode().splitlines()


def test_the_file_says_who_answered_what_and_when(
    nurse_client: Client, auditor_client: Client, clinician: User, grade_3: Course
) -> None:
    answered(nurse_client, grade_3, DOSE, "done", agent="tocilizumab", dose_mg="320")
    formula = '=HYPERLINK("http://x")'
    answered(nurse_client, grade_3, ICU, "not_appropriate", why="other", in_words=formula)
    head, done, refused = lines(auditor_client)
    assert head.startswith("course,mrn,item,item_said,grade,could_be,answer,reason")
    assert f"{grade_3.pk}," in done
    assert ",done,,,tocilizumab 320 mg,nurse," in done
    assert ",not_appropriate,\"'=HYPERLINK(" in refused
    other = admit(clinician)
    assert len(lines(auditor_client, course=other.pk)) == 1
    assert len(lines(auditor_client, course=grade_3.pk)) == 3
    address = reverse("patients:answers_csv")
    assert auditor_client.get(address, {"course": "x"}).status_code == 404


@pytest.mark.parametrize("cell", ["=1", "+1", "-1", "@x", "\t=1", "\r=1", "  =1"])
def test_no_cell_is_run_as_a_formula(cell: str) -> None:
    assert as_spreadsheet_text(cell).startswith("'")
    assert as_spreadsheet_text("norepinephrine = 20") == "norepinephrine = 20"


def test_every_item_says_where_it_comes_from(nurse_client: Client, grade_1: Course) -> None:
    assert set(CHART_USED) == {row.code for row in ITEMS}
    assert set(CHARTED_BY_DONE) <= set(CHART_USED)
    for query in ({}, {"course": str(grade_1.pk)}):
        page = nurse_client.get(reverse("patients:sources"), query)
        assert page.status_code == 200
        for said in ("Juno Therapeutics", "National Cancer Institute", "lee-2014", "high dose"):
            assert said in page.content.decode()
        assert len(page.context["sources"].items) == len(ITEMS)
    panel_page = nurse_client.get(reverse("patients:guidance", args=[grade_1.pk]), **HTMX)
    assert f"?course={grade_1.pk}#item-infection-workup" in panel_page.content.decode()


# The first rise interrupts


def test_a_first_rise_is_told_once_it_holds(clinician: User, grade_1: Course) -> None:
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


def test_a_weight_is_needed_for_a_dose(nurse_client: Client, clinician: User) -> None:
    course = admit(clinician, weight_kg=None, baseline={"systolic_mmhg": "126"})
    chart(course, clinician, "oxygen", ago(minutes=20), device="venturi_mask", fio2_percent="50")
    (task,) = card(course, "weight.missing").tasks
    assert task.form_kind == "weight"
    form = nurse_client.get(url(course, DOSE, "done"), **HTMX).context["form"]
    assert form["dose_mg"].value() is None
    chart(course, clinician, "weight", weight_kg="31.4")
    form = nurse_client.get(url(course, DOSE, "done"), **HTMX).context["form"]
    assert Decimal(form["dose_mg"].value()) == Decimal("125.6")
