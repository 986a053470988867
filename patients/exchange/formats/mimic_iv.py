"""Items of three tables of MIMIC-IV, as its public concept maps name them.

Source: d_items and d_labitems of MIMIC-IV 2.2 (Johnson et al., PhysioNet, doi:10.13026/6mm1-ek67)
and the concept queries of github.com/MIT-LCP/mimic-code. ``subject_id`` is the patient in all
three. Endotracheal and tracheostomy tubes, face tents and aerosol masks are in no row: a tube is no
ventilator, and the others are no device of the course file.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

PRESET: Final = "mimic-iv"

Table = tuple[Mapping[str, str], Mapping[str, Mapping[str, Any]]]


def _sign(field: str, unit: str, method: str = "") -> Mapping[str, Any]:
    return {"field": field, "unit": unit} | ({"method": method} if method else {})


_CHART_COLUMNS: Final = {
    "patient_id": "subject_id", "time": "charttime", "item": "itemid", "value": "value",
    "unit": "valueuom", "storetime": "storetime",
}  # fmt: skip
_CHART: Final[Mapping[str, Mapping[str, Any]]] = {
    "220045": _sign("heart_rate", "bpm"),
    "220210": _sign("respiratory_rate", "insp/min"),
    "220277": _sign("spo2_percent", "%"),
    "220179": _sign("systolic_mmhg", "mmHg", "cuff"),
    "220180": _sign("diastolic_mmhg", "mmHg", "cuff"),
    "220181": _sign("mean_arterial_pressure_mmhg", "mmHg", "cuff"),
    "220050": _sign("systolic_mmhg", "mmHg", "arterial"),
    "220051": _sign("diastolic_mmhg", "mmHg", "arterial"),
    "220052": _sign("mean_arterial_pressure_mmhg", "mmHg", "arterial"),
    "223761": _sign("temperature_f", "°F"),
    "223762": _sign("temperature_c", "°C"),
    "226512": _sign("weight_kg", "kg"),
    "224639": _sign("weight_kg", "kg"),
    "223834": _sign("flow_l_per_min", "L/min"),
    "223835": _sign("fio2_percent", "%"),
    "226732": {
        "field": "device",
        "values": {
            "None": "room_air",
            "Nasal cannula": "nasal_cannula",
            "High flow nasal cannula": "high_flow_nasal_cannula",
            "Venti mask": "venturi_mask",
            "Non-rebreather": "non_rebreather_mask",
            "Trach mask": "tracheostomy_mask",
            "CPAP mask": "cpap",
            "Bipap mask": "bipap",
        },
    },
}

_INPUT_COLUMNS: Final = {
    "patient_id": "subject_id", "time": "starttime", "end_time": "endtime", "item": "itemid",
    "value": "rate", "unit": "rateuom", "storetime": "storetime", "weight_kg": "patientweight",
}  # fmt: skip
_PER_KG: Final = {"mcg/kg/min": "ug/kg/min"}
_INPUT: Final[Mapping[str, Mapping[str, Any]]] = {
    "221906": {"drug": "norepinephrine", "units": _PER_KG},
    "221289": {"drug": "epinephrine", "units": _PER_KG},
    "221662": {"drug": "dopamine", "units": _PER_KG},
    "221749": {"drug": "phenylephrine", "units": {**_PER_KG, "mcg/min": "ug/min"}},
    "222315": {"drug": "vasopressin", "units": {"units/hour": "units/h", "units/min": "units/min"}},
    "221653": {"drug": "dobutamine", "units": _PER_KG},
    "221986": {"drug": "milrinone", "units": _PER_KG},
}

_LAB_COLUMNS: Final = {
    "patient_id": "subject_id", "time": "charttime", "item": "itemid", "value": "valuenum",
    "unit": "valueuom", "low": "ref_range_lower", "high": "ref_range_upper",
    "storetime": "storetime",
}  # fmt: skip
_LAB: Final[Mapping[str, Mapping[str, Any]]] = {
    "50861": {"analyte": "alt", "unit": "IU/L"},
    "50878": {"analyte": "ast", "unit": "IU/L"},
    "50863": {"analyte": "alp", "unit": "IU/L"},
    "50927": {"analyte": "ggt", "unit": "IU/L"},
    "50885": {"analyte": "bilirubin", "unit": "mg/dL"},
    "50912": {"analyte": "creatinine", "unit": "mg/dL"},
    "51214": {"analyte": "fibrinogen", "unit": "mg/dL"},
    "51275": {"analyte": "aptt", "unit": "sec"},
    "51237": {"analyte": "inr", "unit": ""},
    "51265": {"analyte": "platelets", "unit": "K/uL"},
    "50889": {"analyte": "crp", "unit": "mg/L"},
    "50924": {"analyte": "ferritin", "unit": "ng/mL"},
    "50813": {"analyte": "lactate", "unit": "mmol/L"},
    "51003": {"analyte": "troponin", "unit": "ng/mL"},
    "50954": {"analyte": "ldh", "unit": "IU/L"},
    "51222": {"analyte": "hemoglobin", "unit": "g/dL"},
    "51000": {"analyte": "triglycerides", "unit": "mg/dL"},
}

TABLES: Final[Mapping[str, Table]] = {
    "chartevents": (_CHART_COLUMNS, _CHART),
    "inputevents": (_INPUT_COLUMNS, _INPUT),
    "labevents": (_LAB_COLUMNS, _LAB),
}
