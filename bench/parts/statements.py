"""The statements of a save, counted in this process."""

from __future__ import annotations

import uuid
from typing import Any

from bench.client import USERNAME
from bench.measure import Metric
from bench.site import Site

_VITALS = {"temperature": "38.4", "temperature_unit": "c", "systolic_mmhg": "96"}
_VASOPRESSOR = {"drug": "norepinephrine", "rate": "12", "unit": "ug/min"}


def measure(site: Site) -> list[Metric]:
    """Return the statements and commits of one save of each kind, session and user included."""
    course = site.courses["1000"][0]
    metrics = []
    for kind, data in (("vitals", _VITALS), ("vasopressor", _VASOPRESSOR)):
        statements = _statements_of(site, course, kind, data)
        commits = sum(sql.startswith("COMMIT") for sql in statements)
        metrics += [
            Metric(f"SQL statements, {kind}", len(statements), "", target=12),
            Metric(f"commits, {kind}", commits, "", target=1),
        ]
    return metrics


def _statements_of(site: Site, course: Any, kind: str, data: dict[str, str]) -> list[str]:
    """Return the statements of one save, in order, by a client that has saved before."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    browser = signed_in()
    path = f"/courses/{course.course_id}/entries/{kind}/"
    for _ in range(2):  # the first fills the caches of the process
        sent = {"form_id": str(uuid.uuid4()), "attribution": "crs", **data}
        at = site.next_minute(course)
        sent |= {"observed_date": f"{at:%Y-%m-%d}", "observed_time": f"{at:%H:%M}"}
        with CaptureQueriesContext(connection) as captured:
            answer = browser.post(path, sent, headers={"HX-Request": "true"})
        if answer.status_code != 200:
            raise AssertionError(f"a save was answered {answer.status_code}")
    return [query["sql"] for query in captured.captured_queries]


def signed_in() -> Any:
    """Return a signed-in test client, inside this process."""
    from django.conf import settings
    from django.contrib.auth import get_user_model
    from django.test import Client

    settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, "testserver"]
    browser = Client()
    browser.force_login(get_user_model().objects.get(username=USERNAME))
    return browser
