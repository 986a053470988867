"""Eight invented patients whose charts end now: a ward to click through.

``ward(now)`` gives documents in the course-file format, with a ward and a bed for each; the same
``now`` gives the same ward. No patient, name or number here is real.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from patients.demo.charting import Chart, Json, Point, pressure


class Placed(NamedTuple):
    """A course file with the patient's ward and bed."""

    document: Json
    ward: str
    bed: str


def recovered(now: datetime) -> Placed:
    """Grade 0: grade 2 on days 3 and 4, answered to tocilizumab."""
    chart = Chart(1, now)
    chart.vitals([
        Point(188, 8, 366, 78, 128, 76, 14, 98), Point(140, 4, 386, 102, 122, 72, 18, 96),
        Point(116, 4, 394, 116, 112, 64, 22, 93), Point(92, 4, 381, 98, 118, 70, 18, 95),
        Point(68, 6, 371, 84, 124, 74, 16, 97), Point(1.4, 6, 367, 76, 128, 76, 14, 98),
    ])  # fmt: skip
    chart.add(187, "oxygen", device="room_air")
    chart.add(120.5, "oxygen", device="nasal_cannula", flow_l_per_min="2")
    chart.add(84, "oxygen", device="nasal_cannula", flow_l_per_min="1")
    chart.add(74, "oxygen", device="room_air")
    chart.add(139, "symptom", term="fatigue", present=True)
    chart.add(60, "symptom", term="fatigue", present=False)
    chart.add(112, "treatment", agent="tocilizumab", dose_mg="288", note="4 mg/kg over 1 h")
    chart.add(119, "treatment", agent="antibiotics", note="cefepime after cultures")
    chart.daily(
        5.5, crp=("8", "34", "96", "141", "88", "31", "12"),
        ferritin=("410", "690", "1850", "3120", "2400", "1500", "980"),
        alt=("28", "31", "44", "58", "52", "41", "36"), platelets=("88", "70", "52", "40", "36"),
        creatinine=("0.8", "0.8", "0.9", "0.9", "0.8"), anc=("0.4", "0.2", "0.1", "0.3", "0.8"),
    )  # fmt: skip
    patient: Json = {"name": "Demo, Adela", "birth_date": "1963-05-14", "sex": "female"}
    patient |= {"extensive_comorbidities": False, "older_age": False}
    document = chart.document(
        patient, "axicabtagene ciloleucel", 8, baseline=pressure("128", "76"), weight_kg="72"
    )
    return Placed(document, "Cell therapy 7 West", "01")


def febrile_with_correction(now: datetime) -> Placed:
    """Grade 1: fever and headache; one temperature was mistyped and corrected."""
    chart = Chart(2, now)
    chart.vitals([
        Point(70, 4, 368, 74, 122, 72, 14, 99), Point(46, 4, 383, 96, 118, 70, 16, 98),
        Point(22, 4, 390, 108, 114, 68, 18, 97), Point(0.6, 4, 386, 102, 116, 70, 18, 97),
    ])  # fmt: skip
    wrong = chart.add(9, "vitals", temperature_c="36.9", note="between two sets")
    chart.add(
        9, "vitals", charted_after_minutes=25, temperature_c="38.9", replaces=wrong,
        note="typed 36.9, read 38.9",
    )  # fmt: skip
    chart.add(69, "oxygen", device="room_air")
    chart.add(22, "oxygen", device="room_air", charted_after_minutes=42)
    chart.add(45, "symptom", term="headache", present=True)
    chart.add(21, "symptom", term="rigors", present=True)
    chart.add(14, "symptom", term="rigors", present=False)
    chart.add(21.5, "treatment", agent="antipyretic", dose_mg="1000", note="paracetamol")
    chart.daily(
        6, crp=("4", "22", "61"), ferritin=("220", "480", "910"), alt=("24", "29", "35"),
        ast=("22", "26", "31"), bilirubin=("0.6", "0.7", "0.7"), creatinine=("0.9", "0.9", "0.9"),
        fibrinogen=("340", "410", "455"), platelets=("112", "96", "84"),
    )  # fmt: skip
    patient: Json = {"name": "Demo, Bruno", "birth_date": "1991-11-02", "sex": "male"}
    patient |= {"extensive_comorbidities": False, "older_age": False}
    document = chart.document(
        patient, "blinatumomab", 3, baseline=pressure("122", "74"), weight_kg="81"
    )
    return Placed(document, "Cell therapy 7 West", "02")


def without_baseline(now: datetime) -> Placed:
    """Grade 1, could be 2: nobody established the baseline pressure; a risk is unanswered."""
    chart = Chart(3, now)
    chart.vitals([
        Point(94, 4, 367, 80, 138, 78, 16, 97), Point(50, 4, 379, 88, 134, 76, 16, 96),
        Point(26, 4, 384, 94, 126, 70, 18, 95), Point(2.2, 4, 382, 92, 122, 68, 18, 95),
    ])  # fmt: skip
    chart.add(93, "oxygen", device="room_air")
    chart.add(2.1, "oxygen", device="room_air")
    chart.add(48, "symptom", term="fatigue", present=True)
    chart.add(25, "symptom", term="myalgia", present=True, attribution="uncertain")
    chart.add(24, "treatment", agent="antipyretic", dose_mg="650", note="paracetamol")
    chart.daily(
        7, crp=("11", "19", "47", "58"), ferritin=("640", "700", "1010", "1180"),
        alt=("19", "22", "24", "26"), creatinine=("1.1", "1.1", "1.2", "1.2"),
        platelets=("140", "131", "118", "110"), anc=("2.6", "2.1", "1.7", "1.6"),
    )  # fmt: skip
    patient: Json = {"name": "Demo, Carla", "birth_date": "1954-02-27", "sex": "female"}
    patient |= {"chronic_corticosteroids": True}
    return Placed(
        chart.document(patient, "teclistamab", 4, weight_kg="64"), "Cell therapy 7 West", "03"
    )


def septic_shock_excluded(now: datetime) -> Placed:
    """Grade 2 by oxygen alone: the hypotension is ascribed to a bacteraemia."""
    chart = Chart(4, now)
    chart.vitals([
        Point(142, 6, 366, 72, 118, 70, 14, 99), Point(70, 4, 384, 100, 112, 66, 18, 95),
        Point(30, 2, 389, 112, 106, 62, 22, 92), Point(13, 2, 392, 118, 98, 56, 24, 92),
    ])  # fmt: skip
    septic = {"systolic_mmhg": "other", "diastolic_mmhg": "other"}
    sets = ((11, "84", "46"), (10, "88", "48"), (8, "94", "52"), (5, "98", "56"), (3, "97", "55"))
    for hours_ago, systolic, diastolic in (*sets, (0.9, "99", "57")):
        chart.add(
            hours_ago, "vitals", temperature_c="38.6", heart_rate="114", respiratory_rate="22",
            spo2_percent="94", attribution=septic, **pressure(systolic, diastolic),
        )  # fmt: skip
    chart.add(141, "oxygen", device="room_air")
    chart.add(30.2, "oxygen", device="nasal_cannula", flow_l_per_min="2")
    chart.add(1.0, "oxygen", device="nasal_cannula", flow_l_per_min="3")
    cause = "Escherichia coli in two bottles"
    chart.add(10.9, "fluid_bolus", volume_ml="500", attribution="other", note=cause)
    chart.add(10.4, "treatment", agent="antibiotics", attribution="other", note="meropenem")
    shock = {"attribution": "other", "note": cause}
    chart.infusion(9.5, "norepinephrine", "6", "ug/min", **shock)
    chart.infusion(2.5, "norepinephrine", "4", "ug/min", **shock)
    chart.daily(
        6.5, crp=("9", "30", "72", "120", "168", "214"),
        ferritin=("300", "520", "900", "1400", "1900", "2300"),
        alt=("30", "33", "35", "38", "44", "47"), lactate=("1.1", "1.2", "2.9"),
        creatinine=("0.7", "0.7", "0.8", "0.8", "1.0", "1.1"), anc=("0.3", "0.1", "0.1", "0.0"),
    )  # fmt: skip
    patient: Json = {"name": "Demo, Dana", "birth_date": "1996-08-19", "sex": "female"}
    patient |= {"extensive_comorbidities": False, "older_age": False}
    document = chart.document(
        patient, "tisagenlecleucel", 6, baseline=pressure("118", "70"), weight_kg="58"
    )
    return Placed(document, "Intensive care B", "11")


def three_hours_pending(now: datetime) -> Placed:
    """Grade 2, grade 3 in 40 min: norepinephrine above 20 mcg/min for 2 h 20 min."""
    chart = Chart(5, now)
    chart.vitals([
        Point(118, 6, 367, 76, 126, 74, 14, 98), Point(58, 4, 391, 108, 116, 68, 20, 96),
        Point(14, 2, 398, 122, 104, 60, 22, 95), Point(7, 1, 396, 128, 84, 46, 24, 95),
        Point(4.2, 1, 394, 124, 92, 50, 24, 95), Point(2.6, 1, 393, 126, 88, 48, 24, 94),
        Point(0.3, 1, 391, 118, 102, 60, 22, 95),
    ])  # fmt: skip
    chart.add(117, "oxygen", device="room_air")
    chart.add(1.3, "oxygen", device="room_air")
    chart.add(56, "symptom", term="rigors", present=True)
    chart.add(30, "symptom", term="rigors", present=False)
    chart.add(6.9, "fluid_bolus", volume_ml="500")
    chart.add(6.2, "fluid_bolus", volume_ml="500", charted_after_minutes=42)
    chart.infusion(5.5, "norepinephrine", "0.10", "ug/kg/min")
    chart.infusion(4, "norepinephrine", "0.18", "ug/kg/min")
    chart.infusion(140 / 60, "norepinephrine", "0.28", "ug/kg/min")
    chart.add(6.5, "treatment", agent="antibiotics", note="piperacillin and tazobactam")
    chart.daily(
        8, crp=("6", "41", "110", "176", "220"),
        ferritin=("380", "900", "2900", "5200", "7400"), il6=("12", "380", "1900"),
        alt=("26", "30", "48", "66", "78"), ast=("24", "31", "52", "70", "84"),
        creatinine=("0.9", "0.9", "1.0", "1.1", "1.2"),
        fibrinogen=("380", "420", "460", "400", "330"),
    )  # fmt: skip
    chart.add(20, "lab", analyte="lvef", value="58", unit="%")
    patient: Json = {"name": "Demo, Emil", "birth_date": "1967-01-30", "sex": "male"}
    baseline = {**pressure("126", "74"), "lvef_percent": "62", "creatinine_mg_dl": "0.9"}
    document = chart.document(
        patient, "axicabtagene ciloleucel", 5, baseline=baseline, weight_kg="82"
    )
    return Placed(document, "Intensive care B", "12")


def child_on_a_cannula(now: datetime) -> Placed:
    """Grade 2, could be 3: a child of 6 years on a cannula whose flow is not charted."""
    chart = Chart(6, now)
    chart.vitals([
        Point(94, 4, 368, 96, 100, 60, 20, 99), Point(58, 4, 387, 124, 98, 58, 24, 97),
        Point(24, 3, 396, 138, 94, 54, 28, 94), Point(6, 2, 399, 142, 92, 52, 30, 91),
        Point(0.7, 2, 394, 134, 94, 54, 28, 95),
    ])  # fmt: skip
    chart.add(93, "oxygen", device="room_air")
    chart.add(22, "oxygen", device="blow_by", note="at night, intermittently")
    chart.add(12, "oxygen", device="room_air")
    chart.add(5.8, "oxygen", device="nasal_cannula")
    chart.add(57, "symptom", term="malaise", present=True)
    chart.add(23, "symptom", term="vomiting", present=True)
    chart.add(18, "symptom", term="vomiting", present=False)
    chart.add(23.5, "treatment", agent="antipyretic", dose_mg="315", note="paracetamol 15 mg/kg")
    chart.add(20, "weight", weight_kg="21")
    chart.daily(
        5, crp=("3", "26", "84", "132"), ferritin=("150", "610", "2600", "4800"),
        alt=("18", "22", "30", "41"), creatinine=("0.35", "0.35", "0.38", "0.40"),
        fibrinogen=("310", "360", "390", "350"), platelets=("96", "71", "48", "39"),
        anc=("0.6", "0.3", "0.1", "0.1"),
    )  # fmt: skip
    patient: Json = {"name": "Demo, Finn", "age_years": "6", "sex": "male"}
    patient |= {"extensive_comorbidities": False, "older_age": False}
    document = chart.document(
        patient, "tisagenlecleucel", 4, baseline=pressure("100", "60"), weight_kg="20.6"
    )
    return Placed(document, "Children's cell therapy", "04")


def two_vasopressors(now: datetime) -> Placed:
    """Grade 3: norepinephrine and vasopressin; tocilizumab 9 h ago; one entry was retracted."""
    chart = Chart(7, now)
    chart.vitals([
        Point(142, 6, 366, 74, 132, 80, 14, 98), Point(76, 4, 388, 104, 124, 74, 18, 96),
        Point(28, 2, 398, 124, 108, 62, 22, 94), Point(14, 1, 401, 132, 86, 46, 26, 93),
        Point(9.5, 1, 397, 134, 82, 44, 26, 93), Point(6, 1, 386, 120, 96, 54, 22, 95),
        Point(0.4, 1, 378, 108, 104, 60, 20, 96),
    ])  # fmt: skip
    chart.add(141, "oxygen", device="room_air")
    chart.add(27, "oxygen", device="nasal_cannula", flow_l_per_min="2")
    chart.add(
        10, "oxygen", device="high_flow_nasal_cannula", flow_l_per_min="40", fio2_percent="45"
    )
    chart.add(3, "oxygen", device="high_flow_nasal_cannula", flow_l_per_min="35", fio2_percent="35")
    chart.add(13.9, "fluid_bolus", volume_ml="1000")
    chart.add(13.1, "fluid_bolus", volume_ml="500")
    chart.infusion(12.5, "norepinephrine", "8", "ug/min")
    chart.infusion(10.5, "norepinephrine", "16", "ug/min")
    chart.infusion(9.3, "vasopressin", "0.03", "units/min")
    chart.infusion(5, "norepinephrine", "14", "ug/min")
    wrong = chart.infusion(8, "epinephrine", "4", "ug/min")
    chart.add(7.4, "retraction", replaces=wrong, note="charted for the patient in bed 14")
    chart.add(9, "treatment", agent="tocilizumab", dose_mg="272", note="4 mg/kg over 1 h")
    chart.add(12, "treatment", agent="antibiotics", note="meropenem after cultures")
    chart.add(26, "symptom", term="confusion", present=True, charted_after_minutes=55)
    chart.add(25, "toxicity", term="confusion", grade=1)
    chart.daily(
        4, crp=("7", "22", "70", "160", "240", "262"),
        ferritin=("500", "900", "3200", "8800", "16400", "21000"), il6=("40", "2100", "8800"),
        alt=("30", "34", "60", "110", "150", "188"), ast=("28", "36", "72", "120", "160", "170"),
        bilirubin=("0.7", "0.7", "0.8", "1.0", "1.2", "1.5"),
        creatinine=("0.8", "0.8", "0.9", "1.1", "1.3", "1.2"),
        fibrinogen=("360", "400", "390", "300", "240", "190"), inr=("1.0", "1.1", "1.2", "1.3"),
    )  # fmt: skip
    patient: Json = {"name": "Demo, Gita", "birth_date": "1976-04-08", "sex": "female"}
    patient |= {"extensive_comorbidities": True, "older_age": False}
    document = chart.document(
        patient, "brexucabtagene autoleucel", 6, baseline=pressure("132", "80"), weight_kg="68"
    )
    return Placed(document, "Intensive care B", "13")


def ventilated(now: datetime) -> Placed:
    """Grade 4: ventilated since yesterday, two vasopressors, tocilizumab twice, corticosteroids."""
    chart = Chart(8, now)
    chart.vitals([
        Point(212, 8, 367, 80, 134, 78, 16, 97), Point(120, 4, 388, 106, 124, 70, 20, 94),
        Point(60, 2, 402, 128, 98, 54, 28, 90), Point(30, 1, 399, 134, 88, 48, 34, 88),
        Point(18, 1, 389, 118, 94, 52, 20, 94), Point(0.2, 1, 381, 104, 106, 60, 18, 95),
    ])  # fmt: skip
    chart.add(211, "oxygen", device="room_air")
    chart.add(119, "oxygen", device="nasal_cannula", flow_l_per_min="3")
    chart.add(
        60.3, "oxygen", device="high_flow_nasal_cannula", flow_l_per_min="50", fio2_percent="55"
    )
    chart.add(33, "oxygen", device="bipap", fio2_percent="70")
    chart.add(29.5, "oxygen", device="invasive_ventilation", fio2_percent="80")
    chart.add(12, "oxygen", device="invasive_ventilation", fio2_percent="60")
    chart.add(1, "oxygen", device="invasive_ventilation", fio2_percent="50")
    chart.add(59, "fluid_bolus", volume_ml="1000")
    chart.infusion(57, "norepinephrine", "10", "ug/min")
    chart.infusion(32, "norepinephrine", "24", "ug/min")
    chart.infusion(29, "vasopressin", "0.04", "units/min")
    chart.infusion(11, "norepinephrine", "18", "ug/min")
    chart.infusion(1.5, "norepinephrine", "14", "ug/min")
    chart.add(56, "treatment", agent="tocilizumab", dose_mg="352", note="4 mg/kg over 1 h")
    chart.add(31, "treatment", agent="tocilizumab", dose_mg="352", note="second dose")
    for hours_ago in (30.5, 24, 18, 12, 6):
        chart.add(hours_ago, "treatment", agent="dexamethasone", dose_mg="10")
    chart.add(34, "toxicity", term="encephalopathy", grade=2)
    chart.add(28, "judgement", about="life_threatening", present=True)
    chart.add(3, "judgement", about="life_threatening", present=False)
    chart.daily(
        3.5, crp=("14", "30", "66", "130", "210", "288", "301", "190"),
        ferritin=("800", "1100", "2400", "6900", "18000", "46000", "61000", "52000"),
        alt=("33", "36", "41", "80", "160", "240", "310", "280"),
        creatinine=("1.0", "1.0", "1.1", "1.3", "1.7", "2.1", "2.4", "2.2"),
        bilirubin=("0.8", "0.8", "0.9", "1.1", "1.6", "2.0", "2.3", "2.1"),
        fibrinogen=("410", "430", "400", "330", "240", "170", "150", "160"),
        inr=("1.1", "1.2", "1.4", "1.5", "1.4"), lactate=("1.4", "2.6", "4.1", "2.2"),
    )  # fmt: skip
    patient: Json = {"name": "Demo, Hugo", "birth_date": "1958-12-11", "sex": "male"}
    patient |= {"extensive_comorbidities": True, "older_age": True}
    document = chart.document(
        patient, "idecabtagene vicleucel", 9, baseline=pressure("134", "78"), weight_kg="88"
    )
    return Placed(document, "Intensive care B", "14")


PATIENTS = (
    recovered,
    febrile_with_correction,
    without_baseline,
    septic_shock_excluded,
    three_hours_pending,
    child_on_a_cannula,
    two_vasopressors,
    ventilated,
)


def ward(now: datetime) -> list[Placed]:
    """Return the eight patients at ``now``, an aware time that is rounded down to the minute."""
    minute = now.replace(second=0, microsecond=0)
    return [patient(minute) for patient in PATIENTS]
