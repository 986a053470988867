"""Headers on every answer, cookies under HTTPS, and what the deployment files leave open."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from crs_app import replica
from crs_app.accounts.models import User
from crs_app.host_check import check_host
from patients.models import Course
from tests.project.test_proxy import CADDY, COMPOSE, service, services
from tests.project.test_run import in_a_fresh_checkout

HTTPS = {
    "CRS_HTTPS": "1",
    "CRS_SECRET_KEY": "of-a-test-Kz7!" * 5,
    "DATABASE_URL": "postgresql://w@db/crs",
}


def test_the_deployment_check_has_nothing_to_say() -> None:
    """Under the settings of a hospital; W021 alone is silenced, by a line that says why."""
    checked = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=settings.BASE_DIR,
        env={"PATH": os.defpath, "LANG": "C.UTF-8", **HTTPS},
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stderr
    assert "no issues (1 silenced)" in checked.stdout


@pytest.mark.parametrize("hosts", ["*", ".hospital.example", "crs.hospital.example,*"])
def test_a_site_that_shares_its_hosts_does_not_pass_the_check(settings: Any, hosts: str) -> None:
    settings.HTTPS = True
    settings.ALLOWED_HOSTS = ["localhost", "crs.hospital.example"]
    assert check_host() == []
    settings.ALLOWED_HOSTS = hosts.split(",")
    settings.FORCE_SCRIPT_NAME = "/crs"
    assert [one.id for one in check_host()] == ["crs.E003", "crs.E004"]


def test_the_proxy_gives_its_host_to_this_application_alone() -> None:
    """One site, whose every path leads to the application, but for what it refuses."""
    blocks = re.findall(r"^(\S.*|)\{$", CADDY, re.MULTILINE)
    assert blocks == ["", "{$CRS_SITE_ADDRESS:http://:8000} "], "the options, and one site"
    others = r"^\t(reverse_proxy|handle|handle_path|route|file_server|root|redir)\b"
    assert re.findall(others, CADDY, re.MULTILINE) == ["reverse_proxy"]


def test_cookies_belong_to_the_host_alone_under_https(tmp_path: Path) -> None:
    names = "SESSION_COOKIE_NAME", "CSRF_COOKIE_NAME", "TABLET_COOKIE_NAME"
    code = f"print({', '.join(f'settings.{name}' for name in names)})"
    printed = in_a_fresh_checkout(tmp_path, code, **HTTPS)
    assert printed == "__Host-sessionid __Host-csrftoken __Host-crs-tablet\n"


@pytest.mark.django_db
def test_a_cookie_of_the_whole_site_belongs_to_the_host_alone(
    nurse: User, course: Course, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under HTTPS; one with a path cannot, and is at least of TLS alone."""
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME = "__Host-s", "__Host-c"
    settings.TABLET_COOKIE_NAME = "__Host-t"
    client = Client()
    sent = {"username": "nurse", "password": "correct horse 1"}
    assert client.post("/accounts/sign-in/", sent).status_code == 302
    for path in ("/", f"/courses/{course.pk}/"):
        client.get(path)
    monkeypatch.setattr(replica, "connections", {replica.REPLICA: None})
    walled = client.post("/wall/screens/", {"wards": course.on_ward_id, "name": "Corridor"})
    assert walled.status_code == 302
    named = {cookie.key: cookie for cookie in client.cookies.values()}
    assert len(named) >= 6
    for name, cookie in named.items():
        prefix = "__Host-" if cookie["path"] == "/" else "__Secure-"
        assert name.startswith(prefix), name
        assert (cookie["secure"], cookie["domain"]) == (True, ""), name


def test_strict_transport_covers_subdomains(tmp_path: Path) -> None:
    code = "print(settings.SECURE_HSTS_SECONDS, settings.SECURE_HSTS_INCLUDE_SUBDOMAINS)"
    assert in_a_fresh_checkout(tmp_path, code, **HTTPS) == "31536000 True\n"


SETTINGS = (settings.BASE_DIR / "crs_app" / "settings.py").read_text()
SECRETS = re.findall(r'_secret\("(\w+)"\)', SETTINGS)


def test_secrets_are_read_from_files(tmp_path: Path) -> None:
    """Whatever fills the files (the agent of a vault, the container engine)."""
    files = {}
    for name in SECRETS:
        file = tmp_path / name
        file.write_text(f"of the file of {name}\n")
        files[f"{name}_FILE"] = str(file)
    names = {
        "CRS_SECRET_KEY": "settings.SECRET_KEY",
        "CRS_EXPORT_KEY": "settings.EXPORT_KEY",
        "CRS_METRICS_TOKEN": "settings.METRICS_TOKEN",
        "CRS_WEB_PASSWORD": "settings.DATABASES['default']['PASSWORD']",
        "CRS_OWNER_PASSWORD": "settings.OWNER_DATABASE['PASSWORD']",
        "CRS_KEEPER_PASSWORD": "settings.KEEPER_DATABASE['PASSWORD']",
        "CRS_OIDC_CLIENT_SECRET": "settings.HOSPITAL_SIGN_IN.client_secret",
    }
    assert set(SECRETS) == set(names)
    printed = in_a_fresh_checkout(
        tmp_path,
        f"print({', '.join(names.values())}, sep='|')",
        DATABASE_URL="postgresql://crs_web@db/crs",
        CRS_OWNER_DATABASE_URL="postgresql://crs_owner@db/crs",
        CRS_KEEPER_DATABASE_URL="postgresql://crs@db/postgres",
        CRS_OIDC_ISSUER="https://id.hospital.example",
        CRS_OIDC_CLIENT_ID="crs",
        **files,
    )
    assert printed == "|".join(f"of the file of {name}" for name in names) + "\n"


HEADERS = {
    "Content-Security-Policy": re.compile(
        r"default-src 'self'(?!.*unsafe).*require-trusted-types-for 'script'"
    ),
    "X-Content-Type-Options": re.compile("nosniff"),
    "Cross-Origin-Opener-Policy": re.compile("same-origin"),
    "Cross-Origin-Resource-Policy": re.compile("same-origin"),
    "Referrer-Policy": re.compile("same-origin"),
}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/accounts/sign-in/", 200),
        ("/", 302),
        ("/health/", 200),
        ("/nowhere/", 404),
        ("/static/crs/crs.css", 200),
        ("/static/crs/nothing.css", 404),
        ("/worker.js", 200),
        ("/livez", 200),
    ],
)
def test_every_answer_has_the_headers(client: Client, path: str, status: int) -> None:
    answer = client.get(path)
    answer.close()  # a static file stands open
    assert answer.status_code == status
    if answer.headers.get("Content-Type", "").startswith("text/"):
        assert re.search('; charset="?utf-8', answer.headers["Content-Type"]), path
    else:
        assert answer.headers["Content-Type"] == "application/json", path
    for name, value in HEADERS.items():
        assert value.search(answer.headers.get(name, "")), (path, name)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "method", "status"),
    [("/nowhere/", "get", 404), ("/courses/admit/", "get", 403), ("/", "post", 405)],
)
def test_every_error_has_the_headers(
    auditor_client: Client, path: str, method: str, status: int
) -> None:
    answer = getattr(auditor_client, method)(path)
    assert answer.status_code == status
    for name, value in HEADERS.items():
        assert value.search(answer.headers.get(name, "")), (path, name)


def test_the_redirect_to_https_has_the_headers(client: Client, settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = True
    answer = client.get("/accounts/sign-in/")
    assert answer.status_code == 301
    assert HEADERS["Content-Security-Policy"].search(answer.headers["Content-Security-Policy"])


@pytest.mark.django_db
def test_a_sign_out_empties_the_cache_of_the_browser_and_not_what_was_typed(
    nurse_client: Client, course: Course
) -> None:
    assert "Clear-Site-Data" not in nurse_client.get("/").headers
    answer = nurse_client.post("/accounts/sign-out/")
    assert answer.headers["Clear-Site-Data"] == '"cache"'


@pytest.mark.parametrize("name", services())
def test_no_container_writes_to_itself_or_gains_rights(name: str) -> None:
    closed = COMPOSE.partition("x-closed: &closed\n")[2].partition("\n\n")[0]
    for line in ("read_only: true", "cap_drop: [ALL]", '"no-new-privileges:true"'):
        assert line in closed
    assert re.search(r"<<: \*(closed|app|operator)$", service(name), re.MULTILINE)
    assert "<<: *closed" in COMPOSE.partition("x-app: &app\n")[2].partition("\n\n")[0]
    assert "<<: *app" in COMPOSE.partition("x-operator: &operator\n")[2].partition("\n\n")[0]
    rights = re.findall(r"cap_add: (.*)", service(name))
    assert rights == {"proxy": ["[NET_BIND_SERVICE]"], "archive": ["[CHOWN]"]}.get(name, [])


def test_secrets_stand_in_files_that_each_service_is_given_alone() -> None:
    assert not re.search(r"(PASSWORD|SECRET_KEY): \$\{", COMPOSE)
    assert not re.search(r"postgresql://\w+:", COMPOSE)
    assert "owner_password" not in service("web")
    with_superuser = [name for name in services() if "postgres_password" in service(name)]
    assert with_superuser == ["database", "restore"]
    assert "/secrets/" in (settings.BASE_DIR / ".gitignore").read_text()
    assert "!secrets" not in (settings.BASE_DIR / ".dockerignore").read_text()
