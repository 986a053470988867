"""The listener and the database are killed by ``kill -9``, and no message is lost or doubled."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings

from bench.senders import Monitors
from bench.servers import address_of, database, free_port, kill, kill_database, running
from crs_app.local_postgres import NAME, USER, WEB, LocalServer
from tests.project.served import wait_until

MANAGE = str(settings.BASE_DIR / "manage.py")
MRNS = ("M-1", "M-2", "M-3")
ANSWERS = 8
"""Before each kill and after the last."""
SETTING_UP = """
import sys
from django.core.management import call_command
from crs_app.database_roles import grant_to
from patients.exchange.register import register_system
from patients.models import SystemKind
call_command("migrate", verbosity=0)
call_command("import_course", *sys.stdin.read().split("\\n"))
register_system("monitor-1", SystemKind.MONITOR, by=None, mrn_system="urn:crs:mrn",
                allowed_addresses=["127.0.0.1"], filing={"default": "file"},
                thinning_minutes=None)
grant_to("crs_web")
"""


@pytest.fixture
def hospital(tmp_path: Path) -> Iterator[LocalServer]:
    """A PostgreSQL that waits for its disk, with three courses and a monitor's system."""
    infused_at = datetime.now(UTC) - timedelta(days=1)
    for mrn in MRNS:
        course = {
            "format": "crs-course/1",
            "patient": {"mrn": mrn, "name": "KILL, Test", "age_years": 50, "sex": "female"},
            "therapy": {"product": "axi-cel", "infused_at": infused_at.isoformat()},
            "entries": [],
        }
        (tmp_path / mrn).write_text(json.dumps(course))
    with database() as server:
        subprocess.run(
            [sys.executable, MANAGE, "shell", "--no-imports", "-c", SETTING_UP],
            env=environment(server, USER),
            input="\n".join(str(tmp_path / mrn) for mrn in MRNS),
            text=True,
            check=True,
            capture_output=True,
        )
        yield server


def environment(server: LocalServer, user: str) -> Mapping[str, str]:
    ours = {"DATABASE_URL": address_of(server, user), "CRS_SECRET_KEY": "k" * 50}
    return {**os.environ, **ours, "DJANGO_SETTINGS_MODULE": "crs_app.settings"}


def wait_for_answers(monitors: Monitors) -> None:
    """Wait until more messages were answered, so that each kill comes amid others."""
    before = answered(monitors)
    wait_until(lambda: answered(monitors) >= before + ANSWERS, 60)


def answered(monitors: Monitors) -> int:
    return sum(bool(message.code) for message in list(monitors.sent))


def test_a_kill_of_listener_or_database_loses_and_doubles_nothing(hospital: LocalServer) -> None:
    port = free_port()
    listen = [sys.executable, MANAGE, "listen_hl7", "--system", "monitor-1", "--port", str(port)]
    monitors = Monitors(port, MRNS, interval_s=0.25)
    with ExitStack() as stack:
        pid = stack.enter_context(running(listen, environment(hospital, WEB), port))
        monitors.start()
        try:
            wait_for_answers(monitors)
            kill(pid)
            stack.enter_context(running(listen, environment(hospital, WEB), port))
            wait_for_answers(monitors)
            kill_database(hospital)
            wait_for_answers(monitors)
        finally:
            monitors.stop()
    assert {message.code for message in monitors.sent} == {"AA"}
    with hospital.connect(NAME) as connection:
        stored = connection.execute("SELECT control_id FROM patients_inboundmessage").fetchall()
        charted = connection.execute(
            "SELECT control_id, kind FROM patients_entry"
            " JOIN patients_chartingact AS act ON act.id = act_id"
            " JOIN patients_inboundmessage AS message ON message.id = act.message_id"
        ).fetchall()
    sent = sorted(message.control_id for message in monitors.sent)
    assert len(sent) >= 3 * ANSWERS
    assert sorted(control_id for (control_id,) in stored) == sent
    assert Counter(charted) == Counter((control_id, "vitals") for control_id in sent)
