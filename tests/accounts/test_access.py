"""Who may open and send what: one table of every address, role and method.

Each name of a URL has a row. An address without a row fails, and so does a row without an address.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

import pytest
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.shortcuts import resolve_url
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from crs_app.accounts.factors.methods import KEY
from crs_app.accounts.links import make_link
from crs_app.accounts.models import CLINICIANS, Role, User, Ward
from crs_app.accounts.people_views import ACTS
from crs_app.accounts.wards import set_wards
from grading.engine.policy import policy_from
from patients.exchange.access.keys import version_of_grant
from patients.exchange.register import settings_version
from patients.forms.registry import ENTRY_FORMS
from patients.models import (
    ChartingAct,
    Course,
    CoursePolicy,
    CourseSeen,
    EmergencyAccess,
    Entry,
    ExternalSystem,
    GradePeriod,
    GradeReview,
    GuidanceAnswer,
    HeldDecision,
    HeldItem,
    IdentityCorrection,
    InboundMessage,
    LaunchIssuer,
    LocalCode,
    Patient,
    PatientJoin,
    SitePolicy,
    StatedAbout,
    SummaryStatement,
    SystemGrant,
    SystemKey,
    SystemKeyEnd,
    Transfer,
    WallScreen,
)
from patients.queries.identity import courses_of_patient
from patients.queries.policies import version_of
from patients.recording.identity import identity_token
from patients.recording.join import JoinRequest, join_records, join_token
from patients.ward.emergency import AskedAccess, open_with_reason
from patients.ward.transfer import location_token
from patients.ward.wall_screens import start_screen
from tests.entry_forms import HTMX, form, vitals
from tests.factories import admit, ago, chart, sending
from tests.patients.exchange.signed import ec_key, jwks, make_system
from tests.patients.policy.policy_form import policy_form
from tests.received import a_message, a_system, monitor_set

NEW = "a longer horse 2"
Statuses = tuple[int, ...]


@dataclass(frozen=True)
class Actor:
    """A user of a role, who works on the ward of the course, on another, or opened it there."""

    role: Role
    ward: str = ""

    def __str__(self) -> str:
        return f"{self.role} {self.ward}".strip()


OWN, OTHER, EMERGENCY = "own ward", "other ward", "emergency access"
ACTORS = (
    None,
    Actor(Role.WARD_CLINICIAN, OWN),
    Actor(Role.WARD_CLINICIAN, OTHER),
    Actor(Role.WARD_CLINICIAN, EMERGENCY),
    Actor(Role.ICU_REVIEWER, OWN),
    Actor(Role.ICU_REVIEWER, OTHER),
    Actor(Role.ICU_REVIEWER, EMERGENCY),
    Actor(Role.AUDITOR),
    Actor(Role.ADMINISTRATOR),
)
"""The columns of the table; None is who has not signed in."""
# On another ward a page leads to the reason (302), and what is sent or read by a script is refused.
READ = (302, 200, 302, 200, 200, 200, 200, 200, 403)
READ_BY_SCRIPT = (302, 200, 403, 200, 200, 200, 200, 200, 403)
RULES = (302, *(200,) * 8)
CHART_PAGE = (302, 200, 302, 200, 200, 302, 200, 403, 403)
CHART = (302, 302, 403, 302, 302, 403, 302, 403, 403)
ANSWER_PAGE = (302, 200, 302, 200, 200, 200, 200, 403, 403)
ANSWER = (302, 302, 403, 302, 302, 302, 302, 403, 403)
SIGN = (302, 403, 403, 403, 302, 302, 302, 403, 403)
EXPORT = (302, 200, 403, 200, 200, 200, 200, 200, 403)
LISTS = (302, 403, 403, 403, 200, 200, 200, 200, 403)
OF_THE_CHART_OR_ADMINISTRATOR = (302, 200, 302, 200, 200, 200, 200, 200, 200)
ADMINISTRATOR_PAGE = (302, *(403,) * 7, 200)
ADMINISTRATOR = (302, *(403,) * 7, 302)
INBOX = (302, *(200,) * 6, 403, 403)
READ_RECORD = (302, *(403,) * 6, 200, 200)
NO_SUCH_METHOD = (302, *(405,) * 8)
# Who has no second factor removes none, and no key of another user.
NOT_POSSIBLE = (302, *(422,) * 8)
NOT_OF_OTHERS = (302, *(404,) * 8)

# name: (GET, POST). A POST sends what is valid: 302 is a save that leads back to a page.
TABLE: dict[str, tuple[Statuses, Statuses]] = {
    "health": ((200,) * 9, (405,) * 9),
    "livez": ((200,) * 9, (405,) * 9),
    "shell": ((200,) * 9, (405,) * 9),
    "service_worker": ((200,) * 9, (405,) * 9),
    "manifest": ((200,) * 9, (405,) * 9),
    "readyz": ((200,) * 9, (405,) * 9),
    # Nothing is there where the settings have no token for it.
    "metrics": ((404,) * 9, (405,) * 9),
    "accounts:sign_in": ((200, *(302,) * 8), (200, *(302,) * 8)),
    "accounts:sign_out": ((302, *(405,) * 8), (302,) * 9),
    "accounts:second_step": ((302,) * 9, (302,) * 9),
    "accounts:passkey_sign_in": ((405, *(302,) * 8), (200, *(302,) * 8)),
    "accounts:start": ((200,) * 9, (302,) * 9),
    # Nothing is there where the settings name no provider.
    "accounts:hospital": ((404,) * 9, (405,) * 9),
    "accounts:hospital_return": ((404,) * 9, (405,) * 9),
    "accounts:second_factor": ((302,) * 9, NO_SUCH_METHOD),
    "accounts:code_app": (RULES, (302,) * 9),
    "accounts:new_key": (RULES, NOT_POSSIBLE),
    "accounts:remove_code_app": ((302,) * 9, NOT_POSSIBLE),
    "accounts:recovery_codes": (RULES, NOT_POSSIBLE),
    "accounts:remove_key": (NOT_OF_OTHERS, NOT_OF_OTHERS),
    "accounts:rename_key": (NOT_OF_OTHERS, NOT_OF_OTHERS),
    "accounts:me": (RULES, NO_SUCH_METHOD),
    "accounts:password": (RULES, (302,) * 9),
    "accounts:switch": ((200,) * 9, (422,) * 9),
    "accounts:pin": (RULES, (302,) * 9),
    "accounts:end_one": (NO_SUCH_METHOD, (302,) * 9),
    "accounts:end_others": (NO_SUCH_METHOD, (302,) * 9),
    "people:list": (ADMINISTRATOR_PAGE, NO_SUCH_METHOD),
    "people:export": (ADMINISTRATOR_PAGE, NO_SUCH_METHOD),
    "people:person": (ADMINISTRATOR_PAGE, NO_SUCH_METHOD),
    "people:new": (ADMINISTRATOR_PAGE, ADMINISTRATOR_PAGE),
    "people:link": (ADMINISTRATOR_PAGE, ADMINISTRATOR_PAGE),
    "people:wards": (ADMINISTRATOR_PAGE, ADMINISTRATOR),
    "people:email": ((302, *(403,) * 7, 404), (302, *(403,) * 7, 404)),
    "people:role": (ADMINISTRATOR_PAGE, ADMINISTRATOR),
    "people:act": (ADMINISTRATOR_PAGE, ADMINISTRATOR),
    "roles": (RULES, NO_SUCH_METHOD),
    "help": ((200,) * 9, (405,) * 9),
    "help_page": ((200,) * 9, (405,) * 9),
    "accounts:active": ((302, *(405,) * 8), (302, *(204,) * 8)),
    "patients:locked": (READ, NO_SUCH_METHOD),
    "record:printed": ((302, *(405,) * 8), (302, *(204,) * 8)),
    "record:events": (READ_RECORD, NO_SUCH_METHOD),
    "record:events_csv": (READ_RECORD, NO_SUCH_METHOD),
    "record:person": (READ_RECORD, NO_SUCH_METHOD),
    "record:person_week": (READ_RECORD, NO_SUCH_METHOD),
    "record:person_csv": (READ_RECORD, NO_SUCH_METHOD),
    "record:course": (READ_RECORD, NO_SUCH_METHOD),
    "record:course_csv": (READ_RECORD, NO_SUCH_METHOD),
    "patients:board": ((302, *(200,) * 7, 302), NO_SUCH_METHOD),
    "patients:ward_scales": ((302, *(200,) * 7, 302), NO_SUCH_METHOD),
    "patients:wall": ((302,) * 9, NO_SUCH_METHOD),
    "patients:walls": (
        (302, *(200,) * 6, 403, 200),
        (302, 302, 422, 422, 302, 302, 302, 403, 403),
    ),
    "patients:wall_end": (NO_SUCH_METHOD, (302, 302, 404, 404, 302, 302, 302, 403, 302)),
    "patients:admit": ((302, *(200,) * 6, 403, 403), (302, *(302,) * 6, 403, 403)),
    "patients:bedside": (READ, NO_SUCH_METHOD),
    "patients:live": (READ, NO_SUCH_METHOD),
    "patients:timeline": (READ, NO_SUCH_METHOD),
    "patients:state": (READ_BY_SCRIPT, NO_SUCH_METHOD),
    "patients:flowsheet": (READ, NO_SUCH_METHOD),
    "patients:paper": (READ, NO_SUCH_METHOD),
    "patients:last_day": (READ, NO_SUCH_METHOD),
    "patients:timeline_table": (READ, NO_SUCH_METHOD),
    "patients:review": (READ, NO_SUCH_METHOD),
    "patients:instant": (READ, NO_SUCH_METHOD),
    "patients:review_cursor": (READ, NO_SUCH_METHOD),
    "patients:review_series": (READ_BY_SCRIPT, NO_SUCH_METHOD),
    "patients:review_latest": (READ_BY_SCRIPT, NO_SUCH_METHOD),
    "patients:review_scales": (READ_BY_SCRIPT, NO_SUCH_METHOD),
    "patients:review_scales_at": (READ, NO_SUCH_METHOD),
    "patients:sign_off": (READ, SIGN),
    "patients:seen": (NO_SUCH_METHOD, (302, 302, 403, 302, 302, 302, 302, 302, 403)),
    "patients:reviews": ((302, *(200,) * 7, 403), NO_SUCH_METHOD),
    "patients:disagreements": (LISTS, NO_SUCH_METHOD),
    "patients:disagreements_csv": (LISTS, NO_SUCH_METHOD),
    "patients:handover": (READ, NO_SUCH_METHOD),
    "patients:scales": (READ, NO_SUCH_METHOD),
    "patients:scales_line": (READ, NO_SUCH_METHOD),
    "patients:summary": (READ, NO_SUCH_METHOD),
    "patients:summary_json": (READ_BY_SCRIPT, NO_SUCH_METHOD),
    "patients:summary_state": (ANSWER_PAGE, ANSWER),
    "patients:entries": (READ, CHART),
    "patients:kept_forms": (READ, NO_SUCH_METHOD),
    "patients:correct": (CHART_PAGE, CHART),
    "patients:retract": (CHART_PAGE, CHART),
    "patients:move_entry": (CHART_PAGE, CHART),
    "patients:identity": (READ, ANSWER),
    "patients:join": (OF_THE_CHART_OR_ADMINISTRATOR, ADMINISTRATOR),
    "patients:undo_join": (OF_THE_CHART_OR_ADMINISTRATOR, ADMINISTRATOR),
    "patients:not_observed": (NO_SUCH_METHOD, CHART),
    "patients:transfer": (ANSWER_PAGE, ANSWER),
    "patients:guidance": (READ, NO_SUCH_METHOD),
    "patients:guidance_action": (NO_SUCH_METHOD, ANSWER),
    "patients:guidance_answer": (ANSWER_PAGE, ANSWER),
    "patients:answers_csv": (LISTS, NO_SUCH_METHOD),
    "patients:sources": (RULES, NO_SUCH_METHOD),
    "patients:policy": (RULES, ADMINISTRATOR),
    "patients:course_policy": (OF_THE_CHART_OR_ADMINISTRATOR, ADMINISTRATOR),
    "patients:emergency_access": (
        (302, 302, 200, 302, 302, 200, 302, 403, 403),
        (302, 302, 302, 302, 302, 302, 302, 403, 403),
    ),
    "patients:emergencies": ((302, *(403,) * 6, 200, 200), NO_SUCH_METHOD),
    "patients:find": (RULES, NO_SUCH_METHOD),
    "patients:export_course": (READ, EXPORT),
    "patients:export_cohort": (LISTS, LISTS),
    "patients:export_progress": (LISTS, NO_SUCH_METHOD),
    "patients:wards": (ADMINISTRATOR_PAGE, ADMINISTRATOR),
    "patients:outbox_known": (NO_SUCH_METHOD, (302, *(200,) * 8)),
    "patients:oauth_token": ((405,) * 9, (400,) * 9),
    "patients:hl7": ((401,) * 9, (401,) * 9),
    "patients:fhir_documents": ((401,) * 9, (401,) * 9),
    "patients:fhir_documents_slash": ((401,) * 9, (401,) * 9),
    "patients:fhir_metadata": ((200,) * 9, (405,) * 9),
    "patients:fhir_patients": ((401,) * 9, (401,) * 9),
    "patients:fhir_patients_posted": ((401,) * 9, (401,) * 9),
    "patients:fhir_everything": ((401,) * 9, (401,) * 9),
    "patients:fhir_observations": ((401,) * 9, (401,) * 9),
    "patients:fhir_administrations": ((401,) * 9, (401,) * 9),
    "patients:fhir_nothing": ((401,) * 9, (401,) * 9),
    "patients:fhir_export": (
        (401, 200, 302, 200, 200, 200, 200, 200, 403),
        (401, *(405,) * 8),
    ),
    "patients:smart_configuration": ((200,) * 9, (405,) * 9),
    "patients:smart_keys": ((200,) * 9, (405,) * 9),
    "patients:launches": (ADMINISTRATOR_PAGE, NO_SUCH_METHOD),
    "patients:launch_record": (ADMINISTRATOR_PAGE, NO_SUCH_METHOD),
    # Sent empty: what is valid is asked of the health record (tests/patients/exchange).
    "patients:launch_new": (ADMINISTRATOR_PAGE, (302, *(403,) * 7, 422)),
    "patients:launch_change": (ADMINISTRATOR_PAGE, (302, *(403,) * 7, 422)),
    "patients:launch_act": (ADMINISTRATOR_PAGE, ADMINISTRATOR),
    # Without a registered record nothing is launched, whoever is signed in.
    "patients:smart_launch": ((403,) * 9, (405,) * 9),
    "patients:smart_return": ((403,) * 9, (405,) * 9),
    "patients:smart_ended": ((200,) * 9, (405,) * 9),
    "patients:ward": (ADMINISTRATOR_PAGE, ADMINISTRATOR),
    "patients:inbox": (INBOX, NO_SUCH_METHOD),
    "patients:inbox_count": (INBOX, NO_SUCH_METHOD),
    "patients:stranger_sent": (INBOX, NO_SUCH_METHOD),
    "patients:received": (READ, NO_SUCH_METHOD),
    "patients:received_sent": (READ, NO_SUCH_METHOD),
    "patients:chart_received": (NO_SUCH_METHOD, CHART),
    "patients:dismiss_received": (NO_SUCH_METHOD, CHART),
    "patients:held_form": (CHART_PAGE, CHART),
    "patients:systems": (ADMINISTRATOR_PAGE, NO_SUCH_METHOD),
    "patients:system": (ADMINISTRATOR_PAGE, NO_SUCH_METHOD),
    "patients:traffic": (ADMINISTRATOR_PAGE, NO_SUCH_METHOD),
    "patients:faulty_message": (ADMINISTRATOR_PAGE, NO_SUCH_METHOD),
    "patients:unverified_codes": (ADMINISTRATOR_PAGE, NO_SUCH_METHOD),
    "patients:new_system": (ADMINISTRATOR_PAGE, ADMINISTRATOR),
    "patients:change_system": (ADMINISTRATOR_PAGE, ADMINISTRATOR),
    "patients:system_active": (ADMINISTRATOR_PAGE, ADMINISTRATOR),
    "patients:system_keys": (ADMINISTRATOR_PAGE, ADMINISTRATOR),
    "patients:end_system_key": (ADMINISTRATOR_PAGE, ADMINISTRATOR),
    "patients:system_scopes": (ADMINISTRATOR_PAGE, ADMINISTRATOR),
    "patients:system_codes": (ADMINISTRATOR_PAGE, ADMINISTRATOR),
    "patients:cds_services": ((200,) * 9, (405,) * 9),
    "patients:cds_service": ((405,) * 9, (401,) * 9),
    "patients:cds_feedback": ((405,) * 9, (401,) * 9),
}
PROGRAMS = {
    "patients:hl7", "patients:oauth_token", "patients:smart_configuration", "patients:smart_keys",
    "patients:cds_services", "patients:cds_service", "patients:cds_feedback",
    *(f"patients:fhir_{name}" for name in (
        "administrations", "documents", "documents_slash", "everything", "export", "metadata",
        "nothing", "observations", "patients", "patients_posted",
    )),
}  # fmt: skip
"""Called by other systems: a session of a person opens nothing there."""
LAUNCH = {"patients:smart_launch", "patients:smart_return", "patients:smart_ended"}
HOSPITAL = {"accounts:hospital", "accounts:hospital_return"}
OPEN_TO_ALL = {
    "health", "livez", "metrics", "readyz", "help", "help_page",
    "shell", "service_worker", "manifest",
    "accounts:sign_in", "accounts:sign_out", "accounts:start",
    "accounts:second_step", "accounts:passkey_sign_in", "accounts:switch",
    *HOSPITAL, *PROGRAMS, *LAUNCH,
}  # fmt: skip
SAVES_NOTHING = OPEN_TO_ALL - {"accounts:start"} | {
    "accounts:end_one", "accounts:code_app", "accounts:new_key",
}  # fmt: skip
"""The code app asks for the own password first; a new key is sent without one to add."""
OF_A_SYSTEM = {
    f"patients:{name}"
    for name in (
        "system", "change_system", "system_active", "system_keys", "system_scopes", "system_codes",
    )
}  # fmt: skip
SETTINGS = {
    "kind": "monitor", "timezone": "Europe/Berlin", "charset": "utf-8", "filing": "propose",
    "your_password": "correct horse 1",
}  # fmt: skip
SENDS_A_FILE = {"patients:export_course", "patients:export_cohort"}
SHOW_A_LINK = {"people:new", "people:link"}
"""Of these a POST is answered by a page, which has the secret of a link."""
RECORDED = (
    Patient, Course, ChartingAct, Entry, GradePeriod, GuidanceAnswer, Transfer, SitePolicy,
    CoursePolicy, IdentityCorrection, PatientJoin, GradeReview, CourseSeen, EmergencyAccess, Ward,
    WallScreen, SummaryStatement, ExternalSystem, HeldDecision, LocalCode, SystemKey, SystemKeyEnd,
    SystemGrant, LaunchIssuer,
)  # fmt: skip


def names(resolver: URLResolver, namespace: str = "") -> Iterator[str]:
    """The name of every URL of the project; one without a name fails."""
    for entry in resolver.url_patterns:
        if isinstance(entry, URLPattern):
            assert entry.name, f"{entry.pattern} has no name"
            yield namespace + entry.name
        else:
            yield from names(entry, f"{entry.namespace}:" if entry.namespace else namespace)


def test_every_url_has_a_row() -> None:
    assert sorted(names(get_resolver())) == sorted(TABLE)


OF_A_COURSE = {
    "bedside", "live", "timeline", "not_observed", "transfer", "guidance",
    "guidance_action", "course_policy", "identity", "join", "state", "review",
    "review_cursor", "review_series", "review_latest", "review_scales",
    "review_scales_at", "instant", "sign_off", "seen", "flowsheet", "paper", "summary",
    "summary_json", "handover", "export_course", "scales", "scales_line",
    "last_day", "timeline_table", "emergency_access", "locked", "received",
    "chart_received", "dismiss_received", "held_form", "fhir_export", "kept_forms",
}  # fmt: skip
"""The names of pages of patients whose only argument is the course."""


@dataclass(frozen=True)
class Target:
    """A course at grade 3, an entry of it, another patient's course, and a record joined to it."""

    course: Course
    entry: Entry
    other: Course
    joining: PatientJoin
    person: User
    link: str
    key: Authenticator
    system_key: SystemKey
    item: HeldItem
    stranger: InboundMessage
    record: LaunchIssuer

    def addresses(self, name: str) -> list[str]:
        """Every address that a row stands for: of ``entries``, the form of each kind."""
        default = [[self.course.pk]] if name.removeprefix("patients:") in OF_A_COURSE else [[]]
        asks = f"?item={self.item.pk}" if name == "patients:held_form" else ""
        return [reverse(name, args=args) + asks for args in self._arguments.get(name, default)]

    @cached_property
    def _arguments(self) -> dict[str, list[list[Any]]]:
        """The arguments of each address that takes other ones than its course alone."""
        own = [self.course.pk]
        return {
            "patients:entries": [[*own, kind] for kind in ("vitals", *ENTRY_FORMS)],
            "accounts:start": [[self.link]],
            "accounts:end_one": [["0123456789abcdef"]],
            "patients:export_progress": [[uuid.uuid4()]],
            "accounts:remove_key": [[self.key.pk]],
            "accounts:rename_key": [[self.key.pk]],
            "help_page": [["nurse"]],
            "people:person": [[self.person.pk]],
            "patients:fhir_everything": [[self.course.patient_id]],
            "patients:fhir_nothing": [["Encounter"]],
            "patients:cds_service": [["crs-grade"]],
            "patients:cds_feedback": [["crs-grade"]],
            "people:link": [[self.person.pk]],
            "people:email": [[self.person.pk]],
            "people:role": [[self.person.pk]],
            "people:wards": [[self.person.pk]],
            "people:act": [[self.person.pk, act] for act in ACTS],
            "patients:summary_state": [[*own, about] for about in StatedAbout.values],
            "patients:correct": [[*own, self.entry.pk]],
            "patients:retract": [[*own, self.entry.pk]],
            "patients:move_entry": [[*own, self.entry.pk]],
            "patients:undo_join": [[*own, self.joining.pk]],
            **{f"patients:launch_{page}": [[self.record.pk]] for page in ("record", "change")},
            "patients:launch_act": [
                [self.record.pk, act] for act in ("off", "on", "link", "forget")
            ],
            "record:course": [own],
            "record:course_csv": [own],
            "record:person": [[self.entry.recorded_by_id]],
            "record:person_week": [[self.entry.recorded_by_id]],
            "record:person_csv": [[self.entry.recorded_by_id]],
            "patients:ward": [[self.course.on_ward_id]],
            "patients:received_sent": [[*own, self.item.pk]],
            "patients:stranger_sent": [[self.stranger.pk]],
            "patients:faulty_message": [[self.stranger.pk]],
            "patients:end_system_key": [[self.system_key.system_id, self.system_key.pk]],
            **{key: [[self.system_key.system_id]] for key in OF_A_SYSTEM},
            "patients:wall_end": [[WallScreen.objects.latest("pk").pk]],
            "patients:guidance_answer": [
                [*own, "icu.one_to_one", reply] for reply in ("done", "not_appropriate")
            ],
        }

    def data(self, name: str) -> dict[str, Any]:
        """What a form sends to the first of the addresses; an address without one gets nothing.

        What asks the database or makes a key is a function: it is called for its own row alone.
        """
        then = timezone.localtime(ago(hours=24))
        sent: dict[str, dict[str, Any] | Callable[[], dict[str, Any]]] = {
            "patients:admit": {
                "mrn": "4471902", "name": "LINDQVIST, Per", "birth_date": "1970-03-01",
                "sex": "male", "product": "CD19 CAR-T", "infused_date": f"{then:%Y-%m-%d}",
                "infused_time": "10:00", "weight_kg": "80", "ward": "7B", "bed": "14",
            },
            "accounts:start": {"new_password1": NEW, "new_password2": NEW},
            "accounts:password": {
                "old_password": "correct horse 1", "new_password1": NEW, "new_password2": NEW,
            },
            "patients:launch_act": {"your_password": "correct horse 1"},
            "accounts:code_app": {"your_password": "correct horse 1"},
            "accounts:new_key": {"name": "key", "credential": "{}"},
            "accounts:remove_code_app": {"your_password": "correct horse 1"},
            "accounts:recovery_codes": {"your_password": "correct horse 1"},
            "accounts:rename_key": {"name": "mine now"},
            "accounts:remove_key": {"your_password": "correct horse 1"},
            "accounts:pin": {
                "pin": "4071", "pin_again": "4071", "your_password": "correct horse 1",
            },
            "accounts:switch": {"who": self.person.pk, "pin": "4071"},
            "people:new": {
                "first_name": "Ewa", "last_name": "Nowak", "username": "e.nowak",
                "role": "auditor", "your_password": "correct horse 1",
            },
            "people:link": {"your_password": "correct horse 1"},
            "people:role": {"role": "auditor", "your_password": "correct horse 1"},
            "people:wards": {"wards": [], "your_password": "correct horse 1"},
            "people:act": {"your_password": "correct horse 1"},
            "patients:entries": vitals(temperature="39"),
            "patients:summary_state": {"answer": "no", "source": "patient", "seen": "0"},
            "patients:correct": vitals(temperature="36.5", reason="misread"),
            "patients:retract": {"reason": "another patient"},
            "patients:move_entry": {"to": str(self.other.pk), "reason": "wrong patient"},
            "patients:identity": lambda: {
                "what": "sex", "sex": "male", "reason": "passport", "step": "confirm",
                "compared": "yes",
                "seen": identity_token(list(courses_of_patient(self.course.patient_id))),
            },
            "patients:join": lambda: {
                "with": str(self.other.patient_id), "reason": "one person", "step": "confirm",
                "compared": "yes",
                "seen": join_token(self.course.patient_id, self.other.patient_id),
            },
            "patients:undo_join": lambda: {
                "reason": "two persons", "compared": "yes",
                "seen": join_token(self.joining.kept_id, self.joining.joined_id),
            },
            "patients:not_observed": {"reason_not_observed": "asleep"},
            "patients:transfer": lambda: {
                "what": "moved", "ward": "ICU", "bed": "3", "seen": location_token(self.course),
            },
            "patients:guidance_action": {"action": "risk:older_age:yes"},
            "patients:guidance_answer": {"seen": ""},
            "patients:policy": lambda: policy_form(cpap_grade="4", step="confirm"),
            "patients:course_policy": lambda: {
                "version": version_of(policy_from({"cpap_grade": 4}), timezone.now()).pk,
                "reason": "Study", "step": "confirm",
            },
            "patients:sign_off": {
                "start": self.entry.at.isoformat(), "known_at": timezone.now().isoformat(),
                "computed": "3", "seen": "0", "verdict": "agree",
            },
            "patients:emergency_access": {"reason": "called", "words": "cardiac arrest call"},
            "patients:export_course": {"contents": "deidentified", "format": "csv"},
            "patients:export_cohort": {
                "contents": "deidentified", "format": "csv", "since": "2026-01-01",
                "until": "2026-02-01",
            },
            "patients:chart_received": {"item": str(self.item.pk)},
            "patients:dismiss_received": {"item": str(self.item.pk), "why": "artefact"},
            "patients:held_form": vitals(heart_rate="110"),
            "patients:new_system": SETTINGS | {"name": "Monitor 9"},
            "patients:change_system": lambda: (
                SETTINGS | {"seen": settings_version(ExternalSystem.objects.get(name="EHR"))}
            ),
            "patients:system_active": {"is_active": "no", "your_password": "correct horse 1"},
            "patients:system_keys": lambda: {
                "key_set": jwks(ec_key("another")), "your_password": "correct horse 1",
            },
            "patients:end_system_key": {"your_password": "correct horse 1"},
            "patients:system_scopes": lambda: {
                "scopes": ["system/Observation.c"], "your_password": "correct horse 1",
                "seen": version_of_grant(SystemGrant.objects.order_by("id").last()),
            },
            "patients:system_codes": {
                "code": "CRE-X", "means": "analyte:creatinine", "step": "confirm",
            },
            "patients:wards": {"name": "K9"},
            "patients:ward": {"name": "7C"},
            "record:printed": {"path": "/"},
            "patients:walls": {"wards": [self.course.on_ward_id]},
            "patients:seen": {"known_at": timezone.now().isoformat()},
        }  # fmt: skip
        found = sent.get(name, {})
        return form() | (found() if callable(found) else found)


@pytest.fixture
def target(course: Course, clinician: User, make_user: Callable[..., User]) -> Target:
    at = timezone.now() - timedelta(minutes=30)
    entry = chart(course, clinician, "vitals", at, temperature_c="38.5").entries[0]
    chart(course, clinician, "oxygen", at, device="venturi_mask", fio2_percent="50")
    other = admit(clinician, name="WEBER, Luca", product="another")
    gone = admit(clinician, name="WEBER, Luka", product="a third")
    kept, joined = course.patient_id, gone.patient_id
    asked = JoinRequest(kept, joined, "one person", join_token(kept, joined))
    link = make_link(clinician, None, timezone.now())
    joining = join_records(asked, sending(clinician))
    start_screen([course.on_ward], clinician, timezone.now())
    key = Authenticator.objects.create(user=clinician, type=KEY, data={"name": "key"})
    system = make_system("EHR", make_user("registrar", Role.ADMINISTRATOR))
    (item,) = monitor_set(a_system("Monitor 7B"), course, heart_rate="104")
    stranger = a_message(system, None, [], verdict="not_accepted", reason="patient.unknown")
    system_key = SystemKey.objects.get()
    record = LaunchIssuer.objects.create(
        iss="https://ehr.example/fhir", name="St. Anna", client_id="crs", client_secret="x",
        mrn_system="urn:mrn", by=clinician, at=timezone.now(),
    )  # fmt: skip
    return Target(
        course, entry, other, joining, clinician, link, key, system_key, item, stranger, record
    )


@pytest.fixture
def client_of(make_user: Callable[..., User], target: Target) -> Callable[[Actor | None], Client]:
    """A client signed in as an actor; of None, not signed in."""

    def of(actor: Actor | None) -> Client:
        client = Client()
        if actor is not None:
            user = make_user("actor", actor.role)
            if actor.role in CLINICIANS:
                own = actor.ward == OWN
                set_wards(user, [target.course.on_ward if own else Ward.objects.create(name="K4")])
            if actor.ward == EMERGENCY:
                for course in (target.course, target.other):
                    asked = AskedAccess("called", "cardiac arrest call", uuid.uuid4())
                    open_with_reason(course, asked, user)
            client.force_login(user)
        return client

    return of


def rows() -> list[Any]:
    counts: list[Any] = [model.objects.count() for model in RECORDED]
    users = User.objects.order_by("pk").values_list(
        "pk",
        "role",
        "is_active",
        "password",
        "sessions_ended",
        "links__digest",
        "memberships__ward",
        "tablets__pin",
    )
    screens = WallScreen.objects.order_by("pk").values_list("ended_at")
    factors = Authenticator.objects.order_by("pk").values_list("pk", "user", "data")
    wards = Ward.objects.order_by("pk").values_list("name", "is_open")
    systems = ExternalSystem.objects.order_by("pk").values_list("timezone", "is_active")
    return [*counts, *users, *screens, *factors, *wards, *systems]


def ids(actor: Actor | None) -> str:
    return str(actor or "signed out")


@pytest.mark.parametrize("actor", ACTORS, ids=ids)
def test_who_may_open_what(
    actor: Actor | None, target: Target, client_of: Callable[[Actor | None], Client]
) -> None:
    """Opening records nothing and shows an empty form."""
    client, column = client_of(actor), ACTORS.index(actor)
    before = rows()
    for name, (statuses, _) in TABLE.items():
        get = statuses[column]
        for address in target.addresses(name):
            opened = client.get(address)
            assert opened.status_code == get, (name, address)
            assert_sent_to_sign_in(name, actor, opened)
            if get == 302 and actor is not None and "/course" in address.lower():
                assert_asked_why(name, target, opened, address)
            elif actor is not None and name.startswith("patients:"):
                assert client.get(address, **HTMX).status_code == get, address
            if get == 200 and name in ("patients:entries", "patients:admit"):
                assert not opened.context["form"].is_bound, address
    assert rows() == before


def is_saved(name: str, actor: Actor | None) -> bool:
    """Whether a POST of the actor records something."""
    if name == "accounts:start":
        return True
    status = 200 if name in SHOW_A_LINK else 302
    if (
        actor is None
        or name in SAVES_NOTHING | SENDS_A_FILE
        or TABLE[name][1][ACTORS.index(actor)] != status
    ):
        return False
    return name != "patients:emergency_access" or actor.ward == OTHER


@pytest.mark.parametrize("actor", ACTORS, ids=ids)
def test_who_may_not_send_what(
    actor: Actor | None, target: Target, client_of: Callable[[Actor | None], Client]
) -> None:
    """Who is refused records nothing, by htmx or without."""
    names_ = [name for name in TABLE if not is_saved(name, actor)]
    client = client_of(actor)
    before = rows()
    for name in sorted(names_, key=lambda name: name == "accounts:sign_out"):
        post = TABLE[name][1][ACTORS.index(actor)]
        address, data = target.addresses(name)[0], target.data(name)
        if actor is not None and post == 403:
            assert client.post(address, data, **HTMX).status_code == 403, name
        sent = client.post(address, data)
        assert sent.status_code == post, (name, sent.content.decode())
        assert_sent_to_sign_in(name, actor, sent)
    assert rows() == before


@pytest.mark.parametrize(
    ("name", "actor"),
    [(name, actor) for name in TABLE for actor in ACTORS if is_saved(name, actor)],
    ids=ids,
)
def test_who_may_send_what(
    name: str, actor: Actor | None, target: Target, client_of: Callable[[Actor | None], Client]
) -> None:
    client = client_of(actor)
    before = rows()
    sent = client.post(target.addresses(name)[0], target.data(name))
    assert sent.status_code == TABLE[name][1][ACTORS.index(actor)], sent.content.decode()
    assert rows() != before


def assert_asked_why(name: str, target: Target, opened: Any, address: str) -> None:
    """A page of another ward's patient leads to the question; who need not answer, to the chart."""
    if name == "patients:emergency_access":
        assert opened["Location"] == reverse("patients:bedside", args=[target.course.pk])
        return
    why = reverse("patients:emergency_access", args=[target.course.pk])
    assert opened["Location"] == f"{why}?{urlencode({'next': address})}"


def assert_sent_to_sign_in(name: str, actor: Actor | None, answer: Any) -> None:
    if actor is None and name not in OPEN_TO_ALL:
        assert answer["Location"].startswith(resolve_url(settings.LOGIN_URL))


def test_another_method_is_refused(nurse_client: Client, target: Target) -> None:
    for name in TABLE:
        for address in target.addresses(name) if name not in OPEN_TO_ALL else ():
            for method in (nurse_client.put, nurse_client.patch, nurse_client.delete):
                answer = method(address)
                assert answer.status_code == 405, address


def test_a_course_that_is_not_there_is_not_found(nurse_client: Client, target: Target) -> None:
    own, another = str(target.course.pk), str(uuid.uuid4())
    for name, (statuses, _) in TABLE.items():
        for address in target.addresses(name):
            if own in address:
                elsewhere = address.replace(own, another)
                answer = (
                    nurse_client.get(elsewhere)
                    if statuses != NO_SUCH_METHOD
                    else nurse_client.post(elsewhere, target.data(name))
                )
                assert answer.status_code == 404, address
