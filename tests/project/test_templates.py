"""The language of the pages: strict about names, and safe with what people type."""

import pytest
from django.template import engines
from django.test import Client
from jinja2 import UndefinedError


@pytest.mark.parametrize(
    "written",
    ["{{ grdae }}", "{{ card.grdae }}", "{% if grdae %}{% endif %}", "{{ 'x' if grdae else 'y' }}"],
)
def test_a_name_that_no_view_gave_is_an_error(written: str) -> None:
    template = engines["jinja2"].from_string(written)
    with pytest.raises(UndefinedError, match="grdae"):
        template.render({"card": {}})


def test_what_people_type_is_escaped() -> None:
    template = engines["jinja2"].from_string("<b title='{{ name }}'>{{ name }}</b>")
    said = template.render({"name": "O'Hara <i>"})
    assert said == "<b title='O&#39;Hara &lt;i&gt;'>O&#39;Hara &lt;i&gt;</b>"


def test_a_block_tag_does_not_run_what_stands_beside_it_together() -> None:
    template = engines["jinja2"].from_string(
        "<i\n  {% if yes %}open{% endif %}\n  {% if yes %}hidden{% endif %}>"
    )
    assert template.render({"yes": True}).split() == ["<i", "open", "hidden>"]


def test_a_bad_request_has_a_page_though_nothing_is_known_of_it(client: Client) -> None:
    answer = client.get("/", headers={"host": "elsewhere.example"})
    assert answer.status_code == 400
    assert "Bad request" in answer.content.decode()
