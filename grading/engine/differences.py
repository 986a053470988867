"""Why two scales differ at an instant: the deciding criteria of the higher, and the lower's view.

Nothing is averaged: each scale has its own answer, and a difference is explained by what each
makes of the same thing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from grading.engine.chart import Chart
from grading.engine.scale import Assessment, Axis, Scale, phrase_in
from grading.engine.scale_vocabulary import DeathCause
from grading.engine.systems.icans_2019 import ICANS_2019

Codes = tuple[tuple[str, int], ...]


class Assessed(NamedTuple):
    """A scale and what it makes of the chart."""

    scale: Scale
    assessment: Assessment


class Difference(NamedTuple):
    """One reason why ``higher`` is higher: what it counts, and what ``lower`` makes of the same.

    ``lower_code`` None and ``lower_grade`` 0: the lower scale has nothing on that axis.
    ``withheld`` is what the lower scale withholds there, with the grade it would have.
    """

    higher: Scale
    higher_grade: int
    code: str
    axis: Axis
    lower: Scale
    lower_overall: int
    lower_code: str | None
    lower_grade: int
    withheld: Codes
    higher_text: str
    lower_text: str

    @property
    def text(self) -> str:
        return (
            f"{self.higher.short} {self.higher_grade}: {self.higher_text}. "
            f"{self.lower.short} {self.lower_overall}: {self.lower_text}."
        )

    def as_json(self) -> dict[str, Any]:
        return {
            "higher": self.higher.key,
            "code": self.code,
            "axis": str(self.axis),
            "lower": self.lower.key,
            "lower_code": self.lower_code,
            "lower_grade": self.lower_grade,
            "withheld": [{"code": code, "grade": grade} for code, grade in self.withheld],
            "text": self.text,
        }


def differences(
    chart: Chart, headline: Assessed, others: Iterable[Assessed]
) -> tuple[Difference, ...]:
    """Return why each of ``others`` differs from ``headline``, highest scale first."""
    found: list[Difference] = []
    for other in others:
        found += between(chart, headline, other)
    return tuple(sorted(found, key=lambda one: -one.higher_grade))


def between(chart: Chart, one: Assessed, other: Assessed) -> list[Difference]:
    """Return why two scales differ; nothing where they agree, or one of them has ended."""
    grade, other_grade = one.assessment.grade, other.assessment.grade
    if grade is None or other_grade is None or grade == other_grade:
        return []
    higher, lower = (one, other) if grade > other_grade else (other, one)
    return [
        _difference(chart, higher, lower, code)
        for code, of_code in higher.assessment.met
        if of_code == higher.assessment.grade
    ]


def _difference(chart: Chart, higher: Assessed, lower: Assessed, code: str) -> Difference:
    axis = higher.scale.axes(chart, ((code, 0),))[code]
    lower_code, lower_grade = _highest_on(chart, lower.scale, lower.assessment.met, axis)
    withheld = _on(chart, lower.scale, lower.assessment.withheld, axis)
    return Difference(
        higher.scale,
        higher.assessment.grade or 0,
        code,
        axis,
        lower.scale,
        lower.assessment.grade or 0,
        lower_code,
        lower_grade,
        withheld,
        _phrase(chart, higher.scale, code),
        _lower_text(chart, lower.scale, axis, lower_code, withheld),
    )


def _on(chart: Chart, scale: Scale, codes: Codes, axis: Axis) -> Codes:
    axes = scale.axes(chart, codes)
    return tuple([item for item in codes if axes[item[0]] is axis])


def _highest_on(chart: Chart, scale: Scale, codes: Codes, axis: Axis) -> tuple[str | None, int]:
    """Return the highest criterion on an axis; of equal grades the last by its code."""
    on_axis = _on(chart, scale, codes, axis)
    if not on_axis:
        return None, 0
    return max(on_axis, key=lambda item: (item[1], item[0]))


def _phrase(chart: Chart, scale: Scale, code: str) -> str:
    return scale.by_code[code].phrase_in(chart)


def _lower_text(chart: Chart, scale: Scale, axis: Axis, code: str | None, withheld: Codes) -> str:
    if withheld and scale.gate is not None:
        what = ", ".join(
            [f"{_phrase(chart, scale, one)} (would be {grade})" for one, grade in withheld]
        )
        return f"{phrase_in(scale.gate.phrase, chart)}. Withheld: {what}"
    if code is not None:
        return _phrase(chart, scale, code)
    if axis is Axis.OXYGEN and chart.device is not None and not chart.for_hypoxia:
        return "the device protects the airway, which is no hypoxia"
    silence = scale.silence.get(axis, "nothing charted that counts there")
    if axis is Axis.NEURO and scale.dies_of is DeathCause.CRS:
        return f"{silence} ({_icans(chart)})"
    return silence


def _icans(chart: Chart) -> str:
    """Return what ICANS, which grades neurotoxicity apart, says of the same chart."""
    icans = ICANS_2019.assess(chart)
    if icans.at_most == icans.grade:
        return f"ICANS {icans.grade}"
    return f"ICANS {icans.grade}, could be {icans.at_most}"


class Pattern(NamedTuple):
    """A frequent reason why scales disagree; ids are stable."""

    id: str
    name: str


PATTERNS = (
    Pattern("W6", "fever only, in hospital or on intravenous therapy for it"),
    Pattern("W3", "any oxygen below 40 %"),
    Pattern("W2", "fever with laboratory or organ toxicity only"),
    Pattern("W5", "nasal cannula at 5 to 6 L/min"),
    Pattern("W1", "one vasopressor at low dose"),
    Pattern("W4", "mask or high-flow cannula below 40 %"),
    Pattern("W9", "high dose, or two vasopressors"),
    Pattern("W7", "hypotension with several boluses, no vasopressor"),
    Pattern("W8", "symptoms, hypotension or oxygen without fever"),
    Pattern("W10", "neurotoxicity"),
)
"""In the order of display, as measured on real courses (decision)."""


def patterns(chart: Chart, assessed: Sequence[Assessed]) -> tuple[Pattern, ...]:
    """Return the patterns that hold; ``assessed`` holds Lee and whatever scales are shown.

    A pattern that asks for a scale that is not among them does not hold; after a death none does.
    """
    if chart.death is not None:
        return ()
    by_key = {one.scale.key: one for one in assessed}
    seen = _Seen(chart, by_key)
    return tuple([pattern for pattern in PATTERNS if seen.holds(pattern.id)])


class _Seen:
    """The answers of all scales at an instant, asked for by the patterns."""

    def __init__(self, chart: Chart, assessed: dict[str, Assessed]) -> None:
        self.chart = chart
        self.grades = {key: one.assessment.grade or 0 for key, one in assessed.items()}
        self.codes = {key: dict(one.assessment.met) for key, one in assessed.items()}
        self.assessed = assessed

    def holds(self, pattern: str) -> bool:
        grades = self.grades
        lee, astct, penn = grades["lee-2014"], grades.get("astct-2019"), grades.get("penn-2018")
        if pattern == "W10":
            return self._neurotoxicity(lee)
        if pattern in ("W3", "W6"):
            return penn is not None and penn > lee and self._by_penn(pattern, penn)
        if astct is None:
            return False
        if pattern == "W7":
            return (
                penn is not None
                and penn > astct
                and self._has("penn-2018", "penn.hypotension.multiple_boluses")
            )
        if pattern == "W9":
            return penn is not None and self._several() and not lee == astct == penn
        return self._by_astct(pattern, lee, astct)

    def _by_penn(self, pattern: str, penn: int) -> bool:
        if pattern == "W3":
            return self.chart.needed is not None and self._has("penn-2018", "penn.oxygen")
        is_set = self._has("penn-2018", "penn.hospitalised", "penn.iv_therapy")
        return penn == 2 and is_set

    def _by_astct(self, pattern: str, lee: int, astct: int) -> bool:
        chart = self.chart
        if pattern == "W1":
            return len(chart.running) == 1 and not chart.high_dose and astct > lee
        if pattern == "W2":
            return astct < lee and any(
                code.startswith("organ_toxicity.") and grade == lee
                for code, grade in self.codes["lee-2014"].items()
            )
        if pattern == "W4":
            return (
                astct > lee
                and self._has("astct-2019", "astct.hypoxia.high_flow")
                and self._has("lee-2014", "oxygen.below_40")
            )
        if pattern == "W5":
            return (
                lee > astct
                and chart.device is not None
                and chart.device.value == "nasal_cannula"
                and self._has("astct-2019", "astct.hypoxia.low_flow")
                and self._has("lee-2014", "oxygen.at_least_40")
            )
        return pattern == "W8" and lee >= 1 and not self.codes["astct-2019"]

    def _several(self) -> bool:
        return self._has("lee-2014", "vasopressor.multiple", "vasopressor.high_dose")

    def _neurotoxicity(self, lee: int) -> bool:
        one = self.assessed["lee-2014"]
        axes = one.scale.axes(self.chart, one.assessment.met)
        cartox, icans = self.grades.get("cartox-2018"), self.grades.get("icans-2019")
        return (cartox is not None and Axis.NEURO in axes.values() and lee > cartox) or (
            icans is not None and icans >= 1 and icans != lee
        )

    def _has(self, key: str, *codes: str) -> bool:
        return any(code in self.codes[key] for code in codes)
