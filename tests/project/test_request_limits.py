"""What is refused before Django sees it, and the pages of errors, through the WSGI application."""

from __future__ import annotations

import io
import logging
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import OperationalError, connection
from django.test import Client, RequestFactory

from crs_app.error_pages import TEXTS
from crs_app.request_limits import BoundedRequests
from crs_app.security_headers import CONTENT_SECURITY_POLICY

FORM = "application/x-www-form-urlencoded"
SIGN_IN = "/accounts/sign-in/"
LARGEST = settings.DATA_UPLOAD_MAX_MEMORY_SIZE


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    text: str


Send = Callable[..., Answer]


def through(application: Any, method: str, address: str, body: bytes = b"", **more: str) -> Answer:
    environ = RequestFactory().generic(method, address).environ
    environ |= {"CONTENT_LENGTH": str(len(body)), "CONTENT_TYPE": FORM if body else ""}
    environ |= {"wsgi.input": io.BytesIO(body)} | more
    started: list[Any] = []
    content = application(environ, lambda *answer: started.append(answer))
    status, headers = started[-1]
    return Answer(int(status.split()[0]), dict(headers), b"".join(content).decode())


@pytest.fixture
def send(db: None) -> Send:
    """The application as gunicorn calls it."""
    application = BoundedRequests(get_wsgi_application())
    return lambda *args, **more: through(application, *args, **more)


def assert_our_page(answer: Answer, status: int) -> None:
    assert answer.status == status
    assert answer.headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
    assert answer.headers["Cache-Control"] == "no-store"
    assert TEXTS[status].title in answer.text
    assert "<style" not in answer.text
    assert "<script>" not in answer.text


CHARSETS = (
    "utf-7", "utf-16", "latin-1", "unicode_escape", "zlib", "rot13", "undefined", "idna", "hex",
    "nonsense", "", "utf-8-sig", "UTF-8''utf-7",
)  # fmt: skip


@pytest.mark.parametrize("charset", CHARSETS)
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("media", [FORM, "text/plain"])
@pytest.mark.parametrize("address", [f"{SIGN_IN}?a=%ff", "/health/?a=1"])
def test_no_charset_but_utf_8_is_read(
    send: Send, method: str, charset: str, media: str, address: str
) -> None:
    answer = send(method, address, b"a=1", CONTENT_TYPE=f"{media}; charset={charset}")
    assert_our_page(answer, 415)


@pytest.mark.parametrize(
    "written",
    [f"{FORM}; charset*=utf-7''x", f"{FORM};charset=utf-8;charset=zlib", f"{FORM}; Charset='zlib'"],
)
def test_no_way_of_writing_a_charset_passes(send: Send, written: str) -> None:
    assert send("POST", SIGN_IN, b"a=1", CONTENT_TYPE=written).status == 415


@pytest.mark.parametrize("written", [FORM, f"{FORM}; charset=UTF-8", f'{FORM};charset="utf8"'])
def test_a_form_in_utf_8_is_read(send: Send, written: str) -> None:
    answer = send("POST", SIGN_IN, b"username=x", CONTENT_TYPE=written)
    assert answer.status == 403  # by Django: there is no CSRF token
    assert "Page out of date" in answer.text


@pytest.mark.parametrize("written", ["\xff", "application/json", "", "multipart/form-data"])
def test_a_body_that_is_no_form_is_refused(send: Send, written: str) -> None:
    answer = send("POST", SIGN_IN, b"{}", CONTENT_TYPE=written)
    assert_our_page(answer, 400 if written == "\xff" else 415)


def test_a_file_is_refused_and_never_written(
    send: Send, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    part = b'--x\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n'
    body = part + b"a" * (LARGEST - 1000) + b"\r\n--x--\r\n"
    kind = "multipart/form-data; boundary=x"
    assert_our_page(send("POST", SIGN_IN, body, CONTENT_TYPE=kind), 415)
    assert list(tmp_path.iterdir()) == []


def test_nor_does_django_accept_a_file(client: Client, tmp_path: Path, settings: Any) -> None:
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path)
    answer = client.post(SIGN_IN, {"username": "x", "file": io.BytesIO(b"a" * 3_000_000)})
    assert answer.status_code == 400
    assert list(tmp_path.iterdir()) == []


def test_a_body_over_the_limit_is_not_even_read(send: Send) -> None:
    class Unread:
        def read(self, _size: int) -> bytes:
            raise AssertionError("it was read")

    for length in (str(LARGEST + 1), "9" * 40):
        answer = send(
            "POST", SIGN_IN, CONTENT_LENGTH=length, CONTENT_TYPE=FORM, **{"wsgi.input": Unread()}
        )
        assert_our_page(answer, 413)
    assert send("POST", SIGN_IN, CONTENT_LENGTH="-1").status == 400


def test_a_body_without_a_length_is_counted(send: Send) -> None:
    chunked = {"HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_LENGTH": "", "CONTENT_TYPE": FORM}
    long, short = io.BytesIO(b"a" * (LARGEST + 1)), io.BytesIO(b"username=x")
    assert_our_page(send("POST", SIGN_IN, **chunked, **{"wsgi.input": long}), 413)
    assert "Page out of date" in send("POST", SIGN_IN, **chunked, **{"wsgi.input": short}).text


def test_a_body_that_stops_on_its_way_is_refused(send: Send) -> None:
    class Silent:
        def read(self, _size: int) -> bytes:
            raise TimeoutError

    class Socket:
        timeouts: list[float | None] = []  # noqa: RUF012

        def settimeout(self, seconds: float | None) -> None:
            self.timeouts.append(seconds)

    more: dict[str, Any] = {"gunicorn.socket": Socket(), "wsgi.input": Silent()}
    answer = send("POST", SIGN_IN, CONTENT_LENGTH="900", CONTENT_TYPE=FORM, **more)
    assert_our_page(answer, 400)
    assert Socket.timeouts == [5, None]
    assert send("POST", SIGN_IN, b"a=", CONTENT_LENGTH="900").status == 400


def test_too_many_fields_and_too_long_an_address_are_refused(send: Send) -> None:
    fields = "&".join(f"f{i}=1" for i in range(settings.DATA_UPLOAD_MAX_NUMBER_FIELDS + 1))
    assert_our_page(send("POST", SIGN_IN, fields.encode()), 400)
    assert_our_page(send("GET", f"{SIGN_IN}?a={'a' * 6000}"), 400)


def test_nothing_that_the_application_raises_leaves_it(caplog: pytest.LogCaptureFixture) -> None:
    def application(*_args: Any) -> Any:
        raise ValueError("Jane Doe")

    with caplog.at_level(logging.ERROR):
        assert_our_page(through(BoundedRequests(application), "GET", "/"), 500)
    assert len(caplog.records) == 1


@pytest.fixture
def no_database(monkeypatch: pytest.MonkeyPatch, client: Client) -> Iterator[None]:
    """A database that stopped answering while people were signed in."""
    client.raise_request_exception = False

    def refuse(*_args: Any, **_more: Any) -> None:
        raise OperationalError("connection to server failed: Jane Doe")

    with monkeypatch.context() as patch:
        patch.setattr(connection, "cursor", refuse)
        patch.setattr(connection, "ensure_connection", refuse)
        yield


@pytest.mark.usefixtures("db", "no_database")
@pytest.mark.parametrize("address", ["/", "/policy/"])
def test_without_a_database_the_page_does_not_claim_that_nothing_was_saved(
    client: Client, address: str
) -> None:
    client.cookies[settings.SESSION_COOKIE_NAME] = "a" * 32
    answer = client.get(address)
    assert answer.status_code == 503
    assert answer["Retry-After"]
    text = answer.content.decode()
    assert "may not be saved" in text
    assert "Nothing was saved" not in text


def test_a_page_of_an_error_says_what_to_do_in_short_sentences() -> None:
    for status, (title, sentences) in TEXTS.items():
        for sentence in sentences:
            assert len(sentence.split()) <= 30, (status, sentence)
            assert sentence.endswith(".")
        assert not title.endswith(".")


def test_a_form_without_its_token_says_what_to_do() -> None:
    answer = Client(enforce_csrf_checks=True).post("/accounts/sign-in/", {"username": "x"})
    assert answer.status_code == 403
    text = answer.content.decode()
    assert "reload the page" in text
    assert "CSRF" not in text
    assert "<style" not in text


@pytest.mark.parametrize(
    ("address", "status"), [("/nowhere/", 404), ("/guidance/answers.csv", 403)]
)
def test_refusals_have_words_for_a_page_and_for_htmx(
    nurse_client: Client, address: str, status: int
) -> None:
    page = nurse_client.get(address)
    assert page.status_code == status
    assert TEXTS[status].sentences[0] in page.content.decode()
    part = nurse_client.get(address, headers={"HX-Request": "true"})
    assert part["Content-Type"].startswith("text/plain")
    assert part.content.decode() == " ".join(TEXTS[status].sentences)


def test_a_method_that_is_not_possible_has_words_too(nurse_client: Client) -> None:
    answer = nurse_client.post("/")
    assert answer.status_code == 405
    assert answer["Allow"] == "GET, HEAD"
    assert TEXTS[405].title in answer.content.decode()


DOCUMENTS = [
    ("/fhir", "application/fhir+json", 5 * 1024 * 1024),
    ("/fhir/Observation", "application/json", 5 * 1024 * 1024),
    ("/hl7", "x-application/hl7-v2+er7", 1024 * 1024),
    ("/cds-services/crs-grade", "application/json", 1024 * 1024),
]


@pytest.mark.parametrize(("address", "media", "most"), DOCUMENTS)
def test_a_door_for_systems_takes_its_documents_up_to_its_own_size(
    address: str, media: str, most: int
) -> None:
    taken: list[bytes] = []

    def application(environ: Any, start_response: Any) -> list[bytes]:
        taken.append(environ["wsgi.input"].read())
        start_response("200 OK", [])
        return [b""]

    behind = BoundedRequests(application)
    document = b"{&}" * (most // 3)
    assert through(behind, "POST", address, document, CONTENT_TYPE=media).status == 200
    assert taken == [document]
    assert through(behind, "POST", address, document + b"&&&", CONTENT_TYPE=media).status == 413
    assert through(behind, "POST", address, b"a=1", CONTENT_TYPE=FORM).status == 415
    assert taken == [document]


@pytest.mark.parametrize("address", ["/fhir", "/hl7", "/cds-services", "/fhirs", "/a/fhir"])
def test_a_refused_document_is_answered_in_the_words_of_its_door(send: Send, address: str) -> None:
    answer = send("POST", address, b"<a/>", CONTENT_TYPE="text/xml")
    assert answer.status == 415
    media = answer.headers["Content-Type"]
    assert "html" in media if address in ("/fhirs", "/a/fhir") else "html" not in media
    assert ("OperationOutcome" in answer.text) is (address == "/fhir")
