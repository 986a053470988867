"""The list of users: what is asked for, and one row for each user with what needs somebody."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlencode

from django.db.models import (
    Count,
    Exists,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    prefetch_related_objects,
)
from django.http import QueryDict

from crs_app.accounts.factors.methods import Methods, methods_of
from crs_app.accounts.hospital.identities import is_nameable, nameable
from crs_app.accounts.models import (
    CLINICIANS,
    PEOPLE,
    OneTimeLink,
    Role,
    SignInThrottle,
    User,
    WardMembership,
)
from crs_app.accounts.name_text import composed
from crs_app.accounts.people import everybody, with_systems
from crs_app.accounts.throttle import FAILURES_OF_A_NAME
from crs_app.search_words import Place, found_by, plain_words
from crs_app.spreadsheet import BYTE_ORDER_MARK, csv_line, csv_time

NOT_SEEN_FOR: Final = timedelta(days=90)
ON_A_PAGE: Final = 100
LONGEST_SEARCH: Final = 80
_IS_ADMINISTRATOR: Final = Q(role=Role.ADMINISTRATOR, is_active=True)
SHOWS: Final = {
    "": "All",
    "attention": "Needs attention",
    "unseen": "Not seen for 90 days",
    "off": "Deactivated",
    "systems": "Other systems",
}
UNUSABLE: Final = "!"
"""First letter of what stands in place of a password that was never set."""


@dataclass(frozen=True)
class Asked:
    """What the address of the list asks for; what it does not know counts as nothing."""

    search: str = ""
    role: str = ""
    ward: str = ""
    show: str = ""
    page: int = 1

    @classmethod
    def of(cls, query: QueryDict) -> Asked:
        role, show, page = query.get("role", ""), query.get("show", ""), query.get("page", "")
        ward = query.get("ward", "")
        return cls(
            search=composed(query.get("q", "").replace("\0", "").strip())[:LONGEST_SEARCH],
            role=role if role in dict(PEOPLE) else "",
            ward=ward if ward.isascii() and ward.isdigit() and len(ward) < 10 else "",
            show=show if show in SHOWS else "",
            page=int(page) if page.isascii() and page.isdigit() and len(page) < 5 else 1,
        )

    def query(self, page: int) -> str:
        """Return the query of another page of the same list."""
        asked = {"q": self.search, "role": self.role, "ward": self.ward, "show": self.show}
        return urlencode({**asked, "page": page})


@dataclass(frozen=True)
class State:
    """What a row says of a user: a text, and how much it asks for attention."""

    text: str
    tone: str = "quiet"
    until: datetime | None = None


@dataclass(frozen=True)
class PersonRow:
    """A user as shown in the list and on the own page."""

    user: User
    state: State
    methods: Methods
    wards: str


@dataclass(frozen=True)
class PeopleList:
    """A page of the list, and counts over all users."""

    rows: list[PersonRow]
    counts: dict[str, int]
    active: int
    has_more: bool


def people_list(asked: Asked, now: datetime) -> PeopleList:
    """Return the page that is asked for, in order of names."""
    found = found_people(asked, now)
    start = (max(asked.page, 1) - 1) * ON_A_PAGE
    page = list(found[start : start + ON_A_PAGE + 1])
    fits = {show or "all": Count("pk", filter=_fits(show, now)) for show in SHOWS}
    administrators = Count("pk", filter=_IS_ADMINISTRATOR)
    counts = with_systems().aggregate(**fits, administrators=administrators)
    return PeopleList(
        rows=rows_of(page[:ON_A_PAGE], now, counts.pop("administrators")),
        counts=counts,
        active=counts["all"] - counts["off"],
        has_more=len(page) > ON_A_PAGE,
    )


def found_people(asked: Asked, now: datetime) -> QuerySet[User]:
    """Return the users who fit, in order of names; each word of the search must fit a name."""
    people = with_systems().filter(_fits(asked.show, now)).select_related("deactivated_by")
    if asked.role:
        people = people.filter(role=asked.role)
    if asked.ward:
        people = people.filter(memberships__ward=int(asked.ward))
    if words := plain_words(asked.search):
        names = {
            pk: Place(" ".join(parts))
            for pk, *parts in people.values_list("pk", "first_name", "last_name", "username")
        }
        people = people.filter(pk__in=found_by(words, names, names.__getitem__))
    return people.order_by("last_name", "first_name", "username")


def rows_of(
    people: Iterable[User], now: datetime, administrators: int | None = None
) -> list[PersonRow]:
    """Return a row for each user, by five statements for all of them.

    ``administrators`` is how many the site has, where it was counted already.
    """
    users = list(people)
    on_wards = WardMembership.objects.select_related("ward")
    prefetch_related_objects(users, Prefetch("memberships", on_wards))
    keys = [user.pk for user in users]
    links: dict[int, OneTimeLink] = {}
    for link in OneTimeLink.objects.filter(user__in=keys, used_at=None).order_by("made_at"):
        links[link.user_id] = link
    throttles: dict[int, SignInThrottle] = {}
    for throttle in _held(now).filter(user__in=keys).order_by("held_until"):
        if throttle.user_id is not None:
            throttles[throttle.user_id] = throttle
    if administrators is None:
        administrators = everybody().filter(_IS_ADMINISTRATOR).count()
    methods = methods_of(users)

    def row_of(user: User) -> PersonRow:
        is_only = user.role == Role.ADMINISTRATOR and administrators == 1
        state = _state(user, throttles.get(user.pk), links.get(user.pk), is_only, now)
        return PersonRow(user, state, methods[user.pk], _wards_of(user))

    return [row_of(user) for user in users]


def csv_of(asked: Asked, now: datetime) -> Iterator[str]:
    """Yield the list, without pages, as lines of a CSV file that people open."""
    yield BYTE_ORDER_MARK + csv_line(
        (
            "last_name",
            "first_name",
            "user_name",
            "role",
            "wards",
            "last_sign_in",
            "sign_in_methods",
            "state",
        )
    )
    for row in rows_of(found_people(asked, now), now):
        user = row.user
        until = f" {csv_time(row.state.until)}" if row.state.until else ""
        yield csv_line(
            (
                user.last_name, user.first_name, user.username, user.role, row.wards,
                csv_time(user.last_login), row.methods.words,
                row.state.text + until,
            )
        )  # fmt: skip


def _held(now: datetime) -> QuerySet[SignInThrottle]:
    return SignInThrottle.objects.filter(held_until__gt=now)


def _fits(show: str, now: datetime) -> Q:
    """Return the condition of what is shown; systems are shown apart from people."""
    if show == "systems":
        return Q(role=Role.SYSTEM)
    if show == "off":
        return Q(is_active=False) & ~Q(role=Role.SYSTEM)
    if show == "attention":
        held = Exists(_held(now).filter(user=OuterRef("pk")))
        return Q(is_active=True) & (Q(held) | (Q(password__startswith=UNUSABLE) & ~nameable()))
    if show == "unseen":
        long_ago = now - NOT_SEEN_FOR
        never = Q(last_login=None, date_joined__lt=long_ago)
        return Q(is_active=True) & (Q(last_login__lt=long_ago) | never)
    return ~Q(role=Role.SYSTEM)


def _wards_of(user: User) -> str:
    """Return the wards of a clinician by name; the other roles have none of their own."""
    if user.role not in CLINICIANS:
        return "all" if user.role == Role.AUDITOR else "–"
    names = sorted(membership.ward.name for membership in user.memberships.all())
    return ", ".join(names) or "none"


def _state(
    user: User,
    throttle: SignInThrottle | None,
    link: OneTimeLink | None,
    is_only_administrator: bool,
    now: datetime,
) -> State:
    """Return what matters most of a user."""
    if user.role == Role.SYSTEM:
        return State("A system: never signs in")
    if not user.is_active:
        by = f" by {user.deactivated_by.display_name}" if user.deactivated_by else ""
        return State(f"Deactivated{by}", "off", user.deactivated_at)
    if throttle is not None:
        wrong = FAILURES_OF_A_NAME - 1 + throttle.holds
        what = "codes or keys" if throttle.of_codes else "passwords"
        return State(
            f"Sign-in slowed, {wrong} wrong {what}; next try", "wrong", throttle.held_until
        )
    if not user.has_usable_password() and not is_nameable(user):
        if link is not None and link.expires_at > now:
            return State("Link not used; it ends", "warn", link.expires_at)
        return State("Cannot sign in: the link has ended", "warn")
    if link is not None and link.expires_at > now:
        return State("New link not used; it ends", "warn", link.expires_at)
    if is_only_administrator:
        return State("Only administrator: cannot be removed")
    return State("active", "active")
