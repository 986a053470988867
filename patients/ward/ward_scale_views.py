"""The scales of a ward: ASTCT and ICANS of the courses that the board shows, on request."""

from __future__ import annotations

from typing import Final, NamedTuple

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from crs_app.accounts.permissions import can_find_patient, can_open_chart
from patients.display.scales_line import ScalesLine, scales_line
from patients.queries.courses import now_for, read_course
from patients.queries.status import read_course_status
from patients.requests import SignedInRequest
from patients.ward.address import BoardAddress
from patients.ward.board import board_of
from patients.ward.row import BoardRow
from patients.ward.seen import read_rows_state

MOST_COURSES: Final = 60
"""Courses on one page: each is graded again for it."""


class GradedRow(NamedTuple):
    """A row of the board with what the other scales say of its course."""

    row: BoardRow
    line: ScalesLine


@require_safe
def ward_scales(request: SignedInRequest) -> HttpResponse:
    """Show ASTCT and ICANS beside Lee's grade of the open courses at an address of the board.

    They are worked out for this page, so that the board itself stays as fast as it is.
    """
    if not can_open_chart(request.user) and can_find_patient(request.user):
        return redirect("patients:find")
    asked = BoardAddress.of(request.GET)
    if asked.ended:
        return redirect(asked.url())
    _, now, wrong_clock = read_rows_state(timezone.now(), request.user)
    found = [row for row in board_of(asked, now, request.user).rows if isinstance(row, BoardRow)]
    context = {
        "asked": asked,
        "now": now,
        "wrong_clock": wrong_clock,
        "rows": [GradedRow(row, _line(row)) for row in found[:MOST_COURSES]],
        "left_off": max(0, len(found) - MOST_COURSES),
    }
    return render(request, "ward/scales.html", context)


def _line(row: BoardRow) -> ScalesLine:
    course = read_course(row.course_id)
    return scales_line(read_course_status(course, now_for(course)))
