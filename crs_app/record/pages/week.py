"""What one person did in the last seven days: numbers, and the events that say most."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Count, Max, Q, QuerySet

from crs_app.accounts.models import User
from crs_app.record.models import Event, EventKind
from crs_app.record.pages.search import Row, row_of
from patients.models import Course, Entry

SPAN: Final = timedelta(days=7)
SHOWN_AT_MOST: Final = 6
_SAYS_LITTLE: Final = (EventKind.VIEW, EventKind.SEARCH, EventKind.RECORD_READ)


@dataclass(frozen=True, slots=True)
class Week:
    """Counts of seven days; ``rows`` are the last events besides what was opened or charted."""

    sign_ins: int
    failed_sign_ins: int
    patients_opened: int
    entries: int
    emergencies: int
    last_emergency: datetime | None
    rows: list[Row]


def read_week(person: User, now: datetime) -> Week:
    """Read what ``person`` did in the seven days before ``now``, by four statements."""
    since = now - SPAN
    events: QuerySet[Event] = Event.objects.filter(by=person.pk, at__gte=since)
    emergency = Q(kind=EventKind.EMERGENCY_ACCESS)
    counts = events.aggregate(
        sign_ins=Count("number", filter=Q(kind=EventKind.SIGN_IN)),
        failed_sign_ins=Count("number", filter=Q(kind=EventKind.SIGN_IN_FAILED)),
        emergencies=Count("number", filter=emergency),
        last_emergency=Max("at", filter=emergency),
    )
    opened = events.filter(kind=EventKind.VIEW, course_id__isnull=False).values("course_id")
    courses = Course.objects.filter(pk__in=opened).aggregate(
        patients=Count("patient_id", distinct=True)
    )
    entries = Entry.objects.filter(recorded_by=person, recorded_at__gte=since)
    telling = events.exclude(kind__in=_SAYS_LITTLE).order_by("-at", "-chain", "-number")
    return Week(
        **counts,
        patients_opened=courses["patients"],
        entries=entries.count(),
        rows=[row_of(event) for event in telling[:SHOWN_AT_MOST]],
    )
