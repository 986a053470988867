"""The settings of the templates: every name must exist, values are escaped, blanks stay."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.template import engines
from django.test import Client
from django.urls import reverse
from jinja2 import DictLoader, Environment, UndefinedError

from crs_app.accounts.models import User
from crs_app.request_ids import HEADER
from crs_app.template_whitespace import OneSpace
from patients.models import Course
from tests.entry_forms import send
from tests.factories import admit

TEMPLATES = Path(settings.BASE_DIR) / "templates"
MARKUP = 'O\'HARA <i>Ada</i> & "co"'
ESCAPED = "O&#39;HARA &lt;i&gt;Ada&lt;/i&gt; &amp; &#34;co&#34;"


@pytest.mark.parametrize(
    "written", ["{{ grdae }}", "{{ card.grdae }}", "{% if grdae %}x{% endif %}"]
)
def test_a_name_that_the_context_does_not_have_is_an_error(written: str) -> None:
    """Everywhere, also in a condition: a grade that is silently missing would look like none."""
    template = engines["jinja2"].from_string(written)
    with pytest.raises(UndefinedError, match="grdae"):
        template.render({"card": {}})


def test_the_name_of_a_patient_is_escaped_on_every_page(nurse: User, nurse_client: Client) -> None:
    course = admit(nurse, name=MARKUP, product=MARKUP, ward=MARKUP[:20])
    pages = [
        reverse("patients:board"),
        *(
            reverse(f"patients:{name}", args=[course.pk])
            for name in ("bedside", "transfer", "course_policy")
        ),
    ]
    for address in pages:
        page = nurse_client.get(address).content.decode()
        assert ESCAPED in page, address
        assert "<i>Ada" not in page, address


@pytest.mark.parametrize("room", ["ward", "identity", "summary", "review", "policy"])
def test_no_browser_keeps_what_is_typed_about_a_patient(room: str) -> None:
    """On a shared tablet it would propose the name and the number of one patient for another."""
    tags = [
        (path.name, tag)
        for path in (TEMPLATES / room).glob("*.html")
        for tag in re.findall(r"<form\b[^>]*>", path.read_text())
        if 'method="post"' in tag
    ]
    assert tags
    assert [name for name, tag in tags if 'autocomplete="off"' not in tag] == []


def test_a_block_tag_does_not_join_what_is_before_and_after_it() -> None:
    template = engines["jinja2"].from_string(
        "<i\n  {% if yes %}open{% endif %}\n  {% if yes %}hidden{% endif %}>"
    )
    assert template.render({"yes": True}).split() == ["<i", "open", "hidden>"]


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("<b>\n  a\n  b  c</b>", "<b> a b c</b>"),
        ("a\n{% if no %}\n  b\n{% endif %}\n  c", "a c"),
        ("a{% if yes %} b{% endif %} c", "a b c"),
        ("a {% if no %}b{% else %} {{ yes }}{% endif %} c", "a 1 c"),
        ("a {% for n in (1, 2) %} {{ n }}{% endfor %} c", "a  1 2 c"),
        ("a {% for n in (1, 2) %}\n {{ n }}\n{% endfor %}\n c", "a 1 2 c"),
        ("{% macro m() %}\n x\n{% endmacro %}\na{{ m() }}c", " a x c"),
        ("{% set part %}\n x\n{% endset %}\na{{ part }}c", " a x c"),
        ("a\u00a0 \n b", "a\u00a0 b"),
        ("<pre>\n  a\n</pre>", "<pre>\n  a\n</pre>"),
    ],
)
def test_a_run_of_spaces_is_sent_as_one_and_no_two_words_run_together(
    written: str, sent: str
) -> None:
    made = Environment(
        loader=DictLoader({"page.html": written, "mail.txt": written}),
        autoescape=True,
        lstrip_blocks=True,
        extensions=[OneSpace],
    )
    assert made.get_template("page.html").render(yes=1, no=0) == sent
    plain = Environment(
        loader=DictLoader({"mail.txt": written}), autoescape=True, lstrip_blocks=True
    )
    as_text = plain.get_template("mail.txt").render(yes=1, no=0)
    assert made.get_template("mail.txt").render(yes=1, no=0) == as_text


def test_a_page_with_a_layout_names_it_first() -> None:
    """What stands before it would come before the page, and no opening of it be recorded."""
    pages = [path.read_text(encoding="utf-8") for path in TEMPLATES.rglob("*.html")]
    with_layout = [page for page in pages if "{% extends" in page]
    assert len(with_layout) > 50
    assert all(page.startswith("{% extends") for page in with_layout)


def test_a_bad_request_has_a_page_without_a_context(client: Client) -> None:
    answer = client.get("/", headers={"host": "elsewhere.example"})
    assert answer.status_code == 400
    assert "Request not understood" in answer.content.decode()


SAYS_NOT_SAVED = re.compile(r"Not saved(?! yet)|Not signed\.|Nothing was saved")


def test_whatever_says_that_nothing_was_saved_names_the_request(
    nurse_client: Client, course: Course
) -> None:
    """Templates by the line that they share, scripts by the function that they share."""
    saying = [path for path in TEMPLATES.rglob("*.html") if SAYS_NOT_SAVED.search(path.read_text())]
    scripts = [
        path
        for path in (settings.BASE_DIR / "static" / "crs").rglob("*.js")
        if re.search(r"[\"`]Not (saved|sent yet)\.", path.read_text())
    ]
    assert len(saying) > 8
    assert len(scripts) > 3
    unnamed = [path.name for path in saying if "request_line.html" not in path.read_text()]
    assert unnamed == []
    assert [path.name for path in scripts if "requestWords" not in path.read_text()] == []
    refused = send(nurse_client, course, "vitals", heart_rate="9999")
    assert f"Request {refused.headers[HEADER]}" in refused.content.decode()
