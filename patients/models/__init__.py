"""Tables and their constraints. An entry is a recorded fact: the database refuses any change to it.

Grade periods and checkpoints are derived from entries by ``patients.recording``.
"""

from patients.models.charting import (
    BY_EMERGENCY,
    CONFIRMED,
    FROM_KIND,
    FROM_SYSTEM,
    MOVED_FROM,
    MOVED_TO,
    REASON,
    SAYS_CONCENTRATION,
    ActSource,
    ChartingAct,
    Entry,
    EntryKind,
    TypedNumberWithin,
    confirmed_of,
)
from patients.models.course import Course, Move, Patient, Transfer
from patients.models.emergency import (
    EMERGENCY_ACCESS_LASTS,
    EmergencyAccess,
    EmergencyReason,
)
from patients.models.exchange import (
    Decided,
    ExternalSystem,
    ExternalSystemChange,
    HeldDecision,
    HeldItem,
    InboundMessage,
    KeyStanding,
    MessageFormat,
    SourceKey,
    SystemKind,
    Verdict,
)
from patients.models.export import CohortExport
from patients.models.grades import CoursePolicy, GradeCheckpoint, GradePeriod
from patients.models.guidance import GuidanceAnswer
from patients.models.hooks import CardFeedback, CardOutcome, CardShown
from patients.models.identity import Fact, IdentityCorrection, PatientJoin
from patients.models.laboratory import LaboratoryLimits
from patients.models.launch import LaunchIdentity, LaunchIssuer
from patients.models.local_codes import CodeMeaning, LocalCode
from patients.models.policy import PolicyVersion, SitePolicy
from patients.models.review import CourseSeen, DisagreementReason, GradeReview
from patients.models.summary import FeverSource, StatedAbout, StatedAnswer, SummaryStatement
from patients.models.system_access import (
    AccessToken,
    KeyPurpose,
    RequestCount,
    SystemGrant,
    SystemKey,
    SystemKeyEnd,
    UsedAssertion,
)
from patients.models.wall import WALL_SCREEN_LASTS, WallScreen
from patients.models.ward_names import FormerWardName

__all__ = [
    "BY_EMERGENCY",
    "CONFIRMED",
    "EMERGENCY_ACCESS_LASTS",
    "FROM_KIND",
    "FROM_SYSTEM",
    "MOVED_FROM",
    "MOVED_TO",
    "REASON",
    "SAYS_CONCENTRATION",
    "WALL_SCREEN_LASTS",
    "AccessToken",
    "ActSource",
    "CardFeedback",
    "CardOutcome",
    "CardShown",
    "ChartingAct",
    "CodeMeaning",
    "CohortExport",
    "Course",
    "CoursePolicy",
    "CourseSeen",
    "Decided",
    "DisagreementReason",
    "EmergencyAccess",
    "EmergencyReason",
    "Entry",
    "EntryKind",
    "ExternalSystem",
    "ExternalSystemChange",
    "Fact",
    "FeverSource",
    "FormerWardName",
    "GradeCheckpoint",
    "GradePeriod",
    "GradeReview",
    "GuidanceAnswer",
    "HeldDecision",
    "HeldItem",
    "IdentityCorrection",
    "InboundMessage",
    "KeyPurpose",
    "KeyStanding",
    "LaboratoryLimits",
    "LaunchIdentity",
    "LaunchIssuer",
    "LocalCode",
    "MessageFormat",
    "Move",
    "Patient",
    "PatientJoin",
    "PolicyVersion",
    "RequestCount",
    "SitePolicy",
    "SourceKey",
    "StatedAbout",
    "StatedAnswer",
    "SummaryStatement",
    "SystemGrant",
    "SystemKey",
    "SystemKeyEnd",
    "SystemKind",
    "Transfer",
    "TypedNumberWithin",
    "UsedAssertion",
    "Verdict",
    "WallScreen",
    "confirmed_of",
]
