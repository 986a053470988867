"""A course without anything that says whose it is; its grades stay the same.

Days are shifted by one secret number for each course, so times of day (in UTC) and intervals stay.
Ids are keyed hashes. What is kept of an entry are the keys of its kind, none of which is free text.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from grading.engine.facts import CourseFacts
from grading.engine.vocabulary import EARLIEST, LATEST, NotObservedReason, RiskQuestion
from grading.entry_reader import FIELDS
from patients.exchange.exported import Document, ExportedCourse, in_utc
from patients.queries.export import GradeSpan

OLDEST_SHOWN: Final = 89
OLDER: Final = OLDEST_SHOWN + 1
"""The age that stands for every higher one."""
FEWEST_OF_PRODUCT: Final = 5
"""A product of fewer courses may say which hospital this is: it is not shown."""
PRODUCT_NOT_SHOWN: Final = "not shown"
_FURTHEST_DAYS: Final = 182
_ID_LENGTH: Final = 32
_BASELINE, _NOTE = "baseline", "note"
_NOT_OBSERVED, _RETRACTION = "not_observed", "retraction"
_OF_EVERY_KIND: Final = frozenset({"attribution"})
_OF_PATIENT: Final = frozenset(
    {"sex", "developmental_delay", *(question.value for question in RiskQuestion)}
)
_AGES_OF_POLICY: Final = ("adult_age_years", "icans_capd_below_years")
_TIMES: Final = frozenset({"measured_at"})


class NeonateError(ValueError):
    """A child under 28 days at the infusion: only the birth date says so, and grades need it."""


@dataclass(frozen=True, slots=True)
class ExportKey:
    """The secret of the site by which ids are hashed and days are shifted."""

    secret: bytes

    def hashed(self, what: str, text: str) -> str:
        """Return an id that stands for ``text`` in every export with this key."""
        return self._digest(what, text).hex()[:_ID_LENGTH]

    def shift(self, course: ExportedCourse) -> timedelta:
        """Return the shift of a course: whole days, never none, the same in every export."""
        number = int.from_bytes(self._digest("shift", course.id)) % (2 * _FURTHEST_DAYS)
        days = number - _FURTHEST_DAYS
        shift = timedelta(days=days if days < 0 else days + 1)
        moments = list(_moments(course.document))
        if min(moments) + shift < EARLIEST or max(moments) + shift >= LATEST:
            return -shift
        return shift

    def _digest(self, what: str, text: str) -> bytes:
        return hmac.new(self.secret, f"{what}|{text}".encode(), hashlib.sha256).digest()


def deidentified(
    course: ExportedCourse, key: ExportKey, common_products: frozenset[str]
) -> ExportedCourse:
    """Return ``course`` de-identified; raises NeonateError for a child under 28 days."""
    shift = key.shift(course)
    return ExportedCourse(
        id=key.hashed("course", course.id),
        patient_id=key.hashed("patient", course.patient_id),
        document=_Hiding(course, key, shift, common_products).document(),
        grades=[_shifted(span, shift) for span in course.grades],
        graded_until=course.graded_until + shift,
        ended_at=None if course.ended_at is None else course.ended_at + shift,
        ward="",
        bed="",
        authors={},
        system=course.system,
    )


@dataclass(frozen=True, slots=True)
class Mask:
    """How ids and times of one course are written: as they are, or hashed and shifted."""

    key: ExportKey | None = None
    shift: timedelta = timedelta(0)

    @property
    def is_identified(self) -> bool:
        return self.key is None

    def id(self, what: str, text: str) -> str:
        return text if self.key is None else self.key.hashed(what, text)

    def time(self, at: datetime | None) -> str:
        """Return an instant in UTC, "" for none."""
        return "" if at is None else in_utc(at + self.shift)

    def day(self, on: date | None) -> str:
        return "" if on is None else (on + self.shift).isoformat()


def mask_of(course: ExportedCourse, key: ExportKey | None) -> Mask:
    """Return how a course is written; raises NeonateError where it cannot be de-identified."""
    if key is None:
        return Mask()
    if _age_facts(course.document).is_neonate:
        raise NeonateError
    return Mask(key, key.shift(course))


def completed_years(document: Mapping[str, Any]) -> int:
    """Return the age at the infusion, in completed years."""
    return _age_facts(document).age_in_completed_years


@dataclass(frozen=True, slots=True)
class _Hiding:
    """One course, its secret shift, and the products that are shown."""

    course: ExportedCourse
    key: ExportKey
    shift: timedelta
    common_products: frozenset[str]

    def document(self) -> Document:
        known = self.course.document
        facts = _age_facts(known)
        if facts.is_neonate:
            raise NeonateError
        age, therapy = facts.age_in_completed_years, known["therapy"]
        product = therapy["product"]
        hidden: Document = {
            "format": known["format"],
            "patient": {
                "mrn": self.key.hashed("patient", self.course.patient_id),
                "age_years": str(min(age, OLDER)),
                **self._fields(known["patient"], _OF_PATIENT),
            },
            "therapy": {
                "product": product if product in self.common_products else PRODUCT_NOT_SHOWN,
                "infused_at": self._time(therapy["infused_at"]),
            },
            "policy": _for_age(known.get("policy") or {}, age),
        }
        if "later_policies" in known:
            hidden["later_policies"] = [
                {"from": self._time(one["from"]), "policy": _for_age(one["policy"], age)}
                for one in known["later_policies"]
            ]
        if known.get("baseline"):
            hidden["baseline"] = self._fields(known["baseline"], FIELDS[_BASELINE])
        if known.get("weight_kg") is not None:
            hidden["weight_kg"] = known["weight_kg"]
        hidden["entries"] = list(self._entries(known["entries"]))
        return hidden

    def _entries(self, entries: Sequence[Mapping[str, Any]]) -> Iterator[Document]:
        left_out = _left_out(entries)
        for words in entries:
            if words["id"] in left_out:
                continue
            # What a text replaced must not come back: it stays replaced.
            kind = _RETRACTION if _is_text_alone(words) else words["kind"]
            hidden: Document = {
                "id": self.key.hashed("entry", words["id"]),
                "kind": kind,
                "at": self._time(words["at"]),
                "recorded_at": self._time(words["recorded_at"]),
            }
            replaced = words.get("replaces")
            if replaced is not None and replaced not in left_out:
                hidden["replaces"] = self.key.hashed("entry", replaced)
            yield hidden | self._fields(words, FIELDS[kind] | _OF_EVERY_KIND)

    def _fields(self, words: Mapping[str, Any], kept: frozenset[str]) -> Document:
        return {
            name: self._time(value) if name in _TIMES and value is not None else value
            for name, value in words.items()
            if name in kept
        }

    def _time(self, text: str) -> str:
        return in_utc(datetime.fromisoformat(text) + self.shift)


def _is_text_alone(words: Mapping[str, Any]) -> bool:
    """Return whether an entry has only text, which is left out; no grade depends on these."""
    is_explained = words.get("reason") == NotObservedReason.OTHER
    return words["kind"] == _NOTE or (words["kind"] == _NOT_OBSERVED and is_explained)


def _left_out(entries: Sequence[Mapping[str, Any]]) -> set[str]:
    """Return the ids of texts, and of what retracts one of them."""
    left_out = {
        words["id"] for words in entries if _is_text_alone(words) and words.get("replaces") is None
    }
    following = {words["replaces"]: words for words in entries if words.get("replaces")}
    for first in list(left_out):
        follower = following.get(first)
        while follower is not None and (
            _is_text_alone(follower) or follower["kind"] == _RETRACTION
        ):
            left_out.add(follower["id"])
            follower = following.get(follower["id"])
    return left_out


def _for_age(policy: Mapping[str, Any], age: int) -> Mapping[str, Any]:
    """Return a policy by which the age that is shown is that of an adult or a child as before."""
    reached = {
        name: OLDER
        for name in _AGES_OF_POLICY
        if policy.get(name) is not None and OLDER < int(policy[name]) <= age
    }
    return {**policy, **reached}


def _age_facts(document: Mapping[str, Any]) -> CourseFacts:
    patient = document["patient"]
    born, years = patient.get("birth_date"), patient.get("age_years")
    return CourseFacts(
        infused_at=datetime.fromisoformat(document["therapy"]["infused_at"]),
        birth_date=None if born is None else date.fromisoformat(born),
        age_years=None if years is None else Decimal(years),
    )


def _shifted(span: GradeSpan, shift: timedelta) -> GradeSpan:
    ends = None if span.end is None else span.end + shift
    return span._replace(start=span.start + shift, end=ends)


def _moments(document: Document) -> Iterator[datetime]:
    """Yield every time of a document."""
    yield datetime.fromisoformat(document["therapy"]["infused_at"])
    for one in document.get("later_policies", ()):
        yield datetime.fromisoformat(one["from"])
    for words in (document.get("baseline") or {}, *document["entries"]):
        for name in ("at", "recorded_at", *_TIMES):
            if words.get(name) is not None:
                yield datetime.fromisoformat(words[name])
