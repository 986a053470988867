"""Who recorded something, with the role at that time where it was kept."""

from __future__ import annotations

from crs_app.accounts.models import Role


def author_text(name: str, role: str) -> str:
    """Return an author: "J. Ruiz, Ward clinician"; the name alone where no role was kept."""
    return f"{name}, {Role(role).label}" if role else name
