"""The closed tables of codes as one, and what the codings of one concept mean together.

A code that is not in a table, nor in the hospital's own list, means nothing here. Text is never
matched.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from grading.engine.analytes import Analyte
from grading.engine.vocabulary import (
    FAHRENHEIT,
    VITAL_SIGN,
    OxygenDevice,
    TreatmentAgent,
    VasopressorDrug,
)
from patients.exchange.formats.analyte_codes import ANALYTE_CODES
from patients.exchange.formats.code_rows import (
    COURSE_FILE_1,
    Amount,
    CodeRow,
    Kind,
    UnclearDevice,
)
from patients.exchange.formats.context import LocalCode
from patients.exchange.formats.device_codes import DEVICE_CODES, UNCLEAR_DEVICES
from patients.exchange.formats.drug_codes import DRUG_CODES, NEVER_WRITTEN
from patients.exchange.formats.observation_codes import OBSERVATION_CODES, WRITTEN_TOGETHER
from patients.exchange.formats.unreadable import UnreadableError

CODES: Final[tuple[CodeRow, ...]] = (
    *OBSERVATION_CODES, *DEVICE_CODES, *ANALYTE_CODES, *DRUG_CODES,
)  # fmt: skip

_BY_CODE: Final = {(row.system, row.code): row for row in CODES}
_UNCLEAR: Final = {(row.system, row.code): row for row in UNCLEAR_DEVICES}
_OTHER_WORDS: Final = {
    FAHRENHEIT.key: (Kind.SIGN, "temperature_c"),
    "weight_kg": (Kind.WEIGHT, "weight_kg"),
    "flow_l_per_min": (Kind.OXYGEN_FLOW, "flow_l_per_min"),
    "fio2_percent": (Kind.FIO2, "fio2_percent"),
}


LOCAL_SIGNS: Final = frozenset((*VITAL_SIGN, *_OTHER_WORDS, *OxygenDevice))
"""What a code of one hospital may mean as a sign: what is measured, or a device of oxygen."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a concept stands for here: a kind, a word, and what its codings add.

    ``is_local``: it came by our own code system, or the hospital's own list, which do not tell
    mass from molar amounts.
    """

    kind: Kind
    word: str
    method: str = ""
    amount: Amount | None = None
    note: str = ""
    is_local: bool = False


def name_of_code(system: str, code: str) -> str:
    """Return the meaning of a code of the tables in its code system, "" for any other."""
    row = _BY_CODE.get((system, code)) or _UNCLEAR.get((system, code))
    return "" if row is None else row.meaning


def unclear_device(codings: Iterable[tuple[str, str]]) -> UnclearDevice | None:
    """Return the first of ``codings`` that may mean several devices."""
    return next((_UNCLEAR[coding] for coding in codings if coding in _UNCLEAR), None)


def written_codes(kind: Kind, word: str, amount: Amount | None = None) -> tuple[CodeRow, ...]:
    """Return the rows to write for a word: the first of each code system, in table order.

    ``amount`` chooses between codes of mass and of molar amounts. Empty where there is none.
    """
    rows: dict[str, CodeRow] = {}
    together: list[CodeRow] = []
    for row in CODES:
        wanted = row.kind is kind and row.word == word and word not in NEVER_WRITTEN
        if not wanted or row.amount not in (None, amount):
            continue
        if (row.system, row.code) in WRITTEN_TOGETHER:
            together.append(row)
        elif row.system not in rows:
            rows[row.system] = row
    return (*rows.values(), *together)


def meaning_of(
    codings: Sequence[tuple[str, str]], local_codes: Collection[LocalCode] = ()
) -> Meaning | None:
    """Return what (system, code) pairs of one concept mean, None where none is known.

    An unknown coding with a known one is passed over. Raises UnreadableError ``code.conflict``
    where two of them mean different things.
    """
    found = [
        meaning for coding in codings if (meaning := _meaning(coding, local_codes)) is not None
    ]
    if not found:
        return None
    return _together(found)


def _meaning(coding: tuple[str, str], local_codes: Collection[LocalCode]) -> Meaning | None:
    """Return the meaning of one code; of two lines of the hospital's own list the last counts."""
    row = _BY_CODE.get(coding)
    if row is not None:
        return Meaning(row.kind, row.word, row.method, row.amount, row.note)
    local = [item for item in local_codes if (item.system, item.code) == coding]
    return _local_meaning(local[-1]) if local else _own_meaning(*coding)


def _local_meaning(local: LocalCode) -> Meaning | None:
    if local.analyte in set(Analyte):
        return Meaning(Kind.ANALYTE, local.analyte, is_local=True)
    if local.sign in VITAL_SIGN:
        return Meaning(Kind.SIGN, local.sign, is_local=True)
    if local.sign in _OTHER_WORDS:
        return Meaning(*_OTHER_WORDS[local.sign], is_local=True)
    if local.sign in set(OxygenDevice):
        return Meaning(Kind.DEVICE, local.sign, is_local=True)
    if local.drug in set(VasopressorDrug):
        return Meaning(Kind.DRUG, local.drug, is_local=True)
    if local.drug in set(TreatmentAgent):
        return Meaning(Kind.AGENT, local.drug, is_local=True)
    return None


_OWN_WORDS: Final = {
    "oxygen": (Kind.DEVICE, OxygenDevice),
    "vasopressor": (Kind.DRUG, VasopressorDrug),
    "treatment": (Kind.AGENT, TreatmentAgent),
    "lab": (Kind.ANALYTE, Analyte),
}


def _own_meaning(system: str, code: str) -> Meaning | None:
    """Return the meaning of a word of the course file in our own code system."""
    if not system.startswith(COURSE_FILE_1):
        return None
    kind, words = _OWN_WORDS.get(system.removeprefix(COURSE_FILE_1), (None, None))
    if kind is None or words is None or code not in set(words):
        return None
    return Meaning(kind, code, is_local=True)


def _together(found: Sequence[Meaning]) -> Meaning:
    if len({(item.kind, item.word) for item in found}) > 1:
        raise UnreadableError("code.conflict", "two codes of it mean different things")
    methods = {item.method for item in found} - {""}
    amounts = {item.amount for item in found} - {None}
    notes = {item.note for item in found} - {""}
    if max(len(methods), len(amounts), len(notes)) > 1:
        raise UnreadableError("code.conflict", "two codes of it contradict each other")
    return Meaning(
        found[0].kind,
        found[0].word,
        next(iter(methods), ""),
        next(iter(amounts), None),
        next(iter(notes), ""),
        all(item.is_local for item in found),
    )
