"""The inbox: what was held is charted by one tap, by a form, or set aside; once, and by whom."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crs_app.accounts.models import User
from crs_app.accounts.wards import set_wards
from crs_app.record.models import Event
from patients.display.text import clock_text
from patients.exchange.fhir_message import fhir_message
from patients.exchange.file import receive
from patients.exchange.formats.mllp_frames import Frame
from patients.exchange.hl7_receive import receive_frame
from patients.models import (
    Course,
    Decided,
    Entry,
    EntryKind,
    ExternalSystem,
    HeldDecision,
    HeldItem,
    SystemKind,
)
from patients.queries.held import count_undecided, read_sums
from patients.recording.inputs import NewEntry
from tests.entry_forms import HTMX, text_of, url
from tests.factories import UserFactory, admit, ago, chart, end, record
from tests.patients.exchange.fhir_documents import (
    MRN_SYSTEM,
    UCUM,
    bundle,
    creatinine,
    norepinephrine,
    observation,
    patient,
)
from tests.patients.exchange.hl7_messages import laboratory, oru
from tests.received import SIGNS, a_message, a_system, held, monitor_set

pytestmark = pytest.mark.django_db
INBOX = "/inbox/"


def tap(client: Client, course: Course, items: list[HeldItem], **more: Any) -> Any:
    """The answer to the button that charts the items."""
    sent = {"form_id": str(uuid.uuid4()), "item": [str(one.pk) for one in items], **more}
    return client.post(url("chart_received", course), sent, **HTMX)


def charted(course: Course) -> list[Entry]:
    return list(Entry.objects.filter(course=course, kind=EntryKind.VITALS).order_by("at"))


def test_one_tap_charts_a_set_of_a_monitor_for_who_looked_at_it(
    course: Course, nurse: User, nurse_client: Client
) -> None:
    items = monitor_set(a_system(), course, 4, systolic_mmhg="84", diastolic_mmhg="47")
    page = text_of(nurse_client.get(INBOX).content.decode())
    assert "BP 84/47" in page
    assert "A person has to confirm these values." in page
    done = tap(nurse_client, course, items)
    assert "✓ Saved" in text_of(done.content.decode())
    (entry,) = charted(course)
    assert entry.body == {"systolic_mmhg": "84", "diastolic_mmhg": "47"}
    assert (entry.at, entry.recorded_by) == (items[0].at, nurse)
    assert entry.act.answers["from_system"] == "Monitor 7B"
    assert entry.act.message == items[0].message
    decisions = HeldDecision.objects.filter(item__in=items)
    assert {(one.what, one.by, one.act) for one in decisions} == {
        (Decided.CHARTED, nurse, entry.act)
    }
    assert count_undecided(nurse) == 0


@pytest.mark.django_db(transaction=True)
def test_a_message_of_a_monitor_is_one_card_with_all_of_its_signs(
    course: Course, nurse_client: Client
) -> None:
    system = laboratory("ICU-7", kind=SystemKind.MONITOR)
    at = ago(4).replace(second=30, microsecond=0)
    obx = [
        ("150021^MDC_PRESS_CUFF_SYS^MDC", "84", "mm[Hg]"),
        ("150022^MDC_PRESS_CUFF_DIA^MDC", "47", "mm[Hg]"),
        ("147842^MDC_ECG_HEART_RATE^MDC", "131", "264864^MDC_DIM_BEAT_PER_MIN"),
        ("150456^MDC_PULS_OXIM_SAT_O2^MDC", "91", "%"),
    ]
    lines = [
        f"OBX|{number}|NM|{code}||{value}|{unit}|||||R|||{at:%Y%m%d%H%M%S+0000}"
        for number, (code, value, unit) in enumerate(obx, 1)
    ]
    head = oru(course, "M1", at=at).split(b"\rOBX")[0]
    raw = head + b"\r" + "\r".join(lines).encode() + b"\r"
    assert receive_frame(system, Frame(raw)).code.value == "AA"
    (card,) = nurse_client.get(INBOX).context["cards"]
    assert card.save_label == "Save these 3 on the chart"
    tap(nurse_client, course, list(card.shown.held.items))
    (entry,) = charted(course)
    assert entry.at == at
    assert entry.body == {
        "systolic_mmhg": "84", "diastolic_mmhg": "47", "heart_rate": "131", "spo2_percent": "91",
    }  # fmt: skip
    assert not HeldItem.objects.filter(decision=None).exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("status", ["X", "D"])
def test_a_preliminary_result_that_its_sender_withdraws_is_shown_as_withdrawn(
    course: Course, nurse: User, nurse_client: Client, status: str
) -> None:
    system, at = laboratory(), ago(4).replace(microsecond=0)

    def send(control_id: str, status: str) -> None:
        raw = oru(course, control_id, at=at, status=status)
        of_one_order = raw.replace(f"{control_id}|24323".encode(), b"O1|24323")
        assert receive_frame(system, Frame(of_one_order)).code.value == "AA"

    send("M1", "P")
    (item,) = HeldItem.objects.all()
    assert (item.reason, count_undecided(nurse)) == ("status.preliminary", 1)
    send("M2", status)
    assert count_undecided(nurse) == 0
    page = nurse_client.get(INBOX)
    assert not page.context["cards"]
    text = text_of(page.content.decode())
    assert re.search(r"Withdrawn \S+ by laboratory lab-1", text), text[text.find("Withdrawn") :][
        :200
    ]
    assert "Its sender withdrew it. Nothing was charted." in page.content.decode()
    late = text_of(tap(nurse_client, course, [item]).content.decode())
    assert "lab-1 sent this again, or withdrew it." in late
    assert not charted(course)
    send("M3", "P")
    assert count_undecided(nurse) == (1 if status == "X" else 0), "X takes back no later result"


def test_the_same_tap_again_is_answered_as_before_and_another_is_told_who_was_faster(
    course: Course, nurse_client: Client, client: Client
) -> None:
    items = monitor_set(a_system(), course, heart_rate="112")
    form_id = str(uuid.uuid4())
    for _ in range(2):
        assert "✓ Saved" in tap(nurse_client, course, items, form_id=form_id).content.decode()
    client.force_login(UserFactory(last_name="Osei"))
    late = text_of(tap(client, course, items).content.decode())
    assert "Nothing was saved. J. Ruiz already saved this." in late
    assert len(charted(course)) == 1


def test_an_unusual_value_is_asked_about_before_it_is_charted(
    course: Course, nurse_client: Client
) -> None:
    items = monitor_set(a_system(), course, heart_rate="212")
    asked = tap(nurse_client, course, items)
    assert "Heart rate 212 /min is unusually high" in text_of(asked.content.decode())
    assert not charted(course)
    card = asked.context["card"]
    tap(nurse_client, course, items, form_id=str(card.form_id), confirmed=card.confirmed)
    (entry,) = charted(course)
    assert entry.act.answers["confirmed"][0][1].startswith("Heart rate 212")


def test_without_scripts_a_tap_leads_back_and_a_question_is_a_page(
    course: Course, nurse_client: Client
) -> None:
    system = a_system()
    usual = monitor_set(system, course, 9, heart_rate="112")
    unusual = monitor_set(system, course, 3, heart_rate="212")
    address = url("chart_received", course)
    answers = [
        nurse_client.post(address, {"form_id": str(uuid.uuid4()), "item": [str(items[0].pk)]})
        for items in (usual, unusual)
    ]
    assert [one.status_code for one in answers] == [302, 422]


def test_what_is_set_aside_has_a_reason_and_is_not_charted(
    course: Course, nurse: User, nurse_client: Client
) -> None:
    items = monitor_set(a_system(), course, heart_rate="112", spo2_percent="93")
    sent = {"item": [str(one.pk) for one in items]}
    address = url("dismiss_received", course)
    assert "Say why" in nurse_client.post(address, sent, **HTMX).content.decode()
    assert not HeldDecision.objects.exists()
    nurse_client.post(address, {**sent, "why": "", "reason": "cable was off"}, **HTMX)
    assert {(one.what, one.why) for one in HeldDecision.objects.all()} == {
        (Decided.DISMISSED, "cable was off")
    }
    assert "already set this aside" in tap(nurse_client, course, items).content.decode()
    assert not charted(course)


def test_earlier_sets_of_a_monitor_stand_below_its_newest(
    course: Course, nurse_client: Client
) -> None:
    system = a_system()
    for minutes in (40, 25, 10):
        monitor_set(system, course, minutes, heart_rate=str(100 + minutes))
    (card,) = nurse_client.get(INBOX).context["cards"]
    assert card.shown.value == "HR 110"
    assert [one.value for one in card.earlier] == ["HR 125", "HR 140"]


def test_a_proposal_that_lacks_something_is_completed_in_its_form(
    course: Course, nurse: User, nurse_client: Client
) -> None:
    message = a_message(a_system("Pump 2", "pump"), course, ["OBX|1|NM|NORA^^L||14.4|ml/h"])
    at = ago(20)
    proposal = {"kind": "vasopressor", "drug": "norepinephrine", "rate": "14.4", "unit": "ml/h"}
    item = held(message, "infusion.concentration_missing", proposal, at=at)
    address = f"{url('held_form', course)}?item={item.pk}"
    form = nurse_client.get(address).context["form"]
    shown = {name: form[name].value() for name in form.fields}
    assert (shown["drug"], shown["rate"], shown["unit"]) == ("norepinephrine", "14.4", "ml/h")
    sent = {name: value for name, value in shown.items() if value not in (None, "")}
    assert nurse_client.post(address, sent).status_code == 422
    answer = nurse_client.post(address, {**sent, "concentration_per_ml": "64"})
    assert answer.status_code == 302
    entry = Entry.objects.get(course=course, kind=EntryKind.VASOPRESSOR)
    assert (entry.at, entry.body["concentration_per_ml"]) == (at, "64")
    assert (item.decision.what, item.decision.act) == (Decided.CHARTED, entry.act)


def test_what_nothing_is_proposed_for_is_charted_by_a_form_that_a_person_chooses(
    course: Course, nurse_client: Client
) -> None:
    message = a_message(a_system("Laboratory", "laboratory"), course, ["OBX|1|NM|X^^L||1.4|mg/dL"])
    item = held(message, "code.unknown", at=ago(30), what="X 1.4 mg/dL")
    address = f"{url('held_form', course)}?item={item.pk}"
    assert "Which form?" in nurse_client.get(address).content.decode()
    lab = f"{address}&kind=lab"
    form = nurse_client.get(lab).context["form"]
    shown = {name: form[name].value() for name in form.fields}
    sent = {name: value for name, value in shown.items() if value not in (None, "")}
    result = {"analyte": "creatinine", "value": "1.4", "unit": "mg/dL"}
    assert nurse_client.post(lab, sent | result).status_code == 302
    assert HeldItem.objects.get(pk=item.pk).decision.what == Decided.CHARTED


def test_what_may_be_of_another_patient_has_no_form(course: Course, nurse_client: Client) -> None:
    message = a_message(a_system(), course, ["PID|1||X"], verdict="rejected", reason="x")
    item = held(message, "patient.contradiction", what="the name contradicts the chart")
    address = f"{url('held_form', course)}?item={item.pk}&kind=vitals"
    assert nurse_client.get(address).status_code == 404
    assert "Chart by hand" not in nurse_client.get(INBOX).content.decode()


def test_only_items_of_own_wards_are_shown_and_charted(course: Course, client: Client) -> None:
    items = monitor_set(a_system(), course, heart_rate="112")
    other = admit(UserFactory(), ward="9C")
    stranger = UserFactory()
    set_wards(stranger, [other.on_ward])
    client.force_login(stranger)
    assert not client.get(INBOX).context["cards"]
    assert tap(client, course, items).status_code == 403
    assert tap(client, other, items).status_code == 404
    assert count_undecided(stranger) == 0


def test_a_message_about_nobody_here_is_shown_without_what_it_says_until_it_is_opened(
    nurse_client: Client,
) -> None:
    segments = ["PID|1||447^^^^MR||OKAFOR^ADAEZE", "OBX|1|NM|1988-5^CRP^LN||88|mg/L"]
    message = a_message(
        a_system(), None, segments, verdict="not_accepted", reason="patient.unknown"
    )
    page = nurse_client.get(INBOX).content.decode()
    assert "Nobody here has this number." in page
    assert "OKAFOR" not in page
    assert "447" not in text_of(page)
    opened = nurse_client.get(reverse("patients:stranger_sent", args=[message.pk]))
    assert "OKAFOR^ADAEZE" in opened.content.decode()
    last = Event.objects.latest("at")
    assert "message of an unknown patient, as sent" in str(last.details)


UNUSUAL_AND_UNCHANGED = [
    {"reason": "value.unusual", "alone": False},
    {"reason": "unchanged", "alone": True},
]


def test_received_is_what_is_charted_held_set_aside_and_remarked(
    course: Course, nurse: User, nurse_client: Client
) -> None:
    system = a_system()
    a_message(system, course, ["OBX|1"], filed=7, remarks=UNUSUAL_AND_UNCHANGED)
    first = monitor_set(system, course, 9, heart_rate="112", spo2_percent="93")
    second = monitor_set(system, course, 3, heart_rate="113")
    tap(nurse_client, course, first)
    nurse_client.post(
        url("dismiss_received", course), {"item": str(second[0].pk), "why": "x"}, **HTMX
    )
    third = monitor_set(system, course, 1, heart_rate="114")
    assert third
    sums = read_sums(nurse, ago(60))
    assert (sums.on_charts, sums.held, sums.set_aside, sums.remarks) == (9, 1, 1, 1)
    assert sums.received == 12


def test_a_closed_course_is_not_charted_on(
    course: Course, nurse: User, nurse_client: Client
) -> None:
    items = monitor_set(a_system(), course, heart_rate="112")
    end(course, nurse)
    assert not nurse_client.get(INBOX).context["cards"][0].can_save
    assert "This course is closed" in tap(nurse_client, course, items).content.decode()
    assert not charted(course)


def test_a_poll_says_that_the_list_changed_and_moves_nothing(
    course: Course, nurse_client: Client
) -> None:
    signature = nurse_client.get(INBOX).context["signature"]
    address = f"{INBOX}?seen={signature}"
    assert nurse_client.get(address, **HTMX).status_code == 204
    monitor_set(a_system(), course, heart_rate="112")
    assert "This list has changed" in nurse_client.get(address, **HTMX).content.decode()


def test_the_bedside_shows_the_newest_set_and_what_would_count(
    course: Course, nurse: User, nurse_client: Client
) -> None:
    chart(course, nurse, "vitals", ago(30), systolic_mmhg="118", diastolic_mmhg="70")
    before = nurse_client.get(url("state", course)).json()
    items = monitor_set(a_system(), course, 5, systolic_mmhg="78", diastolic_mmhg="44")
    parts = text_of(nurse_client.get(url("received", course), **HTMX).content.decode())
    clock = clock_text(items[0].at, timezone.now())
    assert f"Monitor 7B {clock}: SBP 78, not charted. It would count for grade 2." in parts
    assert "Save it" in parts
    address = f"{url('received', course)}?only=line"
    line = nurse_client.get(address, **HTMX).content.decode()
    assert "not charted" in line
    assert "monitor-row" not in line
    assert nurse_client.get(url("state", course)).json()["grade"] == before["grade"]
    saved = tap(nurse_client, course, items, **{"from": "bedside"})
    assert "Saved for OKONKWO, Ada." in text_of(saved.content.decode())
    assert "crs:clock" in saved.headers["HX-Trigger-After-Settle"]
    parts = text_of(nurse_client.get(url("received", course), **HTMX).content.decode())
    assert "78" not in parts


def test_who_may_not_chart_sees_the_line_and_no_button(
    course: Course, client: Client, auditor: User
) -> None:
    monitor_set(a_system(), course, systolic_mmhg="78", diastolic_mmhg="44")
    client.force_login(auditor)
    parts = client.get(url("received", course), **HTMX).content.decode()
    assert "SBP 78, not charted" in text_of(parts)
    assert "<button" not in parts


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("filing", ["propose", "file"])
def test_a_correction_of_what_was_charted_by_a_tap_takes_its_place(
    course: Course, nurse_client: Client, filing: str
) -> None:
    """Also where the system files by itself since: what a person charted is theirs."""
    system = laboratory(filing={"default": "propose"})
    at = ago(20).replace(second=0, microsecond=0)
    for value, status in (("1.9", "F"), ("2.9", "C"), ("3.9", "A")):
        raw = oru(course, "L1", value, at=at, status=status)
        raw = raw.replace(b"ORU^R01|L1", f"ORU^R01|{value}".encode())  # OBR-3 stays
        assert receive_frame(system, Frame(raw)).code.value == "AA"
        ExternalSystem.objects.filter(pk=system.pk).update(filing={"default": filing})
        system.refresh_from_db()
        (item,) = HeldItem.objects.filter(decision=None)
        tap(nurse_client, course, [item])
    results = list(Entry.objects.filter(course=course, kind=EntryKind.LAB).order_by("recorded_at"))
    assert [one.body["value"] for one in results] == ["1.9", "2.9", "3.9"]
    assert [one.replaces for one in results] == [None, *results[:2]]
    assert {one.at for one in results} == {at}
    assert receive_frame(system, Frame(oru(course, "L1", at=at, status="D"))).code.value == "AA"
    (item,) = HeldItem.objects.filter(decision=None)
    assert item.proposal["replaces"] == str(results[2].pk)


def _of_monitor(course: Course, control_id: str, *obx: tuple[str, str, str], at: Any) -> bytes:
    """A message of signs of one instant, each with its code, value and status."""
    lines = [
        f"OBX|{number}|NM|{SIGNS[sign]}||{value}|{UNITS[sign]}|||||{status}|||{at:%Y%m%d%H%M%S+0000}"
        for number, (sign, value, status) in enumerate(obx, 1)
    ]
    head = oru(course, "M", at=at).split(b"\rOBX")[0]
    head = head.replace(b"ORU^R01|M", f"ORU^R01|{control_id}".encode())  # OBR-3 stays
    return head + b"\r" + "\r".join(lines).encode() + b"\r"


UNITS = {
    "systolic_mmhg": "mm[Hg]",
    "diastolic_mmhg": "mm[Hg]",
    "heart_rate": "264864^MDC_DIM_BEAT_PER_MIN",
    "spo2_percent": "%",
}


@pytest.mark.django_db(transaction=True)
def test_a_correction_of_one_sign_keeps_the_others_of_its_entry(
    course: Course, nurse_client: Client
) -> None:
    system = laboratory("ICU-7", kind=SystemKind.MONITOR)
    at = ago(4).replace(second=30, microsecond=0)
    signs = {"systolic_mmhg": "84", "diastolic_mmhg": "47", "heart_rate": "131"}
    first = [(sign, value, "R") for sign, value in signs.items()]
    receive_frame(system, Frame(_of_monitor(course, "1", *first, at=at)))
    tap(nurse_client, course, list(HeldItem.objects.filter(decision=None)))
    for number, sign in enumerate((("heart_rate", "113", "C"), ("systolic_mmhg", "94", "C")), 2):
        receive_frame(system, Frame(_of_monitor(course, str(number), sign, at=at)))
    (card,) = nurse_client.get(INBOX).context["cards"]
    assert card.shown.value == "BP 94/47 · HR 113"
    tap(nurse_client, course, list(card.shown.held.items))
    before, after = sorted(charted(course), key=lambda one: one.recorded_at)
    assert after.body == {"systolic_mmhg": "94", "diastolic_mmhg": "47", "heart_rate": "113"}
    assert (after.replaces, before.body["heart_rate"]) == (before, "131")


def test_a_correction_is_not_charted_over_what_somebody_corrected_meanwhile(
    course: Course, nurse: User, nurse_client: Client
) -> None:
    """The card showed another value than the chart has now: a person looks again."""
    at = ago(4).replace(second=0, microsecond=0)
    (entry,) = chart(course, nurse, "vitals", at, heart_rate="131").entries
    message = a_message(a_system(), course, ["OBX|1"])
    words = {"kind": "vitals", "heart_rate": "113", "replaces": str(entry.pk)}
    item = held(message, "unvalidated", words, at=at)
    record(course, nurse, [NewEntry("vitals", at, {"heart_rate": "118"}, replaces=entry.pk)])
    assert "Nothing was saved" in text_of(tap(nurse_client, course, [item]).content.decode())
    assert sorted(one.body["heart_rate"] for one in charted(course)) == ["118", "131"]


@pytest.mark.django_db(transaction=True)
def test_a_corrected_part_of_oxygen_keeps_device_and_time_of_its_entry(
    course: Course, nurse_client: Client
) -> None:
    """Device and flow came apart: the entry has the time of the later one."""
    settings = {"filing": {"default": "propose"}, "mrn_system": MRN_SYSTEM}
    system = laboratory("EHR", kind=SystemKind.EHR, **settings)
    at = ago(10).replace(second=0, microsecond=0)
    later = at + timedelta(seconds=20)
    cannula = {"coding": [{"system": "http://snomed.info/sct", "code": "336623009"}]}
    coded = {"valueQuantity": None, "valueCodeableConcept": cannula}
    device = observation(at, "19941-4", id="d", **coded)
    flow = observation(later, "3151-8", "5", "L/min", id="f")
    mask = {"coding": [{"system": "http://snomed.info/sct", "code": "336602003"}]}
    corrected = device | {"status": "corrected", "valueCodeableConcept": mask}
    for sent in ([device, flow], [corrected]):
        raw = bundle(patient(course), *sent)
        receive(system, fhir_message(raw, system.mrn_system))
        tap(nurse_client, course, list(HeldItem.objects.filter(decision=None)))
    entries = Entry.objects.filter(course=course, kind=EntryKind.OXYGEN)
    first, last = entries.order_by("recorded_at")
    assert (first.body["device"], last.body["device"]) == ("nasal_cannula", "simple_mask")
    assert (last.body["flow_l_per_min"], last.at, last.replaces) == ("5", later, first)


def _ehr() -> ExternalSystem:
    """A health record of which everything is proposed."""
    settings = {"filing": {"default": "propose"}, "mrn_system": MRN_SYSTEM}
    return laboratory("EHR", kind=SystemKind.EHR, **settings)


def _sent(system: ExternalSystem, course: Course, *resources: Any) -> list[HeldItem]:
    """Send resources in one Bundle; return all that waits for a person then."""
    receive(system, fhir_message(bundle(patient(course), *resources), system.mrn_system))
    return list(HeldItem.objects.filter(decision=None).order_by("number"))


def _filled(form: Any) -> dict[str, Any]:
    """What a browser sends of a form that nobody changed."""
    shown = {name: form[name].value() for name in form.fields}
    return {name: value for name, value in shown.items() if value not in (None, "")}


def _in_force(course: Course, kind: EntryKind) -> list[Entry]:
    return list(Entry.objects.filter(course=course, kind=kind, replaced_by=None).order_by("at"))


@pytest.mark.django_db(transaction=True)
def test_a_sign_of_another_time_leaves_its_entry_and_the_others_stay(
    course: Course, nurse_client: Client
) -> None:
    system, at = _ehr(), ago(20).replace(second=0, microsecond=0)
    heart, fever = observation(at, "8867-4", "131", "/min", id="h"), observation(at, id="t")
    tap(nurse_client, course, _sent(system, course, heart, fever))
    later = at + timedelta(minutes=5)
    changes = {"status": "corrected", "effectiveDateTime": later.isoformat()}
    items = _sent(system, course, heart | changes)
    (card,) = nurse_client.get(INBOX).context["cards"]
    assert card.shown.value == f"HR 131 · Temp 38.2 °C, {clock_text(at, timezone.now())}"
    tap(nurse_client, course, items)
    stays, moved = _in_force(course, EntryKind.VITALS)
    assert (stays.at, stays.body) == (at, {"temperature_c": "38.20"})
    assert (moved.at, moved.body) == (later, {"heart_rate": "131"})
    assert stays.replaces is not None
    tap(nurse_client, course, _sent(system, course, fever | changes))
    last = Entry.objects.get(course=course, replaces=stays)
    assert (last.at, last.body) == (later, {"temperature_c": "38.20"})
    assert {one.at for one in _in_force(course, EntryKind.VITALS)} == {later}


@pytest.mark.django_db(transaction=True)
def test_a_proposed_infusion_is_charted_with_its_stop_and_corrected_as_one(
    course: Course, nurse_client: Client
) -> None:
    system, at = _ehr(), ago(60).replace(second=0, microsecond=0)
    ends = [at + timedelta(minutes=minutes) for minutes in (10, 15)]

    def version(number: int, end: Any = None, **changes: Any) -> list[HeldItem]:
        period = {"start": at.isoformat()} | ({} if end is None else {"end": end.isoformat()})
        meta = {"versionId": str(number)}
        sent = norepinephrine(at, **({"effectivePeriod": period, "meta": meta} | changes))
        return _sent(system, course, sent)

    def charted_now() -> list[tuple[Any, str]]:
        return [(one.at, one.body["rate"]) for one in _in_force(course, EntryKind.VASOPRESSOR)]

    tap(nurse_client, course, version(1, ends[0]))
    assert charted_now() == [(at, "5"), (ends[0], "0")]
    items = version(2, ends[1])
    (card,) = nurse_client.get(INBOX).context["cards"]
    assert card.shown.value.endswith(clock_text(ends[1], timezone.now()))
    tap(nurse_client, course, items)
    assert charted_now() == [(at, "5"), (ends[1], "0")]
    assert Entry.objects.filter(course=course, kind=EntryKind.VASOPRESSOR).count() == 3
    (item,) = version(2, ends[1], status="entered-in-error")
    own = {str(one.pk) for one in _in_force(course, EntryKind.VASOPRESSOR)}
    assert {item.proposal["replaces"], item.proposal["end_replaces"]} == own
    tap(nurse_client, course, [item])
    assert charted_now() == []


@pytest.mark.django_db(transaction=True)
def test_an_infusion_that_goes_on_or_began_later_is_corrected_by_a_tap(
    course: Course, nurse_client: Client
) -> None:
    system, at = _ehr(), ago(60).replace(second=0, microsecond=0)

    def version(number: int, start: Any, end: Any = None) -> list[HeldItem]:
        period = {"start": start.isoformat()} | ({} if end is None else {"end": end.isoformat()})
        meta = {"versionId": str(number)}
        sent = norepinephrine(at, effectivePeriod=period, meta=meta)
        return _sent(system, course, sent)

    def charted_now() -> list[tuple[Any, str]]:
        return [(one.at, one.body["rate"]) for one in _in_force(course, EntryKind.VASOPRESSOR)]

    tap(nurse_client, course, version(1, at, at + timedelta(minutes=10)))
    tap(nurse_client, course, version(3, at))
    assert charted_now() == [(at, "5")]
    start = at + timedelta(minutes=5)
    tap(nurse_client, course, version(4, start))
    assert charted_now() == [(start, "5")]


@pytest.mark.django_db(transaction=True)
def test_a_stop_is_not_charted_where_another_rate_was_since(
    course: Course, nurse: User, nurse_client: Client
) -> None:
    system, at = _ehr(), ago(60).replace(second=0, microsecond=0)
    body = {"drug": "norepinephrine", "rate": "8", "unit": "ug/min"}
    half = at + timedelta(minutes=30)
    period = {"start": at.isoformat(), "end": half.isoformat()}
    items = _sent(system, course, norepinephrine(at, effectivePeriod=period))
    chart(course, nurse, "vasopressor", half, **body)
    tap(nurse_client, course, items)
    rates = [one.body["rate"] for one in _in_force(course, EntryKind.VASOPRESSOR)]
    assert rates == ["5", "8"], "another rate begins when it ends"
    longer = {"start": at.isoformat(), "end": (half + timedelta(minutes=1)).isoformat()}
    items = _sent(system, course, norepinephrine(at, id="m2", effectivePeriod=longer))
    answer = tap(nurse_client, course, items).content.decode()
    assert "Another rate of this drug was charted before it ended." in answer
    assert len(_in_force(course, EntryKind.VASOPRESSOR)) == 2
    again = norepinephrine(at, effectivePeriod=longer, meta={"versionId": "2"})
    (item,) = [one for one in _sent(system, course, again) if one.key.endswith("/m1")]
    address = f"{url('held_form', course)}?item={item.pk}"
    sent = _filled(nurse_client.get(address).context["form"])
    clock = timezone.localtime(half + timedelta(minutes=1))
    sent |= {"observed_time": f"{clock:%H:%M}", "rate": "0"}
    assert nurse_client.post(address, sent).status_code == 302
    rates = [one.body["rate"] for one in _in_force(course, EntryKind.VASOPRESSOR)]
    assert rates == ["5", "8", "0"], "a stop by hand takes the place of no rate"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("minutes", [0, 10])
@pytest.mark.parametrize("is_open_one_first", [True, False])
def test_the_stop_of_one_bag_does_not_end_another(
    course: Course, nurse_client: Client, minutes: int, is_open_one_first: bool
) -> None:
    system, at = _ehr(), ago(60).replace(second=0, microsecond=0)
    period = {"start": at.isoformat(), "end": (at + timedelta(minutes=30)).isoformat()}
    ended = norepinephrine(at, effectivePeriod=period)
    runs_on = norepinephrine(at + timedelta(minutes=minutes), "8", id="m2")
    items = sorted(_sent(system, course, ended, runs_on), key=lambda one: one.number)
    first, second = items[::-1] if is_open_one_first else items
    tap(nurse_client, course, [first])
    before = [one.pk for one in _in_force(course, EntryKind.VASOPRESSOR)]
    assert before
    answer = tap(nurse_client, course, [second]).content.decode()
    assert "Chart by hand what holds." in answer
    assert [one.pk for one in _in_force(course, EntryKind.VASOPRESSOR)] == before


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_from_the_start", [True, False])
def test_since_when_an_infusion_has_another_rate_is_entered(
    course: Course, nurse_client: Client, is_from_the_start: bool
) -> None:
    system, at = _ehr(), ago(60).replace(second=0, microsecond=0)
    tap(nurse_client, course, _sent(system, course, norepinephrine(at)))
    items = _sent(system, course, norepinephrine(at, "8", meta={"versionId": "2"}))
    assert [one.reason for one in items] == ["infusion.change_untimed"]
    assert "Complete it" in tap(nurse_client, course, items).content.decode()
    address = f"{url('held_form', course)}?item={items[0].pk}"
    form = nurse_client.get(address).context["form"]
    sent = _filled(form)
    since = at if is_from_the_start else at + timedelta(minutes=20)
    clock = timezone.localtime(since)
    sent |= {"observed_date": f"{clock:%Y-%m-%d}", "observed_time": f"{clock:%H:%M}"}
    answer = nurse_client.post(address, sent)
    assert answer.status_code == 302, text_of(answer.content.decode())
    rates = [(one.at, one.body["rate"]) for one in _in_force(course, EntryKind.VASOPRESSOR)]
    assert rates == ([(at, "8")] if is_from_the_start else [(at, "5"), (since, "8")])


@pytest.mark.django_db(transaction=True)
def test_a_form_decides_about_the_one_result_that_it_charts(
    course: Course, nurse_client: Client
) -> None:
    system, at = _ehr(), ago(20).replace(second=0, microsecond=0)
    alt = observation(at, "1742-6", "61", "U/L")
    items = _sent(system, course, creatinine(at), alt)
    named = "&".join(f"item={one.pk}" for one in items)
    address = f"{url('held_form', course)}?{named}"
    sent = _filled(nurse_client.get(address).context["form"])
    answer = nurse_client.post(address, sent)
    assert answer.status_code == 302, text_of(answer.content.decode())
    (left,) = HeldItem.objects.filter(decision=None)
    (charted_one,) = _in_force(course, EntryKind.LAB)
    assert {charted_one.body["analyte"], left.proposal["analyte"]} == {"alt", "creatinine"}


@pytest.mark.django_db(transaction=True)
def test_a_corrected_dose_is_not_asked_about_as_a_second_one(
    course: Course, nurse_client: Client
) -> None:
    system, at = _ehr(), ago(60).replace(second=0, microsecond=0)
    drug = {"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "612865"}
    for number, dose in enumerate(("560", "600"), 1):
        given = norepinephrine(
            at,
            status="completed",
            medicationCodeableConcept={"coding": [drug]},
            effectivePeriod={"start": at.isoformat(), "end": at.isoformat()},
            dosage={"dose": {"value": f"<<{dose}>>", "system": UCUM, "code": "mg"}},
            meta={"versionId": str(number)},
        )
        tap(nurse_client, course, _sent(system, course, given))
    (last,) = _in_force(course, EntryKind.TREATMENT)
    assert (last.body["dose_mg"], last.replaces is None) == ("600", False)
