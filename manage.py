#!/usr/bin/env python
"""Commands; those that need the database have it running first."""

import os
import sys

from django.core.management import execute_from_command_line

from crs_app.arguments import fault_in
from crs_app.local_postgres import DatabaseServerError, ensure_server

NEED_NO_DATABASE = {
    "check",
    "collectstatic",
    "diffsettings",
    "help",
    "makemigrations",
    "stop_database",
    "version",
}


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crs_app.settings")
    if fault := fault_in(sys.argv[1:]):
        sys.exit(fault)
    command = next((word for word in sys.argv[1:] if not word.startswith("-")), "help")
    asks_for_help = {"-h", "--help", "--version"} & set(sys.argv)
    try:
        if command not in NEED_NO_DATABASE and not asks_for_help:
            ensure_server()
        execute_from_command_line(sys.argv)
    except DatabaseServerError as error:
        sys.exit(f"{error}")


if __name__ == "__main__":
    main()
