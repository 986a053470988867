"""The first administrator of a site comes from one command, which prints a one-time link."""

from __future__ import annotations

from io import StringIO
from urllib.parse import urlsplit

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from crs_app.accounts.models import Role, User

NEW = "a longer horse 2"
pytestmark = pytest.mark.django_db


def first_link(*arguments: str) -> str:
    printed = StringIO()
    call_command("create_first_administrator", *arguments, stdout=printed)
    return printed.getvalue().strip()


def set_password(link: str) -> int:
    sent = {"new_password1": NEW, "new_password2": NEW}
    return Client().post(urlsplit(link).path, sent).status_code


def test_the_link_makes_an_administrator_who_can_create_others() -> None:
    link = first_link(
        "--username", "a.lind", "--last-name", "Lind", "--site", "https://crs.example/"
    )
    assert link.startswith("https://crs.example/accounts/start/")
    assert set_password(link) == 302
    client = Client()
    client.post("/accounts/sign-in/", {"username": "a.lind", "password": NEW})
    assert client.get("/people/new/").status_code == 200


def test_a_lost_link_is_replaced_until_a_password_is_set() -> None:
    lost, second = first_link(), first_link()
    assert set_password(lost) == 404
    assert set_password(second) == 302
    assert User.objects.count() == 1
    with pytest.raises(CommandError, match="An administrator exists"):
        first_link()


def test_where_an_administrator_exists_it_makes_no_second(administrator: User) -> None:
    with pytest.raises(CommandError, match="An administrator exists"):
        first_link("--username", "another")


def test_it_raises_no_other_user(nurse: User) -> None:
    with pytest.raises(CommandError, match="another user"):
        first_link("--username", "nurse")
    nurse.refresh_from_db()
    assert nurse.role == Role.WARD_CLINICIAN


def test_a_wrong_name_is_refused_with_words() -> None:
    with pytest.raises(CommandError, match="letter first"):
        first_link("--username", "A Lind")
