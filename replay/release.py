"""What a release says of the grades that it changes, and which release was before it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from hashlib import sha256
from typing import Any, Final

from replay.courses import BASE_DIR
from replay.golden import GOLDEN

CHANGELOG: Final = BASE_DIR / "CHANGELOG.md"
HEADING: Final = "### Which grades changed"


def version() -> str:
    """Return the version of the product: it stands once, in pyproject.toml."""
    text: str = _pyproject()["project"]["version"]
    return text


def previous_release() -> str:
    """Return the tag or commit of the release before."""
    ref: str = _pyproject()["tool"]["crs-bedside"]["previous-release"]
    return ref


def golden_digest() -> str:
    """Return what names the golden file in a section: it is written again where that changes."""
    return sha256(GOLDEN.read_bytes()).hexdigest()[:12]


def section(ref: str, compared: Sequence[tuple[str, Sequence[str]]]) -> str:
    """Return the section of the changelog.

    ``compared`` are pairs of what was compared and the lines of its comparison.
    """
    lines = [
        HEADING,
        "",
        f"Against `{ref}`, by `make release-notes`; `replay/golden.jsonl` is {golden_digest()}.",
        "",
    ]
    for what, (first, *others) in compared:
        lines.append(f"- {what}: {first}")
        lines += [f"  - {line.strip()}" for line in others]
    return "\n".join(lines) + "\n"


def top_section(changelog: str) -> str:
    """Return the text of the newest release in ``changelog``, or of what is unreleased."""
    return re.split(r"^## ", changelog, maxsplit=2, flags=re.MULTILINE)[1]


def with_section(changelog: str, text: str) -> str:
    """Return ``changelog`` with ``text`` in its top section, in place of the earlier one."""
    top = top_section(changelog)
    without = re.sub(rf"{re.escape(HEADING)}\n.*?(?=^### |\Z)", "", top, flags=re.M | re.S)
    before, heading, after = without.partition("### Added")
    return changelog.replace(top, f"{before}{text}\n{heading}{after}", 1)


def _pyproject() -> dict[str, Any]:
    return tomllib.loads((BASE_DIR / "pyproject.toml").read_text("utf-8"))
