"""What another system may do, by scopes of SMART App Launch 2.2: ``system/Observation.c``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

ALLOWED: Final[Mapping[str, str]] = {
    "Patient": "rs",
    "Observation": "crs",
    "MedicationAdministration": "crs",
}
"""Letters by resource (c create, r read, s search) that this site can grant at all."""
SUPPORTED: Final = tuple(
    f"system/{resource}.{letters}"
    for resource, letters in (
        ("Observation", "c"),
        ("MedicationAdministration", "c"),
        ("Patient", "rs"),
        ("Observation", "rs"),
        ("MedicationAdministration", "rs"),
    )
)
"""What an administrator grants, one by one."""
_FORM: Final = re.compile(r"system/([A-Za-z]+)\.(c?r?u?d?s?)")
_MOST_ASKED: Final = 20


class UnknownScopeError(ValueError):
    """A scope that this site does not have."""


def letters_of(scopes: Iterable[str]) -> dict[str, set[str]]:
    """Return the letters of each resource that ``scopes`` have.

    Raises UnknownScopeError for a scope of another form, resource or letter.
    """
    found: dict[str, set[str]] = {}
    for scope in scopes:
        form = _FORM.fullmatch(scope)
        if form is None or not form[2] or not set(form[2]) <= set(ALLOWED.get(form[1], "")):
            raise UnknownScopeError(scope)
        found.setdefault(form[1], set()).update(form[2])
    return found


def asked(scope: str | None) -> list[str]:
    """Return the scopes of a request, each once, in its order.

    Raises UnknownScopeError where one is unknown, or none is asked for.
    """
    scopes = list(dict.fromkeys((scope or "").split()))
    if not scopes or len(scopes) > _MOST_ASKED:
        raise UnknownScopeError
    letters_of(scopes)
    return scopes


def covers(granted: Iterable[str], wanted: Iterable[str]) -> bool:
    """Return whether every letter of ``wanted`` is granted."""
    has = letters_of(granted)
    return all(
        letters <= has.get(resource, set()) for resource, letters in letters_of(wanted).items()
    )
