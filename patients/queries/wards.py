"""Find wards by their names."""

from __future__ import annotations

from crs_app.accounts.models import Ward
from patients.models import FormerWardName
from patients.models.identifiers import name_key


def find_ward(name: str) -> Ward | None:
    """Return the ward of that name; else the one whose name looks the same.

    Upper and lower case, blanks and invisible characters do not count then.
    """
    wards = list(Ward.objects.order_by("pk"))
    exact = next((one for one in wards if one.name == name), None)
    key = name_key(name)
    return exact or next((one for one in wards if name_key(one.name) == key), None)


def find_ward_then_or_now(name: str) -> Ward | None:
    """Return the ward that has that name, else the one that had it last.

    Who opened a page before the ward was renamed still types the former name.
    """
    found = find_ward(name)
    if found is not None:
        return found
    key = name_key(name)
    former = FormerWardName.objects.select_related("ward").order_by("-pk")
    return next((one.ward for one in former if name_key(one.name) == key), None)
