"""The grades of ASTCT and ICANS over time as JSON, for the ribbons of the review page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from patients.display.scale_levels import Assessments, ScaleLevel, shown_levels
from patients.queries.scales import CourseScales
from patients.review.series_json import seconds


def scales_json(scales: CourseScales, assessments: Assessments) -> dict[str, Any]:
    """Return each scale with its levels; ``grade`` null is not assessed, times are in seconds."""
    return {
        "scales": [
            {"key": scale.key, "levels": [_level(one) for one in levels]}
            for scale, levels in shown_levels(scales, assessments)
        ]
    }


def _level(level: ScaleLevel) -> Mapping[str, Any]:
    return {
        "from": level.start.timestamp(),
        "to": seconds(level.end),
        "grade": level.grade,
        "at_most": level.at_most,
    }
