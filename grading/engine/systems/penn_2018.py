"""The Penn grading scale of CRS, Porter et al., J Hematol Oncol 2018;11:35."""

from __future__ import annotations

from typing import Final

from grading.engine import scale_findings as found
from grading.engine.chart import Chart
from grading.engine.entries import Admission, BloodProduct, Treatment
from grading.engine.evidence import Citation
from grading.engine.organ_toxicity import TermResult
from grading.engine.oxygen import NON_INVASIVE, VENTILATION
from grading.engine.periods import Explained
from grading.engine.scale import Axis, Doubt, Finding, Met, Rule, Scale
from grading.engine.scale_findings import of_entry
from grading.engine.scale_vocabulary import AdmissionSetting
from grading.engine.sentences import inside_a_sentence, minutes_text
from grading.engine.vocabulary import term_label

_LIVER: Final = frozenset({"alt", "ast", "alp", "ggt", "bilirubin"})
_CLOTTING: Final = frozenset(
    {"fibrinogen", "aptt", "inr", "disseminated_intravascular_coagulation"}
)
_GRADE_OF_LIVER: Final = {1: 1, 2: 1, 3: 2, 4: 3}
_GRADE_OF_CLOTTING: Final = {1: 1, 2: 2, 3: 2, 4: 2}
_GRADE_OF_RESULT: Final = {1: 1, 2: 2, 3: 3, 4: 3}
_CTCAE_4: Final = 4
_SEVERAL_BOLUSES: Final = 3
_HIGH_DOSE: Final = 4
_HOSPITALISED: Final = 2


def _penn(grade: int) -> Citation:
    return Citation("penn-2018", f"grade {grade}")


def _neurologic(chart: Chart) -> bool:
    return chart.policy.penn_neuro_counts


def toxicity_grade(chart: Chart, result: TermResult, ctcae: int) -> int:
    """Return Penn's grade of a counted toxicity of CTCAE grade ``ctcae``."""
    if result.term in _LIVER:
        return _GRADE_OF_LIVER[ctcae]
    if result.term in _CLOTTING:
        return _GRADE_OF_CLOTTING[ctcae]
    if result.from_laboratory:
        return _GRADE_OF_RESULT[ctcae]
    return chart.policy.penn_ctcae_4_grade if ctcae == _CTCAE_4 else ctcae


def _of_grade(chart: Chart, grade: int) -> list[TermResult]:
    return [
        item
        for item in chart.toxicities(neurologic=_neurologic(chart))
        if item.ctcae is not None and toxicity_grade(chart, item, item.ctcae) == grade
    ]


def _organ_rule(grade: int) -> Rule:
    def phrase(chart: Chart) -> str:
        return ", ".join(
            [
                f"{term_label(item.term)} CTCAE {item.ctcae} is grade {grade} in Penn"
                for item in _of_grade(chart, grade)
            ]
        )

    return Rule(
        f"penn.organ_toxicity.grade_{grade}",
        Axis.ORGAN,
        grade,
        lambda chart: bool(_of_grade(chart, grade)),
        lambda chart: found.toxicities(_of_grade(chart, grade)),
        _penn(grade),
        phrase,
    )


def _needs_oxygen(chart: Chart) -> bool:
    """Oxygen at any FiO2, or positive pressure without a tube, for hypoxia."""
    device = chart.device
    if not chart.for_hypoxia or device is None or device in VENTILATION:
        return False
    return device in NON_INVASIVE or chart.needed is not None


def _in_hospital(chart: Chart) -> Admission | None:
    """Return the latest admission where it counts and is not at home."""
    entry = chart.past.admission
    if entry is None or not entry.counts or entry.setting is AdmissionSetting.HOME:
        return None
    return entry


def _is_hospitalised(chart: Chart) -> bool:
    entry = _in_hospital(chart)
    return entry is not None and entry.because_of_crs is True


def _hospital_reach(chart: Chart, met: Met) -> int:
    if not met.others:
        return 0
    entry = _in_hospital(chart)
    not_stated = entry is not None and entry.because_of_crs is None
    return _HOSPITALISED if chart.past.admission is None or not_stated else 0


def _show_admission(chart: Chart) -> Finding:
    entry = chart.past.admission
    if entry is None:
        return Finding("penn.admission_not_known", Explained((), {}))
    sentence = "penn.hospitalised" if entry.because_of_crs else "penn.admission_not_known"
    return Finding(sentence, of_entry(entry, {"setting": str(entry.setting)}))


def _show_therapy(chart: Chart) -> Finding:
    entry = _given(chart.past.iv_therapy)
    params = {
        "agent": str(entry.agent),
        "hold_minutes": str(chart.policy.penn_iv_therapy_hold_minutes),
    }
    return Finding("treatment.given", of_entry(entry, params))


def _given(entry: Treatment | None) -> Treatment:
    if entry is None:
        raise ValueError("no treatment is charted")
    return entry


def _show_product(chart: Chart) -> Finding:
    entry: BloodProduct | None = chart.past.product
    if entry is None:
        raise ValueError("no blood product is charted")
    params = {
        "product": str(entry.product),
        "hold_minutes": str(chart.policy.penn_product_hold_minutes),
    }
    return Finding("product.given", of_entry(entry, params))


def _phrase_of_therapy(chart: Chart) -> str:
    entry = _given(chart.past.iv_therapy)
    return f"{inside_a_sentence(entry.agent.label)} given {found.phrase_of_time(entry, chart)}"


def _phrase_of_boluses(chart: Chart) -> str:
    within = minutes_text(chart.policy.penn_multiple_bolus_minutes)
    return f"two boluses or more within {within} are grade {_SEVERAL_BOLUSES} in Penn"


def _dose_reach(chart: Chart, _met: Met) -> int:
    circulation = chart.circulation
    unknown = any(circulation.lacks_dose(drug) for drug in chart.running)
    return _HIGH_DOSE if unknown and not chart.high_dose else 0


def _pressure_reach(chart: Chart) -> int:
    """Several boluses, whatever their purpose, would be grade 3 at a low pressure."""
    if chart.several_boluses_at_any_pressure:
        return _SEVERAL_BOLUSES
    return chart.policy.penn_single_bolus_grade


def _ungraded_reach(chart: Chart) -> int:
    return chart.policy.penn_ctcae_4_grade


RULES: Final = (
    Rule(
        "penn.fever", Axis.FEVER, 1, lambda chart: chart.fever, found.fever, _penn(1),
        found.phrase_of_fever,
    ),
    Rule(
        "penn.constitutional", Axis.CONSTITUTIONAL, 1, lambda chart: chart.symptoms,
        found.symptoms, _penn(1), "symptoms without fever count",
    ),
    *(_organ_rule(grade) for grade in (1, 2)),
    Rule(
        "penn.hospitalised", Axis.SETTING, _HOSPITALISED, _is_hospitalised, _show_admission,
        _penn(2), "in hospital because of CRS", beside_others=True,
    ),
    Rule(
        "penn.iv_therapy", Axis.SETTING, 2,
        lambda chart: chart.within(
            chart.past.iv_therapy, chart.policy.penn_iv_therapy_hold_minutes
        ),
        _show_therapy, _penn(2), _phrase_of_therapy, beside_others=True,
    ),
    Rule(
        "penn.hypotension", Axis.HYPOTENSION, "penn_single_bolus_grade",
        lambda chart: chart.low_or_held, found.hypotension,
        Citation("decision", "low pressure or one bolus; the table names several boluses"),
        found.phrase_of_hypotension,
    ),
    _organ_rule(3),
    Rule(
        "penn.hypotension.multiple_boluses", Axis.HYPOTENSION, _SEVERAL_BOLUSES,
        lambda chart: chart.several_boluses, found.fluid_bolus, _penn(3),
        _phrase_of_boluses,
    ),
    Rule(
        "penn.vasopressor.low_dose", Axis.VASOPRESSOR, 3,
        lambda chart: bool(chart.running) and not chart.high_dose, found.running, _penn(3),
        "any vasopressor below high dose, one or several",
    ),
    Rule(
        "penn.oxygen", Axis.OXYGEN, 3, _needs_oxygen, found.oxygen, _penn(3),
        "any oxygen is grade 3 in Penn",
    ),
    Rule(
        "penn.coagulopathy", Axis.ORGAN, 3,
        lambda chart: chart.within(chart.past.product, chart.policy.penn_product_hold_minutes),
        _show_product, _penn(3), "a clotting product was needed",
    ),
    _organ_rule(4),
    Rule(
        "penn.vasopressor.high_dose", Axis.VASOPRESSOR, _HIGH_DOSE,
        lambda chart: chart.high_dose, found.high_dose, _penn(4), "high dose is grade 4 in Penn",
    ),
    Rule(
        "penn.ventilator", Axis.OXYGEN, 4,
        lambda chart: chart.for_hypoxia and chart.device in VENTILATION, found.device, _penn(4),
        "ventilation by a tube is grade 4 in Penn",
    ),
    Rule(
        "life_threatening", Axis.JUDGEMENT, 4, lambda chart: chart.life_threatening,
        found.life_threatening, _penn(4), found.phrase_of_judged,
    ),
)  # fmt: skip

PENN_2018: Final = Scale(
    key="penn-2018",
    title="Penn 2018",
    short="Penn",
    sources=("penn-2018",),
    rules=RULES,
    silence={Axis.NEURO: "neurotoxicity is graded apart"},
    doubts=(
        Doubt("penn.hospitalised", _hospital_reach, _show_admission),
        Doubt("penn.vasopressor.dose", _dose_reach, found.running),
        found.ungraded_doubt(_ungraded_reach, _neurologic),
        found.LIFE_THREATENING_DOUBT,
        *found.pressure_doubts(_pressure_reach),
    ),
    more_doubts=found.result_doubts(toxicity_grade),
    parameters=(
        "penn_neuro_counts", "penn_ctcae_4_grade", "penn_single_bolus_grade",
        "penn_multiple_bolus_minutes", "penn_iv_therapy_hold_minutes", "penn_product_hold_minutes",
    ),
    unverified=("dose table", "neurotoxicity graded apart"),
    death_citation=_penn(5),
)  # fmt: skip
