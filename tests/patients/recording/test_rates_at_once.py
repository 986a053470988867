"""A weight and a rate that are sent in the same moment: the later one is checked by both."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from crs_app.accounts.models import User
from patients.models import Course, Entry
from patients.recording.inputs import ImpossibleRateError
from tests.entry_forms import send
from tests.factories import UserFactory, admit, ago, chart

RATE: dict[str, Any] = {"drug": "norepinephrine", "rate": "2", "unit": "ug/kg/min"}


@pytest.mark.django_db(transaction=True)
def test_a_rate_is_checked_by_a_weight_that_was_saved_after_its_form_was_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two connections: the weight is saved between the check of the rate's form and its lock."""
    nurse = UserFactory()
    course = admit(nurse, weight_kg="80")
    entries = Entry.objects.count()
    client = Client()
    client.force_login(nurse)
    asked = send(client, course, "vasopressor", **RATE).context["form"]
    saved_between(monkeypatch, course, nurse)
    answer = send(client, course, "vasopressor", **RATE, confirmed=asked.questions_digest)
    assert answer.status_code == 422
    assert "Someone else entered a weight or a rate just now." in answer.content.decode()
    assert Entry.objects.filter(kind="vasopressor").count() == 0
    assert Entry.objects.count() == entries + 1


def saved_between(monkeypatch: pytest.MonkeyPatch, course: Course, nurse: User) -> None:
    from patients.bedside import entry_views

    record = entry_views.record_entries

    def after_a_weight(*arguments: Any) -> Any:
        def weigh() -> None:
            chart(course, nurse, "weight", ago(1), weight_kg="190")
            connection.close()

        other = threading.Thread(target=weigh)
        other.start()
        other.join(30)
        return record(*arguments)

    monkeypatch.setattr(entry_views, "record_entries", after_a_weight)


@pytest.mark.django_db
def test_a_weight_is_checked_by_a_rate_that_was_saved_after_its_form_was_read() -> None:
    """Both forms were valid when they were sent; the recorder gets the weight last."""
    nurse = UserFactory()
    course = admit(nurse, weight_kg="80")
    chart(course, nurse, "vasopressor", ago(5), **RATE)
    with pytest.raises(ImpossibleRateError, match="Norepinephrine 2 mcg/kg/min"):
        chart(course, nurse, "weight", ago(20), weight_kg="190")
    assert not Entry.objects.filter(course=course, kind="weight", body__weight_kg="190").exists()
