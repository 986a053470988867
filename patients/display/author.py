"""Who recorded something, with the role kept of that time, and which system sent it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crs_app.accounts.models import Role
from crs_app.accounts.system_users import is_of_system
from grading.engine.sentences import inside_a_sentence
from patients.models import FROM_KIND, FROM_SYSTEM, SystemKind
from patients.queries.entries import EntryRow


def author_text(name: str, role: str) -> str:
    """Return an author: "J. Ruiz, Ward clinician"; the name alone where no role was kept.

    The name of another system says what it is.
    """
    if role == Role.SYSTEM:
        return f"from {name}"
    return f"{name}, {Role(role).label}" if role else name


def charted_by(row: EntryRow) -> str:
    """Return who charted an entry: "J. Ruiz", or "from laboratory LIS-1"."""
    return f"from {row.author}" if is_of_system(row.username) else row.author


def received_from(answers: Mapping[str, Any]) -> str:
    """Return which system sent what a person charted: "monitor ICU-7"; "" where none did."""
    name, kind = str(answers.get(FROM_SYSTEM, "")), str(answers.get(FROM_KIND, ""))
    if not name:
        return ""
    label = inside_a_sentence(SystemKind(kind).label) if kind in SystemKind.values else ""
    return f"{label} {name}".strip()
