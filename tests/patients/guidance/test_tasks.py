"""Tasks of an item: risk questions, judgements, stale infusions, what is not charted yet."""

from decimal import Decimal

import pytest
from django.test import Client

from crs_app.accounts.models import User
from patients.models import Course, Entry, EntryKind
from tests.entry_forms import HTMX
from tests.factories import admit, ago, chart
from tests.patients.guidance_panel import DOSE, answer_url, card, codes, panel, tapped


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
    assert [task.answer_in_force for task in panel(grade_2).answered_questions] == [
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
    assert [button.action for button in task.actions] == [
        "judgement:relative_hypotension:yes",
        "judgement:relative_hypotension:no",
    ]
    answer = tapped(nurse_client, course, task.actions[0].action)
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


def test_a_stale_infusion_is_charted_as_unchanged(nurse_client: Client, stale: Course) -> None:
    (task,) = card(stale, "evidence.stale").tasks
    unchanged, stopped = task.actions
    assert task.form_kind == "vasopressor"
    assert stopped.label == "Stopped"
    tapped(nurse_client, stale, unchanged.action, seen_version=unchanged.seen_version)
    entry = Entry.objects.filter(kind=EntryKind.VASOPRESSOR).latest("recorded_at")
    assert entry.body == {"drug": "norepinephrine", "rate": "5", "unit": "ug/min"}
    assert "evidence.stale" not in codes(stale)


def test_a_stale_infusion_was_stopped(nurse_client: Client, stale: Course) -> None:
    (task,) = card(stale, "evidence.stale").tasks
    tapped(nurse_client, stale, task.actions[1].action, seen_version=task.actions[1].seen_version)
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
    answer = tapped(
        nurse_client,
        stale,
        task.actions[place].action,
        seen_version=task.actions[place].seen_version,
    )
    assert answer.status_code == 409
    assert "9 mcg/min" in answer.context["refusal"]
    chart(stale, clinician, "vasopressor", drug="norepinephrine", rate="0")
    answer = tapped(
        nurse_client,
        stale,
        task.actions[place].action,
        seen_version=task.actions[place].seen_version,
    )
    assert "does not run any more" in answer.context["refusal"]
    assert Entry.objects.count() == before + 1


@pytest.mark.parametrize(
    "action", ["", "risk:age:yes", "risk:older_age:maybe", "judgement:x:yes", "stopped:tea", "x"]
)
def test_a_tap_without_a_known_action_is_refused(
    nurse_client: Client, grade_1: Course, action: str
) -> None:
    before = Entry.objects.count()
    assert tapped(nurse_client, grade_1, action).status_code == 409
    assert Entry.objects.count() == before


def test_a_weight_is_needed_for_a_dose(nurse_client: Client, clinician: User) -> None:
    course = admit(clinician, weight_kg=None, baseline={"systolic_mmhg": "126"})
    chart(course, clinician, "oxygen", ago(minutes=20), device="venturi_mask", fio2_percent="50")
    (task,) = card(course, "weight.missing").tasks
    assert task.form_kind == "weight"
    form = nurse_client.get(answer_url(course, DOSE, "done"), **HTMX).context["form"]
    assert form["dose_mg"].value() is None
    chart(course, clinician, "weight", weight_kg="31.4")
    chosen = answer_url(course, DOSE, "done") + "?dose=125.6"
    form = nurse_client.get(chosen, **HTMX).context["form"]
    assert Decimal(form["dose_mg"].value()) == Decimal("125.6")
