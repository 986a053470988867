"""Two reviewers sign one period at the same moment, and one signs while a nurse saves."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client

from crs_app.accounts.models import Role, User
from patients.models import Course, GradeReview
from patients.recording.record import lock_course
from tests.factories import ago, chart
from tests.patients.review.sign_off_form import another, opened, send

pytestmark = pytest.mark.django_db(transaction=True)
REVIEWERS = 4


def _in_a_thread(act: Any, ready: threading.Barrier) -> Any:
    try:
        ready.wait(timeout=10)
        return act()
    finally:
        connection.close()


def test_of_reviewers_who_sign_at_once_one_signs(course: Course, clinician: User) -> None:
    chart(course, clinician, "vitals", ago(30), temperature_c="38.6")
    clients, forms = [], []
    for number in range(REVIEWERS):
        user = User.objects.create_user(f"icu-{number}", role=Role.ICU_REVIEWER)
        client = Client()
        client.force_login(user)
        clients.append(client)
        forms.append(opened(client, course) | another(1 + number if number else 0, "other", "x"))
    forms[1] |= {"verdict": "agree"}
    ready = threading.Barrier(REVIEWERS)
    with ThreadPoolExecutor(REVIEWERS) as pool:
        sent = [
            pool.submit(_in_a_thread, lambda c=client, f=form: send(c, course, f), ready)
            for client, form in zip(clients, forms, strict=True)
        ]
        answers = [one.result(timeout=30) for one in sent]
    assert sorted(answer.status_code for answer in answers) == [302, 409, 409, 409]
    winner = GradeReview.objects.get()
    for answer in answers:
        if answer.status_code == 409:
            assert f"{winner.author_name} signed this period at" in answer.content.decode()


def test_a_sign_off_waits_for_a_save_and_then_sees_its_grade(
    course: Course, clinician: User, intensivist_client: Client
) -> None:
    chart(course, clinician, "vitals", ago(30), temperature_c="38.6")
    form = opened(intensivist_client, course)
    ready = threading.Barrier(2)
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            lock_course(course)
            sent = pool.submit(_in_a_thread, lambda: send(intensivist_client, course, form), ready)
            ready.wait(timeout=10)
            with pytest.raises(TimeoutError):
                sent.result(timeout=0.5)
        # The lock is free; a nurse who is quicker than the waiting sign-off may still be first.
        answer = sent.result(timeout=30)
    assert answer.status_code == 302
    chart(course, clinician, "oxygen", ago(10), device="venturi_mask", fio2_percent="50")
    assert send(intensivist_client, course, form).status_code == 302
    assert GradeReview.objects.count() == 1
