"""Passwords that cannot be set: words of the hospital, and stolen ones."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from crs_app.accounts.models import User
from crs_app.accounts.passwords import NotStolen, NoWordOfTheHospital
from tests.project.test_run import in_a_fresh_checkout

STOLEN = [f"stolen password {number}" for number in range(200)]


@pytest.fixture
def stolen_ones(tmp_path: Path) -> Path:
    digests = (hashlib.sha1(one.encode(), usedforsecurity=False).hexdigest() for one in STOLEN)
    lines = sorted(f"{digest.upper()}:{count}" for count, digest in enumerate(digests))
    file = tmp_path / "stolen.txt"
    file.write_text("\r\n".join(lines) + "\r\n")
    return file


def refused(validator: Any, password: str) -> bool:
    try:
        validator.validate(password)
    except ValidationError:
        return True
    return False


@pytest.mark.django_db
@pytest.mark.parametrize("password", ["My-Hospital-2026", "NURSENURSE77", "st.bartholomew/9"])
def test_a_word_of_the_hospital_is_refused(nurse: User, settings: Any, password: str) -> None:
    """On the page where a user changes the own password."""
    name = "crs_app.accounts.passwords.NoWordOfTheHospital"
    (of_words,) = (one for one in settings.AUTH_PASSWORD_VALIDATORS if one["NAME"] == name)
    settings.AUTH_PASSWORD_VALIDATORS = [{**of_words, "OPTIONS": {"words": ["Bartholomew"]}}]
    client = Client()
    client.post("/accounts/sign-in/", {"username": "nurse", "password": "correct horse 1"})
    sent = {"old_password": "correct horse 1", "new_password1": password, "new_password2": password}
    answer = client.post("/accounts/me/password/", sent)
    assert answer.status_code == 422
    assert "one of the words that are tried here first" in answer.content.decode()


def test_a_short_word_of_the_site_refuses_nothing() -> None:
    validator = NoWordOfTheHospital(["CRS", "St."])
    assert not refused(validator, "a crs and a st. horse")


def test_a_stolen_password_is_refused(stolen_ones: Path) -> None:
    """The first, the last and every other line is found, and nothing else."""
    validator = NotStolen(str(stolen_ones))
    assert all(refused(validator, one) for one in STOLEN)
    assert not any(refused(validator, f"{one}!") for one in STOLEN)
    assert not refused(NotStolen(), STOLEN[0])


def test_an_empty_list_refuses_nothing(tmp_path: Path) -> None:
    (tmp_path / "none.txt").write_text("")
    assert not refused(NotStolen(str(tmp_path / "none.txt")), STOLEN[0])


def test_words_and_file_are_read_from_the_environment(tmp_path: Path, stolen_ones: Path) -> None:
    printed = in_a_fresh_checkout(
        tmp_path,
        "print([one['OPTIONS'] for one in settings.AUTH_PASSWORD_VALIDATORS[-2:]])",
        CRS_SITE_NAME="Charité",
        CRS_PASSWORD_WORDS="Berlin, Mitte",
        CRS_STOLEN_PASSWORDS=str(stolen_ones),
    )
    expected = [{"words": ["Charité", "Berlin", "Mitte"]}, {"file": str(stolen_ones)}]
    assert printed == f"{expected}\n"


def test_a_file_that_is_not_there_stops_the_start(tmp_path: Path) -> None:
    printed = in_a_fresh_checkout(tmp_path, "print('up')", CRS_STOLEN_PASSWORDS="/nowhere")
    assert "CRS_STOLEN_PASSWORDS names /nowhere, which is no file." in printed
