"""``python -m grading --scales``: the other scales as text, as JSON, and line by line."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from grading.__main__ import main
from tests.grading.test_command_line import ROOT, run
from tests.grading.test_course_file import BASE, course

KEYS = [
    "astct-2019",
    "icans-2019",
    "penn-2018",
    "cartox-2018",
    "mskcc-2018",
    "ctcae-4.03",
    "ctcae-5.0",
    "ctcae-6.0",
]
FEVER = {"kind": "vitals", "temperature_c": "38.5"}
NORMAL = {"kind": "vitals", "temperature_c": "36.8", "systolic_mmhg": 120}
PRESSOR = {"kind": "vasopressor", "drug": "norepinephrine", "rate": 5, "unit": "ug/min"}
CANNULA = {"kind": "oxygen", "device": "nasal_cannula"}
ANTIPYRETIC = {"kind": "treatment", "agent": "antipyretic"}
AT = "2014-01-05T{}:00+00:00"


def written(tmp_path: Path, *entries: Any, **other: Any) -> str:
    path = tmp_path / "c.json"
    path.write_text(json.dumps(course(*entries, baseline={"systolic_mmhg": 120}, **other)))
    return str(path)


def test_the_keys_of_all_scales_are_listed_one_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--list-scales", capsys=capsys) == (0, "".join(f"{key}\n" for key in KEYS), "")


def test_a_course_file_is_needed_to_grade(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["--scales", "all"])
    assert stopped.value.code == 2
    assert "a course file is required" in capsys.readouterr().err


@pytest.mark.parametrize("asked", ["lee", "astct-2019,lee", "", "all,astct-2019"])
def test_an_unknown_scale_is_refused_and_the_keys_are_listed(
    asked: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main([written(tmp_path), "--scales", asked])
    assert stopped.value.code == 2
    refusal = capsys.readouterr().err
    assert all(key in refusal for key in KEYS)


def test_json_has_the_scales_asked_for_and_lees_answer_stays(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = written(tmp_path, FEVER, {**PRESSOR, "id": "n"})
    options = (file, "--format", "json")
    lee = json.loads(run(*options, capsys=capsys)[1])
    assert not {"scales", "differ"} & lee.keys()
    some = json.loads(run(*options, "--scales", "penn-2018, astct-2019", capsys=capsys)[1])
    assert list(some["scales"]) == ["astct-2019", "penn-2018"]
    whole = json.loads(run(*options, "--scales", "all", capsys=capsys)[1])
    assert list(whole["scales"]) == KEYS
    assert {name: value for name, value in whole.items() if name in lee} == lee
    astct = whole["scales"]["astct-2019"]
    assert astct == some["scales"]["astct-2019"]
    assert astct["current"] == {"grade": 3, "at_most": 3}
    first, second = astct["periods"]
    assert (first["from"], first["grade"]) == ("2014-01-01T00:00:00+00:00", 0)
    assert (second["to"], second["projected"]) == (whole["now"], False)
    assert [one["code"] for one in second["criteria"]] == ["astct.vasopressor.one", "astct.fever"]
    assert second["withheld"] == []
    row = next(one for one in whole["differ"] if one["higher"] == "astct-2019")
    assert row.pop("text").startswith("ASTCT 3: one vasopressor counts at any dose")
    assert row == {
        "higher": "astct-2019",
        "code": "astct.vasopressor.one",
        "axis": "vasopressor",
        "lower": "lee-2014",
        "lower_code": "vasopressor.single_low_dose",
        "lower_grade": 2,
        "withheld": [],
    }


def test_a_cohort_is_graded_by_all_scales_line_by_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "c.jsonl"
    good, bad = json.dumps(course(FEVER)), json.dumps(course({"kind": "ice", "score": 10}))
    path.write_text("\n".join([good, bad, good]))
    status, out, err = run("--jsonl", "--scales", "all", str(path), capsys=capsys)
    first, second, third = map(json.loads, out.splitlines())
    assert (status, err) == (1, "")
    assert first == third
    assert list(first["scales"]) == KEYS
    assert second == {"line": 2, "faults": ['entries[0].kind: needs "format": "crs-course/2"']}


def lines(text: str, title: str) -> list[str]:
    """The lines of a heading, up to an empty one."""
    return text.split(f"{title}\n")[1].split("\n\n")[0].splitlines()


OTHER_SCALES = "Other scales, from the same entries"
DIFFER = "Why they differ from Lee 2014"
NEXT = "Next change of other scales by the clock, if nothing more is charted"


def test_text_shows_grade_bound_why_and_why_they_differ(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = written(tmp_path, FEVER, {**PRESSOR, "attribution": "uncertain"}, CANNULA)
    _, out, _ = run(file, "--scales", "astct-2019,penn-2018", capsys=capsys)
    assert lines(out, OTHER_SCALES)[:7] == [
        "  ASTCT 2019  3",
        "    * grade 3: One vasopressor: Norepinephrine 5 mcg/min, running 0 min"
        " (attribution uncertain)  [ASTCT 2019, Table 2, grade 3]",
        "    * grade 2: Nasal cannula  [ASTCT 2019, Table 2, grade 2]",
        "    * grade 1: Temperature 38.5 °C; fever is 38.0 °C or more"
        "  [ASTCT 2019, Table 2, grade 1]",
        "    ? could reach 3: Nasal cannula: flow not charted, more than 6 L/min is high flow",
        "    not verified: text beyond the table",
        "  Penn 2018  3",
    ]
    assert lines(out, DIFFER)[0] == (
        "  ASTCT 3: one vasopressor counts at any dose (norepinephrine 5 mcg/min). "
        "Lee 2: one vasopressor, not at Table 3's dose for 3 h."
    )


def test_text_shows_what_is_withheld_what_could_open_it_and_the_next_change(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    later = {"at": AT.format("11:00")}
    file = written(tmp_path, FEVER, {**NORMAL, **later}, {**PRESSOR, **later})
    options = (file, "--scales", "astct-2019")
    _, held, _ = run(*options, "--now", AT.format("12:00"), capsys=capsys)
    assert "  ASTCT 2019  3" in lines(held, OTHER_SCALES)
    assert lines(held, NEXT) == [
        "  2014-01-06 10:00 +0000 (in 22 h): ASTCT 2019  0, could be 3 (no criterion)"
    ]
    _, closed, _ = run(*options, "--now", "2014-01-06T10:00:00+00:00", capsys=capsys)
    assert lines(closed, OTHER_SCALES)[0] == "  ASTCT 2019  0, could be 3"
    withheld, unknown, _ = lines(closed, OTHER_SCALES)[1:]
    assert withheld.startswith("    - withheld, would be grade 3: One vasopressor")
    assert unknown.startswith("    ? could reach 3: The last fever is too long ago")
    assert lines(closed, DIFFER) == [
        "  Lee 2: one vasopressor, not at Table 3's dose for 3 h. ASTCT 0: no fever in the last"
        " 24 h, and none treated before. Withheld: one vasopressor counts at any dose"
        " (norepinephrine 5 mcg/min) (would be 3)."
    ]
    assert NEXT not in closed


def test_text_says_what_waived_the_fever_and_when(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = written(tmp_path, FEVER, ANTIPYRETIC, {**NORMAL, "at": AT.format("11:00")}, PRESSOR)
    now = ("--now", "2014-01-08T10:00:00+00:00")
    _, out, _ = run(file, "--scales", "astct-2019", *now, capsys=capsys)
    assert "    fever waived: antipyretic 3 d ago" in lines(out, OTHER_SCALES)
    _, early, _ = run(file, "--scales", "astct-2019", capsys=capsys)
    assert "waived" not in early


def test_text_says_why_a_scale_grades_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = written(tmp_path, {"kind": "death", "attribution": "crs"})
    options = (file, "--scales", "astct-2019,icans-2019")
    _, out, _ = run(*options, capsys=capsys)
    first, why, _, last = lines(out, OTHER_SCALES)
    assert (first, why) == (
        "  ASTCT 2019  5",
        "    * grade 5: Death due to CRS  [ASTCT 2019, Table 2, grade 5]",
    )
    assert last == "  ICANS 2019  none: ended with a death of another cause"
    _, before, _ = run(*options, "--now", "2013-12-31T00:00:00+00:00", capsys=capsys)
    assert lines(before, OTHER_SCALES)[0] == "  ASTCT 2019  none: before the infusion"


def test_text_without_scales_is_what_it_was(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "c.json"
    path.write_text(json.dumps(BASE))
    assert OTHER_SCALES not in run(str(path), capsys=capsys)[1]
    _, out, _ = run(str(path), "--scales", "icans-2019", capsys=capsys)
    assert lines(out, OTHER_SCALES) == ["  ICANS 2019  0"]
    assert DIFFER not in out


TOY = """
import grading.engine.systems as systems
from grading.engine import scale_findings as found
from grading.engine.evidence import Citation
from grading.engine.scale import Axis, Rule, Scale

TOY = Scale(
    key="toy-2026", title="Toy 2026", short="Toy", sources=("decision",),
    rules=(
        Rule("toy.fever", Axis.FEVER, 4, lambda chart: chart.fever, found.fever,
             Citation("decision", "a toy"), "a fever is grade 4"),
    ),
    silence={axis: "a toy" for axis in Axis},
)
systems.SCALES = (*systems.SCALES, TOY)

from grading.__main__ import main
main(["--list-scales"])
main(["-", "--scales", "toy-2026", "--format", "json"])
"""


def test_a_new_scale_is_one_value_and_one_line() -> None:
    """In a process of its own, because the list is read when the program starts."""
    done = subprocess.run(
        [sys.executable, "-c", TOY],
        cwd=ROOT,
        input=json.dumps(course(FEVER)),
        capture_output=True,
        text=True,
        check=True,
    )
    listed, _, answer = done.stdout.partition("{")
    assert listed.split() == [*KEYS, "toy-2026"]
    words = json.loads("{" + answer)
    toy = words["scales"]["toy-2026"]
    assert toy["current"] == {"grade": 4, "at_most": 4}
    assert [(one["code"], one["grade"]) for one in toy["periods"][-1]["criteria"]] == [
        ("toy.fever", 4)
    ]
    assert [(one["higher"], one["lower"], one["axis"]) for one in words["differ"]] == [
        ("toy-2026", "lee-2014", "fever")
    ]
