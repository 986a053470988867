"""Entry forms bound to typed values, without a request."""

import uuid
from typing import Any

from django.utils import timezone

from grading.course_file import read_entry
from patients.display.text import entry_text
from patients.forms.entry_form import EntryForm
from patients.forms.registry import ENTRY_FORMS
from patients.models import Course


def bound(course: Course, kind: str, **fields: Any) -> EntryForm:
    common = {"form_id": str(uuid.uuid4()), "attribution": "crs", "temperature_unit": "c"}
    return ENTRY_FORMS[kind](common | fields, course=course, now=timezone.now())


def body_of(course: Course, kind: str, **fields: Any) -> dict[str, Any]:
    form = bound(course, kind, **fields)
    if not form.errors and form.questions:
        form = bound(course, kind, **fields, confirmed=form.questions_digest)
    assert form.is_valid(), form.errors
    (draft,) = form.new_entries()
    words = {**draft.body, "kind": kind, "id": "1", "at": draft.at.isoformat()}
    assert entry_text(read_entry(words))
    return dict(draft.body)


def refusal(course: Course, kind: str, field: str, **fields: Any) -> str:
    form = bound(course, kind, **fields)
    assert not form.is_valid()
    assert field in form.errors, form.errors
    return str(form.errors[field][0])
