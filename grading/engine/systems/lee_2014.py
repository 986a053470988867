"""The revised grading system of Lee et al., Blood 2014;124:188: Table 2, line by line.

The parts of a chart find and explain; this module alone decides which finding is which criterion.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

from grading.engine import circulation_explainer as circulation_words
from grading.engine import scale_findings as found
from grading.engine.chart import Chart
from grading.engine.circulation import Circulation
from grading.engine.constitutional import ConstitutionalSymptoms
from grading.engine.evidence import Citation
from grading.engine.grading_system import (
    DEATH,
    DEATH_GRADE,
    NOTHING_MET,
    Assessed,
    GradingSystem,
    PartAssessor,
    Rule,
)
from grading.engine.organ_toxicity import (
    OrganToxicity,
    TermResult,
    explain_found,
    explain_ungraded,
)
from grading.engine.oxygen import VENTILATION, OxygenSupport
from grading.engine.periods import Explain, Explained
from grading.engine.scale import Axis, Doubt, Finding, Scale, Words
from grading.engine.scale import Rule as ScaleRule
from grading.engine.vocabulary import TRANSAMINASES, JudgementAbout, OxygenDevice

FEVER: Final = "symptom.fever"
CONSTITUTIONAL: Final = "symptom.constitutional"
BELOW_40: Final = "oxygen.below_40"
AT_LEAST_40: Final = "oxygen.at_least_40"
CPAP: Final = "oxygen.cpap"
BIPAP: Final = "oxygen.bipap"
VENTILATOR: Final = "ventilator"
LOW_PRESSURE: Final = "hypotension.low_pressure"
FLUID_BOLUS: Final = "hypotension.fluid_bolus"
REFRACTORY: Final = "hypotension.refractory"
SINGLE_LOW_DOSE: Final = "vasopressor.single_low_dose"
HIGH_DOSE: Final = "vasopressor.high_dose"
MULTIPLE: Final = "vasopressor.multiple"
LIFE_THREATENING: Final = "life_threatening"
TRANSAMINITIS: Final = "organ_toxicity.grade_4_transaminitis"
TOXICITY: Final = {grade: f"organ_toxicity.grade_{grade}" for grade in (1, 2, 3, 4)}

FIO2_UNKNOWN: Final = "oxygen.fio2"
FIO2_ESTIMATED: Final = "oxygen.fio2_estimated"
RELATIVE: Final = "hypotension.relative"
NO_BASELINE: Final = "hypotension.no_baseline"
NO_SYSTOLIC: Final = "hypotension.no_systolic"
DOSE: Final = "vasopressor.dose"
UNGRADED: Final = "organ_toxicity.ungraded"
LAB: Final = "lab."
"""Before an analyte: the unknown of a result that cannot be graded, or not with certainty."""

_TRANSAMINITIS_GRADE: Final = 3
_LIFE_THREATENING_CTCAE: Final = 4
_BIPAP_IS_VENTILATION: Final = 4
_PRESSURE_REACHES: Final = 2
_SEVERE_REACHES: Final = 3
_LIFE_THREATENING_REACHES: Final = 4


def _lee(place: str) -> Citation:
    return Citation("lee-2014", place)


TABLE_2: Final = (
    # Grade 1: not life threatening, symptomatic treatment only
    Rule(FEVER, 1, _lee("Table 2, grade 1")),
    Rule(CONSTITUTIONAL, 1, _lee("Table 2, grade 1")),
    Rule(TOXICITY[1], 1, Citation("decision", "grade 1 toxicity")),
    # Grade 2: moderate intervention
    Rule(BELOW_40, 2, _lee("Table 2, grade 2")),
    Rule(LOW_PRESSURE, 2, _lee("Table 2, grade 2")),
    Rule(FLUID_BOLUS, 2, _lee("Table 2, grade 2")),
    Rule(SINGLE_LOW_DOSE, 2, _lee("Table 2, grade 2")),
    Rule(TOXICITY[2], 2, _lee("Table 2, grade 2")),
    # Grade 3: aggressive intervention
    Rule(AT_LEAST_40, 3, _lee("Table 2, grade 3")),
    Rule(CPAP, 3, Citation("decision", "CPAP; Table 2 is silent"), "cpap_grade"),
    Rule(BIPAP, 3, Citation("decision", "BiPAP; Table 2 is silent"), "bipap_grade"),
    Rule(HIGH_DOSE, 3, _lee("Table 2, grade 3; Table 3")),
    Rule(MULTIPLE, 3, _lee("Table 2, grade 3")),
    Rule(REFRACTORY, 3, _lee("text after Figure 2")),
    Rule(TOXICITY[3], 3, _lee("Table 2, grade 3")),
    Rule(TRANSAMINITIS, _TRANSAMINITIS_GRADE, _lee("Table 2, grade 3")),
    # Grade 4: life-threatening
    Rule(VENTILATOR, 4, _lee("Table 2, grade 4")),
    Rule(TOXICITY[4], 4, _lee("Table 2, grade 4")),
    Rule(LIFE_THREATENING, 4, _lee("Table 2, grade 4 heading; text after Figure 2")),
    # Grade 5
    Rule(DEATH, DEATH_GRADE, _lee("Table 2, grade 5")),
)


_BY_SYMPTOM: Final[dict[tuple[bool, bool], Assessed]] = {
    (False, False): NOTHING_MET,
    (True, False): ((FEVER,), ()),
    (False, True): ((CONSTITUTIONAL,), ()),
    (True, True): ((FEVER, CONSTITUTIONAL), ()),
}


def assess_constitutional(part: ConstitutionalSymptoms) -> Assessed:
    """Fever and constitutional symptoms: grade 1."""
    return _BY_SYMPTOM[part.fever, bool(part.symptoms)]


def _explain_constitutional(part: ConstitutionalSymptoms) -> Explain:
    frozen = part.frozen_copy()
    return lambda code: frozen.explain_fever() if code == FEVER else frozen.explain_symptoms()


def assess_oxygen(part: OxygenSupport) -> Assessed:
    """The oxygen requirement and ventilator support: grades 2 to 4."""
    device = part.device
    if device is None:
        return NOTHING_MET
    support = _support(part, device)
    by_device = () if support is None else (support,)
    fio2 = part.needed
    if fio2 is None:
        return (by_device, ()) if by_device else NOTHING_MET
    if fio2.is_high:
        return (AT_LEAST_40, *by_device), ()
    if fio2.percent is None:
        return (BELOW_40, *by_device), ((FIO2_UNKNOWN, _SEVERE_REACHES),)
    doubt = ((FIO2_ESTIMATED, _SEVERE_REACHES),) if fio2.is_doubtful else ()
    return (BELOW_40, *by_device), doubt


def _support(part: OxygenSupport, device: OxygenDevice) -> str | None:
    """Return the criterion that the device is by itself, whatever the FiO2."""
    if device in VENTILATION:
        return VENTILATOR
    if device is OxygenDevice.CPAP:
        return CPAP
    if device is OxygenDevice.BIPAP:
        return VENTILATOR if part.policy.bipap_grade == _BIPAP_IS_VENTILATION else BIPAP
    return None


def _explain_oxygen(part: OxygenSupport) -> Explain:
    frozen = part.frozen_copy()
    by_code = {
        VENTILATOR: frozen.explain_device,
        CPAP: frozen.explain_device,
        BIPAP: frozen.explain_device,
        FIO2_ESTIMATED: frozen.explain_estimate,
    }
    return lambda code: by_code.get(code, frozen.explain_fio2)()


def assess_circulation(part: Circulation, at: datetime) -> Assessed:
    """Hypotension, fluid, vasopressors and judgements: grades 2 to 4."""
    met: list[str] = []
    unknown: list[tuple[str, int]] = []
    if part.low:
        met.append(LOW_PRESSURE)
    if part.bolus is not None and part.fluid_held(at):
        met.append(FLUID_BOLUS)
    if part.reading is not None:
        _question_pressure(part, unknown)
    if part.infusions.running_since or part.run.since is not None:
        _assess_vasopressors(part, at, met, unknown)
    if part.judged:
        met += [code for about, code in _JUDGED_CODE.items() if part.judged_present(about)]
    return tuple(met), tuple(unknown)


def _question_pressure(part: Circulation, unknown: list[tuple[str, int]]) -> None:
    if part.pressure_in_question:
        unknown.append((RELATIVE, _PRESSURE_REACHES))
    if part.lacks_baseline:
        unknown.append((NO_BASELINE, _PRESSURE_REACHES))
    if part.lacks_systolic:
        unknown.append((NO_SYSTOLIC, _PRESSURE_REACHES))


def _assess_vasopressors(
    part: Circulation, at: datetime, met: list[str], unknown: list[tuple[str, int]]
) -> None:
    only, high = part.infusions.only(), part.high_dose(at)
    if high:
        met.append(HIGH_DOSE)
    if only is not None:
        if not high:
            met.append(SINGLE_LOW_DOSE)
            if part.lacks_dose(only):
                unknown.append((DOSE, _SEVERE_REACHES))
            if part.may_be_refractory(only):
                unknown.append((REFRACTORY, _SEVERE_REACHES))
    elif part.infusions.running_since:
        met.append(MULTIPLE)
        if part.may_be_life_threatening(at):
            unknown.append((LIFE_THREATENING, _LIFE_THREATENING_REACHES))


_JUDGED_CODE: Final = {
    JudgementAbout.REFRACTORY_HYPOTENSION: REFRACTORY,
    JudgementAbout.LIFE_THREATENING: LIFE_THREATENING,
}

_CIRCULATION_WORDS: Final[dict[str, Callable[[Circulation, datetime], Explained]]] = {
    LOW_PRESSURE: circulation_words.explain_low_pressure,
    FLUID_BOLUS: circulation_words.explain_fluid_bolus,
    REFRACTORY: circulation_words.explain_refractory,
    SINGLE_LOW_DOSE: circulation_words.explain_single_low_dose,
    HIGH_DOSE: circulation_words.explain_high_dose,
    MULTIPLE: circulation_words.explain_running,
    DOSE: circulation_words.explain_running,
    LIFE_THREATENING: circulation_words.explain_life_threatening,
    RELATIVE: circulation_words.explain_relative,
    NO_BASELINE: circulation_words.explain_by_reading_alone,
    NO_SYSTOLIC: circulation_words.explain_by_reading_alone,
}


def _explain_circulation(part: Circulation, at: datetime) -> Explain:
    frozen = part.frozen_copy()
    return lambda code: _CIRCULATION_WORDS[code](frozen, at)


def assess_organs(part: OrganToxicity) -> Assessed:
    """Organ toxicity by CTCAE: grades 1 to 4."""
    if part.assessed is None:
        part.assessed = _assess_organs(part)
    return part.assessed


def _assess_organs(part: OrganToxicity) -> Assessed:
    neurologic = part.policy.neuro_counts
    met = tuple(sorted({toxicity_code(item) for item in part.counted(neurologic=neurologic)}))
    doubtful = {f"{LAB}{term}": _could_reach(result) for term, result in part.by_term.items()}
    unknown = tuple(sorted([(code, reach) for code, reach in doubtful.items() if reach]))
    if part.ticks and part.ungraded(neurologic=neurologic):
        return met, (*unknown, (UNGRADED, _LIFE_THREATENING_CTCAE))
    return met, unknown


def _could_reach(result: TermResult) -> int:
    """Return the grade that a doubtful result could reach; 0 where it is in no doubt."""
    if result.highest == result.ctcae or not result.highest_counts:
        return 0
    possible = toxicity_grade(result.term, result.highest)
    sure = toxicity_grade(result.term, result.ctcae) if result.counts and result.ctcae else 0
    return possible if possible > sure else 0


def toxicity_grade(term: str, ctcae: int) -> int:
    """Return the CRS grade of a counted toxicity: its own, but 3 for grade 4 transaminitis."""
    return _TRANSAMINITIS_GRADE if is_transaminitis(term, ctcae) else ctcae


def is_transaminitis(term: str, ctcae: int | None) -> bool:
    """Return whether a toxicity is ALT or AST of CTCAE grade 4."""
    return term in TRANSAMINASES and ctcae == _LIFE_THREATENING_CTCAE


def toxicity_code(result: TermResult) -> str:
    """Return the criterion that a counted toxicity meets."""
    if result.ctcae is None:
        raise ValueError(f"{result.term} cannot be graded")
    return TRANSAMINITIS if is_transaminitis(result.term, result.ctcae) else TOXICITY[result.ctcae]


def _explain_organs(part: OrganToxicity) -> Explain:
    frozen = part.frozen_copy()
    neurologic = part.policy.neuro_counts

    def explain(code: str) -> Explained:
        if code == UNGRADED:
            return explain_ungraded(frozen.ungraded(neurologic=neurologic))
        if code.startswith(LAB):
            return frozen.explain_doubt(code.removeprefix(LAB))
        return explain_found(_of_code(frozen.counted(neurologic=neurologic), code))

    return explain


LEE_2014: Final = GradingSystem(
    "lee-2014",
    "2",
    "Lee 2014",
    TABLE_2,
    PartAssessor(assess_constitutional, _explain_constitutional),
    PartAssessor(assess_oxygen, _explain_oxygen),
    PartAssessor(assess_circulation, _explain_circulation),
    PartAssessor(assess_organs, _explain_organs),
)


def _explain(chart: Chart, code: str) -> Explained:
    """Explain one of Lee's codes by the part of the chart that it is about."""
    state = chart.state
    if code in _CIRCULATION_WORDS:
        return _CIRCULATION_WORDS[code](state.circulation, chart.at)
    if code in (FEVER, CONSTITUTIONAL):
        return _explain_constitutional(state.constitutional)(code)
    if code.startswith((LAB, "organ_toxicity.")):
        return _explain_organs(state.organs)(code)
    return _explain_oxygen(state.oxygen)(code)


def _counted(chart: Chart, code: str) -> list[TermResult]:
    return _of_code(chart.toxicities(neurologic=chart.policy.neuro_counts), code)


def _of_code(counted: list[TermResult], code: str) -> list[TermResult]:
    return [item for item in counted if toxicity_code(item) == code]


def _phrase_of_toxicity(chart: Chart, code: str) -> str:
    counted = _counted(chart, code)
    counts = " counts" if found.organ_axis(counted) is Axis.NEURO else ""
    return f"{found.phrase_of_toxicities(counted)}{counts}"


def _line(code: str, axis: Axis | Callable[[Chart], Axis], phrase: Words) -> ScaleRule:
    """Return a line of Table 2 as a rule to compare other scales with."""
    rule = LEE_2014.rules[code]
    return ScaleRule(
        code,
        axis,
        rule.grade_from_policy or rule.grade,
        lambda chart: code in chart.headline_codes,
        lambda chart: Finding(code, _explain(chart, code)),
        rule.citation,
        phrase,
    )


def _toxicity_line(code: str) -> ScaleRule:
    return _line(
        code,
        lambda chart: found.organ_axis(_counted(chart, code)),
        lambda chart: _phrase_of_toxicity(chart, code),
    )


def _doubts(chart: Chart) -> tuple[Doubt, ...]:
    """Return what Lee's grade leaves unknown, with what it could reach."""
    return tuple([_doubt(code, reach) for code, reach in chart.headline_unknown])


def _doubt(code: str, reach: int) -> Doubt:
    return Doubt(code, lambda _c, _m: reach, lambda chart: Finding(code, _explain(chart, code)))


LEE_SCALE: Final = Scale(
    key=LEE_2014.key,
    title=LEE_2014.name,
    short="Lee",
    sources=("lee-2014",),
    rules=(
        _line(FEVER, Axis.FEVER, found.phrase_of_fever),
        _line(CONSTITUTIONAL, Axis.CONSTITUTIONAL, "symptoms without fever count"),
        _toxicity_line(TOXICITY[1]),
        _line(BELOW_40, Axis.OXYGEN, found.phrase_below_40),
        _line(LOW_PRESSURE, Axis.HYPOTENSION, found.phrase_of_hypotension),
        _line(FLUID_BOLUS, Axis.HYPOTENSION, found.phrase_of_hypotension),
        _line(SINGLE_LOW_DOSE, Axis.VASOPRESSOR, "one vasopressor, not at Table 3's dose for 3 h"),
        _toxicity_line(TOXICITY[2]),
        _line(
            AT_LEAST_40,
            Axis.OXYGEN,
            found.phrase_at_least_40,
        ),
        _line(CPAP, Axis.OXYGEN, "CPAP is support without a tube"),
        _line(BIPAP, Axis.OXYGEN, "BiPAP is support without a tube"),
        _line(HIGH_DOSE, Axis.VASOPRESSOR, "Table 3's dose for 3 h"),
        _line(MULTIPLE, Axis.VASOPRESSOR, "two vasopressors, vasopressin counted"),
        _line(REFRACTORY, Axis.HYPOTENSION, "judged not to respond to fluids and one vasopressor"),
        _toxicity_line(TOXICITY[3]),
        _toxicity_line(TRANSAMINITIS),
        _line(VENTILATOR, Axis.OXYGEN, "ventilator support"),
        _toxicity_line(TOXICITY[4]),
        _line(LIFE_THREATENING, Axis.JUDGEMENT, found.phrase_of_judged),
    ),
    silence={
        Axis.NEURO: "no neurotoxicity with a CTCAE grade that counts",
        Axis.SETTING: "does not grade the place of care",
    },
    more_doubts=_doubts,
    dies_of=None,
    death_citation=LEE_2014.rules[DEATH].citation,
)
"""The same table as a scale, to compare other scales with; its codes are found once, above."""
