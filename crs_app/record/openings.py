"""What is recorded of a request that only reads, by the name of its address.

An answer that is a whole page, and a download, is recorded each time. A part of a page (what a
poll, a swap or a refused form brings) is recorded only where this session has not opened the page
it belongs to: a cookie says that it has. So nobody can read a chart, the board or the acts of a
person part by part without an event.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from crs_app.record.models import EventKind


class Opening(NamedTuple):
    """What one address shows, in words, and the kind of event that its opening is."""

    shows: str
    kind: EventKind = EventKind.VIEW
    is_searched: bool = False


OPENINGS: Final[Mapping[str, Opening]] = {
    "patients:board": Opening("ward board", is_searched=True),
    "patients:ward_scales": Opening("scales of the ward", is_searched=True),
    "patients:reviews": Opening("what waits for review"),
    "patients:disagreements": Opening("computed and stated grades"),
    "patients:disagreements_csv": Opening("computed and stated grades (CSV)", EventKind.EXPORT),
    "patients:answers_csv": Opening("answers to guidance (CSV)", EventKind.EXPORT),
    "patients:sources": Opening("sources"),
    "patients:bedside": Opening("chart"),
    "patients:live": Opening("chart"),
    "patients:kept_forms": Opening("chart"),
    "patients:timeline": Opening("timeline"),
    "patients:last_day": Opening("last 24 hours"),
    "patients:timeline_table": Opening("timeline as a table"),
    "patients:flowsheet": Opening("flowsheet"),
    "patients:paper": Opening("course on paper"),
    "patients:state": Opening("grade (JSON)", EventKind.EXPORT),
    "patients:review": Opening("review page"),
    "patients:review_cursor": Opening("review page"),
    "patients:instant": Opening("grade of one instant"),
    "patients:review_series": Opening("plotted values (JSON)"),
    "patients:review_latest": Opening("review page"),
    "patients:review_scales": Opening("grades of other scales (JSON)"),
    "patients:review_scales_at": Opening("review page"),
    "patients:sign_off": Opening("sign-off"),
    "patients:handover": Opening("handover"),
    "patients:summary": Opening("episode summary"),
    "patients:summary_json": Opening("episode summary (JSON)", EventKind.EXPORT),
    "patients:summary_state": Opening("question of the episode summary"),
    "patients:scales": Opening("scales beside the grade"),
    "patients:scales_line": Opening("chart"),
    "patients:entries": Opening("chart, entry form"),
    "patients:correct": Opening("correction of an entry"),
    "patients:retract": Opening("entry marked as error"),
    "patients:move_entry": Opening("entry on the wrong patient", is_searched=True),
    "patients:not_observed": Opening("chart"),
    "patients:identity": Opening("identity"),
    "patients:join": Opening("two records of one person", is_searched=True),
    "patients:undo_join": Opening("two records of one person"),
    "patients:transfer": Opening("ward and bed"),
    "patients:guidance": Opening("guidance"),
    "patients:guidance_action": Opening("guidance"),
    "patients:guidance_answer": Opening("answer to guidance"),
    "patients:policy": Opening("policy of the site, with the courses that it grades"),
    "patients:course_policy": Opening("policy of the course"),
    "patients:export_course": Opening("export of the course, form"),
    "patients:inbox": Opening("inbox of other systems", is_searched=True),
    "patients:received": Opening("chart"),
    "patients:held_form": Opening("what another system sent, form"),
    "patients:received_sent": Opening("message of another system, as sent"),
    "patients:stranger_sent": Opening("message of an unknown patient, as sent"),
    "patients:traffic": Opening("traffic of other systems"),
    "patients:faulty_message": Opening("message that was not accepted, as sent"),
    "patients:fhir_export": Opening("course as FHIR", EventKind.EXPORT),
    "people:export": Opening("users (CSV)", EventKind.EXPORT),
    "people:person": Opening("page of a user, with the last 7 days", EventKind.RECORD_READ),
    "patients:emergency_access": Opening("question for the reason of emergency access"),
    "patients:emergencies": Opening("who used emergency access"),
    "patients:find": Opening("find a patient", is_searched=True),
    "record:events": Opening("all events", EventKind.RECORD_READ),
    "record:events_csv": Opening("record, all events (CSV)", EventKind.EXPORT),
    "record:person": Opening("what a person did", EventKind.RECORD_READ),
    "record:person_week": Opening("what a person did in 7 days", EventKind.RECORD_READ),
    "record:person_csv": Opening("record, what a person did (CSV)", EventKind.EXPORT),
    "record:course": Opening("who looked at this patient", EventKind.RECORD_READ),
    "record:course_csv": Opening("record, who looked (CSV)", EventKind.EXPORT),
}
OF_NO_PATIENT: Final = frozenset(
    {
        "patients:admit",
        "patients:cds_feedback",
        "patients:cds_service",
        "patients:cds_services",
        "patients:export_cohort",
        "patients:export_progress",
        "patients:launch_act",
        "patients:launch_change",
        "patients:launch_new",
        "patients:launch_record",
        "patients:launches",
        "patients:inbox_count",
        "patients:chart_received",
        "patients:systems",
        "patients:new_system",
        "patients:system",
        "patients:change_system",
        "patients:system_active",
        "patients:system_keys",
        "patients:end_system_key",
        "patients:system_scopes",
        "patients:system_codes",
        "patients:unverified_codes",
        "patients:dismiss_received",
        "patients:fhir_administrations",
        "patients:fhir_documents",
        "patients:fhir_documents_slash",
        "patients:fhir_everything",
        "patients:fhir_metadata",
        "patients:fhir_nothing",
        "patients:fhir_observations",
        "patients:fhir_patients",
        "patients:fhir_patients_posted",
        "patients:hl7",
        "patients:locked",
        "patients:oauth_token",
        "patients:outbox_known",
        "patients:seen",
        "patients:smart_configuration",
        "patients:smart_ended",
        "patients:smart_keys",
        "patients:smart_launch",
        "patients:smart_return",
        "patients:wall",
        "patients:wall_end",
        "patients:walls",
        "patients:ward",
        "patients:wards",
        "record:printed",
        "people:list",
        "people:new",
        "people:role",
        "people:link",
        "people:act",
        "people:email",
        "people:wards",
    }
)
"""No patient is named there, or only a POST is answered, which leaves an act of its own.

The page of a locked tablet is a poll. A wall screen shows initials to a whole room while nobody is
signed in: who started and who ended it is recorded.
"""
WRITTEN_ELSEWHERE: Final = frozenset(
    {"accounts:hospital_return", "patients:smart_launch", "patients:smart_return"}
)
"""Addresses whose query another system wrote: it holds a code that signs somebody in."""
PAGE_OF_PART: Final[Mapping[str, str]] = {"record:person_week": "people:person"}
"""Parts at an address of their own, without a course, and the page that brings them."""
ASKS_FOR_REASON: Final = "patients:emergency_access"
"""The page before a chart: to open it is not to open the chart."""
SEARCHED_FOR: Final = "q"
_PARAMETERS_AT_MOST: Final = 12
_NOT_KEPT: Final = frozenset({"course_id", "secret"})
"""Parts of an address that are kept elsewhere, or nowhere: the secret of a one-time link."""
_NOT_ASKED_BY_A_PERSON: Final = frozenset({"seen", "signature", "csrfmiddlewaretoken"})


def opening_of(view_name: str, course_id: object) -> Opening | None:
    """Return what is recorded of an address; None where nothing is.

    An address of a course that has no row yet is recorded by its name.
    """
    known = OPENINGS.get(view_name)
    if known is None and course_id is not None and view_name not in OF_NO_PATIENT:
        return Opening(view_name.rpartition(":")[2].replace("_", " "))
    return known


def parts_of_address(named: Mapping[str, object]) -> dict[str, str]:
    """Return what an address names: an entry, a user."""
    return {name: str(value) for name, value in named.items() if name not in _NOT_KEPT}


def asked_by(query: Mapping[str, object]) -> dict[str, str]:
    """Return what a person asked for in the address: a search, a ward, a time."""
    asked = {
        name: str(value)
        for name, value in query.items()
        if value and name not in _NOT_ASKED_BY_A_PERSON
    }
    return dict(list(asked.items())[:_PARAMETERS_AT_MOST])
