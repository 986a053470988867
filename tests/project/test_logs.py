"""The log has the place of a failure, and no data of a patient."""

import asyncio
import json
import logging
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.test import RequestFactory

from crs_app import gunicorn_config
from crs_app.logs import WithoutRequests, WithoutValues
from tests.project.caddy import wait_for
from tests.project.test_run import free_port


def logged(error: BaseException) -> str:
    record = logging.LogRecord(
        "django.request", logging.ERROR, __file__, 1, "500: %s", ("/courses/",), None
    )
    try:
        raise error
    except BaseException:
        record.exc_info = sys.exc_info()
    return WithoutValues("{message}", style="{").format(record)


def test_the_kind_and_the_place_are_logged_and_the_message_is_not() -> None:
    text = logged(ValueError("MRN 4711, Jane Doe"))
    assert text.startswith("500: /courses/\n")
    assert __file__ in text
    assert text.endswith("builtins.ValueError")
    assert "Doe" not in text


def test_nor_is_that_of_what_led_to_it() -> None:
    caused = ValueError("outer Doe")
    caused.__cause__ = KeyError("inner Doe")
    text = logged(caused)
    assert "builtins.KeyError" in text
    assert "Doe" not in text


def test_a_suppressed_error_stays_suppressed() -> None:
    outer = ValueError()
    outer.__context__ = KeyError()
    assert "KeyError" in logged(outer)
    outer.__suppress_context__ = True
    assert "KeyError" not in logged(outer)


def line(logger: str, message: Any, *args: Any, **more: Any) -> str:
    record = logging.LogRecord(logger, logging.WARNING, __file__, 1, message, args, None)
    record.__dict__.update(more)
    assert WithoutRequests().filter(record)
    return WithoutValues("{message}", style="{").format(record)


def test_gunicorn_logs_no_query_and_quotes_no_request() -> None:
    name = "gunicorn.error"
    handled = line(name, "Error handling request %s %s", "GET", "/?search=Doe")
    assert handled == "Error handling request GET /"
    assert line(name, "Invalid request from ip=::1: Invalid header: 'Doe'") == "Invalid request"
    assert line(name, ValueError("Doe")) == "ValueError"
    assert "Doe" not in line(name, "Exception during worker exit:\n%s", "Traceback: Doe")
    assert line(name, "Booting worker with pid: %s", 7) == "Booting worker with pid: 7"


def test_django_quotes_no_message_of_an_error() -> None:
    bad = line("django.request", "%s: %s", "codec failed on Doe", "/courses/", status_code=400)
    assert bad == "Bad Request: /courses/"
    request = RequestFactory().get("/courses/?search=Doe")
    assert line("django.security.DisallowedHost", "Doe is wrong", request=request) == (
        "DisallowedHost: /courses/"
    )
    csrf = line("django.security.csrf", "Forbidden (%s): %s", "CSRF token missing.", "/")
    assert csrf == "Forbidden (CSRF token missing.): /"


def test_asyncio_shows_no_task_with_the_message_of_its_error() -> None:
    """The listener of HL7 v2 runs on it; the lines are those of asyncio itself."""
    written: list[str] = []
    loop = asyncio.new_event_loop()
    handler = logging.Handler()
    handler.emit = lambda record: written.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger("asyncio").addHandler(handler)
    task = loop.create_future()
    task.set_exception(ValueError("Jane Doe"))
    task.exception()
    context = {"message": "Task exception was never retrieved", "future": task}
    loop.call_exception_handler(context)
    loop.close()
    logging.getLogger("asyncio").removeHandler(handler)
    (message,) = written
    assert "Doe" in message
    assert line("asyncio", message) == "Task exception was never retrieved"


def test_gunicorn_has_the_configuration_of_the_site() -> None:
    """In `manage.py run` and in the image alike; its access log, where it is on, has no query."""
    option = "python:crs_app.gunicorn_config"
    assert f'"--config", "{option}"' in (settings.BASE_DIR / "Dockerfile").read_text()
    run = settings.BASE_DIR / "crs_app" / "management" / "commands" / "run.py"
    assert option in run.read_text()
    asked = ("--check-config", "--print-config", "--config", option, "crs_app.logs:WithoutValues")
    command = [sys.executable, "-m", "gunicorn", *asked]
    printed = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "WithoutRequests" in printed.stdout
    assert "%(q)s" not in gunicorn_config.access_log_format
    assert "%(r)s" not in gunicorn_config.access_log_format


def test_a_worker_logs_through_the_same_formatter() -> None:
    """gunicorn sets up its own loggers; those of the configuration replace them."""
    script = (
        "import logging, sys\n"
        "from gunicorn.glogging import Logger\n"
        "from gunicorn.config import Config\n"
        "import crs_app.gunicorn_config as site\n"
        "config = Config()\n"
        "for name in ('logconfig_dict', 'access_log_format'):\n"
        "    config.set(name, getattr(site, name))\n"
        "log = Logger(config)\n"
        "try:\n"
        "    raise ValueError(sys.argv[1])\n"
        "except ValueError:\n"
        "    log.exception('Error handling request %s %s', 'GET', '/?q=Doe')\n"
        "log.warning('Invalid request from ip=1: Doe')\n"
    )
    # The name is an argument: the traceback has the lines of the script.
    command = [sys.executable, "-c", script, "Jane Doe"]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "builtins.ValueError" in ran.stderr
    assert "Doe" not in ran.stderr + ran.stdout


def test_gunicorn_s_own_lines_are_json_where_the_site_asks_for_it(tmp_path: Path) -> None:
    """A fault outside the application, a request that is none, and a worker that is killed."""
    (tmp_path / "failing.py").write_text(
        "import os, signal\n"
        "def application(environ, start_response):\n"
        "    if environ['PATH_INFO'] == '/end':\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "    raise ValueError(environ['QUERY_STRING'])\n"
    )
    port = free_port()
    option = ["--config", "python:crs_app.gunicorn_config", "--bind", f"127.0.0.1:{port}"]
    # A worker that begins in the moment of the end does not notice it: by default it has 30 s.
    option += ["--graceful-timeout", "1"]
    path = os.pathsep.join([str(settings.BASE_DIR), str(tmp_path)])
    running = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "failing", *option, "--workers", "1"],
        env=os.environ | {"CRS_LOG": "json", "PYTHONPATH": path, "DATABASE_URL": "postgres://x/y"},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        wait_for(port, running)
        for sent in ("GET /?q=Doe HTTP/1.1", "Jane Doe", "GET /end HTTP/1.1"):
            with socket.create_connection(("127.0.0.1", port), timeout=10) as line:
                line.sendall(f"{sent}\r\n\r\n".encode())
                while line.recv(4096):
                    pass
    finally:
        running.terminate()
        _, written = running.communicate(timeout=20)
    lines = [json.loads(line) for line in written.splitlines()]
    assert all({"at", "level", "logger", "message"} <= line.keys() for line in lines)
    messages = [line["message"] for line in lines]
    assert any("Error handling request" in one for one in messages), messages
    assert any("SIGKILL" in one for one in messages), messages
    assert any("ValueError" in line.get("stack", "") for line in lines)
    assert "Doe" not in written
