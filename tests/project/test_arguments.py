"""A wrong number for a command or a setting is refused in words, before anything happens."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command


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
    ],
)
def test_a_number_out_of_range_is_refused_in_words(command: str, arguments: list[str]) -> None:
    with pytest.raises(CommandError, match=r"is no whole number from \d+ to \d+"):
        call_command(command, *arguments)


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
