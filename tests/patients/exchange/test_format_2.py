"""Course files of the second format: written exactly where needed, and the same when read again."""

from __future__ import annotations

import json
import random
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from crs_app.accounts.models import User
from crs_app.record.models import Event
from grading.course_file import CourseFileError, read_course
from grading.engine.entries import Entry
from grading.engine.entry_json import to_words
from grading.engine.scale_vocabulary import (
    ICE_PARTS,
    AdmissionSetting,
    BloodProductName,
    ConsciousnessLevel,
    NeuroSignName,
    NotPerformedReason,
    SeizureType,
)
from patients.exchange.course_file import import_course
from patients.exchange.deidentified import OLDER, ExportKey, deidentified
from patients.models import Course, Fact, IdentityCorrection, Patient
from patients.queries.identity import courses_of_patient
from patients.recording.identity import IdentityChange, correct_identity, identity_token
from tests.factories import chart, sending
from tests.patients.display.every_kind import EVERY_KIND
from tests.patients.exchange.test_deidentified import as_exported
from tests.patients.exchange.test_export_cohort import rows as cohort_rows
from tests.patients.exchange.test_export_file import document_of, rows_of, sent, text_of
from tests.patients.policy.policy_form import Make

pytestmark = pytest.mark.django_db
JsonObject = dict[str, Any]
INFUSED = datetime.fromisoformat("2024-03-01T06:00:00+00:00")
SECRET = "SECRET words"


def document(*entries: JsonObject, mrn: str = "I1", **patient: Any) -> JsonObject:
    return {
        "format": "crs-course/2",
        "patient": {"mrn": mrn, "name": "Import, Ida", "age_years": 12, "sex": "female", **patient},
        "therapy": {"product": "CAR-T", "infused_at": INFUSED.isoformat()},
        "entries": list(entries),
    }


NEW: list[tuple[str, JsonObject]] = [
    ("ice", {"score": "9"}),
    ("capd", {"score": 11}),
    ("consciousness", {"level": "alert"}),
    ("seizure", {"seizure_type": "focal"}),
    ("neuro_sign", {"sign": "posturing", "present": False}),
    ("admission", {"setting": "ward"}),
    ("blood_product", {"product": "platelets"}),
    ("oxygen", {"device": "invasive_ventilation", "purpose": "airway_protection"}),
    ("oxygen", {"device": "room_air", "purpose": "hypoxia"}),
    ("judgement", {"about": "prolonged_reaction", "present": True}),
    ("lab", {"analyte": "ldh", "value": "300", "unit": "U/L"}),
    ("lab", {"analyte": "triglycerides", "value": "300", "unit": "mg/dL"}),
    ("lab", {"analyte": "hemoglobin", "value": "90", "unit": "g/L"}),
    ("death", {"due_to": ["crs"]}),
]
BEFORE = ("vitals", "vasopressor", "fluid_bolus", "weight", "baseline", "risk", "toxicity",
          "symptom", "treatment", "note", "not_observed")  # fmt: skip


def test_a_course_with_nothing_new_is_a_file_of_the_first_format(
    course: Course, nurse: User, nurse_client: Client
) -> None:
    for kind in BEFORE:
        chart(course, nurse, kind, **EVERY_KIND[kind][0][0])
    chart(course, nurse, "oxygen", device="room_air")
    chart(course, nurse, "death")
    text = text_of(sent(nurse_client, course))
    assert '"format": "crs-course/1"' in text
    for word in ("developmental_delay", "purpose", "due_to", "astct", "ice_due"):
        assert word not in text
    read_course(text)


@pytest.mark.parametrize(("kind", "body"), NEW)
def test_each_new_thing_alone_makes_a_file_of_the_second_format(
    course: Course, nurse: User, nurse_client: Client, kind: str, body: JsonObject
) -> None:
    chart(course, nurse, kind, **body)
    for contents in ("identified", "deidentified"):
        written = document_of(sent(nurse_client, course, contents=contents))
        assert written["format"] == "crs-course/2"
        read_course(written)
        with pytest.raises(CourseFileError, match="crs-course/2"):
            read_course({**written, "format": "crs-course/1"})


def test_a_decided_scale_parameter_makes_a_file_of_the_second_format(
    course: Course, nurse: User, nurse_client: Client, decided: Make
) -> None:
    chart(course, nurse, "vitals", temperature_c="39")
    assert document_of(sent(nurse_client, course))["format"] == "crs-course/1"
    decided(icans_capd_below_years=18)
    written = document_of(sent(nurse_client, course))
    assert written["format"] == "crs-course/2"
    [later] = written["later_policies"]
    assert later["policy"]["icans_capd_below_years"] == 18
    assert "icans_capd_below_years" not in written["policy"]
    facts = read_course(written).facts
    assert (facts.policy.icans_capd_below_years, facts.under(1).policy.icans_capd_below_years) == (
        12,
        18,
    )


def test_an_answer_about_development_makes_a_file_of_the_second_format(
    nurse: User, nurse_client: Client
) -> None:
    course = import_course(json.dumps(document(developmental_delay=False)), [nurse])
    for contents in ("identified", "deidentified"):
        written = document_of(sent(nurse_client, course, contents=contents))
        assert written["format"] == "crs-course/2"
        assert written["patient"]["developmental_delay"] is False
        assert read_course(written).facts.developmental_delay is False


# The same again


def _random_entry(chance: random.Random) -> JsonObject:
    """An entry of a new kind, or one of before with what is new of it."""
    reason = chance.choice([None, *map(str, NotPerformedReason)])
    undone = {"performed": False} | ({} if reason is None else {"reason": reason})
    parts = {part: chance.randint(0, most) for part, most in ICE_PARTS.items()}
    some = dict(chance.sample(sorted(parts.items()), chance.randint(1, len(parts))))
    maybe = chance.choice([True, False, None])
    seizure: JsonObject = {"seizure_type": str(chance.choice(list(SeizureType)))}
    for name, value in (
        ("duration_minutes", chance.choice([0, "0.5", 5, "5.01", 1440])),
        ("resolved", maybe),
        ("repetitive_without_recovery", chance.choice([True, False])),
    ):
        if chance.random() < 0.6:
            seizure[name] = value
    kind, body = chance.choice([
        ("ice", {"score": chance.randint(0, 10)}), ("ice", some), ("ice", undone),
        ("capd", {"score": str(chance.randint(0, 32))}), ("capd", undone),
        ("consciousness", {"level": str(chance.choice(list(ConsciousnessLevel)))}),
        ("seizure", seizure),
        ("neuro_sign", {
            "sign": str(chance.choice(list(NeuroSignName))),
            "present": chance.choice([True, False]),
        }),
        ("admission", {
            "setting": str(chance.choice(list(AdmissionSetting))), "because_of_crs": maybe,
        }),
        ("blood_product", {"product": str(chance.choice(list(BloodProductName)))}),
        ("oxygen", {"device": "cpap", "purpose": chance.choice(["hypoxia", "airway_protection"])}),
        ("judgement", {"about": "prolonged_reaction", "present": chance.choice([True, False])}),
        ("lab", {"analyte": "hemoglobin", "value": "7.40", "unit": "g/dL"}),
        ("vitals", {"temperature_c": "38.2"}),
    ])  # fmt: skip
    at = INFUSED + timedelta(minutes=chance.randint(-600, 6000))
    late = timedelta(minutes=chance.choice([0, 0, 7, 300]))
    words = {"kind": kind, "at": at.isoformat(), "recorded_at": (at + late).isoformat(), **body}
    if chance.random() < 0.3:
        words["attribution"] = chance.choice(["crs", "other", "uncertain"])
    if chance.random() < 0.2:
        words["note"] = SECRET
    return words


def random_document(seed: int) -> JsonObject:
    """A course of random entries, some of them corrected or retracted later; perhaps a death."""
    chance = random.Random(seed)  # noqa: S311
    entries = [{**_random_entry(chance), "id": f"e{number}"} for number in range(40)]
    for number in range(0, 40, 5):
        old = entries[number]
        later = datetime.fromisoformat(old["recorded_at"]) + timedelta(hours=1)
        change = {"id": f"c{number}", "recorded_at": later.isoformat(), "replaces": old["id"]}
        whole = {key: value for key, value in old.items() if key not in ("id", "recorded_at")}
        is_error = chance.random() < 0.5
        entries.append(
            {"kind": "retraction", "at": old["at"], **change} if is_error else {**whole, **change}
        )
    if seed % 2:
        at = (INFUSED + timedelta(minutes=6100)).isoformat()
        due_to = chance.choice([["icans"], ["crs", "iec_hs"], ["crs", "icans", "iec_hs"]])
        entries.append({"kind": "death", "at": at, "due_to": due_to})
    return document(*entries, mrn=f"R{seed}", developmental_delay=chance.choice([True, False]))


def in_plain_words(entries: tuple[Entry, ...], shift: timedelta = timedelta(0)) -> list[JsonObject]:
    """Every entry without its own id; what it replaces is named by its place in time."""
    by_id = {entry.id: entry for entry in entries}
    found = []
    for entry in entries:
        words = to_words(entry)
        del words["id"]
        for name in ("at", "recorded_at"):
            words[name] = (datetime.fromisoformat(words[name]) - shift).isoformat()
        if entry.replaces is not None:
            old = by_id[entry.replaces]
            words["replaces"] = [old.kind, (old.recorded_at - shift).isoformat()]
        found.append(words)
    return sorted(found, key=lambda words: json.dumps(words, sort_keys=True, default=str))


@pytest.mark.parametrize("seed", range(6))
def test_a_random_course_is_the_same_when_imported_exported_and_imported_again(
    nurse: User, nurse_client: Client, seed: int
) -> None:
    original = random_document(seed)
    read = read_course(original)
    course = import_course(json.dumps(original), [nurse])
    written = document_of(sent(nurse_client, course))
    assert in_plain_words(read_course(written).entries) == in_plain_words(read.entries)
    assert read_course(written).facts.developmental_delay is read.facts.developmental_delay
    written["patient"] |= {"mrn": f"AGAIN-{seed}", "name": "Again, Ada"}
    second = document_of(sent(nurse_client, import_course(json.dumps(written), [nurse])))
    assert in_plain_words(read_course(second).entries) == in_plain_words(read.entries)


@pytest.mark.parametrize("seed", range(4))
def test_a_random_course_deidentified_has_every_value_and_no_text(
    nurse: User, nurse_client: Client, seed: int
) -> None:
    course = import_course(json.dumps(random_document(seed)), [nurse])
    known = document_of(sent(nurse_client, course))
    hidden = document_of(sent(nurse_client, course, contents="deidentified"))
    assert SECRET in json.dumps(known)
    assert SECRET not in json.dumps(hidden)
    for words in known["entries"]:
        words.pop("note", None)
    first, second = (
        datetime.fromisoformat(one["therapy"]["infused_at"]) for one in (known, hidden)
    )
    found = in_plain_words(read_course(hidden).entries, second - first)
    assert found == in_plain_words(read_course(known).entries)


@pytest.mark.parametrize("limit", [95, 97, 98, 110])
def test_an_age_over_89_stays_on_its_side_of_the_age_for_capd(limit: int) -> None:
    whole = document(age_years="97")
    whole["policy"] = {"icans_capd_below_years": limit}
    hidden = deidentified(as_exported(whole), ExportKey(b"key"), frozenset()).document
    assert hidden["patient"]["age_years"] == str(OLDER)
    facts = read_course(hidden).facts
    assert (facts.age_in_completed_years < facts.policy.icans_capd_below_years) == (limit > 97)


# CSV


def test_the_lines_of_a_course_have_columns_of_every_new_key(
    course: Course, nurse: User, nurse_client: Client
) -> None:
    for kind, body in NEW:
        chart(course, nurse, kind, **body)
    seizure = {"duration_minutes": "2.5", "resolved": True, "repetitive_without_recovery": False}
    chart(course, nurse, "seizure", seizure_type="generalised", **seizure)
    chart(course, nurse, "ice", performed=False, reason="language")
    rows = rows_of(text_of(sent(nurse_client, course, format="csv")))
    found = {kind: [row for row in rows if row["kind"] == kind] for kind, _ in NEW}
    assert found["ice"][0]["score"] == "9"
    assert (found["ice"][1]["performed"], found["ice"][1]["reason"]) == ("no", "language")
    assert found["capd"][0]["score"] == "11"
    assert found["consciousness"][0]["level"] == "alert"
    whole = found["seizure"][1]
    assert [whole[name] for name in ("seizure_type", *seizure)] == [
        "generalised",
        "2.5",
        "yes",
        "no",
    ]
    assert (found["neuro_sign"][0]["sign"], found["neuro_sign"][0]["present"]) == (
        "posturing",
        "no",
    )
    assert (found["admission"][0]["setting"], found["admission"][0]["because_of_crs"]) == (
        "ward",
        "",
    )
    assert found["blood_product"][0]["blood_product"] == "platelets"
    assert found["oxygen"][0]["purpose"] == "airway_protection"
    assert found["death"][0]["due_to"] == "crs"
    assert found["judgement"][0]["about"] == "prolonged_reaction"
    names = list(rows[0])
    assert names.index("what") < names.index("attention")
    assert names.index("due_to") < names.index("scale")


@pytest.mark.parametrize(("answer", "cell"), [(True, "yes"), (False, "no"), (None, "")])
def test_the_line_of_a_cohort_has_the_answer_about_development(
    nurse: User, intensivist_client: Client, answer: bool | None, cell: str
) -> None:
    text = json.dumps(document(developmental_delay=answer)).replace(
        "2024-03-01", f"{timezone.localdate() - timedelta(days=2)}"
    )
    import_course(text, [nurse])
    [row] = cohort_rows(intensivist_client)
    assert row["developmental_delay"] == cell
    assert list(row).index("developmental_delay") == list(row).index("died_at") + 1


# A patient whom the chart has already


def _course_of(day: int, **patient: Any) -> str:
    whole = document(**patient)
    whole["therapy"]["infused_at"] = f"2024-03-{day:02}T06:00:00+00:00"
    return json.dumps(whole)


def test_the_first_answer_of_a_later_file_is_recorded_with_its_author(
    nurse: User, nurse_client: Client
) -> None:
    first = import_course(_course_of(1), [nurse])
    second = import_course(_course_of(20, developmental_delay=True), [nurse])
    assert Patient.objects.get().developmental_delay is True
    correction = IdentityCorrection.objects.get()
    assert correction.before == {"developmental_delay": None}
    assert correction.after == {"developmental_delay": True}
    assert (correction.recorded_by, correction.reason) == (nurse, "Answered at admission")
    event = Event.objects.get(kind="identity")
    assert (event.course_id, event.details) == (first.pk, {"what": "Developmental delay"})
    for course in (first, second):
        course.refresh_from_db()
        assert course.identity_version == (1 if course == first else 0)
        assert document_of(sent(nurse_client, course))["patient"]["developmental_delay"] is True
    import_course(_course_of(20, developmental_delay=True), [nurse])
    assert IdentityCorrection.objects.count() == 1


def test_another_answer_than_the_chart_has_is_refused_by_place(nurse: User) -> None:
    import_course(_course_of(1, developmental_delay=False), [nurse])
    with pytest.raises(CourseFileError, match=r"patient\.developmental_delay: The chart of"):
        import_course(_course_of(20, developmental_delay=True), [nurse])
    assert Course.objects.count() == 1
    import_course(_course_of(20), [nurse])
    assert Patient.objects.get().developmental_delay is False


def test_a_file_imported_again_after_its_answer_was_corrected_changes_nothing(nurse: User) -> None:
    course = import_course(_course_of(1, developmental_delay=False), [nurse])
    seen = identity_token(list(courses_of_patient(course.patient_id)))
    change = IdentityChange(Fact.DELAY, "school report", seen, {"developmental_delay": True})
    correct_identity(course.patient_id, change, sending(nurse))
    import_course(_course_of(1, developmental_delay=False), [nurse])
    assert Patient.objects.get().developmental_delay is True


def test_a_file_as_known_before_a_correction_has_the_answer_of_then(
    nurse: User, nurse_client: Client
) -> None:
    course = import_course(_course_of(1, developmental_delay=False), [nurse])
    then = timezone.now()
    seen = identity_token(list(courses_of_patient(course.patient_id)))
    change = IdentityChange(Fact.DELAY, "school report", seen, {"developmental_delay": True})
    correct_identity(course.patient_id, change, sending(nurse))
    known = document_of(sent(nurse_client, course, known_at=then.isoformat()))
    assert known["patient"]["developmental_delay"] is False
    assert document_of(sent(nurse_client, course))["patient"]["developmental_delay"] is True
