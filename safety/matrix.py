"""The matrix of hazards: how likely and how severe, before and after their controls."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from safety.hazards import HIGHEST, KINDS, Hazard, Risk

_INTRODUCTION: Final = """\
# Matrix of hazards

Written by `make safety` from [hazards](hazards); a test fails where it is not current. The scales
are those of [scales.md](scales.md).
"""


def matrix_text(hazards: Sequence[Hazard]) -> str:
    """Return the page, in Markdown."""
    return "\n".join([_INTRODUCTION, *_squares(hazards), *_rows(hazards), *_counts(hazards), ""])


def _squares(hazards: Sequence[Hazard]) -> Iterator[str]:
    for heading, risks in (
        ("Without the controls", [(one.id, one.before) for one in hazards]),
        ("With the controls", [(one.id, one.residual) for one in hazards]),
    ):
        yield f"## {heading}\n"
        levels = range(1, HIGHEST + 1)
        yield "| severity ↓ likelihood → | " + " | ".join(map(str, levels)) + " |"
        yield "|---" * (HIGHEST + 1) + "|"
        for severity in reversed(levels):
            cells = [_cell(risks, Risk(likelihood, severity)) for likelihood in levels]
            yield f"| **{severity}** | " + " | ".join(cells) + " |"
        yield ""


def _cell(risks: Sequence[tuple[str, Risk]], risk: Risk) -> str:
    return " ".join(name for name, one in risks if one == risk)


def _rows(hazards: Sequence[Hazard]) -> Iterator[str]:
    yield "## Each hazard\n"
    yield "| | hazard | risk without controls | residual risk | controls | of which tests |"
    yield "|---|---|---|---|---|---|"
    for one in hazards:
        tests = sum(reference.kind == "test" for reference in one.references())
        yield (
            f"| [{one.id}](hazards/{one.path.name}) | {one.title} | {_risk(one.before)} | "
            f"{_risk(one.residual)} | {len(one.controls)} | {tests} |"
        )
    yield ""


def _risk(risk: Risk) -> str:
    return f"{risk.likelihood} × {risk.severity} = {risk.value}"


def _counts(hazards: Sequence[Hazard]) -> Iterator[str]:
    named = Counter(kind for kind, _ in {(r.kind, r.name) for h in hazards for r in h.references()})
    counted = ", ".join(f"{named[kind]} of kind *{kind}*" for kind in KINDS)
    yield f"{len(hazards)} hazards; their controls name {counted}, each counted once."
