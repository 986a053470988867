"""CDS Hooks: what another system asks, the cards that it gets, and what its users did with them."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from crs_app.accounts.models import User
from crs_app.record.models import Event, EventKind
from grading.systems import HEADLINE
from patients.exchange.access.keys import add_keys
from patients.models import CardFeedback, CardShown, Course, Entry, ExternalSystem
from tests.factories import admit, ago, chart
from tests.patients.exchange.signed import assertion, ec_key, make_system, public

pytestmark = pytest.mark.django_db
NAME, EHR, MRNS = "ehr-1", "https://ehr.example", "urn:hospital:mrn"
SERVICES = {
    "patient-view": "crs-grade",
    "order-select": "crs-order-select",
    "order-sign": "crs-order-sign",
    "encounter-start": "crs-encounter-start",
}
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
TOCILIZUMAB, DEXAMETHASONE, ASPIRIN = "612865", "3264", "1191"
METHYLPREDNISOLONE, HYDROCORTISONE = "6902", "5492"


@pytest.fixture
def ehr(administrator: User) -> ExternalSystem:
    """A record that calls hooks, with its key."""
    system = make_system(NAME, administrator)
    add_keys(system, public(ec_key("hooks")), administrator, timezone.now(), issuer=EHR)
    return system


@pytest.fixture
def unprepared(clinician: User) -> Course:
    """A course without a baseline pressure and without a weight."""
    return admit(clinician, weight_kg=None)


def patient_of(course: Course, **changes: Any) -> dict[str, Any]:
    """The patient as the other system has it."""
    return {
        "resourceType": "Patient",
        "id": "p1",
        "identifier": [{"system": MRNS, "value": course.patient.mrn}],
        "name": [{"family": course.patient.name.split(",")[0]}],
        "birthDate": f"{course.patient.birth_date}",
    } | changes


def order(code: str, mg: str | None = None, system: str = RXNORM) -> dict[str, Any]:
    """A drafted order of a drug, with a dose in mg."""
    words: dict[str, Any] = {
        "resourceType": "MedicationRequest",
        "id": f"o{code}",
        "status": "draft",
        "intent": "order",
        "medicationCodeableConcept": {"coding": [{"system": system, "code": code}]},
    }
    if mg is not None:
        dose = {"value": mg, "unit": "mg", "system": "http://unitsofmeasure.org", "code": "mg"}
        words["dosageInstruction"] = [{"doseAndRate": [{"doseQuantity": dose}]}]
    return words


def request_of(hook: str, patient: Any, *orders: dict[str, Any]) -> dict[str, Any]:
    """The request of a hook for a patient, all orders of it selected."""
    context: dict[str, Any] = {"userId": "Practitioner/7", "patientId": "p1"}
    if hook.startswith("order"):
        entries = [{"resource": one} for one in orders]
        context["draftOrders"] = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    if hook == "order-select":
        context["selections"] = [f"MedicationRequest/{one['id']}" for one in orders]
    return {
        "hook": hook,
        "hookInstance": str(uuid.uuid4()),
        "context": context,
        "prefetch": {"patient": patient},
    }


def written(body: Any) -> str:
    """JSON of a request, with doses as numbers of their own digits."""
    text = json.dumps(body)
    for number in ("320", "20.0", "9.50"):
        text = text.replace(f'"value": "{number}"', f'"value": {number}')
    return text


def call(client: Client, path: str, body: Any, **headers: Any) -> Any:
    """The answer to a signed call."""
    url = f"http://testserver{path}"
    signed = assertion(EHR, key=ec_key("hooks"), aud=url, iat=int(timezone.now().timestamp()))
    sent = body if isinstance(body, str) else written(body)
    authorized = {"Authorization": f"Bearer {signed}"} | headers
    return client.post(path, sent, content_type="application/json", headers=authorized)


Ask = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def cards(client: Client, ehr: ExternalSystem) -> Ask:
    """Asks a hook for a course, and returns its cards."""

    def ask(hook: str, course: Course, *orders: dict[str, Any], **changes: Any) -> Any:
        body = request_of(hook, patient_of(course, **changes), *orders)
        answer = call(client, f"/cds-services/{SERVICES[hook]}", body)
        assert answer.status_code == 200, answer.content
        return answer.json()["cards"]

    return ask


def test_discovery_lists_each_service_with_what_it_needs(client: Client) -> None:
    services = client.get("/cds-services").json()["services"]
    assert {one["hook"]: one["id"] for one in services} == SERVICES
    assert all(one["prefetch"] == {"patient": "Patient/{{context.patientId}}"} for one in services)


def test_the_card_has_the_grade_what_it_could_be_and_why(
    cards: Ask, grade_1: Course, clinician: User
) -> None:
    chart(grade_1, clinician, "oxygen", ago(minutes=20), device="nasal_cannula")
    card, *guidance = cards("patient-view", grade_1)
    assert card["summary"].startswith("CRS grade 2, could be 3: ")
    assert len(card["summary"]) < 140
    assert card["indicator"] == "warning"
    for part in ("**Why 2**", "**Could be 3**", "**Next by the clock**", "Vital signs 30 min old"):
        assert part in card["detail"]
    assert "OKONKWO" not in json.dumps(card)
    assert (
        card["source"]["label"]
        == f"Lee et al., Blood 2014;124:188, ruleset {HEADLINE.key}/{HEADLINE.version}"
    )
    smart, absolute = card["links"]
    assert smart["type"] == "smart"
    assert json.loads(smart["appContext"]) == {"course": str(grade_1.pk)}
    assert absolute["url"] == f"http://testserver/courses/{grade_1.pk}/"
    assert len(guidance) <= 2
    assert all(one["indicator"] in ("critical", "warning") for one in guidance)
    assert all(one["overrideReasons"] and "suggestions" not in one for one in guidance)


def test_the_indicator_follows_the_grade(
    cards: Ask, course: Course, grade_3: Course, clinician: User
) -> None:
    assert cards("patient-view", grade_3)[0]["indicator"] == "critical"
    chart(course, clinician, "oxygen", ago(minutes=5), device="room_air")
    chart(course, clinician, "vitals", ago(minutes=5), temperature_c="38.0", systolic_mmhg="120")
    card = cards("patient-view", course)[0]
    assert (card["summary"][:11], card["indicator"]) == ("CRS grade 1", "info")


def test_grade_0_with_nothing_unknown_and_a_stranger_have_no_card(
    cards: Ask, course: Course, clinician: User
) -> None:
    assert cards("patient-view", course)[0]["summary"].startswith("CRS grade not assessed")
    chart(course, clinician, "oxygen", ago(minutes=5), device="room_air")
    chart(course, clinician, "vitals", ago(minutes=5), temperature_c="37.0", systolic_mmhg="120")
    assert cards("patient-view", course) == []
    assert cards("patient-view", course, identifier=[]) == []
    another = [{"system": "urn:other", "value": course.patient.mrn}]
    assert cards("patient-view", course, identifier=another) == []
    assert not CardShown.objects.filter(topic="grade", summary__startswith="CRS grade 0").exists()


@pytest.mark.parametrize("changes", [{"birthDate": "1970-03-02"}, {"name": [{"family": "Ruiz"}]}])
def test_another_person_of_the_same_number_sees_no_grade(
    cards: Ask, grade_3: Course, changes: dict[str, Any]
) -> None:
    (card,) = cards("patient-view", grade_3, **changes)
    assert "differ" in card["summary"]
    assert "3" not in card["summary"]


def _numbers(*numbers: tuple[Any, str]) -> list[dict[str, Any]]:
    return [{"system": MRNS, "value": value, "use": use} for value, use in numbers]


def test_a_number_that_the_patient_has_no_more_counts_after_the_present_one(
    cards: Ask, client: Client, ehr: ExternalSystem, grade_3: Course, clinician: User
) -> None:
    mrn = grade_3.patient.mrn
    other = admit(clinician).patient.mrn
    for numbers in (
        [("F-1", "old"), (f" {mrn} ", "usual")],
        [(other, "old"), (mrn, "official")],
        [(mrn, "old"), ("F-1", "usual")],
    ):
        (card, *_) = cards("patient-view", grade_3, identifier=_numbers(*numbers))
        assert card["summary"].startswith("CRS grade 3"), numbers
    patient = patient_of(grade_3, identifier=_numbers(("F-1", "usual"), (mrn, "official")))
    refused = call(client, "/cds-services/crs-grade", request_of("patient-view", patient))
    assert refused.status_code == 400
    assert cards("patient-view", grade_3, identifier=_numbers((320, "usual"))) == []


REFUSED: list[tuple[str, Callable[[dict[str, Any]], Any], int]] = [
    ("the hook of another service", lambda body: body | {"hook": "order-sign"}, 400),
    ("no hook instance", lambda body: body | {"hookInstance": "1"}, 400),
    ("no user", lambda body: body | {"context": {"patientId": "p1"}}, 400),
    ("no prefetch", lambda body: body | {"prefetch": None}, 412),
    ("a prefetch without the patient", lambda body: body | {"prefetch": {"other": {}}}, 412),
    (
        "a page of an error as the patient",
        lambda body: body | {"prefetch": {"patient": {"resourceType": "OperationOutcome"}}},
        412,
    ),
    (
        "a patient with a mark that is not known here",
        lambda body: (
            body
            | {"prefetch": {"patient": body["prefetch"]["patient"] | {"modifierExtension": [{}]}}}
        ),
        412,
    ),
    (
        "a record of the patient that is out of use",
        lambda body: (
            body | {"prefetch": {"patient": body["prefetch"]["patient"] | {"active": False}}}
        ),
        412,
    ),
    (
        "another patient than that of the context",
        lambda body: body | {"context": {"userId": "u", "patientId": "p2"}},
        400,
    ),
    ("a list", lambda _body: [], 400),
    ("a number as the patient's id", lambda _body: '{"hook":"patient-view","context":7}', 400),
    ("no JSON", lambda _body: "{", 400),
    ("a key twice", lambda _body: '{"hook":"patient-view","hook":"patient-view"}', 400),
]


@pytest.mark.parametrize(
    ("change", "status"), [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED]
)
def test_a_request_that_cannot_be_answered_is_refused(
    client: Client, ehr: ExternalSystem, grade_3: Course, change: Any, status: int
) -> None:
    body = change(request_of("patient-view", patient_of(grade_3)))
    answer = call(client, "/cds-services/crs-grade", body)
    assert answer.status_code == status, answer.content
    assert answer.json()["error_description"]
    assert grade_3.patient.mrn not in answer.content.decode()


@pytest.mark.parametrize(
    "body",
    [
        {"selections": ["MedicationRequest/o612865"]},
        {"draftOrders": {"resourceType": "Bundle", "entry": [{}]}, "selections": ["a"]},
        {"draftOrders": {"resourceType": "Bundle"}, "selections": []},
        {"draftOrders": {"resourceType": "Bundle"}, "selections": [7]},
        {"draftOrders": {"resourceType": "List"}, "selections": ["a"]},
    ],
)
def test_orders_that_cannot_be_read_are_refused(
    client: Client, ehr: ExternalSystem, grade_3: Course, body: dict[str, Any]
) -> None:
    asked = request_of("order-select", patient_of(grade_3))
    asked["context"] = {"userId": "u", "patientId": "p1"} | body
    assert call(client, "/cds-services/crs-order-select", asked).status_code == 400


def test_a_call_needs_the_token_of_a_registered_key_for_this_service(
    client: Client, ehr: ExternalSystem, grade_3: Course
) -> None:
    body = request_of("patient-view", patient_of(grade_3))
    wrong = assertion(EHR, key=ec_key("hooks"), aud="http://testserver/cds-services/crs-order-sign")
    for header in ("", "Bearer x", f"Bearer {wrong}"):
        answer = call(client, "/cds-services/crs-grade", body, Authorization=header)
        assert answer.status_code == 401
    assert not CardShown.objects.exists()


def test_each_call_is_in_the_record_of_its_course(
    cards: Ask, grade_3: Course, ehr: ExternalSystem
) -> None:
    cards("patient-view", grade_3)
    event = Event.objects.filter(course_id=grade_3.pk).latest("pk")
    assert (event.kind, event.by_id) == (EventKind.SYSTEM_WRITE, ehr.user_id)


def test_pages_of_listed_origins_may_call(client: Client, settings: Any) -> None:
    settings.CDS_HOOKS_ORIGINS = [EHR]
    for origin, allowed in ((EHR, EHR), ("https://evil.example", None), ("null", None)):
        answer = client.options("/cds-services/crs-grade", headers={"Origin": origin})
        assert answer.status_code == 204
        assert answer.headers.get("Access-Control-Allow-Origin") == allowed


def test_an_order_below_grade_3_is_met_with_what_the_paper_says(
    cards: Ask, grade_2: Course, clinician: User
) -> None:
    (card,) = cards("order-select", grade_2, order(TOCILIZUMAB))
    assert card["summary"] == "Lee 2014 does not advise tocilizumab at grade 2"
    assert card["indicator"] == "info"
    chart(grade_2, clinician, "risk", ago(minutes=5), older_age=True)
    assert cards("order-select", grade_2, order(TOCILIZUMAB)) == []


def test_long_corticosteroids_are_no_risk_that_advises_immunosuppression(
    cards: Ask, grade_2: Course, clinician: User
) -> None:
    """They advise stress doses of hydrocortisone alone."""
    (before,) = cards("order-select", grade_2, order(HYDROCORTISONE))
    assert "are for patients who had corticosteroids for long" in before["detail"]
    chart(grade_2, clinician, "risk", ago(minutes=5), chronic_corticosteroids=True)
    (card,) = cards("order-select", grade_2, order(TOCILIZUMAB))
    assert card["summary"] == "Lee 2014 does not advise tocilizumab at grade 2"
    assert cards("order-select", grade_2, order(HYDROCORTISONE)) == []


def test_a_second_dose_that_the_paper_considers_has_no_card(
    cards: Ask, grade_2: Course, clinician: User
) -> None:
    """25 h after the dose the grade is higher, so that the advice is to consider it."""
    chart(grade_2, clinician, "treatment", ago(hours=25), agent="tocilizumab", dose_mg="320")
    assert cards("order-select", grade_2, order(TOCILIZUMAB)) == []
    assert cards("order-select", grade_2, order(DEXAMETHASONE)) == []


def test_orders_of_other_drugs_and_orders_not_selected_have_no_card(
    client: Client, cards: Ask, grade_2: Course
) -> None:
    assert cards("order-select", grade_2, order(ASPIRIN)) == []
    assert cards("order-select", grade_2, order(TOCILIZUMAB, system="urn:local")) == []
    asked = request_of("order-select", patient_of(grade_2), order(TOCILIZUMAB), order(ASPIRIN))
    asked["context"]["selections"] = [f"MedicationRequest/o{ASPIRIN}"]
    assert call(client, "/cds-services/crs-order-select", asked).json() == {"cards": []}


@pytest.mark.parametrize(
    ("changes", "count"),
    [
        ({"doNotPerform": True}, 0),
        ({"status": "cancelled"}, 0),
        ({"status": "stopped"}, 0),
        ({"status": "entered-in-error"}, 0),
        ({"doNotPerform": False}, 1),
        ({"status": "active"}, 1),
        ({"dosageInstruction": [{"modifierExtension": [{"url": "urn:x"}]}]}, 0),
    ],
)
def test_an_order_not_to_give_a_drug_has_no_card(
    cards: Ask, course: Course, clinician: User, changes: dict[str, Any], count: int
) -> None:
    chart(course, clinician, "vitals", ago(minutes=5), temperature_c="38.6")
    assert len(cards("order-select", course, order(TOCILIZUMAB) | changes)) == count


def test_a_drug_is_found_by_a_reference_inside_the_draft_alone(
    client: Client, cards: Ask, grade_2: Course
) -> None:
    by_reference = order(TOCILIZUMAB)
    concept = by_reference.pop("medicationCodeableConcept")
    drug = {"resourceType": "Medication", "id": "m1", "code": concept}
    by_reference["medicationReference"] = {"reference": "Medication/m1"}
    asked = request_of("order-sign", patient_of(grade_2), by_reference, drug)
    (card,) = call(client, "/cds-services/crs-order-sign", asked).json()["cards"]
    assert "tocilizumab" in card["summary"]
    by_reference["medicationReference"] = {"reference": "http://elsewhere/Medication/m1"}
    assert call(client, "/cds-services/crs-order-sign", asked).json() == {"cards": []}


def test_a_second_dose_within_24_hours_is_warned_of_with_its_time(
    cards: Ask, grade_3: Course, clinician: User
) -> None:
    chart(grade_3, clinician, "treatment", ago(minutes=15), agent="tocilizumab", dose_mg="320")
    (card,) = cards("order-select", grade_3, order(TOCILIZUMAB))
    assert card["indicator"] == "warning"
    assert card["summary"].startswith("Tocilizumab 320 mg was given at ")
    assert cards("order-select", grade_3, order(DEXAMETHASONE)) == []


def test_the_ordered_dose_is_compared_with_the_papers_before_signing(
    cards: Ask, unprepared: Course, clinician: User
) -> None:
    chart(
        unprepared, clinician, "oxygen", ago(minutes=20), device="venturi_mask", fio2_percent="50"
    )
    assert cards("order-sign", unprepared, order(TOCILIZUMAB, "320")) == []  # no weight
    chart(unprepared, clinician, "weight", ago(minutes=10), weight_kg="70.5")
    (card,) = cards("order-sign", unprepared, order(TOCILIZUMAB, "320"))
    assert card["summary"] == (
        "Tocilizumab: ordered 320 mg, Lee 2014 for 70.5 kg: 282 mg (38 mg more)"
    )
    assert card["indicator"] == "info"
    assert cards("order-select", unprepared, order(TOCILIZUMAB, "320")) == []
    in_grams = order(TOCILIZUMAB, "320")
    in_grams["dosageInstruction"][0]["doseAndRate"][0]["doseQuantity"]["code"] = "g"
    assert cards("order-sign", unprepared, in_grams) == []


def test_the_dose_is_compared_whether_or_not_the_paper_advises_one_now(
    cards: Ask, grade_2: Course, clinician: User
) -> None:
    chart(grade_2, clinician, "weight", ago(minutes=10), weight_kg="70.5")

    def last_summary(code: str) -> str:
        summary: str = cards("order-sign", grade_2, order(code, "320"))[-1]["summary"]
        return summary

    assert last_summary(TOCILIZUMAB).endswith("ordered 320 mg, Lee 2014 for 70.5 kg: 282 mg "
                                              "(38 mg more)")  # fmt: skip
    assert last_summary(DEXAMETHASONE).endswith("70.5 kg: 10 mg (310 mg more)")
    assert last_summary(METHYLPREDNISOLONE).endswith("70.5 kg: 141 mg/day (179 mg more)")
    assert "does not advise" in last_summary(HYDROCORTISONE)  # the paper names no amount
    chart(grade_2, clinician, "treatment", ago(minutes=5), agent="tocilizumab", dose_mg="280")
    assert "282 mg (38 mg more)" in last_summary(TOCILIZUMAB)


def test_findings_of_another_cause_are_named_with_an_order(
    cards: Ask, grade_3: Course, clinician: User
) -> None:
    chart(grade_3, clinician, "vitals", ago(minutes=4), systolic_mmhg="80", attribution="other")
    (card,) = cards("order-select", grade_3, order(TOCILIZUMAB))
    assert card["summary"].startswith(
        "Not counted in the CRS grade, as due to another cause: Systolic"
    )


def test_the_start_of_an_encounter_asks_for_baseline_and_weight(
    cards: Ask, unprepared: Course, clinician: User
) -> None:
    course = unprepared
    (card,) = cards("encounter-start", course)
    assert card["summary"] == "CRS chart: no baseline blood pressure and no weight charted"
    chart(course, clinician, "weight", ago(minutes=10), weight_kg="70")
    (card,) = cards("encounter-start", course)
    assert card["summary"] == "CRS chart: no baseline blood pressure charted"
    chart(course, clinician, "baseline", ago(minutes=9), systolic_mmhg="130")
    assert cards("encounter-start", course) == []


def feedback_on(shown: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "feedback": [
            {
                "card": shown["uuid"],
                "outcome": "overridden",
                "outcomeTimestamp": "2026-03-02T10:00:00Z",
                "overrideReason": {
                    "reason": {"system": "urn:crs:guidance-override", "code": "another_cause"},
                    "userComment": "=sepsis",
                },
            }
            | changes
        ]
    }


def test_feedback_is_kept_once_and_stands_among_the_answers(
    client: Client, cards: Ask, grade_3: Course, auditor_client: Client
) -> None:
    card = cards("patient-view", grade_3)[0]
    entries = Entry.objects.count()
    for _ in range(2):
        answer = call(client, "/cds-services/crs-grade/feedback", feedback_on(card))
        assert answer.status_code == 200, answer.content
    assert CardFeedback.objects.count() == 1
    assert Entry.objects.count() == entries
    lines = b"".join(auditor_client.get("/guidance/answers.csv").streaming_content).decode()
    (line,) = [line for line in lines.splitlines() if "card overridden" in line]
    assert "another_cause: =sepsis" in line
    assert "ehr-1: Practitioner/7 (not verified)" in line
    assert str(grade_3.pk) in line


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"card": str(uuid.uuid4())}, 404),
        ({"card": "x"}, 400),
        ({"outcome": "done"}, 400),
        ({"outcomeTimestamp": "2026-03-02T10:00:00"}, 400),
        ({"outcomeTimestamp": "0001-01-01T00:00:00+14:00"}, 400),
        ({"overrideReason": {"userComment": "x" * 1001}}, 400),
        ({"overrideReason": []}, 200),
        ({"overrideReason": {"userComment": "\x00"}}, 400),
    ],
)
def test_feedback_that_cannot_be_kept_is_refused(
    client: Client, cards: Ask, grade_3: Course, changes: dict[str, Any], status: int
) -> None:
    card = cards("patient-view", grade_3)[0]
    answer = call(client, "/cds-services/crs-grade/feedback", feedback_on(card, **changes))
    assert answer.status_code == status, answer.content


def test_feedback_on_the_card_of_another_system_or_service_is_unknown(
    client: Client, cards: Ask, grade_3: Course, administrator: User
) -> None:
    card = cards("patient-view", grade_3)[0]
    answer = call(client, "/cds-services/crs-order-sign/feedback", feedback_on(card))
    assert answer.status_code == 404
    other = make_system("ehr-2", administrator)
    shown = CardShown.objects.get(pk=card["uuid"])
    alien = CardShown.objects.create(
        system=other,
        course=grade_3,
        service="crs-grade",
        hook_instance=uuid.uuid4(),
        user_id="u",
        topic="grade",
        indicator="info",
        summary=shown.summary,
        shown_at=timezone.now() - timedelta(minutes=1),
    )
    answer = call(client, "/cds-services/crs-grade/feedback", feedback_on({"uuid": str(alien.pk)}))
    assert answer.status_code == 404
    assert not CardFeedback.objects.exists()
