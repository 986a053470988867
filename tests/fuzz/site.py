"""The application as gunicorn calls it, with patients and people, for requests of any kind."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.test import Client, RequestFactory

from crs_app.accounts.models import Role, User
from crs_app.request_limits import BoundedRequests
from patients.models import Course
from tests.factories import admit, ago, chart, end
from tests.fuzz.values import as_header

TOKEN: Final = "a" * 32


@dataclass
class Request:
    """A request as WSGI has it, and how to read it in a report."""

    method: str
    address: str
    body: bytes = b""
    role: Role | None = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Answer:
    status: int
    text: str
    location: str
    is_html: bool


PERSONS = tuple(role for role in Role if role is not Role.SYSTEM)
"""The roles that sign in; a system has no session."""


class Site:
    """The application as gunicorn calls it, with two courses and someone of each role."""

    def __init__(self, make_user: Callable[..., User]) -> None:
        self._application = BoundedRequests(get_wsgi_application())
        self.users = {role: make_user(f"fuzz-{role}", role) for role in PERSONS}
        self._sessions: dict[Role, str] = {}
        by = self.users[Role.WARD_CLINICIAN]
        self.courses = [admit(by), admit(by, weight_kg=None)]
        self._chart_some(self.courses[0], by)
        self.ended = admit(by)
        end(self.ended, by)
        self.errors: list[str] = []

    def _chart_some(self, course: Course, by: User) -> None:
        at = ago(hours=4)
        chart(course, by, "vitals", at, temperature_c="39.1", systolic_mmhg="84")
        chart(course, by, "oxygen", at, device="venturi_mask", fio2_percent="50")
        chart(course, by, "vasopressor", at, drug="norepinephrine", rate="21", unit="ug/min")
        chart(course, by, "symptom", at, term="fatigue", present=True)
        chart(course, by, "toxicity", at, term="confusion", grade=2)
        chart(course, by, "note", at, note="seen")
        chart(
            course, by, "lab", at, analyte="creatinine", value="3", unit="mg/dL",
            upper_limit="1.2",
        )  # fmt: skip

    def session_of(self, role: Role) -> str:
        if role not in self._sessions:
            client = Client()
            client.force_login(self.users[role])
            self._sessions[role] = client.cookies[settings.SESSION_COOKIE_NAME].value
        return self._sessions[role]

    def send(self, request: Request) -> Answer:
        sent = RequestFactory().generic("GET", "/").environ
        path, _, query = request.address.partition("?")
        cookies = [f"{settings.CSRF_COOKIE_NAME}={TOKEN}"]
        if request.role is not None:
            name = settings.SESSION_COOKIE_NAME
            cookies.append(f"{name}={self.session_of(request.role)}")
        sent |= {
            "REQUEST_METHOD": request.method,
            "PATH_INFO": as_header(path),
            "QUERY_STRING": as_header(query),
            "CONTENT_LENGTH": str(len(request.body)),
            "CONTENT_TYPE": "application/x-www-form-urlencoded" if request.body else "",
            "HTTP_COOKIE": "; ".join(cookies),
            "HTTP_X_CSRFTOKEN": TOKEN,
            "HTTP_HOST": "localhost",
            "wsgi.input": io.BytesIO(request.body),
        } | request.headers
        started: list[Any] = []
        content = self._application(sent, lambda *answer: started.append(answer))
        text = b"".join(content).decode("utf-8")
        if hasattr(content, "close"):
            content.close()
        status, headers = started[-1]
        location = dict(headers).get("Location", "")
        is_html = dict(headers).get("Content-Type", "").startswith("text/html")
        if request.role and location.startswith(settings.LOGIN_REDIRECT_URL + "accounts/"):
            self._sessions.pop(request.role)  # signed out by a request before
        return Answer(int(status.split()[0]), text, location, is_html)
