"""Who charted what, as FHIR R4: Provenance of each act, and the people and systems in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final

from grading.engine.entries import Entry, Retraction
from patients.exchange.formats.charted import Act, Author, ChartRecord
from patients.exchange.formats.fhir_written_parts import (
    Ids,
    Json,
    concept,
    data_operation,
    participant,
    reference,
    time_text,
    without_empty,
)

_USERNAME: Final = "urn:crs:username"
_SYSTEM: Final = "urn:crs:system"
_MESSAGE: Final = "urn:crs:message"
_NOT_KNOWN: Final = {"display": "author not known"}


@dataclass(slots=True)
class People:
    """The authors of an export, each a Practitioner with a role, or the Device of an interface."""

    ids: Ids
    _found: dict[Author, list[Json]] = field(default_factory=dict)

    def performer(self, author: Author | None) -> Json | None:
        """Return who performed, for a resource; None where the author is not known."""
        return None if author is None else reference(self._resources(author)[0]["id"])

    def agent(self, author: Author | None) -> Json:
        """Return who acted, with the role of then, for a Provenance."""
        return _NOT_KNOWN if author is None else reference(self._resources(author)[-1]["id"])

    def resources(self) -> list[Json]:
        return [one for resources in self._found.values() for one in resources]

    def _resources(self, author: Author) -> list[Json]:
        if author not in self._found:
            make = self._device if author.is_interface else self._practitioner
            self._found[author] = make(author)
        return self._found[author]

    def _device(self, author: Author) -> list[Json]:
        return [
            {
                "resourceType": "Device",
                "id": self.ids.of("interface", author.username),
                "identifier": [{"system": _SYSTEM, "value": author.username}],
                "deviceName": [{"name": author.name, "type": "user-friendly-name"}],
            }
        ]

    def _practitioner(self, author: Author) -> list[Json]:
        practitioner: Json = {
            "resourceType": "Practitioner",
            "id": self.ids.of("practitioner", author.username, author.name),
            "identifier": [{"system": _USERNAME, "value": author.username}],
            "name": [{"text": author.name}],
        }
        role = {
            "resourceType": "PractitionerRole",
            "id": self.ids.of("role", author.username, author.name, author.role),
            "practitioner": reference(practitioner["id"]),
            "code": [concept(text=author.role)],
        }
        return [practitioner, role]


def acts_of(record: ChartRecord, entries: Sequence[Entry]) -> list[Act]:
    """Return the acts of an export; of a course file alone, one for each time of recording."""
    if record.acts:
        return list(record.acts)
    return [
        Act(recorded_at, [entry.id for entry in together])
        for recorded_at, together in groupby(entries, key=lambda entry: entry.recorded_at)
    ]


def provenances(
    acts: Iterable[Act],
    entries: Mapping[str, Entry],
    resources: Mapping[str, Sequence[str]],
    replaced: Mapping[str, Sequence[str]],
    people: People,
    ids: Ids,
) -> Iterator[Json]:
    """Yield the Provenance of each act; of one that does several things, one for each of them.

    ``resources`` are the ids of the resources of each entry, ``replaced`` those whose place an
    entry takes although it does not name them.
    """

    def revised_by(entry: Entry) -> list[str]:
        return [*resources.get(entry.replaces or "", ()), *replaced.get(entry.id, ())]

    for act in acts:
        recorded = [entries[entry_id] for entry_id in act.entries if entry_id in entries]
        revising = [one for one in recorded if one.replaces is not None or one.id in replaced]
        created = [one for one in recorded if one not in revising]
        for operation, targets, revised in (
            ("CREATE", created, []),
            *((_operation(one), [one], revised_by(one)) for one in revising),
        ):
            resource = _provenance(act, operation, targets, revised, resources, people, ids)
            if resource["target"]:
                yield resource


def _operation(entry: Entry) -> str:
    return "NULLIFY" if isinstance(entry, Retraction) else "UPDATE"


def _provenance(
    act: Act,
    operation: str,
    entries: Sequence[Entry],
    revised: Sequence[str],
    resources: Mapping[str, Sequence[str]],
    people: People,
    ids: Ids,
) -> Json:
    is_retraction = operation == "NULLIFY"
    made = [one for entry in entries for one in resources.get(entry.id, ())]
    targets = revised if is_retraction else made
    replaces = entries[0].replaces is not None if entries else False
    reason = act.reason or (entries[0].note if replaces else "")
    agents = [{"type": participant("author"), "who": people.agent(act.author)}]
    if act.verifier is not None:
        agents.append({"type": participant("verifier"), "who": people.agent(act.verifier)})
    sources = []
    if act.message is not None:
        message = {"system": f"{_MESSAGE}:{act.message.system}", "value": act.message.control_id}
        sources.append({"role": "source", "what": {"identifier": message}})
    revisions = [] if is_retraction else [
        {"role": "revision", "what": reference(one)} for one in revised
    ]  # fmt: skip
    return without_empty(
        {
            "resourceType": "Provenance",
            "id": ids.of("provenance", operation, *(entry.id for entry in entries)),
            "recorded": time_text(act.recorded_at),
            "activity": data_operation(operation),
            "reason": [concept(text=reason)] if reason else [],
            "agent": agents,
            "entity": [*revisions, *sources],
        }
    ) | {"target": [reference(one) for one in dict.fromkeys(targets)]}
