from pathlib import Path

import pytest
from django.test import Client

from patients.exchange.course_file import import_course

FILE = Path(__file__).parent.parent / "review" / "reviewed_course.json"
pytestmark = pytest.mark.django_db


def test_x(nurse, nurse_client: Client):
    course = import_course(FILE.read_bytes(), [nurse])
    a = nurse_client.get(f"/courses/{course.pk}/summary/?known_at=2026-11-28T08:40:00Z")
    assert a.status_code == 200
    assert nurse_client.get(f"/courses/{course.pk}/summary/fever_at_home/").status_code == 200
    assert nurse_client.get(f"/courses/{course.pk}/summary/end_of_crs/").status_code == 200
