"""What the parts measure: servers of the floor and the product, a signed-in nurse, courses."""

from __future__ import annotations

import os
import random
import re
import secrets
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count, cycle
from typing import Any, Final

from bench.client import PASSWORD, USERNAME, Answer, Client
from bench.courses import vitals
from bench.measure import Progress
from bench.servers import BenchError, address_of, database, gunicorn
from crs_app.local_postgres import WEB, LocalServer

_SAVED: Final = b"message-saved"
_SHOWN: Final = "CRS-Shown"
_ASKED: Final = re.compile(rb'name="confirmed"\s+value="(\w+)"')
# None is five times another: the form asks for confirmation of such a change.
_RATES_UG_PER_MIN: Final = ("6", "8", "10", "12", "18", "22", "26")


@dataclass
class Page:
    """An open bedside page; ``guidance`` is the signature of the guidance that it shows."""

    course: Any
    guidance: str = ""

    def headers(self) -> dict[str, str]:
        """Return the headers that the page adds to a save."""
        return {_SHOWN: f"guidance={self.guidance}"}

    def take(self, headers: Mapping[str, str]) -> None:
        """Note which guidance the page shows after an answer with these ``headers``."""
        shown = headers.get(_SHOWN.lower(), "")
        self.guidance = shown.removeprefix("guidance=") or self.guidance


@dataclass
class Site:
    """A nurse signed in at each server; ``courses`` by the name of their group.

    ``plain`` is the product without speedups, with CRS_PLAIN_DJANGO=1, on the same database.
    """

    server: LocalServer
    product: Client
    plain: Client
    floor: Client
    product_pid: int
    by: Any
    courses: Mapping[str, Sequence[Any]]
    chance: random.Random = field(default_factory=lambda: random.Random(7))  # noqa: S311
    _minutes: dict[uuid.UUID, Iterator[int]] = field(default_factory=dict)

    def on_plain_django(self) -> Site:
        """Return the same site where the product's requests go to the server without speedups."""
        return replace(self, product=self.plain)

    def write_note(self) -> Answer:
        """Send one request to the floor."""
        answer = self.floor.post("/notes/", {"text": "a line as long as a set of vital signs"})
        if answer.status != 200 or b"Saved" not in answer.body:
            raise BenchError(f"the floor answered {answer.status}")
        return answer

    def floor_ms(self) -> float:
        return self.write_note().took_ms

    def next_minute(self, course: Any) -> datetime:
        """Return the minute after the last charted one: no two saves are of one minute."""
        minutes = self._minutes.setdefault(course.course_id, count(1))
        last_at: datetime = course.last_at
        return last_at + timedelta(minutes=next(minutes))

    def save(self, page: Page, kind: str, data: Mapping[str, str], at: datetime) -> Answer:
        """Send one save as the bedside page does; raise BenchError where it is not recorded."""
        sent = {"form_id": str(uuid.uuid4()), "attribution": "crs", "note": "", **data}
        sent |= {"observed_date": f"{at:%Y-%m-%d}", "observed_time": f"{at:%H:%M}"}
        sent["observed_which"] = ""
        path = f"/courses/{page.course.course_id}/entries/{kind}/"
        answer = self.product.post(path, sent, more=page.headers())
        if asked := _ASKED.search(answer.body):  # the first rate after a real one may be unusual
            sent["confirmed"] = asked[1].decode()
            answer = self.product.post(path, sent, more=page.headers())
        if answer.status != 200 or _SAVED not in answer.body:
            text = answer.body.decode(errors="replace")
            raise BenchError(f"a save of {kind} was answered {answer.status}:\n{text[:3000]}")
        page.take(answer.headers)
        return answer

    def vitals_saver(
        self, group: Sequence[Any], at: Callable[[Any], datetime] | None = None
    ) -> Callable[[], float]:
        """Return a function that saves vital signs to the courses of ``group`` in turn.

        ``at`` gives the time of observation of a course's next set; None is the next minute.
        The function returns the milliseconds that one save took.
        """
        when = at or self.next_minute
        readings, turn = vitals(self.chance), cycle([Page(course) for course in group])

        def save() -> float:
            page, body = next(turn), next(readings)
            sent = {"temperature_unit": "c", "temperature": body.pop("temperature_c"), **body}
            return self.save(page, "vitals", sent, when(page.course)).took_ms

        return save

    def vasopressor_saver(self, group: Sequence[Any]) -> Callable[[], float]:
        """Return a function that saves changes of an infusion's rate, as ``vitals_saver`` does."""
        turn = cycle([Page(course) for course in group])

        def save() -> float:
            rate = self.chance.choice(_RATES_UG_PER_MIN)
            sent = {"drug": "norepinephrine", "rate": rate, "unit": "ug/min"}
            page = next(turn)
            return self.save(page, "vasopressor", sent, self.next_minute(page.course)).took_ms

        return save

    def page_ms(self, path: str, *, status: int = 200, htmx: bool = False) -> float:
        """Return the milliseconds that one page took; raise BenchError for another ``status``."""
        answer = self.product.get(path, htmx=htmx)
        if answer.status != status:
            raise BenchError(f"{path} was answered {answer.status}, not {status}")
        return answer.took_ms


@contextmanager
def site(groups: Mapping[str, Sequence[int]]) -> Iterator[Site]:
    """Yield a site with a course of each length in ``groups``; stop its servers afterwards."""
    with ExitStack() as stack:
        _print("Starting PostgreSQL with its defaults ...")
        server = stack.enter_context(database())
        environment = {
            "DATABASE_URL": address_of(server),
            "CRS_SECOND_FACTOR_ROLES": "",  # a session of the measurement has shown none
            "CRS_SECRET_KEY": secrets.token_urlsafe(50),
            "CRS_TIME_ZONE": "UTC",
            "CRS_DEBUG": "",
            "CRS_HTTPS": "",
            "CRS_PLAIN_DJANGO": "",
        }
        by, floor_session, courses = _prepare(environment, groups)
        environment["DATABASE_URL"] = address_of(server, WEB)
        port, pid = stack.enter_context(gunicorn("crs_app.wsgi", environment))
        without = {**environment, "CRS_PLAIN_DJANGO": "1"}
        plain_port, _ = stack.enter_context(gunicorn("crs_app.wsgi", without))
        at_floor = {**environment, "DJANGO_SETTINGS_MODULE": "bench.floor.settings"}
        floor_port, _ = stack.enter_context(gunicorn("bench.floor.wsgi", at_floor))
        product, plain = Client(port), Client(plain_port)
        for browser in (product, plain):
            browser.sign_in(USERNAME, PASSWORD)
        floor = product.at(floor_port, sessionid=floor_session)
        yield Site(server, product, plain, floor, pid, by, courses)


def _prepare(
    environment: Mapping[str, str], groups: Mapping[str, Sequence[int]]
) -> tuple[Any, str, dict[str, list[Any]]]:
    """Migrate both applications and fill the ward.

    Returns the nurse, the key of a session at the floor, and the courses by group.
    """
    os.environ.update({**environment, "DJANGO_SETTINGS_MODULE": "bench.floor.settings_to_migrate"})
    import django  # here, because its settings read the environment that is set above

    django.setup()
    from django.core.management import call_command

    from bench import ward
    from crs_app.database_roles import grant_to

    call_command("migrate", verbosity=0)
    call_command("migrate", verbosity=0, run_syncdb=True)  # the floor's table refers to the users'
    grant_to(WEB)
    call_command("collectstatic", interactive=False, verbosity=0)
    sizes = [size for group in groups.values() for size in group]
    by = ward.nurse()
    progress = Progress(f"charting {sum(sizes):,} entries on {len(sizes)} courses", len(sizes))
    loaded = iter(ward.load(sizes, by, progress.step))
    courses = {name: [next(loaded) for _ in group] for name, group in groups.items()}
    return by, _floor_session(by), courses


def _floor_session(by: Any) -> str:
    """Return the key of a session as Django's own sign-in makes it: the floor has no other."""
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore

    session = SessionStore()
    session[SESSION_KEY] = str(by.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = by.get_session_auth_hash()
    session.create()
    return str(session.session_key)


def _print(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
