"""The help names buttons and marks by the words that stand on the pages."""

import re
from pathlib import Path

import pytest
from django.conf import settings

from crs_app.help.contents import PAGES

ROOT = Path(settings.BASE_DIR)
PLACES = (
    ("templates", "*.html"), ("static/crs", "*.js"), ("patients", "*.py"), ("crs_app", "*.py"),
    ("grading/engine", "*.py"),
)  # fmt: skip
BOLD = re.compile(r"\*([^*]+)\*")


def words_of_pages() -> str:
    texts = [
        re.sub(r"<[^>]+>", "", path.read_text()) if path.suffix == ".html" else path.read_text()
        for folder, pattern in PLACES
        for path in (ROOT / folder).rglob(pattern)
        if "help" not in path.relative_to(ROOT).parts
    ]
    return re.sub(r"\s+", " ", "\n".join(texts).replace("&nbsp;", " ")).lower()


@pytest.mark.parametrize("key", PAGES)
def test_every_word_in_bold_stands_on_a_page(key: str) -> None:
    pages = words_of_pages()
    bold = {word for task in PAGES[key].tasks for step in task.steps for word in BOLD.findall(step)}
    assert len(bold) > 10
    assert [word for word in sorted(bold) if word.lower() not in pages] == []


@pytest.mark.parametrize("key", PAGES)
def test_a_page_has_ten_tasks_and_a_file_for_each_picture(key: str) -> None:
    tasks = PAGES[key].tasks
    assert len(tasks) == 10
    for task in tasks:
        assert bool(task.picture) == bool(task.shows)
        if task.picture:
            assert (ROOT / f"static/crs/help/{task.picture}.png").stat().st_size < 150_000
