"""A round of ICE and consciousness, sent over HTTP: what is charted, and what is refused."""

import pytest
from django.test import Client
from django.utils import timezone

from crs_app.accounts.models import User
from patients.models import REASON, ChartingAct, Course, Entry
from tests.entry_forms import HTMX, form, form_html, text_of, url
from tests.factories import ago, chart, correct, sending
from tests.patients.forms.rounds import ALL_RIGHT, charted, errors_of, send_round

pytestmark = pytest.mark.django_db(transaction=True)


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


def test_an_empty_round_is_refused(nurse_client: Client, course: Course) -> None:
    answer = send_round(nurse_client, course, seizure_type="none")
    assert errors_of(answer) == {"__all__": ["Nothing is entered yet."]}
