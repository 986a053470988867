"""The questions about support, treatment and other toxicity."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from fractions import Fraction
from typing import Any, Final

from grading.engine.algorithm.tree import CORTICOSTEROIDS
from grading.engine.entries import Entry, FluidBolus, Treatment, Weight
from grading.engine.units import format_number
from grading.engine.vocabulary import TreatmentAgent
from patients.display.text import date_time_text, entry_text, moment_text, range_text, weight_at
from patients.summary.answer import (
    Answer,
    Section,
    State,
    hours_text,
    instant,
    not_known,
    number,
    seconds,
    time_text,
)
from patients.summary.answers_course import Episode
from patients.summary.facts import Doses
from patients.summary.spans import Span, total

_SUPPORT, _TREATMENT, _OTHER = Section.SUPPORT, Section.TREATMENT, Section.OTHER
OTHER_DRUGS: Final = (
    TreatmentAgent.SILTUXIMAB,
    TreatmentAgent.ANAKINRA,
    TreatmentAgent.ETANERCEPT,
    TreatmentAgent.INFLIXIMAB,
    TreatmentAgent.OTHER,
)
_NONE_CHARTED: Final = "none charted"
_NOBODY: Final = "none charted; nobody has stated that none were given"
_LISTED: Final = 6
"""Doses that an answer names; the others are counted, and open with the entries."""


def support_answers(episode: Episode) -> Iterable[Answer]:
    yield _vasopressors(episode)
    yield _equivalent(episode)
    yield _oxygen(episode)
    yield _fio2(episode)
    yield _ventilation(episode)
    yield _lvef(episode)


def _spans_text(spans: Sequence[Span]) -> str:
    first = range_text(spans[0].start, spans[-1].end)
    return first if len(spans) == 1 else f"{first}, in {len(spans)} parts"


def _other_cause(ids: Sequence[str]) -> tuple[str, ...]:
    if not ids:
        return ()
    entries = "1 entry" if len(ids) == 1 else f"{len(ids)} entries"
    return (f"{entries} of another cause not counted",)


def _spans_json(spans: Iterable[Span]) -> list[dict[str, str]]:
    return [{"from": instant(one.start), "to": instant(one.end)} for one in spans]


def _going_on(episode: Episode, what: str) -> str:
    """Return the words for a support that was not stopped; of a closed course, by its end."""
    return f"{what} at end of course" if episode.chart.is_closed else f"still {what}"


def _vasopressors(episode: Episode) -> Answer:
    key, question = "crs.vasopressor.hours", "Vasopressors"
    found = episode.facts.vasopressors
    left_out = [*_other_cause(found.for_other_cause)]
    if found.not_counted:
        left_out.append("an inotrope was charted, which Lee does not count")
    if not found.spans:
        return not_known(key, _SUPPORT, question, _NOBODY, details=(_NONE_CHARTED, *left_out))
    drugs = [f"{drug.label} {hours_text(total(spans))}" for drug, spans in found.by_drug.items()]
    going_on = (_going_on(episode, "running"),) if found.runs_on else ()
    value = {
        "seconds": seconds(found.time),
        "spans": _spans_json(found.spans),
        "by_drug_s": {str(drug): seconds(total(spans)) for drug, spans in found.by_drug.items()},
    }
    return Answer(
        key, _SUPPORT, question, State.YES, f"Yes: {hours_text(found.time)}", value,
        (_spans_text(found.spans), ", ".join(drugs), *going_on, *left_out),
        (*found.evidence, *found.for_other_cause),
    )  # fmt: skip


def _equivalent(episode: Episode) -> Answer:
    key, question = "crs.vasopressor.max", "Highest norepinephrine equivalent"
    found = episode.facts.vasopressors
    if found.highest is None or found.highest_during is None:
        return not_known(key, _SUPPORT, question, "no vasopressor is charted")
    during = found.highest_during
    details = [range_text(during.start, during.end)]
    high = f"at a high dose by Table 3 for {hours_text(found.high_dose)}"
    details.append(high if found.high_dose else "never at a high dose by Table 3")
    if not found.is_complete:
        details.append("a dose was not known at some time: it may have been higher")
    value = {
        "ug_per_min": number(found.highest),
        "from": instant(during.start),
        "to": instant(during.end),
        "high_dose_s": seconds(found.high_dose),
        "every_dose_known": found.is_complete,
    }
    if not found.highest and not (found.is_complete and found.has_equivalent):
        return not_known(
            key, _SUPPORT, question, "the drugs that ran have no equivalent, or no known dose",
            details=details,
        )  # fmt: skip
    if not found.highest:
        details.append("vasopressin has no term in the equation of Table 3")
    at_least = "" if found.is_complete else "at least "
    text = f"{at_least}{format_number(found.highest)} mcg/min"
    return Answer(
        key, _SUPPORT, question, State.ANSWERED, text, value, tuple(details),
        found.highest_evidence, ((during.start, "why"),),
    )  # fmt: skip


def _no_device(episode: Episode) -> str:
    return "" if episode.facts.oxygen.device_since is not None else "no oxygen device is charted"


def _since_device(episode: Episode) -> str:
    since = episode.facts.oxygen.device_since
    return "" if since is None else f"a device is charted from {date_time_text(since)} on"


def _oxygen(episode: Episode) -> Answer:
    key, question = "crs.oxygen.days", "Oxygen"
    found = episode.facts.oxygen
    left_out = _other_cause(found.for_other_cause)
    if not found.spans:
        if missing := _no_device(episode):
            return not_known(key, _SUPPORT, question, missing, details=left_out)
        details = (_since_device(episode), *left_out)
        return Answer(
            key, _SUPPORT, question, State.NO, "No", "no", details,
            found.devices, why=(_since_device(episode),),
        )  # fmt: skip
    days = "1 calendar day" if len(found.days) == 1 else f"{len(found.days)} calendar days"
    going_on = f", {_going_on(episode, 'on oxygen')}" if found.goes_on else ""
    value = {
        "seconds": seconds(found.time),
        "calendar_days": len(found.days),
        "spans": _spans_json(found.spans),
    }
    return Answer(
        key, _SUPPORT, question, State.YES, f"Yes: {hours_text(found.time)}{going_on}", value,
        (days, _spans_text(found.spans), *left_out), (*found.evidence, *found.for_other_cause),
    )  # fmt: skip


def _fio2(episode: Episode) -> Answer:
    key, question = "crs.oxygen.fio2.max", "Highest FiO2"
    found = episode.facts.oxygen
    if found.highest_fio2 is None:
        why = "no oxygen was needed" if not found.evidence else "oxygen without a known FiO2"
        return not_known(key, _SUPPORT, question, _no_device(episode) or why)
    details = ("estimated from the flow or the device",) if found.is_estimated else ()
    if not found.is_complete:
        details = (*details, "the FiO2 was not known at some time: it may have been higher")
    value = {"percent": number(found.highest_fio2), "is_estimated": found.is_estimated}
    at_least = "" if found.is_complete else "at least "
    text = f"{at_least}{format_number(found.highest_fio2)} %"
    return Answer(
        key, _SUPPORT, question, State.ANSWERED, text, value, details, found.highest_evidence
    )


def _ventilation(episode: Episode) -> Answer:
    key, question = "crs.ventilation", "Ventilator, BiPAP, CPAP or ECMO"
    found = episode.facts.ventilation
    left_out = _other_cause(found.for_other_cause)
    if found.by_device:
        devices = [f"{one.label} {hours_text(total(s))}" for one, s in found.by_device.items()]
        every = [span for spans in found.by_device.values() for span in spans]
        value: dict[str, Any] = {
            "seconds": seconds(total(every)),
            "by_device_s": {str(one): seconds(total(s)) for one, s in found.by_device.items()},
        }
        going_on = f", {_going_on(episode, 'on it')}" if found.goes_on else ""
        return Answer(
            key, _SUPPORT, question, State.YES, f"Yes: {hours_text(total(every))}{going_on}", value,
            (", ".join(devices), *left_out), (*found.evidence, *found.for_other_cause),
        )  # fmt: skip
    if missing := _no_device(episode):
        return not_known(key, _SUPPORT, question, missing)
    since = _since_device(episode)
    return Answer(
        key, _SUPPORT, question, State.NO, "No", "no", (since, *left_out),
        episode.facts.oxygen.devices, why=(since,),
    )  # fmt: skip


def _lvef(episode: Episode) -> Answer:
    key, question = "crs.cardiac.lvef.min", "Heart function, lowest LVEF"
    lowest = episode.facts.lowest_lvef
    if lowest is None:
        return not_known(key, _SUPPORT, question, "no LVEF result is charted")
    value = {"percent": number(lowest.value), "at": instant(lowest.at)}
    return Answer(
        key, _SUPPORT, question, State.ANSWERED, f"{format_number(lowest.value)} %", value,
        (date_time_text(lowest.at),), (lowest.entry_id,),
    )  # fmt: skip


def treatment_answers(episode: Episode) -> Iterable[Answer]:
    agents = [TreatmentAgent.TOCILIZUMAB, *CORTICOSTEROIDS, *OTHER_DRUGS]
    yield _was_treated(episode, agents)
    yield _drug(episode, "crs.rx.tocilizumab", "Tocilizumab", (TreatmentAgent.TOCILIZUMAB,))
    yield _drug(episode, "crs.rx.steroids", "Corticosteroids", CORTICOSTEROIDS)
    yield _drug(episode, "crs.rx.other", "Other drugs for CRS", OTHER_DRUGS)
    yield _boluses(episode)
    yield _drug(episode, "crs.rx.antibiotics", "Antibiotics", (TreatmentAgent.ANTIBIOTICS,))
    yield _drug(episode, "crs.rx.antipyretics", "Antipyretics", (TreatmentAgent.ANTIPYRETIC,))


def _was_treated(episode: Episode, agents: Sequence[TreatmentAgent]) -> Answer:
    key, question = "crs.rx", "Was a drug given for CRS?"
    doses = [one for agent in agents for one in episode.facts.treatments[agent].doses]
    if not doses:
        return not_known(key, _TREATMENT, question, _NOBODY, details=(_NONE_CHARTED,))
    agents_given = [agent.label for agent in agents if episode.facts.treatments[agent].doses]
    value = [str(agent) for agent in agents if episode.facts.treatments[agent].doses]
    return Answer(
        key, _TREATMENT, question, State.YES, "Yes", value, (", ".join(agents_given),),
        tuple(one.id for one in doses),
    )  # fmt: skip


def _drug(episode: Episode, key: str, question: str, agents: Sequence[TreatmentAgent]) -> Answer:
    found = [episode.facts.treatments[agent] for agent in agents]
    doses = _in_order(one for every in found for one in every.doses)
    before = _in_order(one for every in found for one in every.before_infusion)
    others = _in_order(one for every in found for one in every.for_other_cause)
    details = [*_before_text(before), *_other_cause([one.id for one in others])]
    evidence = tuple(one.id for one in (*before, *doses, *others))
    if not doses:
        answer = not_known(key, _TREATMENT, question, _NOBODY, details=(_NONE_CHARTED, *details))
        return answer if not evidence else _with_evidence(answer, evidence)
    count = "1 dose" if len(doses) == 1 else f"{len(doses)} doses"
    weights = [one for one in episode.chart.entries if isinstance(one, Weight)]
    infused_at = episode.chart.infused_at
    lines = [_dose_text(one, weights, infused_at) for one in doses[:_LISTED]]
    more = [f"and {len(doses) - _LISTED} more"] if len(doses) > _LISTED else []
    value = [_dose_json(one, weights) for one in doses]
    return Answer(
        key, _TREATMENT, question, State.YES, count, value, (*lines, *more, *details), evidence
    )


def _with_evidence(answer: Answer, evidence: tuple[str, ...]) -> Answer:
    return Answer(
        answer.key, answer.section, answer.question, answer.state, answer.text,
        details=answer.details, evidence=evidence, why=answer.why,
    )  # fmt: skip


def _in_order(entries: Iterable[Entry]) -> list[Treatment]:
    found = [one for one in entries if isinstance(one, Treatment)]
    return sorted(found, key=lambda one: (one.at, one.recorded_at, one.id))


def _before_text(before: Sequence[Treatment]) -> tuple[str, ...]:
    if not before:
        return ()
    doses = ", ".join(f"{entry_text(one)} {moment_text(one.at)}" for one in before[-_LISTED:])
    return (f"before the infusion: {doses}",)


def _per_kg(dose: Treatment, weights: Sequence[Weight]) -> Fraction | None:
    """Return a dose in mg/kg of the weight that was charted by then; None where one is missing."""
    weight_kg = weight_at(weights, dose.at)
    if dose.dose_mg is None or weight_kg is None:
        return None
    return Fraction(dose.dose_mg) / Fraction(weight_kg)


_WITHOUT_DETAILS: Final = (TreatmentAgent.ANTIBIOTICS, TreatmentAgent.ANTIPYRETIC)


def _dose_text(dose: Treatment, weights: Sequence[Weight], infused_at: datetime) -> str:
    if dose.agent in _WITHOUT_DETAILS:
        return f"{entry_text(dose)}, {moment_text(dose.at)}"
    amount = "dose not charted" if dose.dose_mg is None else f"{format_number(dose.dose_mg)} mg"
    per_kg = _per_kg(dose, weights)
    if per_kg is not None and dose.agent is TreatmentAgent.TOCILIZUMAB:
        amount += f" ({format_number(per_kg, 1)} mg/kg)"
    name = "" if dose.agent is TreatmentAgent.TOCILIZUMAB else f"{dose.agent.label} "
    note = f": {dose.note}" if dose.agent is TreatmentAgent.OTHER and dose.note else ""
    after = time_text(dose.at - infused_at)
    return f"{name}{amount}{note}, {moment_text(dose.at)}, {after} after infusion"


def _dose_json(dose: Treatment, weights: Sequence[Weight]) -> dict[str, Any]:
    per_kg = _per_kg(dose, weights)
    return {
        "agent": str(dose.agent),
        "at": instant(dose.at),
        "dose_mg": None if dose.dose_mg is None else number(dose.dose_mg),
        "dose_mg_per_kg": None if per_kg is None else number(per_kg),
    }


def _boluses(episode: Episode) -> Answer:
    key, question = "crs.rx.fluid", "Fluid boluses"
    found: Doses = episode.facts.boluses
    boluses = [one for one in found.doses if isinstance(one, FluidBolus)]
    others = _other_cause([one.id for one in found.for_other_cause])
    if not boluses:
        return not_known(key, _TREATMENT, question, _NOBODY, details=(_NONE_CHARTED, *others))
    volume = sum(one.volume_ml for one in boluses)
    count = "1 bolus" if len(boluses) == 1 else f"{len(boluses)} boluses"
    lines = [f"{format_number(one.volume_ml)} mL, {moment_text(one.at)}" for one in boluses]
    more = [f"and {len(lines) - _LISTED} more"] if len(lines) > _LISTED else []
    value = [{"at": instant(one.at), "volume_ml": number(one.volume_ml)} for one in boluses]
    ids = tuple(one.id for one in (*boluses, *found.for_other_cause))
    return Answer(
        key, _TREATMENT, question, State.YES, f"{count}, {format_number(volume)} mL", value,
        (*lines[:_LISTED], *more, *others), ids,
    )  # fmt: skip


def toxicity_answers(episode: Episode) -> Iterable[Answer]:
    """Yield organ toxicities of grade 3 or more; those that Lee counts, with their first time."""
    key, question = "organ.grade3_4", "Organ toxicity, grade 3 or 4"
    found = episode.facts.severe_organ_toxicity
    if not found:
        why = "none in what was charted; what was never measured is not known"
        yield not_known(key, _OTHER, question, why)
        return
    lines = [
        f"{one.criteria[0].explanation}, from {moment_text(one.at)}" for one in found[:_LISTED]
    ]
    value = [
        {"at": instant(one.at), "code": one.criteria[0].code, "grade": one.criteria[0].grade}
        for one in found
    ]
    yield Answer(
        key, _OTHER, question, State.YES, "Yes", value, tuple(lines),
        tuple(dict.fromkeys(id_ for one in found for id_ in one.evidence)),
        tuple((one.at, "why") for one in found[:_LISTED]),
    )  # fmt: skip
