"""The form of a laboratory report: one act, an entry for each row, errors at the row's field."""

import re
import uuid
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from grading.engine.analytes import Analyte, AnalyteGroup
from patients.models import ChartingAct, Course, Entry, GradePeriod

HTMX = {"headers": {"HX-Request": "true"}}


def send(client: Client, course: Course, **fields: Any) -> Any:
    form = {"form_id": str(uuid.uuid4()), "attribution": "crs", **fields}
    return client.post(reverse("patients:entries", args=[course.pk, "lab"]), form, **HTMX)


def bodies(course: Course) -> list[dict[str, Any]]:
    return list(
        Entry.objects.filter(course=course, kind="lab")
        .order_by("recorded_at", "place")
        .values_list("body", flat=True)
    )


REPORT = {
    "alt": "201",
    "alt_lower_limit": "7",
    "alt_upper_limit": "40",
    "crp": "<5",
    "crp_unit": "mg/L",
    "ferritin": "> 40000",
    "ferritin_unit": "ug/L",
    "creatinine": "106",
    "creatinine_unit": "umol/L",
    "creatinine_upper_limit": "90",
    "laboratory": "Core laboratory",
}


def test_a_report_is_one_act_with_an_entry_for_each_result(
    nurse_client: Client, course: Course
) -> None:
    acts = ChartingAct.objects.count()
    answer = send(nurse_client, course, **REPORT)
    assert answer.status_code == 200, answer.content.decode()
    assert 'data-grade="3"' in answer.content.decode()
    assert bodies(course) == [
        {
            "analyte": "alt",
            "value": "201",
            "unit": "U/L",
            "lower_limit": "7",
            "upper_limit": "40",
        },
        {"analyte": "creatinine", "value": "106", "unit": "umol/L", "upper_limit": "90"},
        {"analyte": "crp", "value": "5", "comparator": "<", "unit": "mg/L"},
        {"analyte": "ferritin", "value": "40000", "comparator": ">", "unit": "ug/L"},
    ]
    act = ChartingAct.objects.latest("recorded_at")
    assert ChartingAct.objects.count() == acts + 1
    assert act.answers["laboratory"] == "Core laboratory"


@pytest.mark.parametrize(
    ("fields", "grade"),
    [
        ({"bilirubin": "13", "bilirubin_unit": "mg/dL", "bilirubin_upper_limit": "1.2"}, 4),
        ({"bilirubin": "3.6", "bilirubin_unit": "mg/dL", "bilirubin_upper_limit": "1.2"}, 2),
        ({"fibrinogen": "<0.5", "fibrinogen_unit": "g/L"}, 4),
        ({"crp": "<90", "crp_unit": "mg/L"}, 0),
    ],
    ids=str,
)
def test_a_result_is_graded(
    nurse_client: Client, course: Course, fields: dict[str, str], grade: int
) -> None:
    answer = send(nurse_client, course, **fields)
    assert answer.status_code == 200, answer.content.decode()
    assert f'data-grade="{grade}"' in answer.content.decode()


@pytest.mark.parametrize(
    ("corrected", "field", "sentence"),
    [
        ({"unit": "mg/dL"}, "unit", "Expected U/L for ALT"),
        ({"value": "30001"}, "value", "0 to 30000"),
        ({"value": "many"}, "value", "not a number"),
        ({"analyte": ""}, "analyte", "Choose the analyte"),
    ],
    ids=str,
)
def test_a_correction_of_a_result_is_held_to_the_same(
    nurse_client: Client, course: Course, corrected: dict[str, str], field: str, sentence: str
) -> None:
    send(nurse_client, course, **REPORT)
    entry = Entry.objects.get(course=course, body__analyte="alt")
    address = reverse("patients:correct", args=[course.pk, entry.pk])
    fields = {"analyte": "alt", "value": "20", "unit": "U/L", "reason": "misread"} | corrected
    sent = {"form_id": str(uuid.uuid4()), "attribution": "crs", **fields}
    answer = nurse_client.post(address, sent, **HTMX)
    assert answer.status_code == 422
    assert sentence in str(answer.context["form"].errors[field])
    assert not Entry.objects.filter(replaces=entry).exists()


def test_rows_without_a_result_say_nothing(nurse_client: Client, course: Course) -> None:
    answer = send(nurse_client, course, alt_upper_limit="40", crp="12", crp_unit="mg/L")
    assert answer.status_code == 200, answer.content.decode()
    assert [body["analyte"] for body in bodies(course)] == ["crp"]
    answer = send(nurse_client, course, alt_upper_limit="40")
    assert answer.status_code == 422
    assert "at least one result" in answer.content.decode()


@pytest.mark.parametrize(
    ("fields", "field", "sentence"),
    [
        ({"alt": "≤5"}, "alt", "Write &lt; or &gt; before the number"),
        ({"alt": ">=5"}, "alt", "Write &lt; or &gt; before the number"),
        ({"alt": "<"}, "alt", "Enter the number after &lt;"),
        ({"alt": "4<"}, "alt", "not a number"),
        ({"alt": "3,5"}, "alt", "decimal point"),
        ({"alt": "30001"}, "alt", "expected 0 to 30000 U/L"),
        ({"alt": "-3"}, "alt", "0 or more"),
        ({"bilirubin": "1.2"}, "bilirubin_unit", "Choose the unit of Bilirubin: mg/dL or µmol/L"),
        ({"alt": "90", "alt_lower_limit": "many"}, "alt_lower_limit", "not a number"),
        (
            {"alt": "90", "alt_lower_limit": "40", "alt_upper_limit": "40"},
            "alt_upper_limit",
            "40 is not above the lower limit, 40",
        ),
        (
            {"creatinine": "106", "creatinine_unit": "mg/dL"},
            "creatinine",
            "Did you mean µmol/L?",
        ),
        (
            {"creatinine": "106", "creatinine_unit": "umol/L", "creatinine_upper_limit": "1.2"},
            "creatinine_upper_limit",
            "Limit of Creatinine 1.2 µmol/L is not possible: expected 4 to 3540 µmol/L. Did you "
            "mean mg/dL?",
        ),
        ({"platelets": "250000"}, "platelets", "250000/µL is 250 ×10⁹/L"),
        ({"lvef": "0.55"}, "lvef", "0.55 is 55 %"),
        ({"crp": "5", "crp_unit": "g/mL"}, "crp_unit", "Choose the unit of CRP"),
    ],
    ids=lambda item: str(item)[:40],
)
def test_what_cannot_be_is_refused_at_its_own_row(
    nurse_client: Client, course: Course, fields: dict[str, str], field: str, sentence: str
) -> None:
    before = Entry.objects.count()
    answer = send(nurse_client, course, ast="30", **fields)
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    page = answer.content.decode()
    assert sentence in page
    for name, typed in (fields | {"ast": "30"}).items():
        if not name.endswith("_unit"):
            typed_there = re.compile(
                rf'name="{name}"\s+id="id_{name}"\s+value="{re.escape(_escaped(typed))}"'
            )
            assert typed_there.search(page), name
    assert Entry.objects.count() == before


def _escaped(text: str) -> str:
    return text.replace("<", "&lt;").replace(">", "&gt;")


def test_every_analyte_and_unit_has_its_place_in_the_panel(
    nurse_client: Client, course: Course
) -> None:
    page = nurse_client.get(reverse("patients:entries", args=[course.pk, "lab"]), **HTMX)
    shown = re.findall(r'data-analyte="(\w+)"', page.content.decode())
    assert shown == [analyte.value for analyte in Analyte]
    headings = re.findall(r'"lab-group">\s+<legend>([^<]+)</legend>', page.content.decode())
    assert headings == [group.label for group in AnalyteGroup]
    options = set(re.findall(r'<option value="([^"]+)"', page.content.decode()))
    assert {u.name for a in Analyte if len(a.units) > 1 for u in a.units} <= options


def test_the_previous_result_is_shown_in_its_row(nurse_client: Client, course: Course) -> None:
    send(nurse_client, course, crp="<5", crp_unit="mg/L")
    page = nurse_client.get(reverse("patients:entries", args=[course.pk, "lab"]), **HTMX)
    previous = page.content.decode().split('id="previous-crp"')[1].split("</span>\n")[0]
    assert "&lt;5\N{NO-BREAK SPACE}mg/L" in previous
    assert "just now" in previous


def test_one_result_of_a_report_is_corrected_alone(nurse_client: Client, course: Course) -> None:
    send(nurse_client, course, **REPORT)
    entry = Entry.objects.get(course=course, body__analyte="alt")
    address = reverse("patients:correct", args=[course.pk, entry.pk])
    form = nurse_client.get(address, **HTMX).context["form"]
    assert form["value"].value() == "201"
    fields = {name: form[name].value() for name in ("observed_date", "observed_time")}
    fields |= {"analyte": "alt", "value": "20.1", "unit": "U/L", "upper_limit": "40"}
    sent = {"form_id": str(uuid.uuid4()), "attribution": "crs", "reason": "misread", **fields}
    assert nurse_client.post(address, sent, **HTMX).status_code == 200
    assert Entry.objects.get(replaces=entry).body["value"] == "20.1"
    assert len(bodies(course)) == len(REPORT_ANALYTES) + 1


REPORT_ANALYTES = {"alt", "crp", "ferritin", "creatinine"}


def test_what_is_unusual_in_one_row_is_asked_and_the_yes_stands_with_its_entry(
    nurse_client: Client, course: Course
) -> None:
    fields = {"alt": "30", "fibrinogen": "2.1", "fibrinogen_unit": "mg/dL"}
    answer = send(nurse_client, course, **fields)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "Fibrinogen 2.1 mg/dL: was it reported in g/L?" in page
    assert bodies(course) == []
    yes = re.search(r'name="confirmed"\s+value="(\w+)"', page)
    assert yes
    assert send(nurse_client, course, **fields, confirmed=yes[1]).status_code == 200
    assert [body["analyte"] for body in bodies(course)] == ["alt", "fibrinogen"]
    ((place, sentence),) = ChartingAct.objects.latest("recorded_at").answers["confirmed"]
    assert place == 1
    assert "g/L" in sentence


def test_one_result_of_a_report_can_be_due_to_something_else(
    nurse_client: Client, course: Course
) -> None:
    fields = {"alt": "900", "ast": "30", "attribution_lab.alt": "other"}
    limits = {"alt_upper_limit": "40", "ast_upper_limit": "40"}
    answer = send(nurse_client, course, **fields, **limits)
    assert list(answer.context["form"].errors) == ["attribution_reason"]
    answer = send(nurse_client, course, **fields, **limits, attribution_reason="statin")
    assert 'data-grade="0"' in answer.content.decode()
    assert [body.get("attribution") for body in bodies(course)] == ["other", None]

    page = nurse_client.get(reverse("patients:entries", args=[course.pk, "lab"]), **HTMX)
    form = page.context["form"]
    assert form["attribution_lab.alt"].value() == "other"
    assert form["attribution_reason"].value() == "statin"
    assert not form["attribution_lab.ast"].value()


def test_results_that_only_other_scales_read_are_offered_charted_and_never_graded(
    nurse_client: Client, course: Course
) -> None:
    page = nurse_client.get(reverse("patients:entries", args=[course.pk, "lab"]), **HTMX)
    others = [analyte for analyte in Analyte if analyte.group is AnalyteGroup.OTHER]
    assert others[-3:] == [Analyte.LDH, Analyte.TRIGLYCERIDES, Analyte.HEMOGLOBIN]
    for analyte in others:
        assert f'name="{analyte}"' in page.content.decode()
    report = {
        "ldh": "15000", "ldh_upper_limit": "250", "triglycerides": "3.1",
        "triglycerides_unit": "mmol/L", "hemoglobin": "74", "hemoglobin_unit": "g/L",
    }  # fmt: skip
    answer = send(nurse_client, course, **report)
    assert answer.status_code == 200, answer.content.decode()
    assert [body["analyte"] for body in bodies(course)] == ["ldh", "triglycerides", "hemoglobin"]
    assert bodies(course)[2] == {"analyte": "hemoglobin", "value": "74", "unit": "g/L"}
    assert {one.grade for one in GradePeriod.objects.filter(course=course)} == {0}
    assert 'data-grade="4"' not in answer.content.decode()


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("hemoglobin", {"hemoglobin": "31", "hemoglobin_unit": "g/dL"}),
        ("triglycerides", {"triglycerides": "227", "triglycerides_unit": "mmol/L"}),
        ("ldh", {"ldh": "100001"}),
    ],
)
def test_a_result_beyond_its_hard_limit_is_refused_at_its_row(
    nurse_client: Client, course: Course, name: str, fields: dict[str, str]
) -> None:
    answer = send(nurse_client, course, **fields)
    assert answer.status_code == 422
    assert name in answer.context["form"].errors
