"""The page of roles: the table of rights, as ``rights`` has it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from crs_app.accounts.models import Role
from crs_app.accounts.rights import OF_A_PATIENT, RIGHTS, Act, Right

COLUMNS: Final = (
    Role.WARD_CLINICIAN, Role.ICU_REVIEWER, Role.AUDITOR, Role.ADMINISTRATOR, Role.SYSTEM,
)  # fmt: skip


class Row(NamedTuple):
    """An act, on own wards or on others where that differs, with the right of each role."""

    label: str
    rights: list[Right]


@require_safe
def roles(request: HttpRequest) -> HttpResponse:
    """Show who may do what; every user may read it."""
    context = {
        "roles": [role.label for role in COLUMNS],
        "groups": [
            ("Patients", list(_rows(OF_A_PATIENT))),
            ("People and site", list(_rows(act for act in Act if act not in OF_A_PATIENT))),
        ],
    }
    return render(request, "accounts/roles.html", context)


def _rows(acts: Iterable[Act]) -> Iterator[Row]:
    """Yield a row for each act; two where a right depends on the ward."""
    for act in acts:
        own, other = ([RIGHTS[act][role][ward] for role in COLUMNS] for ward in (0, 1))
        if own == other:
            yield Row(act.value, own)
        else:
            yield Row(f"{act.value}, own ward", own)
            yield Row(f"{act.value}, other ward", other)
