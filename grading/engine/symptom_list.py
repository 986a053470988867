"""Table 1 of the paper as a list to tick: its organ systems in order, each sign once."""

from __future__ import annotations

from typing import Final, NamedTuple

from grading.engine.vocabulary import CONSTITUTIONAL_SYMPTOMS


class OrganSystem(NamedTuple):
    """A row of Table 1: its symptoms in the words of the chart."""

    label: str
    symptoms: tuple[str, ...]


TABLE_1: Final = (
    OrganSystem("Constitutional", CONSTITUTIONAL_SYMPTOMS),
    OrganSystem("Skin", ("rash",)),
    OrganSystem("Gastrointestinal", ("diarrhea",)),
    OrganSystem("Respiratory", ("tachypnea", "hypoxemia")),
    OrganSystem(
        "Cardiovascular",
        (
            "tachycardia",
            "widened_pulse_pressure",
            "increased_cardiac_output",
            "diminished_cardiac_output",
        ),
    ),
    OrganSystem("Coagulation", ("elevated_d_dimer", "hypofibrinogenemia", "bleeding")),
    OrganSystem("Renal", ("azotemia",)),
    OrganSystem("Hepatic", ("transaminitis", "hyperbilirubinemia")),
    OrganSystem(
        "Neurologic",
        (
            "encephalopathy",
            "confusion",
            "delirium",
            "dysphasia",
            "hallucinations",
            "tremor",
            "ataxia",
            "seizure",
        ),
    ),
)
"""The paper lists nausea, vomiting and headache twice; here each is in the row where it counts.

Fever and hypotension are graded from the charted temperature and pressure and are not ticked;
mental status changes are encephalopathy, word finding difficulty is dysphasia, dysmetria and
altered gait are ataxia.
"""
