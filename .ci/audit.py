"""Ask databases of advisories about what is installed, read the code for weaknesses, write SBOMs.

Run by `make audit`, which puts the tools on the path. Ends with status 1 where something was found,
or where a tool fails that needs no network. A database that does not answer is named in a sentence,
and is no failure: nothing was found, and nothing was asked either.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent
CODE: Final = ("crs_app", "grading", "patients", "manage.py")
SBOM: Final = ROOT / "var" / "sbom"
LONGEST_S: Final = 600
OF_THE_NETWORK: Final = re.compile(r"requests\.exceptions|connect", re.IGNORECASE)
"""What pip-audit writes where its database cannot be reached."""


class NotAskedError(Exception):
    """A database of advisories did not answer; the text says which, and why."""


class FailedError(Exception):
    """A tool failed that needs no network; the text is what it wrote."""


def python_advisories() -> list[str]:
    """Return an advisory a line, for every package that a lock file pins."""
    locks = sorted(ROOT.glob("requirements*.lock"))
    asked = run(
        "pip-audit", "--disable-pip", "--require-hashes", "--progress-spinner", "off",
        "--format", "json", *(f"--requirement={lock}" for lock in locks),
    )  # fmt: skip
    answer = read_json(asked.stdout)
    packages = answer.get("dependencies")
    if packages is None:
        fault = NotAskedError if OF_THE_NETWORK.search(asked.stderr) else FailedError
        raise fault(f"PyPI was not asked: {last_line(asked.stderr)}.")
    known = [one for one in packages if "skip_reason" not in one]
    if not known:
        raise NotAskedError(f"The index that answers knows none of {len(packages)} packages.")
    unknown = [one["name"] for one in packages if "skip_reason" in one]
    say(f"{len(known)} packages of {len(locks)} lock files asked about.")
    if unknown:
        say(f"Not known there, and so not asked about: {', '.join(unknown)}.")
    return [
        f"{one['name']} {one['version']}: {fault['id']}, fixed in "
        f"{', '.join(fault['fix_versions']) or 'no version yet'}"
        for one in known
        for fault in one["vulns"]
    ]


def npm_advisories() -> list[str]:
    """Return an advisory a line, for every package of package-lock.json."""
    asked = run("npm", "audit", "--json", "--package-lock-only")
    answer = read_json(asked.stdout)
    found = answer.get("vulnerabilities")
    if found is None:
        # The registry's own words; a fault of the lock file has none.
        fault = NotAskedError if "message" in answer else FailedError
        why = answer.get("message") or last_line(asked.stderr)
        raise fault(f"The npm registry gave no advisories: {why}.")
    say(f"{answer['metadata']['dependencies']['total']} packages of package-lock.json asked about.")
    return [f"{name}: {one['severity']}, {one['range']}" for name, one in found.items()]


def weaknesses() -> list[str]:
    """Return what bandit finds; `pyproject.toml` says what it does not look for, and why."""
    read = run("bandit", "--quiet", "--configfile", "pyproject.toml", "--confidence-level",
               "medium", "--format", "json", "--recursive", *CODE)  # fmt: skip
    answer = read_json(read.stdout)
    if "results" not in answer or answer["errors"]:
        raise FailedError(str(answer.get("errors") or last_line(read.stderr)))
    return [
        f"{one['filename']}:{one['line_number']}: {one['test_id']} {one['issue_text']}"
        for one in answer["results"]
    ]


def bills_of_materials() -> list[str]:
    """Write what a running site is made of, as CycloneDX files under var/sbom."""
    SBOM.mkdir(parents=True, exist_ok=True)
    of_python, of_npm = SBOM / "python.cdx.json", SBOM / "npm.cdx.json"
    made = run("cyclonedx-py", "requirements", "requirements.lock", "--pyproject",
               "pyproject.toml", "--output-file", str(of_python))  # fmt: skip
    if made.returncode:
        raise FailedError(last_line(made.stderr))
    listed = run("npm", "sbom", "--sbom-format", "cyclonedx", "--omit", "dev",
                 "--package-lock-only")  # fmt: skip
    if listed.returncode:
        raise FailedError(last_line(listed.stderr))
    of_npm.write_text(listed.stdout)
    for file in (of_python, of_npm):
        parts = len(json.loads(file.read_text())["components"])
        say(f"{file.relative_to(ROOT)}: {parts} components.")
    return []


STEPS: Final[dict[str, Callable[[], list[str]]]] = {
    "Advisories on Python packages (pip-audit)": python_advisories,
    "Advisories on npm packages (npm audit)": npm_advisories,
    "Weaknesses in the code (bandit)": weaknesses,
    "Bills of materials (CycloneDX)": bills_of_materials,
}


def main() -> int:
    """Take every step, whatever came of the one before; return the status of the process."""
    is_clean = True
    for name, step in STEPS.items():
        print(f"{name}:")
        try:
            found = step()
        except NotAskedError as why:
            say(f"NOT ASKED. {why} Run `make audit` again where it answers.")
            continue
        except (FailedError, OSError, subprocess.TimeoutExpired) as why:
            say(f"FAILED. {why}")
            is_clean = False
            continue
        for line in found:
            say(f"FOUND. {line}")
        if found:
            is_clean = False
        else:
            say("Nothing found." if step is not bills_of_materials else "Written.")
    return 0 if is_clean else 1


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=LONGEST_S
    )


def read_json(text: str) -> dict[str, Any]:
    """Return the object that a tool wrote; an empty one where it wrote none."""
    try:
        read = json.loads(text)
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}


def last_line(text: str) -> str:
    return next(filter(None, reversed(text.splitlines())), "it said nothing")


def say(text: str) -> None:
    print(f"  {text}")


if __name__ == "__main__":
    sys.exit(main())
