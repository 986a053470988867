"""PostgreSQL's own programs and the database that they are run for."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Any, Final

import psycopg
from django.conf import settings

from crs_app.local_postgres import DatabaseServerError, local_server

APPLICATION: Final = "crs operations"
"""How the sessions of these commands are named in the database's list of sessions."""


class OperationsError(Exception):
    """A backup or a restore cannot go on; the message says why, in words for the operator."""


@dataclass(frozen=True)
class Address:
    """A database, and the role that connects to it, in libpq's words (``host``, ``dbname``)."""

    parts: Mapping[str, str]

    @classmethod
    def of(cls, database: Mapping[str, Any]) -> Address:
        """Return the address in one of Django's database settings."""
        # How Django's own connections plan statements and which role they take is none of libpq's.
        options = {
            name: value
            for name, value in database.get("OPTIONS", {}).items()
            if name.startswith(("ssl", "hostaddr", "channel_binding", "gss", "krb"))
        }
        names = {"NAME": "dbname", "USER": "user", "PASSWORD": "password", "HOST": "host"}
        parts = {name: database.get(key) for key, name in (*names.items(), ("PORT", "port"))}
        found = {**options, **parts, "application_name": APPLICATION}
        return cls({name: str(value) for name, value in found.items() if value})

    @property
    def name(self) -> str:
        return self.parts["dbname"]

    @property
    def user(self) -> str:
        return self.parts["user"]

    def at(self, name: str) -> Address:
        """Return the address of another database of the same server."""
        return Address({**self.parts, "dbname": name})

    def connect(self) -> psycopg.Connection[Any]:
        """Connect, each statement a transaction of its own.

        :raises OperationsError: where the server refuses.
        """
        try:
            return psycopg.connect(**self.parts, autocommit=True)  # type: ignore[arg-type]
        except psycopg.OperationalError as error:
            raise OperationsError(
                f"{self.user} cannot connect to the database {self.name}: {error}"
            ) from error

    def environment(self) -> dict[str, str]:
        """Return the environment for one of the programs: a password is on no command line."""
        ours = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        spelt = {"dbname": "database", "application_name": "appname"}
        named = {
            f"PG{spelt.get(name, name).upper().replace('_', '')}": value
            for name, value in self.parts.items()
        }
        return ours | named | {"LC_ALL": "C"}


def owner_address() -> Address:
    """Return the address of the owner of the tables, who dumps and loads.

    :raises OperationsError: where the settings name none.
    """
    if settings.OWNER_DATABASE is None:
        raise OperationsError("Set CRS_OWNER_DATABASE_URL: the owner of the tables makes backups.")
    return Address.of(settings.OWNER_DATABASE)


def keeper_address() -> Address:
    """Return the address of the role that makes and renames databases.

    :raises OperationsError: where the settings name none.
    """
    if settings.KEEPER_DATABASE is None:
        raise OperationsError(
            "Set CRS_KEEPER_DATABASE_URL to the address of a superuser of the database server: "
            "a restore makes a new database and gives it the name of the old one."
        )
    return Address.of(settings.KEEPER_DATABASE)


def program(name: str, server_version: int) -> str:
    """Return the path of a program that understands the server.

    The embedded package's where it serves the local database; else that of the path, or the
    embedded one where that of the path is of an older major version than the server.
    ``server_version`` is as psycopg has it, 180006 for 18.6.

    :raises OperationsError: where there is none.
    """
    tried = []
    if os.environ.get("DATABASE_URL") and (found := shutil.which(name)):
        tried.append(found)
    with suppress(DatabaseServerError):
        tried.append(local_server().program(name))
    found_versions = []
    for path in tried:
        if (major := _major_version(path)) >= server_version // 10_000:
            return path
        found_versions.append(f"{path} is of version {major}")
    raise OperationsError(
        f"The server is PostgreSQL {server_version // 10_000}, and no {name} of that version or a "
        f"newer one is here ({'; '.join(found_versions) or 'none was found'}). Install the "
        "client programs of the server's version."
    )


def _major_version(path: str) -> int:
    words = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"\(PostgreSQL\) (\d+)", words)
    return int(found[1]) if found else 0


def run_program(
    path: str, arguments: Sequence[str], address: Address, *, stdin: IO[bytes] | None = None
) -> str:
    """Run a program for the database at ``address``; return what it prints.

    :raises OperationsError: where it fails, with the last lines that it wrote.
    """
    finished = subprocess.run(
        [path, *arguments],
        env=address.environment(),
        stdin=stdin or subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    if finished.returncode:
        raise failure(path, finished.stderr)
    return finished.stdout.decode(errors="replace")


def failure(path: str, words: bytes) -> OperationsError:
    """Return the error of a program that ended with ``words``."""
    last = words.decode(errors="replace").strip().splitlines()[-5:]
    return OperationsError("\n".join([f"{path} failed:", *last]))
