"""Read the acts of a course with their authors, their entries and the messages that they chart."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from crs_app.accounts.models import Role, User, display_name_of
from grading.engine.grading_system import GradingSystem
from patients.models import ActSource, ChartingAct, Course, Entry, GradePeriod, PolicyVersion
from patients.queries.grades import periods_known_at


class ActAuthor(NamedTuple):
    """Who recorded an act: user name, name and label of the role, as they were then."""

    username: str
    name: str
    role: str


class ActRow(NamedTuple):
    """An act of charting with the ids of its entries, in their order.

    ``system`` and ``control_id`` are those of the message that it charts, "" without one;
    ``is_interface``: the system itself is the author.
    """

    recorded_at: datetime
    entries: Sequence[str]
    author: ActAuthor
    reason: str
    system: str
    system_username: str
    control_id: str
    is_interface: bool


class PeriodRow(NamedTuple):
    """A stored grade period with the policy that graded it and when it became known."""

    period: GradePeriod
    policy_digest: str
    known_from: datetime


_ACT_COLUMNS = (
    "id", "recorded_at", "source", "answers__reason", "author_name", "author_role",
    "recorded_by__username", "recorded_by__first_name", "recorded_by__last_name",
    "message__control_id", "message__system__name", "message__system__user__username",
)  # fmt: skip


def read_acts(course: Course, known_at: datetime) -> list[ActRow]:
    """Read the acts of a course that were recorded by ``known_at`` and have entries, in order."""
    entries: defaultdict[uuid.UUID, list[str]] = defaultdict(list)
    found = Entry.objects.filter(course=course, recorded_at__lte=known_at).order_by("place")
    for act_id, entry_id in found.values_list("act_id", "id"):
        entries[act_id].append(str(entry_id))
    acts = ChartingAct.objects.filter(course=course, recorded_at__lte=known_at)
    rows = []
    for (
        pk, recorded_at, source, reason, kept_name, kept_role, username, first, last,
        control_id, system, system_username,
    ) in acts.order_by("recorded_at").values_list(*_ACT_COLUMNS):  # fmt: skip
        if pk not in entries:
            continue
        name = kept_name or display_name_of(username, first, last)
        role = Role(kept_role).label if kept_role else ""
        rows.append(
            ActRow(
                recorded_at,
                entries[pk],
                ActAuthor(username, name, role),
                reason if isinstance(reason, str) else "",
                system or "",
                system_username or "",
                control_id or "",
                source == ActSource.INTERFACE,
            )
        )
    return rows


def read_entries_of_form(
    course: Course, form_id: uuid.UUID, request_digest: str, by: User
) -> list[Entry]:
    """Read what a form of ``by`` with these contents recorded on ``course``, in its order."""
    of_form = Entry.objects.filter(
        course=course,
        act__course=course,
        act__form_id=form_id,
        act__request_digest=request_digest,
        act__recorded_by=by,
    )
    return list(of_form.order_by("place"))


def read_stored_forms(
    forms: Collection[tuple[uuid.UUID, uuid.UUID]], by: User
) -> set[tuple[uuid.UUID, uuid.UUID]]:
    """Read the forms of ``by`` that an act was recorded of, among pairs of course and form id.

    A pair that was not asked about may be in the answer.
    """
    acts = ChartingAct.objects.filter(
        recorded_by=by,
        course_id__in={course for course, _ in forms},
        form_id__in={form for _, form in forms},
    )
    return set(acts.values_list("course_id", "form_id"))


def read_entries_of_act(act: ChartingAct, course: Course) -> list[Entry]:
    """Read the entries of ``act`` that are on ``course``, in order, with author and act."""
    entries = act.entries.filter(course=course).order_by("place")
    return list(entries.select_related("recorded_by", "act"))


def read_periods(course: Course, system: GradingSystem, known_at: datetime) -> list[PeriodRow]:
    """Read the grade periods as they were known at ``known_at``, in order of clinical time."""
    periods = list(periods_known_at(course.pk, system, known_at).order_by("valid"))
    digests = dict(
        PolicyVersion.objects.filter(pk__in={one.policy_id for one in periods}).values_list(
            "pk", "digest"
        )
    )
    return [PeriodRow(one, digests[one.policy_id], one.known.lower) for one in periods]
