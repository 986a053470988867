"""Who may do what, by role.

Each right has a pair: ``can_...`` answers, for a page that shows or hides a button, and
``check_...`` refuses a request.
"""

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied

from crs_app.accounts.models import Role, User

CHARTING_ROLES = frozenset({Role.WARD_CLINICIAN, Role.ICU_REVIEWER})
RECORD_READING_ROLES = frozenset({Role.ADMINISTRATOR, Role.AUDITOR})
REVIEWING_ROLES = frozenset({Role.ICU_REVIEWER, Role.ADMINISTRATOR, Role.AUDITOR})


def can_chart(user: User | AnonymousUser) -> bool:
    """Return whether ``user`` may record, correct and retract entries."""
    return _role(user) in CHARTING_ROLES


def check_can_chart(user: User | AnonymousUser) -> None:
    """Raise PermissionDenied unless ``can_chart``."""
    _require(can_chart(user), "record, correct or retract entries")


def can_admit(user: User | AnonymousUser) -> bool:
    """Return whether ``user`` may open a course for a patient, move, end and reopen it."""
    return _role(user) in CHARTING_ROLES


def check_can_admit(user: User | AnonymousUser) -> None:
    """Raise PermissionDenied unless ``can_admit``."""
    _require(can_admit(user), "open, move or end a course")


def can_correct_identity(user: User | AnonymousUser) -> bool:
    """Return whether ``user`` may correct who a patient is, and what was infused when."""
    return _role(user) in CHARTING_ROLES


def check_can_correct_identity(user: User | AnonymousUser) -> None:
    """Raise PermissionDenied unless ``can_correct_identity``."""
    _require(can_correct_identity(user), "correct the identity of a patient")


def can_join_records(user: User | AnonymousUser) -> bool:
    """Return whether ``user`` may join two records of one person, and undo that."""
    return _role(user) == Role.ADMINISTRATOR


def check_can_join_records(user: User | AnonymousUser) -> None:
    """Raise PermissionDenied unless ``can_join_records``."""
    _require(can_join_records(user), "join two records")


def can_export_answers(user: User | AnonymousUser) -> bool:
    """Return whether ``user`` may download the answers to guidance, with author and time."""
    return _role(user) in REVIEWING_ROLES


def check_can_export_answers(user: User | AnonymousUser) -> None:
    """Raise PermissionDenied unless ``can_export_answers``."""
    _require(can_export_answers(user), "download the answers to guidance")


def can_review(user: User | AnonymousUser) -> bool:
    """Return whether ``user`` may sign grades, or state another one."""
    return _role(user) == Role.ICU_REVIEWER


def check_can_review(user: User | AnonymousUser) -> None:
    """Raise PermissionDenied unless ``can_review``."""
    _require(can_review(user), "sign grades")


def can_read_disagreements(user: User | AnonymousUser) -> bool:
    """Return whether ``user`` may read and download stated beside computed grades."""
    return _role(user) in REVIEWING_ROLES


def check_can_read_disagreements(user: User | AnonymousUser) -> None:
    """Raise PermissionDenied unless ``can_read_disagreements``."""
    _require(can_read_disagreements(user), "read the grades stated by reviewers")


def can_manage_policy(user: User | AnonymousUser) -> bool:
    """Return whether ``user`` may change the site's policy, and have a course regraded by it."""
    return _role(user) == Role.ADMINISTRATOR


def check_can_manage_policy(user: User | AnonymousUser) -> None:
    """Raise PermissionDenied unless ``can_manage_policy``."""
    _require(can_manage_policy(user), "change the site's policy")


def can_read_record(user: User | AnonymousUser) -> bool:
    """Return whether ``user`` may read who looked at a patient, and what a person did."""
    return _role(user) in RECORD_READING_ROLES


def check_can_read_record(user: User | AnonymousUser) -> None:
    """Raise PermissionDenied unless ``can_read_record``."""
    _require(can_read_record(user), "read who looked at a patient")


def _require(allowed: bool, action: str) -> None:
    if not allowed:
        raise PermissionDenied(f"Your role does not allow you to {action}.")


def _role(user: User | AnonymousUser) -> str | None:
    return user.role if isinstance(user, User) and user.is_active else None
