"""The CSV file of answers to guidance."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from crs_app.accounts.models import User
from crs_app.spreadsheet import as_spreadsheet_text
from patients.models import Course
from tests.factories import admit
from tests.patients.guidance_panel import DOSE, ICU, answered
from tests.record.conftest import recorded


def lines(client: Client, **query: Any) -> list[str]:
    answer = client.get(reverse("patients:answers_csv"), query)
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
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
    assert recorded(other)[-1].details["page"] == "answers to guidance (CSV)"
    assert len(lines(auditor_client, course=grade_3.pk)) == 3
    address = reverse("patients:answers_csv")
    assert auditor_client.get(address, {"course": "x"}).status_code == 404


FORMULAS = (
    "=1", "+1", "-1", "@x", "\t=1", "\r=1", "  =1", "\u00a0=1", "\ufeff=1+1", "\u200b=1",
    "\u3000=1", "\uff1d1+1", "\uff0b1", "\uff0d1", "\uff20SUM(1)", "\ufe661", "\ufe62\u200d1",
    "\u22121+1", "\u20131", "\u2060\ufeff \uff1d1", "\u0000=1", "\u202e=1", "\u0301=1", "\t1",
)  # fmt: skip


@pytest.mark.parametrize("cell", FORMULAS)
def test_no_cell_is_run_as_a_formula(cell: str) -> None:
    assert as_spreadsheet_text(cell) == f"'{cell}"


@pytest.mark.parametrize("sign", [";", "\t", "\n", "\r\n", ";;", "; ;"])
def test_no_later_cell_is_run_as_one_where_semicolons_part_the_cells(sign: str) -> None:
    """Excel with a decimal comma parts the lines there, whatever quotes stand around a text."""
    assert as_spreadsheet_text(f"x{sign}=1+1;y") == f"x{sign}'=1+1;y"
    assert as_spreadsheet_text(f"=1{sign}x{sign} \uff20y") == f"'=1{sign}x{sign}' \uff20y"
    assert as_spreadsheet_text(f"x{sign}y") == f"x{sign}y"


@pytest.mark.parametrize("cell", ["norepinephrine = 20", "", " ", "4711", "\ufeffAda", "é-1", ";"])
def test_other_cells_stay_as_they_are(cell: str) -> None:
    assert as_spreadsheet_text(cell) == cell
