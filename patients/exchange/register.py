"""Register other systems and change how they are filed; each act is recorded."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from crs_app.accounts.models import User
from crs_app.accounts.system_users import external_system_user
from crs_app.record.models import EventKind
from crs_app.record.write import record_event
from grading.engine.sentences import inside_a_sentence
from grading.plain_text import disallowed_character
from patients.exchange.formats.context import Filing
from patients.models import EntryKind, ExternalSystem, SystemKind
from patients.recording.inputs import ConflictError

_ASCII: Final = r"MSH|^~\n\u0041&.xn--tda." + "".join(map(chr, range(0x20, 0x5B)))
"""Delimiters, escapes and a name, which are the same in every character set that is one."""
DEFAULT: Final = "default"
LONGEST_NAME: Final = 60
CHANGEABLE: Final = (
    "mrn_system", "timezone", "charset", "filing", "filing_of_wards", "may_chart_kinds",
    "thinning_minutes", "matches_by_bed", "allowed_addresses", "accepts_other_types",
    "obeys_no_answer", "is_active",
)  # fmt: skip
"""The columns that may change; the database refuses a change of any other."""
THINNING_MINUTES: Final = 15
"""Of a monitor, unless somebody chose otherwise: it sends every minute, nurses chart less often."""

_NAME_IN_USE: Final = "Another system has this name."


def author_name(name: str, kind: SystemKind) -> str:
    """Return how a system is shown as the author of an entry: "laboratory LIS-1".

    What a device sends and nobody looked at says so wherever it is shown.
    """
    shown = f"{inside_a_sentence(kind.label)} {name}"
    return f"{shown}, not validated" if kind.is_device else shown


def default_filing(kind: SystemKind) -> dict[str, str]:
    """Return what is filed at once of a new system: nothing of a device, which nobody validated."""
    return {DEFAULT: (Filing.PROPOSE if kind.is_device else Filing.FILE).value}


@transaction.atomic
def register_system(
    name: str, kind: SystemKind, *, by: User | None, timezone_name: str = "UTC", **settings: Any
) -> ExternalSystem:
    """Create a system and its user; ``by`` None is the command line.

    ``settings`` are columns of ``ExternalSystem``; what is left out has its default for ``kind``.
    Raises ValidationError by column.
    """
    name = name.strip()
    values: dict[str, Any] = {
        "timezone": timezone_name,
        "filing": default_filing(kind),
        "thinning_minutes": THINNING_MINUTES if kind is SystemKind.MONITOR else None,
        **settings,
    }
    _check_name(name)
    check_settings(values)
    try:
        with transaction.atomic():
            system = ExternalSystem.objects.create(
                name=name,
                kind=kind,
                user=external_system_user(name, author_name(name, kind)),
                changed_at=timezone.now(),
                changed_by=by,
                **values,
            )
    except IntegrityError:  # somebody, or a second tap, was faster
        raise ValidationError({"name": _NAME_IN_USE}) from None
    details = {"system": name, "system_kind": kind.label}
    record_event(EventKind.SYSTEM_REGISTERED, by=by, details=details)
    return system


def registered_before(
    name: str, kind: SystemKind, values: Mapping[str, Any], by: User
) -> ExternalSystem | None:
    """Return the system that ``by`` registered so: a second tap asks for the same."""
    found = ExternalSystem.objects.filter(name=name.strip(), kind=kind, changed_by=by).first()
    is_same = found is not None and all(
        getattr(found, column) == value for column, value in values.items()
    )
    return found if is_same else None


class SystemChangedError(ConflictError):
    """Somebody changed the system after the page was opened; its form has the earlier settings."""

    def __init__(self, by: User | None) -> None:
        who = "Somebody" if by is None else by.display_name
        super().__init__(
            f"{who} has changed this system since this page was opened. Open it again."
        )


@transaction.atomic
def change_system(
    system: ExternalSystem, values: Mapping[str, Any], *, by: User, seen: str | None = None
) -> None:
    """Change columns of a system; the database keeps the earlier row.

    ``seen`` is the ``settings_version`` that a page showed; None asks nothing. Raises
    ValidationError by column, and SystemChangedError.
    """
    check_settings(values)
    locked = ExternalSystem.objects.select_for_update(no_key=True).get(pk=system.pk)
    changed = {name: value for name, value in values.items() if getattr(locked, name) != value}
    if not changed:
        return
    if seen is not None and seen != settings_version(locked):
        raise SystemChangedError(locked.changed_by)
    for one in (locked, system):
        for name, value in changed.items():
            setattr(one, name, value)
        one.changed_at, one.changed_by = timezone.now(), by
    locked.save(update_fields=[*changed, "changed_at", "changed_by"])
    details = {"system": system.name} | {name: str(value) for name, value in changed.items()}
    record_event(EventKind.SYSTEM_CHANGED, by=by, details=details)


def settings_version(system: ExternalSystem) -> str:
    """Return what differs after each change of a system."""
    return system.changed_at.isoformat()


def check_settings(values: Mapping[str, Any]) -> None:
    """Raise ValidationError with a sentence for each column whose value is not possible."""
    unknown = set(values) - set(CHANGEABLE)
    if unknown:
        raise TypeError(f"no columns that change: {', '.join(sorted(unknown))}")
    faults = {
        name: sentence
        for name, check in _CHECKS.items()
        if name in values and (sentence := check(values[name]))
    }
    if faults:
        raise ValidationError(faults)


def _check_name(name: str) -> None:
    if not 0 < len(name) <= LONGEST_NAME or disallowed_character(name) is not None:
        raise ValidationError({"name": f"Use 1 to {LONGEST_NAME} letters in one line."})
    if ExternalSystem.objects.filter(name__iexact=name).exists():
        raise ValidationError({"name": _NAME_IN_USE})


def _zone_fault(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return "This is no time zone, such as Europe/Berlin."
    return ""


def _charset_fault(name: str) -> str:
    """Return why messages cannot be read by ``name``: their separators are ASCII characters."""
    try:
        is_ascii = _ASCII.encode(name) == _ASCII.encode() and _ASCII.encode().decode(name) == _ASCII
        b"\xff".decode(name, "replace")
        "\N{SNOWMAN}".encode(name, "replace")
    except (LookupError, ValueError):
        is_ascii = False
    return "" if is_ascii else "This is no character set, such as utf-8 or iso-8859-1."


def _filing_fault(filing: Any) -> str:
    words = {one.value for one in Filing}
    is_map = isinstance(filing, Mapping) and filing.get(DEFAULT) in words
    if not is_map or any(value not in words for value in filing.values()):
        return "Say “file” or “propose” for each kind, and for the default."
    unknown = set(filing) - {DEFAULT, *EntryKind.values}
    return f"No kind of entry: {', '.join(sorted(unknown))}." if unknown else ""


def _wards_fault(filing_of_wards: Any) -> str:
    if not isinstance(filing_of_wards, Mapping) or not all(map(str.isdigit, filing_of_wards)):
        return "Name each ward by its number."
    return next(filter(None, map(_filing_fault, filing_of_wards.values())), "")


def _kinds_fault(kinds: Any) -> str:
    unknown = set(kinds) - set(EntryKind.values)
    return f"No kind of entry: {', '.join(sorted(unknown))}." if unknown else ""


def _addresses_fault(addresses: Any) -> str:
    for address in addresses:
        try:
            ipaddress.ip_network(address, strict=False)
        except ValueError:
            return f"{address} is no address or network, such as 10.1.2.0/24."
    return ""


_CHECKS: Final[Mapping[str, Callable[[Any], str]]] = {
    "timezone": _zone_fault,
    "charset": _charset_fault,
    "filing": _filing_fault,
    "filing_of_wards": _wards_fault,
    "may_chart_kinds": _kinds_fault,
    "allowed_addresses": _addresses_fault,
}
