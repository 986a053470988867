"""A round of ICE sent over HTTP, and what it charted."""

from typing import Any

from django.test import Client

from patients.display.ice_questions import QUESTIONS
from patients.models import ChartingAct, Course
from tests.entry_forms import send

ALL_RIGHT = {f"ask_{question.name}": "right" for question in QUESTIONS}


def send_round(client: Client, course: Course, tool: str = "ice", **fields: Any) -> Any:
    return send(client, course, "ice", tool=tool, **fields)


def charted(course: Course) -> dict[str, dict[str, Any]]:
    """The bodies of the last act by kind, of a sign by its name."""
    act = ChartingAct.objects.filter(course=course).latest("recorded_at")
    return {
        entry.body.get("sign", entry.kind): entry.body for entry in act.entries.order_by("place")
    }


def errors_of(response: Any) -> dict[str, list[str]]:
    assert response.status_code == 422
    return {name: list(found) for name, found in response.context["form"].errors.items()}
