"""Who may do what, by the table in ``rights``: role, and whether the patient's ward is an own one.

``can_...`` answers, for a page that shows or hides a button, and ``check_...`` refuses a request;
there is one for each right that views ask by name, and ``can`` and ``check`` for every other. They
take the course where there is one; without it they answer for a patient of an own ward.
"""

from typing import Final

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied

from crs_app.accounts.models import Role, User
from crs_app.accounts.placed import Placed
from crs_app.accounts.refusals import OtherWardError
from crs_app.accounts.rights import NO, Act, Right, right_of

Reader = User | AnonymousUser


def is_own_ward(user: User, course: Placed) -> bool:
    """Return whether ``user`` has the rights of an own ward for the patient of ``course``."""
    return course.on_ward_id in user.ward_ids or course.emergency_until is not None


def right_to(user: Reader, act: Act, course: Placed | None = None) -> Right:
    """Return what the table says of ``user``; ``course`` None is a patient of an own ward."""
    if not isinstance(user, User) or not user.is_active:
        return NO
    own_ward = course is None or is_own_ward(user, course)
    return right_of(Role(user.role), act, own_ward=own_ward)


def can(user: Reader, act: Act, course: Placed | None = None) -> bool:
    """Return whether ``user`` may do ``act``."""
    return right_to(user, act, course).is_allowed


def check(user: Reader, act: Act, course: Placed | None = None) -> None:
    """Raise PermissionDenied unless ``can``; OtherWardError where a reason would open it."""
    right = right_to(user, act, course)
    if right.opens_by_reason and course is not None:
        raise OtherWardError(_DONE_BY[act], course)
    if not right.is_allowed:
        raise PermissionDenied(f"Your role does not allow you to {_DONE_BY[act]}.")


def wards_to_read(user: Reader) -> frozenset[int] | None:
    """Return the wards whose patients ``user`` may see in lists; None for all."""
    if not can(user, Act.OPEN_CHART) or not isinstance(user, User):
        return frozenset()
    return (
        None
        if right_of(Role(user.role), Act.OPEN_CHART, own_ward=False).is_allowed
        else (user.ward_ids)
    )


def can_chart(user: Reader, course: Placed | None = None) -> bool:
    """Return whether ``user`` may record, correct and retract entries."""
    return can(user, Act.CHART, course)


def check_can_chart(user: Reader, course: Placed | None = None) -> None:
    """Raise PermissionDenied unless ``can_chart``."""
    check(user, Act.CHART, course)


def can_answer_advice(user: Reader, course: Placed | None = None) -> bool:
    """Return whether ``user`` may answer treatment advice."""
    return can(user, Act.ANSWER_ADVICE, course)


def can_admit(user: Reader, course: Placed | None = None) -> bool:
    """Return whether ``user`` may open a course for a patient, move, end and reopen it."""
    return can(user, Act.ADMIT, course)


def check_can_admit(user: Reader, course: Placed | None = None) -> None:
    """Raise PermissionDenied unless ``can_admit``."""
    check(user, Act.ADMIT, course)


def can_correct_identity(user: Reader, course: Placed | None = None) -> bool:
    """Return whether ``user`` may correct who a patient is, and what was infused when."""
    return can(user, Act.CORRECT_IDENTITY, course)


def check_can_correct_identity(user: Reader, course: Placed | None = None) -> None:
    """Raise PermissionDenied unless ``can_correct_identity``."""
    check(user, Act.CORRECT_IDENTITY, course)


def can_open_chart(user: Reader, course: Placed | None = None) -> bool:
    """Return whether ``user`` may open the chart of a patient."""
    return can(user, Act.OPEN_CHART, course)


def check_can_open_chart(user: Reader, course: Placed | None = None) -> None:
    """Raise PermissionDenied unless ``can_open_chart``."""
    check(user, Act.OPEN_CHART, course)


def can_review(user: Reader, course: Placed | None = None) -> bool:
    """Return whether ``user`` may sign grades, or state another one."""
    return can(user, Act.SIGN_GRADE, course)


def check_can_review(user: Reader, course: Placed | None = None) -> None:
    """Raise PermissionDenied unless ``can_review``."""
    check(user, Act.SIGN_GRADE, course)


def can_start_wall(user: Reader) -> bool:
    """Return whether ``user`` may make a browser a wall screen of wards in reach."""
    return can(user, Act.START_WALL)


def check_can_start_wall(user: Reader) -> None:
    """Raise PermissionDenied unless ``can_start_wall``."""
    check(user, Act.START_WALL)


def can_end_wall(user: Reader) -> bool:
    """Return whether ``user`` may end wall screens: who may start one, or manages wards."""
    return can_start_wall(user) or can_manage_wards(user)


def check_can_end_wall(user: Reader) -> None:
    """Raise PermissionDenied unless ``can_end_wall``."""
    if not can_end_wall(user):
        check_can_start_wall(user)


def can_find_patient(user: Reader) -> bool:
    """Return whether ``user`` may find a patient by name or number, and see where he or she is."""
    return can(user, Act.FIND_PATIENT)


def check_can_find_patient(user: Reader) -> None:
    """Raise PermissionDenied unless ``can_find_patient``."""
    check(user, Act.FIND_PATIENT)


def can_use_emergency_access(user: Reader) -> bool:
    """Return whether ``user`` may open a patient of another ward with a reason."""
    return can(user, Act.USE_EMERGENCY_ACCESS)


def check_can_use_emergency_access(user: Reader) -> None:
    """Raise PermissionDenied unless ``can_use_emergency_access``."""
    check(user, Act.USE_EMERGENCY_ACCESS)


def can_join_records(user: Reader) -> bool:
    """Return whether ``user`` may join two records of one person, and undo that."""
    return can(user, Act.JOIN_RECORDS)


def check_can_join_records(user: Reader) -> None:
    """Raise PermissionDenied unless ``can_join_records``."""
    check(user, Act.JOIN_RECORDS)


def can_regrade_course(user: Reader) -> bool:
    """Return whether ``user`` may have one course recalculated under another policy."""
    return can(user, Act.REGRADE_COURSE)


def check_can_regrade_course(user: Reader) -> None:
    """Raise PermissionDenied unless ``can_regrade_course``."""
    check(user, Act.REGRADE_COURSE)


def can_export_answers(user: Reader) -> bool:
    """Return whether ``user`` may download the answers to guidance, with author and time."""
    return can(user, Act.EXPORT_LISTS)


def check_can_export_answers(user: Reader) -> None:
    """Raise PermissionDenied unless ``can_export_answers``."""
    check(user, Act.EXPORT_LISTS)


def can_read_disagreements(user: Reader) -> bool:
    """Return whether ``user`` may read and download stated beside computed grades."""
    return can(user, Act.EXPORT_LISTS)


def check_can_read_disagreements(user: Reader) -> None:
    """Raise PermissionDenied unless ``can_read_disagreements``."""
    check(user, Act.EXPORT_LISTS)


def can_export_cohort(user: Reader) -> bool:
    """Return whether ``user`` may download a cohort of patients."""
    return can(user, Act.EXPORT_COHORT)


def check_can_export_cohort(user: Reader) -> None:
    """Raise PermissionDenied unless ``can_export_cohort``."""
    check(user, Act.EXPORT_COHORT)


def can_manage_policy(user: Reader) -> bool:
    """Return whether ``user`` may change the site's policy."""
    return can(user, Act.MANAGE_POLICY)


def check_can_manage_policy(user: Reader) -> None:
    """Raise PermissionDenied unless ``can_manage_policy``."""
    check(user, Act.MANAGE_POLICY)


def can_read_record(user: Reader) -> bool:
    """Return whether ``user`` may read who looked at a patient, and what a person did."""
    return can(user, Act.READ_RECORD)


def check_can_read_record(user: Reader) -> None:
    """Raise PermissionDenied unless ``can_read_record``."""
    check(user, Act.READ_RECORD)


def can_manage_users(user: Reader) -> bool:
    """Return whether ``user`` may create, change and deactivate users."""
    return can(user, Act.MANAGE_USERS)


def check_can_manage_users(user: Reader) -> None:
    """Raise PermissionDenied unless ``can_manage_users``."""
    check(user, Act.MANAGE_USERS)


def can_manage_wards(user: Reader) -> bool:
    """Return whether ``user`` may add, rename, close and open wards."""
    return can(user, Act.MANAGE_WARDS)


def check_can_manage_wards(user: Reader) -> None:
    """Raise PermissionDenied unless ``can_manage_wards``."""
    check(user, Act.MANAGE_WARDS)


def can_manage_systems(user: Reader) -> bool:
    """Return whether ``user`` may register other systems, their keys and what their codes mean."""
    return can(user, Act.MANAGE_SYSTEMS)


def check_can_manage_systems(user: Reader) -> None:
    """Raise PermissionDenied unless ``can_manage_systems``."""
    check(user, Act.MANAGE_SYSTEMS)


def can_read_emergency_access(user: Reader) -> bool:
    """Return whether ``user`` may read who used emergency access."""
    return can(user, Act.READ_EMERGENCY_ACCESS)


def check_can_read_emergency_access(user: Reader) -> None:
    """Raise PermissionDenied unless ``can_read_emergency_access``."""
    check(user, Act.READ_EMERGENCY_ACCESS)


_DONE_BY: Final = {
    Act.OPEN_CHART: "open the chart of this patient",
    Act.CHART: "record, correct or retract entries",
    Act.ANSWER_ADVICE: "answer treatment advice",
    Act.CORRECT_IDENTITY: "correct the identity of a patient",
    Act.ADMIT: "open, move or end a course",
    Act.SIGN_GRADE: "sign grades",
    Act.START_WALL: "start or end a wall screen",
    Act.STATE_FACT: "state facts for the summary",
    Act.EXPORT_PATIENT: "download the chart of this patient",
    Act.EXPORT_LISTS: "read or download lists of all patients",
    Act.EXPORT_COHORT: "download a cohort of patients",
    Act.FIND_PATIENT: "find patients",
    Act.USE_EMERGENCY_ACCESS: "open patients of other wards",
    Act.JOIN_RECORDS: "join two records",
    Act.REGRADE_COURSE: "recalculate a course",
    Act.MANAGE_USERS: "change users",
    Act.MANAGE_WARDS: "change wards",
    Act.MANAGE_SYSTEMS: "register other systems",
    Act.READ_EMERGENCY_ACCESS: "read who used emergency access",
    Act.READ_RECORD: "read who looked at a patient",
    Act.MANAGE_POLICY: "change the site's policy",
    Act.READ_RULES: "read this page",
}
"""The acts as the end of a sentence."""
