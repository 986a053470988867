"""The weight of the bedside page: one request, whose size on the wire is exact."""

import gzip
import random
import re
from datetime import timedelta

from django.test import Client

from crs_app.accounts.models import User
from patients.models import Course
from patients.recording.inputs import NewEntry
from tests.entry_forms import url
from tests.factories import ago, record

LARGEST_BYTES = 15_000


def long_chart(course: Course, by: User) -> None:
    """Forty rows with values of their own, grade 4, a running vasopressor and old oxygen."""
    chance = random.Random(4)  # noqa: S311
    begun = ago(hours=40)
    drafts = [
        NewEntry("weight", begun, {"weight_kg": "82"}),
        NewEntry("oxygen", begun, {"device": "invasive_ventilation", "fio2_percent": "40"}),
        NewEntry(
            "vasopressor", begun, {"drug": "norepinephrine", "rate": "17.3", "unit": "ug/min"}
        ),
        NewEntry("lab", begun, {"analyte": "bilirubin", "value": "4.6", "unit": "mg/dL"}),
    ]
    for hour in range(40):
        at = begun + timedelta(hours=hour, minutes=chance.randint(1, 55))
        body = {
            "temperature_c": f"{chance.uniform(36, 40):.1f}",
            "systolic_mmhg": str(chance.randint(80, 130)),
            "diastolic_mmhg": str(chance.randint(40, 75)),
            "heart_rate": str(chance.randint(70, 140)),
            "respiratory_rate": str(chance.randint(12, 30)),
            "spo2_percent": str(chance.randint(88, 100)),
        }
        drafts.append(NewEntry("vitals", at, body))
    for draft in drafts:
        record(course, by, [draft])


def test_the_page_of_a_long_chart_is_small_on_the_wire(
    nurse_client: Client, course: Course, clinician: User
) -> None:
    """With all rows of a page and a panel of advice; one token serves all forms and requests."""
    long_chart(course, clinician)
    answer = nurse_client.get(url("bedside", course))
    html = answer.content.decode()
    assert html.count('class="row-menu"') >= 40
    assert html.count('class="advice"') >= 6
    assert len(gzip.compress(answer.content, 6)) <= LARGEST_BYTES
    tokens = re.findall(r'(?:X-CSRFToken": |csrfmiddlewaretoken" value=)"(\w+)"', html)
    assert len(tokens) >= 4
    assert len(set(tokens)) == 1
