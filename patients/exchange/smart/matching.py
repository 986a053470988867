"""Which user and which open course a launch is about; never by name, and never a new one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crs_app.accounts.models import User
from crs_app.accounts.permissions import can_open_chart
from patients.exchange.formats.fhir_patient import record_numbers
from patients.exchange.smart.issuers import users_named
from patients.exchange.smart.record_client import Launched
from patients.exchange.smart.refusals import LaunchRefusedError, Reason
from patients.models import Course, LaunchIssuer
from patients.queries.exchange import read_open_course, read_patient_of


def user_of(issuer: LaunchIssuer, launched: Launched) -> User:
    """Return the user whom an administrator linked to the user of the health record.

    Raises LaunchRefusedError where there is none, or one who may not open charts.
    """
    users = users_named(issuer.iss, launched.identities)
    if not users:
        raise LaunchRefusedError(Reason.NO_USER)
    if len(users) > 1:
        raise LaunchRefusedError(Reason.TWO_USERS)
    (user,) = users
    if not user.is_active:
        raise LaunchRefusedError(Reason.DEACTIVATED, user)
    if not can_open_chart(user):
        raise LaunchRefusedError(Reason.ROLE, user)
    return user


def record_number(patient: Mapping[str, Any], system: str) -> str:
    """Return the one record number of the Patient in the configured identifier system.

    Raises LaunchRefusedError where there is none, or two different ones.
    """
    numbers = record_numbers(patient, system)
    if len(numbers) != 1:
        raise LaunchRefusedError(Reason.NO_NUMBER)
    return numbers[0]


def open_course(patient: Mapping[str, Any], mrn: str) -> Course:
    """Return the open course of the patient with this record number, the last infused of several.

    Raises LaunchRefusedError where there is none, or the birth date is that of somebody else.
    """
    known = read_patient_of([mrn])
    found = None if known is None else read_open_course(known[0])
    if found is None:
        raise LaunchRefusedError(Reason.NO_COURSE, mrn=mrn)
    born, here = patient.get("birthDate"), found.patient.birth_date
    if isinstance(born, str) and here is not None and not here.isoformat().startswith(born):
        raise LaunchRefusedError(Reason.CONTRADICTION, mrn=mrn)
    return found
