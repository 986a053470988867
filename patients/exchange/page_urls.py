"""Addresses of the pages of the exchange: the inbox, other systems, their codes and traffic."""

from __future__ import annotations

from typing import Final

from django.urls import URLPattern, path

from patients.exchange import (
    held_form_views,
    inbox_views,
)

PAGES: Final[list[URLPattern]] = [
    path("inbox/", inbox_views.inbox, name="inbox"),
    path("inbox/count/", inbox_views.count, name="inbox_count"),
    path("inbox/<uuid:message_id>/sent/", inbox_views.stranger_sent, name="stranger_sent"),
    path("courses/<uuid:course_id>/received/", inbox_views.received, name="received"),
    path("courses/<uuid:course_id>/received/chart/", inbox_views.chart, name="chart_received"),
    path(
        "courses/<uuid:course_id>/received/set-aside/",
        inbox_views.dismiss,
        name="dismiss_received",
    ),
    path("courses/<uuid:course_id>/received/form/", held_form_views.held_form, name="held_form"),
    path(
        "courses/<uuid:course_id>/received/<uuid:item_id>/sent/",
        inbox_views.sent,
        name="received_sent",
    ),
]
