"""Find wards by their names, and read them by their keys."""

from __future__ import annotations

from collections.abc import Iterable

from crs_app.accounts.models import Ward
from patients.models import FormerWardName
from patients.models.identifiers import name_key


def read_ward(ward_id: int) -> Ward | None:
    """Read a ward; None where there is none with this key."""
    return Ward.objects.filter(pk=ward_id).first()


def read_wards(ward_ids: Iterable[int]) -> list[Ward]:
    """Read the wards with these keys, in order of names; a key of no ward is left out."""
    return list(Ward.objects.filter(pk__in=list(ward_ids)))


def names_of_wards() -> dict[int, str]:
    """Read the name of every ward, by its key."""
    return dict(Ward.objects.values_list("pk", "name"))


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

    A page that was opened before the ward was renamed still sends the former name.
    """
    found = find_ward(name)
    if found is not None:
        return found
    key = name_key(name)
    former = FormerWardName.objects.select_related("ward").order_by("-pk")
    return next((one.ward for one in former if name_key(one.name) == key), None)
