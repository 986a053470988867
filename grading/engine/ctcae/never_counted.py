"""Terms that are charted and shown, and never raise the grade."""

from __future__ import annotations

from typing import Final

from grading.engine.ctcae.words import NOT_IN_CTCAE, TermWords

NEVER_COUNTED: Final = {
    "fever": TermWords(
        "38.0 to 39.0 °C",
        "above 39.0 and up to 40.0 °C",
        "above 40.0 °C for up to 24 h",
        "above 40.0 °C for more than 24 h",
        also="temperature pyrexia",
    ),
    "chills": TermWords(
        "mild: feels cold, shivers, teeth chatter",
        "moderate tremor of the whole body; narcotics needed",
        "severe or prolonged; narcotics do not help",
        NOT_IN_CTCAE,
        also="rigors shivering cold",
    ),
    "fatigue": TermWords(
        "relieved by rest",
        "not relieved by rest; limits instrumental daily activities",
        "not relieved by rest; limits self-care",
        NOT_IN_CTCAE,
        also="tired exhausted weak",
    ),
    "malaise": TermWords(
        "uneasy, or does not feel well",
        "uneasy or unwell; limits instrumental daily activities",
        NOT_IN_CTCAE,
        NOT_IN_CTCAE,
        also="unwell feeling ill",
    ),
    "myalgia": TermWords(
        "mild pain",
        "moderate pain; limits instrumental daily activities",
        "severe pain; limits self-care",
        NOT_IN_CTCAE,
        also="muscle pain aches",
    ),
    "hypotension": TermWords(
        "no symptoms, no treatment needed",
        "treatment needed, not urgently",
        "medical treatment or admission needed",
        "life-threatening; urgent treatment needed",
        also="low blood pressure shock",
    ),
    "hypoxia": TermWords(
        NOT_IN_CTCAE,
        "low oxygen saturation with exercise (below 88 %); oxygen now and then",
        "low oxygen saturation at rest (below 88 %, or PaO2 55 mmHg or less)",
        "life-threatening airway compromise; intubation or tracheotomy needed",
        also="low oxygen saturation desaturation SpO2 hypoxemia",
    ),
    "dyspnea": TermWords(
        "breathless with moderate exertion",
        "breathless with minimal exertion; limits instrumental daily activities",
        "breathless at rest; limits self-care",
        "life-threatening; urgent treatment needed",
        also="breathless short of breath dyspnoea",
    ),
    "respiratory_failure": TermWords(
        NOT_IN_CTCAE,
        NOT_IN_CTCAE,
        NOT_IN_CTCAE,
        "life-threatening: intubation, ventilator or urgent treatment needed",
        also="ventilator intubation lung",
    ),
    "sinus_tachycardia": TermWords(
        "no symptoms, no treatment needed",
        "symptoms; treatment needed, not urgently",
        "urgent medical treatment needed",
        NOT_IN_CTCAE,
        also="fast heart pulse heart rate",
    ),
    "neutropenia": TermWords(
        "neutrophils below the lower limit, down to 1.5 × 10⁹/L",
        "neutrophils below 1.5 and down to 1.0 × 10⁹/L",
        "neutrophils below 1.0 and down to 0.5 × 10⁹/L",
        "neutrophils below 0.5 × 10⁹/L",
        also="neutrophils ANC white cells",
    ),
    "febrile_neutropenia": TermWords(
        NOT_IN_CTCAE,
        NOT_IN_CTCAE,
        "neutrophils below 1.0 × 10⁹/L with fever above 38.3 °C once, or 38.0 °C for over 1 h",
        "life-threatening; urgent treatment needed",
        also="fever neutrophils infection",
    ),
    "thrombocytopenia": TermWords(
        "platelets below the lower limit, down to 75 × 10⁹/L",
        "platelets below 75 and down to 50 × 10⁹/L",
        "platelets below 50 and down to 25 × 10⁹/L",
        "platelets below 25 × 10⁹/L",
        also="low platelets",
    ),
    "anemia": TermWords(
        "haemoglobin below the lower limit, down to 10 g/dL",
        "haemoglobin below 10 and down to 8 g/dL",
        "haemoglobin below 8 g/dL; transfusion needed",
        "life-threatening; urgent treatment needed",
        also="anaemia haemoglobin hemoglobin low blood count",
    ),
    "tumor_lysis_syndrome": TermWords(
        NOT_IN_CTCAE,
        NOT_IN_CTCAE,
        "present",
        "life-threatening; urgent treatment needed",
        also="TLS tumour lysis uric acid potassium",
    ),
    "sepsis": TermWords(
        NOT_IN_CTCAE,
        NOT_IN_CTCAE,
        NOT_IN_CTCAE,
        "any: life-threatening; urgent treatment needed",
        also="infection bacteremia septic",
    ),
}
