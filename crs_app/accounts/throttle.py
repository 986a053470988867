"""Failed sign-ins are counted by name and address, and slow down those that follow.

From the fifth failure of one name from one address within 15 minutes each try waits, 30 seconds
at first and twice as long after each failure, 30 minutes at most; from the fiftieth failure of one
address over all names likewise. Failures from elsewhere hold nobody's tablet.

An address of IPv6 counts by its network of 64 bits: one device chooses among all of its addresses.

A try counts as a failure from before its password is verified until it is found right: parallel
guesses are never more than one after the other. No lock is held meanwhile.

A key of a device is verified without a wait: its signature cannot be guessed, and nobody else's
failures may hold it. A failed one counts for its address, and after the password for the codes of
its user there: what can be guessed waits after it.

Codes of a second factor have a count of their own for each name and address, and the same waits. A
right code lets its user in at once: it is asked for where a password has to wait, and no wait for
passwords, of name or address, holds it.

What a wait refuses, and what waits for nothing, could fill the record, which keeps everything:
``passed_over`` says which of these failures are recorded.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.utils.crypto import salted_hmac

from crs_app.accounts.models import LetIn, RecordedFailures, SignInThrottle, User

WINDOW: Final = timedelta(minutes=15)
FAILURES_OF_A_NAME: Final = 5
FAILURES_OF_AN_ADDRESS: Final = 50
FIRST_HOLD: Final = timedelta(seconds=30)
LONGEST_HOLD: Final = timedelta(minutes=30)
LET_IN_FOR: Final = timedelta(minutes=15)
NETWORK_BITS: Final = 64
RECORDED_EACH: Final = FAILURES_OF_AN_ADDRESS
"""Failures of one address within ``WINDOW`` that are recorded one by one."""
RECORDED_AGAIN_AFTER: Final = timedelta(minutes=1)
_DELETED_AT_ONCE: Final = 100
_INSERTED_AGAIN: Final = 3


class HeldError(Exception):
    """Too many failures; ``until`` is when the next try is verified."""

    def __init__(self, until: datetime, user: User | None) -> None:
        super().__init__()
        self.until = until
        self.user = user


@dataclass(frozen=True)
class Attempt:
    """A try that counts as a failure; ``held_before`` and ``held_until`` are of the address."""

    username: str
    address: str
    at: datetime
    of_codes: bool
    user: User | None
    held_before: datetime | None
    held_until: datetime | None


def begin(
    username: str,
    address: str,
    now: datetime,
    *,
    of_codes: bool = False,
    is_let_through: bool = False,
) -> Attempt:
    """Count a try as a failure.

    ``of_codes`` is a try of a second factor. ``is_let_through`` is a password that came with a
    right code, and does not wait.

    :raises HeldError: where it has to wait; then nothing is counted.
    """
    user = User.objects.filter(username__iexact=username).first()
    with transaction.atomic():
        of_name, of_address = _locked(username, address, now, user, of_codes)
        waits_for_address = not of_codes and not _is_let_in(user, of_address, now)
        until = _held_until(of_name, of_address if waits_for_address else None, now)
        if until is not None and not is_let_through:
            raise HeldError(until, user)
        held_before = of_address.held_until
        _note_failure(of_name, FAILURES_OF_A_NAME, now)
        _note_failure(of_address, FAILURES_OF_AN_ADDRESS, now)
    return Attempt(username, address, now, of_codes, user, held_before, of_address.held_until)


def succeed(attempt: Attempt) -> None:
    """Forget the failures of the name from the address, and this try of the address."""
    with transaction.atomic():
        of_name, of_address = _locked(
            attempt.username, attempt.address, attempt.at, attempt.user, attempt.of_codes
        )
        of_name.delete()
        if attempt.at in of_address.failed_at:
            of_address.failed_at.remove(attempt.at)
        if attempt.held_until != attempt.held_before:
            of_address.holds = max(of_address.holds - 1, 0)
            if of_address.held_until == attempt.held_until:
                of_address.held_until = attempt.held_before
        if of_address.failed_at or of_address.holds:
            of_address.save()
        else:
            of_address.delete()


def count_failed_key(user: User | None, address: str, now: datetime) -> None:
    """Count a key that was not accepted: with the codes of a user who has entered the password.

    None is for a passkey, which gives no name. As with a password, a try within a wait is not
    counted: a wait ends, however many there are.
    """
    if user is None:
        count_of_address(address, now)
        return
    try:
        begin(user.username, address, now, of_codes=True)
    except HeldError:
        return


def count_of_address(address: str, now: datetime) -> None:
    """Count a failure of the address alone: of a sign-in that names nobody of this site."""
    digest = _digest("address", network_of(address))
    new = {"user": None, "address": address, "counts_until": now}
    with transaction.atomic():
        row = _locked_row(digest, new)
        if _held_until(row, None, now) is None:
            _note_failure(row, FAILURES_OF_AN_ADDRESS, now)


def passed_over(address: str, now: datetime) -> int | None:
    """Return how many failures were passed over since the last recorded one; None to pass this.

    The first ``RECORDED_EACH`` of an address are recorded, whomever they name, then one a minute,
    until there were fewer within ``WINDOW``.
    """
    digest = _digest("recorded", network_of(address))
    with transaction.atomic():
        row, _ = RecordedFailures.objects.select_for_update().get_or_create(
            digest=digest, defaults={"counts_until": now}
        )
        recorded = [at for at in row.recorded_at if now - at < WINDOW]
        is_lately = bool(recorded) and now - recorded[-1] < RECORDED_AGAIN_AFTER
        is_passed = is_lately and len(recorded) >= RECORDED_EACH
        passed = None if is_passed else row.passed_over
        row.recorded_at = recorded if is_passed else [*recorded, now][-RECORDED_EACH:]
        row.passed_over = row.passed_over + 1 if is_passed else 0
        row.counts_until = now + WINDOW
        row.save()
    return passed


def let_in(user: User, now: datetime) -> None:
    """Forget the failures under the user's name, and let the user try from a held address too."""
    SignInThrottle.objects.filter(user=user).delete()
    LetIn.objects.update_or_create(user=user, defaults={"until": now + LET_IN_FOR})


def delete_forgotten(now: datetime) -> None:
    """Delete counts that no longer count, so that guessed names do not fill the table."""
    with transaction.atomic():
        old = SignInThrottle.objects.select_for_update(skip_locked=True)
        keys = list(
            old.filter(counts_until__lt=now).values_list("pk", flat=True)[:_DELETED_AT_ONCE]
        )
        SignInThrottle.objects.filter(pk__in=keys).delete()
    forgotten = RecordedFailures.objects.filter(counts_until__lt=now)
    first = list(forgotten.values_list("pk", flat=True)[:_DELETED_AT_ONCE])
    RecordedFailures.objects.filter(pk__in=first, counts_until__lt=now).delete()


def _locked(
    username: str, address: str, now: datetime, user: User | None, of_codes: bool
) -> tuple[SignInThrottle, SignInThrottle]:
    """Return the rows of name and address, and of the address; locked in one order by all."""
    place = network_of(address)
    # PostgreSQL finds a user by more spellings than Python: the stored name counts, however typed.
    name = (username if user is None else user.username).casefold()
    of_name = _digest("code" if of_codes else "name", name, place)
    of_address = _digest("address", place)
    rows = {}
    for digest in sorted((of_name, of_address)):
        new: dict[str, Any] = {"address": address, "counts_until": now}
        if digest == of_name:
            new |= {"user": user, "of_codes": of_codes}
        rows[digest] = _locked_row(digest, new)
    if user is not None and rows[of_name].user_id != user.pk:
        _begin_count_of(user, rows[of_name])
    return rows[of_name], rows[of_address]


def _locked_row(digest: str, new: Mapping[str, Any]) -> SignInThrottle:
    """Return the row of a count, locked; one that a success deletes meanwhile is made again.

    Such a row is there when it is inserted a second time, and gone when it is read after that.
    """
    rows = SignInThrottle.objects.select_for_update()
    for _ in range(_INSERTED_AGAIN):
        with suppress(IntegrityError):
            return rows.get_or_create(digest=digest, defaults=new)[0]
    return rows.get_or_create(digest=digest, defaults=new)[0]


def _begin_count_of(user: User, of_name: SignInThrottle) -> None:
    """Begin the count of a user who was created after the name had failed."""
    of_name.user = user
    of_name.failed_at, of_name.holds, of_name.held_until = [], 0, None


def network_of(address: str) -> str:
    """Return what one device cannot choose of its address: IPv4 whole, 64 bits of IPv6."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(IPv6Network((int(found), NETWORK_BITS), strict=False))
    return address


def _digest(*parts: str) -> str:
    return salted_hmac("sign-in", "\0".join(parts), algorithm="sha256").hexdigest()


def _held_until(
    of_name: SignInThrottle, of_address: SignInThrottle | None, now: datetime
) -> datetime | None:
    ends = [of_name.held_until, of_address.held_until if of_address else None]
    return max((end for end in ends if end is not None and end > now), default=None)


def _is_let_in(user: User | None, of_address: SignInThrottle, now: datetime) -> bool:
    """Return whether an administrator lets the user in though the address is held."""
    if user is None or of_address.held_until is None:
        return False
    return LetIn.objects.filter(user=user, until__gt=now).exists()


def _note_failure(row: SignInThrottle, allowed: int, now: datetime) -> None:
    """Add a failure; from the ``allowed``-th on, and after each one that follows, hold the next."""
    if now >= row.counts_until:
        row.failed_at, row.holds, row.held_until = [], 0, None
    row.failed_at = [at for at in row.failed_at if now - at < WINDOW] + [now]
    if row.holds or len(row.failed_at) >= allowed:
        row.holds += 1
        # The exponent has a bound: a power of a number of holds has none.
        row.held_until = now + min(FIRST_HOLD * 2 ** min(row.holds - 1, 10), LONGEST_HOLD)
    row.counts_until = max(now, row.held_until or now) + WINDOW
    row.save()
