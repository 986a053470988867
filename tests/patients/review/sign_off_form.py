"""The form that signs a grade, sent as the page had it."""

from __future__ import annotations

from datetime import datetime
from html.parser import HTMLParser
from typing import Any

from django.test import Client
from django.urls import reverse

from patients.models import Course


class FormParser(HTMLParser):
    """The hidden fields of the form in the panel."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self.inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        if tag == "form":
            self.inside = "/sign-off/" in (named.get("action") or "")
        elif tag == "input" and self.inside and named.get("type") == "hidden":
            self.fields[str(named["name"])] = named.get("value") or ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.inside = False


def address(course: Course) -> str:
    return reverse("patients:sign_off", args=[course.pk])


def page(client: Client, course: Course, at: datetime | None = None, **query: str) -> str:
    """The page of the course, at the period of ``at``."""
    asked = query if at is None else {"at": at.isoformat(), **query}
    answer = client.get(address(course), asked)
    assert answer.status_code == 200, answer.content.decode()[:2000]
    return answer.content.decode()


def opened(
    client: Client, course: Course, at: datetime | None = None, **query: str
) -> dict[str, str]:
    """The form of the page as it was opened, agreeing; empty where the page has no form."""
    parser = FormParser()
    parser.feed(page(client, course, at, **query))
    fields = parser.fields
    return fields | {"verdict": "agree"} if fields else {}


def send(client: Client, course: Course, form: dict[str, str], **fields: str) -> Any:
    return client.post(address(course), form | fields)


def signed(
    client: Client, course: Course, at: datetime | None = None, **fields: str
) -> dict[str, str]:
    """Open the page and sign its period; the form that was sent."""
    form = opened(client, course, at) | fields
    answer = send(client, course, form)
    assert answer.status_code == 302, answer.content.decode()[:3000]
    return form


def another(stated: int, reason: str = "sicker", words: str = "") -> dict[str, str]:
    """The fields that state another grade."""
    return {"verdict": "another", "stated": str(stated), "reason": reason, "words": words}
