"""Everything that a part may measure: the floor, the product, a nurse at both, and courses."""

from __future__ import annotations

import os
import random
import re
import secrets
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count, cycle
from typing import Any, Final

from bench.client import Answer, Client
from bench.courses import vitals
from bench.measure import Progress
from bench.servers import BenchError, address_of, database, gunicorn
from crs_app.local_postgres import LocalServer

USERNAME: Final = "bench-nurse"
PASSWORD: Final = "measured bedside 1"  # noqa: S105 - of a database that lives some minutes
_SAVED: Final = b"message-saved"
_SHOWN: Final = "CRS-Shown"
_ASKED: Final = re.compile(rb'name="confirmed"\s+value="(\w+)"')
# None is five times another: a form would ask whether that is meant.
_RATES_UG_PER_MIN: Final = ("6", "8", "10", "12", "18", "22", "26")


@dataclass
class Page:
    """A bedside page that is open; ``guidance`` is which guidance it shows, by its signature."""

    course: Any
    guidance: str = ""

    def headers(self) -> dict[str, str]:
        """What the page says of itself as it saves."""
        return {_SHOWN: f"guidance={self.guidance}"}

    def take(self, headers: Mapping[str, str]) -> None:
        """What the page shows after an answer with these ``headers``."""
        shown = headers.get(_SHOWN.lower(), "")
        self.guidance = shown.removeprefix("guidance=") or self.guidance


@dataclass
class Site:
    """A nurse signed in at the product and at the floor; ``courses`` by the name of their group."""

    server: LocalServer
    product: Client
    floor: Client
    product_pid: int
    by: Any
    courses: Mapping[str, Sequence[Any]]
    chance: random.Random = field(default_factory=lambda: random.Random(7))  # noqa: S311
    _minutes: dict[uuid.UUID, Iterator[int]] = field(default_factory=dict)

    def write_note(self) -> Answer:
        """One request to the floor."""
        answer = self.floor.post("/notes/", {"text": "a line as long as a set of vital signs"})
        if answer.status != 200 or b"Saved" not in answer.body:
            raise BenchError(f"the floor answered {answer.status}")
        return answer

    def floor_ms(self) -> float:
        return self.write_note().took_ms

    def next_minute(self, course: Any) -> datetime:
        """The minute after the last that was charted: nurses chart one round a minute, not ten."""
        minutes = self._minutes.setdefault(course.course_id, count(1))
        last_at: datetime = course.last_at
        return last_at + timedelta(minutes=next(minutes))

    def save(self, page: Page, kind: str, data: Mapping[str, str], at: datetime) -> Answer:
        """One save as the bedside page sends it."""
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
        """Saves sets of vital signs to the courses of ``group`` in turn; ``at`` None is on top."""
        when = at or self.next_minute
        said, turn = vitals(self.chance), cycle([Page(course) for course in group])

        def save() -> float:
            page, body = next(turn), next(said)
            sent = {"temperature_unit": "c", "temperature": body.pop("temperature_c"), **body}
            return self.save(page, "vitals", sent, when(page.course)).took_ms

        return save

    def vasopressor_saver(self, group: Sequence[Any]) -> Callable[[], float]:
        """Saves changes of an infusion's rate to the courses of ``group`` in turn."""
        turn = cycle([Page(course) for course in group])

        def save() -> float:
            rate = self.chance.choice(_RATES_UG_PER_MIN)
            sent = {"drug": "norepinephrine", "rate": rate, "unit": "ug/min"}
            page = next(turn)
            return self.save(page, "vasopressor", sent, self.next_minute(page.course)).took_ms

        return save

    def page_ms(self, path: str, *, status: int = 200, htmx: bool = False) -> float:
        """The time of one page."""
        answer = self.product.get(path, htmx=htmx)
        if answer.status != status:
            raise BenchError(f"{path} was answered {answer.status}, not {status}")
        return answer.took_ms


@contextmanager
def site(groups: Mapping[str, Sequence[int]]) -> Iterator[Site]:
    """A site with a course of each length in ``groups``, for the length of the block."""
    with ExitStack() as stack:
        _say("Starting PostgreSQL with its defaults ...")
        server = stack.enter_context(database())
        environment = {
            "DATABASE_URL": address_of(server),
            "CRS_SECRET_KEY": secrets.token_urlsafe(50),
            "CRS_TIME_ZONE": "UTC",
            "CRS_DEBUG": "",
            "CRS_HTTPS": "",
        }
        by, floor_session, courses = _prepare(environment, groups)
        port, pid = stack.enter_context(gunicorn("crs_app.wsgi", environment))
        at_floor = {**environment, "DJANGO_SETTINGS_MODULE": "bench.floor.settings"}
        floor_port, _ = stack.enter_context(gunicorn("bench.floor.wsgi", at_floor))
        product = Client(port)
        product.sign_in(USERNAME, PASSWORD)
        floor = product.at(floor_port, sessionid=floor_session)
        yield Site(server, product, floor, pid, by, courses)


def _prepare(
    environment: Mapping[str, str], groups: Mapping[str, Sequence[int]]
) -> tuple[Any, str, dict[str, list[Any]]]:
    """Migrate both applications and fill the ward; the nurse, signed in at the floor."""
    os.environ.update({**environment, "DJANGO_SETTINGS_MODULE": "bench.floor.settings_to_migrate"})
    import django  # its settings read the environment, which stands only now

    django.setup()
    from django.core.management import call_command

    from bench import ward

    call_command("migrate", verbosity=0)
    call_command("migrate", verbosity=0, run_syncdb=True)  # the floor's table refers to the users'
    call_command("collectstatic", interactive=False, verbosity=0)
    sizes = [size for group in groups.values() for size in group]
    by = ward.nurse()
    progress = Progress(f"charting {sum(sizes):,} entries on {len(sizes)} courses", len(sizes))
    loaded = iter(ward.load(sizes, by, progress.step))
    courses = {name: [next(loaded) for _ in group] for name, group in groups.items()}
    return by, _floor_session(by), courses


def _floor_session(by: Any) -> str:
    """The key of a session as Django's own sign-in leaves it, which is all that the floor knows."""
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore

    session = SessionStore()
    session[SESSION_KEY] = str(by.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = by.get_session_auth_hash()
    session.create()
    return str(session.session_key)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
