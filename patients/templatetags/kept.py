"""Parts of a page that print nothing but what they are given, rendered once for each such giving.

What is kept is text under the whole of what it says, never a grade under a course: a part with
anything new in it is rendered anew.
"""

from __future__ import annotations

import secrets
from typing import Any, Final

from django import template
from django.template.base import FilterExpression, Node, NodeList, Parser, Token
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe

from patients.templatetags.bedside import FORM_ID, fresh_form_id

register = template.Library()

_AT_MOST: Final = 2000
# What nobody can have typed into a text that a page shows.
_TOKEN_STANDS_HERE: Final = secrets.token_hex()
_FORM_ID_STANDS_HERE: Final = secrets.token_hex()


class KeptNode(Node):
    """What is inside, rendered once a day for each different set of the values it is given."""

    def __init__(self, nodelist: NodeList, given: dict[str, FilterExpression]) -> None:
        self.nodelist = nodelist
        self.given = given
        self.rendered: dict[str, list[str]] = {}

    def render(self, context: template.Context) -> SafeString:
        values = {name: value.resolve(context) for name, value in self.given.items()}
        # Times of another day are printed with their date.
        key = f"{timezone.localdate()} {list(values.values())!r}"
        parts = self.rendered.get(key)
        if parts is None:
            if len(self.rendered) >= _AT_MOST:
                self.rendered.clear()
            parts = self.rendered[key] = self._parts(context, values)
        return mark_safe(_filled(parts, context))  # noqa: S308 - rendered by the template engine

    def _parts(self, context: template.Context, values: dict[str, Any]) -> list[str]:
        """The text between the places where a form's own id stands."""
        blanks = {"csrf_token": _TOKEN_STANDS_HERE, FORM_ID: _FORM_ID_STANDS_HERE}
        alone = context.new({**values, **blanks})
        return self.nodelist.render(alone).split(_FORM_ID_STANDS_HERE)


def _filled(parts: list[str], context: template.Context) -> str:
    first, *rest = parts
    if not rest and _TOKEN_STANDS_HERE not in first:
        return first
    token = str(context.get("csrf_token", ""))
    pieces = [first.replace(_TOKEN_STANDS_HERE, token)]
    for part in rest:
        form_id = context.get(FORM_ID) or fresh_form_id()
        pieces += [str(form_id), part.replace(_TOKEN_STANDS_HERE, token)]
    return "".join(pieces)


@register.tag
def kept(parser: Parser, token: Token) -> KeptNode:
    """``{% kept course_id row when=row.at|clock %}...{% endkept %}``.

    What is inside sees these names and no other, so that it cannot depend on who is looking or on
    the time unless it is given them. A form inside gets its own id and the request's token.
    """
    given = {}
    for word in token.split_contents()[1:]:
        name, is_named, said = word.partition("=")
        given[name] = parser.compile_filter(said if is_named else name)
    nodelist = parser.parse(("endkept",))
    parser.delete_first_token()
    return KeptNode(nodelist, given)
