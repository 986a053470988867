"""LOINC codes of every analyte of the course file.

The first row of an analyte, or of its amount (mass or molar), is the one that is written.
"""

from __future__ import annotations

from typing import Final

from patients.exchange.formats.code_rows import (
    LOINC,
    NOT_VERIFIED,
    PUBLIC_MAPS,
    READ_ON,
    Amount,
    CodeRow,
    Kind,
)

FEU: Final = "FEU"
DDU: Final = "DDU"


def _row(
    code: str, meaning: str, word: str, amount: Amount | None = None, note: str = ""
) -> CodeRow:
    return CodeRow(LOINC, code, meaning, Kind.ANALYTE, word, PUBLIC_MAPS, READ_ON, "", amount, note)


def _unverified(
    code: str, meaning: str, word: str, amount: Amount | None = None, note: str = ""
) -> CodeRow:
    return CodeRow(LOINC, code, meaning, Kind.ANALYTE, word, NOT_VERIFIED, None, "", amount, note)


ANALYTE_CODES: Final = (
    _row("1742-6", "Alanine aminotransferase [Enzymatic activity/volume]", "alt"),
    _row("1920-8", "Aspartate aminotransferase [Enzymatic activity/volume]", "ast"),
    _row("6768-6", "Alkaline phosphatase [Enzymatic activity/volume]", "alp"),
    _row("2324-2", "Gamma glutamyl transferase [Enzymatic activity/volume]", "ggt"),
    _row("1975-2", "Bilirubin.total [Mass/volume]", "bilirubin", Amount.MASS),
    _unverified("14631-6", "Bilirubin.total [Moles/volume]", "bilirubin", Amount.MOLAR),
    _row("2160-0", "Creatinine [Mass/volume]", "creatinine", Amount.MASS),
    _unverified("14682-9", "Creatinine [Moles/volume]", "creatinine", Amount.MOLAR),
    _row("3255-7", "Fibrinogen [Mass/volume] in Platelet poor plasma", "fibrinogen"),
    _row("14979-9", "aPTT in Platelet poor plasma by Coagulation assay", "aptt"),
    _row("3173-2", "aPTT in Blood by Coagulation assay", "aptt"),
    _row("6301-6", "INR in Platelet poor plasma by Coagulation assay", "inr"),
    _unverified("34714-6", "INR in Blood by Coagulation assay", "inr"),
    _row("48065-7", "Fibrin D-dimer FEU [Mass/volume]", "d_dimer", note=FEU),
    _row("48066-5", "Fibrin D-dimer DDU [Mass/volume]", "d_dimer", note=DDU),
    _row("777-3", "Platelets [#/volume] in Blood by Automated count", "platelets"),
    _row("26515-7", "Platelets [#/volume] in Blood", "platelets"),
    _row("1988-5", "C reactive protein [Mass/volume]", "crp"),
    _row("2276-4", "Ferritin [Mass/volume]", "ferritin"),
    _row("26881-3", "Interleukin 6 [Mass/volume]", "il6"),
    _row("10839-9", "Troponin I.cardiac [Mass/volume]", "troponin", note="troponin I"),
    _row("6598-7", "Troponin T.cardiac [Mass/volume]", "troponin", note="troponin T"),
    _unverified(
        "89579-7", "Troponin I.cardiac, high sensitivity [Mass/volume]", "troponin",
        note="troponin I",
    ),
    _unverified(
        "67151-1", "Troponin T.cardiac, high sensitivity [Mass/volume]", "troponin",
        note="troponin T",
    ),
    _row("10230-1", "Left ventricular Ejection fraction", "lvef"),
    _row("751-8", "Neutrophils [#/volume] in Blood by Automated count", "anc"),
    _unverified("26499-4", "Neutrophils [#/volume] in Blood", "anc"),
    _row("32693-4", "Lactate [Moles/volume] in Blood", "lactate"),
    _row("2532-0", "Lactate dehydrogenase [Enzymatic activity/volume]", "ldh"),
    _row("2571-8", "Triglyceride [Mass/volume]", "triglycerides", Amount.MASS),
    _unverified("14927-8", "Triglyceride [Moles/volume]", "triglycerides", Amount.MOLAR),
    _row("718-7", "Hemoglobin [Mass/volume] in Blood", "hemoglobin"),
)  # fmt: skip
