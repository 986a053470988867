"""Addresses of the pages of the exchange: the inbox, other systems, their codes and traffic."""

from __future__ import annotations

from typing import Final

from django.urls import URLPattern, path

from patients.exchange import code_views, held_form_views, inbox_views, system_views

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
    path("systems/", system_views.systems, name="systems"),
    path("systems/new/", system_views.new_system, name="new_system"),
    path("systems/traffic/", code_views.traffic, name="traffic"),
    path("systems/unverified/", system_views.unverified, name="unverified_codes"),
    path("systems/messages/<uuid:message_id>/", code_views.message, name="faulty_message"),
    path("systems/<int:system_id>/", system_views.system, name="system"),
    path("systems/<int:system_id>/change/", system_views.change, name="change_system"),
    path("systems/<int:system_id>/active/", system_views.active, name="system_active"),
    path("systems/<int:system_id>/keys/", system_views.keys, name="system_keys"),
    path(
        "systems/<int:system_id>/keys/<int:key_id>/end/",
        system_views.key_end,
        name="end_system_key",
    ),
    path("systems/<int:system_id>/scopes/", system_views.scopes, name="system_scopes"),
    path("systems/<int:system_id>/codes/", code_views.codes, name="system_codes"),
]
