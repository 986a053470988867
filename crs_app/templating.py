"""The Jinja2 environment of all pages: globals, filters, and the context of every page."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from functools import lru_cache, partial
from typing import Any, Final, cast
from uuid import UUID

from crispy_forms.templatetags.crispy_forms_filters import as_crispy_field
from crispy_forms.utils import render_crispy_form
from django.conf import settings
from django.http import HttpRequest
from django.middleware.csrf import get_token
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django.utils.html import format_html, json_script
from django.utils.module_loading import import_string
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import slugify
from django_htmx.jinja import htmx_script
from jinja2 import BaseLoader, Environment, StrictUndefined, pass_context
from jinja2.runtime import Context

from crs_app.accounts.launch_names import LAUNCHED_ENDS_AFTER_IDLE
from crs_app.accounts.permissions import can_read_record
from crs_app.accounts.unsent import key_of_unsent_text
from crs_app.page_version import page_version
from crs_app.request_ids import current_request_id
from crs_app.searches import seal
from crs_app.template_whitespace import OneSpace
from grading.plain_text import for_a_page
from patients.display.template_filters import FILTERS, GLOBALS

_AN_ID: Final = UUID(int=0)


def environment(*, loader: BaseLoader, auto_reload: bool, **_options: Any) -> Environment:
    """For settings.TEMPLATES, with every template compiled: a fault in one stops the start.

    A name that no view gave is an error, never an empty place.
    """
    made = _Environment(
        autoescape=True,
        loader=loader,
        auto_reload=auto_reload,
        # All templates are kept: to note which was used last costs more than their memory.
        cache_size=-1,
        undefined=StrictUndefined,
        finalize=_shown_safely,
        # Line ends of tags stay: without them words and attributes on lines of their own run
        # together. What is superfluous is shortened by the extension, which keeps one of them.
        lstrip_blocks=True,
        extensions=[OneSpace],
    )
    made.globals |= {"crispy": _crispy, "htmx_script": htmx_script}
    made.globals |= {"render_part": _part_renderer(), "static": _static, "url": _url}
    made.globals |= {"can_read_record": can_read_record, "request_id": current_request_id}
    made.globals["page_version"] = page_version
    made.globals |= GLOBALS
    made.filters |= {"as_crispy_field": as_crispy_field, "json_script": json_script}
    made.filters |= {"slugify": slugify, "sealed": seal, **FILTERS}
    # Now, not while someone waits for the first page of a process.
    for name in made.list_templates():
        made.get_template(name)
    return made


class _Environment(Environment):
    """Environment whose globals stay as they are once the first template is loaded."""

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """Return the globals of a template in one dict, where Jinja2 looks through two.

        For each import of a macro their names are compared with those of the page.
        """
        return {**self.globals, **(d or {})}


def _shown_safely(value: Any) -> Any:
    """Return stored text with the names of characters that would change how a page is read."""
    if type(value) is not str or (value.isascii() and value.isprintable()):
        return value
    return for_a_page(value)


_SEEN_BY_LAYOUTS: Final = ("previous", "running", "course_id")
"""What the parts of a form read of the page: values charted before, infusions, the course."""


def _part_renderer() -> Callable[..., str]:
    """Return what renders a macro whose output depends on its arguments alone."""
    if settings.PART_RENDERER:
        return cast(Callable[..., str], import_string(settings.PART_RENDERER))
    return lambda macro, *values: macro(*values)


@pass_context
def _crispy(context: Context, form: Any) -> SafeString:
    """Render a form by its helper, as ``{% crispy form %}`` does in a Django template."""
    of_page = {name: context[name] for name in _SEEN_BY_LAYOUTS if name in context}
    html: str = render_crispy_form(form, context=of_page)
    return mark_safe(html)  # nosec B308, B703 # noqa: S308 - escaped by Jinja2


@lru_cache(maxsize=256)
def _static(path: str) -> str:
    """Return the URL of a static file; it does not change while the process lives."""
    return static(path)


def _url(name: str, *args: Any) -> str:
    """Return the URL of the view ``name``: a page has 160, most of which differ only in ids."""
    ids = [arg for arg in args if isinstance(arg, UUID)]
    return _address(name, *(_AN_ID if isinstance(arg, UUID) else arg for arg in args)).format(*ids)


@lru_cache(maxsize=1024)
def _address(name: str, *args: Any) -> str:
    """Return the URL with a placeholder for each id; it does not change while the process lives."""
    return reverse(name, args=args).replace(str(_AN_ID), "{}")


def _csrf_input(token: object) -> SafeString:
    return format_html('<input type="hidden" name="csrfmiddlewaretoken" value="{}">', token)


def site(request: HttpRequest) -> dict[str, Any]:
    """Return what every page shows of the site, and the token of its forms (context processor)."""
    launch = getattr(request, "launch", None)
    csrf_token = SimpleLazyObject(partial(get_token, request))
    idle = settings.SIGNED_OUT_AFTER_IDLE if launch is None else LAUNCHED_ENDS_AFTER_IDLE
    return {
        "site_name": settings.SITE_NAME,
        "site_time_zone": settings.TIME_ZONE,
        "served_at": timezone.now(),
        "hospital": settings.HOSPITAL_SIGN_IN,
        "unsent_key": SimpleLazyObject(partial(key_of_unsent_text, request)),
        "launch": launch,
        "idle_seconds": int(idle.total_seconds()),
        # Made once for all forms and requests of a page; the backend's own are made for each.
        "csrf_token": csrf_token,
        "csrf_input": SimpleLazyObject(partial(_csrf_input, csrf_token)),
    }
