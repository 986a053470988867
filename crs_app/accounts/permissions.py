"""Who may do what, by role."""

from django.contrib.auth.models import AnonymousUser

from crs_app.accounts.models import Role, User

CHARTING_ROLES = frozenset({Role.WARD_CLINICIAN, Role.ICU_REVIEWER})
REVIEWING_ROLES = frozenset({Role.ICU_REVIEWER, Role.ADMINISTRATOR, Role.AUDITOR})


def can_chart(user: User | AnonymousUser) -> bool:
    """May record, correct and retract entries."""
    return _role(user) in CHARTING_ROLES


def can_admit(user: User | AnonymousUser) -> bool:
    """May open a course for a patient."""
    return _role(user) in CHARTING_ROLES


def can_export_answers(user: User | AnonymousUser) -> bool:
    """May take away what was answered to guidance, by whom and when."""
    return _role(user) in REVIEWING_ROLES


def can_manage_people(user: User | AnonymousUser) -> bool:
    """May create users and change what they may do."""
    return _role(user) == Role.ADMINISTRATOR


def can_manage_policy(user: User | AnonymousUser) -> bool:
    """May change site policy, and have a course graded anew."""
    return _role(user) == Role.ADMINISTRATOR


def _role(user: User | AnonymousUser) -> str | None:
    return user.role if isinstance(user, User) and user.is_active else None
