"""FHIR documents of another system are imported by a command, as by a POST."""

from __future__ import annotations

from datetime import datetime
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from patients.exchange.register import register_system
from patients.models import Course, Entry, EntryKind, ExternalSystem, InboundMessage, SystemKind
from tests.patients.exchange.fhir_documents import MRN_SYSTEM, bundle, observation, patient


@pytest.fixture
def system(db: None) -> ExternalSystem:
    return register_system("ehr-1", SystemKind.EHR, by=None, mrn_system=MRN_SYSTEM)


def run(*files: Path, system: str = "ehr-1") -> tuple[int, str, str]:
    """Exit status, standard output and standard error."""
    out, err = StringIO(), StringIO()
    try:
        call_command("import_fhir", "--system", system, *map(str, files), stdout=out, stderr=err)
    except CommandError as error:
        return error.returncode, out.getvalue(), err.getvalue() + str(error)
    return 0, out.getvalue(), err.getvalue()


def test_files_are_successive_messages_of_one_system(
    course: Course, system: ExternalSystem, at: datetime, tmp_path: Path
) -> None:
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    first.write_bytes(bundle(patient(course), observation(at, meta={"versionId": "1"})))
    corrected = observation(at, value="39", status="corrected", meta={"versionId": "2"})
    second.write_bytes(bundle(patient(course), corrected))
    status, out, _ = run(first, second)
    assert (status, out.count("1 charted, 0 held")) == (0, 2)
    entries = Entry.objects.filter(course=course, kind=EntryKind.VITALS).order_by("recorded_at")
    assert [one.body["temperature_c"] for one in entries] == ["38.20", "39"]
    assert entries[1].replaces == entries[0]
    status, out, _ = run(first)
    assert (status, out.count("came before")) == (0, 1)


def test_what_is_held_is_named_and_gives_exit_status_1(
    course: Course, system: ExternalSystem, at: datetime, tmp_path: Path
) -> None:
    file = tmp_path / "sent.json"
    file.write_bytes(bundle(patient(course), observation(at), observation(at, "0000-0", id="o2")))
    status, out, _ = run(file)
    assert status == 1
    assert "held: entry[2].resource: code.unknown" in out


def test_what_is_refused_is_named_by_its_place_and_gives_exit_status_2(
    course: Course, system: ExternalSystem, at: datetime, tmp_path: Path
) -> None:
    good, bad, gone = tmp_path / "good.json", tmp_path / "bad.json", tmp_path / "gone.json"
    good.write_bytes(bundle(patient(course), observation(at)))
    bad.write_bytes(bundle(patient(course, birthDate="1901-01-01"), observation(at)))
    status, out, err = run(good, bad, gone)
    assert (status, "2 of 3 files refused" in err) == (2, True)
    assert "entry[0].resource.birthDate: the chart has another birth date" in err
    assert "gone.json: No such file" in err
    assert InboundMessage.objects.filter(reason="patient.contradiction").exists()
    assert "1 charted" in out


def test_a_system_that_is_not_known_or_was_ended_imports_nothing(
    system: ExternalSystem, tmp_path: Path
) -> None:
    assert run(tmp_path, system="nobody")[0] == 2
    ExternalSystem.objects.filter(pk=system.pk).update(is_active=False)
    assert run(tmp_path)[0] == 2
