"""Place of care, blood products, and what other scales ask of a ventilator and of a death."""

from typing import Any

import pytest
from django.test import Client

from crs_app.accounts.models import User
from patients.models import Course, Entry
from tests.entry_forms import form_html, send, send_correction, text_of
from tests.factories import ago, chart

pytestmark = pytest.mark.django_db(transaction=True)
AIRWAY = {
    "device": "invasive_ventilation",
    "fio2_percent": "30",
    "needs_oxygen": "no",
    "purpose": "airway_protection",
}
DEATH = {"attribution": "crs", "attribution_reason": "post-mortem"}


def last(course: Course, kind: str) -> Entry:
    return Entry.objects.filter(course=course, kind=kind).latest("recorded_at")


def refused(answer: Any, name: str) -> str:
    assert answer.status_code == 422
    return str(answer.context["form"].errors[name][0])


@pytest.mark.parametrize(
    ("answer", "charted"),
    [("yes", {"because_of_crs": True}), ("no", {"because_of_crs": False}), ("", {})],
)
def test_the_place_of_care_is_charted_with_whether_it_is_because_of_crs(
    nurse_client: Client, course: Course, answer: str, charted: dict[str, bool]
) -> None:
    sent = send(nurse_client, course, "admission", setting="icu", because_of_crs=answer)
    assert sent.status_code == 200
    assert last(course, "admission").body == {"setting": "icu"} | charted


def test_the_place_of_care_is_corrected_by_the_same_form(
    nurse_client: Client, clinician: User, course: Course
) -> None:
    before = chart(course, clinician, "admission", ago(60), setting="ward", because_of_crs=True)
    send_correction(nurse_client, course, before.entries[0], because_of_crs="no")
    assert last(course, "admission").body == {"setting": "ward", "because_of_crs": False}


@pytest.mark.parametrize("setting", ["", "hospice"])
def test_a_place_of_care_that_is_none_is_refused(
    nurse_client: Client, course: Course, setting: str
) -> None:
    refused(send(nurse_client, course, "admission", setting=setting), "setting")


@pytest.mark.parametrize(
    "product",
    [
        "fresh_frozen_plasma",
        "cryoprecipitate",
        "fibrinogen_concentrate",
        "platelets",
        "red_cells",
    ],
)
def test_each_blood_product_is_charted(nurse_client: Client, course: Course, product: str) -> None:
    assert send(nurse_client, course, "blood_product", product=product).status_code == 200
    assert last(course, "blood_product").body == {"product": product}


def test_a_blood_product_is_chosen_and_corrected_with_its_cause(
    nurse_client: Client, clinician: User, course: Course
) -> None:
    assert refused(send(nurse_client, course, "blood_product"), "product") == "Choose the product."
    before = chart(course, clinician, "blood_product", ago(60), product="platelets").entries[0]
    cause = {"attribution": "other", "attribution_reason": "chemotherapy"}
    send_correction(nurse_client, course, before, product="red_cells", **cause)
    assert last(course, "blood_product").body == {"product": "red_cells", "attribution": "other"}


def test_a_ventilator_for_the_airway_alone_is_charted_after_the_question_is_answered_with_no(
    nurse_client: Client, course: Course
) -> None:
    assert send(nurse_client, course, "oxygen", **AIRWAY).status_code == 200
    assert last(course, "oxygen").body == {
        "device": "invasive_ventilation",
        "fio2_percent": "30",
        "purpose": "airway_protection",
    }


@pytest.mark.parametrize("answer", ["", "yes"])
def test_a_ventilator_is_for_low_oxygen_unless_the_question_is_answered_with_no(
    nurse_client: Client, course: Course, answer: str
) -> None:
    sent = send(nurse_client, course, "oxygen", **(AIRWAY | {"needs_oxygen": answer}))
    assert "Answer with no" in refused(sent, "needs_oxygen")
    assert sent.context["form"]["purpose"].value() == "airway_protection"
    without = AIRWAY | {"needs_oxygen": answer, "purpose": ""}
    send(nurse_client, course, "oxygen", **without)
    assert "purpose" not in last(course, "oxygen").body


def test_no_other_device_protects_the_airway(nurse_client: Client, course: Course) -> None:
    sent = send(nurse_client, course, "oxygen", **(AIRWAY | {"device": "bipap"}))
    assert "Only for a ventilator" in refused(sent, "purpose")


def test_a_purpose_that_a_file_brought_stays_in_a_correction_and_where_oxygen_is_unchanged(
    nurse_client: Client, clinician: User, course: Course
) -> None:
    body = {"device": "bipap", "fio2_percent": "30", "purpose": "airway_protection"}
    before = chart(course, clinician, "oxygen", ago(60), **body).entries[0]
    assert send_correction(nurse_client, course, before, fio2_percent="35").status_code == 200
    assert last(course, "oxygen").body == body | {"fio2_percent": "35"}
    shown = form_html(nurse_client, course, "vitals")
    version = shown.split('name="oxygen_unchanged"')[1].split('value="')[1].split('"')[0]
    send(nurse_client, course, "vitals", heart_rate="80", oxygen_unchanged=version)
    assert last(course, "oxygen").body == body | {"fio2_percent": "35"}


@pytest.mark.parametrize(
    ("fields", "due_to"),
    [
        ({}, None),
        ({"due_to_crs": "yes"}, ["crs"]),
        ({"due_to_icans": "yes"}, ["icans"]),
        ({"due_to_crs": "yes", "due_to_iec_hs": "yes"}, ["crs", "iec_hs"]),
        ({"attribution": "other", "due_to_icans": "yes"}, ["icans"]),
    ],
)
def test_a_death_is_charted_with_what_other_scales_ask(
    nurse_client: Client, course: Course, fields: dict[str, str], due_to: list[str] | None
) -> None:
    asked = send(nurse_client, course, "death", **(DEATH | fields))
    assert asked.status_code == 422
    form = asked.context["form"]
    sent = {name: form.data[name] for name in form.data}
    sent["confirmed"] = form.questions_digest
    assert send(nurse_client, course, "death", **sent).status_code == 200
    assert last(course, "death").body.get("due_to") == due_to


def test_what_a_death_is_due_to_is_read_back_and_must_agree(
    nurse_client: Client, course: Course
) -> None:
    asked = send(nurse_client, course, "death", **DEATH, due_to_icans="yes")
    assert "For other scales it is due to neurotoxicity (ICANS)." in text_of(asked.content.decode())
    other = DEATH | {"attribution": "other", "due_to_crs": "yes"}
    sent = send(nurse_client, course, "death", **other)
    assert "not due to CRS" in refused(sent, "due_to_crs")


def test_a_death_is_corrected_with_what_was_ticked(
    nurse_client: Client, clinician: User, course: Course
) -> None:
    before = chart(course, clinician, "death", ago(60), due_to=["crs", "icans"]).entries[0]
    answer = send_correction(nurse_client, course, before, attribution_reason="post-mortem")
    form = answer.context["form"]
    assert [form[name].value() for name in ("due_to_crs", "due_to_icans", "due_to_iec_hs")] == [
        "yes",
        "yes",
        "",
    ]


def test_a_prolonged_reaction_is_judged(nurse_client: Client, course: Course) -> None:
    send(nurse_client, course, "judgement", about="prolonged_reaction", present="yes")
    assert last(course, "judgement").body == {"about": "prolonged_reaction", "present": True}
