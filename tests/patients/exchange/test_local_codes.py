"""What a hospital's own code means: previewed on what is held, then proposed, never charted."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from crs_app.accounts.models import User
from patients.exchange.formats.mllp_frames import Frame
from patients.exchange.hl7_receive import receive_frame
from patients.models import Course, Decided, Entry, EntryKind, ExternalSystem, HeldItem, LocalCode
from tests.entry_forms import text_of
from tests.factories import admit, ago
from tests.patients.exchange.hl7_messages import laboratory, oru

pytestmark = pytest.mark.django_db(transaction=True)
CODE = {"coding_system": "L", "code": "CRE-X", "text": "Kreatinin", "unit": "mg/dL"}
MEANS = {**CODE, "means": "analyte:creatinine"}


@pytest.fixture
def system() -> ExternalSystem:
    return laboratory()


def send(
    system: ExternalSystem, course: Course, name: str, at: datetime, value: str = "1.9"
) -> None:
    raw = oru(course, name, value, at=at).replace(b"2160-0^Creatinine^LN", b"CRE-X^Kreatinin^L")
    assert receive_frame(system, Frame(raw)).code.value == "AA"


def post(client: Client, system: ExternalSystem, step: str, **fields: Any) -> Any:
    return client.post(
        reverse("patients:system_codes", args=[system.pk]), {**MEANS, "step": step, **fields}
    )


def test_a_preview_says_what_would_be_proposed_and_stores_nothing(
    course: Course, administrator_client: Client, system: ExternalSystem, clinician: User
) -> None:
    other = admit(clinician, mrn="TEST-OTHER")
    for number, one in enumerate((course, course, other)):
        send(system, one, f"A{number}", ago(60 + number))
    address = reverse("patients:system_codes", args=[system.pk])
    page = text_of(administrator_client.get(address).content.decode())
    assert "CRE-X Kreatinin L · mg/dL 3" in page
    preview = text_of(post(administrator_client, system, "preview").content.decode())
    assert "It would make 3 held results of 2 patients proposals in the inbox." in preview
    assert not LocalCode.objects.exists()
    assert set(HeldItem.objects.values_list("reason", flat=True)) == {"code.unknown"}


def test_a_code_that_is_saved_makes_proposals_of_what_is_held_and_charts_nothing(
    course: Course, administrator: User, administrator_client: Client, system: ExternalSystem
) -> None:
    send(system, course, "A1", ago(60))
    (item,) = HeldItem.objects.all()
    answer = post(administrator_client, system, "confirm", seen="0")
    assert answer.status_code == 302
    row = LocalCode.objects.get()
    assert (row.code, row.about, row.means, row.by) == (
        "CRE-X", "analyte", "creatinine", administrator,
    )  # fmt: skip
    proposal = item.followed_by
    assert (proposal.reason, proposal.proposal["value"]) == ("unvalidated", "1.9")
    assert item.decision.what == Decided.MAPPED
    assert not Entry.objects.filter(course=course, kind=EntryKind.LAB).exists()


def test_what_comes_after_a_code_was_mapped_is_filed_as_the_system_is_set(
    course: Course, administrator_client: Client, system: ExternalSystem
) -> None:
    post(administrator_client, system, "confirm", seen="0")
    send(system, course, "A2", ago(5), "2.4")
    entry = Entry.objects.get(course=course, kind=EntryKind.LAB)
    assert (entry.body["analyte"], entry.body["value"]) == ("creatinine", "2.4")


def test_what_is_known_then_and_still_cannot_be_charted_stays_held(
    course: Course, administrator_client: Client, system: ExternalSystem
) -> None:
    raw = oru(course, "A1", at=ago(60))
    raw = raw.replace(b"2160-0^Creatinine^LN", b"CRE-X^Kreatinin^L").replace(b"mg/dL", b"ounces")
    receive_frame(system, Frame(raw))
    preview = text_of(post(administrator_client, system, "preview").content.decode())
    assert "It would make 0 held results of 0 patients" in preview
    assert "1 more would stay held: The unit is not known for this code." in preview
    post(administrator_client, system, "confirm", seen="0")
    assert HeldItem.objects.get(decision=None).reason == "unit.unknown"


def test_a_code_that_another_administrator_mapped_meanwhile_is_not_overwritten(
    administrator_client: Client, system: ExternalSystem
) -> None:
    for _ in range(2):  # a second tap is the same
        assert post(administrator_client, system, "confirm", seen="0").status_code == 302
    late = post(administrator_client, system, "confirm", seen="0", means="analyte:crp")
    assert late.status_code == 409
    assert "since this page was opened" in text_of(late.content.decode())
    assert LocalCode.objects.count() == 1


def test_a_code_can_mean_nothing_any_more_and_is_held_again(
    course: Course, administrator_client: Client, system: ExternalSystem
) -> None:
    post(administrator_client, system, "confirm", seen="0")
    row = LocalCode.objects.get()
    post(administrator_client, system, "confirm", seen=str(row.pk), means="nothing")
    send(system, course, "A3", ago(5) - timedelta(seconds=1))
    assert HeldItem.objects.get().reason == "code.unknown"


@pytest.mark.parametrize("wrong", [{"means": ""}, {"code": ""}, {"means": "analyte:none"}])
def test_a_code_without_a_meaning_is_refused(
    administrator_client: Client, system: ExternalSystem, wrong: dict[str, str]
) -> None:
    assert post(administrator_client, system, "preview", **wrong).status_code == 422
    assert not LocalCode.objects.exists()
