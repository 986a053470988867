"""What `make audit` says and how it ends, with tools that answer as the true ones do."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

SCRIPT = Path(".ci") / "audit.py"
FINE: dict[str, Any] = {
    "pip-audit": {"dependencies": [{"name": "django", "version": "5.2.19", "vulns": []}]},
    "npm": {"vulnerabilities": {}, "metadata": {"dependencies": {"total": 3}}},
    "bandit": {"results": [], "errors": []},
}
VULNERABLE = {
    "dependencies": [
        {
            "name": "django",
            "version": "5.2.0",
            "vulns": [{"id": "PYSEC-2026-1", "fix_versions": ["5.2.1"]}],
        }
    ]
}
UNKNOWN = {"dependencies": [{"name": "django", "skip_reason": "not found on PyPI"}]}
NPM_VULNERABLE = {
    "vulnerabilities": {"bootstrap": {"severity": "high", "range": "<5.4"}},
    "metadata": {"dependencies": {"total": 3}},
}
WEAK = {
    "results": [
        {"filename": "a.py", "line_number": 7, "test_id": "B602", "issue_text": "with a shell"}
    ],
    "errors": [],
}


def audit(folder: Path, stderr: str = "", **answers: Any) -> tuple[int, str]:
    """The status and the words of an audit whose tools answer so, in a copy of the repository."""
    (folder / ".ci").mkdir()
    shutil.copy(settings.BASE_DIR / SCRIPT, folder / SCRIPT)
    (folder / "requirements.lock").write_text("django==5.2.19\n")
    tools = folder / "tools"
    tools.mkdir()
    for name, answer in (FINE | answers).items():
        written = answer if isinstance(answer, str) else json.dumps(answer)
        bill = """test "$1" = sbom && echo '{"components": []}' && exit\n"""
        make_tool(tools / name, f"{bill}cat <<'E'\n{written}\nE\necho '{stderr}' >&2\n")
    make_tool(tools / "cyclonedx-py", 'echo \'{"components": []}\' > "$6"\n')
    done = subprocess.run(
        [sys.executable, str(SCRIPT)],
        cwd=folder,
        env={"PATH": f"{tools}:{os.defpath}", "LANG": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    return done.returncode, done.stdout


def make_tool(file: Path, script: str) -> None:
    file.write_text(f"#!/bin/sh\n{script}")
    file.chmod(0o755)


def test_where_nothing_is_found_it_ends_well_and_leaves_bills_of_materials(tmp_path: Path) -> None:
    status, said = audit(tmp_path)
    assert status == 0, said
    assert said.count("Nothing found.") == 3
    for name in ("python", "npm"):
        assert "components" in json.loads((tmp_path / f"var/sbom/{name}.cdx.json").read_text())


@pytest.mark.parametrize(
    ("tool", "answer", "line"),
    [
        ("pip-audit", VULNERABLE, "FOUND. django 5.2.0: PYSEC-2026-1, fixed in 5.2.1"),
        ("npm", NPM_VULNERABLE, "FOUND. bootstrap: high, <5.4"),
        ("bandit", WEAK, "FOUND. a.py:7: B602 with a shell"),
    ],
)
def test_what_is_found_is_named_and_fails(
    tmp_path: Path, tool: str, answer: Any, line: str
) -> None:
    status, said = audit(tmp_path, **{tool: answer})
    assert status == 1
    assert line in said


@pytest.mark.parametrize(
    ("tool", "answer", "stderr", "why"),
    [
        ("pip-audit", UNKNOWN, "", "knows none of 1 packages"),
        ("pip-audit", "", "requests.exceptions.ProxyError: refused", "ProxyError: refused"),
        ("npm", {"message": "405 Method Not Allowed"}, "", "405 Method Not Allowed"),
    ],
)
def test_a_database_that_does_not_answer_is_named_and_fails_nothing(
    tmp_path: Path, tool: str, answer: Any, stderr: str, why: str
) -> None:
    """It never reads as if nothing had been found there."""
    status, said = audit(tmp_path, stderr, **{tool: answer})
    assert status == 0, said
    assert "NOT ASKED." in said
    assert why in said
    assert said.count("Nothing found.") == 2


@pytest.mark.parametrize(
    ("tool", "answer"),
    [
        ("pip-audit", ""),
        ("npm", {"error": {"code": "ENOLOCK"}}),
        ("bandit", ""),
        ("bandit", {"results": [], "errors": [{"filename": "a.py", "reason": "syntax"}]}),
    ],
)
def test_a_tool_that_fails_by_itself_fails_the_audit(
    tmp_path: Path, tool: str, answer: Any
) -> None:
    status, said = audit(tmp_path, "invalid requirement", **{tool: answer})
    assert status == 1
    assert "FAILED." in said
    assert "Bills of materials" in said, "the other steps are taken all the same"
