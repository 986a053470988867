"""Codes of devices that give oxygen: SNOMED CT, and one answer of a LOINC list.

The first row of a word is the one that is written. A tracheostomy mask has no code: it comes and
goes by our own code system alone.
"""

from __future__ import annotations

from typing import Final

from patients.exchange.formats.code_rows import (
    LOINC,
    READ_ON,
    SNOMED,
    CodeRow,
    Kind,
    UnclearDevice,
)

_DEVICES: Final = "eCQM value set 2.16.840.1.113762.1.4.1170.57 of oxygen devices"
_PROCEDURES: Final = "OMOP concept list"
_ANSWERS: Final = "LOINC answer list LL738-6"


def _row(code: str, meaning: str, word: str, source: str = _DEVICES) -> CodeRow:
    return CodeRow(SNOMED, code, meaning, Kind.DEVICE, word, source, READ_ON)


DEVICE_CODES: Final = (
    CodeRow(LOINC, "LA11849-9", "Room air", Kind.DEVICE, "room_air", _ANSWERS, READ_ON),
    _row("336623009", "Oxygen nasal cannula", "nasal_cannula"),
    _row("371907003", "Oxygen administration by nasal cannula", "nasal_cannula", _PROCEDURES),
    _row("336602003", "Oxygen mask", "simple_mask"),
    _row("464233000", "Partial rebreather oxygen mask", "partial_rebreather_mask"),
    _row("427591007", "Nonrebreather oxygen mask", "non_rebreather_mask"),
    _row("428285009", "Venturi mask", "venturi_mask"),
    _row("465433006", "Venturi oxygen face mask", "venturi_mask"),
    _row("426854004", "High flow oxygen nasal cannula", "high_flow_nasal_cannula"),
    _row("870533002", "High flow nasal oxygen therapy", "high_flow_nasal_cannula", _PROCEDURES),
    _row("425478008", "Blow by oxygen mask", "blow_by"),
    _row("467645007", "Continuous positive airway pressure nasal cannula", "cpap"),
    _row("425826004", "Bilevel positive airway pressure nasal cannula", "bipap"),
    _row("449071006", "Mechanical ventilator", "invasive_ventilation"),
    _row("40617009", "Artificial respiration", "invasive_ventilation", _PROCEDURES),
    _row("233573008", "Extracorporeal membrane oxygenation", "ecmo", _PROCEDURES),
)

UNCLEAR_DEVICES: Final = (
    UnclearDevice(SNOMED, "371908008", "Oxygen administration by mask", "simple_mask"),
    UnclearDevice(SNOMED, "706226000", "CPAP/BPAP mask", "cpap"),
    UnclearDevice(SNOMED, "704718009", "CPAP/BPAP oral mask", "cpap"),
    UnclearDevice(SNOMED, "428311008", "Noninvasive ventilation", "bipap"),
    UnclearDevice(SNOMED, "447837008", "Noninvasive positive pressure ventilation", "bipap"),
    UnclearDevice(SNOMED, "706172005", "Ventilator", "invasive_ventilation"),
    UnclearDevice(SNOMED, "26412008", "Endotracheal tube", "invasive_ventilation"),
    UnclearDevice(SNOMED, "112798008", "Insertion of endotracheal tube", "invasive_ventilation"),
    UnclearDevice(SNOMED, "129121000", "Tracheostomy tube", "tracheostomy_mask"),
    UnclearDevice(SNOMED, "426294006", "Face tent oxygen delivery device", ""),
    UnclearDevice(SNOMED, "426851007", "Aerosol oxygen mask", ""),
    UnclearDevice(SNOMED, "427594004", "Oxyhood", ""),
)
"""A code of this list is never charted: the grade hangs on which device was meant."""
