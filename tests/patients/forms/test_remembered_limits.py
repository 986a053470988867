"""Limits of normal of a laboratory, proposed from the report before."""

import json
import re
import uuid
from datetime import date
from html import unescape
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from crs_app.accounts.models import User
from patients.models import ChartingAct, Course, LaboratoryLimits
from tests.entry_forms import HTMX, send_correction
from tests.factories import admit

CHILD_BORN = date(timezone.now().year - 6, 1, 1)
CORE = {
    "laboratory": "Core laboratory",
    "creatinine": "0.9",
    "creatinine_unit": "mg/dL",
    "creatinine_lower_limit": "0.50",
    "creatinine_upper_limit": "1.10",
}


def send(client: Client, course: Course, **fields: Any) -> Any:
    form = {"form_id": str(uuid.uuid4()), "attribution": "crs", **fields}
    return client.post(reverse("patients:entries", args=[course.pk, "lab"]), form, **HTMX)


def saved(client: Client, course: Course, **fields: Any) -> None:
    answer = send(client, course, **fields)
    assert answer.status_code == 200, answer.content.decode()


def panel(client: Client, course: Course) -> str:
    page = client.get(reverse("patients:entries", args=[course.pk, "lab"]), **HTMX)
    return page.content.decode()


def shown(page: str, name: str) -> str:
    found = re.search(rf'name="{name}"\s+id="id_{name}"\s+(?:list="\w+"\s+)?value="([^"]*)"', page)
    assert found, name
    return unescape(found[1])


def limits_shown(page: str, analyte: str = "creatinine") -> tuple[str, str]:
    return shown(page, f"{analyte}_lower_limit"), shown(page, f"{analyte}_upper_limit")


def unit_shown(page: str, analyte: str) -> str:
    options = page.split(f'name="{analyte}_unit"')[1].split("</select>")[0]
    chosen = re.search(r'<option value="([^"]+)" selected', options)
    return chosen[1] if chosen else ""


@pytest.fixture
def woman(clinician: User) -> Course:
    return admit(clinician, mrn="W-2", name="MEIER, Eva")


@pytest.fixture
def clinician(nurse: User) -> User:
    return nurse


def test_limits_are_proposed_to_the_next_patient_with_whose_they_are(
    nurse_client: Client, course: Course, woman: Course
) -> None:
    assert limits_shown(panel(nurse_client, woman)) == ("", "")
    saved(nurse_client, course, **CORE)
    page = panel(nurse_client, woman)
    assert shown(page, "laboratory") == "Core laboratory"
    assert unit_shown(page, "creatinine") == "mg/dL"
    assert limits_shown(page) == ("0.50", "1.10")
    today = timezone.localtime()
    assert f"J. Ruiz, {today.day} {today:%b}" in page
    assert limits_shown(page, "alt") == ("", "")


@pytest.mark.parametrize(
    "other",
    [
        {"sex": "male"},
        {"sex": "unknown"},
        {"birth_date": CHILD_BORN},
        {"birth_date": None, "age_years": 17},
    ],
    ids=str,
)
def test_limits_of_a_woman_are_for_no_man_and_no_child(
    nurse_client: Client, course: Course, nurse: User, other: dict[str, Any]
) -> None:
    saved(nurse_client, course, **CORE)
    another = admit(nurse, mrn="OTHER-1", **other)
    page = panel(nurse_client, another)
    assert limits_shown(page) == ("", "")
    assert "1.10" not in page
    assert "Core laboratory" in page


def test_limits_of_a_child_are_proposed_with_the_age_they_were_for(
    nurse_client: Client, nurse: User, course: Course
) -> None:
    child = admit(nurse, mrn="C-1", birth_date=CHILD_BORN, weight_kg="20")
    sibling = admit(nurse, mrn="C-2", birth_date=CHILD_BORN, weight_kg="21")
    saved(nurse_client, child, **CORE | {"creatinine_upper_limit": "0.60"})
    page = panel(nurse_client, sibling)
    assert limits_shown(page) == ("0.50", "0.60")
    assert ", for 6 y" in page
    assert limits_shown(panel(nurse_client, course)) == ("", "")


def test_each_unit_and_each_laboratory_has_limits_of_its_own(
    nurse_client: Client, course: Course, woman: Course
) -> None:
    saved(nurse_client, course, **CORE)
    in_si = {"creatinine": "80", "creatinine_unit": "umol/L"}
    si_limits = {"creatinine_lower_limit": "45", "creatinine_upper_limit": "97"}
    saved(nurse_client, course, laboratory="core  LABORATORY", **in_si, **si_limits)
    night = {"creatinine_lower_limit": "0.4", "creatinine_upper_limit": "1.2"}
    saved(nurse_client, course, **CORE | night | {"laboratory": "Night laboratory"})

    page = panel(nurse_client, woman)
    assert shown(page, "laboratory") == "Night laboratory"
    assert limits_shown(page) == ("0.4", "1.2")
    found = re.search(r'data-remembered="([^"]+)"', page)
    assert found
    known = json.loads(unescape(found[1]))
    assert set(known) == {"Core laboratory", "Night laboratory"}
    core = known["Core laboratory"]["creatinine"]
    assert core["mg/dL"][:2] == ["0.50", "1.10"]
    assert core["umol/L"][:2] == ["45", "97"]


def test_only_what_differs_is_remembered_and_the_latest_is_proposed(
    nurse_client: Client, course: Course, woman: Course
) -> None:
    saved(nurse_client, course, **CORE)
    saved(nurse_client, course, **CORE | {"creatinine_upper_limit": "1.1"})
    assert LaboratoryLimits.objects.count() == 1
    saved(nurse_client, course, **CORE | {"creatinine_upper_limit": "1.2"})
    assert LaboratoryLimits.objects.count() == 2
    assert limits_shown(panel(nurse_client, woman)) == ("0.50", "1.2")
    remembered = LaboratoryLimits.objects.latest("pk")
    assert remembered.act == ChartingAct.objects.latest("recorded_at")
    assert remembered.recorded_at == remembered.act.recorded_at


@pytest.mark.parametrize(
    "left_out",
    [
        {"laboratory": ""},
        {"creatinine": "", "alt": "30"},
        {"creatinine_lower_limit": "", "creatinine_upper_limit": ""},
    ],
    ids=["no laboratory", "no result", "no limits"],
)
def test_what_was_not_charted_is_not_remembered(
    nurse_client: Client, course: Course, left_out: dict[str, str]
) -> None:
    saved(nurse_client, course, **CORE | left_out)
    assert not LaboratoryLimits.objects.exists()


def test_a_refused_panel_remembers_nothing(nurse_client: Client, course: Course) -> None:
    assert send(nurse_client, course, **CORE, alt="many").status_code == 422
    assert not LaboratoryLimits.objects.exists()


def test_limits_of_another_unit_are_noticed(
    nurse_client: Client, course: Course, woman: Course
) -> None:
    """Without JavaScript the limits stay as they were when another unit is chosen."""
    bilirubin = {
        "laboratory": "Core laboratory",
        "bilirubin": "0.9",
        "bilirubin_unit": "mg/dL",
        "bilirubin_upper_limit": "1.2",
    }
    saved(nurse_client, course, **bilirubin)
    answer = send(nurse_client, woman, **bilirubin | {"bilirubin_unit": "umol/L"})
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == ["bilirubin_upper_limit"]
    assert "these are the limits in mg/dL" in answer.content.decode()


def test_limits_of_another_laboratory_are_noticed(nurse_client: Client, course: Course) -> None:
    """Without JavaScript the limits stay as they were when another laboratory is named."""
    saved(nurse_client, course, **CORE)
    elsewhere = CORE | {"laboratory": "Night laboratory", "proposed_for": "Core laboratory"}
    answer = send(nurse_client, course, **elsewhere)
    assert answer.status_code == 422
    assert "The limits shown were those of Core laboratory" in answer.content.decode()
    page = answer.content.decode()
    assert limits_shown(page) == ("0.50", "1.10")
    saved(nurse_client, course, **elsewhere | {"proposed_for": shown(page, "proposed_for")})


def test_the_laboratory_of_the_course_is_proposed_before_the_site_s(
    nurse_client: Client, course: Course, woman: Course
) -> None:
    saved(nurse_client, course, **CORE)
    saved(nurse_client, woman, **CORE | {"laboratory": "Night laboratory"})
    assert shown(panel(nurse_client, course), "laboratory") == "Core laboratory"
    assert shown(panel(nurse_client, woman), "laboratory") == "Night laboratory"


def test_what_is_remembered_is_read_by_one_query(nurse_client: Client, course: Course) -> None:
    saved(nurse_client, course, **CORE)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        panel(nurse_client, course)
    reading = [q for q in queries if "patients_laboratorylimits" in q["sql"]]
    assert len(reading) == 1


@pytest.mark.usefixtures("as_owner")
def test_remembered_limits_are_append_only(nurse_client: Client, course: Course) -> None:
    saved(nurse_client, course, **CORE)
    remembered = LaboratoryLimits.objects.get()
    connection.cursor().execute("SET CONSTRAINTS ALL IMMEDIATE")
    for change in (
        lambda: LaboratoryLimits.objects.update(upper="9"),
        lambda: LaboratoryLimits.objects.filter(pk=remembered.pk).delete(),
        lambda: connection.cursor().execute("TRUNCATE patients_laboratorylimits"),
    ):
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            change()


def retract(client: Client, course: Course, analyte: str = "creatinine") -> None:
    entry = course.entries.filter(body__analyte=analyte, replaced_by=None).latest("recorded_at")
    address = reverse("patients:retract", args=[course.pk, entry.pk])
    sent = {"form_id": str(uuid.uuid4()), "reason": "wrong limit"}
    assert client.post(address, sent, **HTMX).status_code == 200


def correct(client: Client, course: Course, **changes: str) -> None:
    entry = course.entries.filter(body__analyte="creatinine", replaced_by=None).latest("at")
    assert send_correction(client, course, entry, **changes).status_code == 200


WRONG = CORE | {"creatinine_upper_limit": "1.90"}


def test_a_limit_goes_with_the_result_that_was_entered_in_error(
    nurse_client: Client, course: Course, woman: Course
) -> None:
    saved(nurse_client, course, **WRONG)
    assert limits_shown(panel(nurse_client, woman)) == ("0.50", "1.90")
    retract(nurse_client, course)
    page = panel(nurse_client, woman)
    assert limits_shown(page) == ("", "")
    assert "1.90" not in page
    assert unit_shown(panel(nurse_client, course), "creatinine") == ""


def test_the_limit_before_it_comes_back(
    nurse_client: Client, course: Course, woman: Course
) -> None:
    saved(nurse_client, course, **CORE)
    saved(nurse_client, course, **WRONG)
    retract(nurse_client, course)
    assert limits_shown(panel(nurse_client, woman)) == ("0.50", "1.10")


def test_the_limit_of_a_correction_takes_its_place(
    nurse_client: Client, course: Course, woman: Course
) -> None:
    saved(nurse_client, course, **WRONG)
    correct(nurse_client, course, upper_limit="1.20")
    assert limits_shown(panel(nurse_client, woman)) == ("0.50", "1.20")
    correct(nurse_client, course, upper_limit="1.30")
    assert limits_shown(panel(nurse_client, woman)) == ("0.50", "1.30")
    correct(nurse_client, course, value="1.0")
    assert limits_shown(panel(nurse_client, woman)) == ("0.50", "1.30")
    retract(nurse_client, course)
    assert limits_shown(panel(nurse_client, woman)) == ("", "")


def test_a_limit_that_a_later_result_reports_too_stays(
    nurse_client: Client, course: Course, woman: Course
) -> None:
    saved(nurse_client, course, **CORE)
    saved(nurse_client, woman, **CORE)
    retract(nurse_client, course)
    assert limits_shown(panel(nurse_client, woman)) == ("0.50", "1.10")
    retract(nurse_client, woman)
    assert limits_shown(panel(nurse_client, woman)) == ("", "")


def test_a_limit_of_another_unit_is_asked_about_before_it_is_remembered(
    nurse_client: Client, course: Course, woman: Course
) -> None:
    bilirubin = {"laboratory": "Core", "bilirubin": "20", "bilirubin_unit": "umol/L"}
    fields = bilirubin | {"bilirubin_upper_limit": "1.2"}
    asked = send(nurse_client, course, **fields)
    assert asked.status_code == 422
    assert "1.2 µmol/L is unusual as upper limit of normal" in asked.content.decode()
    assert "Is it the limit in mg/dL?" in asked.content.decode()
    assert not LaboratoryLimits.objects.exists()
    yes = asked.context["form"].questions_digest
    saved(nurse_client, course, **fields, confirmed=yes)
    answers = ChartingAct.objects.latest("recorded_at").answers
    assert "1.2 µmol/L" in answers["confirmed"][0][1]
    entry = course.entries.get(body__analyte="bilirubin")
    again = send_correction(nurse_client, course, entry, value="21")
    assert again.status_code == 422
    assert "unusual as upper limit" in again.content.decode()


@pytest.mark.parametrize(
    ("fields", "asked"),
    [
        ({"bilirubin": "20", "bilirubin_unit": "mg/dL", "bilirubin_upper_limit": "21"}, True),
        ({"fibrinogen": "120", "fibrinogen_unit": "mg/dL", "fibrinogen_lower_limit": "2"}, True),
        ({"alt": "30", "alt_upper_limit": "4"}, True),
        ({"alt": "300", "alt_upper_limit": "4000"}, True),
        ({"inr": "3", "inr_upper_limit": "12"}, True),
        ({"inr": "3", "inr_upper_limit": "1.2"}, False),
        ({"fibrinogen": "120", "fibrinogen_unit": "mg/dL", "fibrinogen_lower_limit": "200"}, False),
    ],
    ids=str,
)
def test_limits_of_normal_that_cannot_be_of_this_unit_are_asked_about(
    nurse_client: Client, course: Course, fields: dict[str, str], asked: bool
) -> None:
    answer = send(nurse_client, course, **fields)
    assert (answer.status_code == 422) is asked
    assert bool(course.entries.filter(kind="lab").exists()) is not asked
