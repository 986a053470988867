"""Of the keys that came before, those are read that a message can touch: no more are needed."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from crs_app.accounts.models import User
from patients.exchange import file
from patients.exchange.context_of import with_known_keys
from patients.exchange.fhir_message import fhir_message
from patients.exchange.file import receive
from patients.exchange.formats.context import Context, KeyState, KnownKey
from patients.exchange.formats.converted import Converted
from patients.exchange.formats.received import Document
from patients.exchange.register import register_system
from patients.models import Course, ExternalSystem, InboundMessage, SourceKey, SystemKind, Verdict
from tests.factories import ago, chart
from tests.patients.exchange.fhir_documents import (
    MRN_SYSTEM,
    Json,
    bundle,
    creatinine,
    norepinephrine,
    observation,
    patient,
)

MESSAGES = 30
SIGNS = [("8310-5", "38.{}", "Cel"), ("8867-4", "9{}", "/min"), ("8480-6", "11{}", "mm[Hg]"),
         ("8462-4", "6{}", "mm[Hg]"), ("3151-8", "{}", "L/min")]  # fmt: skip


def every_key(system: ExternalSystem, course: Course) -> list[KnownKey]:
    rows = SourceKey.objects.filter(system=system, course=course).order_by("id")
    return [
        KnownKey(row.key, row.version, str(row.entry_id) if row.entry_id else None,
                 KeyState(row.state), row.statement)
        for row in rows
    ]  # fmt: skip


def statement(chance: random.Random, start: datetime) -> Json:
    """A statement about one of few keys, of a time near that of others or hours from it."""
    number = chance.randrange(12)
    at = start + timedelta(minutes=25 * number, seconds=chance.choice([0, 0, 0, 40]))
    more: Json = {"meta": {"versionId": str(chance.randrange(1, 9))}}
    status = chance.choice(["final", "final", "corrected", "entered-in-error", "preliminary"])
    kind = chance.randrange(8)
    if kind < len(SIGNS):
        code, value, unit = SIGNS[kind]
        name = f"s{kind}-{number}"
        value = value.format(chance.randrange(1, 4))
        return observation(at, code, value, unit, id=name, status=status, **more)
    if kind == 5:
        concept = {"coding": [{"system": "http://snomed.info/sct", "code": "336623009"}]}
        return observation(at, "19941-4", id=f"d-{number}", status=status, valueQuantity=None,
                           valueCodeableConcept=concept, **more)  # fmt: skip
    if kind == 6:
        return creatinine(
            at, f"1.{chance.randrange(1, 4)}", id=f"c-{number}", status=status, **more
        )
    end = {} if chance.random() < 0.5 else {"end": (at + timedelta(minutes=40)).isoformat()}
    how = "entered-in-error" if status == "entered-in-error" else "in-progress"
    period = {"start": at.replace(second=0).isoformat(), **end}
    return norepinephrine(at, str(chance.randrange(2, 5)), id=f"m-{number}", status=how,
                          effectivePeriod=period, **more)  # fmt: skip


@pytest.mark.parametrize("seed", range(2))
def test_a_message_becomes_the_same_as_with_every_key_that_came(
    course: Course, nurse: User, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = register_system(
        "ehr-1", SystemKind.EHR, by=None, mrn_system=MRN_SYSTEM, filing={"default": "file"}
    )
    about: dict[str, Any] = {}
    fewer = []

    def noted(context: Context, system: ExternalSystem, course: Course, document: Document) -> Any:
        about["known"] = every_key(system, course)
        return with_known_keys(context, system, course, document)

    def compared(document: Document, context: Context, received_at: datetime) -> Converted:
        found = convert(document, context, received_at)
        assert found == convert(document, replace(context, known=about["known"]), received_at)
        fewer.append(len(about["known"]) - len(context.known))
        return found

    convert = file.convert
    monkeypatch.setattr(file, "with_known_keys", noted)
    monkeypatch.setattr(file, "convert", compared)
    start = ago(hours=7).replace(second=0, microsecond=0)
    chance = random.Random(seed)  # noqa: S311 - no secret
    chart(course, nurse, "vitals", at=start + timedelta(minutes=50), heart_rate="92")
    for _ in range(MESSAGES):
        sent = {one["id"]: one for one in (statement(chance, start) for _ in range(3))}
        receive(system, fhir_message(bundle(patient(course), *sent.values()), MRN_SYSTEM))
    assert not InboundMessage.objects.exclude(verdict=Verdict.ACCEPTED).exists()
    assert max(fewer) > 0
