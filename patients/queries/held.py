"""Read what other systems sent and nobody has decided about."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import connection
from django.db.models import Case, Exists, F, Max, OuterRef, Q, QuerySet, UUIDField, When
from django.utils import timezone

from crs_app.accounts.models import User
from crs_app.accounts.permissions import can_chart
from patients.models import (
    Course,
    Decided,
    EmergencyAccess,
    Entry,
    EntryKind,
    ExternalSystem,
    HeldDecision,
    HeldItem,
    InboundMessage,
    SystemKind,
    Verdict,
)
from patients.models.exchange import WITHDRAWN
from patients.queries.identity import search_courses

SHOWN_AT_MOST: Final = 400
"""Items that one page reads: the newest of them."""
DECIDED_SHOWN_FOR: Final = timedelta(hours=12)
SILENT_AFTER: Final = timedelta(minutes=30)
"""A monitor or pump that sent something today and nothing for so long is named as silent."""
WAITS_FOR_A_PERSON: Final = frozenset({"unvalidated", "value.unusual"})
"""Reasons of what is whole and needs a person alone: items of one instant are decided together."""
OF_STRANGERS: Final = frozenset({"patient.unknown", "course.none"})
"""Reasons of messages about a patient whom this chart does not have, or has no open course of."""
STRANGERS_SHOWN_FOR: Final = timedelta(hours=24)
_HEARD_WITHIN: Final = timedelta(days=7)


def may_chart_courses(reader: User) -> Q:
    """Return the condition on items of courses that ``reader`` may chart on now."""
    if not can_chart(reader):
        return Q(pk__in=())
    opened: QuerySet[EmergencyAccess, object] = EmergencyAccess.objects.filter(
        recorded_by=reader, until__gt=timezone.now()
    ).values("course__patient")
    return Q(course__on_ward__in=reader.ward_ids) | Q(course__patient__in=opened)


def charted_since(course_id: uuid.UUID, entry_id: uuid.UUID) -> Entry | None:
    """Return an entry, or what a tap in the inbox put in its place since; None where it is gone.

    A correction that somebody made otherwise is not followed: who taps has not seen it.
    """
    of_course = Entry.objects.filter(course_id=course_id)
    found = of_course.filter(pk=entry_id).first()
    while found is not None:
        after = of_course.filter(replaces=found, act__message__isnull=False).first()
        if after is None or after.kind == EntryKind.RETRACTION:
            return found if after is None else None
        found = after
    return None


def infusions_since(
    course_id: uuid.UUID, drug: str, since: datetime, until: datetime | None
) -> list[Entry]:
    """Read the entries in force about a drug since an instant, until another one and at it."""
    found = Entry.objects.filter(
        course_id=course_id,
        kind=EntryKind.VASOPRESSOR,
        body__drug=drug,
        at__gte=since,
        replaced_by=None,
    )
    if until is not None:
        found = found.filter(at__lte=until)
    return list(found.order_by("at"))


def undecided() -> QuerySet[HeldItem]:
    """Query the items that nobody has decided about, the newest first, with all that is shown."""
    items = HeldItem.objects.filter(decision=None).defer("message__raw", "message__answer")
    items = items.select_related("message__system", "course__patient", "course__policy")
    return items.order_by(F("at").desc(nulls_last=True), "-held_at", "number")


def undecided_of(course_id: uuid.UUID) -> list[HeldItem]:
    """Read the undecided items of one course."""
    return list(undecided().filter(course=course_id)[:SHOWN_AT_MOST])


def undecided_for(reader: User, ward: str = "", search: str = "") -> list[HeldItem]:
    """Read the undecided items of courses that ``reader`` may chart on.

    ``ward`` is the name of a ward; ``search`` is a part of a name, an MRN, a bed or the name of the
    sending system; "" is all.
    """
    items = undecided().filter(may_chart_courses(reader), course__isnull=False)
    if ward:
        items = items.filter(course__ward=ward)
    if search:
        waiting = Course.objects.filter(pk__in=items.order_by().values("course"))
        courses = [course.pk for course in search_courses(search, waiting)]
        items = items.filter(Q(course__in=courses) | Q(message__system__name__icontains=search))
    return list(items[:SHOWN_AT_MOST])


def messages_of_strangers(now: datetime) -> QuerySet[InboundMessage]:
    """Query the messages of the last day whose patient is not known here or has no open course.

    One that was accepted when it came again is left out.
    """
    accepted = InboundMessage.objects.filter(
        system=OuterRef("system"), control_id=OuterRef("control_id"), verdict=Verdict.ACCEPTED
    )
    found = InboundMessage.objects.filter(
        ~Exists(accepted),
        verdict=Verdict.NOT_ACCEPTED,
        reason__in=OF_STRANGERS,
        received_at__gt=now - STRANGERS_SHOWN_FOR,
    )
    return found.select_related("system").defer("raw").order_by("-received_at")


def count_undecided(reader: User) -> int:
    """Count what waits for ``reader``: all that one system proposes of a patient is one."""
    if not can_chart(reader):
        return 0
    items = HeldItem.objects.filter(may_chart_courses(reader), decision=None)
    is_proposed = Q(reason__in=WAITS_FOR_A_PERSON, proposal__isnull=False)
    one = Case(When(is_proposed, then=F("course")), default=F("pk"), output_field=UUIDField())
    waiting = items.order_by().values("message__system", one=one).distinct().count()
    return waiting + messages_of_strangers(timezone.now()).order_by().count()


def decided_lately(reader: User, now: datetime, at_most: int) -> list[HeldDecision]:
    """Read what was decided lately about courses that ``reader`` may chart on, newest first.

    What a system sent again is left out, and what it withdrew is not.
    """
    if not can_chart(reader):
        return []
    since = now - DECIDED_SHOWN_FOR
    items = HeldItem.objects.filter(may_chart_courses(reader), course__isnull=False)
    shown = Q(what__in=(Decided.CHARTED, Decided.DISMISSED)) | Q(what=Decided.CLOSED, why=WITHDRAWN)
    decisions = HeldDecision.objects.filter(shown, item__in=items, at__gte=since)
    decisions = decisions.select_related("item__message__system", "item__course__patient", "act")
    return list(decisions.defer("item__message__raw").order_by("-at", "item__number")[:at_most])


def read_item(course: Course, item_id: uuid.UUID) -> HeldItem | None:
    """Read an item of ``course`` with its message; None where the course has no such item."""
    return HeldItem.objects.select_related("message").filter(pk=item_id, course=course).first()


def read_decisions(item_ids: Iterable[uuid.UUID]) -> list[HeldDecision]:
    """Read the decisions about items that were decided, with all that a card of one shows."""
    items = HeldItem.objects.filter(pk__in=list(item_ids)).select_related(
        "decision__act", "message__system", "course__patient"
    )
    return [item.decision for item in items.defer("message__raw")]


def items_to_decide(course: Course, item_ids: Iterable[uuid.UUID]) -> list[HeldItem]:
    """Read the items of ``course`` with these ids, decided or not, in the order of a message."""
    items = HeldItem.objects.filter(course=course, pk__in=list(item_ids))
    items = items.select_related("message__system", "decision__act").defer("message__raw")
    return list(items.order_by("message__received_at", "number"))


@dataclass(frozen=True, slots=True)
class ReceivedCounts:
    """How many statements were received since an instant, by where they are now.

    Remarks on what is charted or held are not counted a second time.
    """

    on_charts: int
    held: int
    set_aside: int
    remarks: int

    @property
    def received(self) -> int:
        return self.on_charts + self.held + self.set_aside + self.remarks


# A set of signs that was a remark when it came, and was proposed as the last before a mark of the
# clock (``later``), counts as a proposal.
_SUMS: Final = """
WITH later AS (
    SELECT message.id, count(*) AS every, count(*) FILTER (WHERE decision.what = 'charted')
        AS charted, count(*) FILTER (WHERE decision.id IS NULL) AS undecided
    FROM patients_helditem AS held
    JOIN patients_inboundmessage AS message ON message.id = held.message_id
    LEFT JOIN patients_helddecision AS decision ON decision.item_id = held.id
    WHERE held.held_at >= %(since)s AND message.received_at >= %(since)s AND message.held = 0
    GROUP BY message.id
)
SELECT coalesce(sum(message.filed), 0), coalesce(sum(jsonb_array_length(
        jsonb_path_query_array(message.remarks, '$[*] ? (@.alone == true)'))), 0)
        - coalesce(sum(later.every), 0),
    coalesce(sum(item.charted), 0) + coalesce(sum(later.charted), 0),
    coalesce(sum(item.undecided), 0) + coalesce(sum(later.undecided), 0),
    coalesce(sum(item.every), 0) + coalesce(sum(later.every), 0)
FROM patients_inboundmessage AS message
LEFT JOIN later ON later.id = message.id
LEFT JOIN patients_course AS course ON course.id = message.course_id
LEFT JOIN LATERAL (
    WITH RECURSIVE follower AS (
        SELECT held.id, held.id AS last_id FROM patients_helditem AS held
        WHERE held.message_id = message.id AND held.follows_id IS NULL
        UNION ALL
        SELECT follower.id, next.id FROM follower
        JOIN patients_helditem AS next ON next.follows_id = follower.last_id
    ), latest AS (
        SELECT follower.last_id FROM follower
        WHERE NOT EXISTS (SELECT FROM patients_helditem AS next
            WHERE next.follows_id = follower.last_id)
    )
    SELECT count(*) AS every, count(*) FILTER (WHERE decision.what = 'charted') AS charted,
        count(*) FILTER (WHERE decision.id IS NULL) AS undecided
    FROM latest LEFT JOIN patients_helddecision AS decision ON decision.item_id = latest.last_id
) AS item ON message.held > 0
WHERE message.received_at >= %(since)s
    AND (message.course_id IS NULL OR course.on_ward_id = ANY(%(wards)s))
"""


def read_sums(reader: User, since: datetime) -> ReceivedCounts:
    """Count what was received since an instant for the wards of ``reader``."""
    with connection.cursor() as cursor:
        cursor.execute(_SUMS, {"since": since, "wards": list(reader.ward_ids)})
        filed, remarks, charted, held, every = cursor.fetchone()
    return ReceivedCounts(filed + charted, held, every - charted - held, remarks)


@dataclass(frozen=True, slots=True)
class LastHeard:
    """When a system was heard last; ``is_silent``: it should have been heard since."""

    name: str
    at: datetime
    is_silent: bool


def read_heard(now: datetime) -> list[LastHeard]:
    """Read when each active system was heard last; one not heard for a week is left out."""
    heard = ExternalSystem.objects.filter(is_active=True).annotate(
        last=Max("messages__received_at", filter=Q(messages__received_at__gt=now - _HEARD_WITHIN))
    )
    return [
        LastHeard(one.name, one.last, is_silent(one, one.last, now))
        for one in heard
        if one.last is not None
    ]


def is_silent(system: ExternalSystem, heard_at: datetime, now: datetime) -> bool:
    """Return whether a monitor or pump that was heard at ``heard_at`` should have been since."""
    return SystemKind(system.kind).is_device and now - heard_at > SILENT_AFTER


def wards_with_items(items: Sequence[HeldItem]) -> list[str]:
    """Return the names of the wards of the items' courses, in order."""
    return sorted({item.course.ward for item in items if item.course is not None})
