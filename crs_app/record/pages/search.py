"""What the pages of the record are asked for, and a page of the events that answer it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, Q, QuerySet
from django.utils import timezone

from crs_app.record.models import Event, EventKind
from grading.engine.vocabulary import EARLIEST, LATEST
from patients.models import ChartingAct, Entry

ROWS_AT_ONCE: Final = 50
_TIES: Final = 50
"""Rows of one instant that one page can have beside its own: instants are microseconds."""

CHARTED: Final = "charted"
GROUPS: Final[Mapping[str, tuple[str, frozenset[EventKind]]]] = {
    "opened": ("Opened and searched", frozenset({EventKind.VIEW, EventKind.SEARCH})),
    CHARTED: ("Charted", frozenset()),
    "taken": ("Printed, downloaded", frozenset({EventKind.PRINT, EventKind.EXPORT})),
    "emergency": ("Emergency access", frozenset({EventKind.EMERGENCY_ACCESS})),
    "refused": ("Refused", frozenset({EventKind.REFUSED, EventKind.SIGN_IN_FAILED})),
    "sign_in": (
        "Sign-in and out",
        frozenset(
            {
                EventKind.SIGN_IN,
                EventKind.SIGN_IN_FAILED,
                EventKind.SIGNED_OUT,
                EventKind.PASSWORD_CHANGED,
                EventKind.SIGN_IN_METHODS_CHANGED,
                EventKind.USER_UNLOCKED,
            }
        ),
    ),
    "changed": (
        "People, policy, identity",
        frozenset(
            {
                EventKind.USER_CREATED,
                EventKind.USER_CHANGED,
                EventKind.USER_UNLOCKED,
                EventKind.ROLE_CHANGED,
                EventKind.WARDS_CHANGED,
                EventKind.POLICY_CHANGED,
                EventKind.IDENTITY,
            }
        ),
    ),
    "read": ("Read this record", frozenset({EventKind.RECORD_READ})),
}
"""What a list can be limited to: in words, and the kinds of events."""


class SearchForm(forms.Form):
    """The filter above a list."""

    who = forms.CharField(label="Person", max_length=100, required=False)
    what = forms.ChoiceField(
        label="What",
        choices=[("", "Everything"), *((key, words) for key, (words, _) in GROUPS.items())],
        required=False,
    )
    since = forms.DateTimeField(
        label="From",
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    until = forms.DateTimeField(
        label="To",
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = self.cleaned_data
        for name in ("since", "until"):
            if (at := cleaned.get(name)) and not EARLIEST <= at <= LATEST:
                self.add_error(name, f"Nothing was recorded in the year {at.year}. Check the year.")
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and until < since:
            self.add_error("until", "This time is before From.")
        return cleaned


@dataclass(frozen=True, slots=True)
class Search:
    """Which events are listed: of ``courses``, of a user, or all; those before ``before``."""

    courses: tuple[UUID, ...] | None = None
    user_id: int | None = None
    who: str = ""
    what: str = ""
    since: datetime | None = None
    until: datetime | None = None
    before: tuple[datetime, str] | None = None

    def query(self) -> str:
        """Return the parameters of the address that asks for this list, from its start."""
        times = {name: getattr(self, name) for name in ("since", "until")}
        asked = {
            "who": self.who,
            "what": self.what,
            **{
                name: timezone.localtime(at).strftime("%Y-%m-%dT%H:%M") if at else ""
                for name, at in times.items()
            },
        }
        return urlencode({name: value for name, value in asked.items() if value})


@dataclass(frozen=True, slots=True)
class Row:
    """One event, or one act of the chart, of a list; ``key`` orders those of one instant."""

    at: datetime
    key: str
    by_id: int | None
    by_name: str
    by_role: str
    course_id: UUID | None
    address: str
    kind: str
    purpose: str
    details: Mapping[str, str]

    @property
    def place(self) -> tuple[datetime, str]:
        return self.at, self.key

    @property
    def cursor(self) -> str:
        """The parameter of the address of what comes after this row."""
        return f"{self.at.astimezone(UTC).isoformat()}~{self.key}"


def cursor_in(typed: str) -> tuple[datetime, str] | None:
    """Return the place that a cursor names, None where it names none."""
    at, _, key = typed.partition("~")
    try:
        place = datetime.fromisoformat(at)
    except ValueError:
        return None
    is_known = place.tzinfo is not None and EARLIEST <= place <= LATEST
    return (place, key) if is_known and key else None


def read_rows(search: Search, at_most: int = ROWS_AT_ONCE) -> tuple[list[Row], str]:
    """Read the newest rows of a list, and the cursor of the next ones, "" where there are none."""
    found = [*_events(search, at_most + _TIES), *_acts(search, at_most + _TIES)]
    if search.before is not None:
        found = [row for row in found if row.place < search.before]
    found.sort(key=lambda row: row.place, reverse=True)
    shown = found[:at_most]
    return shown, shown[-1].cursor if len(found) > at_most else ""


def read_all_rows(search: Search) -> Iterator[Row]:
    """Read every row of a list, the newest first."""
    while True:
        rows, cursor = read_rows(search, 1000)
        yield from rows
        if not cursor:
            return
        search = replace(search, before=cursor_in(cursor))


def _events(search: Search, at_most: int) -> list[Row]:
    events: QuerySet[Event] = Event.objects.exclude(
        kind__in=(EventKind.CHAIN_STARTED, EventKind.RECORD_STARTED)
    )
    if search.what:
        events = events.filter(kind__in=GROUPS[search.what][1])
    if search.courses is not None:
        events = events.filter(chain__in=search.courses)
    if search.user_id is not None:
        events = events.filter(by=search.user_id)
    if search.who:
        events = events.filter(by_name__icontains=search.who)
    events = events.filter(_within(search, "at"))
    return [row_of(event) for event in events.order_by("-at", "-chain", "-number")[:at_most]]


def row_of(event: Event) -> Row:
    """Return the row of one event."""
    return Row(
        event.at, f"e{event.chain}{event.number:015d}", event.by_id, event.by_name,
        event.by_role, event.course_id, event.address, event.kind, event.purpose,
        event.details,
    )  # fmt: skip


def _acts(search: Search, at_most: int) -> list[Row]:
    """Read what was charted; a list of everything leaves it out, it has the events alone."""
    is_of_one = search.courses is not None or search.user_id is not None
    if not is_of_one or search.what not in ("", CHARTED):
        return []
    acts = ChartingAct.objects.filter(_within(search, "recorded_at"))
    if search.courses is not None:
        acts = acts.filter(course__in=search.courses)
    if search.user_id is not None:
        acts = acts.filter(recorded_by=search.user_id)
    if search.who:
        acts = acts.filter(author_name__icontains=search.who)
    # Not an aggregate: acts in partitions cannot be grouped by their id alone.
    of_act = Entry.objects.filter(act=OuterRef("pk"), course=OuterRef("course"))
    acts = acts.annotate(kinds=ArraySubquery(of_act.order_by("kind").values("kind").distinct()))
    rows: Iterable[Any] = acts.order_by("-recorded_at", "-pk")[:at_most]
    return [
        Row(
            act.recorded_at, f"a{act.pk}", act.recorded_by_id, act.author_name, act.author_role,
            act.course_id, "", CHARTED, "",
            {"source": act.source, "kinds": " ".join(act.kinds or ())},
        )
        for act in rows
    ]  # fmt: skip


def _within(search: Search, column: str) -> Q:
    bounds = Q()
    if search.since is not None:
        bounds &= Q(**{f"{column}__gte": search.since})
    ends = [at for at in (search.until, search.before and search.before[0]) if at is not None]
    if ends:
        bounds &= Q(**{f"{column}__lte": min(ends)})
    return bounds
