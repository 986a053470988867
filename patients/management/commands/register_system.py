"""Register another system by the command line, with its public keys and what it may do."""

import argparse
from pathlib import Path
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from crs_app.accounts.models import User
from grading.engine.sentences import inside_a_sentence
from patients.exchange.access.keys import KeySetError, add_keys, grant, read_key_set
from patients.exchange.access.scopes import SUPPORTED, UnknownScopeError
from patients.exchange.register import register_system
from patients.models import SystemKind


class Command(BaseCommand):
    help = "Register another system, which then sends and reads by its own key."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", metavar="NAME")
        parser.add_argument("--kind", required=True, choices=SystemKind.values)
        parser.add_argument("--by", required=True, metavar="USERNAME", help="an administrator")
        parser.add_argument("--mrn-system", default="", metavar="URI")
        parser.add_argument("--timezone", default="UTC", help="zone of times without an offset")
        parser.add_argument("--charset", default="utf-8", help="of HL7 v2 that names none")
        parser.add_argument("--jwks", type=Path, metavar="FILE", help="its public keys (RFC 7517)")
        parser.add_argument(
            "--scope", action="append", dest="scopes", metavar="SCOPE", default=None,
            help=f"what it may do; once for each. Default: {' '.join(SUPPORTED)}",
        )  # fmt: skip
        parser.add_argument(
            "--from-address", action="append", dest="addresses", metavar="ADDRESS", default=[],
            help="an address or network that it may send HL7 v2 from; once for each",
        )  # fmt: skip
        parser.formatter_class = argparse.RawDescriptionHelpFormatter

    def handle(self, *, name: str, kind: str, by: str, **options: Any) -> None:
        administrator = User.objects.filter(username=by).first()
        if administrator is None:
            raise CommandError(f"no user named {by}")
        try:
            with transaction.atomic():
                self._register(name, SystemKind(kind), administrator, options)
        except ValidationError as error:
            faults = error.message_dict.items()
            raise CommandError(
                "; ".join(f"{column}: {' '.join(words)}" for column, words in faults)
            ) from None
        except UnknownScopeError as error:
            raise CommandError(f"no scope of this site: {error}") from None
        except (KeySetError, PermissionDenied) as error:
            raise CommandError(str(error)) from None
        except OSError as error:
            raise CommandError(f"{options['jwks']}: {error.strerror}") from None
        except UnicodeDecodeError:
            raise CommandError(f"{options['jwks']}: is not in UTF-8") from None

    def _register(self, name: str, kind: SystemKind, by: User, options: dict[str, Any]) -> None:
        system = register_system(
            name,
            kind,
            by=by,
            timezone_name=options["timezone"],
            mrn_system=options["mrn_system"],
            charset=options["charset"],
            allowed_addresses=options["addresses"],
        )
        now, keys = timezone.now(), []
        if options["jwks"] is not None:
            keys = add_keys(system, read_key_set(options["jwks"].read_text("utf-8")), by, now)
        grant(system, options["scopes"] or SUPPORTED, by, now)
        names = ", ".join(key.kid for key in keys) or "none"
        shown = inside_a_sentence(kind.label)
        self.stdout.write(f"{system.name} registered as {shown}; keys: {names}")
