"""Names of users: entries stand under them, so a change stays visible, whoever makes it."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django.test import Client
from django.utils import timezone

from crs_app.accounts.models import FormerName, User
from tests.owner import rights_of_owner

pytestmark = pytest.mark.django_db


def run(statement: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE accounts_user SET last_name = 'Other'",
        "UPDATE accounts_user SET first_name = 'Other'",
        "UPDATE accounts_user SET username = 'other'",
        "UPDATE accounts_user SET id = id + 1000",
        "INSERT INTO accounts_formername (user_id, first_name, last_name, until, changed_by)"
        " SELECT id, 'False', 'Name', now(), 'x' FROM accounts_user",
        "UPDATE accounts_formername SET last_name = 'Other'",
        "DELETE FROM accounts_formername",
        "DELETE FROM accounts_user",
    ],
)
def test_the_web_process_changes_no_name(nurse: User, statement: str) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"):
        run(statement)


@pytest.mark.usefixtures("as_owner")
class TestTheOwnerOfTheTables:
    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE accounts_user SET username = 'other'",
            "UPDATE accounts_user SET id = id + 1000",
            "DELETE FROM accounts_user",
            "TRUNCATE accounts_user CASCADE",
            "UPDATE accounts_formername SET last_name = 'Other'",
            "DELETE FROM accounts_formername",
            "TRUNCATE accounts_formername",
        ],
    )
    def test_changes_no_user_name_and_removes_nothing(self, nurse: User, statement: str) -> None:
        run("UPDATE accounts_user SET last_name = 'Berg'")
        with pytest.raises(IntegrityError, match=r"never changed|refused"):
            run(statement)

    def test_leaves_the_former_name_behind(self, nurse: User) -> None:
        before = timezone.now()
        run("UPDATE accounts_user SET last_name = 'Berg'")
        run("UPDATE accounts_user SET first_name = 'Joan'")
        kept = list(nurse.former_names.values_list("first_name", "last_name"))
        assert kept == [("Jo", "Berg"), ("Jo", "Ruiz")]
        for former in nurse.former_names.all():
            assert former.until >= before
            assert former.changed_by

    def test_leaves_nothing_behind_where_no_name_changes(self, nurse: User) -> None:
        run("UPDATE accounts_user SET last_name = last_name, last_login = now(), role = 'auditor'")
        assert not FormerName.objects.exists()


def test_an_administrator_sees_the_former_name(nurse: User, administrator_client: Client) -> None:
    with rights_of_owner():
        run("UPDATE accounts_user SET last_name = 'Berg' WHERE username = 'nurse'")
    page = administrator_client.get(f"/people/{nurse.pk}/").content.decode()
    assert "Berg, Jo" in page
    assert "Ruiz, Jo until " in page
