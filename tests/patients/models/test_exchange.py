"""The database refuses to change what other systems sent, and what became of it."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction

from crs_app.accounts.models import User
from patients.exchange.fhir_message import fhir_message
from patients.exchange.file import receive
from patients.exchange.register import change_system, register_system
from patients.models import (
    ChartingAct,
    Course,
    ExternalSystem,
    ExternalSystemChange,
    HeldItem,
    InboundMessage,
    LocalCode,
    SystemKind,
)
from tests.factories import ago
from tests.owner import rights_of_owner
from tests.patients.exchange.fhir_documents import MRN_SYSTEM, bundle, observation, patient


@pytest.fixture
def system(course: Course, administrator: User) -> ExternalSystem:
    """A monitor that sent a temperature which is charted, and an unknown code."""
    system = register_system(
        "ICU-7", SystemKind.MONITOR, by=administrator, mrn_system=MRN_SYSTEM,
        filing={"default": "file"},
    )  # fmt: skip
    LocalCode.objects.create(
        system=system, code="T", about="sign", means="temperature_c", by=administrator,
        at=ago(minutes=1), valid_from=ago(minutes=1),
    )  # fmt: skip
    unknown = observation(ago(minutes=9), "0000-0", id="o2")
    again = observation(ago(minutes=9), value="38.3", meta={"versionId": "2"})
    receive(system, fhir_message(bundle(patient(course), observation(ago(9)), unknown), MRN_SYSTEM))
    receive(system, fhir_message(bundle(patient(course), again, unknown), MRN_SYSTEM))
    return system


APPEND_ONLY = ("inboundmessage", "sourcekey", "helditem", "localcode", "externalsystemchange")
STATEMENTS = (
    "DELETE FROM patients_{table}",
    "TRUNCATE patients_{table} CASCADE",
    "UPDATE patients_{table} SET id = id",
)


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize("statement", STATEMENTS)
def test_rows_are_never_changed_or_removed(
    system: ExternalSystem, administrator: User, table: str, statement: str
) -> None:
    change_system(system, {"thinning_minutes": 30}, by=administrator)
    with rights_of_owner(), pytest.raises(IntegrityError, match="append-only"):
        _run(statement.format(table=table))
    with pytest.raises(ProgrammingError, match="permission denied"):
        _run(statement.format(table=table))


@transaction.atomic
def _run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(statement)


@pytest.mark.parametrize("column", ["name = 'other'", "kind = 'ehr'", "user_id = 1"])
def test_name_kind_and_user_of_a_system_stay(system: ExternalSystem, column: str) -> None:
    statement = f"UPDATE patients_externalsystem SET {column}"  # noqa: S608 - a constant
    with rights_of_owner(), pytest.raises(IntegrityError, match="never changed"):
        _run(statement)
    with pytest.raises(ProgrammingError, match="permission denied"):
        _run(statement)


def test_a_changed_system_keeps_its_earlier_row(
    system: ExternalSystem, administrator: User
) -> None:
    change_system(system, {"thinning_minutes": 30, "charset": "utf-8"}, by=administrator)
    change = ExternalSystemChange.objects.get()
    assert (change.system, change.row_before["thinning_minutes"]) == (system, 15)
    with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
        ExternalSystemChange.objects.create(system=system, row_before={}, until=ago())


@pytest.mark.parametrize(
    ("changes", "constraint"),
    [
        ({"source": "bedside"}, "act_of_system_by_interface"),
        ({"message": None}, "act_of_interface_has_message"),
    ],
)
def test_a_system_charts_by_its_messages_alone(
    system: ExternalSystem, changes: dict[str, Any], constraint: str
) -> None:
    act = ChartingAct.objects.filter(recorded_by=system.user).latest("recorded_at")
    for name, value in {"pk": None, "form_id": act.pk, "recorded_at": ago(), **changes}.items():
        setattr(act, name, value)
    act._state.adding = True
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        act.save(force_insert=True)


@pytest.mark.parametrize("changes", [{"is_active": True}, {"password": "argon2$1"}])
def test_the_user_of_a_system_never_signs_in(
    system: ExternalSystem, changes: dict[str, Any]
) -> None:
    with pytest.raises(IntegrityError, match="system_never_signs_in"), transaction.atomic():
        User.objects.filter(pk=system.user.pk).update(**changes)


def test_a_message_is_kept_once_under_one_verdict(system: ExternalSystem) -> None:
    message = InboundMessage.objects.latest("received_at")
    message.pk, message._state.adding = None, True
    with pytest.raises(IntegrityError, match="message_once"), transaction.atomic():
        message.save(force_insert=True)
    assert HeldItem.objects.filter(decision=None).count() >= 1
