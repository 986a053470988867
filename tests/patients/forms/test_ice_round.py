"""A round of ICE and consciousness, sent over HTTP: what is charted, and what is refused."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from crs_app.accounts.models import User
from patients.display.ice_questions import QUESTIONS
from patients.models import REASON, ChartingAct, Course, Entry
from patients.queries.policies import read_policy_periods
from tests.entry_forms import HTMX, form, form_html, send, text_of, url
from tests.factories import admit, ago, chart, correct, sending

pytestmark = pytest.mark.django_db(transaction=True)
ALL_RIGHT = {f"ask_{question.name}": "right" for question in QUESTIONS}


def send_round(client: Client, course: Course, tool: str = "ice", **fields: Any) -> Any:
    return send(client, course, "ice", tool=tool, **fields)


def charted(course: Course) -> dict[str, dict[str, Any]]:
    """The bodies of the last act by kind, of a sign by its name."""
    act = ChartingAct.objects.filter(course=course).latest("recorded_at")
    return {
        entry.body.get("sign", entry.kind): entry.body for entry in act.entries.order_by("place")
    }


def errors_of(response: Any) -> dict[str, list[str]]:
    assert response.status_code == 422
    return {name: list(found) for name, found in response.context["form"].errors.items()}


@pytest.fixture
def child(clinician: User) -> Course:
    return admit(clinician, birth_date=date(timezone.now().year - 7, 1, 1), weight_kg="23")


def test_ten_taps_are_charted_as_the_points_of_five_parts(
    nurse_client: Client, course: Course
) -> None:
    wrong = {"ask_hospital": "wrong", "ask_third_thing": "wrong", "ask_sentence": "wrong"}
    answer = send_round(nurse_client, course, **(ALL_RIGHT | wrong))
    assert answer.status_code == 200
    assert charted(course) == {
        "ice": {
            "orientation": "3",
            "naming": "2",
            "commands": "1",
            "writing": "0",
            "attention": "1",
        }
    }
    assert "Chart: Vital signs" in text_of(answer.content.decode())


def test_a_part_that_is_half_asked_is_saved_as_not_asked_and_the_form_says_so(
    nurse_client: Client, course: Course
) -> None:
    asked = {name: "right" for name in ALL_RIGHT if name not in ("ask_city", "ask_count")}
    answer = send_round(nurse_client, course, **asked)
    assert charted(course)["ice"] == {"naming": "3", "commands": "1", "writing": "1"}
    assert "Not asked in full and so not saved: where and when (3 of 4 asked)." in text_of(
        answer.content.decode()
    )


def test_a_round_in_which_no_part_was_asked_in_full_is_refused_and_keeps_its_answers(
    nurse_client: Client, course: Course
) -> None:
    answer = send_round(nurse_client, course, ask_year="right", ask_first_thing="wrong")
    assert errors_of(answer)["__all__"] == [
        "No part was asked in full: where and when (1 of 4 asked), name three things (1 of 3 "
        "asked). Ask the rest, or say why not."
    ]
    assert answer.context["form"]["ask_first_thing"].value() == "wrong"


def test_one_round_is_one_act_with_all_that_was_entered(
    nurse_client: Client, course: Course
) -> None:
    send_round(
        nurse_client,
        course,
        **ALL_RIGHT,
        handwriting="clear, on paper",
        note="tired",
        level="spontaneous",
        seizure_type="focal",
        seizure_minutes="3",
        seizure_stopped="yes",
        seizure_repeated="yes",
        sign_focal_weakness="yes",
        sign_diffuse_edema="yes",
    )
    found = charted(course)
    assert found["ice"]["note"] == "Handwriting: clear, on paper\ntired"
    assert found["consciousness"] == {"level": "spontaneous"}
    assert found["seizure"] == {
        "seizure_type": "focal",
        "duration_minutes": "3",
        "resolved": True,
        "repetitive_without_recovery": True,
    }
    assert found["focal_weakness"] == {"sign": "focal_weakness", "present": True}
    assert found["diffuse_edema"] == {"sign": "diffuse_edema", "present": True}
    assert len(found) == 5


@pytest.mark.parametrize("reason", ["unarousable", "sedated", "intubated", "language", "refused"])
def test_one_tap_says_why_it_could_not_be_done(
    nurse_client: Client, course: Course, reason: str
) -> None:
    send_round(nurse_client, course, not_done=reason)
    assert charted(course) == {"ice": {"performed": False, "reason": reason}}


def test_a_reason_beside_answers_is_refused(nurse_client: Client, course: Course) -> None:
    answer = send_round(nurse_client, course, **ALL_RIGHT, not_done="sedated")
    assert errors_of(answer)["not_done"] == [
        "There are answers too: clear either them or this reason."
    ]


def test_what_is_not_tapped_is_not_entered_and_one_tap_says_that_all_were_looked_for(
    nurse_client: Client, course: Course
) -> None:
    send_round(nurse_client, course, level="alert")
    assert charted(course) == {"consciousness": {"level": "alert"}}
    send_round(nurse_client, course, signs_none="yes")
    found = charted(course)
    assert {name: body["present"] for name, body in found.items()} == dict.fromkeys(
        ("focal_weakness", "posturing", "sixth_nerve_palsy", "papilledema", "cushing_triad"), False
    )
    send_round(nurse_client, course, scan_none="yes")
    assert set(charted(course)) == {"focal_edema", "diffuse_edema"}


def test_none_present_beside_a_present_sign_is_refused(
    nurse_client: Client, course: Course
) -> None:
    answer = send_round(
        nurse_client,
        course,
        signs_none="yes",
        sign_posturing="yes",
        scan_none="yes",
        bleeding="yes",
    )
    sentence = "One is tapped as present: clear it, or clear this."
    assert errors_of(answer) == {"signs_none": [sentence], "scan_none": [sentence]}


def test_a_swelling_around_a_bleeding_is_charted_with_another_cause(
    nurse_client: Client, course: Course
) -> None:
    send_round(nurse_client, course, bleeding="yes")
    assert charted(course) == {
        "focal_edema": {"sign": "focal_edema", "present": True, "attribution": "other"}
    }
    act = ChartingAct.objects.filter(course=course).latest("recorded_at")
    assert act.answers[REASON] == "swelling around a bleeding"


def test_swelling_in_one_place_and_around_a_bleeding_cannot_both_be_tapped(
    nurse_client: Client, course: Course
) -> None:
    answer = send_round(nurse_client, course, bleeding="yes", sign_focal_edema="yes")
    assert errors_of(answer) == {"bleeding": ["Choose one: in one place, or around a bleeding."]}


def test_a_seizure_is_charted_at_the_time_at_which_it_began(
    nurse_client: Client, course: Course
) -> None:
    began = timezone.localtime(ago(minutes=50)).replace(second=0, microsecond=0)
    send_round(
        nurse_client,
        course,
        level="voice",
        seizure_type="generalised",
        seizure_date=f"{began:%Y-%m-%d}",
        seizure_time=f"{began:%H:%M}",
        seizure_stopped="no",
    )
    seizure = Entry.objects.get(course=course, kind="seizure")
    assert (seizure.at, seizure.body["resolved"]) == (began, False)
    assert Entry.objects.get(course=course, kind="consciousness").at > began


@pytest.mark.parametrize(
    ("fields", "name", "sentence"),
    [
        ({"seizure_type": "focal", "seizure_minutes": "1441"}, "seizure_minutes", "not possible"),
        ({"seizure_type": "focal", "seizure_minutes": "3,5"}, "seizure_minutes", "decimal point"),
        ({"seizure_type": "none", "seizure_minutes": "3"}, "seizure_type", "Choose the kind"),
        ({"seizure_repeated": "yes"}, "seizure_type", "Choose the kind of seizure"),
        ({"seizure_type": "focal", "seizure_time": "25:00"}, "seizure_time", "24-hour clock"),
        ({"seizure_type": "absence"}, "seizure_type", "Choose one of the list."),
        ({"level": "sleepy"}, "level", "Choose one of the list."),
        ({"handwriting": "shaky", "level": "alert"}, "handwriting", "right or wrong"),
        ({"level": "alert", "observed_time": "99:99"}, "observed_time", "24-hour clock"),
        ({"level": "voice", "cause_consciousness": "other"}, "cause_reason_consciousness", "Say"),
    ],
)
def test_a_wrong_value_is_refused_at_its_field_and_what_was_typed_is_kept(
    nurse_client: Client, course: Course, fields: dict[str, str], name: str, sentence: str
) -> None:
    before = Entry.objects.count()
    answer = send_round(nurse_client, course, **fields)
    assert sentence in errors_of(answer)[name][0]
    shown = answer.context["form"]
    assert {key: shown[key].value() for key in fields} == fields
    assert Entry.objects.count() == before
    assert sentence in text_of(answer.content.decode())


def test_a_seizure_before_the_infusion_or_after_the_round_is_refused(
    nurse_client: Client, course: Course
) -> None:
    early = timezone.localtime(course.infused_at - timedelta(hours=1))
    times = {"seizure_date": f"{early:%Y-%m-%d}", "seizure_time": f"{early:%H:%M}"}
    answer = send_round(nurse_client, course, seizure_type="focal", **times)
    assert "This is before the infusion" in errors_of(answer)["seizure_time"][0]
    observed, later = (timezone.localtime(ago(hours=hours)) for hours in (3, 2))
    times = {
        "observed_date": f"{observed:%Y-%m-%d}",
        "observed_time": f"{observed:%H:%M}",
        "seizure_date": f"{later:%Y-%m-%d}",
        "seizure_time": f"{later:%H:%M}",
    }
    answer = send_round(nurse_client, course, seizure_type="focal", **times)
    assert errors_of(answer)["seizure_time"] == ["This is after the time of the round."]


def test_a_seizure_of_more_than_a_day_before_is_asked_about(
    nurse_client: Client, course: Course
) -> None:
    began = timezone.localtime(ago(hours=26))
    fields = {
        "seizure_type": "focal",
        "seizure_date": f"{began:%Y-%m-%d}",
        "seizure_time": f"{began:%H:%M}",
    }
    answer = send_round(nurse_client, course, **fields)
    assert answer.status_code == 422
    assert "more than 24 h before" in text_of(answer.content.decode())
    confirmed = answer.context["form"].questions_digest
    assert send_round(nurse_client, course, **fields, confirmed=confirmed).status_code == 200


def test_a_late_round_has_the_time_that_is_typed(nurse_client: Client, course: Course) -> None:
    at = timezone.localtime(ago(hours=2)).replace(second=0, microsecond=0)
    typed = {"observed_date": f"{at:%Y-%m-%d}", "observed_time": f"{at:%H:%M}"}
    send_round(nurse_client, course, **ALL_RIGHT, **typed)
    assert Entry.objects.get(course=course, kind="ice").at == at


def test_each_thing_has_a_cause_of_its_own_with_its_reason(
    nurse_client: Client, course: Course
) -> None:
    send_round(
        nurse_client,
        course,
        **ALL_RIGHT,
        level="voice",
        cause_consciousness="other",
        cause_reason_consciousness="lorazepam",
        sign_focal_weakness="yes",
        cause_neuro_sign="uncertain",
        cause_reason_neuro_sign="old stroke?",
    )
    found = charted(course)
    assert "attribution" not in found["ice"]
    assert found["consciousness"]["attribution"] == "other"
    assert found["focal_weakness"]["attribution"] == "uncertain"
    act = ChartingAct.objects.filter(course=course).latest("recorded_at")
    assert act.answers[REASON] == "How awake: lorazepam; Weakness, pressure, scan: old stroke?"
    opened = nurse_client.get(url("entries", course, "ice"), **HTMX).context["form"]
    assert opened["cause_consciousness"].value() == "other"
    assert opened["cause_reason_consciousness"].value() == "lorazepam"


def test_the_same_round_sent_again_is_saved_once(nurse_client: Client, course: Course) -> None:
    sent = form(tool="ice", **ALL_RIGHT, level="alert")
    address = url("entries", course, "ice")
    answers = [nurse_client.post(address, sent, **HTMX) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert "Saved already" in text_of(answers[1].content.decode())
    assert Entry.objects.filter(course=course, kind__in=("ice", "consciousness")).count() == 2
    other = nurse_client.post(address, sent | {"level": "voice"}, **HTMX)
    assert other.status_code == 409


def test_a_round_is_saved_without_scripts_and_leads_to_the_chart(
    nurse_client: Client, course: Course
) -> None:
    answer = nurse_client.post(
        url("entries", course, "ice"), form(tool="ice", **ALL_RIGHT), follow=True
    )
    assert answer.redirect_chain[-1][0] == url("bedside", course)
    assert Entry.objects.filter(course=course, kind="ice").count() == 1


def test_the_form_shows_the_points_of_each_part_before_and_the_first_handwriting(
    nurse_client: Client, clinician: User, course: Course
) -> None:
    first = {"orientation": "4", "naming": "3", "commands": "1", "writing": "1", "attention": "1"}
    chart(course, clinician, "ice", ago(hours=20), **first, note="Handwriting: round and even")
    second = first | {"orientation": "3", "writing": "0"}
    chart(course, clinician, "ice", ago(hours=9), **second, note="Handwriting: shaky")
    shown = text_of(form_html(nurse_client, course, "ice"))
    assert "before: 8 of 10" in shown
    assert "Where and when · 4 before: 3 of 4" in shown
    assert (
        "Write one sentence.” usual sentence; compare with the first sample before wrong" in shown
    )
    assert "round and even" in shown
    assert "shaky" not in shown


def test_a_retracted_round_is_not_shown_as_the_one_before(
    nurse_client: Client, clinician: User, course: Course
) -> None:
    wrong = chart(course, clinician, "ice", ago(hours=3), score="2").entries[0]
    correct(wrong, wrong.at, {"score": "7"}, sending(clinician))
    assert "before: 7 of 10" in text_of(form_html(nurse_client, course, "ice"))


def test_a_child_is_asked_by_capd_and_a_tap_on_the_sum_charts_it(
    nurse_client: Client, child: Course
) -> None:
    shown = text_of(form_html(nurse_client, child, "ice"))
    assert "Under 12 years, or with developmental delay: CAPD in place of ICE." in shown
    assert "Ask in these words" not in shown
    send_round(nurse_client, child, tool="capd", capd_score="11")
    assert charted(child) == {"capd": {"score": "11"}}


@pytest.mark.parametrize("score", ["33", "-1", "4.5"])
def test_a_sum_that_capd_cannot_have_is_refused(
    nurse_client: Client, child: Course, score: str
) -> None:
    answer = send_round(nurse_client, child, tool="capd", capd_score=score)
    assert errors_of(answer)["capd_score"] == ["Choose one of the list."]


def test_developmental_delay_asks_by_capd_from_12_years_on(
    nurse_client: Client, clinician: User
) -> None:
    course = admit(clinician, developmental_delay=True)
    shown = nurse_client.get(url("entries", course, "ice"), **HTMX).context["form"]
    assert shown.shown_tool == "capd"


def test_the_other_tool_is_shown_and_said_not_to_count(nurse_client: Client, child: Course) -> None:
    asked = nurse_client.get(url("entries", child, "ice"), {"tool": "ice"}, **HTMX)
    assert "ICE is shown on the chart and not counted" in text_of(asked.content.decode())
    answer = send_round(nurse_client, child, tool="ice", **ALL_RIGHT)
    sentence = "Shown, not counted for ICANS: this patient uses CAPD."
    assert sentence in text_of(answer.content.decode())
    shown = text_of(form_html(nurse_client, child, "ice"))
    assert "ICE 10 of 10" in shown
    assert "shown, not counted. This patient uses CAPD." in shown


@pytest.mark.parametrize(
    ("tool", "fields", "name"),
    [
        ("ice", {"capd_score": "4"}, "capd_score"),
        ("capd", {"ask_year": "right", "level": "alert"}, "__all__"),
        ("capd", {"capd_score": "4", "not_done": "sedated"}, "not_done"),
        ("gcs", {"level": "alert"}, "tool"),
    ],
)
def test_values_of_the_other_tool_are_refused(
    nurse_client: Client, course: Course, tool: str, fields: dict[str, str], name: str
) -> None:
    assert name in errors_of(send_round(nurse_client, course, tool=tool, **fields))


def test_an_empty_round_is_refused(nurse_client: Client, course: Course) -> None:
    answer = send_round(nurse_client, course, seizure_type="none")
    assert errors_of(answer) == {"__all__": ["Nothing is entered yet."]}


def test_the_age_below_which_capd_is_used_is_the_policy_of_the_course(
    nurse_client: Client, child: Course
) -> None:
    (period,) = read_policy_periods(child)
    assert period.policy.icans_capd_below_years == 12
    shown = form_html(nurse_client, child, "ice")
    assert 'data-bands="9:3 1:1 0:0"' in shown
