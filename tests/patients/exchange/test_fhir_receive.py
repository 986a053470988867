"""FHIR documents come in by HTTP: what is charted, held, remarked and answered."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import OperationalError
from django.test import Client

from crs_app.accounts.models import User
from crs_app.record.models import Event, EventKind
from patients.exchange import fhir_api
from patients.models import (
    ActSource,
    ChartingAct,
    Course,
    Decided,
    Entry,
    EntryKind,
    ExternalSystem,
    HeldDecision,
    HeldItem,
    InboundMessage,
    SourceKey,
)
from patients.models.exchange import WITHDRAWN
from tests.entry_forms import url
from tests.factories import admit, chart, end, reopen
from tests.patients.exchange import signed
from tests.patients.exchange.fhir_documents import (
    alone,
    bundle,
    creatinine,
    norepinephrine,
    observation,
    patient,
    text_of,
)

FHIR = "application/fhir+json"


@pytest.fixture
def system(administrator: User) -> ExternalSystem:
    return signed.make_system("ehr-1", administrator)


@pytest.fixture
def headers(system: ExternalSystem) -> dict[str, str]:
    headers: dict[str, str] = signed.bearer(signed.token(system.name))["headers"]
    return headers


def post(raw: bytes, headers: dict[str, str], address: str = "/fhir") -> Any:
    return Client().post(address, raw, content_type=FHIR, headers=headers)


def statuses(answer: Any) -> list[str]:
    """The status of each entry of a batch-response."""
    assert answer.status_code == 200, answer.content
    return [one["response"]["status"].split()[0] for one in answer.json()["entry"]]


def reasons(answer: Any) -> set[str]:
    """The reason words of an OperationOutcome."""
    outcome = answer.json()
    assert outcome["resourceType"] == "OperationOutcome"
    return {
        coding["code"]
        for issue in outcome["issue"]
        for coding in issue.get("details", {}).get("coding", [])
    }


def charted(course: Course, kind: str) -> list[dict[str, Any]]:
    return [one.body for one in Entry.objects.filter(course=course, kind=kind).order_by("at")]


def test_a_bundle_is_charted_exactly_as_it_was_written(
    course: Course, headers: dict[str, str], system: ExternalSystem, at: datetime
) -> None:
    sent = bundle(
        patient(course), observation(at, value="38.20"), creatinine(at, issued=at.isoformat()),
        timestamp=at.isoformat(),
    )  # fmt: skip
    answer = post(sent, headers)
    assert answer.json()["type"] == "batch-response"
    assert statuses(answer) == ["200", "201", "201"]
    assert charted(course, EntryKind.VITALS) == [{"temperature_c": "38.20"}]
    assert charted(course, EntryKind.LAB)[0]["value"] == "1.90"
    act = ChartingAct.objects.get(source=ActSource.INTERFACE)
    assert act.recorded_by == system.user
    assert (act.author_name, act.author_role) == ("health record ehr-1", "system")
    assert act.answers["sent_at"] == at.isoformat()
    assert list(act.answers["issued"].values()) == [at.isoformat()]
    assert act.message == InboundMessage.objects.get()


def test_the_present_record_number_goes_before_a_former_one(
    course: Course, clinician: User, headers: dict[str, str], at: datetime
) -> None:
    """Of two records that were joined there both may be on the chart; or that of before alone."""
    other = admit(clinician)
    joined = patient(course)
    (present,) = joined["identifier"]
    joined["identifier"] = [present | {"value": other.patient.mrn, "use": "old"}, present]
    assert statuses(post(bundle(joined, creatinine(at)), headers))[1] == "201"
    joined["identifier"] = [present | {"value": "F-1"}, present | {"use": "old"}]
    assert statuses(post(bundle(joined, observation(at)), headers))[1] == "201"
    assert charted(course, EntryKind.LAB)
    assert charted(course, EntryKind.VITALS)


def test_a_bundle_may_have_five_megabytes(
    course: Course, headers: dict[str, str], at: datetime
) -> None:
    long = {"text": {"status": "additional", "div": "x" * 4_900_000}}
    assert statuses(post(bundle(patient(course), observation(at, **long)), headers))[1] == "201"
    longer = {"text": {"status": "additional", "div": "x" * 5_000_000}}
    answer = post(bundle(patient(course), observation(at, **longer)), headers)
    assert answer.status_code == 400
    assert reasons(answer) == {"structure"}


def test_the_same_bundle_again_changes_nothing_and_is_answered_as_before(
    course: Course, headers: dict[str, str], at: datetime
) -> None:
    sent = bundle(patient(course), observation(at))
    first, second = post(sent, headers), post(sent, headers)
    assert first.json() == second.json()
    assert InboundMessage.objects.count() == 1
    assert Entry.objects.filter(course=course, kind=EntryKind.VITALS).count() == 1


def test_other_contents_under_the_identifier_of_a_bundle_are_refused_and_kept(
    course: Course, headers: dict[str, str], at: datetime
) -> None:
    name = {"system": "urn:ehr", "value": "b-1"}
    post(bundle(patient(course), observation(at), identifier=name), headers)
    answer = post(bundle(patient(course), observation(at, value="40"), identifier=name), headers)
    assert answer.status_code == 409
    assert reasons(answer) == {"control_id.reused"}
    assert charted(course, EntryKind.VITALS) == [{"temperature_c": "38.20"}]
    assert set(InboundMessage.objects.values_list("verdict", flat=True)) == {
        "accepted", "rejected",
    }  # fmt: skip


def test_a_resource_alone_is_answered_by_its_own_status(
    course: Course, headers: dict[str, str], at: datetime
) -> None:
    cases = [
        (observation(at), 201, set()),
        (observation(at, meta={"tag": [{"code": "x"}]}), 200, {"unchanged"}),
        (observation(at, id="o2", value="99"), 202, {"value.impossible"}),
        (observation(at, id="o3", status="finished"), 422, {"invalid"}),
        (observation(at, "0000-0", id="o4"), 202, {"code.unknown"}),
    ]
    for resource, status, words in cases:
        answer = post(alone(course, resource), headers, "/fhir/Observation")
        assert (answer.status_code, reasons(answer)) == (status, words), answer.content
    answer = post(alone(course, norepinephrine(at)), headers, "/fhir/MedicationAdministration")
    assert answer.status_code == 201, answer.content
    assert charted(course, EntryKind.VASOPRESSOR)[0]["rate"] == "5"


def test_a_correction_replaces_and_a_retraction_takes_back(
    course: Course, headers: dict[str, str], at: datetime
) -> None:
    def send(**changes: Any) -> int:
        resource = observation(at, **changes)
        return int(post(alone(course, resource), headers, "/fhir/Observation").status_code)

    assert send(meta={"versionId": "1"}) == 201
    assert send(meta={"versionId": "2"}, value="38.9", status="corrected") == 201
    first, second = Entry.objects.filter(course=course, kind=EntryKind.VITALS).order_by(
        "recorded_at"
    )
    assert second.replaces == first
    assert second.body == {"temperature_c": "38.9"}
    assert send(meta={"versionId": "3"}, status="entered-in-error") == 201
    retraction = Entry.objects.get(course=course, kind=EntryKind.RETRACTION)
    assert retraction.replaces == second
    states = SourceKey.objects.order_by("pk").values_list("state", flat=True)
    assert list(states) == ["charted", "charted", "retracted"]


def test_what_was_held_is_closed_when_it_comes_again_and_can_be_charted(
    course: Course, headers: dict[str, str], system: ExternalSystem, at: datetime
) -> None:
    def send(status: str, version: str) -> int:
        resource = creatinine(at, status=status, meta={"versionId": version})
        return int(post(alone(course, resource), headers, "/fhir/Observation").status_code)

    assert send("preliminary", "1") == 202
    item = HeldItem.objects.get()
    assert (item.reason, item.course) == ("status.preliminary", course)
    assert send("final", "2") == 201
    decision = HeldDecision.objects.get()
    assert (decision.item, decision.what, decision.by) == (item, Decided.CLOSED, system.user)
    assert [one["value"] for one in charted(course, EntryKind.LAB)] == ["1.90"]


def test_a_cancelled_resource_withdraws_what_was_preliminary_and_nothing_charted(
    course: Course, headers: dict[str, str], at: datetime
) -> None:
    def send(status: str, version: str) -> int:
        resource = creatinine(at, status=status, meta={"versionId": version})
        return int(post(alone(course, resource), headers, "/fhir/Observation").status_code)

    assert send("preliminary", "2") == 202
    assert send("cancelled", "1") == 200
    assert not HeldDecision.objects.exists(), "an older version"
    assert send("cancelled", "3") == 200
    decision = HeldDecision.objects.get()
    assert (decision.what, decision.why) == (Decided.CLOSED, WITHDRAWN)
    assert send("final", "4") == 201
    assert send("cancelled", "5") == 200
    assert [one["value"] for one in charted(course, EntryKind.LAB)] == ["1.90"]


def test_a_limit_of_normal_of_another_unit_is_held_and_asked_about_before_it_is_charted(
    course: Course, headers: dict[str, str], nurse_client: Client, at: datetime
) -> None:
    def send(upper: str, version: str, status: str = "final") -> int:
        limits = [{"high": {"value": f"<<{upper}>>"}}]
        resource = creatinine(at, referenceRange=limits, status=status, meta={"versionId": version})
        return int(post(alone(course, resource), headers, "/fhir/Observation").status_code)

    assert send("106", "1") == 202
    item = HeldItem.objects.get()
    assert item.reason == "value.unusual"
    assert "106 mg/dL is unusual as upper limit of normal" in item.what
    assert not charted(course, EntryKind.LAB)
    address, sent = url("chart_received", course), {"form_id": str(uuid4()), "item": str(item.pk)}
    asked = nurse_client.post(address, sent, headers={"HX-Request": "true"})
    assert "Is it the limit in µmol/L?" in asked.content.decode()
    assert not charted(course, EntryKind.LAB)
    assert send("1.2", "2", "corrected") == 201
    assert [one["upper_limit"] for one in charted(course, EntryKind.LAB)] == ["1.2"]
    assert HeldDecision.objects.get().item == item


def test_a_value_that_a_nurse_charted_in_the_same_minute_stays(
    course: Course, headers: dict[str, str], nurse: User, at: datetime
) -> None:
    nurses = chart(course, nurse, "vitals", at, temperature_c="37.1").entries[0]
    answer = post(bundle(patient(course), observation(at)), headers)
    assert statuses(answer) == ["200", "202"]
    assert HeldItem.objects.get().reason == "conflict.same_minute"
    assert Entry.objects.get(course=course, kind=EntryKind.VITALS) == nurses


REFUSED = [
    (b"{", 400, "structure"),
    (b'{"resourceType": "Bundle", "type": "batch", "type": "batch"}', 400, "structure"),
    (b"[" * 70 + b"]" * 70, 400, "structure"),
    (text_of({"resourceType": "Bundle", "type": "collected"}), 400, "structure"),
    (text_of({"resourceType": "Cat"}), 400, "structure"),
]


@pytest.mark.parametrize(("raw", "status", "reason"), REFUSED)
def test_what_is_no_document_is_refused_and_kept(
    raw: bytes, status: int, reason: str, headers: dict[str, str]
) -> None:
    answer = post(raw, headers)
    assert (answer.status_code, reasons(answer)) == (status, {reason})
    message = InboundMessage.objects.get()
    assert (message.verdict, message.reason, bytes(message.raw)) == ("rejected", reason, raw)
    assert not Entry.objects.filter(act__source=ActSource.INTERFACE).exists()


def test_a_stranger_another_name_and_a_closed_course_are_refused_and_tried_again_later(
    course: Course, headers: dict[str, str], clinician: User, at: datetime
) -> None:
    stranger = patient(course, identifier=[{"system": "urn:hospital:mrn", "value": "NOBODY"}])
    answer = post(bundle(stranger, observation(at)), headers)
    assert (answer.status_code, reasons(answer)) == (400, {"patient.unknown"})
    named = patient(course, name=[{"family": "Schmidt"}], birthDate="1970-03-01")
    answer = post(bundle(named, observation(at)), headers)
    assert (answer.status_code, reasons(answer)) == (400, {"patient.contradiction"})
    assert "Schmidt" not in answer.content.decode()
    end(course, clinician)
    sent = bundle(patient(course), observation(at))
    for _ in range(2):
        answer = post(sent, headers)
        assert (answer.status_code, reasons(answer)) == (400, {"course.none"})
    # Kept once under one verdict, and not charted.
    assert InboundMessage.objects.filter(reason="course.none").count() == 1
    assert not charted(course, EntryKind.VITALS)
    reopen(course, clinician)
    assert statuses(post(sent, headers)) == ["200", "201"]
    assert charted(course, EntryKind.VITALS) == [{"temperature_c": "38.20"}]


def test_a_transaction_with_an_invalid_entry_is_refused_whole(
    course: Course, headers: dict[str, str], at: datetime
) -> None:
    broken = observation(at, id="o2", status="finished")
    sent = (patient(course), observation(at), broken)
    assert post(bundle(*sent, kind="transaction"), headers).status_code == 400
    assert not charted(course, EntryKind.VITALS)
    assert statuses(post(bundle(*sent), headers)) == ["200", "201", "422"]
    answer = post(bundle(*sent[:2], kind="transaction"), headers)
    assert answer.json()["type"] == "transaction-response"


def test_a_token_writes_what_its_scopes_say_and_nothing_else(
    course: Course, system: ExternalSystem, at: datetime
) -> None:
    token = signed.token(system.name, scope="system/Observation.c")
    headers = signed.bearer(token)["headers"]
    sent = bundle(patient(course), observation(at), norepinephrine(at))
    answer = post(sent, headers)
    assert answer.status_code == 403
    assert course.patient.mrn not in answer.content.decode()
    assert not InboundMessage.objects.exists()
    assert statuses(post(bundle(patient(course), observation(at)), headers)) == ["200", "201"]
    assert post(sent, {}).status_code == 401


def test_each_document_leaves_a_row_of_the_record(
    course: Course, headers: dict[str, str], system: ExternalSystem, at: datetime
) -> None:
    post(bundle(patient(course), observation(at)), headers)
    event = Event.objects.get(kind=EventKind.SYSTEM_WRITE)
    assert (event.by, event.course_id) == (system.user, course.pk)
    assert "38.2" not in json.dumps(event.details)


def test_where_the_database_does_not_answer_the_sender_sends_again(
    course: Course, headers: dict[str, str], at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise OperationalError

    monkeypatch.setattr(fhir_api, "receive", away)
    answer = post(bundle(patient(course), observation(at)), headers)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")
    assert answer.json()["resourceType"] == "OperationOutcome"


def test_a_fault_of_ours_loses_no_message_and_its_repetition_is_charted(
    course: Course,
    headers: dict[str, str],
    at: datetime,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise ValueError(course.patient.name)

    sent = bundle(patient(course), observation(at))
    with monkeypatch.context() as patch:
        patch.setattr("patients.exchange.chart_message.append_act", broken)
        answer = post(sent, headers)
    assert (answer.status_code, reasons(answer)) == (500, {"failed"})
    message = InboundMessage.objects.get()
    assert (message.verdict, bytes(message.raw)) == ("failed", sent)
    assert course.patient.name not in caplog.records[-1].getMessage()
    assert statuses(post(sent, headers)) == ["200", "201"]
    assert charted(course, EntryKind.VITALS) == [{"temperature_c": "38.20"}]


def test_two_hundred_results_are_one_message(
    course: Course, headers: dict[str, str], at: datetime
) -> None:
    labs = [creatinine(at - timedelta(minutes=number), id=f"o{number}") for number in range(200)]
    answer = post(bundle(patient(course), *labs), headers)
    assert statuses(answer).count("201") == 200
    assert InboundMessage.objects.get().filed == 200
