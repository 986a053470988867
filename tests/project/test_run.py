"""What `make run` starts: the application as a ward would have it, served from this machine."""

import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command

from chaos.checkout import UNFINISHED, copy_source
from crs_app.accounts import demo
from crs_app.accounts.models import User
from crs_app.local_postgres import OWNER, WEB, LocalServer, throwaway
from crs_app.management.commands import run
from crs_app.security_headers import CONTENT_SECURITY_POLICY
from tests.project import caddy

MANAGE = settings.BASE_DIR / "manage.py"


def free_port() -> int:
    """Finds a port below those that systems give to outgoing connections and to ``port 0``.

    Between this and the start of the server no other test gets it by chance.
    """
    first = 20_000 + os.getpid() % 10_000
    for port in range(first, first + 100):
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    pytest.fail(f"ports {first} to {first + 99} are all in use")


@pytest.fixture(scope="module")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, LocalServer]]:
    """Where the application is served, and the database, empty at first, that it was given.

    A copy of the source is served: tests in another process may collect static files as well.
    """
    copy = copy_source(tmp_path_factory.mktemp("served") / "copy")
    port = free_port()
    with throwaway() as server:
        there = f"/crs?host={server.socket_directory}&port=5432"
        environment = {
            **os.environ,
            "DATABASE_URL": f"postgresql://{WEB}@{there}",
            "CRS_OWNER_DATABASE_URL": f"postgresql://{OWNER}@{there}",
            "CRS_SECRET_KEY": "of this test",
        }
        serving = subprocess.Popen(
            [sys.executable, copy / "manage.py", "run", "--port", str(port)],
            cwd=copy,
            env=environment,
            stdout=subprocess.DEVNULL,
        )
        try:
            wait_until_healthy(f"http://127.0.0.1:{port}", serving)
            yield f"http://127.0.0.1:{port}", server
        finally:
            serving.send_signal(signal.SIGTERM)
            serving.wait(30)


def wait_until_healthy(address: str, serving: subprocess.Popen[bytes]) -> None:
    """It makes every table and collects every file first: minutes on a busy machine."""
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline and serving.poll() is None:
        try:
            assert fetch(f"{address}/health/") == "ok\n"
        except OSError:  # refused, or too slow to answer yet
            time.sleep(0.2)
        else:
            return
    pytest.fail("it did not come up")


def fetch(address: str) -> str:
    with urllib.request.urlopen(address, timeout=10) as answer:  # noqa: S310 - http, this machine
        return str(answer.read().decode())


@pytest.fixture
def address(hospital: tuple[str, LocalServer]) -> str:
    return hospital[0]


def test_a_page_and_every_file_it_names_are_served(address: str) -> None:
    page = fetch(f"{address}/")
    assert 'name="password"' in page
    files = re.findall(r'(?:href|src)="(/static/[^"]+)"', page)
    assert files
    for file in files:
        assert fetch(address + file)
        assert re.search(r"\.[0-9a-f]{12}\.\w+$", file), f"{file} would be cached past a release"


def test_a_hospital_s_database_gets_tables_and_no_demonstration(
    hospital: tuple[str, LocalServer],
) -> None:
    _, server = hospital
    with server.connect("crs") as connection:
        assert connection.execute("SELECT count(*) FROM accounts_user").fetchone() == (0,)


def test_another_host_name_is_refused(address: str) -> None:
    asked = urllib.request.Request(f"{address}/health/", headers={"Host": "elsewhere.example"})  # noqa: S310
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(asked, timeout=10)  # noqa: S310
    assert refused.value.code == 400
    refused.value.close()


def sign_in_once(address: str) -> int:
    """Sends a wrong password as a browser does; returns the status, 0 where no answer came."""
    host = address.removeprefix("http://")
    connection = http.client.HTTPConnection(host, timeout=60)
    token = "a" * 32
    connection.request(
        "POST",
        "/accounts/sign-in/",
        body=f"username=nobody&password=wrong&csrfmiddlewaretoken={token}",
        headers={
            "Cookie": f"csrftoken={token}",
            "Content-Type": "application/x-www-form-urlencoded",
        },
    )
    answer = connection.getresponse()
    assert answer.status != 503 or int(answer.headers["Retry-After"]) > 0
    connection.close()
    return answer.status


def test_the_site_answers_while_twenty_four_sign_in(address: str) -> None:
    """Each worker verifies two passwords at once and refuses the others with words."""
    with ThreadPoolExecutor(24) as strangers:
        sent = [strangers.submit(sign_in_once, address) for _ in range(24)]
        longest_s = 0.0
        while not all(one.done() for one in sent):
            begun = time.monotonic()
            fetch(f"{address}/health/")
            longest_s = max(longest_s, time.monotonic() - begun)
    statuses = Counter(one.result() for one in sent)
    assert set(statuses) == {200, 503}
    assert longest_s < 5


@pytest.mark.skipif(caddy.CADDY is None, reason="no caddy on the path: make dev installs it")
@pytest.mark.parametrize("buffers", [True, False])
def test_behind_the_proxy_slow_bodies_hold_nobody_up(
    address: str, tmp_path: Path, buffers: bool
) -> None:
    """Without ``request_buffers`` the same clients stop the site, so it is that which helps."""
    configuration = caddy.CADDYFILE.read_text()
    if not buffers:
        configuration = re.sub(r"\n\s*request_buffers .*", "", configuration)
    application = address.removeprefix("http://")
    with caddy.proxy(tmp_path, free_port(), application, configuration) as proxy:
        assert answers_within(5, proxy)
        with pytest.raises(urllib.error.HTTPError) as inside:  # not an answer of the application
            urllib.request.urlopen(f"{proxy}/metrics", timeout=5)  # noqa: S310
        assert (inside.value.code, inside.value.read()) == (404, b"")
        assert "default-src 'none'" in inside.value.headers["Content-Security-Policy"]
        assert "Server" not in inside.value.headers
        too_long = urllib.request.Request(proxy, headers={"X-Long": "x" * 9000})  # noqa: S310
        with pytest.raises(urllib.error.HTTPError) as of_gunicorn:
            urllib.request.urlopen(too_long, timeout=5)  # noqa: S310
        of_gunicorn.value.close()
        assert of_gunicorn.value.code in (400, 431)
        assert "default-src 'none'" in of_gunicorn.value.headers["Content-Security-Policy"]
        with urllib.request.urlopen(f"{proxy}/accounts/sign-in/", timeout=5) as page:  # noqa: S310
            assert page.headers.get_all("Content-Security-Policy") == [CONTENT_SECURITY_POLICY]
        with ExitStack() as slow:
            slow.enter_context(caddy.slow_bodies(proxy, 48))
            if buffers:
                time.sleep(1.5)
                assert all(answers_within(3, proxy) for _ in range(10))
            else:
                # A worker that had not started took none of the first ones: it gets others.
                deadline = time.monotonic() + 60
                while answers_within(3, proxy):
                    assert time.monotonic() < deadline, "slow senders stop no site any more"
                    slow.enter_context(caddy.slow_bodies(proxy, 8))
    assert answers_within(10, address), "who gives up holds nobody"


def answers_within(seconds: float, address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/health/", timeout=seconds) as answer:  # noqa: S310
            return bool(answer.status == 200)
    except TimeoutError:
        return False


def test_no_answer_invites_another_site(address: str) -> None:
    page = fetch(f"{address}/")
    (style,) = re.findall(r'href="(/static/crs/crs[^"]+)"', page)
    for path in ("/accounts/sign-in/", style):
        with urllib.request.urlopen(address + path, timeout=10) as answer:  # noqa: S310
            assert "Access-Control-Allow-Origin" not in answer.headers
            assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
            assert "default-src 'self'" in answer.headers["Content-Security-Policy"]


@pytest.fixture
def first_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, db: None) -> list[list[str]]:
    """The command up to the point where it becomes the server; what would be executed is kept."""
    executed: list[list[str]] = []
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setattr(os, "execv", lambda _program, arguments: executed.append(arguments))
    for module in (demo, run):
        monkeypatch.setattr(module, "SIGN_INS", tmp_path / "demo-sign-ins.txt")
    monkeypatch.setattr(settings, "STATIC_ROOT", tmp_path / "staticfiles")
    monkeypatch.setattr(run, "check_is_free", lambda _host, _port: None)
    return executed


class Terminal(StringIO):
    """What is printed where someone reads it."""

    def isatty(self) -> bool:
        return True


def test_the_first_run_prints_the_address_and_sign_ins_that_work(
    first_run: list[list[str]],
) -> None:
    printed = Terminal()
    call_command("run", "--port", "8765", stdout=printed)
    assert "Open http://localhost:8765/" in printed.getvalue()
    found = re.search(r"nurse +(\S+)", printed.getvalue())
    assert found is not None
    assert User.objects.get(username="nurse").check_password(found[1])
    (arguments,) = first_run
    assert arguments[arguments.index("--bind") + 1] == "127.0.0.1:8765"


def test_no_password_is_printed_into_a_file(first_run: list[list[str]], tmp_path: Path) -> None:
    """It says where the sign-ins are, and that file is its owner's alone."""
    printed = StringIO()
    call_command("run", stdout=printed)
    kept = tmp_path / "demo-sign-ins.txt"
    assert str(kept) in printed.getvalue()
    assert kept.stat().st_mode & 0o777 == 0o600
    for line in kept.read_text().splitlines():
        assert line.split()[1] not in printed.getvalue()


def test_a_later_run_leaves_the_people_alone(first_run: list[list[str]]) -> None:
    User.objects.create_user("someone")
    call_command("run", stdout=StringIO())
    assert User.objects.count() == 1


def in_a_fresh_checkout(folder: Path, code: str, **environment: str) -> str:
    """What a new process prints that runs `code` in its own copy of the settings."""
    shutil.copytree(
        settings.BASE_DIR / "crs_app", folder / "crs_app", ignore=UNFINISHED, dirs_exist_ok=True
    )
    finished = subprocess.run(
        [sys.executable, "-c", f"from crs_app import settings; {code}"],
        cwd=folder,
        env={"PATH": os.defpath, "LANG": "C.UTF-8", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    return finished.stdout + finished.stderr


def test_without_configuration_it_is_closed(tmp_path: Path) -> None:
    code = "print(settings.DEBUG, settings.ALLOWED_HOSTS, settings.DATABASES['default']['HOST'])"
    printed = in_a_fresh_checkout(tmp_path, code)
    assert printed.startswith("False ['localhost', '127.0.0.1'] /")


def test_the_secret_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    first = in_a_fresh_checkout(tmp_path, "print(settings.SECRET_KEY)").strip()
    assert len(first) > 50
    assert in_a_fresh_checkout(tmp_path, "print(settings.SECRET_KEY)").strip() == first
    (kept,) = (tmp_path / "var").iterdir()
    assert kept.stat().st_mode & 0o777 == 0o600


def test_behind_a_proxy_that_ends_tls(tmp_path: Path) -> None:
    code = (
        "print(settings.SESSION_COOKIE_SECURE, settings.CSRF_COOKIE_SECURE,"
        "settings.SECURE_SSL_REDIRECT, getattr(settings, 'CSRF_TRUSTED_ORIGINS', []))"
    )
    printed = in_a_fresh_checkout(
        tmp_path, code, CRS_HTTPS="1", CRS_ALLOWED_HOSTS="crs.ward.example, localhost"
    )
    assert printed == "True True True []\n", "an origin equal to the host needs no list"


def test_a_misspelt_time_zone_stops_the_start(tmp_path: Path) -> None:
    code = "print(settings.TIME_ZONE)"
    assert in_a_fresh_checkout(tmp_path, code, CRS_TIME_ZONE="Europe/Zurich") == "Europe/Zurich\n"
    assert "Europe/Zuerich" in in_a_fresh_checkout(tmp_path, code, CRS_TIME_ZONE="Europe/Zuerich")


def test_the_command_that_stops_the_database(tmp_path: Path) -> None:
    shutil.copy(MANAGE, tmp_path)
    for package in ("crs_app", "patients", "grading"):
        shutil.copytree(settings.BASE_DIR / package, tmp_path / package, ignore=UNFINISHED)
    finished = subprocess.run(
        [sys.executable, "manage.py", "stop_database"],
        cwd=tmp_path,
        env={"PATH": os.defpath},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (finished.stdout, finished.stderr) == ("It was not running.\n", "")
