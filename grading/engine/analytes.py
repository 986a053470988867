"""What a laboratory measures: each analyte once, with its place in a report, units and limits."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Self

from grading.engine.vocabulary import Labelled, Limits


class AnalyteGroup(Labelled):
    """How a panel of results is laid out, in the order in which a report is read."""

    LIVER = "liver", "Liver"
    KIDNEY = "kidney", "Kidney"
    COAGULATION = "coagulation", "Coagulation"
    INFLAMMATION = "inflammation", "Inflammation"
    HEART = "heart", "Heart"
    OTHER = "other", "Other"


@dataclass(frozen=True, slots=True)
class LabUnit:
    """A unit of an analyte: its hard limits and the factor to the analyte's common unit.

    A result outside ``usual`` is asked about, and so is a limit of normal outside ``upper_normal``
    or ``lower_normal``: it may stand in another unit's report. ``upper_normal_neonate`` holds for
    patients under 28 days. Source of these ranges: decision (grading rules, section 6).

    The common unit is the one that every other unit reaches by an exact product, so that results in
    different units compare without a division.
    """

    name: str
    limits: Limits | None
    to_common: Decimal = Decimal(1)
    usual: Limits | None = None
    upper_normal: Limits | None = None
    upper_normal_neonate: Limits | None = None
    lower_normal: Limits | None = None


_UMOL_PER_MG_BILIRUBIN = Decimal("17.1")
_UMOL_PER_MG_CREATININE = Decimal("88.4")
_MG_DL_PER_G_L = Decimal(100)
_MG_DL_PER_MMOL_L_TRIGLYCERIDES = Decimal("88.57")


class Analyte(Labelled):
    """What a laboratory, or an echocardiogram, measures.

    A member has its key, its label, its place in the panel and the units it is reported in; forms,
    the course file's reader and its limits follow from that.
    """

    group: AnalyteGroup
    units: tuple[LabUnit, ...]

    def __new__(
        cls,
        key: str,
        label: str = "",
        group: AnalyteGroup = AnalyteGroup.OTHER,
        *units: LabUnit,
    ) -> Self:
        member = str.__new__(cls, key)
        member._value_ = key
        member.label = label
        member.group = group
        member.units = units
        return member

    ALT = (
        "alt",
        "ALT",
        AnalyteGroup.LIVER,
        LabUnit(
            "U/L",
            Limits.of("0", "30000"),
            usual=Limits.of("0", "10000"),
            upper_normal=Limits.of("15", "150"),
        ),
    )
    AST = (
        "ast",
        "AST",
        AnalyteGroup.LIVER,
        LabUnit(
            "U/L",
            Limits.of("0", "40000"),
            usual=Limits.of("0", "20000"),
            upper_normal=Limits.of("15", "150"),
        ),
    )
    ALP = (
        "alp",
        "ALP",
        AnalyteGroup.LIVER,
        LabUnit("U/L", None, usual=Limits.of("0", "5000"), upper_normal=Limits.of("60", "800")),
    )
    GGT = (
        "ggt",
        "GGT",
        AnalyteGroup.LIVER,
        LabUnit("U/L", None, usual=Limits.of("0", "5000"), upper_normal=Limits.of("15", "300")),
    )
    BILIRUBIN = (
        "bilirubin",
        "Bilirubin",
        AnalyteGroup.LIVER,
        LabUnit(
            "mg/dL",
            Limits.of("0", "80"),
            _UMOL_PER_MG_BILIRUBIN,
            Limits.of("0", "30"),
            upper_normal=Limits.of("0.5", "3"),
            upper_normal_neonate=Limits.of("0.5", "20"),
        ),
        LabUnit(
            "umol/L",
            Limits.of("0", "1368"),
            usual=Limits.of("0", "513"),
            upper_normal=Limits.of("8", "52"),
            upper_normal_neonate=Limits.of("8", "340"),
        ),
    )
    CREATININE = (
        "creatinine",
        "Creatinine",
        AnalyteGroup.KIDNEY,
        LabUnit(
            "mg/dL",
            Limits.of("0.05", "40"),
            _UMOL_PER_MG_CREATININE,
            Limits.of("0.2", "15"),
            upper_normal=Limits.of("0.2", "2"),
        ),
        LabUnit(
            "umol/L",
            Limits.of("4", "3540"),
            usual=Limits.of("17.68", "1326"),
            upper_normal=Limits.of("18", "180"),
        ),
    )
    FIBRINOGEN = (
        "fibrinogen",
        "Fibrinogen",
        AnalyteGroup.COAGULATION,
        LabUnit(
            "mg/dL",
            Limits.of("0", "1500"),
            usual=Limits.of("50", "1000"),
            upper_normal=Limits.of("300", "700"),
            lower_normal=Limits.of("100", "250"),
        ),
        LabUnit(
            "g/L",
            Limits.of("0", "15"),
            _MG_DL_PER_G_L,
            Limits.of("0.5", "10"),
            upper_normal=Limits.of("3", "7"),
            lower_normal=Limits.of("1", "2.5"),
        ),
    )
    APTT = (
        "aptt",
        "aPTT",
        AnalyteGroup.COAGULATION,
        LabUnit(
            "s",
            Limits.of("10", "300"),
            usual=Limits.of("10", "150"),
            upper_normal=Limits.of("25", "65"),
        ),
    )
    INR = (
        "inr",
        "INR",
        AnalyteGroup.COAGULATION,
        LabUnit(
            "ratio",
            Limits.of("0.5", "20"),
            usual=Limits.of("0.5", "10"),
            upper_normal=Limits.of("1.0", "1.5"),
        ),
    )
    D_DIMER = (
        "d_dimer",
        "D-dimer",
        AnalyteGroup.COAGULATION,
        LabUnit("ng/mL", None, usual=Limits.of("0", "200000")),
    )
    PLATELETS = (
        "platelets",
        "Platelets",
        AnalyteGroup.COAGULATION,
        LabUnit("10^9/L", Limits.of("0", "3000"), usual=Limits.of("5", "3000")),
    )
    CRP = (
        "crp",
        "CRP",
        AnalyteGroup.INFLAMMATION,
        LabUnit("mg/L", Limits.of("0", "1000"), usual=Limits.of("0", "500")),
        LabUnit("mg/dL", Limits.of("0", "100"), Decimal(10), Limits.of("0", "50")),
    )
    FERRITIN = (
        "ferritin",
        "Ferritin",
        AnalyteGroup.INFLAMMATION,
        LabUnit("ng/mL", Limits.of("0", "2000000"), usual=Limits.of("0", "100000")),
        LabUnit("ug/L", Limits.of("0", "2000000"), usual=Limits.of("0", "100000")),
    )
    IL6 = (
        "il6",
        "IL-6",
        AnalyteGroup.INFLAMMATION,
        LabUnit("pg/mL", Limits.of("0", "10000000"), usual=Limits.of("0", "100000")),
        LabUnit("ng/L", Limits.of("0", "10000000"), usual=Limits.of("0", "100000")),
    )
    TROPONIN = (
        "troponin",
        "Troponin",
        AnalyteGroup.HEART,
        LabUnit("ng/mL", Limits.of("0", "1000"), Decimal(1000), Limits.of("0", "50")),
        LabUnit("ng/L", Limits.of("0", "1000000"), usual=Limits.of("0", "50000")),
    )
    LVEF = (
        "lvef",
        "LVEF",
        AnalyteGroup.HEART,
        LabUnit("%", Limits.of("1", "95"), usual=Limits.of("15", "80")),
    )
    ANC = (
        "anc",
        "Neutrophils",
        AnalyteGroup.OTHER,
        LabUnit("10^9/L", Limits.of("0", "200"), usual=Limits.of("0", "50")),
    )
    LACTATE = (
        "lactate",
        "Lactate",
        AnalyteGroup.OTHER,
        LabUnit("mmol/L", Limits.of("0", "40"), usual=Limits.of("0", "15")),
    )
    LDH = (
        "ldh",
        "LDH",
        AnalyteGroup.OTHER,
        LabUnit("U/L", Limits.of("0", "100000"), usual=Limits.of("50", "20000")),
    )
    TRIGLYCERIDES = (
        "triglycerides",
        "Triglycerides",
        AnalyteGroup.OTHER,
        LabUnit("mg/dL", Limits.of("0", "20000"), usual=Limits.of("20", "2000")),
        LabUnit(
            "mmol/L",
            Limits.of("0", "226"),
            _MG_DL_PER_MMOL_L_TRIGLYCERIDES,
            usual=Limits.of("0.2", "23"),
        ),
    )
    HEMOGLOBIN = (
        "hemoglobin",
        "Hemoglobin",
        AnalyteGroup.OTHER,
        LabUnit("g/dL", Limits.of("0", "30"), Decimal(10), usual=Limits.of("4", "20")),
        LabUnit("g/L", Limits.of("0", "300"), usual=Limits.of("40", "200")),
    )


BASELINE_RESULTS: Final = (
    ("creatinine_mg_dl", Analyte.CREATININE, "mg/dL"),
    ("lvef_percent", Analyte.LVEF, "%"),
    ("fibrinogen_mg_dl", Analyte.FIBRINOGEN, "mg/dL"),
)
"""Results of a baseline: field, analyte and unit."""

FIBRINOGEN_IN_G_L_BELOW: Final = Decimal(20)
"""A fibrinogen below this, in mg/dL, was probably reported in g/L."""

IMPOSSIBLE_BECAUSE: Final[dict[Analyte, str]] = {
    Analyte.PLATELETS: "Counted per µL? 250000/µL is 250 ×10⁹/L.",
    Analyte.ANC: "Counted per µL? 1500/µL is 1.5 ×10⁹/L.",
    Analyte.LVEF: "Is it a fraction? 0.55 is 55 %.",
}
"""What a result beyond its hard limits most likely is, where no unit of the analyte fits it."""


ADULT_LIMITS_FROM_YEARS: Final = 18
"""Limits of normal of adults and of children are never proposed for each other (decision)."""


def lab_unit(analyte: Analyte, name: str) -> LabUnit | None:
    """Return the unit of that name, or None where the analyte is never reported in it."""
    return _UNITS.get((analyte, name))


def unit_of_result(analyte: Analyte, name: str) -> LabUnit:
    """Return the unit of that name; raises ValueError where the analyte is never reported in it."""
    unit = lab_unit(analyte, name)
    if unit is None:
        raise ValueError(f"{analyte} is not reported in {name}")
    return unit


_UNITS: Final = {(analyte, unit.name): unit for analyte in Analyte for unit in analyte.units}
