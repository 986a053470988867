"""``python -m grading``: what a clinician reads, what a program reads, and what is refused."""

import gzip
import io
import json
import os
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from grading.__main__ import main
from grading.input_file import LONGEST_DOCUMENT
from grading.progress import Progress
from tests.grading.test_course_file import BASE, course

NOREPINEPHRINE = {
    "kind": "vasopressor",
    "drug": "norepinephrine",
    "rate": "0.25",
    "unit": "ug/kg/min",
}
ROOT = Path(__file__).parents[2]


@pytest.fixture
def course_path(tmp_path: Path) -> Path:
    path = tmp_path / "course.json"
    path.write_text(json.dumps(course({**NOREPINEPHRINE, "id": "n"}, weight_kg=80)))
    return path


def run(*arguments: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    status = main(arguments)
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_it_runs_without_django_or_a_database(course_path: Path) -> None:
    """With no site packages at all: the standard library is enough."""
    bare = [sys.executable, "-S", "-m", "grading", str(course_path)]
    done = subprocess.run(bare, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "CRS GRADE  2" in done.stdout


def test_text_says_grade_why_since_when_and_what_is_next(
    course_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, err = run(str(course_path), "--now", "2014-01-05T11:30:00+00:00", capsys=capsys)
    assert (status, err) == (0, "")
    assert "CRS GRADE  2   since 2014-01-05 10:00 +0000" in out
    assert "Norepinephrine 0.25 mcg/kg/min × 80 kg = 20 mcg/min, running 1 h 30 min" in out
    assert "[Lee 2014, Table 2, grade 2]" in out
    assert "2014-01-05 13:00 +0000 (in 1 h 30 min): grade 3 (vasopressor.high_dose)" in out
    assert "never charted: Temperature" in out


def test_text_names_unknowns_staleness_and_what_is_excluded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "c.json"
    entries = (
        {"kind": "oxygen", "device": "nasal_cannula", "attribution": "uncertain"},
        {"kind": "vitals", "temperature_c": 39, "attribution": "other", "systolic_mmhg": 120},
        {"kind": "weight", "weight_kg": 80},
        {"kind": "lab", "analyte": "crp", "value": 90, "unit": "mg/L"},
        {"kind": "lab", "analyte": "lvef", "value": 60, "unit": "%"},
    )
    path.write_text(json.dumps(course(*entries)))
    _, out, _ = run(str(path), "--now", "2014-01-05T20:00:00+00:00", capsys=capsys)
    assert "CRS GRADE  2, could be 3" in out
    assert "(attribution uncertain)" in out
    assert "could reach 3: Nasal cannula, flow or FiO2 not charted" in out
    assert "oxygen last charted 10 h ago" in out
    assert "not counted, attributed to another cause: Temperature" in out
    assert "crp last charted" not in out


def test_text_before_the_infusion_and_after_a_death_of_another_cause(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "c.json"
    path.write_text(json.dumps(course({"kind": "death", "attribution": "other"})))
    _, before, _ = run(str(path), "--now", "2013-12-31T00:00:00+00:00", capsys=capsys)
    assert "CRS GRADE  none: before the infusion nothing is graded." in before
    _, after, _ = run(str(path), capsys=capsys)
    assert "Grading ended with a death not due to CRS." in after
    path.write_text(json.dumps(course({"kind": "death", "attribution": "uncertain"})))
    _, five, _ = run(str(path), capsys=capsys)
    assert "CRS GRADE  5   since" in five
    path.write_text(json.dumps(course({"kind": "death", "attribution": "other"})))
    _, late, _ = run(str(path), "--now", "2014-02-05T10:00:00+00:00", capsys=capsys)
    assert "Peak of the last 24 h: none" in late


def test_an_empty_course_is_grade_0(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "c.json"
    path.write_text(json.dumps(BASE))
    _, out, _ = run(str(path), capsys=capsys)
    assert "CRS GRADE  0   since 2014-01-01 00:00" in out
    assert "no CRS criterion met in the values charted" in out
    assert "by the clock, if nothing more is charted\n  none" in out


def test_text_is_silent_on_unknowns_where_there_are_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "c.json"
    vitals = {
        "kind": "vitals",
        "temperature_c": 37,
        "heart_rate": 80,
        "respiratory_rate": 16,
        "systolic_mmhg": 120,
        "diastolic_mmhg": 80,
        "mean_arterial_pressure_mmhg": 93,
        "spo2_percent": 97,
    }
    room_air = {"kind": "oxygen", "device": "room_air"}
    path.write_text(json.dumps(course(vitals, room_air, baseline={"systolic_mmhg": 120})))
    _, out, _ = run(str(path), capsys=capsys)
    assert "Not known" not in out
    path.write_text(json.dumps(course(vitals, room_air)))
    _, out, _ = run(str(path), capsys=capsys)
    assert "Not known" in out
    assert "never charted" not in out


def test_json_is_the_answer_of_the_course_file(
    course_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, _ = run(str(course_path), "--format", "json", capsys=capsys)
    answer = json.loads(out)
    assert status == 0
    assert answer["ruleset"] == "lee-2014"
    assert answer["policy"]["high_dose_minutes"] == 180
    assert answer["current"] == {"grade": 2, "at_most": 2, "peak_24h": 2}
    assert [p["projected"] for p in answer["periods"]] == [False, False, True]
    assert answer["periods"][1]["criteria"][0]["evidence"] == ["n"]


def test_a_refused_file_says_why_and_exits_with_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "c.json"
    path.write_text(json.dumps(course({"kind": "weight"}, weight_kg=0)))
    status, out, err = run(str(path), capsys=capsys)
    assert (status, out) == (2, "")
    assert err.splitlines() == [
        "weight_kg: expected 1 to 350, found 0",
        "entries[0].weight_kg: required",
    ]


def test_a_missing_or_broken_file_exits_with_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(str(tmp_path / "none.json"), capsys=capsys)[0] == 2
    broken = tmp_path / "c.json.gz"
    broken.write_bytes(b"not gzip")
    assert run(str(broken), capsys=capsys)[0] == 2


@pytest.mark.parametrize("time", ["yesterday", "2014-01-05T10:00:00"])
def test_a_time_without_offset_is_refused(time: str, course_path: Path) -> None:
    with pytest.raises(SystemExit) as stopped:
        main([str(course_path), "--now", time])
    assert stopped.value.code == 2


def cohort() -> bytes:
    good, bad = (
        json.dumps(course(NOREPINEPHRINE, weight_kg=80)),
        json.dumps(course({"kind": "weight"})),
    )
    return f"{good}\n\n{bad}\n{good}\n".encode()


@pytest.mark.parametrize("packed", [True, False])
def test_a_cohort_answers_line_by_line(
    packed: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / ("c.jsonl.gz" if packed else "c.jsonl")
    path.write_bytes(gzip.compress(cohort()) if packed else cohort())
    status, out, err = run("--jsonl", str(path), capsys=capsys)
    first, second, third = map(json.loads, out.splitlines())
    assert (status, err) == (1, "")
    assert first == third
    assert first["current"]["grade"] == 2
    assert second == {"line": 3, "faults": ["entries[0].weight_kg: required"]}


def test_a_cohort_without_a_fault_exits_with_0(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = io.BytesIO(json.dumps(BASE).encode())
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(lines))
    assert run("--jsonl", "-", capsys=capsys)[0] == 0


def test_a_reader_that_stops_reading_is_no_error(tmp_path: Path) -> None:
    path = tmp_path / "c.jsonl"
    path.write_text(f"{json.dumps(BASE)}\n" * 200)
    grader = [sys.executable, "-m", "grading", "--jsonl", str(path)]
    with subprocess.Popen(
        grader, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.read(10)
        running.stdout.close()
        assert running.stderr.read() == b""
    assert running.returncode == 0


def test_a_broken_pipe_ends_quietly(
    course_path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class Closed(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

        def fileno(self) -> int:
            return spare.fileno()

    with (tmp_path / "spare").open("w") as spare:
        monkeypatch.setattr(sys, "stdout", Closed())
        assert main([str(course_path)]) == 0


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("stream", [Terminal(), io.StringIO()])
def test_progress_is_shown_to_a_person_alone(stream: Any, tmp_path: Path) -> None:
    path = tmp_path / "c.jsonl"
    path.write_bytes(b"x" * 1000)
    with path.open("rb") as file, Progress.over(file, str(path), stream) as progress:
        for _ in range(10):
            progress.advance(50)
    shown = stream.getvalue()
    assert (
        "[####################                    ]  50%  10 courses" in shown
    ) is stream.isatty()


def test_progress_without_a_known_length_counts_courses() -> None:
    with Progress.over(io.BytesIO(), "-", Terminal()) as progress:
        progress.advance(5)
        assert progress.text() == "1 courses"


HOSTILE = ({"id": "x\ud800"}, {"note": "\x1b[31mred"}, {"note": "n" * 1001}, {"note": "\u202e"})


@pytest.mark.parametrize("words", HOSTILE, ids=["surrogate", "escape", "long", "bidi"])
def test_a_line_that_holds_no_text_is_answered_in_its_place_and_the_rest_goes_on(
    words: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = json.dumps(course(NOREPINEPHRINE, weight_kg=80))
    bad = json.dumps(course(NOREPINEPHRINE | words, weight_kg=80))
    path = tmp_path / "c.jsonl"
    path.write_text("\n".join([good, bad, good]))
    status, out, err = run("--jsonl", str(path), capsys=capsys)
    first, second, third = map(json.loads, out.splitlines())
    assert (status, err) == (1, "")
    assert first == third
    assert second["line"] == 2
    assert second["faults"][0].startswith(f"entries[0].{next(iter(words))}: ")
    assert out.replace("\n", "").isprintable()


def test_an_escape_sequence_never_reaches_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "c\x1b[2J.json"
    name = {**BASE["patient"], "name": "A\x1b]0;title\x07", "he\x1b[2Jight": 1}
    path.write_text(json.dumps(course(patient=name)))
    status, out, err = run(str(path), capsys=capsys)
    assert (status, out) == (2, "")
    assert err.replace("\n", "").isprintable()
    assert "patient.name: expected text without control characters, found <U+001B>" in err
    status, out, err = run(str(tmp_path / "none\x1b[2J.json"), capsys=capsys)
    assert status == 2
    assert "none<U+001B>[2J.json" in err
    assert err.replace("\n", "").isprintable()


@pytest.mark.parametrize("packed", [True, False])
def test_a_line_without_an_end_is_a_fault_and_is_never_held_whole(
    packed: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = json.dumps(course(NOREPINEPHRINE, weight_kg=80)).encode()
    content = good + b"\n" + b" " * (6 * LONGEST_DOCUMENT) + b"\n" + good
    path = tmp_path / ("c.jsonl.gz" if packed else "c.jsonl")
    path.write_bytes(gzip.compress(content, 1) if packed else content)
    tracemalloc.start()
    try:
        status, out, err = run("--jsonl", str(path), capsys=capsys)
        assert tracemalloc.get_traced_memory()[1] < 4 * LONGEST_DOCUMENT
    finally:
        tracemalloc.stop()
    first, second, third = map(json.loads, out.splitlines())
    assert (status, err, first) == (1, "", third)
    assert second == {"line": 2, "faults": [f"document: longer than {LONGEST_DOCUMENT} bytes"]}
    status, out, err = run(str(path), capsys=capsys)
    assert (status, out) == (2, "")
    assert "longer than" in err


def test_a_last_line_that_is_too_long_and_has_no_end_is_a_fault(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "c.jsonl"
    path.write_bytes(b" " * (LONGEST_DOCUMENT + 2))
    status, out, err = run("--jsonl", str(path), capsys=capsys)
    assert (status, err) == (1, "")
    faults = [f"document: longer than {LONGEST_DOCUMENT} bytes"]
    assert json.loads(out) == {"line": 1, "faults": faults}


def test_a_damaged_archive_exits_with_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    packed = bytearray(gzip.compress(cohort()))
    packed[20] ^= 0xFF
    path = tmp_path / "c.jsonl.gz"
    path.write_bytes(packed)
    assert run("--jsonl", str(path), capsys=capsys)[0] == 2


@pytest.mark.parametrize("option", ["--now", "--known-at"])
@pytest.mark.parametrize(
    "time",
    [
        "0001-01-01T00:00:00+00:00",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-12:00",
        "1899-12-31T23:59:59+00:00",
        "2200-01-01T00:00:01+00:00",
    ],
)
def test_a_time_at_the_ends_of_the_calendar_is_refused(
    option: str, time: str, course_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main([str(course_path), option, time])
    assert stopped.value.code == 2
    assert "1900 to 2200" in capsys.readouterr().err


@pytest.mark.parametrize("time", ["1900-01-01T00:00:00+00:00", "2200-01-01T00:00:00+00:00"])
@pytest.mark.parametrize("format_name", ["json", "text"])
def test_the_first_and_the_last_time_are_answered(
    time: str, format_name: str, course_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = [str(course_path), "--now", time, "--format", format_name]
    assert run(*options, capsys=capsys)[0] == 0


def test_warnings_are_lines_of_the_text_and_change_no_status(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = {"kind": "lab", "analyte": "bilirubin", "value": 20, "unit": "umol/L"}
    path = tmp_path / "c.json"
    path.write_text(json.dumps(course(result | {"upper_limit": "1.2"})))
    status, out, err = run(str(path), capsys=capsys)
    assert (status, err) == (0, "")
    assert "CRS GRADE  4" in out
    assert "  ! entries[0].upper_limit: Bilirubin: 1.2 µmol/L is unusual" in out
    status, out, err = run(str(path), "--format", "json", capsys=capsys)
    assert (status, err) == (0, "")
    assert [one["place"] for one in json.loads(out)["warnings"]] == ["entries[0].upper_limit"]
    path.write_text(json.dumps(course(result | {"upper_limit": 21})))
    assert "Warnings" not in run(str(path), capsys=capsys)[1]


def test_a_terminal_of_another_encoding_stops_nothing(course_path: Path) -> None:
    for layout in (["--format", "json"], ["--format", "text"], ["--jsonl"]):
        done = subprocess.run(
            [sys.executable, "-m", "grading", str(course_path), *layout],
            cwd=ROOT,
            env={**os.environ, "PYTHONIOENCODING": "ascii"},
            capture_output=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, b"")
