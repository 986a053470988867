"""A vital sign is one line and a migration, an analyte one line: tried on a copy of the source."""

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.db import connection
from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL, Identifier

from chaos.checkout import copy_source
from tests.owner import end_other_sessions

VITAL_SIGN = """    VitalSign(
        "glasgow_total", "Glasgow Coma Scale", "", Limits.of("3", "15"), "Glasgow", "GCS",
        usual=Limits.of("9", "15"),
    ),
"""
ANALYTE = """    PROCALCITONIN = (
        "procalcitonin",
        "Procalcitonin",
        AnalyteGroup.INFLAMMATION,
        LabUnit("ng/mL", Limits.of("0", "1000"), usual=Limits.of("0", "500")),
    )
"""
CHARTED = """
import os, uuid
import django
django.setup()
from django.db import IntegrityError
from django.conf import settings
from django.test import Client
from django.utils import timezone
from crs_app.accounts.models import Role, User
from patients import recording
from patients.models import Entry
from tests.factories import admit, chart

settings.ALLOWED_HOSTS = ["testserver"]
settings.SECURE_SSL_REDIRECT = False
settings.NEW_WARDS = True
settings.STORAGES["staticfiles"] = {
    "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
}
nurse = User.objects.create_user("nurse", password="correct horse 1", role=Role.WARD_CLINICIAN)
course = admit(nurse)
client = Client()
client.force_login(nurse)

def send(kind, **fields):
    fields = {"form_id": str(uuid.uuid4()), "attribution": "crs", "temperature_unit": "c"} | fields
    url = f"/courses/{course.pk}/entries/{kind}/"
    page = client.post(url, fields, headers={"HX-Request": "true"})
    return page.status_code, page.content.decode()

page = client.get(f"/courses/{course.pk}/").content.decode()
assert 'name="glasgow_total"' in page and "Glasgow" in page
status, page = send("vitals", glasgow_total="16")
assert status == 422 and "expected 3 to 15" in page, page
status, page = send("vitals", glasgow_total="8")
assert status == 422 and "Glasgow Coma Scale 8" in page, page
status, page = send("vitals", glasgow_total="14")
assert status == 200 and "GCS 14" in page, page
try:
    chart(course, nurse, "vitals", timezone.now(), glasgow_total="2")
except (IntegrityError, ValueError) as error:
    refused = error
assert refused

status, page = send("lab", procalcitonin="2.5", procalcitonin_unit="ng/mL")
assert status == 200 and "Procalcitonin 2.5 ng/mL" in page, page
status, page = send("lab", procalcitonin="1001", procalcitonin_unit="ng/mL")
assert status == 422 and "0 to 1000" in page, page
"""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return copy_source(tmp_path / "copy")


@pytest.fixture
def environment(django_db_setup: None) -> Iterator[dict[str, str]]:
    """A copy of the tests' database: its tables as they are without the new line, and no rows."""
    name, at = f"one_line_{uuid.uuid4().hex[:8]}", connection.settings_dict
    address = {key: str(at[key.upper()]) for key in ("user", "password", "host", "port")}
    given = {key: value for key, value in address.items() if value}
    here = make_conninfo("", dbname="postgres", **given)
    connection.close()
    with psycopg.connect(here, autocommit=True) as server:
        end_other_sessions(server, at["NAME"])
        copied = SQL("CREATE DATABASE {} TEMPLATE {}")
        server.execute(copied.format(Identifier(name), Identifier(at["NAME"])))
        yield os.environ | {
            "DATABASE_URL": make_conninfo("", dbname=name, **given),
            "DJANGO_SETTINGS_MODULE": "crs_app.settings",
            "CRS_SECOND_FACTOR_ROLES": "",
            "PYTHONPATH": ".",
        }
        server.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))


def python(copy: Path, environment: dict[str, str], *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=copy,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def add(line: str, before: str, path: Path) -> None:
    text = path.read_text()
    assert text.count(before) == 1
    path.write_text(text.replace(before, line + before))


def test_a_new_vital_sign_and_a_new_analyte_are_charted_shown_and_held_to_their_limits(
    copy: Path, environment: dict[str, str]
) -> None:
    add(VITAL_SIGN, ')  # fmt: skip\n"""In the order', copy / "grading/engine/vocabulary.py")
    add(ANALYTE, "    TROPONIN = (", copy / "grading/engine/analytes.py")
    before = set((copy / "patients/migrations").glob("0*.py"))
    python(copy, environment, "manage.py", "makemigrations", "patients", "--name", "one_line")
    (migration,) = set((copy / "patients/migrations").glob("0*.py")) - before
    assert "entry_glasgow_total_plausible" in migration.read_text()
    python(copy, environment, "manage.py", "migrate", "--verbosity", "0")
    python(copy, environment, "-c", CHARTED)
