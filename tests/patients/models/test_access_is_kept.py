"""Keys, grants, registered health records and links are never rewritten, not even by the owner."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from crs_app.accounts.models import User
from patients.exchange.access.keys import end_key
from patients.exchange.smart.issuers import Endpoints, IssuerSettings, name_identity, save_issuer
from patients.models import SystemKey
from tests.patients.exchange.signed import make_system

TABLES = ("systemkey", "systemkeyend", "systemgrant", "launchissuer", "launchidentity")


@pytest.fixture
def kept(administrator: User) -> None:
    """A row of each table."""
    now = timezone.now()
    make_system("ehr-1", administrator)
    end_key(SystemKey.objects.get(), administrator, now)
    iss = "https://ehr.example/fhir"
    asked = IssuerSettings(iss, "St. Anna", "crs", "secret", "urn:mrn")
    save_issuer(asked, Endpoints(iss, iss, iss, iss), administrator, now, seen=None)
    name_identity(iss, "Practitioner/7", administrator, administrator, now)


@pytest.mark.usefixtures("kept", "as_owner")
@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("act", ["UPDATE patients_{0} SET id = id", "DELETE FROM patients_{0}"])
def test_a_row_stays_as_it_was_written(table: str, act: str) -> None:
    with (
        connection.cursor() as cursor,
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
    ):
        cursor.execute(act.format(table))


@pytest.mark.usefixtures("kept")
def test_a_private_key_is_never_stored_as_one_of_a_system() -> None:
    with pytest.raises(DatabaseError, match="system_key_is_public"), transaction.atomic():
        SystemKey.objects.create(
            system=SystemKey.objects.get().system,
            purpose="token",
            issuer="ehr-1",
            kid="leaked",
            jwk={"kty": "EC", "d": "x"},
            added_by=SystemKey.objects.get().added_by,
            added_at=timezone.now(),
        )
