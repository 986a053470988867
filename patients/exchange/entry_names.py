"""Names of what a converter makes, as the chart has them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from patients.exchange.formats.converted import Converted
from patients.models import Course


def named_for(course: Course, converted: Converted) -> Converted:
    """Return the same with ids of new entries that no other course has.

    The converter makes ids of system, record number and contents: the same statement sent again
    for a later course of the patient would have the same.
    """
    ids = [str(one["id"]) for one in converted.entries]
    names = {name: str(uuid.uuid5(course.pk, name)) for name in ids}
    if not names:
        return converted
    return replace(
        converted,
        entries=tuple(_renamed(one, names) for one in converted.entries),
        filed=tuple(replace(one, entry=names.get(one.entry, one.entry)) for one in converted.filed),
        held=tuple(replace(one, proposal=_renamed(one.proposal, names)) for one in converted.held),
        keys=tuple(
            replace(
                one,
                entry=None if one.entry is None else names.get(one.entry, one.entry),
                statement=_renamed(one.statement, names),
            )
            for one in converted.keys
        ),
    )


def _renamed(node: Any, names: Mapping[str, str]) -> Any:
    """Return JSON with each text that is one of ``names`` replaced."""
    if isinstance(node, Mapping):
        return {key: _renamed(value, names) for key, value in node.items()}
    if isinstance(node, list | tuple):
        return [_renamed(value, names) for value in node]
    return names.get(node, node) if isinstance(node, str) else node
