"""A system is registered by a command, with its public keys and what it may do."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from crs_app.accounts.models import User
from patients.models import ExternalSystem
from tests.patients.exchange import signed


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    file = tmp_path / "ehr-1.jwks"
    file.write_text(signed.jwks(signed.ec_key("ehr-1")))
    return file


def test_a_registered_system_gets_a_token_by_its_key(administrator: User, keys: Path) -> None:
    out = StringIO()
    call_command(
        "register_system", "ehr-1", "--kind", "ehr", "--by", administrator.username,
        "--mrn-system", "urn:crs:mrn", "--jwks", str(keys), stdout=out,
    )  # fmt: skip
    assert out.getvalue() == "ehr-1 registered as health record; keys: ehr-1\n"
    assert ExternalSystem.objects.get().mrn_system == "urn:crs:mrn"
    assert signed.token("ehr-1", scope="system/Observation.c")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--by", "nobody"], "no user named nobody"),
        (["--by", "nurse"], "does not allow"),
        (["--timezone", "Europe/Atlantis"], "timezone: This is no time zone"),
        (["--scope", "system/Observation.d"], "no scope of this site"),
        (["--jwks", "gone.jwks"], "No such file"),
        (["--jwks", __file__], "This is no JSON"),
        (["--from-address", "here"], "allowed_addresses"),
    ],
)
def test_what_is_not_possible_registers_nothing(
    more: list[str], words: str, administrator: User, nurse: User
) -> None:
    with pytest.raises(CommandError, match=words):
        call_command("register_system", "x", "--kind", "ehr", "--by", "admin", *more)
    assert not ExternalSystem.objects.exists()
