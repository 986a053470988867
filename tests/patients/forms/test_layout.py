"""Each form shows all its fields by its layout, shares none, and reads no database by itself."""

import re
import uuid
from typing import Any

import pytest
from django import forms
from django.template import engines
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from crs_app.accounts.models import User
from grading.course_file import read_entry
from grading.engine.analytes import Analyte
from patients.forms.entry_form import EntryForm
from patients.forms.fields import FlatSelect
from patients.forms.proposals import Proposals, read_proposals
from patients.forms.registry import CORRECTION_FORMS, ENTRY_FORMS
from patients.models import Course
from patients.queries.entries import entries_in_force, parse_entries
from patients.recording.record import record_entries
from patients.ward.forms import AdmissionForm, EndForm, MoveForm
from tests.factories import chart, sending

pytestmark = pytest.mark.django_db
_ASKED_FOR_ALONE = re.compile(r"\w+_which")
HTMX: dict[str, Any] = {"headers": {"HX-Request": "true"}}


def rendered(form: Any) -> str:
    page = engines["jinja2"].env.from_string("{{ crispy(form) }}")
    return page.render(form=form, previous={}, running=[])


def unshown(form: Any) -> set[str]:
    """The fields that are not on the page, but for those that are asked for when needed."""
    missing = set(form.fields) - set(re.findall(r'\bname="([^"]+)"', rendered(form)))
    return {name for name in missing if not _ASKED_FOR_ALONE.fullmatch(name)}


@pytest.mark.parametrize("kind", ENTRY_FORMS)
def test_every_field_of_a_form_is_on_the_page(kind: str, course: Course) -> None:
    expected = {
        # An analyte with one unit has no choice of units.
        "lab": {f"{analyte}_unit" for analyte in Analyte if len(analyte.units) == 1},
        # Its reason says what there is to say.
        "death": {"note"},
        # A round asks by ICE or by CAPD.
        "ice": {"capd_score", "cause_capd", "cause_reason_capd"},
    }
    form = ENTRY_FORMS[kind](course=course, now=timezone.now())
    assert unshown(form) == expected.get(kind, set())


@pytest.mark.parametrize("form_class", [AdmissionForm, MoveForm, EndForm])
def test_every_field_of_a_form_of_the_ward_is_on_the_page(form_class: Any, course: Course) -> None:
    options = {} if form_class is AdmissionForm else {"course": course}
    form = form_class(now=timezone.now(), **options)
    assert unshown(form) == set()


@pytest.mark.parametrize("kind", CORRECTION_FORMS)
def test_a_form_shares_no_field_with_another(kind: str, course: Course) -> None:
    one, other = (CORRECTION_FORMS[kind](course=course, now=timezone.now()) for _ in range(2))
    for name, field in one.fields.items():
        assert field is not other.fields[name]
        assert field.widget is not other.fields[name].widget
    note = next(iter(one.own_fields()), "note")
    one.fields[note].help_text = "of this patient alone"
    assert "of this patient alone" not in rendered(other)


@pytest.mark.parametrize("kind", ENTRY_FORMS)
def test_a_form_is_made_and_shown_without_a_statement(
    kind: str,
    course: Course,
    clinician: User,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    """What it proposes was read before, and is passed to it."""
    chart(course, clinician, "vasopressor", drug="norepinephrine", rate="6", unit="ug/min")
    now = timezone.now()
    proposed = read_proposals(kind, course, now)
    with django_assert_num_queries(0):
        rendered(ENTRY_FORMS[kind](course=course, now=now, proposed=proposed))


def bound(course: Course, kind: str, **typed: Any) -> EntryForm:
    common = {"form_id": str(uuid.uuid4()), "attribution": "crs", "temperature_unit": "c"}
    return ENTRY_FORMS[kind](
        common | typed, course=course, now=timezone.now(), proposed=Proposals()
    )


@pytest.mark.parametrize(
    ("kind", "typed"),
    [
        ("vitals", {"temperature": "38.40", "heart_rate": "90", "note": "shivers"}),
        ("vitals", {"temperature": "38", "attribution": "other", "attribution_reason": "pain"}),
        ("oxygen", {"device": "nasal_cannula", "flow_l_per_min": "2"}),
        ("lab", {"crp": "5.0", "crp_unit": "mg/L", "alt": ">40"}),
        ("symptom", {"symptom_nausea": "yes", "symptom_rash": "no"}),
        ("weight", {"weight_kg": "80.5"}),
    ],
)
def test_a_new_entry_carries_what_its_body_reads_as(
    kind: str, typed: dict[str, str], course: Course
) -> None:
    form = bound(course, kind, **typed)
    assert form.is_valid(), form.errors
    new_entries = form.new_entries()
    assert new_entries
    for new in new_entries:
        words = {**new.body, "id": "form", "kind": new.kind, "at": new.at.isoformat()}
        assert new.parsed == read_entry(words)


def test_a_correction_of_a_symptom_without_an_answer_is_refused(
    nurse_client: Client, course: Course, clinician: User
) -> None:
    entry = chart(course, clinician, "symptom", term="nausea", present=True).entries[0]
    answer = nurse_client.post(
        reverse("patients:correct", args=[course.pk, entry.pk]),
        {"form_id": str(uuid.uuid4()), "term": "nausea", "reason": "Misread"},
        **HTMX,
    )
    assert answer.status_code == 422
    assert "present" in answer.context["form"].errors


def test_a_flat_select_is_what_django_writes() -> None:
    """Escaped alike, with attributes that are on, off, or have a value."""
    choices = [("", "none"), ('a "b"', "<b>x</b> & more"), ("c", "d")]
    attrs = {"data-x": 'a "b" <c>', "required": True, "hidden": False}
    for value in ("", "c", 'a "b"', None):
        ours, django_s = (
            re.sub(r"\s+", " ", select(attrs=attrs, choices=choices).render("n<", value))
            for select in (FlatSelect, forms.Select)
        )
        assert ours == django_s


def test_an_entry_graded_from_memory_equals_the_entry_read_back(course: Course) -> None:
    """A save grades what its form has read; the next save reads the same entry from its row."""
    form = bound(course, "vitals", temperature="38.40", systolic_mmhg="88", note="shivers")
    assert form.is_valid(), form.errors
    result = record_entries(course, form.new_entries(), sending(course.admitted_by))
    (in_memory,) = [row.parsed for row in result.new_rows]
    assert in_memory is not None
    assert in_memory in parse_entries(entries_in_force(course.pk, after=None))
