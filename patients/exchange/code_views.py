"""Pages for administrators: what the codes of a system mean, with a preview on what is held."""

from __future__ import annotations

import uuid
from typing import Any, Final

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from crs_app.accounts.decorators import requires
from crs_app.accounts.rights import Act
from patients.display.received import why_held
from patients.exchange.inbox_cards import message_text
from patients.exchange.local_codes import (
    MappedMeanwhileError,
    add_code,
    count_codes,
    current_codes,
    effects_of,
    last_row,
    segments_with_unknown_codes,
)
from patients.exchange.system_forms import CodeForm, meaning_text
from patients.exchange.system_views import system_or_404
from patients.models import ExternalSystem
from patients.queries.exchange import read_systems
from patients.queries.traffic import faults_of, hours_of, read_fault, waiting_codes
from patients.requests import CONFIRM, CONFLICT, EDIT, UNPROCESSABLE, SignedInRequest, posted

_LONGEST_NUMBER: Final = 18


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Act.MANAGE_SYSTEMS)
def codes(request: SignedInRequest, system_id: int) -> HttpResponse:
    """List the codes of a system; a POST previews a new one on what is held, then adds it."""
    system = system_or_404(system_id)
    form = CodeForm(posted(request), initial=_asked(request))
    step = request.POST.get("step", "")
    if not form.is_bound or not form.is_valid() or step == EDIT:
        return _codes_page(request, system, form)
    if step != CONFIRM:
        return _preview(request, system, form)
    try:
        effects = add_code(system, form.new_code(), request.user, form.cleaned_data["seen"] or 0)
    except MappedMeanwhileError as error:
        form.add_error(None, error.sentence)
        return _codes_page(request, system, form, CONFLICT)
    count = effects.proposed
    messages.success(
        request,
        f"Saved. {count} held result{'' if count == 1 else 's'} of {effects.patients} "
        f"patient{'' if effects.patients == 1 else 's'} wait in the inbox as proposals.",
    )
    return redirect("patients:system_codes", system.pk)


def _asked(request: SignedInRequest) -> dict[str, Any]:
    """Return what a link of the list of unknown codes fills in."""
    names = ("coding_system", "code", "text", "unit")
    return {name: request.GET.get(name, "").replace("\0", "")[:300] for name in names}


def _preview(request: SignedInRequest, system: ExternalSystem, form: CodeForm) -> HttpResponse:
    new = form.new_code()
    before = last_row(system, new.coding_system, new.code)
    effects = effects_of(system, new) if new.means else None
    context = {
        "system": system,
        "form": form,
        "new": new,
        "means": meaning_text(new.about, new.means),
        "before": before,
        "before_means": "" if before is None else meaning_text(before.about, before.means),
        "seen": 0 if before is None else before.pk,
        "effects": effects,
        "reasons": []
        if effects is None
        else [(why_held(word).short, count) for word, count in effects.still_held.items()],
    }
    return render(request, "exchange/code_preview.html", context)


def _codes_page(
    request: SignedInRequest, system: ExternalSystem, form: CodeForm, status: int | None = None
) -> HttpResponse:
    rows = [(row, meaning_text(row.about, row.means)) for row in current_codes(system)]
    context = {
        "system": system,
        "form": form,
        "rows": rows,
        "waiting": waiting_codes(segments_with_unknown_codes(system)),
        "earlier": count_codes(system) - len(rows),
    }
    is_wrong = form.is_bound and bool(form.errors)
    return render(
        request,
        "exchange/codes.html",
        context,
        status=status or (UNPROCESSABLE if is_wrong else 200),
    )


@require_safe
@requires(Act.MANAGE_SYSTEMS)
def traffic(request: SignedInRequest) -> HttpResponse:
    """Show what came in the last day by hour and verdict, and what was not accepted, and why."""
    asked = request.GET.get("system", "")
    is_number = asked.isascii() and asked.isdigit() and len(asked) <= _LONGEST_NUMBER
    system = system_or_404(int(asked)) if is_number else None
    now = timezone.now()
    context = {
        "system": system,
        "systems": read_systems(),
        "hours": hours_of(now, system),
        "faults": [(one, why_held(one.reason)) for one in faults_of(now, system)],
        "now": now,
    }
    return render(request, "exchange/traffic.html", context)


@require_safe
@requires(Act.MANAGE_SYSTEMS)
def message(request: SignedInRequest, message_id: uuid.UUID) -> HttpResponse:
    """Show a message that was not accepted, as it was sent; that somebody looked is recorded."""
    found = read_fault(message_id)
    if found is None:
        raise Http404("No such message")
    request.shown_course = found.course_id
    context = {
        "message": found,
        "segment": message_text(found),
        "why": why_held(found.reason),
    }
    return render(request, "exchange/message.html", context)
