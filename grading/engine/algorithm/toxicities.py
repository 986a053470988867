"""The organ toxicities that count at an instant, with their CTCAE grades."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from grading.engine.entries import Entry, Lab, Toxicity
from grading.engine.facts import Baseline
from grading.engine.fold import in_order
from grading.engine.organ_toxicity import OrganToxicity
from grading.engine.policy import Policy
from grading.engine.systems.lee_2014 import toxicity_grade
from grading.engine.vocabulary import TOXICITY_TERMS, TermGroup


@dataclass(frozen=True, slots=True)
class CountedToxicity:
    """A toxicity that counts towards the grade, worse than before the infusion."""

    term: str
    ctcae: int
    entry_id: str

    @property
    def group(self) -> TermGroup:
        return TOXICITY_TERMS[self.term]

    @property
    def is_neurologic(self) -> bool:
        return self.group is TermGroup.NEUROLOGIC

    @property
    def crs_grade(self) -> int:
        """The CRS grade it gives: transaminitis of grade 4 gives 3."""
        return toxicity_grade(self.term, self.ctcae)


def counted_toxicities(
    policy: Policy, baseline: Baseline, before: Iterable[Entry], latest: Mapping[str, Entry]
) -> tuple[CountedToxicity, ...]:
    """Those of ``latest`` that count, by term; ``before`` are the entries before the infusion."""
    organs = OrganToxicity(policy, baseline)
    for entry in in_order(before):
        if isinstance(entry, Lab | Toxicity):
            organs.prior.note(entry)
    for entry in in_order(latest.values()):
        if isinstance(entry, Toxicity):
            organs.note_toxicity(entry)
        elif isinstance(entry, Lab):
            organs.note_lab(entry)
    return tuple(
        CountedToxicity(item.term, item.ctcae, item.entry.id)
        for item in organs.counted(neurologic=policy.neuro_counts)
        if item.ctcae is not None
    )
