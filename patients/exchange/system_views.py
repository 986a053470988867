"""Pages for administrators: other systems, their settings, keys and rights."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe
from django.views.decorators.vary import vary_on_headers

from crs_app.accounts.decorators import requires
from crs_app.accounts.forms import ConfirmedForm
from crs_app.accounts.rights import Act
from patients.exchange.access.keys import (
    KeySetError,
    add_keys,
    change_rights,
    end_key,
    keys_of,
    last_grant,
    read_key,
    scopes_of,
    version_of_grant,
)
from patients.exchange.local_codes import current_codes
from patients.exchange.register import change_system, register_system, registered_before
from patients.exchange.system_forms import (
    FILED_KINDS,
    SCOPE_WORDS,
    ActiveForm,
    KeysForm,
    NewSystemForm,
    ScopesForm,
    SettingsForm,
)
from patients.exchange.unverified import unverified_rows
from patients.models import ExternalSystem, SystemKind
from patients.queries.exchange import read_system
from patients.queries.traffic import system_rows
from patients.queries.wards import read_wards
from patients.recording.inputs import ConflictError
from patients.requests import CONFLICT, UNPROCESSABLE, SignedInRequest, posted

LONGEST_SEARCH: Final = 60
CHANGE_PAGE: Final = "exchange/system_change.html"
SCOPES_PAGE: Final = "exchange/system_scopes.html"


@require_safe
@requires(Act.MANAGE_SYSTEMS)
@vary_on_headers("HX-Request")
def systems(request: SignedInRequest) -> HttpResponse:
    """List the systems; a search by htmx gets its rows alone."""
    search = request.GET.get("q", "").replace("\0", "").strip()[:LONGEST_SEARCH]
    now = timezone.now()
    alone = request.htmx and not request.htmx.history_restore_request
    template = "exchange/systems_rows.html" if alone else "exchange/systems.html"
    context = {
        "q": search,
        "rows": system_rows(now, search),
        "now": now,
        "longest_search": LONGEST_SEARCH,
        "unverified": len(unverified_rows()),
    }
    return render(request, template, context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Act.MANAGE_SYSTEMS)
def new_system(request: SignedInRequest) -> HttpResponse:
    """Register a system."""
    form = NewSystemForm(request, posted(request))
    if form.is_bound and form.is_valid():
        values = form.values()
        kind, zone = SystemKind(form.cleaned_data["kind"]), values.pop("timezone")
        name = form.cleaned_data["name"]
        try:
            made = register_system(name, kind, by=request.user, timezone_name=zone, **values)
        except ValidationError as error:
            if before := registered_before(name, kind, values, request.user):
                return redirect("patients:system", before.pk)
            _add(form, error)
        else:
            messages.success(request, f"{made.name} is registered. Give it a key, or addresses.")
            return redirect("patients:system", made.pk)
    return _form_page(request, "exchange/system_new.html", form)


@require_safe
@requires(Act.MANAGE_SYSTEMS)
def system(request: SignedInRequest, system_id: int) -> HttpResponse:
    """Show one system: its settings, keys and rights, its codes and its traffic."""
    found = system_or_404(system_id)
    now = timezone.now()
    wards = read_wards(int(ward) for ward in found.filing_of_wards)
    context = {
        "system": found,
        "row": next(row for row in system_rows(now) if row.system.pk == found.pk),
        "keys": [(key, getattr(key, "end", None)) for key in keys_of(found)],
        "scopes": [SCOPE_WORDS.get(scope, scope) for scope in scopes_of(found)],
        "codes": len(current_codes(found)),
        "filed_kinds": [
            (kind.label, found.filing[kind.value])
            for kind in FILED_KINDS
            if kind.value in found.filing
        ],
        "file_wards": [ward.name for ward in wards],
        "changes": found.changes.count(),
        "now": now,
    }
    return render(request, "exchange/system.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Act.MANAGE_SYSTEMS)
def change(request: SignedInRequest, system_id: int) -> HttpResponse:
    """Change the settings of a system."""
    found = system_or_404(system_id)
    form = SettingsForm(request, posted(request), system=found)
    if form.is_bound and form.is_valid():
        try:
            seen = form.cleaned_data["seen"]
            change_system(found, form.values(), by=request.user, seen=seen)
        except ValidationError as error:
            _add(form, error)
        except ConflictError as error:
            form.add_error(None, error.sentence)
            return _form_page(request, CHANGE_PAGE, form, {"system": found}, CONFLICT)
        else:
            messages.success(request, "Changed. What came before stays as it was filed.")
            return redirect("patients:system", found.pk)
    return _form_page(request, CHANGE_PAGE, form, {"system": found})


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Act.MANAGE_SYSTEMS)
def active(request: SignedInRequest, system_id: int) -> HttpResponse:
    """Ask before a system is deactivated or reactivated, and do it."""
    found = system_or_404(system_id)
    asked = "no" if found.is_active else "yes"
    form = ActiveForm(request, posted(request), initial={"is_active": asked})
    if form.is_bound and form.is_valid():
        is_active = form.cleaned_data["is_active"] == "yes"
        change_system(found, {"is_active": is_active}, by=request.user)
        done = "Reactivated." if is_active else "Deactivated: nothing of it is accepted."
        messages.success(request, done)
        return redirect("patients:system", found.pk)
    return _form_page(request, "exchange/system_active.html", form, {"system": found})


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Act.MANAGE_SYSTEMS)
def keys(request: SignedInRequest, system_id: int) -> HttpResponse:
    """Register public keys of a system."""
    found = system_or_404(system_id)
    form = KeysForm(request, posted(request))
    if form.is_bound and form.is_valid():
        cleaned = form.cleaned_data
        try:
            added = add_keys(
                found,
                cleaned["key_set"],
                request.user,
                timezone.now(),
                issuer=cleaned["issuer"],
                jku=cleaned["jku"],
            )
        except KeySetError as error:
            form.add_error("key_set", str(error))
        else:
            messages.success(request, f"Registered: {', '.join(key.kid for key in added)}.")
            return redirect("patients:system", found.pk)
    return _form_page(request, "exchange/system_keys.html", form, {"system": found})


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Act.MANAGE_SYSTEMS)
def key_end(request: SignedInRequest, system_id: int, key_id: int) -> HttpResponse:
    """Ask before a key is ended, and do it: its tokens end with it."""
    found = read_key(system_id, key_id)
    if found is None:
        raise Http404("No such key")
    form = ConfirmedForm(request, posted(request))
    if form.is_bound and form.is_valid():
        end_key(found, request.user, timezone.now())
        messages.success(request, f"Key {found.kid} is ended.")
        return redirect("patients:system", system_id)
    context = {"system": found.system, "key": found}
    return _form_page(request, "exchange/system_key_end.html", form, context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Act.MANAGE_SYSTEMS)
def scopes(request: SignedInRequest, system_id: int) -> HttpResponse:
    """Say what a system may do with its key."""
    found = system_or_404(system_id)
    before = last_grant(found)
    initial = {"scopes": [] if before is None else before.scopes, "seen": version_of_grant(before)}
    form = ScopesForm(request, posted(request), initial=initial)
    if form.is_bound and form.is_valid():
        cleaned = form.cleaned_data
        try:
            now = timezone.now()
            change_rights(found, cleaned["scopes"], request.user, now, seen=cleaned["seen"])
        except ConflictError as error:
            form.add_error(None, error.sentence)
            return _form_page(request, SCOPES_PAGE, form, {"system": found}, CONFLICT)
        messages.success(request, "Changed. It holds for the next request.")
        return redirect("patients:system", found.pk)
    return _form_page(request, SCOPES_PAGE, form, {"system": found})


@require_safe
@requires(Act.MANAGE_SYSTEMS)
def unverified(request: SignedInRequest) -> HttpResponse:
    """List the rows of the code tables that nobody has compared with a public source."""
    return render(request, "exchange/unverified.html", {"rows": unverified_rows()})


def system_or_404(system_id: int) -> ExternalSystem:
    """Return the system; raise Http404 where there is none."""
    found = read_system(system_id)
    if found is None:
        raise Http404("No such system")
    return found


def _add(form: ConfirmedForm, error: ValidationError) -> None:
    for name, sentences in error.message_dict.items():
        form.add_error(name if name in form.fields else None, sentences)


def _form_page(
    request: SignedInRequest,
    template: str,
    form: ConfirmedForm,
    more: dict[str, Any] | None = None,
    status: int | None = None,
) -> HttpResponse:
    status = status or (UNPROCESSABLE if form.is_bound else 200)
    return render(request, template, {"form": form, **(more or {})}, status=status)
