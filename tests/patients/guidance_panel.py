"""The guidance panel of a course, read and answered."""

import uuid
from typing import Any

from django.test import Client
from django.urls import reverse
from django.utils import timezone

from patients.guidance.panel import GuidancePanel, ItemCard, read_panel
from patients.models import Course
from patients.queries.status import read_course_status
from tests.entry_forms import HTMX

DOSE = "tocilizumab.dose"
WORKUP = "infection.workup"
ICU = "icu.one_to_one"


def panel(course: Course) -> GuidancePanel:
    return read_panel(read_course_status(course, timezone.now()))


def card(course: Course, code: str) -> ItemCard:
    shown = panel(course)
    return next(item for item in (*shown.asked, *shown.answered) if item.code == code)


def codes(course: Course) -> list[str]:
    return [item.code for item in panel(course).asked]


def answer_url(course: Course, code: str, reply: str) -> str:
    return reverse("patients:guidance_answer", args=[course.pk, code, reply])


def answered(
    client: Client, course: Course, code: str, reply: str, *, seen: str = "", **fields: Any
) -> Any:
    sent = {"form_id": str(uuid.uuid4()), "seen": seen, **fields}
    return client.post(answer_url(course, code, reply), sent, **HTMX)


def tapped(client: Client, course: Course, action: str, **fields: Any) -> Any:
    sent = {"form_id": str(uuid.uuid4()), "action": action, **fields}
    return client.post(reverse("patients:guidance_action", args=[course.pk]), sent, **HTMX)
