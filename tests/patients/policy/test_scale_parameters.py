"""Parameters of scales other than Lee's: on the page, decided, and never read by Lee's grade."""

import pytest
from django.test import Client
from django.utils import timezone

from crs_app.accounts.models import User
from grading.engine.policy import DEFAULT_POLICY, SCALE_PARAMETERS, policy_from
from patients.models import Course, PolicyVersion, SitePolicy
from patients.policy.text import GROUPS
from patients.queries.policies import version_of
from tests.entry_forms import text_of
from tests.patients.policy.policy_form import PAGE, Make, grades, policy_form

CHANGED = {
    "astct_fever_hold_minutes": "0",
    "astct_fever_waived_by": "anticytokine_only",
    "astct_vasopressin_alone_grade": "2",
    "astct_high_flow_by": "device",
    "icans_seizure_hold_minutes": "60",
    "icans_capd_1_to_8_grade": "0",
    "icans_capd_below_years": "18",
    "penn_neuro_counts": "True",
    "penn_ctcae_4_grade": "3",
    "penn_single_bolus_grade": "1",
    "penn_multiple_bolus_minutes": "60",
    "penn_iv_therapy_hold_minutes": "60",
    "penn_product_hold_minutes": "60",
    "cartox_neuro_counts": "True",
    "cartox_child_bipap_grade": "4",
    "mskcc_fluids_grade": "2",
    "mskcc_noninvasive_grade": "4",
    "ctcae_positive_pressure_grade": "3",
    "ctcae_4_symptomatic_hold_minutes": "60",
    "ctcae_5_multiple_vasopressors_grade": "3",
    "ice_due_minutes": "240",
    "ice_due_reduced_minutes": "120",
}
"""Another value of every one, as the form sends it."""


def test_each_scale_has_its_group() -> None:
    assert CHANGED.keys() == SCALE_PARAMETERS
    groups = {title: set(names) for title, names in GROUPS.items() if SCALE_PARAMETERS & set(names)}
    assert list(groups) == ["ASTCT 2019", "ICANS", "Penn", "CARTOX", "MSKCC", "CTCAE"]
    assert set().union(*groups.values()) == SCALE_PARAMETERS


def test_the_page_says_that_they_change_no_lee_grade(auditor_client: Client) -> None:
    page = text_of(auditor_client.get(PAGE).content.decode())
    of_display = {"ice_due_minutes", "ice_due_reduced_minutes"}
    assert page.count("changes no Lee grade") == len(SCALE_PARAMETERS - of_display)
    assert "Their values change no Lee grade, no advice and no history." in page


def test_all_of_them_are_previewed_and_decided_in_words(
    administrator_client: Client, on_cpap: Course
) -> None:
    before = [grade for grade, _ in grades(on_cpap)]
    sent = policy_form(**CHANGED)
    preview = administrator_client.post(PAGE, sent)
    page = text_of(preview.content.decode())
    assert len(preview.context["changes"]) == len(CHANGED)
    assert page.count("changes no Lee grade") == len(CHANGED)
    assert "No Lee grade changes: these values belong to other scales or to the display." in page
    changed = {one.label: (one.before, one.after) for one in preview.context["changes"]}
    cannula = changed["ASTCT: a high-flow cannula at 6 L/min or less is"]
    assert cannula == ("low flow", "high flow")
    waived = changed["ASTCT: an antipyretic waives the fever, as anticytokine drugs do"]
    assert waived == ("yes", "no")
    assert list(preview.context["effects"]) == []
    assert administrator_client.post(PAGE, sent | {"step": "confirm"}).status_code == 302
    stored = policy_from(SitePolicy.objects.get().version.values)
    assert {name: str(getattr(stored, name)) for name in CHANGED} == CHANGED
    assert {grade for grade, _ in grades(on_cpap)} == set(before)


def test_a_preview_of_both_says_which_of_them_changes_no_lee_grade(
    administrator_client: Client, on_cpap: Course
) -> None:
    sent = policy_form(cpap_grade="4", astct_vasopressin_alone_grade="2")
    preview = administrator_client.post(PAGE, sent)
    changed = {one.label: one.changes_lee for one in preview.context["changes"]}
    assert changed == {"CPAP is grade": True, "ASTCT: vasopressin alone is grade": False}
    assert "No Lee grade changes" not in text_of(preview.content.decode())
    assert len(preview.context["effects"]) == 1


@pytest.mark.parametrize(
    ("name", "typed"), [("astct_vasopressin_alone_grade", "4"), ("ice_due_minutes", "4")]
)
def test_an_impossible_value_is_refused_at_its_field(
    administrator_client: Client, name: str, typed: str
) -> None:
    answer = administrator_client.post(PAGE, policy_form(**{name: typed}))
    assert answer.status_code == 422
    assert set(answer.context["form"].errors) == {name}


# A stored policy says nothing of a scale parameter at its default (docs/decisions.md, D132): what
# it meant then holds only while these defaults stay. A site that wants another value decides it.
DEFAULTS = {
    "astct_fever_hold_minutes": 1440,
    "astct_fever_waived_by": "antipyretic_or_anticytokine",
    "astct_vasopressin_alone_grade": 3,
    "astct_high_flow_by": "flow",
    "icans_seizure_hold_minutes": 1440,
    "icans_capd_1_to_8_grade": 1,
    "icans_capd_below_years": 12,
    "penn_neuro_counts": False,
    "penn_ctcae_4_grade": 4,
    "penn_single_bolus_grade": 2,
    "penn_multiple_bolus_minutes": 1440,
    "penn_iv_therapy_hold_minutes": 1440,
    "penn_product_hold_minutes": 1440,
    "cartox_neuro_counts": False,
    "cartox_child_bipap_grade": 3,
    "mskcc_fluids_grade": 1,
    "mskcc_noninvasive_grade": 3,
    "ctcae_positive_pressure_grade": 4,
    "ctcae_4_symptomatic_hold_minutes": 1440,
    "ctcae_5_multiple_vasopressors_grade": 4,
    "ice_due_minutes": 720,
    "ice_due_reduced_minutes": 480,
}


def test_the_defaults_that_stored_policies_rest_on_stay() -> None:
    assert {name: getattr(DEFAULT_POLICY, name) for name in SCALE_PARAMETERS} == DEFAULTS


def test_a_policy_stored_before_these_parameters_is_the_same_version(
    course: Course, nurse: User
) -> None:
    assert not SCALE_PARAMETERS & set(course.policy.values)
    assert version_of(DEFAULT_POLICY, timezone.now()) == course.policy
    assert policy_from(course.policy.values) == DEFAULT_POLICY


def test_a_stored_policy_has_what_was_decided_of_other_scales(decided: Make) -> None:
    decided(icans_capd_below_years=18)
    version = PolicyVersion.objects.latest("pk")
    assert version.values["icans_capd_below_years"] == 18
    assert SCALE_PARAMETERS & set(version.values) == {"icans_capd_below_years"}
    assert policy_from(version.values).icans_capd_below_years == 18
