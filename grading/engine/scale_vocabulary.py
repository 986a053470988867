"""The vocabulary of what scales other than Lee's ask: consciousness, seizures, care, products.

Course format crs-course/2. The ten points of ICE and the bands of CAPD are those of ASTCT 2019.
"""

from __future__ import annotations

from typing import Final

from grading.engine.vocabulary import Labelled, Limits


class OxygenPurpose(Labelled):
    """Why oxygen, or a ventilator, is in use."""

    HYPOXIA = "hypoxia", "hypoxia"
    AIRWAY_PROTECTION = "airway_protection", "to protect the airway"


class DeathCause(Labelled):
    """What a death is due to, as other scales ask."""

    CRS = "crs", "CRS"
    ICANS = "icans", "neurotoxicity (ICANS)"
    IEC_HS = "iec_hs", "IEC-HS"


class NotPerformedReason(Labelled):
    """Why ICE or CAPD could not be done; only the first of them is a grade."""

    UNAROUSABLE = "unarousable", "cannot be woken"
    SEDATED = "sedated", "sedated"
    INTUBATED = "intubated", "breathing tube"
    LANGUAGE = "language", "language"
    REFUSED = "refused", "refused"


class ConsciousnessLevel(Labelled):
    ALERT = "alert", "Awake and alert"
    SPONTANEOUS = "spontaneous", "Drowsy, wakes by itself"
    VOICE = "voice", "Wakes to voice"
    TACTILE = "tactile", "Wakes to touch"
    UNAROUSABLE = "unarousable", "Does not wake, or only to strong, repeated touch"


class SeizureType(Labelled):
    FOCAL = "focal", "Focal"
    GENERALISED = "generalised", "Generalised"
    NONCONVULSIVE = "nonconvulsive", "On EEG only, no movement seen"


class NeuroSignName(Labelled):
    FOCAL_WEAKNESS = "focal_weakness", "Deep weakness of a limb or one side"
    FOCAL_EDEMA = "focal_edema", "Swelling in one place on the scan"
    DIFFUSE_EDEMA = "diffuse_edema", "Swelling everywhere on the scan"
    POSTURING = "posturing", "Posturing: stiff, turned limbs"
    SIXTH_NERVE_PALSY = "sixth_nerve_palsy", "Sixth nerve palsy: eye cannot turn outward"
    PAPILLEDEMA = "papilledema", "Papilledema: swollen optic disc"
    CUSHING_TRIAD = "cushing_triad", "Cushing's triad: slow pulse, high pressure, odd breathing"


class AdmissionSetting(Labelled):
    HOME = "home", "at home"
    WARD = "ward", "on a ward"
    ICU = "icu", "in intensive care"


class BloodProductName(Labelled):
    FRESH_FROZEN_PLASMA = "fresh_frozen_plasma", "Fresh frozen plasma"
    CRYOPRECIPITATE = "cryoprecipitate", "Cryoprecipitate"
    FIBRINOGEN_CONCENTRATE = "fibrinogen_concentrate", "Fibrinogen concentrate"
    PLATELETS = "platelets", "Platelets"
    RED_CELLS = "red_cells", "Red cells"


ICE_PARTS: Final = {"orientation": 4, "naming": 3, "commands": 1, "writing": 1, "attention": 1}
"""The parts of ICE and the points of each: ten in all (ASTCT 2019; Lee 2019)."""

ICE_HIGHEST: Final = sum(ICE_PARTS.values())
ICE_SCORE: Final = Limits.of("0", str(ICE_HIGHEST))
CAPD_SCORE: Final = Limits.of("0", "32")
SEIZURE_MINUTES: Final = Limits.of("0", "1440")

ASKS_FOR_ICANS: Final = (
    "encephalopathy", "confusion", "delirium", "hallucinations", "agitation", "seizure",
    "dysphasia", "dysarthria", "somnolence", "depressed_consciousness", "cerebral_edema",
)  # fmt: skip
"""CTCAE terms that leave ICANS open until consciousness is assessed; each is no ICANS grade."""
