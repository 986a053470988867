"""An outage is told as one, in the words of whoever asks and in one line of the log."""

from __future__ import annotations

import json
import logging
import re
import threading
import uuid
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import InterfaceError, OperationalError, ProgrammingError, connection
from django.test import Client
from pytest_django import Settings

from crs_app.accounts.middleware import USE
from crs_app.error_pages import TEXTS, failure_response
from crs_app.logs import JsonLines, WithoutRequests, WithoutValues
from crs_app.outages import WaitedTooLongError, is_outage, may_be_repeated
from crs_app.request_ids import HEADER, begin
from crs_app.request_limits import BoundedRequests
from patients.models import Course
from patients.recording.lock import ONE_TURN_AT_MOST_S, course_queue
from tests.entry_forms import HTMX, send, url, vitals
from tests.project.test_request_limits import through


def raised(kind: type[Exception], cause: type[psycopg.Error] | None = None) -> Exception:
    """An error of Django as it wraps one of psycopg; the message has a name."""
    error = kind("Jane Doe")
    error.__cause__ = None if cause is None else cause("Jane Doe")
    return error


@pytest.mark.parametrize(
    ("error", "outage", "again"),
    [
        (raised(OperationalError), True, True),  # no connection
        (raised(InterfaceError), True, True),
        (raised(OperationalError, psycopg.errors.CannotConnectNow), True, True),
        (raised(OperationalError, psycopg.errors.AdminShutdown), True, True),
        (raised(OperationalError, psycopg.errors.TooManyConnections), True, True),
        (raised(OperationalError, psycopg.errors.DiskFull), True, True),
        (raised(OperationalError, psycopg.errors.LockNotAvailable), True, True),
        (raised(OperationalError, psycopg.errors.QueryCanceled), True, True),
        (raised(OperationalError, psycopg.errors.ReadOnlySqlTransaction), True, True),
        (WaitedTooLongError(), True, True),
        (raised(OperationalError, psycopg.errors.DeadlockDetected), False, True),
        (raised(ProgrammingError, psycopg.errors.UndefinedTable), False, False),
        (ValueError("Jane Doe"), False, False),
    ],
    ids=lambda one: repr(getattr(one, "__cause__", None) or one)[:40],
)
def test_an_outage_is_503_and_a_fault_is_500(error: Exception, outage: bool, again: bool) -> None:
    assert is_outage(error) is outage
    assert may_be_repeated(error) is again
    for path in ("/", "/fhir/metadata", "/hl7", "/oauth/token", "/cds-services"):
        answer = failure_response(error, path)
        assert answer.status_code == (503 if again else 500)
        assert answer.has_header("Retry-After") is again
        assert "Doe" not in answer.content.decode()


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/fhir", '"code": "transient"'),
        ("/oauth/token", '"error": "temporarily_unavailable"'),
        ("/cds-services", '"error": "Service Unavailable"'),
        ("/hl7", "send it again"),
    ],
)
def test_another_system_is_answered_in_its_own_words(path: str, words: str) -> None:
    answer = failure_response(raised(OperationalError), path)
    assert words in answer.content.decode()
    assert "may not be stored" in answer.content.decode()
    assert "<html" not in answer.content.decode()


def test_an_outage_before_django_s_own_handling_is_one_too(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def application(*_request: Any) -> Any:
        raise raised(OperationalError, psycopg.errors.AdminShutdown)

    with caplog.at_level(logging.ERROR):
        answer = through(BoundedRequests(application), "GET", "/")
    assert answer.status == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert TEXTS[503].title in answer.text
    assert answer.headers[HEADER] in answer.text
    (record,) = caplog.records
    assert len(line_of(record).encode()) <= 500


def line_of(record: logging.LogRecord, formatter: logging.Formatter | None = None) -> str:
    WithoutRequests().filter(record)
    plain = WithoutValues("{asctime} {levelname} {name} [{request_id}]: {message}", style="{")
    return (formatter or plain).format(record)


def failed(error: Exception, path: str) -> logging.LogRecord:
    try:
        raise error
    except Exception as caught:
        info = (type(caught), caught, caught.__traceback__)
    arguments = ("Service Unavailable", path)
    return logging.LogRecord("django.request", 40, __file__, 1, "%s: %s", arguments, info)


@pytest.mark.parametrize("formatter", [None, JsonLines()], ids=["plain", "json"])
def test_an_outage_is_one_line_and_a_fault_keeps_its_stack(
    formatter: logging.Formatter | None,
) -> None:
    path = f"/courses/{uuid.uuid4()}/" + "long/" * 200
    outage = raised(OperationalError, psycopg.errors.AdminShutdown)
    line = line_of(failed(outage, path), formatter)
    assert "\n" not in line
    assert len(line.encode()) <= 500
    assert "OperationalError 57P01 at tests/project/test_outages.py:" in line
    assert "Doe" not in line
    fault = line_of(failed(ValueError("Jane Doe"), "/"), formatter)
    assert "raise error" in fault
    assert "builtins.ValueError" in fault
    assert "Doe" not in fault


class TestRequestIds:
    @pytest.mark.django_db
    def test_each_answer_has_one_of_its_own(self, client: Client) -> None:
        ids = [client.get(path).headers[HEADER] for path in ("/livez", "/", "/nothing/")]
        assert len(set(ids)) == 3
        assert all(re.fullmatch(r"[0-9a-f]{10}", one) for one in ids)
        assert ids[2] != (page := client.get("/nothing/")).headers[HEADER]
        assert f"Request {page.headers[HEADER]}:" in page.content.decode()

    def test_a_refused_request_has_one_too(self) -> None:
        answer = through(BoundedRequests(lambda *_: []), "POST", "/", b"a", CONTENT_TYPE="x/y")
        assert answer.status == 415
        assert answer.headers[HEADER] in answer.text

    @pytest.mark.parametrize(
        ("sent", "is_trusted", "is_taken"),
        [
            ("7f3a-aa.bb_1", True, True),
            ("7f3a-aa.bb_1", False, False),
            ("a b\n", True, False),
            ("x" * 65, True, False),
            ("", True, False),
        ],
    )
    def test_that_of_a_trusted_proxy_is_taken_over(
        self, sent: str, is_trusted: bool, is_taken: bool
    ) -> None:
        environ = {"HTTP_X_REQUEST_ID": sent}
        assert (begin(environ, is_trusted=is_trusted) == sent) is is_taken
        assert begin(environ, is_trusted=is_trusted) == begin(environ, is_trusted=is_trusted)

    @pytest.mark.django_db
    def test_who_is_no_proxy_sets_none(self, client: Client, settings: Settings) -> None:
        settings.BEHIND_PROXY = True
        settings.TRUSTED_PROXIES = ["10.0.0.0/8"]
        sent = {"HTTP_X_REQUEST_ID": "of-the-proxy"}
        assert client.get("/livez", REMOTE_ADDR="10.1.1.1", **sent)[HEADER] == "of-the-proxy"
        assert client.get("/livez", REMOTE_ADDR="192.0.2.1", **sent)[HEADER] != "of-the-proxy"

    @pytest.mark.django_db
    def test_a_line_for_each_request_has_no_data_of_a_patient(
        self, nurse_client: Client, course: Course, caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.INFO, logger="crs_app.answered"):
            answer = nurse_client.get("/", {"q": "Doe"})
            nurse_client.get("/accounts/start/the-secret-of-a-link/")
            nurse_client.get("/Jane-Doe/")
        written = [
            json.loads(line_of(record, JsonLines()))
            for record in caplog.records
            if record.name == "crs_app.answered"
        ]
        first, link, nowhere = written
        assert first["request_id"]
        assert (first["method"], first["path"], first["status"]) == ("GET", "/", answer.status_code)
        assert first["user_id"] == int(nurse_client.session["_auth_user_id"])
        assert 0 <= first["ms"] < 60_000
        assert link["path"] == "/accounts/start/…/"
        assert (nowhere["path"], nowhere["status"]) == ("-", 404)
        assert "Doe" not in json.dumps(written)
        assert "secret" not in json.dumps(written)


@pytest.fixture
def locked(course: Course, transactional_db: None) -> Iterator[Course]:
    """Another transaction has the course, and nobody waits longer than 50 ms for it."""
    if settings.POOLER:
        pytest.skip("it sets a limit of its session")
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '50ms'")
    with psycopg.connect(**connection.get_connection_params()) as other:
        other.execute("SELECT FROM patients_course WHERE id = %s FOR UPDATE", [course.pk])
        yield course
    connection.close()


def test_a_save_that_waited_too_long_is_told_that_nothing_was_stored(
    locked: Course, nurse_client: Client
) -> None:
    nurse_client.raise_request_exception = False
    before = locked.acts.count()
    for htmx in (True, False):
        more: dict[str, Any] = {"headers": {"HX-Request": "true"}} if htmx else {}
        sent = {"form_id": str(uuid.uuid4()), "attribution": "crs", "temperature_unit": "c"}
        answer = nurse_client.post(
            url("entries", locked, "vitals"), {**sent, "heart_rate": "90"}, **more
        )
        assert answer.status_code == 503
        assert answer["CRS-Stored"] == "no"
        assert int(answer["Retry-After"]) > 0
        assert "Nothing was saved." in answer.content.decode()
        assert ("<html" in answer.content.decode()) is not htmx
    assert locked.acts.count() == before


@pytest.mark.django_db
def test_a_save_that_gets_its_turn_is_saved(nurse_client: Client, course: Course) -> None:
    assert send(nurse_client, course, "vitals", heart_rate="90").status_code == 200


class TestSessionWrittenAfterASave:
    """A save within the first minute after another writes no session; a later one does."""

    @pytest.fixture
    def acted_before(self, nurse_client: Client) -> None:
        """The nurse acted last two minutes ago."""
        nurse_client.get("/")
        session = nurse_client.session
        session[USE] = {**session[USE], "acted": session[USE]["acted"] - 120}
        session.save()

    def test_where_the_database_went_away_the_answer_is_503_and_the_form_can_be_sent_again(
        self,
        nurse_client: Client,
        course: Course,
        acted_before: None,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        def fail(*_: Any, **__: Any) -> None:
            raise raised(OperationalError, psycopg.errors.AdminShutdown)

        nurse_client.raise_request_exception = False
        sent = vitals(heart_rate="90")
        with monkeypatch.context() as patch:
            patch.setattr(Session, "save", fail)
            answer = nurse_client.post(url("entries", course, "vitals"), sent, **HTMX)
        assert answer.status_code == 503
        assert answer.content.decode() == " ".join(TEXTS[503].sentences)
        assert course.acts.filter(form_id=sent["form_id"]).count() == 1
        again = nurse_client.post(url("entries", course, "vitals"), sent, **HTMX)
        assert (again.status_code, again["CRS-Stored"]) == (200, "yes")
        assert course.acts.filter(form_id=sent["form_id"]).count() == 1

    def test_where_the_session_was_ended_meanwhile_the_save_is_answered_as_one(
        self,
        nurse_client: Client,
        course: Course,
        acted_before: None,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        row_of = SessionStore.create_model_instance

        def end_before_it_is_written(store: SessionStore, data: dict[str, Any]) -> Session:
            Session.objects.all().delete()
            return row_of(store, data)

        with monkeypatch.context() as patch:
            patch.setattr(SessionStore, "create_model_instance", end_before_it_is_written)
            answer = send(nurse_client, course, "vitals", heart_rate="90")
        assert (answer.status_code, answer["CRS-Stored"]) == (200, "yes")
        assert course.acts.filter(entries__kind="vitals").count() == 1
        assert send(nurse_client, course, "vitals", heart_rate="91").status_code == 401


class TestQueue:
    def test_nobody_waits_long_behind_a_turn_that_does_not_end(self) -> None:
        course, begun, end = uuid.uuid4(), threading.Event(), threading.Event()

        def stay() -> None:
            with course_queue(course):
                begun.set()
                end.wait(20)

        staying = threading.Thread(target=stay)
        staying.start()
        begun.wait(5)
        refused: list[bool] = []

        def come() -> None:
            try:
                with course_queue(course):
                    refused.append(False)
            except WaitedTooLongError:
                refused.append(True)

        first = threading.Thread(target=come)
        first.start()
        first.join(ONE_TURN_AT_MOST_S + 3)
        come()  # at once
        with course_queue(uuid.uuid4()):
            pass  # another course has a queue of its own
        assert refused == [True, True]
        end.set()
        staying.join(5)
        with course_queue(course):
            pass
        assert not staying.is_alive()

    def test_sixteen_short_turns_all_come(self) -> None:
        course, done = uuid.uuid4(), []

        def save() -> None:
            with course_queue(course):
                threading.Event().wait(0.01)
                done.append(True)

        saves = [threading.Thread(target=save) for _ in range(16)]
        for one in saves:
            one.start()
        for one in saves:
            one.join(10)
        assert len(done) == 16

    def test_behind_one_that_waited_in_vain_only_one_tries(self) -> None:
        course, entered, leave = uuid.uuid4(), threading.Event(), threading.Event()
        refused: list[float] = []

        def wait_in_vain() -> None:
            with suppress(WaitedTooLongError), course_queue(course):
                entered.set()
                leave.wait(5)
                raise WaitedTooLongError

        def come() -> None:
            with pytest.raises(WaitedTooLongError), course_queue(course):
                raise WaitedTooLongError
            refused.append(1)

        first = threading.Thread(target=wait_in_vain)
        first.start()
        entered.wait(5)
        second = threading.Thread(target=come)
        second.start()
        leave.set()
        first.join(5)
        second.join(5)
        assert refused == [1]
