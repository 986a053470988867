"""What scales other than Lee's ask of a chart's past and Lee's table never does.

Of bounded size, whatever the length of the chart: where a scale asks about "any" or "since", the
one entry that answers is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Any, Final, Self

from grading.engine.entries import (
    Admission,
    BloodProduct,
    Capd,
    Consciousness,
    Entry,
    Ice,
    NeuroSign,
    Seizure,
    Treatment,
    Vitals,
)
from grading.engine.evidence import PROLONGED_SEIZURE
from grading.engine.scale_vocabulary import BloodProductName, NeuroSignName
from grading.engine.vocabulary import TreatmentAgent

ANTICYTOKINE: Final = frozenset(
    {
        TreatmentAgent.TOCILIZUMAB,
        TreatmentAgent.SILTUXIMAB,
        TreatmentAgent.ANAKINRA,
        TreatmentAgent.ETANERCEPT,
        TreatmentAgent.INFLIXIMAB,
    }
)
CORTICOSTEROIDS: Final = frozenset(
    {
        TreatmentAgent.METHYLPREDNISOLONE,
        TreatmentAgent.DEXAMETHASONE,
        TreatmentAgent.HYDROCORTISONE,
    }
)
MASKING_AGENTS: Final = ANTICYTOKINE | CORTICOSTEROIDS
"""Anticytokine therapy in ASTCT's sense: after it a fever is no longer asked for."""
INTRAVENOUS_AGENTS: Final = MASKING_AGENTS | {TreatmentAgent.ANTIBIOTICS}
"""Therapy that makes Penn's grade 2 (decision)."""
CLOTTING_PRODUCTS: Final = frozenset(
    {
        BloodProductName.FRESH_FROZEN_PLASMA,
        BloodProductName.CRYOPRECIPITATE,
        BloodProductName.FIBRINOGEN_CONCENTRATE,
    }
)


@dataclass(slots=True)
class ScaleFacts:
    """The entries that answer the questions of other scales, as of an instant.

    ``first_*`` and ``waiving_*`` treatments are of any attribution, for they mask a fever whatever
    their purpose: the first since the infusion, and the first at or after a febrile reading.
    ``iv_therapy``, ``antipyretic``, ``product`` and the seizures are the latest that count;
    ``unassessed`` is the earliest seizure that counts and that no assessment of consciousness
    followed. ``assessed_at`` is when anything of the nerves was last charted.
    """

    latest_febrile: Vitals | None = None
    first_antipyretic: Treatment | None = None
    first_masking: Treatment | None = None
    waiving_antipyretic: Treatment | None = None
    waiving_masking: Treatment | None = None
    iv_therapy: Treatment | None = None
    antipyretic: Treatment | None = None
    product: BloodProduct | None = None
    admission: Admission | None = None
    ice: Ice | None = None
    capd: Capd | None = None
    consciousness: Consciousness | None = None
    seizure: Seizure | None = None
    untimed_seizure: Seizure | None = None
    prolonged_seizure: Seizure | None = None
    unassessed: Seizure | None = None
    assessed_at: datetime | None = None
    signs: dict[NeuroSignName, NeuroSign] = field(default_factory=dict)
    new_treatments: list[Treatment] = field(default_factory=list)

    def copied(self) -> Self:
        return replace(self, signs=dict(self.signs), new_treatments=list(self.new_treatments))

    def note(self, entry: Entry) -> None:
        """Note an entry of a kind that other scales alone ask for."""
        ASKED_BY_OTHER_SCALES[type(entry)](self, entry)

    def note_treatment(self, entry: Treatment) -> None:
        self.new_treatments.append(entry)
        is_antipyretic = entry.agent is TreatmentAgent.ANTIPYRETIC
        if is_antipyretic and self.first_antipyretic is None:
            self.first_antipyretic = entry
        if entry.agent in MASKING_AGENTS and self.first_masking is None:
            self.first_masking = entry
        if not entry.counts:
            return
        if is_antipyretic:
            self.antipyretic = entry
        elif entry.agent in INTRAVENOUS_AGENTS:
            self.iv_therapy = entry

    def note_product(self, entry: BloodProduct) -> None:
        if entry.counts and entry.product in CLOTTING_PRODUCTS:
            self.product = entry

    def note_admission(self, entry: Admission) -> None:
        self.admission = entry

    def note_assessment(self, entry: Ice | Capd | Consciousness) -> None:
        """Note an entry that says how awake the patient is, and so follows up a seizure."""
        if isinstance(entry, Ice):
            self.ice = entry
        elif isinstance(entry, Capd):
            self.capd = entry
        else:
            self.consciousness = entry
        self.assessed_at = entry.at
        self.unassessed = None

    def note_sign(self, entry: NeuroSign) -> None:
        self.signs[entry.sign] = entry
        self.assessed_at = entry.at

    def note_seizure(self, entry: Seizure) -> None:
        self.assessed_at = entry.at
        if not entry.counts:
            return
        if is_prolonged(entry):
            self.prolonged_seizure = entry
        else:
            self.seizure = entry
            if entry.duration_minutes is None:
                self.untimed_seizure = entry
        if self.unassessed is None and not self._is_assessed_at(entry.at):
            self.unassessed = entry

    def _is_assessed_at(self, at: datetime) -> bool:
        return any(
            entry is not None and entry.at == at
            for entry in (self.ice, self.capd, self.consciousness)
        )

    def settle(self, febrile: Vitals | None) -> None:
        """Conclude an instant; ``febrile`` is its temperature where that is a fever."""
        if febrile is not None:
            self.latest_febrile = febrile
        if self.new_treatments:
            if self.latest_febrile is not None:
                self._note_waiving()
            self.new_treatments.clear()

    def _note_waiving(self) -> None:
        for entry in self.new_treatments:
            if entry.agent is TreatmentAgent.ANTIPYRETIC and self.waiving_antipyretic is None:
                self.waiving_antipyretic = entry
            elif entry.agent in MASKING_AGENTS and self.waiving_masking is None:
                self.waiving_masking = entry

    def entries(self) -> Iterable[Entry]:
        """Return every entry that is kept."""
        return (*self._single().values(), *self.signs.values())

    def _single(self) -> dict[str, Entry]:
        """Return the one entry of each field that has one, by the name of the field."""
        return {name: entry for name in _SINGLE if (entry := getattr(self, name)) is not None}

    def as_json(self) -> dict[str, Any]:
        """Return the facts with each entry by its id; an instant must be concluded."""
        words: dict[str, Any] = {name: entry.id for name, entry in self._single().items()}
        words["signs"] = [entry.id for entry in self.signs.values()]
        if self.assessed_at is not None:
            words["assessed_at"] = self.assessed_at.isoformat()
        return words

    @classmethod
    def from_json(cls, words: Mapping[str, Any], entries: Mapping[str, Any]) -> ScaleFacts:
        """Return the facts that ``as_json`` wrote; ``entries`` by their ids."""
        single = {name: entries[words[name]] for name in _SINGLE if name in words}
        signs = [entries[key] for key in words["signs"]]
        at = words.get("assessed_at")
        return cls(
            **single,
            signs={entry.sign: entry for entry in signs},
            assessed_at=None if at is None else datetime.fromisoformat(at),
        )


_SINGLE: Final = tuple(
    item.name
    for item in fields(ScaleFacts)
    if item.name not in {"assessed_at", "signs", "new_treatments"}
)


ASKED_BY_OTHER_SCALES: Final[dict[type[Entry], Callable[[ScaleFacts, Any], None]]] = {
    Ice: ScaleFacts.note_assessment,
    Capd: ScaleFacts.note_assessment,
    Consciousness: ScaleFacts.note_assessment,
    Seizure: ScaleFacts.note_seizure,
    NeuroSign: ScaleFacts.note_sign,
    Admission: ScaleFacts.note_admission,
    BloodProduct: ScaleFacts.note_product,
}
"""Kinds of entry that no criterion of Lee's reads, and how each is noted."""


def is_prolonged(seizure: Seizure) -> bool:
    """Return whether a seizure lasted too long, did not end, or came again without recovery."""
    return (
        seizure.repetitive_without_recovery
        or seizure.resolved is False
        or (
            seizure.duration_minutes is not None
            and seizure.duration_minutes > PROLONGED_SEIZURE.value
        )
    )
