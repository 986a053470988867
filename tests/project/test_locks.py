"""The locks are complete: they can be installed without resolving, and every install does so.

As soon as one requirement is missing from a lock, pip that resolves under ``--require-hashes``
takes the newest release of it and refuses that: a command that worked yesterday then fails.
"""

import json
import re
from collections.abc import Iterator
from functools import cache
from importlib.metadata import distribution
from pathlib import Path

import pytest
from django.conf import settings
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(settings.BASE_DIR)
RUNTIME, DEV = "requirements.lock", "requirements-dev.lock"
LOCKS = [
    RUNTIME,
    DEV,
    "requirements-audit.lock",
    "requirements-mutants.lock",
    "requirements-node.lock",
    "requirements-partners.lock",
]
PIN_OR_HASH = re.compile(
    r"([\w.-]+(\[[\w, -]+\])?==[\w.]+( ; [^:]+)?|    --hash=sha256:[0-9a-f]{64})( \\)?"
)
INSTALLS = re.compile(r"\b(?:pip3?|uv)\b[^\n]*\binstall\b[^\n]*")


@cache
def pins(lock: str) -> list[Requirement]:
    """The requirements of a lock, each pinned to one version, those of other systems too."""
    lines = (ROOT / lock).read_text().splitlines()
    return [Requirement(line.rstrip("\\")) for line in lines if line and not line[0].isspace()]


def pinned_here(lock: str) -> dict[str, Requirement]:
    """The requirements of a lock that apply to this interpreter and system, by normal name."""
    return {
        canonicalize_name(pin.name): pin
        for pin in pins(lock)
        if pin.marker is None or pin.marker.evaluate()
    }


def version_of(pin: Requirement) -> str:
    (pinned,) = pin.specifier
    assert pinned.operator == "==", f"{pin} is not pinned"
    return pinned.version


def requirements_of(name: str, extras: set[str]) -> Iterator[Requirement]:
    """What an installed package requires here: of itself, and for each of the extras."""
    for written in distribution(name).requires or []:
        required = Requirement(written)
        if required.marker is None or any(
            required.marker.evaluate({"extra": extra}) for extra in ("", *extras)
        ):
            yield required


def extras_asked_for(lock: str) -> dict[str, set[str]]:
    """The extras of every package of a lock that the lock, the project or a package asks for."""
    asked = {name: set(pin.extras) for name, pin in pinned_here(lock).items()}
    grown = True
    while grown:
        grown = False
        for name, extras in asked.items():
            for required in requirements_of(name, extras):
                wanted = asked.get(canonicalize_name(required.name), set())
                grown |= not required.extras <= wanted
                wanted |= required.extras
    return asked


@pytest.mark.parametrize("lock", [RUNTIME, DEV])
def test_every_requirement_of_a_pinned_package_is_pinned(lock: str) -> None:
    pinned = pinned_here(lock)
    missing = [
        f"{name} requires {required}"
        for name, extras in extras_asked_for(lock).items()
        for required in requirements_of(name, extras)
        if (pin := pinned.get(canonicalize_name(required.name))) is None
        or not required.specifier.contains(version_of(pin), prereleases=True)
    ]
    assert missing == []


@pytest.mark.parametrize("lock", [RUNTIME, DEV])
def test_what_is_installed_is_what_is_pinned(lock: str) -> None:
    """The metadata that the test above reads is that of the pinned versions."""
    pinned = {name: version_of(pin) for name, pin in pinned_here(lock).items()}
    assert {name: distribution(name).version for name in pinned} == pinned


@pytest.mark.parametrize("lock", LOCKS)
def test_an_extra_that_a_package_asks_for_is_written_in_the_lock(lock: str) -> None:
    """So says a resolver too, which otherwise asks the index for what the extra brings."""
    project = (ROOT / "pyproject.toml").read_text()
    asked = {
        canonicalize_name(name): set(extras.split(","))
        for name, extras in re.findall(r'"([\w-]+)\[([\w,-]+)\][=><]', project)
    }
    written = {canonicalize_name(pin.name): pin.extras for pin in pins(lock)}
    assert asked
    assert {name: written[name] for name in asked if name in written} == {
        name: extras for name, extras in asked.items() if name in written
    }


@pytest.mark.parametrize("lock", LOCKS)
def test_every_lock_pins_what_the_runtime_lock_pins(lock: str) -> None:
    """So one is installed over another, and the first stays whole."""
    pinned = {pin.name: version_of(pin) for pin in pins(lock)}
    for pin in [*pins(RUNTIME), *pins(DEV)]:
        assert pinned.get(pin.name, version_of(pin)) == version_of(pin)
    assert {pin.name for pin in pins(RUNTIME)} <= set(pinned)


@pytest.mark.parametrize("lock", LOCKS)
def test_no_lock_names_where_packages_come_from(lock: str) -> None:
    lines = (ROOT / lock).read_text().splitlines()
    assert [line for line in lines if not PIN_OR_HASH.fullmatch(line)] == []


@pytest.mark.parametrize("folder", [".", "tests/partners"])
def test_no_lock_of_npm_names_where_packages_come_from(folder: str) -> None:
    lock = json.loads((ROOT / folder / "package-lock.json").read_text())
    installed = [one for name, one in lock["packages"].items() if name]
    assert installed
    assert all("integrity" in one and "resolved" not in one for one in installed)


def files_with_commands() -> list[Path]:
    texts = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / ".ci").iterdir()]
    composed = [*ROOT.glob("docker-compose*"), *ROOT.glob("Dockerfile*")]
    return [ROOT / "Makefile", *composed, *texts]


def test_every_install_of_a_lock_is_exact_and_verified() -> None:
    """A command that installs from a file names hashes, does not resolve, and checks."""
    found = []
    for path in files_with_commands():
        text = path.read_text().replace("\\\n", " ")
        for line in INSTALLS.findall(text):
            if re.search(r"\s(-r|--requirement)\b", line):
                found.append(path.name)
                assert "--no-deps" in line, f"{path.name}: {line}"
                assert "--require-hashes" in line, f"{path.name}: {line}"
                assert re.search(r"\bpip check\b", line), f"{path.name}: {line}"
    assert {"Makefile", "Dockerfile"} <= set(found)


def test_every_lock_is_installed_somewhere() -> None:
    commands = "".join(path.read_text() for path in files_with_commands())
    assert [lock for lock in LOCKS if lock not in commands] == []
