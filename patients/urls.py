"""Addresses of the chart."""

from django.urls import path

from patients.bedside import entry_views, kept_forms, live, locked, outbox
from patients.bedside import guidance_views as bedside_guidance_views
from patients.bedside import views as bedside_views
from patients.exchange import export_views, fhir_api, fhir_metadata, fhir_search, hl7_views
from patients.exchange.access import token_views
from patients.exchange.cds_hooks import views as hook_views
from patients.exchange.page_urls import PAGES
from patients.exchange.smart import issuer_views
from patients.exchange.smart import views as smart_views
from patients.guidance import views as guidance_views
from patients.handover import views as handover_views
from patients.identity import join_views, move_views
from patients.identity import views as identity_views
from patients.paper import views as paper_views
from patients.policy import views as policy_views
from patients.review import (
    bedside_parts,
    disagreement_views,
    flowsheet_views,
    latest,
    scale_views,
    sign_off_views,
)
from patients.review import views as review_views
from patients.scales import views as scales_views
from patients.summary import views as summary_views
from patients.ward import emergency_views, wall_views, ward_scale_views
from patients.ward import views as ward_views
from patients.ward import ward_views as wards_views

app_name = "patients"

urlpatterns = [
    # What is asked most often stands first: Django tries them in order.
    path("courses/<uuid:course_id>/entries/<slug:kind>/", entry_views.entries, name="entries"),
    path("courses/<uuid:course_id>/live/", live.live, name="live"),
    path("", ward_views.board, name="board"),
    path("scales/", ward_scale_views.ward_scales, name="ward_scales"),
    path("wall/", wall_views.wall, name="wall"),
    path("wall/screens/", wall_views.walls, name="walls"),
    path("wall/screens/<int:screen_id>/end/", wall_views.wall_end, name="wall_end"),
    path("courses/admit/", ward_views.admit, name="admit"),
    path("courses/<uuid:course_id>/", bedside_views.bedside, name="bedside"),
    path("courses/<uuid:course_id>/locked/", locked.locked, name="locked"),
    path("courses/<uuid:course_id>/forms/", kept_forms.kept_forms, name="kept_forms"),
    path("outbox/known/", outbox.known, name="outbox_known"),
    path("courses/<uuid:course_id>/timeline/", bedside_views.timeline, name="timeline"),
    path("courses/<uuid:course_id>/last-day/", bedside_parts.last_day, name="last_day"),
    path("courses/<uuid:course_id>/timeline/table/", bedside_parts.table, name="timeline_table"),
    path("courses/<uuid:course_id>/flowsheet/", flowsheet_views.flowsheet, name="flowsheet"),
    path("courses/<uuid:course_id>/state.json", review_views.state, name="state"),
    path("courses/<uuid:course_id>/review/", review_views.review, name="review"),
    path("courses/<uuid:course_id>/review/cursor/", review_views.cursor, name="review_cursor"),
    path("courses/<uuid:course_id>/review/instant/", review_views.instant, name="instant"),
    path("courses/<uuid:course_id>/review/series.json", review_views.series, name="review_series"),
    path("courses/<uuid:course_id>/review/scales.json", scale_views.scales, name="review_scales"),
    path("courses/<uuid:course_id>/review/scales/", scale_views.scales_at, name="review_scales_at"),
    path("courses/<uuid:course_id>/review/latest.json", latest.latest, name="review_latest"),
    path("courses/<uuid:course_id>/paper/", paper_views.paper, name="paper"),
    path("courses/<uuid:course_id>/sign-off/", sign_off_views.sign_off, name="sign_off"),
    path("courses/<uuid:course_id>/seen/", sign_off_views.seen, name="seen"),
    path("courses/<uuid:course_id>/summary/", summary_views.summary, name="summary"),
    path("courses/<uuid:course_id>/handover/", handover_views.handover, name="handover"),
    path("courses/<uuid:course_id>/summary.json", summary_views.summary_data, name="summary_json"),
    path(
        "courses/<uuid:course_id>/summary/<slug:about>/", summary_views.state, name="summary_state"
    ),
    path("courses/<uuid:course_id>/scales/", scales_views.scales, name="scales"),
    path("courses/<uuid:course_id>/scales/line/", scales_views.line, name="scales_line"),
    path("reviews/", sign_off_views.reviews, name="reviews"),
    path("reviews/disagreements/", disagreement_views.disagreements, name="disagreements"),
    path(
        "reviews/disagreements.csv", disagreement_views.disagreements_csv, name="disagreements_csv"
    ),
    path(
        "courses/<uuid:course_id>/entries/<uuid:entry_id>/correct/",
        entry_views.correct,
        name="correct",
    ),
    path(
        "courses/<uuid:course_id>/entries/<uuid:entry_id>/retract/",
        entry_views.retract,
        name="retract",
    ),
    path(
        "courses/<uuid:course_id>/not-observed/",
        entry_views.not_observed,
        name="not_observed",
    ),
    path(
        "courses/<uuid:course_id>/entries/<uuid:entry_id>/move/",
        move_views.move,
        name="move_entry",
    ),
    path("courses/<uuid:course_id>/identity/", identity_views.identity, name="identity"),
    path("courses/<uuid:course_id>/join/", join_views.join, name="join"),
    path(
        "courses/<uuid:course_id>/join/<int:join_id>/undo/",
        join_views.undo,
        name="undo_join",
    ),
    path("courses/<uuid:course_id>/place/", ward_views.transfer, name="transfer"),
    path("courses/<uuid:course_id>/guidance/", bedside_guidance_views.guidance, name="guidance"),
    path(
        "courses/<uuid:course_id>/guidance/action/",
        bedside_guidance_views.quick_action,
        name="guidance_action",
    ),
    path(
        "courses/<uuid:course_id>/guidance/<str:code>/<slug:reply>/",
        bedside_guidance_views.answer,
        name="guidance_answer",
    ),
    path(
        "courses/<uuid:course_id>/emergency-access/",
        emergency_views.emergency_access,
        name="emergency_access",
    ),
    path("emergency-access/", emergency_views.emergencies, name="emergencies"),
    path("find/", emergency_views.find, name="find"),
    path("wards/", wards_views.wards, name="wards"),
    path("wards/<int:ward_id>/", wards_views.ward, name="ward"),
    path("guidance/answers.csv", guidance_views.answers_csv, name="answers_csv"),
    path("courses/<uuid:course_id>/export/", export_views.export_course, name="export_course"),
    path("exports/", export_views.export_cohort, name="export_cohort"),
    path("exports/<uuid:run_id>/progress/", export_views.export_progress, name="export_progress"),
    path("fhir", fhir_api.documents, name="fhir_documents"),
    path("fhir/", fhir_api.documents, name="fhir_documents_slash"),
    path("fhir/metadata", fhir_metadata.metadata, name="fhir_metadata"),
    path("fhir/Patient", fhir_search.patients, name="fhir_patients"),
    path("fhir/Patient/_search", fhir_search.patients_posted, name="fhir_patients_posted"),
    path(
        "fhir/Patient/<uuid:patient_id>/$everything",
        fhir_search.everything,
        name="fhir_everything",
    ),
    path("fhir/Observation", fhir_api.observations, name="fhir_observations"),
    path("fhir/MedicationAdministration", fhir_api.administrations, name="fhir_administrations"),
    path("fhir/Course/<uuid:course_id>/$export", fhir_api.export, name="fhir_export"),
    path("policy/", policy_views.policy, name="policy"),
    path("policy/courses/<uuid:course_id>/", policy_views.course_policy, name="course_policy"),
    path("sources/", guidance_views.sources, name="sources"),
    path("hl7", hl7_views.hl7, name="hl7"),
    path("oauth/token", token_views.token, name="oauth_token"),
    path("launches/", issuer_views.launches, name="launches"),
    path("launches/new/", issuer_views.launch_new, name="launch_new"),
    path("launches/<int:issuer_id>/", issuer_views.launch_record, name="launch_record"),
    path("launches/<int:issuer_id>/change/", issuer_views.launch_change, name="launch_change"),
    path("launches/<int:issuer_id>/<slug:act>/", issuer_views.launch_act, name="launch_act"),
    path("smart/launch", smart_views.launch, name="smart_launch"),
    path("smart/return", smart_views.back, name="smart_return"),
    path("smart/ended", smart_views.ended, name="smart_ended"),
    path("smart/keys.json", smart_views.keys, name="smart_keys"),
    path("cds-services", hook_views.services, name="cds_services"),
    path("cds-services/<str:service_id>", hook_views.service, name="cds_service"),
    path("cds-services/<str:service_id>/feedback", hook_views.feedback, name="cds_feedback"),
    path(
        "fhir/.well-known/smart-configuration",
        token_views.smart_configuration,
        name="smart_configuration",
    ),
    *PAGES,
    # After every other address below /fhir.
    path("fhir/<path:rest>", fhir_api.nothing, name="fhir_nothing"),
]
