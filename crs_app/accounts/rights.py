"""The table of rights: who may do what, on own wards and on others.

``permissions`` reads it, and the page *Roles* shows it. Whoever adds an act adds a row.
"""

from __future__ import annotations

from enum import Enum
from typing import Final, NamedTuple

from crs_app.accounts.models import Role


class Right(NamedTuple):
    """One cell of the table.

    ``words`` are what the page shows. ``opens_by_reason``: not allowed as such, but allowed for
    one patient after emergency access.
    """

    is_allowed: bool
    words: str
    opens_by_reason: bool = False


class Act(Enum):
    """What somebody does; the value is how the page *Roles* names it."""

    OPEN_CHART = "Open a patient"
    CHART = "Enter, correct, mark as error"
    ANSWER_ADVICE = "Answer treatment advice"
    CORRECT_IDENTITY = "Correct name, birth date, infusion time"
    ADMIT = "Admit, move, close, reopen a course"
    SIGN_GRADE = "Agree with a grade, or state another"
    START_WALL = "Start a wall screen: initials, bed and grade"
    STATE_FACT = "State a fever at home, and the end of CRS"
    EXPORT_PATIENT = "Print or download a patient"
    EXPORT_LISTS = "Download lists of all patients: answers to advice, stated grades"
    EXPORT_COHORT = "Download a cohort of patients, identified or de-identified"
    FIND_PATIENT = "Find a patient: name, MRN, ward and bed"
    USE_EMERGENCY_ACCESS = "Open a patient of another ward with a reason"
    JOIN_RECORDS = "Join two records of one person"
    REGRADE_COURSE = "Recalculate one course under another policy"
    MANAGE_USERS = "Create, change, deactivate users"
    MANAGE_WARDS = "Add, rename, close wards"
    MANAGE_SYSTEMS = "Register other systems, their keys and codes"
    READ_EMERGENCY_ACCESS = "Read who used emergency access"
    READ_RECORD = "Read “who looked”"
    MANAGE_POLICY = "Change policy"
    READ_RULES = "Read roles, policy and sources"


OF_A_PATIENT: Final = (
    Act.OPEN_CHART,
    Act.CHART,
    Act.ANSWER_ADVICE,
    Act.CORRECT_IDENTITY,
    Act.ADMIT,
    Act.SIGN_GRADE,
    Act.STATE_FACT,
    Act.EXPORT_PATIENT,
)
"""Acts on one patient, whose right depends on the ward."""

YES: Final = Right(True, "yes")
NO: Final = Right(False, "no")
LOGGED: Final = Right(True, "logged")
BY_REASON: Final = Right(False, "with a reason, 4 h", opens_by_reason=True)


def _yes(words: str) -> Right:
    return Right(True, words)


def _row(
    clinician: tuple[Right, Right],
    reviewer: tuple[Right, Right],
    auditor: tuple[Right, Right],
    administrator: tuple[Right, Right],
    system: Right = NO,
) -> dict[Role, tuple[Right, Right]]:
    """Return a row of the table; ``system`` is what another system does by its own key.

    It is no right of its user, who has none: a system never signs in.
    """
    return {
        Role.WARD_CLINICIAN: clinician,
        Role.ICU_REVIEWER: reviewer,
        Role.AUDITOR: auditor,
        Role.ADMINISTRATOR: administrator,
        Role.SYSTEM: (system, system),
    }


_EVERYWHERE: Final = (YES, YES)
_OWN_WARDS: Final = (YES, BY_REASON)
_NEVER: Final = (NO, NO)
_LOGGED: Final = (LOGGED, LOGGED)
_WITH_REASON: Final = _yes("with a reason")
_BY_MESSAGE: Final = Right(False, "by its messages alone")
_BY_KEY: Final = Right(False, "by its key, logged")


def _anywhere(right: Right) -> tuple[Right, Right]:
    return right, right


RIGHTS: Final[dict[Act, dict[Role, tuple[Right, Right]]]] = {
    Act.OPEN_CHART: _row(_OWN_WARDS, _EVERYWHERE, _EVERYWHERE, _NEVER),
    Act.CHART: _row(_OWN_WARDS, _OWN_WARDS, _NEVER, _NEVER, _BY_MESSAGE),
    Act.ANSWER_ADVICE: _row(_OWN_WARDS, _EVERYWHERE, _NEVER, _NEVER),
    Act.CORRECT_IDENTITY: _row((_WITH_REASON, BY_REASON), _anywhere(_WITH_REASON), _NEVER, _NEVER),
    Act.ADMIT: _row(_OWN_WARDS, _EVERYWHERE, _NEVER, _NEVER),
    Act.SIGN_GRADE: _row(_NEVER, _EVERYWHERE, _NEVER, _NEVER),
    Act.START_WALL: _row((YES, NO), _EVERYWHERE, _NEVER, _NEVER),
    Act.STATE_FACT: _row(_OWN_WARDS, _EVERYWHERE, _NEVER, _NEVER),
    Act.EXPORT_PATIENT: _row((LOGGED, BY_REASON), _LOGGED, _LOGGED, _NEVER, _BY_KEY),
    Act.EXPORT_LISTS: _row(_NEVER, _LOGGED, _LOGGED, _NEVER),
    Act.EXPORT_COHORT: _row(_NEVER, _LOGGED, _LOGGED, _NEVER),
    Act.FIND_PATIENT: _row(_EVERYWHERE, _EVERYWHERE, _EVERYWHERE, _EVERYWHERE),
    Act.USE_EMERGENCY_ACCESS: _row(_LOGGED, _LOGGED, _NEVER, _NEVER),
    Act.JOIN_RECORDS: _row(_NEVER, _NEVER, _NEVER, _anywhere(_yes("can be undone"))),
    Act.REGRADE_COURSE: _row(_NEVER, _NEVER, _NEVER, _anywhere(_yes("with preview"))),
    Act.MANAGE_USERS: _row(_NEVER, _NEVER, _NEVER, _anywhere(_yes("not own role"))),
    Act.MANAGE_WARDS: _row(_NEVER, _NEVER, _NEVER, _EVERYWHERE),
    Act.MANAGE_SYSTEMS: _row(_NEVER, _NEVER, _NEVER, _EVERYWHERE),
    Act.READ_EMERGENCY_ACCESS: _row(_NEVER, _NEVER, _EVERYWHERE, _EVERYWHERE),
    Act.READ_RECORD: _row(_NEVER, _NEVER, _LOGGED, _LOGGED),
    Act.MANAGE_POLICY: _row(_NEVER, _NEVER, _NEVER, _anywhere(_yes("with preview"))),
    Act.READ_RULES: _row(_EVERYWHERE, _EVERYWHERE, _EVERYWHERE, _EVERYWHERE),
}
"""Rights by act and role: on own wards, and on others."""


def right_of(role: Role, act: Act, *, own_ward: bool) -> Right:
    """Return what ``role`` may do on an own ward, or on another."""
    own, other = RIGHTS[act][role]
    return own if own_ward else other
