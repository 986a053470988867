"""Whitespace of templates, shortened once, when a template is compiled.

Templates are indented for those who read them; a browser shows any number of spaces and line ends
as one space. They were a fifth of the bedside page.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from jinja2.ext import Extension
from jinja2.lexer import Token, TokenStream

_RUN: Final = re.compile(r"[ \t\r\n\f]+")  # no-break spaces stay
_KEEPS: Final = re.compile(r"<(pre|textarea)\b")
_SPACES: Final = " \t\r\n\f"
_BRANCHES: Final = frozenset({"if", "for"})
# What stands in them is not put where they stand, or is not known from the template alone.
_APART: Final = frozenset({"block", "call", "filter", "macro"})
_PRINTS_NOTHING: Final = frozenset({"extends", "from", "import", "set", "with", "endwith"})


class OneSpace(Extension):
    """Extension that writes one space for each run of spaces and line ends in a page's text.

    Text between two tags is shortened to nothing where a space has been written before it on every
    way that leads there. No two words or attributes run together, because one space always stays.
    """

    def filter_stream(self, stream: TokenStream) -> Iterable[Token]:
        """Return the tokens of a template with its text shortened.

        Left as they are: what is not HTML, and templates with elements that show each space.
        """
        tokens = list(stream)
        texts = [token.value for token in tokens if token.type == "data"]
        if not (stream.name or "").endswith(".html") or any(map(_KEEPS.search, texts)):
            return iter(tokens)
        return _Shortener(tokens).tokens()


class _Shortener:
    """The tokens of one template, and the place that has been reached in them."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = tokens
        self._at = 0

    def tokens(self) -> Iterator[Token]:
        """Return all tokens; what stands before a template is not known from it."""
        found, _, _ = self._until_end(follows_space=False)
        return iter(found)

    def _until_end(self, *, follows_space: bool) -> tuple[list[Token], bool, str]:
        """Shorten up to the tag that ends or divides this body.

        Returns the tokens before that tag, whether a space is the last that they write, and the
        name of the tag: "" at the end of the template.
        """
        found: list[Token] = []
        while self._at < len(self._tokens):
            token = self._tokens[self._at]
            if token.type == "data":
                self._at += 1
                if text := _shortened(token.value, follows_space=follows_space):
                    found.append(Token(token.lineno, "data", text))
                    follows_space = text[-1] in _SPACES
            elif token.type == "block_begin":
                name = self._tokens[self._at + 1].value
                if name in {"else", "elif"} or (name.startswith("end") and name != "endwith"):
                    return found, follows_space, name
                more, follows_space = self._tag(name, follows_space=follows_space)
                found += more
            else:
                found += self._through(token.type.replace("_begin", "_end"))
                follows_space = False
        return found, follows_space, ""

    def _through(self, last: str) -> list[Token]:
        """Return the tokens up to the next one of the type ``last``, with it."""
        begun = self._at
        while self._tokens[self._at].type != last:
            self._at += 1
        self._at += 1
        return list(self._tokens[begun : self._at])

    def _tag(self, name: str, *, follows_space: bool) -> tuple[list[Token], bool]:
        """Return the tokens of a tag with its body, and whether a space is the last it writes."""
        tag = self._through("block_end")
        if name in _BRANCHES:
            return self._branches(name, tag, follows_space=follows_space)
        if name in _APART or (name == "set" and all(part.type != "assign" for part in tag)):
            body, _, _ = self._until_end(follows_space=False)
            written = [*tag, *body, *self._through("block_end")]
            return written, follows_space and name in {"macro", "set"}
        return tag, follows_space and name in _PRINTS_NOTHING

    def _branches(
        self, name: str, tag: list[Token], *, follows_space: bool
    ) -> tuple[list[Token], bool]:
        found, ends, has_else = tag, [], False
        while True:
            # A loop's body follows itself, too.
            begun = self._at
            body, end, next_tag = self._until_end(follows_space=follows_space)
            if name == "for" and not has_else and follows_space and not end:
                self._at = begun
                body, end, next_tag = self._until_end(follows_space=False)
            found = [*found, *body, *self._through("block_end")]
            ends.append(end)
            has_else = has_else or next_tag == "else"
            if next_tag not in {"else", "elif"}:
                return found, all(ends) and (has_else or follows_space)


def _shortened(text: str, *, follows_space: bool) -> str:
    """Return ``text`` with one space for each run of them, none where one stands before it."""
    short = _RUN.sub(" ", text)
    return short.lstrip(_SPACES) if follows_space else short
