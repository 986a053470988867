"""What the documents name is there: files, headings, commands, targets of make, settings."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import get_commands

ROOT = Path(settings.BASE_DIR)
DOCUMENTS = [
    ROOT / "README.md",
    ROOT / "SECURITY.md",
    ROOT / "tests" / "README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
FOLDERS = "bench|chaos|crs_app|deploy|docs|grading|patients|replay|safety|static|templates"
PLACES_OF_SETTINGS = (
    *(path for folder in ("bench", "chaos", "crs_app", "replay", "tests")
      for path in sorted((ROOT / folder).rglob("*.py")) if path != Path(__file__)),
    ROOT / "docker-compose.yml", ROOT / "Makefile", ROOT / "Caddyfile",
)  # fmt: skip


def faults(document: Path, text: str) -> list[str]:
    """What ``text`` names, as it would in ``document``, and is not there."""
    return [
        *(f"link {link}" for link in re.findall(r"\]\(([^)\s]+)\)", text)
          if not link.startswith("http") and not _leads_somewhere(document, link)),
        *(f"path {path}" for path in re.findall(rf"`((?:{FOLDERS})/[\w./-]*\w)[/`]", text)
          if not any((folder / f"{path}{end}").exists()
                     for folder in (ROOT, document.parent) for end in ("", ".py"))),
        *(f"command {name}" for name in re.findall(r"\bmanage\.py ([a-z_0-9]+)", text)
          if name not in get_commands()),
        *(f"make {name}" for name in re.findall(r"(?:`|^ {4})make ([a-z-]+)", text, re.MULTILINE)
          if name not in TARGETS),
        *(f"setting {name}" for name in set(re.findall(r"\bCRS_[A-Z0-9_]*[A-Z0-9]\b", text))
          if name.removesuffix("_FILE") not in _settings()),
    ]  # fmt: skip


def _leads_somewhere(document: Path, link: str) -> bool:
    name, _, anchor = link.partition("#")
    target = (document.parent / name).resolve() if name else document
    if not target.exists():
        return False
    return not anchor or anchor in _anchors(target)


@cache
def _anchors(document: Path) -> set[str]:
    """The anchors of a page as GitHub makes them of headings, and those that it names."""
    text = document.read_text("utf-8")
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    made = {re.sub(r"[^\w\- ]", "", one).lower().replace(" ", "-") for one in headings}
    return made | set(re.findall(r'<a id="([^"]+)">', text))


@cache
def _settings() -> set[str]:
    read = "".join(path.read_text("utf-8") for path in PLACES_OF_SETTINGS)
    return set(re.findall(r"\bCRS_[A-Z0-9_]*[A-Z0-9]\b", read))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_a_document_names_is_there(document: Path) -> None:
    assert faults(document, document.read_text("utf-8")) == []


def test_the_check_finds_what_is_not_there() -> None:
    good = (
        "[a](docs/operations.md#two-machines) `crs_app/outages.py` `crs_app/metrics/` "
        "`manage.py nightly` `make drill` CRS_WEB_PASSWORD_FILE"
    )
    assert faults(ROOT / "README.md", good) == []
    for wrong in (
        "[a](docs/operation.md)", "[a](docs/operations.md#three-machines)", "`crs_app/outage.py`",
        "`manage.py nights`", "    make drills", "CRS_WEB_PASWORD",
    ):  # fmt: skip
        assert len(faults(ROOT / "README.md", wrong)) == 1, wrong
