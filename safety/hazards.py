"""Hazards as files: a head of keys and values, then five headings."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

BASE_DIR: Final = Path(__file__).parents[1]
FOLDER: Final = BASE_DIR / "docs" / "safety"

TEST: Final = "test"
SETTING: Final = "setting"
POLICY: Final = "policy"
CONSTRAINT: Final = "constraint"
KINDS: Final = (TEST, SETTING, POLICY, CONSTRAINT)

HIGHEST: Final = 5
"""Of the two scales, which begin at 1 (docs/safety/scales.md)."""
ACCEPTED: Final = 6
"""A risk up to this is accepted; above it the residual risk says why it is."""
BEARABLE: Final = 9
"""No residual risk is above this."""

_HEAD: Final = ("id", "title", "likelihood", "severity", "residual_likelihood", "residual_severity")
_HEADINGS: Final = ("Cause", "Effect", "Controls", "Residual risk")
_REFERENCE: Final = re.compile(r"  - (\w+) `([^`]+)`")


class HazardFileError(Exception):
    """A file of a hazard is not of the form that docs/safety/README.md describes."""


@dataclass(frozen=True, slots=True)
class Reference:
    """What a control names: a test node id, a setting, a policy parameter or a constraint."""

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Control:
    """A sentence, and what shows that it is so."""

    sentence: str
    references: tuple[Reference, ...]


@dataclass(frozen=True, slots=True)
class Risk:
    """Likelihood and severity, each from 1 to ``HIGHEST``."""

    likelihood: int
    severity: int

    @property
    def value(self) -> int:
        """Likelihood times severity."""
        return self.likelihood * self.severity


@dataclass(frozen=True, slots=True)
class Hazard:
    """One file; ``before`` is the risk without controls, ``residual`` with them."""

    path: Path
    id: str
    title: str
    cause: str
    effect: str
    before: Risk
    residual: Risk
    controls: tuple[Control, ...]
    residual_text: str

    def references(self) -> Iterator[Reference]:
        """Yield what all controls name."""
        for control in self.controls:
            yield from control.references


def read_hazards(folder: Path = FOLDER / "hazards") -> list[Hazard]:
    """Read every hazard of ``folder``, in order of id; raises HazardFileError."""
    return [read_hazard(path) for path in sorted(folder.glob("*.md"))]


def read_hazard(path: Path) -> Hazard:
    """Read one file; raises HazardFileError with its name and what is wrong."""
    try:
        _, head, body = path.read_text("utf-8").split("---\n", 2)
        facts = dict(line.split(": ", 1) for line in head.splitlines())
        if tuple(facts) != _HEAD:
            raise ValueError(f"expected the keys {', '.join(_HEAD)}")
        parts = dict(part.split("\n\n", 1) for part in f"{body.strip()}\n\n".split("## ")[1:])
        if tuple(parts) != _HEADINGS:
            raise ValueError(f"expected the headings {', '.join(_HEADINGS)}")
        texts = {heading: text.strip() for heading, text in parts.items()}
        if not all(texts.values()):
            raise ValueError("expected text under each heading")
        return Hazard(
            path=path,
            id=facts["id"],
            title=facts["title"],
            cause=texts["Cause"],
            effect=texts["Effect"],
            before=_risk(facts["likelihood"], facts["severity"]),
            residual=_risk(facts["residual_likelihood"], facts["residual_severity"]),
            controls=tuple(_controls(texts["Controls"].splitlines())),
            residual_text=texts["Residual risk"],
        )
    except ValueError as error:
        raise HazardFileError(f"{path.name}: {error}") from None


def _risk(likelihood: str, severity: str) -> Risk:
    risk = Risk(int(likelihood), int(severity))
    if not (1 <= risk.likelihood <= HIGHEST and 1 <= risk.severity <= HIGHEST):
        raise ValueError(f"likelihood and severity are from 1 to {HIGHEST}")
    return risk


def _controls(lines: Sequence[str]) -> Iterator[Control]:
    sentence, references = "", list[Reference]()
    for line in lines:
        if line.startswith("- "):
            if sentence:
                yield _control(sentence, references)
            sentence, references = line.removeprefix("- "), []
            continue
        found = _REFERENCE.fullmatch(line)
        if found is None or found[1] not in KINDS:
            raise ValueError(f"expected a control, or what a control names: {line!r}")
        references.append(Reference(found[1], found[2]))
    yield _control(sentence, references)


def _control(sentence: str, references: Sequence[Reference]) -> Control:
    if not sentence or not references:
        raise ValueError(f"a control must name a test, setting, policy or constraint: {sentence!r}")
    return Control(sentence, tuple(references))
