"""Reads the worked cases of ``scale_cases/*.md``: one file a scale, for a clinician to sign.

The words of a cell are those of ``cases/*.md`` and some more (ICE, seizures, products). A case is a
heading, lines ``Given:`` and ``Source:``, and one table; with a ``time`` column its rows are
instants of one course, without one each row is a course of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.grading.test_cases import (
    NUMBER,
    Builder,
    Json,
    charted_entries,
    charted_item,
    first_match,
    given_course,
    instant,
)

SCALE_CASES = Path(__file__).parent / "scale_cases"
AT_A_GLANCE = SCALE_CASES / "at_a_glance.md"
WHY_THEY_DIFFER = SCALE_CASES / "why_they_differ.md"
COLUMNS = ["charted", "grade", "at most", "criteria", "unknown"]
PARTS = ("orientation", "naming", "commands", "writing", "attention")


@dataclass(frozen=True)
class ScaleCase:
    """One worked case: its course without entries, and the rows of its table."""

    place: str
    scale: str
    heading: str
    source: str
    course: Json
    rows: list[dict[str, str]]

    @property
    def is_one_course(self) -> bool:
        return "time" in self.rows[0]


def words_to_key(text: str) -> str:
    return text.replace(" ", "_")


def not_done(found: re.Match[str]) -> Json:
    reason = {"reason": found[2]} if found[2] else {}
    return {"kind": found[1].lower(), "performed": False} | reason


def ice_parts(found: re.Match[str]) -> Json:
    pairs = re.findall(rf"({'|'.join(PARTS)}) (\d)", found[1])
    return {"kind": "ice"} | {name: int(points) for name, points in pairs}


def seizure(found: re.Match[str]) -> Json:
    raw: Json = {"kind": "seizure", "seizure_type": found[1]}
    if found[2]:
        raw["duration_minutes"] = found[2]
    return raw


def admission(found: re.Match[str]) -> Json:
    raw: Json = {"kind": "admission", "setting": found[1]}
    if found[2]:
        raw["because_of_crs"] = not found[2].startswith(" not")
    return raw


def treatment(found: re.Match[str]) -> Json:
    return {"kind": "treatment", "agent": found[1]}


SHORTHAND: list[tuple[str, Builder]] = [
    (r"(ICE|CAPD) not done(?:: (\w+))?", not_done),
    (r"(ICE|CAPD) (\d+)", lambda m: {"kind": m[1].lower(), "score": int(m[2])}),
    (rf"ICE ((?:(?:{'|'.join(PARTS)}) \d ?)+)", ice_parts),
    (r"consciousness (\w+)", lambda m: {"kind": "consciousness", "level": m[1]}),
    (rf"seizure (focal|generalised|nonconvulsive)(?: {NUMBER} min)?", seizure),
    (
        r"sign ([a-z ]+?)( gone)?",
        lambda m: {"kind": "neuro_sign", "sign": words_to_key(m[1]), "present": not m[2]},
    ),
    (r"at (home|ward|icu)( (?:not )?because of CRS)?", admission),
    (r"product ([a-z ]+)", lambda m: {"kind": "blood_product", "product": words_to_key(m[1])}),
    (r"given ([a-z]+)", treatment),
    (r"death", lambda m: {"kind": "death"}),
]
DUE_TO = {"CRS": "crs", "ICANS": "icans", "IEC-HS": "iec_hs"}
MODIFIERS: list[tuple[str, Builder]] = [
    (r"(other|uncertain)", lambda m: {"attribution": m[1]}),
    (r"not resolved", lambda m: {"resolved": False}),
    (r"repetitive", lambda m: {"repetitive_without_recovery": True}),
    (r"to protect the airway", lambda m: {"purpose": "airway_protection"}),
    (
        r"due to ((?:CRS|ICANS|IEC-HS)(?: and (?:CRS|ICANS))?)",
        lambda m: {"due_to": [DUE_TO[word] for word in m[1].split(" and ")]},
    ),
    (r"id (\w+)", lambda m: {"id": m[1]}),
    (r"corrects (\w+)", lambda m: {"replaces": m[1]}),
    (r"charted (.+)", lambda m: {"recorded_at": instant(m[1]).isoformat()}),
]


def scale_entries(text: str, at: datetime) -> list[Json]:
    """The entries of one cell: those of the older tables, and the kinds that are new here."""
    entries: list[Json] = []
    older: list[str] = []
    for item in filter(None, text.split("; ")):
        found = re.fullmatch(r"([^()]+?)(?: \(([^()]+)\))?", item)
        if not found:
            raise ValueError(f"not understood: {item!r}")
        modifiers = found[2].split(", ") if found[2] else []
        if any(re.fullmatch(pattern, found[1]) for pattern, _ in SHORTHAND):
            entry = {"at": at.isoformat()} | first_match(found[1], SHORTHAND)
        elif "to protect the airway" in modifiers:
            entry = {"at": at.isoformat()} | charted_item(found[1])
        else:
            older.append(item)
            continue
        for modifier in modifiers:
            entry |= first_match(modifier, MODIFIERS)
        entries.append(entry)
    return [*charted_entries("; ".join(older), at), *entries]


def scale_course(text: str) -> Json:
    items = text.split("; ")
    known = [item for item in items if item != "developmental delay"]
    course = given_course("; ".join(known)) | {"format": "crs-course/2"}
    if len(known) < len(items):
        course["patient"] |= {"developmental_delay": True}
    return course


def table(lines: list[str], required: list[str], optional: list[str]) -> list[dict[str, str]]:
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    header = cells[0]
    if not set(required) <= set(header) <= {*required, *optional}:
        raise ValueError(f"columns: {header}")
    return [dict(zip(header, row, strict=True)) for row in cells[2:]]


def value_after(word: str, lines: list[str]) -> str:
    found = [line.removeprefix(f"{word}: ") for line in lines if line.startswith(f"{word}: ")]
    if len(found) != 1:
        raise ValueError(f"one line {word!r} is needed, after {lines[0]!r}")
    return found[0]


def read_scale_cases(path: Path) -> Iterator[ScaleCase]:
    for section in re.split(r"^## ", path.read_text(encoding="utf-8"), flags=re.M)[1:]:
        heading, *lines = section.splitlines()
        yield ScaleCase(
            place=f"{path.stem}: {heading[:60]}",
            scale=path.stem,
            heading=heading,
            source=value_after("Source", [heading, *lines]),
            course=scale_course(value_after("Given", [heading, *lines])),
            rows=table(
                [line for line in lines if line.startswith("|")], COLUMNS, ["time", "withheld"]
            ),
        )


def graded_codes(text: str) -> dict[str, int]:
    """``astct.fever 1, astct.hypoxia.low_flow 2`` as codes with their grades."""
    pairs = [item.rsplit(" ", 1) for item in filter(None, text.split(", "))]
    return {code: int(grade) for code, grade in pairs}


def expected(row: dict[str, str]) -> dict[str, Any]:
    if row["grade"] == "ended":
        return {"grade": None, "at_most": None, "met": {}, "unknown": {}, "withheld": {}}
    return {
        "grade": int(row["grade"]),
        "at_most": int(row["at most"]),
        "met": graded_codes(row["criteria"]),
        "unknown": graded_codes(row["unknown"]),
        "withheld": graded_codes(row.get("withheld", "")),
    }


def documents(case: ScaleCase) -> Iterator[tuple[str, Json, datetime, dict[str, str]]]:
    """Every row with the whole course it belongs to, and its instant."""
    if not case.is_one_course:
        for row in case.rows:
            at = instant("10:00")
            yield (
                row["charted"],
                case.course | {"entries": scale_entries(row["charted"], at)},
                at,
                row,
            )
        return
    times = [instant(row["time"]) for row in case.rows]
    if times != sorted(times):
        raise ValueError(f"{case.place}: rows in order of time")
    lists = [scale_entries(row["charted"], at) for row, at in zip(case.rows, times, strict=True)]
    document = case.course | {"entries": [entry for entries in lists for entry in entries]}
    for row, at in zip(case.rows, times, strict=True):
        yield f"{row['time']} {row['charted']}", document, at, row


ALL_SCALE_CASES = [
    case
    for path in sorted(SCALE_CASES.glob("*.md"))
    if path not in (AT_A_GLANCE, WHY_THEY_DIFFER)
    for case in read_scale_cases(path)
]


# The table of all scales at a glance

GLANCE_SCALES = {
    "Lee": "lee-2014", "ASTCT": "astct-2019", "ICANS": "icans-2019", "Penn": "penn-2018",
    "CARTOX": "cartox-2018", "MSKCC": "mskcc-2018", "v4.03": "ctcae-4.03", "v5.0": "ctcae-5.0",
    "v6.0": "ctcae-6.0",
}  # fmt: skip


def rows_at_one_look(
    path: Path, columns: list[str]
) -> Iterator[tuple[dict[str, str], Json, datetime]]:
    """Every row of a file with its course and the instant of the look."""
    text = path.read_text(encoding="utf-8")
    for section in re.split(r"^## ", text, flags=re.M)[1:]:
        heading, *lines = section.splitlines()
        course = scale_course(value_after("Given", [heading, *lines]))
        before = scale_entries(value_after("Before", [heading, *lines]), instant("09:00"))
        after = scale_entries(value_after("Then", [heading, *lines]), instant("09:30"))
        lines = [line for line in lines if line.startswith("|")]
        for row in table(lines, ["finding", "charted", "look at", *columns], []):
            entries = [*before, *after, *scale_entries(row["charted"], instant("10:00"))]
            yield row, course | {"entries": entries}, instant(row["look at"])


def read_glance() -> Iterator[tuple[str, Json, datetime, dict[str, int | None]]]:
    """Every finding with its course, the instant of the look, and the grade by scale."""
    for row, document, at in rows_at_one_look(AT_A_GLANCE, list(GLANCE_SCALES)):
        grades = {
            key: None if row[name] == "ended" else int(row[name])
            for name, key in GLANCE_SCALES.items()
        }
        yield row["finding"], document, at, grades


@dataclass(frozen=True)
class Comparison:
    """Why one scale and Lee's differ at an instant of a course."""

    finding: str
    document: Json
    at: datetime
    against: str
    reasons: list[Json]
    patterns: list[str]


def read_comparisons() -> Iterator[Comparison]:
    columns = ["against", "reasons", "patterns"]
    for row, document, at in rows_at_one_look(WHY_THEY_DIFFER, columns):
        against = GLANCE_SCALES[row["against"]]
        reasons = [reason(text, against) for text in filter(None, row["reasons"].split("; "))]
        patterns = list(filter(None, row["patterns"].split(", ")))
        yield Comparison(row["finding"], document, at, against, reasons, patterns)


def reason(text: str, against: str) -> Json:
    """``ASTCT (code) on (axis), (code of the lower) (grade)``, or ``nothing``, ``withheld ...``."""
    found = re.fullmatch(r"(\S+) (\S+) on (\w+), (?:(\S+) (\d)|nothing)(?:, withheld (.+))?", text)
    if not found:
        raise ValueError(f"not understood: {text!r}")
    higher = GLANCE_SCALES[found[1]]
    return {
        "higher": higher,
        "code": found[2],
        "axis": found[3],
        "lower": against if higher == "lee-2014" else "lee-2014",
        "lower_code": found[4],
        "lower_grade": int(found[5] or 0),
        "withheld": (found[6] or "").split(" and ") if found[6] else [],
    }
