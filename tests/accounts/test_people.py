"""Roles, names and the demonstration users."""

from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command
from django.db import IntegrityError

from crs_app.accounts import demo
from crs_app.accounts import permissions as may
from crs_app.accounts.models import Role, User

PAIRS = (
    (may.can_chart, may.check_can_chart),
    (may.can_admit, may.check_can_admit),
    (may.can_export_answers, may.check_can_export_answers),
    (may.can_manage_policy, may.check_can_manage_policy),
)


def allowed(user: User | AnonymousUser) -> tuple[bool, ...]:
    """What ``user`` may do, one answer for each of PAIRS; both functions of a pair must agree."""
    for can, check in PAIRS:
        if can(user):
            check(user)
        else:
            with pytest.raises(PermissionDenied, match=r"^Your role does not allow you to .+\.$"):
                check(user)
    return tuple(can(user) for can, _ in PAIRS)


@pytest.mark.parametrize(
    ("role", "chart", "admit", "export", "policy"),
    [
        (Role.WARD_CLINICIAN, True, True, False, False),
        (Role.ICU_REVIEWER, True, True, True, False),
        (Role.ADMINISTRATOR, False, False, False, True),
        (Role.AUDITOR, False, False, True, False),
    ],
)
def test_what_a_role_may_do(
    role: Role, chart: bool, admit: bool, export: bool, policy: bool
) -> None:
    assert allowed(User(role=role)) == (chart, admit, export, policy)


def test_a_stranger_and_a_deactivated_user_may_do_nothing() -> None:
    for user in (AnonymousUser(), *(User(role=role, is_active=False) for role in Role)):
        assert not any(allowed(user))


@pytest.mark.parametrize(
    ("first_name", "last_name", "shown"),
    [("Jo", "Ruiz", "J. Ruiz"), ("", "Ruiz", "Ruiz"), ("Jo", "", "jruiz"), ("", "", "jruiz")],
)
def test_how_an_author_is_named(first_name: str, last_name: str, shown: str) -> None:
    assert User(username="jruiz", first_name=first_name, last_name=last_name).display_name == shown


def test_an_unknown_role_is_refused_by_the_database(db: None) -> None:
    with pytest.raises(IntegrityError, match="accounts_user_role_known"):
        User.objects.create_user("x", role="surgeon")


def test_the_first_administrator_of_a_site(db: None) -> None:
    assert may.can_manage_policy(User.objects.create_superuser("first"))


@pytest.fixture
def sign_ins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, db: None) -> Path:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    path = tmp_path / "var" / "demo-sign-ins.txt"
    monkeypatch.setattr(demo, "SIGN_INS", path)
    return path


def demo_users() -> str:
    printed = StringIO()
    call_command("demo_users", stdout=printed)
    return printed.getvalue().rstrip("\n")


def test_demo_users_can_sign_in_with_what_is_printed(sign_ins: Path) -> None:
    people = [line.split(maxsplit=2) for line in demo_users().splitlines()]
    assert [(name, role) for name, _, role in people] == [
        ("nurse", "Ward clinician"),
        ("icu", "ICU reviewer"),
        ("admin", "Administrator"),
    ]
    for name, password, _ in people:
        assert User.objects.get(username=name).check_password(password)
    assert sign_ins.stat().st_mode & 0o777 == 0o600


def test_demo_users_keep_their_passwords(sign_ins: Path) -> None:
    assert demo_users() == demo_users()


def test_demo_users_whose_passwords_are_lost_get_new_ones(sign_ins: Path) -> None:
    before = demo_users()
    sign_ins.unlink()
    assert demo_users() != before
    assert User.objects.count() == 3


def test_a_password_on_file_that_no_longer_fits_is_replaced(sign_ins: Path) -> None:
    demo_users()
    nurse = User.objects.get(username="nurse")
    nurse.set_password("another one 2")
    nurse.save(update_fields=["password"])
    password = demo_users().split()[1]
    nurse.refresh_from_db()
    assert nurse.check_password(password)


def test_no_demo_users_in_a_hospital_s_database(
    sign_ins: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://db/ward")
    with pytest.raises(CommandError, match="local database"):
        call_command("demo_users")
