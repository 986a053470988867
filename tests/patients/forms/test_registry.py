"""Each kind of entry by its form: charted, graded, refused, corrected."""

import uuid
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crs_app.accounts.models import User
from grading.engine.analytes import Analyte
from grading.engine.vocabulary import TOXICITY_TERMS
from patients.bedside.page import TABS
from patients.forms.registry import CORRECTION_FORMS, ENTRY_FORMS
from patients.models import Course, Entry, EntryKind
from patients.queries.status import read_course_status
from tests.entry_forms import HTMX, send
from tests.factories import chart

ACCEPTED = [
    ("toxicity", {"term": "encephalopathy", "grade": "3"}, 3),
    ("toxicity", {"term": "rash", "grade": "0"}, 0),
    ("treatment", {"agent": "tocilizumab", "dose_mg": "320"}, 0),
    ("baseline", {"systolic_mmhg": "120", "diastolic_mmhg": "70", "lvef_percent": "60"}, 0),
]


@pytest.mark.parametrize(("kind", "fields", "grade"), ACCEPTED, ids=lambda item: str(item)[:40])
def test_what_is_found_is_charted_and_graded(
    nurse_client: Client, course: Course, kind: str, fields: dict[str, str], grade: int
) -> None:
    answer = send(nurse_client, course, kind, **fields)
    assert answer.status_code == 200, answer.content.decode()
    assert f'data-grade="{grade}"' in answer.content.decode()
    entry = Entry.objects.filter(course=course, kind=kind).latest("recorded_at")
    for name, value in fields.items():
        assert entry.body[name] == value


REFUSED = [
    ("toxicity", {"term": "rash"}, "grade", "Choose the CTCAE grade"),
    ("toxicity", {"grade": "2"}, "term", "Choose the toxicity"),
    ("treatment", {"agent": "other"}, "note", "Name the treatment"),
    ("treatment", {"agent": "tocilizumab", "dose_mg": "0"}, "dose_mg", "above 0"),
    ("baseline", {}, None, "at least one baseline value"),
    ("baseline", {"systolic_mmhg": "70", "diastolic_mmhg": "80"}, "diastolic_mmhg", "not below"),
    ("baseline", {"creatinine_mg_dl": "41"}, "creatinine_mg_dl", "0.05 to 40"),
]


@pytest.mark.parametrize(
    ("kind", "fields", "field", "sentence"), REFUSED, ids=lambda i: str(i)[:40]
)
def test_what_cannot_be_is_refused_at_its_field(
    nurse_client: Client,
    course: Course,
    kind: str,
    fields: dict[str, str],
    field: str | None,
    sentence: str,
) -> None:
    before = Entry.objects.count()
    answer = send(nurse_client, course, kind, **fields)
    assert answer.status_code == 422
    errors = answer.context["form"].errors
    assert sentence in str(errors[field or "__all__"])
    assert Entry.objects.count() == before


@pytest.mark.parametrize(
    ("kind", "fields", "corrected"),
    [
        ("baseline", {"systolic_mmhg": "120"}, {"systolic_mmhg": "126"}),
        ("toxicity", {"term": "rash", "grade": "2"}, {"grade": "3"}),
    ],
    ids=["baseline", "toxicity"],
)
def test_a_finding_is_corrected_from_what_it_says(
    nurse_client: Client,
    nurse: User,
    course: Course,
    kind: str,
    fields: dict[str, str],
    corrected: dict[str, str],
) -> None:
    send(nurse_client, course, kind, **fields)
    entry = Entry.objects.filter(course=course, kind=kind).latest("recorded_at")
    address = reverse("patients:correct", args=[course.pk, entry.pk])
    form = nurse_client.get(address, **HTMX).context["form"]
    shown = {name: str(form[name].value()) for name in fields}
    assert shown == fields
    time = {
        "observed_date": form["observed_date"].value(),
        "observed_time": form["observed_time"].value(),
    }
    sent = {"form_id": str(uuid.uuid4()), "attribution": "crs", "reason": "misread", **time}
    answer = nurse_client.post(address, sent | fields | corrected, **HTMX)
    assert answer.status_code == 200, answer.content.decode()
    assert Entry.objects.get(replaces=entry).recorded_by == nurse


def test_an_abnormal_baseline_is_charted_as_a_result_too(
    nurse_client: Client, course: Course, clinician: User
) -> None:
    """The form of a baseline says so: the baseline alone does not keep 45 % from counting."""
    send(nurse_client, course, "baseline", lvef_percent="45")
    chart(course, clinician, "lab", analyte="lvef", value="45", unit="%")
    assert read_course_status(course, timezone.now()).current.grade == 2
    before = course.infused_at - timedelta(hours=1)
    chart(course, clinician, "lab", before, analyte="lvef", value="45", unit="%")
    assert read_course_status(course, timezone.now()).current.grade == 0
    form = nurse_client.get(reverse("patients:entries", args=[course.pk, "baseline"]), **HTMX)
    hint = "before? Enter it under Labs too, or the same value later may count as new"
    for when in ("High", "50 or less", "Low"):
        assert f"{when} {hint}" in form.content.decode()


def test_every_form_has_a_tab_and_can_be_corrected() -> None:
    assert set(TABS) == set(ENTRY_FORMS)
    assert set(CORRECTION_FORMS) == set(EntryKind) - {EntryKind.RETRACTION}
    assert set(ENTRY_FORMS) <= set(CORRECTION_FORMS)


def test_every_word_of_the_vocabulary_can_be_chosen() -> None:
    toxicity = dict(ENTRY_FORMS["toxicity"].base_fields["term"].choices)
    offered = {term for terms in toxicity.values() if isinstance(terms, list) for term, _ in terms}
    assert offered == set(TOXICITY_TERMS)
    units = dict(CORRECTION_FORMS["lab"].base_fields["unit"].choices)
    assert {unit.name for analyte in Analyte for unit in analyte.units} <= set(units)


@pytest.mark.parametrize(
    ("kind", "fields", "sentence"),
    [
        ("judgement", {"about": "life_threatening"}, "Say whether it is present"),
        ("judgement", {"present": "yes"}, "Choose what is judged"),
        ("risk", {}, "answer at least one question"),
        ("note", {"note": "  "}, "Nothing is written yet"),
        ("not_observed", {}, "Choose why"),
        ("not_observed", {"reason_not_observed": "other"}, "Say why here"),
        ("death", {"attribution": ""}, "Say whether the death was due to CRS"),
        ("death", {"attribution": "crs"}, "Enter why the death was"),
    ],
)
def test_what_is_missing_is_asked_at_its_field(
    nurse_client: Client, course: Course, kind: str, fields: dict[str, str], sentence: str
) -> None:
    answer = send(nurse_client, course, kind, **fields)
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert not Entry.objects.filter(kind=kind).exists()
