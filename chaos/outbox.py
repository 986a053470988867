"""Schedules of faults at one tablet against a real server: `make chaos PART=outbox`."""

from __future__ import annotations

import os
import secrets
import shutil
import sys
import time
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from datetime import date, timedelta
from typing import Any, Final

from bench.servers import address_of, database, gunicorn
from crs_app.local_postgres import WEB

SCHEDULES: Final = 1_000
_PROGRESS_EVERY: Final = 50


def run(schedules: int = SCHEDULES, seed: int = 1) -> int:
    """Play ``schedules`` seeded schedules in Chromium; return the exit status.

    0: every entry was recorded exactly once or shown as unsent. 1: the lines printed name the seed
    and the steps of each schedule in which one was lost or doubled.
    """
    with ExitStack() as stack:
        server = stack.enter_context(database())
        environment = {
            "DATABASE_URL": address_of(server),
            "CRS_SECOND_FACTOR_ROLES": "",
            "CRS_SECRET_KEY": secrets.token_urlsafe(50),
            "CRS_TIME_ZONE": "UTC",
            "CRS_DEBUG": "",
            "CRS_HTTPS": "",
        }
        session, admit = _prepare(environment)
        environment["DATABASE_URL"] = address_of(server, WEB)
        port, _ = stack.enter_context(gunicorn("crs_app.wsgi", environment))
        return _play_all(stack, port, session, admit, range(seed, seed + schedules))


def _play_all(
    stack: ExitStack, port: int, session: str, admit: Callable[[], uuid.UUID], seeds: range
) -> int:
    from playwright.sync_api import sync_playwright

    from chaos.network import Network
    from chaos.outbox_schedule import Tablet, play

    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # Playwright runs a loop in this thread
    playwright = stack.enter_context(sync_playwright())
    executable = os.environ.get("CHROMIUM") or shutil.which("chromium")
    browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
    stack.callback(browser.close)
    network = Network(port)
    stack.callback(network.close)
    context = browser.new_context(timezone_id="UTC")
    context.set_default_timeout(20_000)
    tablet = Tablet(context, network, lambda act: act(), admit)
    context.add_cookies([{"name": "sessionid", "value": session, "url": tablet.origin}])
    begun, saved, unsent, faults = time.monotonic(), 0, 0, 0
    for number, seed in enumerate(seeds, 1):
        played = play(tablet, seed)
        saved, unsent = saved + len(played.saved), unsent + played.unsent
        if played.faults:
            faults += len(played.faults)
            print(f"seed {seed}: {', '.join(played.steps)}: {'; '.join(played.faults)}", flush=True)
        if number % _PROGRESS_EVERY == 0 or number == len(seeds):
            took = timedelta(seconds=round(time.monotonic() - begun))
            print(f"{number} schedules, {saved} entries saved, {unsent} shown as unsent, "
                  f"{faults} lost or doubled, {took}", flush=True)  # fmt: skip
    return 1 if faults else 0


def _prepare(environment: dict[str, str]) -> tuple[str, Callable[[], uuid.UUID]]:
    """Migrate and make a nurse; return the key of a session and what admits a patient."""
    os.environ.update({**environment, "DJANGO_SETTINGS_MODULE": "crs_app.settings"})
    import django  # here, because its settings read the environment that is set above

    django.setup()
    from django.core.management import call_command

    from bench import ward
    from crs_app.database_roles import grant_to

    call_command("migrate", verbosity=0)
    grant_to(WEB)
    call_command("collectstatic", interactive=False, verbosity=0)
    by = ward.nurse()
    return _session_of(by), lambda: _admitted(by)


def _admitted(by: Any) -> uuid.UUID:
    from django.utils import timezone

    from crs_app.accounts.wards import set_wards
    from patients.recording.admit import Admission, admit_patient
    from patients.recording.inputs import Submission

    number = uuid.uuid4().hex[:12]
    admission = Admission(
        mrn=f"CHAOS-{number}",
        name=f"CHAOS, {number}",
        sex="female",
        product="axicabtagene ciloleucel",
        infused_at=timezone.now() - timedelta(days=2),
        ward="Chaos",
        birth_date=date(1970, 3, 1),
    )
    course = admit_patient(admission, [], Submission(by=by, form_id=uuid.uuid4())).course
    set_wards(by, [course.on_ward])
    return course.pk


def _session_of(user: Any) -> str:
    from importlib import import_module

    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY

    store = import_module(settings.SESSION_ENGINE).SessionStore()
    store[SESSION_KEY] = str(user.pk)
    store[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    store[HASH_SESSION_KEY] = user.get_session_auth_hash()
    store.create()
    return str(store.session_key)


if __name__ == "__main__":
    asked = [int(argument) for argument in sys.argv[1:]]
    sys.exit(run(*asked))
