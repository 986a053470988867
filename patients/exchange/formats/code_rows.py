"""What a row of the code tables is, and the names of the code systems in them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Final

LOINC: Final = "http://loinc.org"
SNOMED: Final = "http://snomed.info/sct"
RXNORM: Final = "http://www.nlm.nih.gov/research/umls/rxnorm"
ATC: Final = "http://www.whocc.no/atc"
MDC: Final = "urn:iso:std:iso:11073:10101"
UCUM: Final = "http://unitsofmeasure.org"

COURSE_FILE_1: Final = "urn:crs:course-file/1#"
COURSE_FILE_2: Final = "urn:crs:course-file/2#"
"""Our own code systems, each with the kind of an entry after the ``#``."""

READ_ON: Final = date(2026, 11, 29)
"""The day on which the sources of the verified rows were read."""

PUBLIC_MAPS: Final = (
    "concept maps of github.com/MIT-LCP/mimic-code; github.com/HL7/US-Core; OMOP concept list"
)
NOT_VERIFIED: Final = "background knowledge; the check digit or the form of the code only"


class Kind(Enum):
    """What a code stands for. The word of its row is of the vocabulary in the comment."""

    SIGN = "sign"  # a vital sign, by its key: "heart_rate"
    PRESSURES = "pressures"  # the panel of systolic, diastolic and mean pressure
    SIGNS_PANEL = "signs_panel"  # a panel that names other observations as its members
    WEIGHT = "weight"  # "weight_kg"
    OXYGEN_DEVICE = "oxygen_device"  # the question which device; its answer is a DEVICE
    OXYGEN_FLOW = "oxygen_flow"  # "flow_l_per_min"
    FIO2 = "fio2"  # "fio2_percent"
    DEVICE = "device"  # a device that gives oxygen: "nasal_cannula"
    ANALYTE = "analyte"  # "creatinine"
    DRUG = "drug"  # an infused drug: "norepinephrine"
    AGENT = "agent"  # the agent of a treatment: "tocilizumab"


class Amount(Enum):
    """Whether a result counts mass or molecules; a unit of the other class is refused."""

    MASS = "mass"
    MOLAR = "molar"


@dataclass(frozen=True, slots=True)
class CodeRow:
    """A code and what it stands for here.

    ``meaning`` is its name in the code system. ``word`` is a key of the course file. ``method`` is
    how a pressure was taken: ``cuff`` or ``arterial``. ``note`` is what the course file has no
    field for (troponin I or T). ``verified_on`` is None where nobody has compared the meaning with
    a public source; ``source`` says where it was read.
    """

    system: str
    code: str
    meaning: str
    kind: Kind
    word: str
    source: str
    verified_on: date | None
    method: str = ""
    amount: Amount | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class UnclearDevice:
    """A code that may mean several devices, of which each has another grade.

    Source: eCQM value set 2.16.840.1.113762.1.4.1170.57. ``proposal`` is the device word that a
    person is asked about; empty where the course file has no word for it.
    """

    system: str
    code: str
    meaning: str
    proposal: str
