"""A wrong identity is corrected in three steps; every course is graded by what is true."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.test import Client, override_settings
from django.urls import reverse
from django.utils import timezone

from crs_app.accounts.models import User
from crs_app.record.models import EventKind
from grading.engine.policy import policy_from
from grading.systems import HEADLINE
from patients.identity import views
from patients.models import Course, Fact, IdentityCorrection
from patients.policy.decide import regrade_from_start
from patients.queries.grades import periods_known_at, periods_known_now
from patients.queries.identity import courses_of_patient
from patients.queries.policies import version_of
from patients.recording.identity import IdentityChange, correct_identity, identity_token
from patients.recording.verify import differences
from tests.entry_forms import send, text_of, url
from tests.factories import admit, ago, chart, end, sending
from tests.record.conftest import recorded
from tests.site_zone import ELSEWHERE

CHILD_BORN = date(2017, 5, 5)


def sent(what: str, **fields: Any) -> dict[str, Any]:
    """A correction as step 1 sends it."""
    return {"form_id": str(uuid.uuid4()), "what": what, "reason": "passport", **fields}


def born(day: date) -> dict[str, str]:
    return {"day": str(day.day), "month": str(day.month), "year": str(day.year)}


def infused(at: datetime) -> dict[str, str]:
    there = timezone.localtime(at)
    return born(there.date()) | {"infused_time": f"{there:%H:%M}"}


def preview(client: Client, course: Course, data: dict[str, Any]) -> Any:
    return client.post(url("identity", course), data | {"step": "preview"})


def confirm(client: Client, course: Course, data: dict[str, Any], **fields: Any) -> Any:
    """Look at the preview, tick the wristband, and confirm what it sends."""
    shown = preview(client, course, data)
    assert shown.status_code == 200, text_of(shown.content.decode())
    form = shown.context["form"]
    again = data | {"seen": shown.context["seen"], "step": "confirm", "compared": "yes"}
    if form.questions:
        again["confirmed"] = form.questions_digest
    return client.post(url("identity", course), again | fields)


def corrected(client: Client, course: Course, data: dict[str, Any]) -> Course:
    """Confirm the correction, and check the grades of every course of the patient."""
    answer = confirm(client, course, data)
    assert answer.status_code == 302, text_of(answer.content.decode())
    current = Course.objects.select_related("patient", "policy").get(pk=course.pk)
    for one in current.patient.courses.select_related("patient", "policy"):
        assert differences(one) == []
    return current


def grade_now(course: Course) -> int | None:
    period = periods_known_now(course, HEADLINE).filter(valid__contains=timezone.now()).first()
    return None if period is None else period.grade


@pytest.fixture
def child(clinician: User) -> Course:
    """A patient of 54 years who was admitted as a child; the pressure is low for an adult alone."""
    course = admit(clinician, birth_date=CHILD_BORN, name="WEBER, Luca")
    chart(course, clinician, "vitals", ago(hours=3), systolic_mmhg="92", diastolic_mmhg="50")
    return course


def test_a_birth_date_is_corrected_and_the_grade_follows(
    child: Course, nurse_client: Client
) -> None:
    assert grade_now(child) == 0
    before = timezone.now()
    data = sent("birth", **born(date(1971, 5, 5)))
    shown = preview(nurse_client, child, data)
    text = text_of(shown.content.decode())
    assert "Not saved yet." in text
    assert "5 May 2017 → 5 May 1971" in text
    assert "Age at infusion 9 → 55 years" in text
    assert "1 grade change" in text
    assert "low is SBP below 90 or MAP below 65" in text
    assert not IdentityCorrection.objects.exists()

    course = corrected(nurse_client, child, data)
    assert (course.patient.birth_date, grade_now(course)) == (date(1971, 5, 5), 2)
    known = periods_known_at(course, HEADLINE, before).filter(valid__contains=before)
    assert [period.grade for period in known] == [0]
    row = IdentityCorrection.objects.get()
    assert (row.before, row.after) == ({"birth_date": "2017-05-05"}, {"birth_date": "1971-05-05"})
    assert (row.recorded_by.username, row.reason) == ("nurse", "passport")
    saved = nurse_client.get(url("identity", course), {"saved": row.pk}).content.decode()
    assert "1 grade change recalculated. The grade now is Grade 2" in text_of(saved)
    page = text_of(nurse_client.get(url("identity", course)).content.decode())
    for words in ("5 May 2017", "at admission", "J. Ruiz: passport"):
        assert words in page


def test_a_preview_is_no_basis_where_the_identity_changed_while_it_was_made(
    child: Course, nurse: User, nurse_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It shows what was read before: what is confirmed must be what was shown."""

    def read_later(patient_id: uuid.UUID) -> Any:
        monkeypatch.undo()
        token = identity_token(list(courses_of_patient(patient_id)))
        sexed = IdentityChange(Fact.SEX, "wristband", token, of_patient={"sex": "male"})
        correct_identity(patient_id, sexed, sending(nurse))
        return courses_of_patient(patient_id)

    data = sent("sex", sex="unknown")
    monkeypatch.setattr(views, "courses_of_patient", read_later)
    shown = preview(nurse_client, child, data)
    assert "Sex female → unknown" in text_of(shown.content.decode())
    again = data | {"seen": shown.context["seen"], "step": "confirm", "compared": "yes"}
    refused = nurse_client.post(url("identity", child), again)
    assert refused.status_code == 409
    assert "Sex male → unknown" in text_of(refused.content.decode())
    again["seen"] = refused.context["seen"]
    assert nurse_client.post(url("identity", child), again).status_code == 302


def test_a_save_after_a_correction_resumes_from_no_earlier_state(
    child: Course, clinician: User, nurse_client: Client
) -> None:
    """Checkpoints hold what was graded by the old identity: none is resumed from."""
    for minute in range(90, 30, -1):
        chart(child, clinician, "vitals", ago(minute), systolic_mmhg="92", diastolic_mmhg="50")
    course = corrected(nurse_client, child, sent("birth", **born(date(1971, 5, 5))))
    assert send(nurse_client, course, "vitals", temperature="36.8").status_code == 200
    assert differences(course) == []
    assert grade_now(course) == 2


def test_an_ended_course_of_the_patient_is_regraded_too(
    child: Course, clinician: User, nurse_client: Client
) -> None:
    end(child, clinician)
    fields = {"mrn": child.patient.mrn, "name": "WEBER, Luca", "birth_date": CHILD_BORN}
    second = admit(clinician, product="another", **fields)
    data = sent("birth", **born(date(1971, 5, 5)))
    text = text_of(preview(nurse_client, second, data).content.decode())
    assert "Courses of this patient: 2." in text
    assert "Grade at the end: – not assessed could be 2 → Grade 2" in text
    corrected(nurse_client, second, data)
    assert grade_now(child) == 2


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"day": "31", "month": "2", "year": "1971"}, "February 1971 has no day 31"),
        ({"day": "5", "month": "5", "year": "71"}, "four figures"),
        ({"day": "5", "month": "5", "year": "1850"}, "More than 120 years ago"),
        ({"day": "5", "month": "5", "year": "2999"}, "after the infusion"),
        ({"day": "five", "month": "5", "year": "1971"}, "in figures"),
        ({"day": "\u0665", "month": "5", "year": "1971"}, "in figures"),
        ({"day": "5" * 40, "month": "5", "year": "1971"}, "in figures"),
        ({"day": "5", "month": "5", "year": "1" * 5000}, "in figures"),
        ({"day": "5", "month": "", "year": "1971"}, "Choose the month"),
        ({"day": "5", "month": "5", "year": "2017"}, "stands on the chart already"),
        ({"age_years": "121"}, "121 years is not possible"),
        ({"age_years": "54", "day": "5", "month": "5", "year": "1971"}, "Leave the age empty"),
        ({}, "Enter the birth date, or the age"),
    ],
)
def test_a_birth_date_that_cannot_be_is_refused(
    child: Course, nurse_client: Client, fields: dict[str, str], sentence: str
) -> None:
    answer = preview(nurse_client, child, sent("birth", **fields))
    assert answer.status_code == 422
    assert sentence in text_of(answer.content.decode())


def test_an_age_takes_the_place_of_a_birth_date_and_back(
    child: Course, nurse_client: Client
) -> None:
    course = corrected(nurse_client, child, sent("birth", age_years="54"))
    assert (course.patient.birth_date, course.age_years) == (None, Decimal(54))
    assert grade_now(course) == 2
    course = corrected(nurse_client, child, sent("birth", **born(CHILD_BORN)))
    assert course.patient.birth_date == CHILD_BORN
    assert grade_now(course) == 0


def test_without_birth_date_each_course_needs_its_age(
    child: Course, clinician: User, nurse_client: Client
) -> None:
    fields = {"mrn": child.patient.mrn, "name": "WEBER, Luca", "birth_date": CHILD_BORN}
    second = admit(clinician, product="another", **fields)
    missing = preview(nurse_client, second, sent("birth", age_years="54"))
    assert "Enter the age at each infusion" in text_of(missing.content.decode())
    corrected(nurse_client, second, sent("birth", age_years="54", age_years_1="53"))
    child.refresh_from_db()
    assert child.age_years == 53


def test_name_sex_and_product_are_corrected_with_the_old_ones_visible(
    child: Course, nurse_client: Client
) -> None:
    corrected(nurse_client, child, sent("name", name="WEBER, Lucas"))
    corrected(nurse_client, child, sent("sex", sex="male"))
    course = corrected(nurse_client, child, sent("product", product="tisagenlecleucel"))
    assert course.patient.name == "WEBER, Lucas"
    unseen = preview(nurse_client, child, sent("name", name="WEBER,\u200b Lucas\u2060"))
    assert "what stands on the chart already" in unseen.content.decode()
    assert (course.patient.sex, course.product) == ("male", "tisagenlecleucel")
    page = nurse_client.get(url("identity", course)).content.decode()
    for old in ("WEBER, Luca", "female", "axicabtagene ciloleucel"):
        assert re.search(rf"<s>{old}</s>", page)
    assert "tisagenlecleucel" in nurse_client.get(url("bedside", course)).content.decode()


def test_a_later_infusion_leaves_entries_before_it_as_baseline_material(
    course: Course, clinician: User, nurse_client: Client
) -> None:
    chart(course, clinician, "vitals", ago(hours=30), temperature_c="39.4")
    later = ago(hours=24).replace(second=0, microsecond=0)
    data = sent("infusion", **infused(later))
    text = text_of(preview(nurse_client, course, data).content.decode())
    assert "would stand before the infusion" in text
    course = corrected(nurse_client, course, data)
    assert (course.infused_at, grade_now(course)) == (later, 0)
    assert nurse_client.get(url("bedside", course)).context["banner"].day in (1, 2)
    assert periods_known_now(course, HEADLINE).first().valid.lower >= later


def test_an_earlier_infusion_grades_what_stood_before_it(
    course: Course, clinician: User, nurse_client: Client
) -> None:
    chart(course, clinician, "vitals", ago(hours=60), temperature_c="39.4")
    assert grade_now(course) == 0
    course = corrected(nurse_client, course, sent("infusion", **infused(ago(hours=72))))
    assert grade_now(course) == 1


def test_a_policy_of_the_whole_course_begins_with_the_earlier_infusion(
    course: Course, clinician: User, nurse_client: Client, administrator: User
) -> None:
    """CPAP counts as grade 4 by a decision for the whole course: before the old infusion too."""
    chart(course, clinician, "oxygen", ago(hours=47), device="cpap")
    version = version_of(policy_from({"cpap_grade": 4}), timezone.now())
    regrade_from_start(course, version, reason="Study", by=administrator, form_id=uuid.uuid4())
    data = sent("infusion", **infused(ago(hours=72)))
    shown = preview(nurse_client, course, data)
    policy = {policy for _, policy in _periods(corrected(nurse_client, course, data))}
    assert policy == {version.pk}
    before = [one for one in shown.context["effects"][0].differences if one.after.grade == 0]
    assert before


def _periods(course: Course) -> list[tuple[datetime, int]]:
    return [(row.valid.lower, row.policy_id) for row in periods_known_now(course, HEADLINE)]


def test_an_infusion_charted_elsewhere_takes_the_offset_of_the_site(
    clinician: User, nurse_client: Client
) -> None:
    """08:00 in Kathmandu was typed as 08:00 here: the age is then counted by the calendar here."""
    infused_at = timezone.now().astimezone(UTC).replace(second=0, microsecond=0) - timedelta(days=3)
    course = admit(clinician, infused_at=infused_at.astimezone(ELSEWHERE))
    assert course.infused_offset_seconds == (5 * 60 + 45) * 60
    page = nurse_client.get(url("identity", course), {"what": "infusion"})
    assert "there" in text_of(page.content.decode())
    with override_settings(TIME_ZONE="America/Chicago"):
        answer = confirm(
            nurse_client, course, sent("infusion", **infused(infused_at + timedelta(hours=5)))
        )
    assert answer.status_code == 302
    course.refresh_from_db()
    assert course.infused_at == infused_at + timedelta(hours=5)
    assert course.infused_offset_seconds in (0, -6 * 3600, -5 * 3600)


@pytest.mark.parametrize(
    ("days", "sentence"),
    [(5 * 366, "more than 5 years ago"), (-2, "ahead of the clock"), (70000, "too long ago")],
)
def test_an_infusion_out_of_bounds_is_refused(
    course: Course, nurse_client: Client, days: int, sentence: str
) -> None:
    day = timezone.now() - timedelta(days=days)
    answer = preview(nurse_client, course, sent("infusion", **infused(day)))
    assert answer.status_code == 422
    assert sentence in text_of(answer.content.decode())


def test_the_time_of_an_infusion_is_typed_in_ascii_figures(
    course: Course, nurse_client: Client
) -> None:
    data = sent("infusion", **infused(ago(hours=50)) | {"infused_time": "\uff11\uff10:00"})
    answer = preview(nurse_client, course, data)
    assert answer.status_code == 422
    assert "24-hour clock" in text_of(answer.content.decode())


def test_a_preview_is_of_the_time_at_which_the_database_would_record_it(
    child: Course, clinician: User, nurse_client: Client
) -> None:
    """The clock of the application is half an hour behind that of the database."""
    chart(child, clinician, "vitals", ago(minutes=10), systolic_mmhg="130", diastolic_mmhg="80")
    with time_machine.travel(ago(minutes=30)):
        shown = preview(nurse_client, child, sent("birth", **born(date(1971, 5, 5))))
    (effect,) = shown.context["effects"]
    assert (effect.grade_before.grade, effect.grade_after.grade) == (0, 0)
    assert effect.grade_changes == 1


def test_an_infusion_long_ago_is_asked_about(course: Course, nurse_client: Client) -> None:
    data = sent("infusion", **infused(timezone.now() - timedelta(days=90)))
    assert "more than 60 days ago" in text_of(preview(nurse_client, course, data).content.decode())
    assert confirm(nurse_client, course, data, confirmed="").status_code == 422
    corrected(nurse_client, course, data)


def test_an_infusion_after_the_end_a_death_or_before_the_birth_is_refused(
    clinician: User, nurse_client: Client
) -> None:
    dead = admit(clinician)
    chart(dead, clinician, "death", ago(hours=5))
    late = preview(nurse_client, dead, sent("infusion", **infused(ago(hours=2))))
    assert "A death is charted before that" in text_of(late.content.decode())
    ended = admit(clinician, product="another")
    end(ended, clinician, ago(hours=5))
    late = preview(nurse_client, ended, sent("infusion", **infused(ago(hours=2))))
    assert "The course ended before that" in text_of(late.content.decode())
    newborn = admit(clinician, birth_date=timezone.localdate(ago(hours=48)))
    early = preview(nurse_client, newborn, sent("infusion", **infused(ago(hours=24 * 9))))
    assert "before the birth date" in text_of(early.content.decode())


def test_an_mrn_in_use_is_refused_with_a_link_to_join(
    child: Course, clinician: User, nurse_client: Client
) -> None:
    other = admit(clinician, mrn="IN 77", name="OKAFOR, Ngozi")
    for typed in ("IN 77", "in  77", "\uff29\uff2e 77"):
        answer = preview(nurse_client, child, sent("mrn", mrn=typed))
        page = answer.content.decode()
        assert answer.status_code == 422
        assert "MRN IN 77 is in use: OKAFOR, Ngozi" in text_of(page)
        assert f"{url('join', child)}?with={other.patient_id}" in page
    (event, *_) = events = recorded(other)
    assert (event.kind, len(events)) == (EventKind.SEARCH, 3), "who read whose number that is"
    assert event.details == {"page": "identity form", "q": "IN 77"}
    assert corrected(nurse_client, child, sent("mrn", mrn="IN 78")).patient.mrn_key == "in 78"


def test_a_second_course_of_the_same_infusion_is_refused(
    child: Course, clinician: User, nurse_client: Client
) -> None:
    fields = {"mrn": child.patient.mrn, "name": "WEBER, Luca", "birth_date": CHILD_BORN}
    second = admit(clinician, product="another", infused_at=child.infused_at, **fields)
    for product in (child.product, child.product.upper(), child.product.replace(" ", "\u00a0 ")):
        answer = preview(nurse_client, second, sent("product", product=product))
        page = answer.content.decode()
        assert answer.status_code == 422
        assert "already has a course" in text_of(page)
        assert url("join", second) in page
        assert url("bedside", child) in page
    own = preview(nurse_client, second, sent("product", product="Another"))
    assert own.status_code == 200


def test_a_preview_is_asked_for_again_where_someone_charted_meanwhile(
    child: Course, clinician: User, nurse_client: Client
) -> None:
    data = sent("birth", **born(date(1971, 5, 5)))
    seen = preview(nurse_client, child, data).context["seen"]
    chart(child, clinician, "vitals", ago(20), temperature_c="38.9")
    stale = data | {"seen": seen, "step": "confirm", "compared": "yes"}
    answer = nurse_client.post(url("identity", child), stale)
    assert answer.status_code == 409
    assert "Someone has charted or corrected" in text_of(answer.content.decode())
    assert not IdentityCorrection.objects.exists()
    again = nurse_client.post(url("identity", child), stale | {"seen": answer.context["seen"]})
    assert again.status_code == 302


def test_the_wristband_must_be_compared(child: Course, nurse_client: Client) -> None:
    answer = confirm(nurse_client, child, sent("name", name="WEBER, Lucas"), compared="")
    assert answer.status_code == 422
    assert "wristband" in text_of(answer.content.decode())
    assert not IdentityCorrection.objects.exists()


def test_a_confirmation_sent_twice_is_recorded_once(child: Course, nurse_client: Client) -> None:
    data = sent("name", name="WEBER, Lucas")
    seen = preview(nurse_client, child, data).context["seen"]
    final = data | {"seen": seen, "step": "confirm", "compared": "yes"}
    answers = [nurse_client.post(url("identity", child), final) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [302, 302]
    assert answers[0]["Location"] == answers[1]["Location"]
    assert IdentityCorrection.objects.count() == 1
    assert "Corrected" in text_of(nurse_client.get(answers[0]["Location"]).content.decode())


def test_back_keeps_what_was_typed(child: Course, nurse_client: Client) -> None:
    data = sent("birth", **born(date(1971, 5, 5)))
    page = nurse_client.post(url("identity", child), data | {"step": "edit"})
    assert page.status_code == 200
    assert 'value="1971"' in page.content.decode()


def test_a_namesake_is_asked_about(child: Course, clinician: User, nurse_client: Client) -> None:
    admit(clinician, name="O\u2019NEIL,  Mary", birth_date=CHILD_BORN, mrn="00999")
    shown = preview(nurse_client, child, sent("name", name="O'Neil, Mary"))
    assert "has the same name and birth date" in text_of(shown.content.decode())


def test_an_unknown_fact_and_number_lead_to_the_page(child: Course, nurse_client: Client) -> None:
    page = reverse("patients:identity", args=[child.pk])
    assert nurse_client.post(page, {"what": "shoe size"}).status_code == 302
    for number in ("x", "999999999999999999", "9" * 30, "٣"):
        assert nurse_client.get(f"{page}?saved={number}&what=nothing").status_code == 200


def test_a_preview_calls_no_grade_0_what_was_never_assessed(
    child: Course, clinician: User, nurse_client: Client
) -> None:
    """Temperature and oxygen were never charted: without the low pressure nothing is known."""
    data = sent("birth", **born(date(1971, 5, 5)))
    text = text_of(preview(nurse_client, child, data).content.decode())
    assert "Grade now: – not assessed could be 2 → Grade 2" in text
    assert "Grade 0" not in text

    chart(child, clinician, "vitals", ago(hours=2), temperature_c="36.8")
    chart(child, clinician, "oxygen", ago(hours=2), device="room_air")
    text = text_of(preview(nurse_client, child, data).content.decode())
    assert "Grade now: Grade 0 could be 2 → Grade 2" in text


def test_an_infusion_that_leaves_nothing_after_it_leaves_no_grade_0(
    clinician: User, nurse_client: Client
) -> None:
    course = admit(clinician, infused_at=ago(hours=10))
    chart(course, clinician, "vitals", ago(hours=8), temperature_c="36.8", systolic_mmhg="120")
    chart(course, clinician, "oxygen", ago(hours=8), device="room_air")
    data = sent("infusion", **infused(ago(hours=4)))
    text = text_of(preview(nurse_client, course, data).content.decode())
    assert re.search(r"Grade now: Grade 0 (could be \d )?→ – not assessed", text)
    current = corrected(nurse_client, course, data)
    row = IdentityCorrection.objects.get()
    page = nurse_client.get(url("identity", current), {"saved": row.pk}).content.decode()
    assert "The grade now is – not assessed" in text_of(page)


def test_the_timeline_explains_a_history_that_a_correction_changed(
    child: Course, nurse_client: Client
) -> None:
    page = nurse_client.get(url("bedside", child))
    poll = {name: str(value) for name, value in page.context["live"].items()}
    corrected(nurse_client, child, sent("birth", **born(date(1971, 5, 5))))

    html = nurse_client.get(url("bedside", child)).content.decode()
    text = text_of(html)
    assert "Birth date corrected: 5 May 2017 → 5 May 1971" in text
    row = html[html.index('class="row-identity') :].split("</li>")[0]
    assert url("identity", child) in row
    assert "J. Ruiz" in row
    assert "passport" in row
    assert "Birth date corrected" in text_of(
        nurse_client.get(url("live", child), poll).content.decode()
    )
    shown = nurse_client.get(url("timeline", child), {"kind": "identity"}).content.decode()
    assert "Birth date corrected: 5 May 2017 → 5 May 1971" in text_of(shown)
    assert "HR" not in text_of(shown)


def test_a_correction_of_one_course_stands_on_its_timeline_alone(
    child: Course, clinician: User, nurse_client: Client
) -> None:
    end(child, clinician)
    fields = {"mrn": child.patient.mrn, "name": "WEBER, Luca", "birth_date": CHILD_BORN}
    second = admit(clinician, product="another", **fields)
    corrected(nurse_client, second, sent("product", product="a third"))
    corrected(nurse_client, second, sent("name", name="WEBER, Lukas"))
    own = text_of(nurse_client.get(url("bedside", second)).content.decode())
    other = text_of(nurse_client.get(url("bedside", child)).content.decode())
    assert "Product corrected: another → a third" in own
    assert "Product corrected" not in other
    for text in (own, other):
        assert "Name corrected: WEBER, Luca → WEBER, Lukas" in text
