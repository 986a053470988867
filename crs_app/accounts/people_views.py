"""Pages for administrators: the list of users, a new user, one user, and each act on a user."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from django.contrib import messages
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe
from django.views.decorators.vary import vary_on_headers

from crs_app.accounts import people, rights
from crs_app.accounts.decorators import requires
from crs_app.accounts.forms import ConfirmedForm
from crs_app.accounts.hospital.identities import needs_address, signs_in_there_alone
from crs_app.accounts.models import PEOPLE, Role, SignInThrottle, User, Ward
from crs_app.accounts.own_sessions import sessions_of
from crs_app.accounts.people_forms import (
    ROLE_WORDS,
    EmailForm,
    LinkForm,
    NewPersonForm,
    RecognisedForm,
    RoleForm,
    WardsForm,
)
from crs_app.accounts.people_list import LONGEST_SEARCH, SHOWS, Asked, csv_of, people_list, rows_of
from crs_app.accounts.requests import SignedInRequest
from crs_app.proxies import client_address

UNPROCESSABLE: Final = 422


@require_safe
@requires(rights.Act.MANAGE_USERS)
@vary_on_headers("HX-Request")
def user_list(request: SignedInRequest) -> HttpResponse:
    """Answer the list; a search by htmx gets its rows alone, by the same template."""
    asked, now = Asked.of(request.GET), timezone.now()
    swaps = "HX-Request" in request.headers and "HX-History-Restore-Request" not in request.headers
    return render(
        request,
        "people/list_content.html" if swaps else "people/list.html",
        {
            "asked": asked,
            "swaps": swaps,
            "people": people_list(asked, now),
            "shows": SHOWS,
            "roles": PEOPLE,
            "wards": [] if swaps else list(Ward.objects.values_list("pk", "name")),
            "longest_search": LONGEST_SEARCH,
            "now": now,
        },
    )


@require_safe
@requires(rights.Act.MANAGE_USERS)
def export(request: SignedInRequest) -> StreamingHttpResponse:
    """Answer the list as a CSV file."""
    lines = csv_of(Asked.of(request.GET), timezone.now())
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="users.csv"'
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@requires(rights.Act.MANAGE_USERS)
def new(request: SignedInRequest) -> HttpResponse:
    """Create a user, and show the one-time link this once."""
    form = NewPersonForm(request, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            created = people.NewPerson(
                values["username"],
                values["first_name"],
                values["last_name"],
                values["role"],
                list(values["wards"]),
                values.get("email", ""),
            )
            person, secret = people.create_person(_by(request), created)
        except people.TakenAddressError as refused:
            form.add_error("email", str(refused))
        except people.RefusedError as refused:
            form.add_error("username", str(refused))
        else:
            return _show_link(request, person, secret, is_new=True)
    return _form_page(request, "people/new.html", form, {"role_words": ROLE_WORDS})


@require_safe
@requires(rights.Act.MANAGE_USERS)
def person(request: SignedInRequest, user_id: int) -> HttpResponse:
    """Answer the page of one user: each row one fact, what it means, and one button.

    Of another system it has facts and no buttons.
    """
    listed = people.with_systems().select_related("deactivated_by")
    user, now = get_object_or_404(listed, pk=user_id), timezone.now()
    (row,) = rows_of([user], now)
    if user.role == Role.SYSTEM:
        return render(request, "people/system.html", {"person": user, "row": row})
    failures = SignInThrottle.objects.filter(user=user, held_until__gt=now)
    return render(
        request,
        "people/person.html",
        {
            "person": user,
            "former_names": user.former_names.all(),
            "row": row,
            "held": failures.order_by("-held_until").first(),
            "sessions": sessions_of(user),
            "is_self": user == request.user,
            "needs_address": needs_address(),
            "role_words": ROLE_WORDS[Role(user.role)],
        },
    )


@dataclass(frozen=True)
class Act:
    """An act on a user: what its page says and asks, and the function that does it."""

    title: str
    sentence: str
    button: str
    done: str
    do: Callable[..., object]
    form: type[ConfirmedForm] = ConfirmedForm
    asks: tuple[str, ...] = ()
    """The fields of ``form`` that ``do`` takes."""


ACTS: Final = {
    "deactivate": Act(
        "Deactivate",
        "The user is signed out everywhere and cannot sign in. "
        "The name stays on all entries. This can be undone.",
        "Deactivate",
        "Deactivated.",
        people.deactivate,
    ),
    "reactivate": Act(
        "Reactivate",
        "The user can sign in again, with the earlier password and role.",
        "Reactivate",
        "Reactivated.",
        people.reactivate,
    ),
    "unlock": Act(
        "Let in now",
        "Failed sign-ins are forgotten, and the user can try at once, from every address.",
        "Let in now",
        "The user can sign in now.",
        people.unlock,
    ),
    "remove-factors": Act(
        "Remove second factors",
        "For a lost telephone or key: code app, recovery codes, passkeys and security keys are "
        "removed, and every session ends. The user signs in with the password alone, and sees who "
        "removed them.",
        "Remove",
        "Removed. Every session of this user has ended.",
        people.remove_factors,
        RecognisedForm,
        ("recognised",),
    ),
    "forget-hospital": Act(
        "Forget the link to the hospital",
        "Who next signs in at the hospital under this user's name or address is linked to this "
        "user. Do it where the hospital gave this person a new identity. Every session ends.",
        "Forget",
        "Forgotten. Every session of this user has ended.",
        people.forget_hospital,
    ),
    "sign-out": Act(
        "Sign out everywhere",
        "Every session of this user ends at once. What is typed and not saved stays on its tablet.",
        "Sign out everywhere",
        "Signed out everywhere.",
        people.sign_out_everywhere,
    ),
}
LINK: Final = Act(
    "Reset by link",
    "You get a link by which the user sets a new password. It works once, for 24 hours. "
    "Until then the present password stays; an earlier link stops working.",
    "Make link",
    "",
    people.new_link,
)

ADD_PASSWORD: Final = replace(
    LINK,
    title="Add a password by link",
    sentence="This user has no password here and signs in at the hospital alone. You get a link by "
    "which the user sets one. It works once, for 24 hours.",
)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(rights.Act.MANAGE_USERS)
def act(request: SignedInRequest, pk: int, act: str) -> HttpResponse:
    """Ask before an act on a user, and do it."""
    user = _person_or_404(pk)
    chosen = ACTS.get(act)
    if chosen is None:
        raise Http404
    form = chosen.form(request, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        asked = {name: form.cleaned_data[name] for name in chosen.asks}
        try:
            chosen.do(_by(request), pk, **asked)
        except people.RefusedError as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, chosen.done)
            return redirect("people:person", pk)
    return _form_page(request, "people/act.html", form, {"person": user, "act": chosen})


@require_http_methods(["GET", "HEAD", "POST"])
@requires(rights.Act.MANAGE_USERS)
def link(request: SignedInRequest, pk: int) -> HttpResponse:
    """Make a new one-time link, and show it this once."""
    user = _person_or_404(pk)
    sent = request.POST if request.method == "POST" else None
    adds = signs_in_there_alone(user)
    form = LinkForm(request, sent, adds_password=adds)
    if request.method == "POST" and form.is_valid():
        adds_password = form.cleaned_data.get("adds_password", False)
        try:
            user, secret = people.new_link(_by(request), pk, adds_password=adds_password)
        except people.RefusedError as refused:
            form.add_error(None, str(refused))
        else:
            return _show_link(request, user, secret, is_new=False)
    return _form_page(
        request, "people/act.html", form, {"person": user, "act": ADD_PASSWORD if adds else LINK}
    )


@require_http_methods(["GET", "HEAD", "POST"])
@requires(rights.Act.MANAGE_USERS)
def role(request: SignedInRequest, pk: int) -> HttpResponse:
    """Change a user's role."""
    user = _person_or_404(pk)
    sent = request.POST if request.method == "POST" else None
    form = RoleForm(request, sent, initial={"role": user.role})
    if request.method == "POST" and form.is_valid():
        try:
            changed = people.change_role(
                _by(request), pk, form.cleaned_data["role"], seen=_seen(request)
            )
        except people.RefusedError as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, f"Role: {changed.get_role_display()}.")
            return redirect("people:person", pk)
    context = {"person": user, "role_words": ROLE_WORDS, "seen": people.state_token(user.role)}
    return _form_page(request, "people/role.html", form, context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(rights.Act.MANAGE_USERS)
def email(request: SignedInRequest, pk: int) -> HttpResponse:
    """Change the address by which the hospital's sign-in names a user."""
    user = _person_or_404(pk)
    if not needs_address():
        raise Http404
    sent = request.POST if request.method == "POST" else None
    form = EmailForm(request, sent, initial={"email": user.email})
    if request.method == "POST" and form.is_valid():
        try:
            people.change_email(_by(request), pk, form.cleaned_data["email"], seen=_seen(request))
        except people.RefusedError as refused:
            form.add_error("email", str(refused))
        else:
            messages.success(request, "The address is changed.")
            return redirect("people:person", pk)
    context = {"person": user, "seen": people.state_token(user.email)}
    return _form_page(request, "people/email.html", form, context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(rights.Act.MANAGE_USERS)
def wards(request: SignedInRequest, pk: int) -> HttpResponse:
    """Change the wards that a user works on."""
    user = _person_or_404(pk)
    sent = request.POST if request.method == "POST" else None
    form = WardsForm(request, sent, initial={"wards": list(user.ward_ids)})
    if request.method == "POST" and form.is_valid():
        try:
            people.work_on(_by(request), pk, list(form.cleaned_data["wards"]), seen=_seen(request))
        except people.RefusedError as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, "The wards are changed.")
            return redirect("people:person", pk)
    context = {"person": user, "seen": people.wards_token(user)}
    return _form_page(request, "people/wards.html", form, context)


def _seen(request: SignedInRequest) -> str:
    """Return the token of what the page showed that was sent."""
    return request.POST.get("seen", "")


def _by(request: SignedInRequest) -> people.By:
    return people.By(request.user, client_address(request), timezone.now())


def _person_or_404(pk: int) -> User:
    return get_object_or_404(people.everybody().select_related("deactivated_by"), pk=pk)


def _form_page(
    request: SignedInRequest, template: str, form: ConfirmedForm, more: dict[str, Any]
) -> HttpResponse:
    status = UNPROCESSABLE if form.is_bound else 200
    return render(request, template, {"form": form, **more}, status=status)


def _show_link(
    request: SignedInRequest, person: User, secret: str, *, is_new: bool
) -> HttpResponse:
    address = request.build_absolute_uri(reverse("accounts:start", args=[secret]))
    return render(
        request, "people/link.html", {"person": person, "link": address, "is_new": is_new}
    )
