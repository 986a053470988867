"""Entry forms sent over HTTP, as the bedside page sends them."""

import re
import uuid
from html import unescape
from typing import Any

from django.test import Client
from django.urls import reverse

from patients.bedside.after_save import AfterSave
from patients.display.timeline import TimelineRow
from patients.models import Course, Entry

HTMX: dict[str, Any] = {"headers": {"HX-Request": "true"}}
"""Arguments of a test client's request that make it one of htmx."""


def url(name: str, course: Course, *args: Any) -> str:
    """The address of a page of a course by its name in patients/urls.py."""
    return reverse(f"patients:{name}", args=[course.pk, *args])


def form(**fields: Any) -> dict[str, Any]:
    """The fields that every entry form sends, under a new idempotency key, and ``fields``."""
    return {"form_id": str(uuid.uuid4()), "attribution": "crs", **fields}


def vitals(**fields: Any) -> dict[str, Any]:
    """A form of vital signs in degrees Celsius."""
    return form(temperature_unit="c", **fields)


def send(client: Client, course: Course, kind: str, **fields: Any) -> Any:
    """The answer to a new entry of ``kind``."""
    sent = {"temperature_unit": "c", **form(**fields)}
    return client.post(url("entries", course, kind), sent, **HTMX)


def send_correction(client: Client, course: Course, entry: Entry, **fields: Any) -> Any:
    """The answer to a correction: the form of the entry as shown, changed in ``fields``."""
    address = url("correct", course, entry.pk)
    opened = client.get(address, **HTMX).context["form"]
    shown = {name: opened[name].value() for name in opened.fields}
    sent = {name: value for name, value in shown.items() if value not in (None, "")}
    return client.post(address, sent | {"reason": "misread"} | fields, **HTMX)


def form_html(client: Client, course: Course, kind: str) -> str:
    """The empty form for an entry of ``kind``."""
    page = client.get(url("entries", course, kind), **HTMX)
    return page.content.decode()


def text_of(html: str) -> str:
    """The text of a page without its tags, with single spaces."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", html)))


def words_of(answer: Any) -> str:
    """The text of an answer."""
    return text_of(answer.content.decode())


def rows_of(saved: AfterSave) -> list[TimelineRow]:
    """The rows that a save adds, newest first."""
    return [row for new in reversed(saved.new_rows or []) for row in new.rows]
