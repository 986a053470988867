"""The database refuses the web process what it need not do, whoever asks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, ProgrammingError, connection, transaction

from crs_app.accounts.models import User
from crs_app.database_roles import MAY_CHANGE, READ_ONLY, check_web_role
from crs_app.local_postgres import USER, WEB
from patients.models import Course
from tests.factories import chart
from tests.owner import rights_of_owner

pytestmark = pytest.mark.django_db


def run(statement: str) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []


def test_the_tests_run_as_the_web_role() -> None:
    assert run("SELECT current_user") == [(WEB,)]


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE copied AS SELECT * FROM patients_patient",
        "CREATE TEMPORARY TABLE copied (id int)",
        "CREATE SCHEMA other",
        "CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE OR REPLACE FUNCTION patients_refuse_change() RETURNS trigger LANGUAGE plpgsql"
        " AS 'BEGIN RETURN NEW; END'",
        "CREATE ROLE other SUPERUSER",
        "ALTER TABLE patients_entry DISABLE TRIGGER append_only",
        "DROP TRIGGER append_only ON patients_entry",
        "DROP TABLE patients_entry",
        "TRUNCATE django_session",
        "TRUNCATE patients_entry CASCADE",
        "SET session_replication_role = replica",
        "SELECT pg_read_file('/etc/passwd', 0, 40)",
        "COPY (SELECT 1) TO PROGRAM 'true'",
        "COPY (SELECT 1) TO '/tmp/crs-stolen'",
        "UPDATE patients_entry SET body = body",
        "DELETE FROM patients_entry",
        "UPDATE patients_chartingact SET author_name = 'X. Other'",
        "UPDATE patients_gradeperiod SET grade = 0",
        "DELETE FROM patients_gradeperiod",
        "UPDATE patients_gradecheckpoint SET state = '{}'",
        "UPDATE patients_course SET admitted_at = now()",
        "DELETE FROM patients_course",
        "DELETE FROM patients_patient",
        "UPDATE patients_laboratorylimits SET limits = '{}'",
        "UPDATE patients_sitepolicy SET valid_from = now()",
        "UPDATE patients_policyversion SET values = '{}'",
        "UPDATE accounts_user SET is_superuser = true",
        "UPDATE accounts_user SET username = 'other'",
        "DELETE FROM accounts_user",
        "INSERT INTO auth_group (name) VALUES ('other')",
        "INSERT INTO accounts_user_user_permissions (user_id, permission_id) SELECT 1, 1",
        "INSERT INTO record_event SELECT * FROM record_event",
        "UPDATE record_chain SET number = 0",
        "INSERT INTO django_migrations (app, name, applied) VALUES ('patients', 'x', now())",
    ],
)
def test_what_the_web_process_need_not_do_is_refused(
    course: Course, clinician: User, statement: str
) -> None:
    chart(course, clinician, "vitals", temperature_c="38.5")
    with pytest.raises(DatabaseError) as refused, transaction.atomic():
        run(statement)
    assert refused.type is ProgrammingError or "permission denied" in str(refused.value)


def test_what_is_listed_names_tables_that_there_are() -> None:
    """A misspelt name would give no right, and a table that went would leave its line behind."""
    tables = set(connection.introspection.table_names())
    assert tables >= MAY_CHANGE.keys() | READ_ONLY
    assert not MAY_CHANGE.keys() & READ_ONLY


@pytest.fixture
def role() -> Iterator[str]:
    """A role that may do no more than log in."""
    with rights_of_owner():
        run("CREATE ROLE tried LOGIN")
        yield "tried"


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        ("ALTER ROLE tried SUPERUSER", "is a superuser"),
        ("ALTER ROLE tried CREATEROLE", "may create roles"),
        ("ALTER ROLE tried BYPASSRLS", "row security"),
        ("ALTER TABLE patients_course OWNER TO tried", "owns tables"),
        ("GRANT CREATE ON SCHEMA public TO tried", "may create tables"),
        ("GRANT TEMPORARY ON DATABASE {database} TO tried", "may create schemas or temporary"),
        ("GRANT pg_execute_server_program TO tried", "starts programs"),
        ("GRANT pg_write_all_data TO tried", "writes every table"),
        ("GRANT TRUNCATE ON patients_entry TO tried", "may empty tables"),
        ("GRANT DELETE ON patients_patient TO tried", "rows that it must not"),
        ("GRANT UPDATE (body) ON patients_entry TO tried", "rows that it must not"),
        ("GRANT UPDATE ON accounts_user TO tried", "rows that it must not"),
    ],
)
def test_a_web_role_that_can_do_more_does_not_serve(role: str, more: str, fault: str) -> None:
    check_web_role(role)
    run(more.format(database=connection.settings_dict["NAME"]))
    with pytest.raises(ImproperlyConfigured, match=fault):
        check_web_role(role)


def test_the_superuser_does_not_serve_and_the_web_role_does() -> None:
    check_web_role()
    with rights_of_owner(), pytest.raises(ImproperlyConfigured, match=f"'{USER}'.*superuser"):
        check_web_role()
