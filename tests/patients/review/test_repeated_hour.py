"""The hour that occurs twice when the clocks go back is told apart on every page of a course."""

import re
from datetime import datetime
from typing import Any

from django.test import Client

from crs_app.accounts.models import User
from tests.entry_forms import send, text_of, url
from tests.factories import admit, utc

PAGES = (
    "bedside", "timeline", "flowsheet", "timeline_table", "review", "instant", "summary",
    "handover", "paper", "identity", "sign_off", "review_cursor",
)  # fmt: skip
BARE = re.compile(r".{0,30}\b01:[13]0(?! C[DS]T).{0,10}")


def test_every_page_tells_the_two_hours_apart(
    nurse_client: Client, clinician: User, settings: Any
) -> None:
    """The infusion is in the first of them; fever comes in it and is gone in the second."""
    settings.TIME_ZONE = "America/Chicago"
    infused_at: datetime = utc("2026-11-01 06:10")
    course = admit(clinician, infused_at=infused_at, baseline={"systolic_mmhg": "126"})
    for which, temperature in (("earlier", "38.6"), ("later", "36.6")):
        answer = send(
            nurse_client, course, "vitals", temperature=temperature,
            observed_date="2026-11-01", observed_time="01:30", observed_which=which,
        )  # fmt: skip
        assert answer.status_code == 200
    told = 0
    for name in PAGES:
        page = nurse_client.get(url(name, course), {"at": "2026-11-01T06:40:00Z"})
        assert page.status_code == 200, name
        text = text_of(page.content.decode())
        assert BARE.findall(text) == [], name
        told += len(re.findall(r"01:[13]0 C[DS]T", text))
    assert told > 30
