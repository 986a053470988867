"""What the web process may do in the database, granted by the owner of the tables.

Two roles connect. The *owner* has the tables (CRS_OWNER_DATABASE_URL): it migrates, dumps and makes
partitions, and no web process uses it. The *web* role (DATABASE_URL) reads, adds rows, and changes
what is listed here: whoever takes over the web process can rewrite neither what was charted nor the
rules of the database.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from psycopg import sql

READ_ONLY: Final = frozenset(
    {
        "account_emailaddress",
        "account_emailconfirmation",
        "accounts_formername",
        "accounts_user_groups",
        "accounts_user_user_permissions",
        "auth_group",
        "auth_group_permissions",
        "auth_permission",
        "django_content_type",
        "django_migrations",
        "patients_externalsystemchange",
        "record_chain",
        "record_event",
        "socialaccount_socialaccount",
        "socialaccount_socialapp",
        "socialaccount_socialtoken",
    }
)
"""Tables that the web role reads and never writes; all others it reads and adds rows to.

The record, the former name of a user, and the row of a system before a change are written by
functions that have the rights of their owner.
"""
MAY_CHANGE: Final[Mapping[str, str]] = {
    "accounts_hospitalidentity": "DELETE",
    "accounts_letin": "UPDATE, DELETE",
    "accounts_onetimelink": "UPDATE (expires_at, used_at)",
    "accounts_recordedfailures": "UPDATE, DELETE",
    "accounts_signinthrottle": "UPDATE, DELETE",
    "accounts_tabletsignin": "UPDATE, DELETE",
    "accounts_user": (
        "UPDATE (password, last_login, email, is_active, role,"
        " sessions_ended, deactivated_at, deactivated_by_id)"
    ),
    "accounts_ward": "UPDATE (name, is_open)",
    "accounts_wardmembership": "DELETE",
    "django_session": "UPDATE, DELETE",
    "mfa_authenticator": "UPDATE, DELETE",
    "patients_accesstoken": "DELETE",
    "patients_cohortexport": "UPDATE (looked_at, written, left_out, ended_at, is_whole)",
    "patients_course": (
        "UPDATE (patient_id, product, infused_at, infused_offset_seconds, age_years, ward,"
        " on_ward_id, bed, ended_at, identity_version)"
    ),
    "patients_externalsystem": (
        "UPDATE (mrn_system, timezone, charset, filing, filing_of_wards, may_chart_kinds,"
        " thinning_minutes, matches_by_bed, allowed_addresses, accepts_other_types,"
        " obeys_no_answer, is_active, changed_at, changed_by_id)"
    ),
    "patients_gradecheckpoint": "DELETE",
    "patients_gradeperiod": "UPDATE (known)",
    "patients_requestcount": "UPDATE (count), DELETE",
    "patients_usedassertion": "DELETE",
    "patients_wallscreen": "UPDATE (ended_at, ended_by_id)",
    "patients_patient": (
        "UPDATE (mrn, mrn_key, mrn_look, name, name_key, birth_date, sex, developmental_delay)"
    ),
    "shared_cache": "UPDATE, DELETE",
}
"""What the web role may do with a table besides reading and adding rows.

Triggers refuse most changes of a row even so, such as a course that moves without a record of it.
"""

_TABLES: Final = """
SELECT relname FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
ORDER BY relname
"""
_IS_WEB_ROLE_SAFE: Final = """
SELECT rolsuper, rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls,
    EXISTS (SELECT FROM pg_class WHERE relnamespace = 'public'::regnamespace
        AND relkind IN ('r', 'p') AND pg_has_role(rolname, relowner, 'MEMBER')),
    has_schema_privilege(rolname, 'public', 'CREATE'),
    has_database_privilege(rolname, current_database(), 'CREATE, TEMPORARY'),
    EXISTS (SELECT FROM pg_roles AS powerful WHERE powerful.rolname = ANY(%(powerful)s)
        AND pg_has_role(web.rolname, powerful.oid, 'MEMBER')),
    EXISTS (SELECT FROM pg_class WHERE relnamespace = 'public'::regnamespace
        AND relkind IN ('r', 'p') AND NOT relispartition
        AND (has_table_privilege(rolname, pg_class.oid, 'TRUNCATE, TRIGGER')
            OR has_table_privilege(rolname, pg_class.oid, 'DELETE')
                AND relname <> ALL(%(deleted)s)
            OR has_table_privilege(rolname, pg_class.oid, 'UPDATE')
                AND relname <> ALL(%(updated)s)
            OR has_any_column_privilege(rolname, pg_class.oid, 'UPDATE')
                AND relname <> ALL(%(updated_in_part)s)))
FROM pg_roles AS web WHERE rolname = %(role)s
"""
_FAULTS: Final = (
    "is a superuser of the database",
    "may create roles or databases, replicate, or pass over row security",
    "owns tables",
    "may create tables",
    "may create schemas or temporary tables",
    "is a member of a role of PostgreSQL that reads files, starts programs or writes every table",
    "may empty tables, or change rows that it must not",
)
_POWERFUL: Final = (
    "pg_checkpoint", "pg_create_subscription", "pg_database_owner", "pg_execute_server_program",
    "pg_maintain", "pg_read_server_files", "pg_signal_backend", "pg_write_all_data",
    "pg_write_server_files",
)  # fmt: skip
"""Roles that come with PostgreSQL, whose members can do what no table of rights here names."""


@contextmanager
def owner_of_tables() -> Iterator[str]:
    """Connect as the owner for the length of the block; yield the name of the web role."""
    web = dict(connection.settings_dict)
    if settings.OWNER_DATABASE is not None:
        _connect_with(settings.OWNER_DATABASE)
    try:
        yield web["USER"]
    finally:
        if settings.OWNER_DATABASE is not None:
            _connect_with(web)


def _connect_with(address: Mapping[str, Any]) -> None:
    connection.close()
    parts = ("HOST", "PORT", "USER", "PASSWORD", "NAME")
    options = {**connection.settings_dict["OPTIONS"], **address["OPTIONS"]}
    connection.settings_dict.update({part: address[part] for part in parts}, OPTIONS=options)


def grant_to(web_role: str) -> None:
    """Give ``web_role`` its rights, and no others; the connection is the owner's."""
    role = sql.Identifier(web_role)
    with connection.cursor() as cursor:
        cursor.execute(_TABLES)
        tables = [name for (name,) in cursor.fetchall()]
        cursor.execute("SELECT current_database()")
        database = sql.Identifier(cursor.fetchone()[0])
        statements = [
            sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC, {}").format(database, role),
            sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, role),
            sql.SQL("REVOKE CREATE ON SCHEMA public FROM PUBLIC, {}").format(role),
            sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(role),
            sql.SQL("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, {}").format(role),
            sql.SQL("GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {}").format(role),
        ]
        for table in tables:
            rights = sql.SQL(rights_in(table))
            named = sql.Identifier(table)
            statements.append(sql.SQL("GRANT {} ON {} TO {}").format(rights, named, role))
        for statement in statements:
            cursor.execute(statement)


def rights_in(table: str) -> str:
    """Return the rights of the web role in a table, in the words of GRANT."""
    if table in READ_ONLY:
        return "SELECT"
    return ", ".join(filter(None, ("SELECT, INSERT", MAY_CHANGE.get(table))))


def _listed() -> dict[str, list[str]]:
    """Return the tables of which the web role may delete or change rows, for the statement."""
    changed = {table: rights.split(", ") for table, rights in MAY_CHANGE.items()}
    return {
        "powerful": list(_POWERFUL),
        "deleted": [table for table, rights in changed.items() if "DELETE" in rights],
        "updated": [table for table, rights in changed.items() if "UPDATE" in rights],
        "updated_in_part": [table for table, text in MAY_CHANGE.items() if "UPDATE" in text],
    }


def check_web_role(web_role: str | None = None) -> None:
    """Raise ImproperlyConfigured where ``web_role`` can do more than the web process may.

    None is the role of the connection.
    """
    with connection.cursor() as cursor:
        if web_role is None:
            cursor.execute("SELECT current_user")
            web_role = cursor.fetchone()[0]
        cursor.execute(_IS_WEB_ROLE_SAFE, {"role": web_role, **_listed()})
        found = cursor.fetchone() or (False,) * len(_FAULTS)
    for has_fault, fault in zip(found, _FAULTS, strict=True):
        if has_fault:
            raise ImproperlyConfigured(
                f"The database role {web_role!r} of DATABASE_URL {fault}. Give the web process a "
                "role of its own, and name the owner of the tables in CRS_OWNER_DATABASE_URL "
                "(docs/operations.md, Two roles)."
            )
