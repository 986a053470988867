"""The language of the pages, Jinja2: what every template may name, and how strict it is."""

from functools import lru_cache
from typing import Any

from crispy_forms.templatetags.crispy_forms_filters import as_crispy_field
from django.templatetags.static import static
from django.urls import reverse
from django.utils.html import json_script
from django.utils.text import slugify
from django_htmx.jinja import htmx_script
from jinja2 import BaseLoader, Environment, StrictUndefined

from patients import page_words


def environment(*, loader: BaseLoader, auto_reload: bool, **_options: Any) -> Environment:
    """For settings.TEMPLATES, with every template compiled: a fault in one stops the start.

    A name that no view gave is an error, never an empty place.
    """
    made = Environment(
        autoescape=True,
        loader=loader,
        auto_reload=auto_reload,
        undefined=StrictUndefined,
        # Line ends stay: without them words and attributes on lines of their own run together.
        lstrip_blocks=True,
    )
    made.globals |= {"htmx_script": htmx_script, "static": _static, "url": _url}
    made.globals |= page_words.GLOBALS
    made.filters |= {"as_crispy_field": as_crispy_field, "json_script": json_script}
    made.filters |= {"slugify": slugify, **page_words.FILTERS}
    # Now, not while someone waits for the first page of a process.
    for name in made.list_templates():
        made.get_template(name)
    return made


@lru_cache(maxsize=256)
def _static(path: str) -> str:
    """The address of a file of the site's own, which never changes either."""
    return static(path)


@lru_cache(maxsize=4096)
def _url(name: str, *args: Any) -> str:
    """The address of the view ``name``, which never changes; a page has some 160 of them."""
    return reverse(name, args=args)
