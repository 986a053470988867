"""Pages for administrators: health records that may launch, and whom their identities are here."""

from __future__ import annotations

from typing import Final

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from crs_app.accounts.decorators import requires
from crs_app.accounts.forms import ConfirmedForm
from crs_app.accounts.rights import Act
from patients.exchange.smart.issuer_forms import ForgetForm, IdentityForm, IssuerForm
from patients.exchange.smart.issuers import (
    ChangedMeanwhileError,
    identities_of,
    issuer_at,
    issuers,
    name_identity,
    save_issuer,
    switch_issuer,
)
from patients.exchange.smart.record_client import read_configuration
from patients.exchange.smart.refusals import LaunchRefusedError, sentences_for
from patients.models import LaunchIssuer
from patients.requests import UNPROCESSABLE, SignedInRequest, posted

_TITLES: Final = {
    "on": ("Let it launch", "The health record can open patients here again.", "Let it launch"),
    "off": (
        "Let it launch no longer",
        "No new launch is opened. Sessions that are open go on until they end by themselves.",
        "Switch off",
    ),
    "link": (
        "Link a user",
        "Who signs in there under this identity is this user here, with this user's role and "
        "wards. Take it from the health record, letter by letter.",
        "Link",
    ),
    "forget": (
        "Forget a link",
        "Who signs in there under this identity is nobody here any more.",
        "Forget",
    ),
}


@require_safe
@requires(Act.MANAGE_USERS)
def launches(request: SignedInRequest) -> HttpResponse:
    """List the health records that may launch."""
    addresses = {
        "launch": request.build_absolute_uri(reverse("patients:smart_launch")),
        "back": request.build_absolute_uri(reverse("patients:smart_return")),
        "public_keys": request.build_absolute_uri(reverse("patients:smart_keys")),
    }
    shown = {"issuers": issuers(), "addresses": addresses}
    return render(request, "exchange/launch/list.html", shown)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Act.MANAGE_USERS)
def launch_new(request: SignedInRequest) -> HttpResponse:
    """Register a health record; its smart-configuration is read now."""
    form = IssuerForm(request, posted(request))
    saved = _saved(request, form, seen=None) if form.is_bound and form.is_valid() else None
    if saved is not None:
        return redirect("patients:launch_record", saved.pk)
    return _form(request, form, title="New health record", button="Read and save")


@require_safe
@requires(Act.MANAGE_USERS)
def launch_record(request: SignedInRequest, issuer_id: int) -> HttpResponse:
    """Show one health record: each row one fact and one button."""
    issuer = _issuer_or_404(issuer_id)
    shown = {"issuer": issuer, "identities": identities_of(issuer.iss)}
    return render(request, "exchange/launch/record.html", shown)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Act.MANAGE_USERS)
def launch_change(request: SignedInRequest, issuer_id: int) -> HttpResponse:
    """Change a health record, and read its smart-configuration again."""
    issuer = _issuer_or_404(issuer_id)
    if issuer.pk != issuer_id and request.method != "POST":
        return redirect("patients:launch_change", issuer.pk)
    before = {
        "name": issuer.name,
        "client_id": issuer.client_id,
        "mrn_system": issuer.mrn_system,
        "frame_origins": "\n".join(issuer.frame_origins),
    }
    form = IssuerForm(request, posted(request), registered=issuer.iss, initial=before)
    saved = _saved(request, form, seen=issuer_id) if form.is_bound and form.is_valid() else None
    if saved is not None:
        return redirect("patients:launch_record", saved.pk)
    return _form(request, form, title=f"Change {issuer.name}", button="Read and save", of=issuer)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Act.MANAGE_USERS)
def launch_act(request: SignedInRequest, issuer_id: int, act: str) -> HttpResponse:
    """Ask before an act on a health record, and do it."""
    issuer = _issuer_or_404(issuer_id)
    if act not in _TITLES:
        raise Http404
    title, sentence, button = _TITLES[act]
    form = _act_form(request, issuer, act)
    if form.is_bound and form.is_valid():
        done = _do(request, issuer, act, form)
        messages.success(request, "Saved.")
        return redirect("patients:launch_record", done.pk)
    return _form(request, form, title=title, button=button, sentence=sentence, of=issuer)


def _act_form(request: SignedInRequest, issuer: LaunchIssuer, act: str) -> ConfirmedForm:
    if act == "link":
        return IdentityForm(request, posted(request))
    if act == "forget":
        return ForgetForm(request, posted(request), linked=identities_of(issuer.iss))
    return ConfirmedForm(request, posted(request))


def _do(
    request: SignedInRequest, issuer: LaunchIssuer, act: str, form: ConfirmedForm
) -> LaunchIssuer:
    now, by = timezone.now(), request.user
    if act in ("on", "off"):
        return switch_issuer(issuer, by, now, is_active=act == "on")
    user = form.cleaned_data.get("username")
    name_identity(issuer.iss, form.cleaned_data["identity"], user, by, now)
    return issuer


def _saved(request: SignedInRequest, form: IssuerForm, *, seen: int | None) -> LaunchIssuer | None:
    """Store what was entered; None where the health record does not answer, or was changed."""
    asked = form.asked()
    try:
        endpoints = read_configuration(asked.iss)
    except LaunchRefusedError as refused:
        form.add_error(None, " ".join(sentences_for(refused)))
        return None
    try:
        saved = save_issuer(asked, endpoints, request.user, timezone.now(), seen=seen)
    except ChangedMeanwhileError as error:
        form.add_error(None, error.sentence)
        return None
    messages.success(request, "Saved. Its addresses were read just now.")
    return saved


def _form(
    request: SignedInRequest,
    form: ConfirmedForm,
    *,
    title: str,
    button: str,
    sentence: str = "",
    of: LaunchIssuer | None = None,
) -> HttpResponse:
    shown = {"form": form, "title": title, "button": button, "sentence": sentence, "issuer": of}
    status = UNPROCESSABLE if form.is_bound else 200
    return render(request, "exchange/launch/form.html", shown, status=status)


def _issuer_or_404(issuer_id: int) -> LaunchIssuer:
    found = issuer_at(issuer_id)
    if found is None:
        raise Http404("No such health record")
    return found
