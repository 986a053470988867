"""Codes of vital signs, weight and oxygen: LOINC, and ISO/IEEE 11073-10101 (MDC) of monitors.

The first row of a word is the one that is written.
"""

from __future__ import annotations

from typing import Final

from patients.exchange.formats.code_rows import (
    LOINC,
    MDC,
    NOT_VERIFIED,
    PUBLIC_MAPS,
    READ_ON,
    CodeRow,
    Kind,
)

CUFF: Final = "cuff"
ARTERIAL: Final = "arterial"

_GE_B40: Final = "HL7 interface pages of the GE B40 monitor manual"
_US_CORE: Final = "github.com/HL7/US-Core, profile of pulse oximetry"


def _loinc(
    code: str, meaning: str, kind: Kind, word: str, source: str = PUBLIC_MAPS, method: str = ""
) -> CodeRow:
    return CodeRow(LOINC, code, meaning, kind, word, source, READ_ON, method)


def _mdc(code: str, meaning: str, word: str, method: str = "") -> CodeRow:
    return CodeRow(MDC, code, meaning, Kind.SIGN, word, NOT_VERIFIED, None, method)


def _mdc_read(code: str, meaning: str, word: str, method: str = "") -> CodeRow:
    return CodeRow(MDC, code, meaning, Kind.SIGN, word, _GE_B40, READ_ON, method)


_TEMPERATURE, _PULSE, _BREATHS = "temperature_c", "heart_rate", "respiratory_rate"
_SYSTOLIC, _DIASTOLIC = "systolic_mmhg", "diastolic_mmhg"
_MEAN, _SPO2 = "mean_arterial_pressure_mmhg", "spo2_percent"

OBSERVATION_CODES: Final = (
    _loinc("8310-5", "Body temperature", Kind.SIGN, _TEMPERATURE),
    _mdc("150364", "MDC_TEMP_BODY", _TEMPERATURE),
    _loinc("8867-4", "Heart rate", Kind.SIGN, _PULSE),
    _mdc_read("147842", "MDC_ECG_HEART_RATE", _PULSE),
    _mdc("149530", "MDC_PULS_OXIM_PULS_RATE", _PULSE),
    _loinc("9279-1", "Respiratory rate", Kind.SIGN, _BREATHS),
    _mdc("151562", "MDC_RESP_RATE", _BREATHS),
    _loinc("85354-9", "Blood pressure panel", Kind.PRESSURES, "pressures"),
    _loinc("85353-1", "Vital signs panel", Kind.SIGNS_PANEL, "vitals"),
    _loinc("8480-6", "Systolic blood pressure", Kind.SIGN, _SYSTOLIC),
    _loinc("76534-7", "Systolic blood pressure by noninvasive", Kind.SIGN, _SYSTOLIC, method=CUFF),
    _mdc_read("150033", "MDC_PRESS_BLD_ART_SYS", _SYSTOLIC, ARTERIAL),
    _mdc("150021", "MDC_PRESS_BLD_NONINV_SYS", _SYSTOLIC, CUFF),
    _loinc("8462-4", "Diastolic blood pressure", Kind.SIGN, _DIASTOLIC),
    _loinc("76535-4", "Diastolic pressure by noninvasive", Kind.SIGN, _DIASTOLIC, method=CUFF),
    _mdc_read("150034", "MDC_PRESS_BLD_ART_DIA", _DIASTOLIC, ARTERIAL),
    _mdc("150022", "MDC_PRESS_BLD_NONINV_DIA", _DIASTOLIC, CUFF),
    _loinc("8478-0", "Mean blood pressure", Kind.SIGN, _MEAN),
    _loinc("76536-2", "Mean blood pressure by noninvasive", Kind.SIGN, _MEAN, method=CUFF),
    _mdc_read("150035", "MDC_PRESS_BLD_ART_MEAN", _MEAN, ARTERIAL),
    _mdc("150023", "MDC_PRESS_BLD_NONINV_MEAN", _MEAN, CUFF),
    _loinc("2708-6", "Oxygen saturation in Arterial blood", Kind.SIGN, _SPO2, _US_CORE),
    _loinc("59408-5", "Oxygen saturation by Pulse oximetry", Kind.SIGN, _SPO2, _US_CORE),
    _mdc_read("150456", "MDC_PULS_OXIM_SAT_O2", _SPO2),
    _loinc("29463-7", "Body weight", Kind.WEIGHT, "weight_kg"),
    _loinc("19941-4", "Oxygen delivery system", Kind.OXYGEN_DEVICE, "device"),
    _loinc("3151-8", "Inhaled oxygen flow rate", Kind.OXYGEN_FLOW, "flow_l_per_min"),
    _loinc(
        "3150-0", "Inhaled oxygen concentration", Kind.FIO2, "fio2_percent",
        "healthassure.in page of LOINC 3150-0; CIHI data model",
    ),
    _loinc("19996-8", "Oxygen/Inspired gas setting [Volume Fraction] Ventilator", Kind.FIO2,
           "fio2_percent"),
)  # fmt: skip

WRITTEN_TOGETHER: Final = frozenset({(LOINC, "59408-5")})
"""Codes that are written with the first of their word: US Core asks for both of SpO2."""
