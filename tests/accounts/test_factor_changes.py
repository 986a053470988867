"""Second factors are set up and removed: by their user, and by an administrator."""

from __future__ import annotations

import re
from io import StringIO

import pytest
from allauth.mfa.models import Authenticator
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from time_machine import TimeMachineFixture

from crs_app.accounts.links import make_link
from crs_app.accounts.models import FactorChange, User
from crs_app.accounts.people_forms import WAYS_TO_RECOGNISE
from crs_app.record.models import Event, EventKind
from tests.accounts.code_app import (
    CODE_APP,
    ELSEWHERE,
    PASSWORD,
    RECOVERY_CODES,
    SECOND_STEP,
    SIGN_IN,
    code_of,
    enters,
    second_step,
    set_up,
    with_password,
)

pytestmark = pytest.mark.usefixtures("clock")


def test_a_code_app_is_set_up_by_its_own_code_alone(nurse: User) -> None:
    client, _ = with_password()
    client.get(CODE_APP)
    assert client.post(CODE_APP, {"code": "000000"}).status_code == 422
    assert not Authenticator.objects.exists()
    assert "data:image/svg+xml;base64," in client.get(CODE_APP).content.decode()


def test_setting_up_asks_for_the_own_password_after_a_quarter_of_an_hour(
    nurse: User, clock: TimeMachineFixture
) -> None:
    client, _ = with_password()
    for _ in range(2):
        clock.shift(8 * 60)
        client.post("/accounts/active/")
    assert "data-secret" not in client.get(CODE_APP).content.decode()
    assert client.post(CODE_APP, {"your_password": "wrong"}).status_code == 422
    assert client.post(CODE_APP, {"your_password": PASSWORD})["Location"] == CODE_APP
    set_up(client)


@pytest.mark.parametrize("path", ["code-app/remove/", "recovery-codes/"])
def test_changing_asks_for_the_own_password_after_a_quarter_of_an_hour(
    app: tuple[str, list[str]], clock: TimeMachineFixture, path: str
) -> None:
    client, _ = with_password()
    second_step(client, code_of(app[0]))
    for _ in range(2):
        clock.shift(8 * 60)
        client.post("/accounts/active/")
    before = list(Authenticator.objects.values())
    assert client.post(f"/accounts/me/{path}").status_code == 422
    for row, after in zip(before, Authenticator.objects.values(), strict=True):
        assert row["data"] == after["data"]


def test_a_change_ends_all_other_sessions_and_is_seen_by_the_user(
    nurse: User, app: tuple[str, list[str]]
) -> None:
    here, _ = with_password()
    second_step(here, app[1][0])
    there, _ = with_password(address=ELSEWHERE)
    second_step(there, app[1][1])
    assert here.post("/accounts/me/code-app/remove/").status_code == 302
    assert there.get("/")["Location"].startswith(SIGN_IN)
    page = here.get("/accounts/me/").content.decode()
    assert "code app removed, by you" in page
    assert not Authenticator.objects.exists(), "recovery codes are of no use alone"
    kinds = Event.objects.filter(kind=EventKind.SIGN_IN_METHODS_CHANGED, by=nurse)
    words = [event.details["change"] for event in kinds.order_by("number")]
    assert words == ["code app set up", "code app removed"]


def test_new_recovery_codes_end_those_of_before(app: tuple[str, list[str]]) -> None:
    client, _ = with_password()
    second_step(client, code_of(app[0]))
    page = client.post(RECOVERY_CODES).content.decode()
    new = re.findall(r"^(\d{4} \d{4})$", page, re.MULTILINE)
    assert len(set(new) - set(app[1])) == 10
    again, _ = with_password()
    second_step(again, app[1][0])
    assert not enters(again)
    second_step(again, new[0])
    assert enters(again)


def test_an_administrator_removes_the_factors_of_a_lost_telephone(
    nurse: User, app: tuple[str, list[str]], administrator: User
) -> None:
    client, _ = with_password()
    second_step(client, code_of(app[0]))
    admin, _ = with_password("admin", address=ELSEWHERE)
    page = admin.get(f"/people/{nurse.pk}/").content.decode()
    assert "password, code app" in page
    assert "10 recovery codes left" in page
    assert "password, code app" in admin.get("/people/").content.decode()
    assert b"password, code app" in b"".join(admin.get("/people/users.csv"))  # type: ignore[arg-type]

    path = f"/people/{nurse.pk}/remove-factors/"
    not_asked = admin.post(path)
    assert not_asked.status_code == 422
    assert "Choose how you recognised this person." in not_asked.content.decode()
    assert enters(client)
    assert admin.post(path, {"recognised": WAYS_TO_RECOGNISE[0]}).status_code == 302
    assert client.get("/")["Location"].startswith(SIGN_IN)
    again = admin.post(path, {"recognised": WAYS_TO_RECOGNISE[0]})
    assert "second factor" in again.content.decode()
    assert again.status_code == 422, "there is none left"
    client, _ = with_password()
    assert enters(client)
    seen = client.get("/accounts/me/").content.decode()
    assert "code app, recovery codes removed, by L. Berg" in seen
    last = Event.objects.filter(kind=EventKind.SIGN_IN_METHODS_CHANGED).order_by("number").last()
    assert last is not None
    assert last.by_id == administrator.pk
    assert last.details == {
        "user": "nurse", "removed": "code app, recovery codes", "recognised": WAYS_TO_RECOGNISE[0],
    }  # fmt: skip
    assert FactorChange.objects.filter(user=nurse).count() == 2


def test_an_administrator_removes_the_own_factors_on_the_own_page_alone(
    administrator: User,
) -> None:
    admin, _ = with_password("admin")
    set_up(admin)
    asked = {"recognised": WAYS_TO_RECOGNISE[0]}
    answer = admin.post(f"/people/{administrator.pk}/remove-factors/", asked)
    assert answer.status_code == 422
    assert "use your own page" in answer.content.decode()
    assert Authenticator.objects.exists()


def test_the_only_administrator_is_helped_by_a_command(administrator: User) -> None:
    admin, _ = with_password("admin")
    set_up(admin)
    printed = StringIO()
    call_command("remove_second_factors", "admin", stdout=printed)
    assert "Removed: code app, recovery codes." in printed.getvalue()
    assert admin.get("/")["Location"].startswith(SIGN_IN)
    admin, _ = with_password("admin")
    assert "by the command line of the site" in admin.get("/accounts/me/").content.decode()
    last = Event.objects.filter(kind=EventKind.SIGN_IN_METHODS_CHANGED).order_by("number").last()
    assert last is not None
    assert (last.by_id, last.details["user"]) == (None, "admin")
    for name in ("admin", "nobody"):
        with pytest.raises(CommandError):
            call_command("remove_second_factors", name)


def test_a_new_password_by_a_link_does_not_pass_the_second_step(
    nurse: User, app: tuple[str, list[str]]
) -> None:
    link, new = make_link(nurse, None, timezone.now()), "a longer horse 2"
    Client().post(f"/accounts/start/{link}/", {"new_password1": new, "new_password2": new})
    client, answer = with_password(password=new)
    assert answer["Location"] == SECOND_STEP
    assert not enters(client)
