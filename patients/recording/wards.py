"""Find or make the ward of a patient, and keep two wards from having one name."""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.db import connection

from crs_app.accounts.models import Ward
from crs_app.accounts.wards import check_takes_patients, let_all_clinicians_work_on, lock_ward
from patients.models.identifiers import visible_text
from patients.queries.wards import find_ward_then_or_now

_LOCK_OF_NAMES: Final = "SELECT pg_advisory_xact_lock(hashtext('names of wards'))"


def lock_ward_names() -> None:
    """Let nobody else make or rename a ward until the transaction ends.

    Take this lock before that of the row of any ward or course, so that no two wait for each other.
    """
    with connection.cursor() as cursor:
        cursor.execute(_LOCK_OF_NAMES)


def ward_for_patient(name: str) -> Ward:
    """Return the ward of that name, which cannot be closed before the transaction ends.

    Raises WardClosedError where the ward is closed.
    """
    ward = locked_ward(name)
    check_takes_patients(ward)
    return ward


def locked_ward(name: str) -> Ward:
    """Return the ward that has or had that name, open or closed, locked against a change.

    A new name makes a ward. On a site where forms may do that (``settings.NEW_WARDS``), all
    clinicians work on it; elsewhere an administrator says who does.
    """
    found = find_ward_then_or_now(name)
    if found is None:
        lock_ward_names()
        # Somebody else may have made it, or renamed another to it, meanwhile.
        found = find_ward_then_or_now(name)
    if found is None:
        found = Ward.objects.create(name=visible_text(name))
        if settings.NEW_WARDS:
            let_all_clinicians_work_on(found)
    return lock_ward(found)
