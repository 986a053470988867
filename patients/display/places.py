"""Ward and bed, and moves between them, in words."""

from patients.models import Move, Transfer


def transfer_text(move: Transfer) -> str:
    """Return a transfer as text: "Moved from 7B 12 to ICU 3"."""
    return move_text(
        move.what,
        place_text(move.from_ward, move.from_bed),
        place_text(move.to_ward, move.to_bed),
    )


def move_text(what: str, before: str, after: str) -> str:
    """Return a move between two places as text; ``what`` is a ``Move``."""
    if what == Move.ENDED:
        return f"Course closed ({before})"
    if what == Move.REOPENED:
        return f"Course reopened ({after})"
    return f"Moved from {before} to {after}"


def place_text(ward: str, bed: str) -> str:
    """Return ward and bed as text: "7B 12"."""
    return f"{ward} {bed}".strip()
