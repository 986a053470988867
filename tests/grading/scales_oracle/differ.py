"""Why a scale differs from Lee's at an instant, and which frequent patterns of it hold."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from tests.grading import oracle
from tests.grading.scales_oracle import facts
from tests.grading.scales_oracle.answers import LEE, SCALES, answer_at
from tests.grading.scales_oracle.facts import Answer, ScaleChart


def differ_at(chart: ScaleChart, t: datetime, keys: Iterable[str] = tuple(SCALES)) -> list[Any]:
    """One row for each deciding criterion of the higher of Lee and another scale."""
    rows = []
    for key in keys:
        pair = sorted(
            ((LEE, answer_at(chart, t, LEE)), (key, answer_at(chart, t, key))),
            key=lambda named: -1 if named[1].grade is None else named[1].grade,
        )
        (lower_key, lower), (higher_key, higher) = pair
        if lower.grade is None or lower.grade == higher.grade:
            continue
        for code, criterion in sorted(higher.met.items()):
            if criterion.grade == higher.grade:
                rows.append(row(higher_key, code, criterion.axis, lower_key, lower))
    return rows


def row(higher: str, code: str, axis: str, lower: str, answer: Answer) -> dict[str, Any]:
    on_axis = [
        (criterion.grade, other)
        for other, criterion in answer.met.items()
        if criterion.axis == axis
    ]
    grade, lower_code = max(on_axis, default=(0, None))
    return {
        "higher": higher,
        "code": code,
        "axis": axis,
        "lower": lower,
        "lower_code": lower_code,
        "lower_grade": grade,
        "withheld": sorted(c for c, criterion in answer.withheld.items() if criterion.axis == axis),
    }


ORDER_OF_DISPLAY = ("W6", "W3", "W2", "W5", "W1", "W4", "W9", "W7", "W8", "W10")


def patterns_at(chart: ScaleChart, t: datetime) -> list[str]:
    """The ids of the ten frequent patterns of discordance that hold, in the order of display."""
    death = oracle.first_death(chart)
    if death is not None and death.at <= t:
        return []
    of_paper = {**patterns_of_circulation(chart, t), **patterns_of_oxygen(chart, t)}
    holds = {**of_paper, **other_patterns(chart, t)}
    return [name for name in ORDER_OF_DISPLAY if holds[name]]


def codes(chart: ScaleChart, t: datetime, key: str) -> set[str]:
    return set(answer_at(chart, t, key).met)


def grades(chart: ScaleChart, t: datetime) -> dict[str, int]:
    return {key: answer_at(chart, t, key).grade or 0 for key in (LEE, *SCALES)}


def patterns_of_circulation(chart: ScaleChart, t: datetime) -> dict[str, bool]:
    grade = grades(chart, t)
    lee, astct, penn = (grade[key] for key in (LEE, "astct-2019", "penn-2018"))
    one_runs = len(oracle.running(chart, t)) == 1
    high_or_several = {"vasopressor.multiple", "vasopressor.high_dose"} & codes(chart, t, LEE)
    several_boluses = "penn.hypotension.multiple_boluses" in codes(chart, t, "penn-2018")
    return {
        "W1": one_runs and not facts.high_dose(chart, t) and astct > lee,
        "W7": several_boluses and penn > astct,
        "W9": bool(high_or_several) and len({lee, astct, penn}) > 1,
    }


def patterns_of_oxygen(chart: ScaleChart, t: datetime) -> dict[str, bool]:
    grade = grades(chart, t)
    lee, astct, penn = (grade[key] for key in (LEE, "astct-2019", "penn-2018"))
    by_lee, by_astct = codes(chart, t, LEE), codes(chart, t, "astct-2019")
    support = facts.oxygen(chart, t)
    penn_oxygen = support.by_fio2 is not None and "penn.oxygen" in codes(chart, t, "penn-2018")
    low_flow = support.device == "nasal_cannula" and "astct.hypoxia.low_flow" in by_astct
    high_flow = "astct.hypoxia.high_flow" in by_astct
    return {
        "W3": penn_oxygen and penn > lee,
        "W4": high_flow and "oxygen.below_40" in by_lee and astct > lee,
        "W5": low_flow and "oxygen.at_least_40" in by_lee and lee > astct,
    }


def other_patterns(chart: ScaleChart, t: datetime) -> dict[str, bool]:
    grade = grades(chart, t)
    lee, astct, penn = (grade[key] for key in (LEE, "astct-2019", "penn-2018"))
    icans, cartox = grade["icans-2019"], grade["cartox-2018"]
    met = answer_at(chart, t, LEE).met
    organs = [c.grade for code, c in met.items() if code.startswith("organ_toxicity.")]
    neurologic = any(criterion.axis == "neuro" for criterion in met.values())
    setting = {"penn.hospitalised", "penn.iv_therapy"} & codes(chart, t, "penn-2018")
    return {
        "W2": lee in organs and astct < lee,
        "W6": penn == 2 and penn > lee and bool(setting),
        "W8": lee >= 1 and not codes(chart, t, "astct-2019"),
        "W10": (neurologic and lee > cartox) or (icans >= 1 and icans != lee),
    }
