"""A wrong number for a command or a setting is refused in words, before anything happens."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from crs_app.accounts.models import User
from patients.exchange.register import register_system
from patients.models import SystemKind


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        ("run", ["--port=99999"]),
        ("run", ["--port=0"]),
        ("listen_hl7", ["--system=laboratory", "--port=70000"]),
        ("send_record", ["--every=-5"]),
        ("send_record", ["--every=ten"]),
        ("make_record_partitions", ["--months=0"]),
        ("make_record_partitions", ["--months=100000"]),
        ("backup", ["--keep-days=0"]),
        ("backup", ["--keep-days=99999999999"]),
    ],
)
def test_a_number_out_of_range_is_refused_in_words(command: str, arguments: list[str]) -> None:
    with pytest.raises(CommandError, match=r"is no whole number from \d+ to \d+"):
        call_command(command, *arguments)


def test_an_argument_that_is_no_text_is_named() -> None:
    """The bytes of another character set, as a shell of an old locale sends them."""
    asked = subprocess.run(
        [sys.executable, "manage.py", "remove_second_factors", b"m\xfcller"],
        cwd=settings.BASE_DIR, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert asked.returncode == 1
    assert asked.stderr == "Argument 2 is not in UTF-8: 'm\\udcfcller'\n"


@pytest.mark.parametrize("host", ["x" * 70, "\u202e"])
@pytest.mark.django_db
def test_a_host_that_is_none_is_refused_in_words(administrator: User, host: str) -> None:
    register_system("laboratory", SystemKind.LABORATORY, by=administrator)
    with pytest.raises(CommandError, match="cannot be used"):
        call_command("run", host=host, port=8000)
    with pytest.raises(CommandError, match="cannot listen on"):
        call_command("listen_hl7", system="laboratory", host=host, port=0)


@pytest.mark.django_db
def test_keys_that_are_no_text_are_refused_in_words(administrator: User, tmp_path: Path) -> None:
    (tmp_path / "keys").write_bytes(b"\xff\xfe")
    with pytest.raises(CommandError, match="keys: is not in UTF-8"):
        call_command("register_system", "x", kind="laboratory", by="admin", jwks=tmp_path / "keys")


@pytest.mark.parametrize(
    ("name", "value"), [("CRS_IDLE_MINUTES", "ten"), ("CRS_BACKUPS_KEPT_DAYS", "0")]
)
def test_a_setting_that_is_no_such_number_is_named(name: str, value: str) -> None:
    started = subprocess.run(
        [sys.executable, "-c", "import crs_app.settings"],
        env={**os.environ, name: value},
        cwd=settings.BASE_DIR, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert started.returncode == 1
    assert f"{name} is '{value}': give a whole number from 1 to " in started.stderr
