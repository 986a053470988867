"""A page writes one age one way: the sentences of the advice count days as the card does."""

import re

from django.test import Client

from crs_app.accounts.models import User
from patients.models import Course
from tests.entry_forms import text_of, url
from tests.factories import admit, ago, chart


def test_an_age_beyond_a_day_is_in_days_wherever_the_page_has_it(
    nurse_client: Client, clinician: User
) -> None:
    course: Course = admit(clinician, infused_at=ago(hours=60))
    chart(course, clinician, "oxygen", ago(hours=33), device="cpap")
    chart(course, clinician, "treatment", ago(hours=32), agent="tocilizumab", dose_mg="640")
    page = text_of(nurse_client.get(url("bedside", course)).content.decode())
    assert "last charted 1 d 9 h ago" in page
    assert "Not better 1 d 8 h after tocilizumab" in page
    assert re.findall(r"\b(?:2[4-9]|[3-9]\d) h(?: \d+ min)? (?:ago|after)\b", page) == []
