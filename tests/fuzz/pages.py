"""Forms and addresses of a page, read from its HTML as a browser would send them."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass
class Field:
    """A field of a form: its value as shown, and the values that it lets choose."""

    name: str
    kind: str
    value: str = ""
    choices: list[str] = field(default_factory=list)
    limits: tuple[str, str] | None = None


@dataclass
class Form:
    """A form of a page: where it is sent, and its fields."""

    method: str
    action: str
    fields: list[Field] = field(default_factory=list)


class Page(HTMLParser):
    """The forms and the addresses of a page; a button with an address of its own is a form too."""

    def __init__(self, html: str, address: str) -> None:
        super().__init__()
        self.address, self.forms, self.links = address, [], []  # type: ignore[var-annotated]
        self._form: Form | None = None
        self._select: Field | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attrs}
        for name in ("href", "hx-get", "action", "formaction"):
            if has.get(name, "").startswith("/"):
                self.links.append(has[name])
        if tag == "form":
            self._form = Form(*_sent_to(has, self.address))
            self.forms.append(self._form)
        elif "hx-post" in has or "formaction" in has:
            button = Form("POST", has.get("hx-post") or has["formaction"])
            button.fields = self._form.fields if self._form else []
            with suppress(ValueError):
                values = json.loads(has.get("hx-vals", "{}"))
                button.fields += [Field(key, "hidden", str(value)) for key, value in values.items()]
            self.forms.append(button)
        if self._form and has.get("name"):
            self._add_field(tag, has)
        elif tag == "option" and self._select:
            self._select.choices.append(has.get("value", ""))
            if "selected" in has:
                self._select.value = has.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        if tag == "select":
            self._select = None

    def _add_field(self, tag: str, has: dict[str, str]) -> None:
        if self._form is None or tag not in ("input", "select", "textarea", "button"):
            return
        kind = has.get("type", tag) if tag == "input" else tag
        listed = next((one for one in self._form.fields if one.name == has["name"]), None)
        if listed is not None and kind in ("radio", "checkbox", "button"):
            listed.choices.append(has.get("value", "on"))
            return
        made = Field(has["name"], kind, has.get("value", ""))
        if kind in ("radio", "checkbox", "button"):
            made.choices, made.value = [has.get("value", "on")], ""
        if "data-lowest" in has:
            made.limits = (has["data-lowest"], has["data-highest"])
        self._form.fields.append(made)
        if tag == "select":
            self._select = made


def _sent_to(has: dict[str, str], address: str) -> tuple[str, str]:
    """Return method and address of a form with these attributes on the page at ``address``."""
    if "hx-post" in has:
        return "POST", has["hx-post"]
    if "hx-get" in has:
        return "GET", has["hx-get"]
    return has.get("method", "get").upper(), has.get("action") or address
