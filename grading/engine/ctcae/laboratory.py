"""Terms that a result grades by itself. The limits of normal are those of the report."""

from __future__ import annotations

from typing import Final

from grading.engine.ctcae.words import NOT_IN_CTCAE, TermWords

LABORATORY: Final = {
    "alt": TermWords(
        "above the upper limit, up to 3 times it",
        "above 3 and up to 5 times the upper limit",
        "above 5 and up to 20 times the upper limit",
        "above 20 times the upper limit",
        also="alanine aminotransferase ALAT GPT SGPT liver enzymes transaminases",
    ),
    "ast": TermWords(
        "above the upper limit, up to 3 times it",
        "above 3 and up to 5 times the upper limit",
        "above 5 and up to 20 times the upper limit",
        "above 20 times the upper limit",
        also="aspartate aminotransferase ASAT GOT SGOT liver enzymes transaminases",
    ),
    "alp": TermWords(
        "above the upper limit, up to 2.5 times it",
        "above 2.5 and up to 5 times the upper limit",
        "above 5 and up to 20 times the upper limit",
        "above 20 times the upper limit",
        also="alkaline phosphatase liver cholestasis",
    ),
    "ggt": TermWords(
        "above the upper limit, up to 2.5 times it",
        "above 2.5 and up to 5 times the upper limit",
        "above 5 and up to 20 times the upper limit",
        "above 20 times the upper limit",
        also="gamma glutamyl transferase liver cholestasis",
    ),
    "bilirubin": TermWords(
        "above the upper limit, up to 1.5 times it",
        "above 1.5 and up to 3 times the upper limit",
        "above 3 and up to 10 times the upper limit",
        "above 10 times the upper limit",
        also="jaundice yellow liver icterus",
    ),
    "creatinine": TermWords(
        "above 1 and up to 1.5 times the baseline or the upper limit",
        "above 1.5 and up to 3 times the baseline or the upper limit",
        "above 3 times the baseline, or above 3 and up to 6 times the upper limit",
        "above 6 times the upper limit",
        also="kidney renal azotemia",
    ),
    "fibrinogen": TermWords(
        "below the lower limit, down to 0.75 of it, or a fall of less than 25 % from the baseline",
        "below 0.75 and down to 0.5 of the lower limit, or a fall of 25 to below 50 %",
        "below 0.5 and down to 0.25 of the lower limit, or a fall of 50 to below 75 %",
        "below 0.25 of the lower limit, a fall of 75 % or more, or below 50 mg/dL",
        also="clotting coagulation low fibrinogen DIC",
    ),
    "aptt": TermWords(
        "above the upper limit, up to 1.5 times it",
        "above 1.5 and up to 2.5 times the upper limit",
        "above 2.5 times the upper limit, or with bleeding",
        NOT_IN_CTCAE,
        also="clotting coagulation PTT partial thromboplastin time",
    ),
    "inr": TermWords(
        "above 1 and up to 1.5 times the upper limit",
        "above 1.5 and up to 2.5 times the upper limit",
        "above 2.5 times the upper limit",
        NOT_IN_CTCAE,
        also="clotting coagulation prothrombin time PT Quick",
    ),
    "lvef": TermWords(
        NOT_IN_CTCAE,
        "resting ejection fraction 50 to 40 %, or 10 to 19 points below the baseline",
        "resting ejection fraction below 40 and down to 20 %, or 20 points or more below baseline",
        "resting ejection fraction below 20 %",
        also="ejection fraction decreased EF echo heart pump",
    ),
}
