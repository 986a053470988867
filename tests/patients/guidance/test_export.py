"""The CSV file of answers to guidance."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from crs_app.accounts.models import User
from patients.guidance.export import as_spreadsheet_text
from patients.models import Course
from tests.factories import admit
from tests.patients.guidance_panel import DOSE, ICU, answered


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
    assert len(lines(auditor_client, course=grade_3.pk)) == 3
    address = reverse("patients:answers_csv")
    assert auditor_client.get(address, {"course": "x"}).status_code == 404


@pytest.mark.parametrize("cell", ["=1", "+1", "-1", "@x", "\t=1", "\r=1", "  =1"])
def test_no_cell_is_run_as_a_formula(cell: str) -> None:
    assert as_spreadsheet_text(cell).startswith("'")
    assert as_spreadsheet_text("norepinephrine = 20") == "norepinephrine = 20"
