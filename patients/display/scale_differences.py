"""Why scales differ, as sentences: what the higher counts, and what the lower makes of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from grading.engine.scale import Axis
from patients.display.scales import ScaleReason, ScaleShown
from patients.queries.scales import ICANS, Difference


class SentencePart(NamedTuple):
    """What one scale makes of a thing: "ASTCT 3" and its words."""

    lead: str
    text: str


Sentence = tuple[SentencePart, ...]


def difference_sentences(
    differ: Iterable[Difference], shown: Mapping[str, ScaleShown], *, with_icans: bool = False
) -> list[Sentence]:
    """Return a sentence for each distinct axis of two scales, the highest scale first.

    ``shown`` are the scales by key. ICANS is no grade of CRS: only neurotoxicity is compared,
    unless it was asked for ``with_icans``.
    """
    by_axis: dict[tuple[str, str, Axis], list[Difference]] = {}
    for one in differ:
        if with_icans or not _is_about_other_toxicity(one):
            by_axis.setdefault((one.higher.key, one.lower.key, one.axis), []).append(one)
    return [_sentence(together, shown) for together in by_axis.values()]


def _is_about_other_toxicity(one: Difference) -> bool:
    """Return whether a difference from ICANS is about something that ICANS does not grade."""
    return ICANS in (one.higher.key, one.lower.key) and one.axis is not Axis.NEURO


def _sentence(together: Sequence[Difference], shown: Mapping[str, ScaleShown]) -> Sentence:
    first = together[0]
    higher = "; ".join(dict.fromkeys(one.higher_text for one in together))
    return (
        _part(shown[first.higher.key], higher),
        _part(shown[first.lower.key], first.lower_text),
    )


def _part(scale: ScaleShown, text: str) -> SentencePart:
    ahead = f"; {scale.next_grade_text}" if scale.next_grade_text else ""
    return SentencePart(f"{scale.short} {scale.known}", f"{text}{ahead}")


def bound_sentences(
    headline: ScaleShown, others: Iterable[ScaleShown], *, with_icans: bool = False
) -> list[Sentence]:
    """Return a sentence for each scale whose bound differs from that of ``headline``.

    That is where one of the two is sure, or where grades agree and bounds do not. ICANS is
    left out, unless it was asked for ``with_icans``.
    """
    return [
        _bound(headline, other)
        for other in others
        if (with_icans or other.key != ICANS) and _bounds_differ(headline, other)
    ]


def _bounds_differ(one: ScaleShown, other: ScaleShown) -> bool:
    if one.grade is None or other.grade is None or not (one.assessed and other.assessed):
        return False
    if one.grade == other.grade:
        return one.at_most != other.at_most
    return (one.could_be is None) != (other.could_be is None)


def _bound(one: ScaleShown, other: ScaleShown) -> Sentence:
    """Name the unknowns of the wider one."""
    wider, narrower = (one, other) if _width(one) > _width(other) else (other, one)
    known = "is sure" if narrower.could_be is None else f"could be {narrower.could_be}"
    lead = f"{narrower.short} {known}; {wider.short} could be {wider.could_be}"
    why = [line.clause.lead + line.clause.rest for line in wider.reasons if _raises(line, wider)]
    return (SentencePart(lead, "; ".join(dict.fromkeys(why))),)


def _width(scale: ScaleShown) -> int:
    return 0 if scale.could_be is None else scale.could_be


def _raises(line: ScaleReason, scale: ScaleShown) -> bool:
    return line.answer == "unknown" and scale.grade is not None and line.grade > scale.grade


def clause_of_paper(scale: ScaleShown, headline: ScaleShown, differ: Iterable[Difference]) -> str:
    """Return in a clause why a scale of papers is not the grade of ``headline``."""
    if scale.grade is None or headline.grade is None:
        return ""
    if scale.grade == headline.grade:
        return f"the same grade as {headline.short}"
    texts = [
        one.higher_text if one.higher.key == scale.key else one.lower_text
        for one in differ
        if scale.key in (one.higher.key, one.lower.key)
    ]
    return "; ".join(dict.fromkeys(texts))
