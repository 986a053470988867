"""Lock wards, and say who works on them."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction

from crs_app.accounts.models import CLINICIANS, User
from crs_app.accounts.permissions import check_can_manage_users
from crs_app.accounts.ward_models import Ward, WardMembership
from crs_app.record.models import EventKind
from crs_app.record.write import record_event


class WardClosedError(ValueError):
    """The ward takes no patient."""

    def __init__(self, name: str) -> None:
        self.sentence = f"Ward {name} is closed. An administrator can open it again."
        super().__init__(self.sentence)


def lock_ward(ward: Ward) -> Ward:
    """Read ``ward`` again, locked against a change until the transaction ends.

    A ward is locked before a course of it.
    """
    return Ward.objects.select_for_update(no_key=True).get(pk=ward.pk)


def check_takes_patients(ward: Ward) -> None:
    """Raise WardClosedError where ``ward`` is closed."""
    if not ward.is_open:
        raise WardClosedError(ward.name)


def set_wards(user: User, wards: Iterable[Ward]) -> tuple[list[str], list[str]]:
    """Let ``user`` work on exactly ``wards``; return the names of those before and of those now.

    Nothing is recorded: see ``change_wards``.
    """
    with transaction.atomic():
        before = {one.ward for one in user.memberships.select_related("ward")}
        now = set(wards)
        user.memberships.filter(ward__in=before - now).delete()
        WardMembership.objects.bulk_create(
            [WardMembership(user=user, ward=ward) for ward in now - before], ignore_conflicts=True
        )
    user.forget_wards()
    return sorted(ward.name for ward in before), sorted(ward.name for ward in now)


@transaction.atomic
def change_wards(user: User, wards: Iterable[Ward], *, by: User) -> None:
    """Do what ``set_wards`` does for an administrator, and record it where it changes anything."""
    check_can_manage_users(by)
    before, now = set_wards(user, wards)
    if before != now:
        record_event(
            EventKind.WARDS_CHANGED,
            by=by,
            details={
                "user": user.username,
                "before": ", ".join(before) or "none",
                "after": ", ".join(now) or "none",
            },
        )


def let_work_everywhere(user: User) -> None:
    """Let ``user``, where that is a clinician, work on every ward that there is, open or closed."""
    if user.role in CLINICIANS:
        set_wards(user, Ward.objects.all())


def let_all_clinicians_work_on(ward: Ward) -> None:
    """Let every clinician work on a new ward; nothing is recorded."""
    WardMembership.objects.bulk_create(
        [WardMembership(user=user, ward=ward) for user in User.objects.filter(role__in=CLINICIANS)],
        ignore_conflicts=True,
    )
