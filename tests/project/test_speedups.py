"""Each speedup returns what the part of Django returns in its place; one switch turns all off."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from copy import deepcopy
from datetime import UTC, timedelta
from functools import cache
from unittest import mock

import django
import pytest
from django import forms
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.backends import ModelBackend
from django.contrib.sessions.backends import db as sessions
from django.db import DataError, connection
from django.db.backends.postgresql.psycopg_any import register_tzloader
from django.db.models import Model
from django.test import override_settings
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from crs_app.accounts.models import User
from crs_app.speedups import REVIEWED_DJANGO, course_reader
from crs_app.speedups.form_fields import copy_fields
from crs_app.speedups.rendered_parts import render_part
from crs_app.speedups.sessions import SessionStore
from crs_app.speedups.user_backend import FastUserBackend
from patients.forms.laboratory import LabForm
from patients.forms.observations import VitalsForm
from patients.models import Course
from patients.queries.courses import read_course_by_orm
from tests.factories import admit

_SHOW = """
import os, gc, sys
of_python = gc.get_threshold()
os.environ["DJANGO_SETTINGS_MODULE"] = "crs_app.settings"
from django.conf import settings
print(settings.SESSION_ENGINE, *settings.AUTHENTICATION_BACKENDS)
print(settings.COURSE_READER, settings.FIELD_COPIER)
print(settings.DATABASES["default"]["ENGINE"], settings.DATABASES["default"]["CONN_HEALTH_CHECKS"])
os.environ["DATABASE_URL"] = "postgresql://nowhere/none"
import crs_app.wsgi
print("as Python starts" if gc.get_threshold() == of_python else gc.get_threshold())
print("patients.exchange.cds_hooks.views" in sys.modules)
"""


@cache
def _started(*, plain: bool) -> list[str]:
    """Return the lines that a process prints which has loaded the application."""
    shown = subprocess.run(
        [sys.executable, "-c", _SHOW],
        env={**os.environ, "CRS_PLAIN_DJANGO": "1" if plain else ""},
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=True,
    )
    return shown.stdout.splitlines()


def test_django_is_the_version_that_the_speedups_were_reviewed_for() -> None:
    assert django.VERSION[:2] == REVIEWED_DJANGO, (
        "Another minor version of Django. Read the table in crs_app/speedups/__init__.py and "
        "compare each class there with its base class in this version, first "
        "SessionStore.load, which sets a private name; then change REVIEWED_DJANGO."
    )


def test_django_still_reads_a_session_by_the_method_that_is_overridden() -> None:
    assert "load" in vars(sessions.SessionStore)


@pytest.mark.parametrize("plain", [False, True])
def test_one_switch_turns_all_of_them_off(plain: bool) -> None:
    expected = [
        "crs_app.speedups.sessions crs_app.speedups.user_backend.FastUserBackend",
        "crs_app.speedups.course_reader.read_course crs_app.speedups.form_fields.copy_fields",
        "crs_app.speedups.postgresql True",
        "(10000, 20, 20)",
    ]
    if plain:
        expected = [
            "django.contrib.sessions.backends.db django.contrib.auth.backends.ModelBackend",
            "None copy.deepcopy",
            "crs_app.confirmed_commit True",
            "as Python starts",
        ]
    assert _started(plain=plain)[:-1] == expected


def test_a_worker_has_loaded_every_view_before_its_first_request() -> None:
    assert _started(plain=False)[-1] == "True"


def test_a_session_is_read_as_django_reads_it(db: None) -> None:
    live = _session(timedelta(hours=1))
    expired = _session(timedelta(hours=-1))
    for key in (live, expired, "no-such-key", ""):
        ours, djangos = _read(SessionStore, key), _read(sessions.SessionStore, key)
        assert ours == djangos
    assert _read(SessionStore, live) == ({"ward": "ICU"}, live)


def test_a_session_that_another_key_signed_is_empty(db: None) -> None:
    key = _session(timedelta(hours=1))
    assert SessionStore(key).load() == {"ward": "ICU"}
    with override_settings(SECRET_KEY="of another site"):
        assert SessionStore(key).load() == sessions.SessionStore(key).load() == {}
    row = sessions.SessionStore.get_model_class().objects.get(session_key=key)
    row.session_data = row.session_data[:-1] + ("B" if row.session_data[-1] == "A" else "A")
    row.save()
    assert SessionStore(key).load() == sessions.SessionStore(key).load() == {}


def test_what_a_request_changes_in_its_session_changes_no_other(db: None) -> None:
    key = _session(timedelta(hours=1))
    SessionStore(key).load()["ward"] = "changed and not saved"
    assert SessionStore(key).load() == {"ward": "ICU"}


def _session(ends_in: timedelta, of: User | None = None) -> str:
    session = sessions.SessionStore()
    session["ward"] = "ICU"
    if of is not None:
        session[SESSION_KEY] = str(of.pk)
    session.create()
    row = sessions.SessionStore.get_model_class().objects.get(session_key=session.session_key)
    row.expire_date = timezone.now() + ends_in
    row.save()
    return str(session.session_key)


def _read(store: type[sessions.SessionStore], key: str) -> tuple[dict[str, object], str | None]:
    """The contents of a session, and the key that the store keeps after reading."""
    session = store(key)
    return session.load(), session.session_key


def test_a_user_is_read_as_django_reads_it(nurse: User) -> None:
    left = User.objects.create_user("left", is_active=False)
    for pk in (nurse.pk, left.pk, 0):
        ours, djangos = FastUserBackend().get_user(pk), ModelBackend().get_user(pk)
        assert ours == djangos
        assert _columns(ours) == _columns(djangos)


@pytest.mark.usefixtures("as_owner")
def test_the_user_read_with_a_session_is_that_of_now_and_of_no_other_session(
    nurse: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """From the second reading on a session has its user with it, one who left or switched too."""
    other = User.objects.create_user("other")
    key = _session(timedelta(hours=1), of=nurse)
    SessionStore(key).load()
    User.objects.filter(pk=nurse.pk).update(first_name="Changed")
    with django_assert_num_queries(1):
        SessionStore(key).load()
        read = FastUserBackend().get_user(nurse.pk)
    assert read is not None
    assert read.first_name == "Changed"
    assert _columns(read) == _columns(ModelBackend().get_user(nurse.pk))
    with django_assert_num_queries(1):  # once: who asks again gets what is stored by then
        FastUserBackend().get_user(nurse.pk)
    User.objects.filter(pk=nurse.pk).update(is_active=False)
    SessionStore(key).load()
    assert FastUserBackend().get_user(nurse.pk) is None
    SessionStore(key).load()
    assert FastUserBackend().get_user(other.pk) == other
    SessionStore(key).load()
    SessionStore(_session(timedelta(hours=1), of=other)).load()
    with django_assert_num_queries(1):
        assert FastUserBackend().get_user(nurse.pk) is None
    SessionStore(key).load()
    SessionStore(_session(timedelta(hours=-1), of=nurse)).load()
    with django_assert_num_queries(1):
        FastUserBackend().get_user(nurse.pk)


def test_a_session_that_names_another_user_now_is_read_with_no_user(nurse: User) -> None:
    other = User.objects.create_user("other")
    key = _session(timedelta(hours=1), of=nurse)
    SessionStore(key).load()
    switched = sessions.SessionStore(key)
    switched[SESSION_KEY] = str(other.pk)
    switched.save()
    for _ in range(2):
        SessionStore(key).load()
        assert FastUserBackend().get_user(other.pk) == other


@pytest.mark.parametrize(
    "written",
    [
        "2026-11-28 13:05:00+00",
        "2026-11-28 13:05:00.25+05:45",
        "0001-01-01 00:00:00+00",
        "9999-12-31 23:59:59.999999+00",
        "1900-01-01 12:00:00+00",
    ],
)
def test_a_time_is_read_as_django_reads_it(db: None, written: str) -> None:
    statement = "SELECT %s::text::timestamptz"
    with connection.cursor() as cursor:
        cursor.execute(statement, [written])
        (ours,) = cursor.fetchone()
        register_tzloader(UTC, cursor.cursor)
        cursor.execute(statement, [written])
        (djangos,) = cursor.fetchone()
    assert ours == djangos
    assert ours.tzinfo is djangos.tzinfo is UTC


@pytest.mark.parametrize("written", ["infinity", "0044-03-15 12:00:00+00 BC"])
def test_a_time_that_python_has_not_is_refused_as_django_refuses_it(db: None, written: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::text::timestamptz", [written])
        with pytest.raises(DataError):
            cursor.fetchone()


def test_a_course_is_read_as_its_model_reads_it(
    nurse: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    pk = admit(nurse).pk
    for read in (course_reader.read_course, read_course_by_orm):
        with django_assert_num_queries(1):
            course = read(pk)
            assert (course.patient.mrn, course.policy.digest) != ("", "")
        with pytest.raises(Course.DoesNotExist):
            read(uuid.uuid4())
    ours, djangos = course_reader.read_course(pk), read_course_by_orm(pk)
    first, then = (vars(one).pop("database_clock") for one in (ours, djangos))
    assert first < then < first + timedelta(minutes=1)
    for one, other in (
        (ours, djangos),
        (ours.patient, djangos.patient),
        (ours.policy, djangos.policy),
    ):
        assert one == other
        assert _columns(one) == _columns(other)
        assert (one._state.db, one._state.adding) == (other._state.db, other._state.adding)


class _Unusual(forms.CharField):
    """Field with a way of its own to be copied."""

    def __deepcopy__(self, memo: dict[int, object]) -> _Unusual:
        copied: _Unusual = super().__deepcopy__(memo)  # type: ignore[misc]
        copied.label = "copied by its own method"
        return copied


@pytest.mark.parametrize(
    "field",
    [
        forms.CharField(max_length=5, widget=forms.Textarea(attrs={"rows": 3})),
        forms.DecimalField(max_value=9, error_messages={"invalid": "No number."}),
        forms.ChoiceField(choices=[("a", "A"), ("Group", [("b", "B")])]),
        forms.MultipleChoiceField(choices=[("a", "A")], widget=forms.CheckboxSelectMultiple),
        forms.ChoiceField(choices=lambda: [("later", "Later")]),
        forms.SplitDateTimeField(),
        _Unusual(label="own"),
        *VitalsForm.base_fields.values(),
        *LabForm.base_fields.values(),
    ],
    ids=lambda field: type(field).__name__,
)
def test_a_field_is_copied_as_deepcopy_copies_it(field: forms.Field) -> None:
    ours, pythons = copy_fields({"one": field})["one"], deepcopy(field)
    assert _parts(ours) == _parts(pythons)
    for part in ("widget", "error_messages", "validators"):
        assert getattr(ours, part) is not getattr(field, part)
    assert ours.widget.attrs is not field.widget.attrs


def _parts(of: object) -> dict[str, object]:
    """The attributes of a field, those of its widgets among them; choices as they are listed."""
    return {
        name: _parts(value)
        if isinstance(value, forms.Widget)
        else [*map(_parts, value)]
        if name in ("widgets", "fields")
        else list(value)
        if name == "_choices"
        else value
        for name, value in sorted(vars(of).items())
    }


def _columns(row: Model | None) -> dict[str, object]:
    kept = {} if row is None else vars(row)
    return {name: value for name, value in kept.items() if not name.startswith("_")}


def test_a_part_is_rendered_once_for_a_day_and_a_language() -> None:
    """The same values are printed otherwise on another day, and in another language."""
    rendered: list[str] = []

    def macro(text: str) -> str:
        rendered.append(text)
        return f"<b>{text}</b>"

    def render() -> str:
        return render_part(macro, "38.4")

    assert render() == render() == "<b>38.4</b>"
    assert len(rendered) == 1
    with mock.patch("crs_app.speedups.rendered_parts.get_language", return_value="de"):
        render()
    assert len(rendered) == 2
    tomorrow = timezone.now() + timedelta(days=1)
    with mock.patch.object(timezone, "now", return_value=tomorrow):
        render()
    assert len(rendered) == 3
    with override_settings(TIME_ZONE="Asia/Tokyo"):
        render()
    assert len(rendered) == 4
