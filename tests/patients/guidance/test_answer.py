"""Answers to guidance: what each records, when the item is asked again, and conflicts."""

import uuid
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crs_app.accounts.models import User
from grading.engine.algorithm import Reply
from patients.models import ChartingAct, Course, Entry, EntryKind, GuidanceAnswer
from tests.entry_forms import HTMX
from tests.factories import ago, chart, correct, sending
from tests.patients.guidance_panel import (
    DOSE,
    ICU,
    WORKUP,
    answer_url,
    answered,
    card,
    codes,
    panel,
)


def test_done_charts_the_dose_in_the_same_step(
    nurse_client: Client, nurse: User, grade_3: Course
) -> None:
    for asked, filled_in in (
        ("", ""),
        ("?dose=320", "320"),
        ("?dose=640", "640"),
        ("?dose=6400", ""),
    ):
        address = answer_url(grade_3, DOSE, "done") + asked
        form = nurse_client.get(address, **HTMX).context["form"]
        assert form["dose_mg"].value() == filled_in, "only a dose that was chosen on the card"
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


def test_the_dose_may_be_changed_and_is_held_to_its_limits(
    nurse_client: Client, grade_3: Course
) -> None:
    for wrong in ("0", "many", "-4", "6400"):
        refused = answered(nurse_client, grade_3, DOSE, "done", agent="tocilizumab", dose_mg=wrong)
        assert refused.status_code == 422
        assert refused.context["form"].errors["dose_mg"]
    refused = answered(nurse_client, grade_3, DOSE, "done", agent="antibiotics", dose_mg="3")
    assert refused.status_code == 422
    assert not GuidanceAnswer.objects.exists()
    answered(nurse_client, grade_3, DOSE, "done", agent="tocilizumab", dose_mg="640")
    assert Entry.objects.get(kind=EntryKind.TREATMENT).body["dose_mg"] == "640"


def test_a_dose_that_is_left_out_is_asked_for(nurse_client: Client, grade_3: Course) -> None:
    asked = answered(nurse_client, grade_3, DOSE, "done", agent="tocilizumab", dose_mg="")
    assert asked.status_code == 422
    assert "Tocilizumab without a dose: enter the dose" in asked.content.decode()
    assert not GuidanceAnswer.objects.exists()
    yes = asked.context["form"].questions_digest
    fields = {"agent": "tocilizumab", "confirmed": yes}
    assert answered(nurse_client, grade_3, DOSE, "done", **fields).status_code == 200
    assert "dose_mg" not in Entry.objects.get(kind=EntryKind.TREATMENT).body


def test_a_days_amount_is_not_put_in_as_one_dose(nurse_client: Client, grade_1: Course) -> None:
    chart_ventilator = {"device": "invasive_ventilation", "fio2_percent": "60"}
    chart(grade_1, grade_1.admitted_by, "oxygen", **chart_ventilator)
    form = nurse_client.get(answer_url(grade_1, "methylprednisolone.dose", "done"), **HTMX).context[
        "form"
    ]
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


@pytest.mark.parametrize("reply", ["done", "not_now", "not_appropriate"])
def test_a_rise_before_the_answer_is_sent_asks_again(
    nurse_client: Client, clinician: User, grade_1: Course, reply: str
) -> None:
    """The page still shows grade 1 when its answer arrives: it is no answer at grade 3."""
    page = nurse_client.get(reverse("patients:bedside", args=[grade_1.pk])).content.decode()
    button = f"{answer_url(grade_1, WORKUP, 'not_now')}?seen=&amp;shown_grade=1"
    assert f'formaction="{button}"' in page
    form = nurse_client.get(answer_url(grade_1, WORKUP, reply), **HTMX).context["form"]
    shown = {"shown_grade": form["shown_grade"].value()}
    chart(grade_1, clinician, "oxygen", device="venturi_mask", fio2_percent="50")
    said = {"minutes": "720", "why": "goals_of_care", "agent": ""}
    assert answered(nurse_client, grade_1, WORKUP, reply, **said, **shown).status_code == 200
    assert GuidanceAnswer.objects.get().grade == 1
    again = card(grade_1, WORKUP)
    assert again.is_open
    assert again.answered is not None
    assert again.answered.why_again == "asked again: grade 1 to 3 by what was charted since"
    wrong = answered(nurse_client, grade_1, WORKUP, reply, **said, shown_grade="9")
    assert wrong.status_code == 422


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


@pytest.mark.parametrize(("minutes", "words"), [(0, "given"), (5, "charted")])
def test_another_dose_is_another_question(
    nurse_client: Client, clinician: User, a_day_after_tocilizumab: Course, minutes: int, words: str
) -> None:
    course = a_day_after_tocilizumab
    answered(nurse_client, course, DOSE, "not_appropriate", why="team_decided")
    assert DOSE not in codes(course)
    chart(course, clinician, "treatment", ago(minutes), agent="tocilizumab", dose_mg="320")
    with time_machine.travel(timezone.now() + timedelta(hours=24), tick=False):
        again = card(course, DOSE)
    assert again.is_open
    assert again.answered is not None
    assert again.answered.why_again == f"asked again: tocilizumab was {words} since"


def test_a_dose_that_was_only_corrected_since_is_no_other_question(
    nurse_client: Client, clinician: User, a_day_after_tocilizumab: Course
) -> None:
    course = a_day_after_tocilizumab
    for code in (DOSE, "tocilizumab.reassess"):
        answered(nurse_client, course, code, "not_appropriate", why="team_decided")
    dose = Entry.objects.get(kind=EntryKind.TREATMENT)
    body = {"agent": "tocilizumab", "dose_mg": "400"}
    dose = correct(dose, dose.at, body, sending(clinician)).entries[0]
    assert not {DOSE, "tocilizumab.reassess"} & set(codes(course))
    given_at = {"corrected": ago(hours=2), "given": timezone.now()}
    for words, at in given_at.items():
        dose = correct(dose, at, body, sending(clinician)).entries[0]
        with time_machine.travel(timezone.now() + timedelta(hours=25), tick=False):
            again = card(course, "tocilizumab.reassess")
        assert again.is_open
        assert again.answered is not None
        assert again.answered.why_again.endswith(f"tocilizumab was {words} since")


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


def test_the_same_answer_sent_twice_is_kept_once(nurse_client: Client, grade_3: Course) -> None:
    sent = {"form_id": str(uuid.uuid4()), "seen": "", "agent": "tocilizumab", "dose_mg": "320"}
    address = answer_url(grade_3, DOSE, "done")
    for _ in range(2):
        assert nurse_client.post(address, sent, **HTMX).status_code == 200
    assert GuidanceAnswer.objects.count() == 1
    assert Entry.objects.filter(kind=EntryKind.TREATMENT).count() == 1
    changed = nurse_client.post(
        answer_url(grade_3, DOSE, "done"), sent | {"dose_mg": "300"}, **HTMX
    )
    assert changed.status_code == 409


def test_two_people_do_not_chart_one_dose(
    nurse_client: Client, intensivist_client: Client, grade_3: Course
) -> None:
    fields = {"agent": "tocilizumab", "dose_mg": "320"}
    assert answered(nurse_client, grade_3, DOSE, "done", **fields).status_code == 200
    second = answered(intensivist_client, grade_3, DOSE, "done", **fields)
    assert second.status_code == 409
    assert Entry.objects.filter(kind=EntryKind.TREATMENT).count() == 1


def test_an_answer_recorded_meanwhile_is_shown(
    nurse_client: Client, intensivist_client: Client, grade_1: Course
) -> None:
    answered(nurse_client, grade_1, WORKUP, "done", agent="antibiotics")
    second = answered(intensivist_client, grade_1, WORKUP, "done", agent="antibiotics")
    assert second.status_code == 409
    assert second.context["refusal"] == "J. Ruiz has answered this already: Done."
    assert GuidanceAnswer.objects.count() == 1


def test_what_is_not_advised_cannot_be_answered(nurse_client: Client, grade_1: Course) -> None:
    for code in (DOSE, "weather"):
        assert answered(nurse_client, grade_1, code, "done").status_code == 409
    treated = {"agent": "tocilizumab", "dose_mg": "320"}
    refused = answered(nurse_client, grade_1, DOSE, "done", **treated)
    assert refused.context["refusal"].endswith("Enter what the patient received under Treatment.")
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


def test_those_who_read_see_guidance_without_buttons(
    auditor_client: Client, grade_3: Course
) -> None:
    page = auditor_client.get(reverse("patients:bedside", args=[grade_3.pk]))
    assert b"data-guidance" not in page.content
    assert b"Monitor very closely" in page.content


def test_answers_stand_in_the_timeline(nurse_client: Client, grade_3: Course) -> None:
    answer = answered(nurse_client, grade_3, ICU, "done")
    ((row, *_),) = [new.rows for new in answer.context["saved"].new_rows]
    assert row.text.startswith("Done · Monitor very closely")
    assert row.author == "J. Ruiz"
    address = reverse("patients:timeline", args=[grade_3.pk])
    for kind in ("", "guidance"):
        rows = nurse_client.get(address, {"kind": kind}, **HTMX).context["timeline"].rows
        assert sum(row.kind == "guidance" for row in rows) == 1


def test_without_htmx_an_answer_goes_back_to_the_page(
    nurse_client: Client, grade_3: Course
) -> None:
    sent = {"form_id": str(uuid.uuid4()), "seen": ""}
    answer = nurse_client.post(answer_url(grade_3, ICU, "done"), sent, follow=True)
    assert answer.redirect_chain[0][0].endswith("#guidance")
    assert b"Saved. Done" in answer.content
    again = nurse_client.post(
        answer_url(grade_3, ICU, "done"), {**sent, "form_id": str(uuid.uuid4())}
    )
    assert again.status_code == 409
    assert b"has answered this already" in again.content
    wrong = {"form_id": str(uuid.uuid4()), "seen": ""}
    refused = nurse_client.post(answer_url(grade_3, WORKUP, "not_appropriate"), wrong)
    assert refused.status_code == 422
    assert b"Choose a reason" in refused.content


@pytest.mark.parametrize("name", ["sent_at", "begun_at", "opened_at"])
@pytest.mark.parametrize("hidden", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-12:00"])
def test_done_asks_for_the_time_where_a_hidden_one_is_impossible(
    nurse_client: Client, grade_3: Course, name: str, hidden: str
) -> None:
    fields = {"agent": "tocilizumab", "dose_mg": "320", name: hidden}
    refused = answered(nurse_client, grade_3, DOSE, "done", **fields)
    assert refused.status_code == 422
    assert "Enter the date and the time" in refused.content.decode()
    assert not GuidanceAnswer.objects.exists()
