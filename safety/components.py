"""Components of others that run with the product (SOUP of IEC 62304), from the lock files."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, metadata
from typing import Final, NamedTuple

from safety.hazards import BASE_DIR, FOLDER

PURPOSES: Final = BASE_DIR / "safety" / "purposes.toml"
_NOT_NAMED: Final = "not in its metadata"
_LONGEST_LICENCE: Final = 40
_INTRODUCTION: Final = """\
# Components of others

Written by `make safety` from `requirements.lock`, `package-lock.json`, `Dockerfile` and
`docker-compose.yml`: what runs with the product, not what tests it. What each is for stands in
`safety/purposes.toml`; a test fails where this page is not current. `make audit` asks for
advisories on each of them, and writes full bills of materials.

| component | version | licence | what for |
|---|---|---|---|
"""


class NoPurposeError(Exception):
    """A component has no line in purposes.toml."""


class Component(NamedTuple):
    """A row of the page."""

    name: str
    version: str
    licence: str
    purpose: str


def components_text(former: str) -> str:
    """Return the page, in Markdown.

    ``former`` is the earlier page: it has the licences of packages that are not installed here,
    such as those of another system. Raises NoPurposeError.
    """
    rows = [f"| {' | '.join(one)} |" for one in sorted(_components(former))]
    return _INTRODUCTION + "\n".join(rows) + "\n"


def former_text() -> str:
    """Return the page as it is; empty where there is none."""
    page = FOLDER / "components.md"
    return page.read_text("utf-8") if page.is_file() else ""


def _components(former: str) -> Iterator[Component]:
    written = tomllib.loads(PURPOSES.read_text("utf-8"))
    purposes: Mapping[str, str] = written["purposes"]
    licences: Mapping[str, str] = written["licences"]
    for name, version, licence in (*_python(former), *_front_end(), *_images(licences)):
        if name not in purposes:
            raise NoPurposeError(f"safety/purposes.toml does not say what {name} is for")
        yield Component(name, version, licence, purposes[name])


def _python(former: str) -> Iterator[tuple[str, str, str]]:
    lock = (BASE_DIR / "requirements.lock").read_text("utf-8")
    for name, version in re.findall(r"^([\w.-]+)(?:\[[^\]]+\])?==([^\s;]+)", lock, re.MULTILINE):
        yield name, version, _licence(name) or _former_licence(name, former)


def _licence(name: str) -> str:
    """Return the licence that the installed package names; empty where it is not installed."""
    try:
        facts = metadata(name)
    except PackageNotFoundError:
        return ""
    for key in ("License-Expression", "License"):
        text = facts[key].strip() if key in facts else ""
        if text and len(text) <= _LONGEST_LICENCE and "\n" not in text:
            return text
    classified = [
        text.rpartition(" :: ")[2]
        for text in facts.get_all("Classifier") or ()
        if text.startswith("License ::")
    ]
    return ", ".join(sorted(classified)) or _NOT_NAMED


def _former_licence(name: str, former: str) -> str:
    found = re.search(rf"^\| {re.escape(name)} \| [^|]+ \| ([^|]+) \|", former, re.MULTILINE)
    return found[1] if found else _NOT_NAMED


def _front_end() -> Iterator[tuple[str, str, str]]:
    lock = json.loads((BASE_DIR / "package-lock.json").read_text("utf-8"))
    for place, package in lock["packages"].items():
        if place and not package.get("dev"):
            name = place.removeprefix("node_modules/")
            yield name, package["version"], package.get("license", _NOT_NAMED)


def _images(licences: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    files = [(BASE_DIR / name).read_text("utf-8") for name in ("Dockerfile", "docker-compose.yml")]
    named = re.findall(r"^(?:FROM|\s+image:) ([\w./-]+):([\w.-]+)", "\n".join(files), re.MULTILINE)
    for name, version in dict.fromkeys(named):
        yield f"{name} (image)", version, licences[name]
