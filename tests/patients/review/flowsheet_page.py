"""Flowsheets over HTTP: what a test asks of the page, and what it finds there."""

import json
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.test import Client
from django.urls import reverse

from crs_app.accounts.models import User
from patients.exchange.course_file import import_course
from patients.models import Course
from patients.review.flowsheet import Sheet
from patients.review.flowsheet_cells import Cell


def page(client: Client, course: Course, **query: Any) -> Any:
    asked = {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in query.items()
    }
    return client.get(f"{reverse('patients:flowsheet', args=[course.pk])}?{urlencode(asked)}")


def sheet_of(client: Client, course: Course, **query: Any) -> Sheet:
    answer = page(client, course, **query)
    assert answer.status_code == 200, answer.content.decode()[:3000]
    sheet: Sheet = answer.context["sheet"]
    return sheet


def rows_of(sheet: Sheet) -> dict[str, list[Cell]]:
    """The cells of each row, one for each column: a wide cell stands in all its columns."""
    return {
        row.key: [cell for cell in row.cells for _ in range(cell.span)]
        for section in sheet.sections
        for row in section.rows
    }


def imported(nurse: User, *entries: dict[str, Any]) -> Course:
    """A course infused on 1 March 2024 at 06:00, whose entries were charted at their times."""
    document = {
        "format": "crs-course/1",
        "patient": {"mrn": "I1", "name": "Import, Ida", "age_years": 50, "sex": "female"},
        "therapy": {"product": "CAR-T", "infused_at": "2024-03-01T06:00:00+00:00"},
        "weight_kg": 80,
        "entries": list(entries),
    }
    return import_course(json.dumps(document), [nurse])


MARCH_2: dict[str, Any] = {
    "from": "2024-03-02T06:00:00+00:00", "to": "2024-03-03T06:00:00+00:00",
}  # fmt: skip
