"""What the tests of the command hand to it beside a message: a moment and a context."""

from __future__ import annotations

from typing import Any

NOW = "2026-03-02T18:00:00+00:00"
CONTEXT: dict[str, Any] = {
    "course": {
        "format": "crs-course/1",
        "patient": {"mrn": "4711", "name": "Jana Müller", "birth_date": "1980-06-15"},
        "therapy": {"product": "axi-cel", "infused_at": "2026-03-01T10:00:00+00:00"},
        "entries": [],
    },
    "mrn_system": "urn:oid:2.999.1.4711",
    "timezone": "Europe/Berlin",
    "system": {"name": "ehr-1", "kind": "ehr", "filing": {"default": "file"}},
}
