"""Pages and files of exports: of one course, and of a cohort."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from django.conf import settings
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from crs_app.accounts.permissions import check_can_export_cohort
from crs_app.accounts.rights import Act
from crs_app.record.models import EventKind
from crs_app.record.write import record_event
from grading.engine.sentences import inside_a_sentence
from patients.exchange.deidentified import ExportKey, NeonateError
from patients.exchange.export_cohort import (
    begin,
    cohort_lines,
    course_lines,
    latest_runs,
    read_run,
)
from patients.exchange.export_forms import CohortForm, Contents, ExportForm, first_of_year, new_run
from patients.exchange.writing import ExportPart, Writing
from patients.forms.times import EARLIER, LATER, is_shown_twice
from patients.queries.courses import now_for
from patients.queries.export import Cohort, read_latest_known
from patients.requests import UNPROCESSABLE, SignedInRequest, course_or_404, posted

_CSV, _JSON, _LINES = "csv", "json", "jsonl"
_TYPES: Final[Mapping[str, str]] = {
    _CSV: "text/csv; charset=utf-8",
    _JSON: "application/json",
    _LINES: "application/jsonl; charset=utf-8",
}
_NEONATE: Final = (
    "This child was under 28 days old at the infusion. The limits of pressure need the birth date, "
    "so the course cannot be de-identified."
)


@require_http_methods(["GET", "HEAD", "POST"])
def export_course(request: SignedInRequest, course_id: uuid.UUID) -> HttpResponseBase:
    """Ask how one course is exported, and send its file."""
    course = course_or_404(request, course_id, Act.EXPORT_PATIENT)
    now = max(read_latest_known(), now_for(course))
    proposed = _proposed_time(request.GET.get("known_at", ""))
    form = ExportForm(posted(request), now=now, initial=proposed)
    if form.is_valid():
        known_at: datetime = form.cleaned_data["known_at"]
        try:
            lines = course_lines(course, known_at, _writing(form))
        except NeonateError:
            form.add_error("contents", _NEONATE)
        else:
            _record(request, form, "export of the course", course.pk)
            ending = _JSON if form.is_json else _CSV
            return _file(form, _named("course", form), ending, lines)
    context = {"form": form, "course": course}
    return render(request, "exchange/course.html", context, status=_status(form))


@require_http_methods(["GET", "HEAD", "POST"])
def export_cohort(request: SignedInRequest) -> HttpResponseBase:
    """Ask which courses are exported and how, and send their file course by course."""
    check_can_export_cohort(request.user)
    now = read_latest_known()
    proposed = {
        "since": first_of_year(now),
        "until": timezone.localdate(now),
        "run": new_run(),
    }
    form = CohortForm(posted(request), now=now, initial=proposed)
    if form.is_valid():
        cleaned = form.cleaned_data
        cohort = Cohort(
            since=cleaned["since"],
            until=cleaned["until"],
            known_at=cleaned["known_at"],
            wards=tuple(cleaned["wards"]),
            only_closed=cleaned["only_closed"],
        )
        writing = _writing(form)
        run = begin(cleaned["run"], request.user, form.in_words(), cohort)
        _record(
            request,
            form,
            "export of a cohort",
            None,
            {
                "infused": f"{cohort.since} to {cohort.until}",
                "wards": form.ward_names(),
                "courses": f"up to {run.courses}",
            },
        )
        lines = cohort_lines(run, cohort, request.user, writing)
        return _file(form, _named("cohort", form), _LINES if form.is_json else _CSV, lines)
    context = {
        "form": form,
        "run_id": (form.cleaned_data["run"] if form.is_bound else None) or proposed["run"],
        "runs": latest_runs(request.user),
    }
    return render(request, "exchange/cohort.html", context, status=_status(form))


@require_safe
def export_progress(request: SignedInRequest, run_id: uuid.UUID) -> HttpResponse:
    """Show how far an export of this user is; a part of the page, asked for by it."""
    check_can_export_cohort(request.user)
    run = read_run(run_id, request.user)
    context = {"run": run, "run_id": run_id, "next_run_id": new_run()}
    return render(request, "exchange/progress.html", context)


def _proposed_time(text: str) -> dict[str, str]:
    """Return the time known at of the page that led here, as the fields have it; "" for no time.

    Fields hold milliseconds: it is rounded up, so that nothing is missing that the page shows.
    """
    try:
        instant = datetime.fromisoformat(text).astimezone(UTC)
        instant += timedelta(microseconds=-instant.microsecond % 1000)
        local = timezone.localtime(instant)
    except (ValueError, OverflowError):
        return {"known_at": ""}
    shown = {"known_at": local.replace(tzinfo=None).isoformat(timespec="milliseconds")}
    if is_shown_twice(instant):
        shown["known_at_which"] = LATER if local.fold else EARLIER
    return shown


def _status(form: ExportForm) -> int:
    return UNPROCESSABLE if form.is_bound else 200


def _writing(form: ExportForm) -> Writing:
    key = None if form.is_identified else ExportKey(settings.EXPORT_KEY.encode())
    cleaned = form.cleaned_data
    return Writing.of(
        key, cleaned["known_at"], form.chosen_part, cleaned["form"], is_json=form.is_json
    )


def _record(
    request: SignedInRequest,
    form: ExportForm,
    page: str,
    course_id: uuid.UUID | None,
    more: Mapping[str, str] | None = None,
) -> None:
    """Record the export before its first byte leaves: one event, with the purpose."""
    cleaned = form.cleaned_data
    details = {
        "page": page,
        "part": inside_a_sentence(form.chosen_part.label),
        "contents": inside_a_sentence(Contents(cleaned["contents"]).label),
        "format": "JSON" if form.is_json else "CSV",
        "known at": cleaned["known_at"].astimezone(UTC).isoformat(),
        **(more or {}),
    }
    if access := getattr(request, "access_purpose", ""):
        details["by"] = access
    record_event(
        EventKind.EXPORT,
        by=request.user,
        course_id=course_id,
        purpose=cleaned["purpose"],
        details=details,
    )
    request.is_recorded = True


def _named(what: str, form: ExportForm) -> str:
    return what if form.chosen_part is ExportPart.CHART else f"{what}-{form.chosen_part.value}"


def _file(form: ExportForm, what: str, ending: str, lines: Iterator[str]) -> HttpResponseBase:
    """Send lines as a file; its name alone has the time of the export and the time known at."""
    known, now = form.cleaned_data["known_at"], timezone.now()
    contents = form.cleaned_data["contents"]
    name = f"{what}-{contents}-known-{_stamp(known)}-exported-{_stamp(now)}.{ending}"
    response = StreamingHttpResponse(lines, content_type=_TYPES[ending])
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "no-store"
    return response


def _stamp(instant: datetime) -> str:
    """Return an instant for a file name; fractions of a second only where it has them."""
    in_utc = instant.astimezone(UTC)
    fraction = f".{in_utc:%f}" if in_utc.microsecond else ""
    return f"{in_utc:%Y%m%dT%H%M%S}{fraction}Z"
