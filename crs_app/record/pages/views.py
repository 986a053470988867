"""Show and send the record; the middleware records each reading of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import Resolver404, resolve
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from crs_app.accounts.launched import launch_of
from crs_app.accounts.models import User
from crs_app.accounts.permissions import can_read_record, check_can_read_record
from crs_app.accounts.rights import Act
from crs_app.record.checked import last_check
from crs_app.record.models import EventKind
from crs_app.record.openings import opening_of, parts_of_address
from crs_app.record.pages.search import (
    Row,
    Search,
    SearchForm,
    cursor_in,
    read_all_rows,
    read_rows,
)
from crs_app.record.pages.week import read_week
from crs_app.record.pages.words import more_of, role_label, what_happened
from crs_app.record.write import record_event
from crs_app.search_words import Place, found_by, plain_words
from crs_app.spreadsheet import BYTE_ORDER_MARK, csv_line, csv_time
from patients.models import Course
from patients.queries.identity import courses_of_patient, latest_course, search_patients
from patients.requests import SignedInRequest, course_or_404

COLUMNS: Final = (
    "at", "user", "role", "event", "details", "purpose", "address", "patient", "mrn", "course",
)  # fmt: skip
_FOUND_AT_MOST: Final = 20
_BAD_REQUEST: Final = 400


@require_safe
def events(request: SignedInRequest) -> HttpResponse:
    """Show every event, and lead to one patient or one person."""
    check_can_read_record(request.user)
    typed = request.GET.get("q", "").strip()
    found = {"q": typed, "patients": _patients(typed), "people": _people(typed)}
    return _page(request, "record/events.html", Search(), found)


@require_safe
def events_csv(request: SignedInRequest) -> HttpResponseBase:
    """Send every event that the filter leaves."""
    check_can_read_record(request.user)
    return _file(request, Search(), "record.csv")


@require_safe
def person(request: SignedInRequest, user_id: int) -> HttpResponse:
    """Show what one person did."""
    check_can_read_record(request.user)
    context = {"person": get_object_or_404(User, pk=user_id)}
    return _page(request, "record/person.html", Search(user_id=user_id), context)


@require_safe
def person_week(request: SignedInRequest, user_id: int) -> HttpResponse:
    """Answer the part of a user's page that says what the user did in the last seven days."""
    check_can_read_record(request.user)
    user = get_object_or_404(User, pk=user_id)
    week = read_week(user, timezone.now())
    rows = [{"row": row, "what": what_happened(row), "more": more_of(row)} for row in week.rows]
    return render(request, "record/week.html", {"person": user, "week": week, "rows": rows})


@require_safe
def person_csv(request: SignedInRequest, user_id: int) -> HttpResponseBase:
    """Send what one person did."""
    check_can_read_record(request.user)
    user = get_object_or_404(User, pk=user_id)
    return _file(request, Search(user_id=user.pk), "what-a-person-did.csv")


@require_safe
def course(request: SignedInRequest, course_id: UUID) -> HttpResponse:
    """Show who looked at the patient of a course: in all courses of this patient."""
    shown = course_or_404(request, course_id, Act.READ_RECORD)
    return _page(request, "record/course.html", _of_patient(shown), {"course": shown})


@require_safe
def course_csv(request: SignedInRequest, course_id: UUID) -> HttpResponseBase:
    """Send who looked at the patient of a course."""
    shown = course_or_404(request, course_id, Act.READ_RECORD)
    return _file(request, _of_patient(shown), "who-looked.csv")


@require_POST
def printed(request: SignedInRequest) -> HttpResponse:
    """Record that a page is printed, as the browser says; ``path`` is its address."""
    try:
        match = resolve(request.POST.get("path", ""))
    except Resolver404:
        raise Http404("No such page") from None
    course_id = match.kwargs.get("course_id")
    launch = launch_of(request)
    if launch is not None and launch.course_id != course_id:
        raise PermissionDenied
    if course_id is not None and can_read_record(request.user):
        get_object_or_404(Course, pk=course_id)  # of pages that are no part of the chart too
    elif course_id is not None:
        course_or_404(request, course_id)
    if opening := opening_of(match.view_name, course_id):
        shows = {"page": opening.shows, **parts_of_address(match.kwargs)}
        record_event(EventKind.PRINT, by=request.user, course_id=course_id, details=shows)
    return HttpResponse(status=204)


def _of_patient(shown: Course) -> Search:
    courses = courses_of_patient(shown.patient_id).values_list("pk", flat=True)
    return Search(courses=tuple(courses))


def _asked(request: SignedInRequest, of: Search) -> tuple[SearchForm, Search | None]:
    """Return the filter, and the list that it asks for; None where it cannot be read."""
    form = SearchForm(request.GET)
    if not form.is_valid():
        return form, None
    before = cursor_in(request.GET.get("before", ""))
    return form, Search(of.courses, of.user_id, before=before, **form.cleaned_data)


def _page(
    request: SignedInRequest, template: str, of: Search, context: dict[str, Any]
) -> HttpResponse:
    form, search = _asked(request, of)
    rows, older = ([], "") if search is None else read_rows(search)
    named = _courses_in(rows)
    check, now = last_check(), timezone.now()
    context |= {
        "check": check,
        "check_is_old": check is not None and check.is_old(now),
        "form": form,
        "query": "" if search is None else search.query(),
        "is_older": "before" in request.GET,
        "older": older,
        "rows": [
            {
                "row": row,
                "what": what_happened(row),
                "more": more_of(row),
                "role": role_label(row.by_role),
                "course": named.get(row.course_id),
            }
            for row in rows
        ],
    }
    return render(request, template, context, status=None if search else _BAD_REQUEST)


def _file(request: SignedInRequest, of: Search, name: str) -> HttpResponseBase:
    form, search = _asked(request, of)
    if search is None:
        text = " ".join(str(message) for each in form.errors.values() for message in each)
        return HttpResponse(text, status=_BAD_REQUEST, content_type="text/plain; charset=utf-8")
    response = StreamingHttpResponse(_lines(search), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _lines(search: Search) -> Iterator[str]:
    yield BYTE_ORDER_MARK + csv_line(COLUMNS)
    named: dict[UUID | None, Course] = {}
    for row in read_all_rows(search):
        if row.course_id is not None and row.course_id not in named:
            named |= _courses_in([row])
        course_of_row = named.get(row.course_id)
        patient = None if course_of_row is None else course_of_row.patient
        yield csv_line(
            (
                csv_time(row.at), row.by_name, role_label(row.by_role), what_happened(row),
                more_of(row), row.purpose, row.address, patient.name if patient else "",
                patient.mrn if patient else "", row.course_id or "",
            )
        )  # fmt: skip


def _courses_in(rows: Iterable[Row]) -> dict[UUID | None, Course]:
    ids = {row.course_id for row in rows if row.course_id is not None}
    courses = Course.objects.filter(pk__in=ids).select_related("patient")
    return {each.pk: each for each in courses}


def _patients(typed: str) -> list[Course]:
    """Return a course of each patient whom a search by name or record number finds."""
    patients = search_patients(typed, apart_from=UUID(int=0)) if typed else []
    return [one for one in (latest_course(patient.pk) for patient in patients) if one is not None]


def _people(typed: str) -> list[User]:
    words = plain_words(typed)
    if not words:
        return []
    users = User.objects.order_by("last_name", "first_name", "username")
    found = found_by(words, users, lambda user: Place(f"{user.get_full_name()} {user.username}"))
    return found[:_FOUND_AT_MOST]
