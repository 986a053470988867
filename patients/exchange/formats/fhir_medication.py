"""Read a FHIR R4 MedicationAdministration: an infusion's rate, a treatment, a fluid bolus."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from grading.engine.vocabulary import VasopressorDrug
from patients.exchange.formats.code_rows import Kind
from patients.exchange.formats.codes import Meaning
from patients.exchange.formats.context import Context
from patients.exchange.formats.fhir_bundle import Bundle, Item
from patients.exchange.formats.fhir_drug import Drug, concentration, drug_of
from patients.exchange.formats.fhir_entry import (
    Entry,
    attribution_of,
    check_attribution,
    check_chartable,
    check_entry,
    contradiction,
    course_entry,
    extension,
    note_of,
)
from patients.exchange.formats.fhir_modifiers import reason_not_to_read
from patients.exchange.formats.fhir_results import Head, Results, detail, head_of
from patients.exchange.formats.fhir_sent import with_what_was_sent
from patients.exchange.formats.fhir_times import check_not_long_ago, infusion_time
from patients.exchange.formats.fhir_tree import (
    NOTHING,
    Quantity,
    Tree,
    When,
    an_object,
    choice,
    quantity,
    when,
)
from patients.exchange.formats.fhir_written_parts import DOSING_WEIGHT, ENTRY_OF_STOP
from patients.exchange.formats.measured import chartable, measured
from patients.exchange.formats.received import Held, Infusion, Standing, WholeEntry
from patients.exchange.formats.unit_rows import BOLUS_VOLUME, TIMES_OF_A_RATE
from patients.exchange.formats.units import NO_UNIT, UnitText, converted, quotient, unit_row
from patients.exchange.formats.unreadable import UnreadableError

STANDINGS: Final[dict[str, Standing | None]] = {
    "in-progress": Standing.FINAL,
    "completed": Standing.FINAL,
    "on-hold": Standing.FINAL,
    "stopped": Standing.FINAL,
    "not-done": None,
    "entered-in-error": Standing.RETRACTED,
    "unknown": Standing.PRELIMINARY,
}
"""FHIR R4 value set medication-admin-status."""

_OVER: Final = frozenset({"completed", "on-hold", "stopped"})
"""Statuses of a drug that no longer runs."""
_EFFECTIVE: Final = frozenset({"DateTime", "Period"})
_RATE: Final = frozenset({"Ratio", "Quantity"})
_ML_PER_H: Final = "ml/h"
_OF_A_DOSE: Final = ("unit", "concentration_per_ml")
_WEIGHT: Final = Meaning(Kind.WEIGHT, "weight_kg")


def read_medication(item: Item, bundle: Bundle, context: Context, results: Results) -> None:
    """Collect what a MedicationAdministration states; never raises."""
    try:
        head = head_of(item.resource, item.place, STANDINGS)
        _check(item.resource)
    except UnreadableError as error:
        results.hold(with_what_was_sent(error, item.resource), item.place)
        return
    at = _start(item.resource)
    not_read = reason_not_to_read(item.modifier, item.doubt)
    if not_read is not None:
        not_read = with_what_was_sent(not_read, item.resource)
        results.hold(not_read, item.place, head, at)
    elif head.standing is None:
        results.remark("status.not_done", item.place)
    elif head.is_retracted:
        results.state(head, at or head.issued or infusion_time(context), None)
    else:
        try:
            _read(item, bundle, head, context, results)
        except UnreadableError as error:
            results.hold(with_what_was_sent(error, item.resource), item.place, head, at)


def _check(node: Tree) -> None:
    """Raise ``invalid`` for what FHIR R4 does not allow of times, doses and rates."""
    dosage = an_object(node, "dosage") or NOTHING
    quantity(dosage, "dose")
    key = choice(dosage, "rate", _RATE)
    if key == "rateQuantity":
        quantity(dosage, key)
    elif key == "rateRatio":
        _ratio(dosage)
    try:
        when(node, "effective", _EFFECTIVE)
    except UnreadableError as error:
        if error.reason == "invalid":
            raise


def _start(node: Tree) -> datetime | None:
    try:
        return when(node, "effective", _EFFECTIVE).start
    except UnreadableError:
        return None


def _read(item: Item, bundle: Bundle, head: Head, context: Context, results: Results) -> None:
    drug = drug_of(item, bundle, context)
    period = when(item.resource, "effective", _EFFECTIVE)
    if period.start is None:
        raise UnreadableError("time.missing", "it has no time at which it was given")
    check_not_long_ago(period.start, context)
    entry, attribution = course_entry(item.resource), attribution_of(item.resource)
    if entry is not None:
        check_attribution(entry, attribution)
    statement = _Statement(item, head, period.start, entry, attribution, results)
    if drug.meaning is None:
        statement.state_bolus()
    elif drug.meaning.kind is Kind.AGENT:
        statement.state_treatment(drug.meaning)
    else:
        statement.state_infusion(drug, period, bundle, context)


@dataclass(slots=True)
class _Statement:
    item: Item
    head: Head
    at: datetime
    entry: Entry | None
    attribution: str
    results: Results

    @property
    def dosage(self) -> Tree:
        return an_object(self.item.resource, "dosage") or NOTHING

    def state_bolus(self) -> None:
        dose = quantity(self.dosage, "dose")
        if dose is None or dose.number is None:
            raise UnreadableError("value.missing", "it has no volume")
        _refuse_comparator(dose)
        volume = converted(dose.number, unit_row(BOLUS_VOLUME, dose.unit))
        chartable(volume)
        fields = {"volume_ml": volume}
        self._state_whole(WholeEntry("fluid_bolus", fields, "fluid_bolus"), fields, ())

    def state_treatment(self, meaning: Meaning) -> None:
        """State a treatment; without its dose where that cannot be charted."""
        fields: dict[str, Any] = {"agent": meaning.word}
        details: tuple[Held, ...] = ()
        try:
            dose = self._dose_mg(meaning)
            if dose is not None:
                check_chartable("treatment", {**fields, "dose_mg": dose}, "", "")
                fields["dose_mg"] = dose
        except UnreadableError as error:
            details = (self._detail(error),)
        content = WholeEntry("treatment", fields, f"treatment:{meaning.word}")
        self._state_whole(content, {"dose_mg": None, **fields}, details)

    def _dose_mg(self, meaning: Meaning) -> str | None:
        dose = quantity(self.dosage, "dose")
        if dose is None or dose.number is None:
            return None
        _refuse_comparator(dose)
        return converted(dose.number, unit_row(meaning.word, dose.unit))

    def _state_whole(
        self, content: WholeEntry, coded: Mapping[str, Any], details: tuple[Held, ...]
    ) -> None:
        if self.entry is not None:
            check_entry(self.entry, content.kind, self.at, coded)
        note = note_of(self.entry, "")
        check_chartable(content.kind, content.fields, note, self.attribution)
        self.results.state(
            self.head, self.at, content, details=details, note=note,
            attribution=self._stated(), entry=self.entry,
        )  # fmt: skip

    def _stated(self) -> str | None:
        return self.attribution if self.attribution not in ("", "crs") else None

    def _detail(self, error: UnreadableError) -> Held:
        error = with_what_was_sent(error, self.item.resource)
        return detail(error, self.head.place, self.at)

    def state_infusion(self, drug: Drug, period: When, bundle: Bundle, context: Context) -> None:
        """State a rate; null where it is not known, for the drug runs all the same."""
        assert drug.meaning is not None  # noqa: S101
        fields: dict[str, Any] = {"drug": drug.meaning.word, "rate": None}
        details: list[Held] = []
        try:
            weight = self._dosing_weight()
            fields |= {} if weight is None else {"weight_kg": weight}
            rate = self._rate(drug, bundle, context)
            check_chartable("vasopressor", fields | rate, "", "")
            fields |= rate
        except UnreadableError as error:
            if error.reason == "infusion.push_dose":
                raise
            if not self._null_is_meant(error):
                details.append(self._detail(error))
        is_other = drug.meaning.word == VasopressorDrug.OTHER_VASOPRESSOR
        note = note_of(self.entry, drug.name if is_other else "")
        fields = self._agreed(fields)
        content = Infusion(
            fields, period.end, self.item.resource["status"] in _OVER,
            self._stop_entry(drug.meaning.word, period.end),
        )  # fmt: skip
        self.results.state(
            self.head, self.at, content, details=tuple(details), note=note,
            attribution=self._stated(), entry=self.entry,
        )  # fmt: skip

    def _null_is_meant(self, error: UnreadableError) -> bool:
        entry = self.entry
        return error.reason == "rate.missing" and entry is not None and entry.get("rate") is None

    def _agreed(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Compare the fields with those of the entry; a unit without a dose is taken from it."""
        if self.entry is None:
            return fields
        names = ["drug", "rate", "weight_kg"]
        has_dose = fields["rate"] is not None and Decimal(fields["rate"]) != 0
        if has_dose:
            names += _OF_A_DOSE
        check_entry(self.entry, "vasopressor", self.at, {name: fields.get(name) for name in names})
        if has_dose:
            return fields
        left = {name: value for name, value in fields.items() if name not in _OF_A_DOSE}
        taken = {name: self.entry[name] for name in _OF_A_DOSE if self.entry.get(name) is not None}
        check_chartable("vasopressor", left | taken, "", "")
        return left | taken

    def _stop_entry(self, word: str, end: datetime | None) -> Entry | None:
        stop = course_entry(self.item.resource, ENTRY_OF_STOP)
        if stop is not None:
            if end is None:
                raise contradiction("stops what has no end")
            check_entry(stop, "vasopressor", end, {"drug": word, "rate": "0"})
            note_of(stop, "")
        return stop

    def _dosing_weight(self) -> str | None:
        """Return the weight that the pump was programmed with."""
        for node in (self.item.resource, self.dosage):
            found = extension(node, DOSING_WEIGHT)
            weight = None if found is None else quantity(found, "valueQuantity")
            if weight is not None and weight.number is not None:
                return measured(_WEIGHT, weight.number, weight.unit, weight.comparator).value
        return None

    def _rate(self, drug: Drug, bundle: Bundle, context: Context) -> dict[str, Any]:
        """Return rate, unit and, of mL/h, concentration; raises why there is no usable rate."""
        assert drug.meaning is not None  # noqa: S101
        number, unit = self._number_and_unit()
        is_zero = chartable(number) == 0
        if is_zero and unit == NO_UNIT:
            return {"rate": number}
        row = unit_row(drug.meaning.word, unit)
        rate = {"rate": converted(number, row), "unit": row.unit}
        if row.unit == _ML_PER_H and not is_zero:
            rate["concentration_per_ml"] = concentration(drug, self.item, bundle, context)
        return rate

    def _number_and_unit(self) -> tuple[str, UnitText]:
        key = choice(self.dosage, "rate", _RATE)
        if key == "rateRatio":
            return _quotient(*_ratio(self.dosage))
        rate = None if key is None else quantity(self.dosage, key)
        if key is None and quantity(self.dosage, "dose") is not None:
            raise UnreadableError("infusion.push_dose", "a dose that does not run has no rate")
        if rate is None or rate.number is None:
            raise UnreadableError("rate.missing", "its rate is not sent")
        _refuse_comparator(rate)
        return rate.number, rate.unit


def _refuse_comparator(found: Quantity) -> None:
    if found.comparator:
        raise UnreadableError("comparator", f"a dose with {found.comparator} cannot be charted")


def _ratio(dosage: Tree) -> tuple[Quantity | None, Quantity | None]:
    ratio = an_object(dosage, "rateRatio") or NOTHING
    return quantity(ratio, "numerator"), quantity(ratio, "denominator")


def _quotient(above: Quantity | None, below: Quantity | None) -> tuple[str, UnitText]:
    """Return a rate that is written as a ratio: 6 mg in 2 h is 3 mg/h."""
    if above is None or below is None or above.number is None or below.number is None:
        raise UnreadableError("rate.missing", "its rate is not sent whole")
    _refuse_comparator(above)
    _refuse_comparator(below)
    if NO_UNIT in (above.unit, below.unit):
        raise UnreadableError("unit.missing", "its rate has no unit")
    time = below.unit.text.strip()
    if time not in TIMES_OF_A_RATE:
        raise UnreadableError("unit.unknown", "its rate is not by minute or hour")
    if chartable(below.number) <= 0:
        raise UnreadableError("value.impossible", "a rate over no time")
    number = quotient(Fraction(chartable(above.number)), Fraction(chartable(below.number)))
    is_ucum = above.unit.is_ucum and below.unit.is_ucum
    return number, UnitText(f"{above.unit.text.strip()}/{time}", is_ucum)
