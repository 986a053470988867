"""Add, rename, close and open wards."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from crs_app.accounts.models import User, Ward
from crs_app.accounts.permissions import check_can_manage_wards
from crs_app.record.models import Event, EventKind
from crs_app.record.write import record_event
from patients.models import Course, FormerWardName, Move, Transfer
from patients.queries.wards import find_ward
from patients.recording.inputs import ConflictError, Submission
from patients.recording.lock import lock_course
from patients.recording.wards import lock_ward_names

_ADDED: Final = "added"
_JUST_NOW: Final = timedelta(minutes=10)
"""How long the same name is the same request: a second tap, or one sent again after an outage."""


class WardNameTakenError(ConflictError):
    """Another ward has the name, perhaps written with other capitals."""

    def __init__(self, ward: Ward) -> None:
        state = "" if ward.is_open else ", which is closed"
        super().__init__(f"There is a ward {ward.name} already{state}. Choose another name.")


class WardRenamedError(ConflictError):
    """Somebody has renamed the ward since the page was opened."""

    def __init__(self, ward: Ward) -> None:
        super().__init__(
            f"This ward was renamed since this page was opened: it is {ward.name} now. Look at it "
            "again, then rename."
        )


class WardInUseError(ConflictError):
    """A ward with open courses cannot be closed."""

    def __init__(self, ward: Ward, courses: int) -> None:
        are = "course is" if courses == 1 else "courses are"
        super().__init__(f"{courses} open {are} on ward {ward.name}. Move or end them first.")


@dataclass(frozen=True, slots=True)
class WardRow:
    """A ward with the number of its open courses and of the active users who work on it."""

    ward: Ward
    courses: int
    members: int


def ward_rows() -> list[WardRow]:
    """Return every ward, the open ones first, by name."""
    active = Count("memberships", filter=Q(memberships__user__is_active=True))
    open_courses = dict(
        Course.objects.filter(ended_at=None)
        .order_by()
        .values_list("on_ward")
        .annotate(count=Count("pk"))
    )
    wards = Ward.objects.annotate(members=active).order_by("-is_open", "name")
    return [WardRow(ward, open_courses.get(ward.pk, 0), ward.members) for ward in wards]


@transaction.atomic
def add_ward(name: str, by: User) -> Ward:
    """Add a ward, on which nobody works yet. Raises WardNameTakenError.

    The same name again, as by a second tap, is answered with the ward that ``by`` just added.
    """
    check_can_manage_wards(by)
    lock_ward_names()
    found = find_ward(name)
    if found is not None and found.is_open and found.name == name and _was_just_added(found, by):
        return found
    _check_free(name, None)
    ward = Ward.objects.create(name=name)
    _record(by, ward, _ADDED)
    return ward


@transaction.atomic
def rename_ward(ward: Ward, name: str, submission: Submission, *, seen: str = "") -> Ward:
    """Rename a ward; each of its open courses keeps the old name as a move, with the reason.

    ``seen`` is the name that the page showed; "" asks nothing. Raises WardNameTakenError and
    WardRenamedError.
    """
    check_can_manage_wards(submission.by)
    lock_ward_names()
    locked = Ward.objects.select_for_update().get(pk=ward.pk)
    if seen and locked.name not in (seen, name):
        raise WardRenamedError(locked)
    _check_free(name, locked)
    before = locked.name
    _rename(locked, name, submission)
    if before != name:
        _record(submission.by, locked, f"renamed, {before} before")
    return locked


def _rename(locked: Ward, name: str, submission: Submission) -> None:
    before, locked.name = locked.name, name
    locked.save(update_fields=["name"])
    if before == name:
        return
    now = timezone.now()
    FormerWardName.objects.create(ward=locked, name=before, renamed_at=now)
    for listed in _open_courses(locked).order_by("pk"):
        lock_course(listed)
        course = _open_courses(locked).filter(pk=listed.pk).first()
        if course is None:  # it left the ward, or ended, before it was locked
            continue
        Transfer.objects.create(
            course=course,
            form_id=submission.form_id,
            what=Move.MOVED,
            from_ward=course.ward,
            from_bed=course.bed,
            to_ward=name,
            to_bed=course.bed,
            reason=f"Ward {before} is named {name} now",
            at=now,
            recorded_at=now,
            recorded_by=submission.by,
        )
        course.ward = name
        course.save(update_fields=["ward"])


@transaction.atomic
def close_ward(ward: Ward, by: User) -> None:
    """Close a ward: it takes no patient any more. Raises WardInUseError."""
    check_can_manage_wards(by)
    locked = Ward.objects.select_for_update().get(pk=ward.pk)
    courses = _open_courses(locked).count()
    if courses:
        raise WardInUseError(locked, courses)
    locked.is_open = False
    locked.save(update_fields=["is_open"])
    _record(by, locked, "closed")


@transaction.atomic
def open_ward(ward: Ward, by: User) -> None:
    """Open a closed ward again."""
    check_can_manage_wards(by)
    Ward.objects.filter(pk=ward.pk).update(is_open=True)
    _record(by, ward, "opened")


def _record(by: User, ward: Ward, change: str) -> None:
    record_event(EventKind.WARDS_CHANGED, by=by, details=_details(ward, change))


def _details(ward: Ward, change: str) -> dict[str, str]:
    return {"ward": ward.name, "change": change}


def _was_just_added(ward: Ward, by: User) -> bool:
    return Event.objects.filter(
        by=by,
        at__gt=timezone.now() - _JUST_NOW,
        kind=EventKind.WARDS_CHANGED,
        details=_details(ward, _ADDED),
    ).exists()


def _open_courses(ward: Ward) -> QuerySet[Course]:
    return Course.objects.filter(on_ward=ward, ended_at=None)


def _check_free(name: str, own: Ward | None) -> None:
    found = find_ward(name)
    if found is not None and (own is None or found.pk != own.pk):
        raise WardNameTakenError(found)
