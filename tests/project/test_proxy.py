"""The proxy that `docker compose` puts before the application, by its files.

`test_run.py` runs Caddy with this Caddyfile; Compose is read alone.
"""

import re

from django.conf import settings

from crs_app.security_headers import PROTECTING_HEADERS

COMPOSE = (settings.BASE_DIR / "docker-compose.yml").read_text()
CADDY = (settings.BASE_DIR / "Caddyfile").read_text()
KIB = {"KiB": 1024, "MiB": 1024**2}


OF_SERVICES = COMPOSE.partition("\nservices:\n")[2].partition("\nconfigs:\n")[0]


def services() -> list[str]:
    """The name of every service."""
    return re.findall(r"^  (\w+):$", OF_SERVICES, flags=re.MULTILINE)


def service(name: str) -> str:
    """The lines of one service."""
    parts = re.split(r"^  (?=\w+:$)", OF_SERVICES, flags=re.MULTILINE)
    (found,) = (each for each in parts if each.startswith(f"{name}:"))
    return found


def size(directive: str) -> int:
    found = re.search(rf"^\s*{directive} (\d+)(KiB|MiB)$", CADDY, re.MULTILINE)
    assert found, directive
    return int(found[1]) * KIB[found[2]]


def test_the_proxy_holds_a_whole_body_before_it_sends_it_on() -> None:
    """Caddy streams a body unless it is told how much to buffer."""
    inside = CADDY.partition("reverse_proxy web:8000 {")[2].partition("}")[0]
    assert "request_buffers" in inside
    assert size("request_buffers") > size("max_size")


def test_the_proxy_has_the_limit_of_the_application() -> None:
    assert size("max_size") == settings.DATA_UPLOAD_MAX_MEMORY_SIZE


def test_the_proxy_does_not_wait_for_ever() -> None:
    assert re.search(r"^\s*read_body \d+s$", CADDY, re.MULTILINE)
    assert re.search(r"^\s*read_header \d+s$", CADDY, re.MULTILINE)


def test_answers_of_the_proxy_itself_have_the_headers() -> None:
    """Where the application is away, or a body is too large; `/metrics` is one of them."""
    inside = CADDY.partition("handle_errors {")[2].partition("\n\t}")[0]
    for name in (*PROTECTING_HEADERS, "Strict-Transport-Security", "-Server"):
        assert re.search(rf"^\t+{name}\b", inside, re.MULTILINE), name
    assert "default-src 'none'" in inside
    assert not re.search(r"^\s*respond\b", CADDY, re.MULTILINE), "it would have no headers"


def test_nothing_but_the_proxy_can_be_reached() -> None:
    assert "ports:" in service("proxy")
    assert "./Caddyfile:/etc/caddy/Caddyfile:ro" in service("proxy")
    for name in set(services()) - {"proxy", "hl7"}:  # hl7: where it is asked for
        assert "ports:" not in service(name), name


def test_the_readme_says_why() -> None:
    readme = (settings.BASE_DIR / "README.md").read_text()
    assert "The proxy must buffer request bodies" in readme
