"""Codes of infused drugs and of treatments: RxNorm ingredients and ATC substances.

Only ingredients are read, never a group: dobutamine stands among ATC's vasopressors. The first row
of a word and system is the one that is written.
"""

from __future__ import annotations

from typing import Final

from patients.exchange.formats.code_rows import (
    ATC,
    NOT_VERIFIED,
    READ_ON,
    RXNORM,
    CodeRow,
    Kind,
)

_RXNORM_SOURCE: Final = "public registry of vasopressors and RxNorm lists on GitHub"
_ATC_SOURCE: Final = "public list of ATC substances on GitHub"


def _rxnorm(code: str, name: str, kind: Kind, word: str, note: str = "") -> CodeRow:
    return CodeRow(RXNORM, code, name, kind, word, _RXNORM_SOURCE, READ_ON, note=note)


def _rxnorm_unverified(code: str, name: str, kind: Kind, word: str) -> CodeRow:
    return CodeRow(RXNORM, code, name, kind, word, NOT_VERIFIED, None)


def _atc(code: str, name: str, kind: Kind, word: str, note: str = "") -> CodeRow:
    return CodeRow(ATC, code, name, kind, word, _ATC_SOURCE, READ_ON, note=note)


def _atc_unverified(code: str, name: str, kind: Kind, word: str) -> CodeRow:
    return CodeRow(ATC, code, name, kind, word, NOT_VERIFIED, None)


_DRUG, _AGENT, _OTHER = Kind.DRUG, Kind.AGENT, "other_vasopressor"

DRUG_CODES: Final = (
    _rxnorm("7512", "norepinephrine", _DRUG, "norepinephrine"),
    _atc("C01CA03", "norepinephrine", _DRUG, "norepinephrine"),
    _rxnorm("3992", "epinephrine", _DRUG, "epinephrine"),
    _atc("C01CA24", "epinephrine", _DRUG, "epinephrine"),
    _rxnorm("8163", "phenylephrine", _DRUG, "phenylephrine"),
    _atc("C01CA06", "phenylephrine", _DRUG, "phenylephrine"),
    _rxnorm("3628", "dopamine", _DRUG, "dopamine"),
    _atc("C01CA04", "dopamine", _DRUG, "dopamine"),
    _rxnorm("11149", "vasopressin (USP)", _DRUG, "vasopressin"),
    _atc("H01BA01", "vasopressin (argipressin)", _DRUG, "vasopressin"),
    _atc("H01BA06", "argipressin", _DRUG, "vasopressin"),
    _rxnorm("1999010", "angiotensin II", _DRUG, "angiotensin_ii"),
    _atc_unverified("C01CX09", "angiotensin II", _DRUG, "angiotensin_ii"),
    _rxnorm("3616", "dobutamine", _DRUG, "dobutamine"),
    _atc("C01CA07", "dobutamine", _DRUG, "dobutamine"),
    _rxnorm_unverified("52769", "milrinone", _DRUG, "milrinone"),
    _atc("C01CE02", "milrinone", _DRUG, "milrinone"),
    _rxnorm("3966", "ephedrine", _DRUG, _OTHER, "ephedrine"),
    _atc("C01CA26", "ephedrine", _DRUG, _OTHER, "ephedrine"),
    _atc("H01BA04", "terlipressin", _DRUG, _OTHER, "terlipressin"),
    _atc("C01CA09", "metaraminol", _DRUG, _OTHER, "metaraminol"),
    _rxnorm("612865", "tocilizumab", _AGENT, "tocilizumab"),
    _atc("L04AC07", "tocilizumab", _AGENT, "tocilizumab"),
    _rxnorm_unverified("1535218", "siltuximab", _AGENT, "siltuximab"),
    _atc_unverified("L04AC11", "siltuximab", _AGENT, "siltuximab"),
    _rxnorm_unverified("72435", "anakinra", _AGENT, "anakinra"),
    _atc("L04AC03", "anakinra", _AGENT, "anakinra"),
    _rxnorm_unverified("191831", "infliximab", _AGENT, "infliximab"),
    _atc("L04AB02", "infliximab", _AGENT, "infliximab"),
    _rxnorm_unverified("214555", "etanercept", _AGENT, "etanercept"),
    _atc("L04AB01", "etanercept", _AGENT, "etanercept"),
    _rxnorm_unverified("6902", "methylprednisolone", _AGENT, "methylprednisolone"),
    _atc("H02AB04", "methylprednisolone", _AGENT, "methylprednisolone"),
    _rxnorm_unverified("3264", "dexamethasone", _AGENT, "dexamethasone"),
    _atc("H02AB02", "dexamethasone", _AGENT, "dexamethasone"),
    _rxnorm_unverified("5492", "hydrocortisone", _AGENT, "hydrocortisone"),
    _atc("H02AB09", "hydrocortisone", _AGENT, "hydrocortisone"),
)

NEVER_WRITTEN: Final = frozenset({_OTHER})
"""Words whose codes are read and not written: terlipressin is not ephedrine."""

WITHOUT_A_CODE: Final = frozenset({"antibiotics", "antipyretic", "other"})
"""Agents of treatments that stand for many substances: our own code system has them alone."""
