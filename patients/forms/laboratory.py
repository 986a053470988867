"""Forms of laboratory results: a whole report, or a single result."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import cached_property
from itertools import groupby
from typing import Any, ClassVar, Final

from django import forms

from grading.engine.analytes import IMPOSSIBLE_BECAUSE, Analyte, AnalyteGroup, LabUnit, lab_unit
from grading.engine.sentences import lab_unit_text
from patients.display.laboratory import LabInput, LabRow, limits_source_text
from patients.forms.entry_form import EntryForm
from patients.forms.fields import TypedNumberField, choices_of, without_empty
from patients.forms.layout import LaboratoryPanel
from patients.forms.remembered_limits import LimitsByUnit, RememberedLimits
from patients.models import EntryKind
from patients.queries.laboratory import ReportedLimits, group_of

LABORATORY: Final = "laboratory"
"""Field of a report, and key of its laboratory in the answers of the act."""


def _reported(laboratory: str, bodies: Iterable[Mapping[str, Any]]) -> list[ReportedLimits]:
    """Return the limits of normal that were charted; none where no laboratory is named."""
    return [
        ReportedLimits(
            laboratory=laboratory,
            analyte=body["analyte"],
            unit=body["unit"],
            lower=body.get("lower_limit", ""),
            upper=body.get("upper_limit", ""),
        )
        for body in (bodies if laboratory else ())
    ]


def _unit_choices() -> list[tuple[str, str]]:
    """Return every unit once; the reader refuses one that is none of the analyte's."""
    names = dict.fromkeys(unit.name for analyte in Analyte for unit in analyte.units)
    return [
        ("", "Choose the unit"),
        *((name, lab_unit_text(name) or name) for name in names),
    ]


class LabForm(EntryForm):
    """One result with the limits of normal of its report: what a correction of it asks."""

    kind = EntryKind.LAB
    graded_from_infusion = False

    analyte = forms.ChoiceField(
        label="Analyte",
        choices=choices_of(Analyte, "Choose the analyte"),
        error_messages={"required": "Choose the analyte."},
    )
    comparator = forms.ChoiceField(
        label="Reported as",
        choices=(("", "the value"), ("<", "below (<)"), (">", "above (>)")),
        required=False,
    )
    value = TypedNumberField(
        label="Result", required=True, error_messages={"required": "Enter the result."}
    )
    unit = forms.ChoiceField(
        label="Unit",
        choices=_unit_choices(),
        error_messages={"required": "Choose the unit of the report."},
    )
    upper_limit = TypedNumberField(label="Upper limit of normal", above_zero=True)
    lower_limit = TypedNumberField(label="Lower limit of normal")

    @property
    def laboratory(self) -> str:
        """The laboratory of the report that is corrected; "" where none was named."""
        return "" if self.correcting is None else self.correcting.act.answers.get(LABORATORY, "")

    def submission_answers(self) -> dict[str, Any]:
        return super().submission_answers() | without_empty({LABORATORY: self.laboratory})

    def reported_limits(self) -> list[ReportedLimits]:
        return _reported(self.laboratory, self.bodies)


_COMPARATORS: Final = ("<", ">")
_NO_COMPARATORS: Final = ("<=", ">=", "=<", "=>", "≤", "≥", "~", "≈", "±")
_LONGEST_NAME: Final = 60


class ResultField(TypedNumberField):
    """Number as a laboratory reports it: "5.2", "<5", "> 200"; cleans to text without spaces."""

    def clean(self, value: Any) -> str:
        typed = str(value or "").strip()
        if typed.startswith(_NO_COMPARATORS):
            raise forms.ValidationError(
                "Write < or > before the number, as the laboratory reports it, like <5."
            )
        comparator = typed[:1] if typed.startswith(_COMPARATORS) else ""
        number = super().clean(typed.removeprefix(comparator))
        if comparator and not number:
            raise forms.ValidationError(f"Enter the number after {comparator}, like {comparator}5.")
        return comparator + number


def _unit_name(analyte: Analyte) -> str:
    return f"{analyte}_unit"


def _lower_name(analyte: Analyte) -> str:
    return f"{analyte}_lower_limit"


def _upper_name(analyte: Analyte) -> str:
    return f"{analyte}_upper_limit"


def _row_fields(analyte: Analyte) -> dict[str, forms.Field]:
    return {
        analyte.value: ResultField(label=analyte.label),
        _unit_name(analyte): forms.CharField(label=f"{analyte.label}, unit", required=False),
        _lower_name(analyte): TypedNumberField(label=f"{analyte.label}, lower limit of normal"),
        _upper_name(analyte): TypedNumberField(
            label=f"{analyte.label}, upper limit of normal", above_zero=True
        ),
    }


_PARTS: Final = tuple((f"lab.{analyte}", analyte.label) for analyte in Analyte)


class LabPanelForm(EntryForm):
    """A report of one laboratory: an entry for each result, with the limits of normal.

    ``proposed_for`` is the laboratory whose limits the page showed: so the limits of one are never
    recorded as those of another without being looked at.
    """

    kind = EntryKind.LAB
    graded_from_infusion = False
    is_renewed = True
    parts = _PARTS
    generated_fields: ClassVar = {
        **{name: field for each in Analyte for name, field in _row_fields(each).items()},
    }
    shown_in_their_row = frozenset({*generated_fields, "laboratory"})

    laboratory = forms.CharField(label="Laboratory", required=False, max_length=_LONGEST_NAME)
    proposed_for = forms.CharField(required=False, max_length=_LONGEST_NAME)

    def layout(self) -> Sequence[Any]:
        return [LaboratoryPanel()]

    @cached_property
    def remembered(self) -> RememberedLimits:
        """The limits of normal that are proposed for this patient."""
        group = group_of(self.course, self.now)
        return RememberedLimits(self.proposed.limits, self.proposed.reports, group)

    def build_bodies(self) -> list[dict[str, Any]]:
        return [
            without_empty(
                {
                    "analyte": analyte.value,
                    "value": self._result(analyte).lstrip("<>"),
                    "comparator": self._result(analyte).rstrip("0123456789.-+"),
                    "unit": self._unit(analyte),
                    "lower_limit": self.cleaned_data.get(_lower_name(analyte)),
                    "upper_limit": self.cleaned_data.get(_upper_name(analyte)),
                }
            )
            for analyte in self._filled()
        ]

    def charts(self, body: Mapping[str, Any], part: str) -> bool:
        return part == f"lab.{body['analyte']}"

    def field_of(self, index: int, place: str) -> str:
        analyte = self._filled()[index]
        return {
            "value": analyte.value,
            "comparator": analyte.value,
            "unit": _unit_name(analyte),
            "lower_limit": _lower_name(analyte),
            "upper_limit": _upper_name(analyte),
        }.get(place, place)

    def submission_answers(self) -> dict[str, Any]:
        laboratory = self.cleaned_data.get("laboratory")
        return super().submission_answers() | without_empty({LABORATORY: laboratory})

    def reported_limits(self) -> list[ReportedLimits]:
        return _reported(self.cleaned_data.get(LABORATORY, ""), self.bodies)

    def clean_laboratory(self) -> str:
        return self._spelled(self.cleaned_data["laboratory"])

    def clean_proposed_for(self) -> str:
        return self._spelled(self.cleaned_data["proposed_for"])

    def _spelled(self, typed: str) -> str:
        """Return a name as it was spelled the first time, so that its limits are found again."""
        name = " ".join(typed.split())
        spelled = {known.casefold(): known for known in self.remembered.laboratories}
        return spelled.get(name.casefold(), name)

    def clean_kind(self) -> None:
        if not self._filled() and not self.errors:
            self.add_error(None, "Nothing is charted yet: enter at least one result.")
        self._clean_laboratory_shown()
        for analyte in self._filled():
            self._clean_row(analyte)

    def _filled(self) -> list[Analyte]:
        return [analyte for analyte in Analyte if self._result(analyte)]

    def _result(self, analyte: Analyte) -> str:
        return self.cleaned_data.get(analyte.value) or ""

    def _unit(self, analyte: Analyte) -> str:
        units = analyte.units
        return units[0].name if len(units) == 1 else self.cleaned_data.get(_unit_name(analyte), "")

    def _clean_laboratory_shown(self) -> None:
        shown, named = self.cleaned_data.get("proposed_for"), self.cleaned_data.get("laboratory")
        if shown and named is not None and shown != named:
            of_this = f"those of {named}" if named else "this report's"
            self.add_error(
                "laboratory",
                f"The limits shown were those of {shown}. Check that they are {of_this} now, "
                "then save again.",
            )

    def _clean_row(self, analyte: Analyte) -> None:
        unit = lab_unit(analyte, self._unit(analyte))
        if unit is None:
            listed = " or ".join(lab_unit_text(one.name) for one in analyte.units)
            self.add_error(_unit_name(analyte), f"Choose the unit of {analyte.label}: {listed}.")
            return
        value = Decimal(self._result(analyte).lstrip("<>"))
        if unit.limits is not None and not unit.limits.allow(value):
            self.add_error(analyte.value, _impossible(analyte, value, unit))
        self._clean_limits(analyte, unit)

    def _clean_limits(self, analyte: Analyte, unit: LabUnit) -> None:
        names = (_lower_name(analyte), _upper_name(analyte))
        typed = [self.cleaned_data.get(name) or "" for name in names]
        for name, limit in zip(names, typed, strict=True):
            if limit and Decimal(limit) and unit.limits and not unit.limits.allow(Decimal(limit)):
                self.add_error(name, _impossible(analyte, Decimal(limit), unit, "limit of "))
        if all(typed) and Decimal(typed[0]) >= Decimal(typed[1]):
            self.add_error(
                names[1], f"{analyte.label}: {typed[1]} is not above the lower limit, {typed[0]}."
            )
        elif other := self._limits_of_another_unit(analyte, unit.name, typed):
            self.add_error(
                names[1],
                f"{analyte.label}: these are the limits in {lab_unit_text(other)}. Enter those in "
                f"{lab_unit_text(unit.name)}, or leave them empty.",
            )

    def _limits_of_another_unit(self, analyte: Analyte, unit: str, typed: list[str]) -> str | None:
        """Return another unit in which exactly these limits are remembered, and not in ``unit``."""
        reported = ReportedLimits("", analyte.value, unit, *typed)
        remembered = self.remembered.at(self.cleaned_data.get("laboratory", ""))
        same = [
            name
            for (of_analyte, name), limits in remembered.items()
            if of_analyte == analyte and any(typed) and not reported.differs_from(limits)
        ]
        return None if unit in same else next(iter(same), None)

    @cached_property
    def laboratory_shown(self) -> str:
        """The laboratory whose limits the page shows: as typed, else the last one used."""
        if self.is_bound:
            name = self.cleaned_data.get("laboratory") or self.data.get("laboratory", "")
            return str(name)
        return self.remembered.latest_laboratory

    @property
    def groups(self) -> Iterator[tuple[AnalyteGroup, list[LabRow]]]:
        """The rows of the panel as a page shows them, by group."""
        limits = self.remembered.at(self.laboratory_shown)
        for group, analytes in groupby(Analyte, key=lambda analyte: analyte.group):
            yield group, [self._row(analyte, limits) for analyte in analytes]

    def _row(self, analyte: Analyte, limits: LimitsByUnit) -> LabRow:
        units = [(unit.name, lab_unit_text(unit.name)) for unit in analyte.units]
        unit = self._input(_unit_name(analyte), self.remembered.first_unit(analyte, limits))
        only = units[0][0] if len(units) == 1 else unit.value
        remembered = limits.get((analyte, only))
        lower = self._input(_lower_name(analyte), remembered.lower if remembered else "")
        upper = self._input(_upper_name(analyte), remembered.upper if remembered else "")
        is_shown = remembered and (remembered.lower, remembered.upper) == (lower.value, upper.value)
        return LabRow(
            analyte=analyte,
            result=self._input(analyte.value, ""),
            unit=unit,
            units=units,
            lower=lower,
            upper=upper,
            remembered=limits_source_text(remembered) if remembered and is_shown else "",
        )

    def _input(self, name: str, proposed: str) -> LabInput:
        value = str(self.data.get(name, "")) if self.is_bound else proposed
        return LabInput(name, value, list(map(str, self.errors.get(name, ()))))


def _impossible(analyte: Analyte, number: Decimal, unit: LabUnit, what: str = "") -> str:
    """Return why ``number`` cannot be, and which other unit it would fit."""
    if unit.limits is None:
        raise ValueError(f"{analyte} has no hard limits in {unit.name}")
    text = lab_unit_text(unit.name)
    fits = [
        other.name
        for other in analyte.units
        if other.limits is not None and other.limits.allow(number)
    ]
    hint = (
        f"Did you mean {lab_unit_text(fits[0])}?" if fits else IMPOSSIBLE_BECAUSE.get(analyte, "")
    )
    sentence = (
        f"{what}{analyte.label} {number:f} {text} is not possible: expected "
        f"{unit.limits.lowest:f} to {unit.limits.highest:f} {text}. {hint}"
    )
    return sentence[:1].upper() + sentence[1:].rstrip()
