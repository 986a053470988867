"""One entry of each kind of the course file, and how pages write it."""

from typing import Any

Body = dict[str, Any]

EVERY_KIND: dict[str, list[tuple[Body, str]]] = {
    "vitals": [({"temperature_c": "38.6"}, "Temp 38.6 °C")],
    "oxygen": [
        ({"device": "nasal_cannula", "flow_l_per_min": "2"}, "Nasal cannula, 2 L/min"),
        (
            {
                "device": "invasive_ventilation",
                "fio2_percent": "30",
                "purpose": "airway_protection",
            },
            "FiO2 30 %, to protect the airway, not for low oxygen",
        ),
    ],
    "vasopressor": [
        ({"drug": "norepinephrine", "rate": "5", "unit": "ug/min"}, "Norepinephrine 5 mcg/min")
    ],
    "fluid_bolus": [({"volume_ml": "500"}, "Fluid bolus 500 mL")],
    "weight": [({"weight_kg": "81"}, "Weight 81 kg")],
    "lab": [
        ({"analyte": "ldh", "value": "900", "unit": "U/L"}, "LDH 900 U/L"),
        ({"analyte": "triglycerides", "value": "3", "unit": "mmol/L"}, "Triglycerides 3 mmol/L"),
        ({"analyte": "hemoglobin", "value": "7.4", "unit": "g/dL"}, "Hemoglobin 7.4 g/dL"),
    ],
    "baseline": [({"systolic_mmhg": "125", "diastolic_mmhg": "75"}, "Baseline BP 125/75")],
    "risk": [({"older_age": True}, "Risk: ")],
    "toxicity": [({"term": "seizure", "grade": 2}, "Seizure, CTCAE grade 2")],
    "judgement": [
        (
            {"about": "prolonged_reaction", "present": True},
            "Judged prolonged or recurring reaction: yes",
        )
    ],
    "symptom": [({"term": "headache", "present": True}, "Headache present")],
    "treatment": [({"agent": "tocilizumab", "dose_mg": "640"}, "Tocilizumab 640 mg")],
    "note": [({"note": "Family informed"}, "Note: Family informed")],
    "not_observed": [
        ({"what": "vital_signs", "reason": "asleep"}, "Vital signs not observed: asleep")
    ],
    "ice": [
        ({"score": "9"}, "ICE 9 of 10"),
        (
            {"orientation": "4", "naming": "2", "commands": 0},
            "ICE 6 of 8 asked (orientation 4 of 4, naming 2 of 3, commands 0 of 1; not asked: "
            "writing, attention)",
        ),
        ({"performed": False, "reason": "sedated"}, "ICE not done: sedated"),
        ({"performed": False}, "ICE not done: no reason given"),
    ],
    "capd": [
        ({"score": 11}, "CAPD 11"),
        ({"performed": False, "reason": "unarousable"}, "CAPD not done: cannot be woken"),
    ],
    "consciousness": [({"level": "tactile"}, "Consciousness: wakes to touch")],
    "seizure": [
        ({"seizure_type": "focal"}, "Seizure: focal"),
        (
            {
                "seizure_type": "nonconvulsive",
                "duration_minutes": "6.5",
                "resolved": False,
                "repetitive_without_recovery": True,
            },
            "Seizure: on EEG only, no movement seen, 6.5 min, not stopped, several, not awake "
            "between",
        ),
    ],
    "neuro_sign": [
        ({"sign": "posturing", "present": True}, "Posturing: stiff, turned limbs, present"),
        ({"sign": "papilledema", "present": False}, "Papilledema: swollen optic disc, absent"),
    ],
    "admission": [
        (
            {"setting": "icu", "because_of_crs": True},
            "Place of care: in intensive care, because of CRS",
        ),
        (
            {"setting": "ward", "because_of_crs": False},
            "Place of care: on a ward, not because of CRS",
        ),
        ({"setting": "home"}, "Place of care: at home, not stated whether because of CRS"),
    ],
    "blood_product": [({"product": "cryoprecipitate"}, "Cryoprecipitate given")],
    "death": [
        ({"due_to": ["crs", "icans"]}, "Death, due to CRS and neurotoxicity (ICANS)"),
    ],
}
"""Bodies in the keys of the course file, each with words that every list of entries writes."""
