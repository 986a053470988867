"""In any order of entries, the stored history equals a recomputation from all of them."""

import random
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from crs_app.accounts.models import User
from grading.engine.entries import in_force
from grading.service import regrade
from grading.systems import HEADLINE
from patients.models import Course, Entry, EntryKind, GradeCheckpoint
from patients.queries.entries import course_facts, parse_entry
from patients.queries.grades import periods_known_at
from patients.recording.inputs import NewEntry, Submission
from patients.recording.record import record_entries
from patients.recording.verify import differences
from tests.factories import admit

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def random_draft(pick: random.Random, at: datetime) -> NewEntry:
    """One plausible entry; equal instants are frequent on purpose."""
    choices = [
        ("vitals", {"temperature_c": pick.choice(["37.2", "38", "39.4"])}),
        ("vitals", {"systolic_mmhg": pick.choice(["82", "92", "118"]), "diastolic_mmhg": "50"}),
        ("oxygen", {"device": pick.choice(["room_air", "nasal_cannula", "simple_mask", "cpap"])}),
        (
            "vasopressor",
            {
                "drug": pick.choice(["norepinephrine", "dopamine"]),
                "rate": pick.choice(["0", "0.1", "0.3"]),
                "unit": "ug/kg/min",
            },
        ),
        ("vasopressor", {"drug": "vasopressin", "rate": None}),
        ("fluid_bolus", {"volume_ml": "500"}),
        ("weight", {"weight_kg": pick.choice(["60", "80", "95"])}),
        ("toxicity", {"term": "confusion", "grade": str(pick.randrange(5))}),
        ("judgement", {"about": "relative_hypotension", "present": pick.random() < 0.5}),
        ("symptom", {"term": pick.choice(["rigors", "seizure"]), "present": True}),
        ("baseline", {"systolic_mmhg": pick.choice(["90", "126", "150"])}),
        ("death", {}),
    ]
    kind, body = pick.choices(choices, weights=[8] * (len(choices) - 2) + [2, 1])[0]
    if pick.random() < 0.1 and kind not in ("weight", "baseline"):
        body["attribution"] = pick.choice(["other", "uncertain"])
    return NewEntry(EntryKind(kind), at, body)


def random_act(pick: random.Random, course: Course, recorded_at: datetime) -> list[NewEntry]:
    """New entries, mostly of the last hours, or a correction or retraction of an older one."""
    late = timedelta(minutes=30 * pick.choice([0, 0, 0, 1, 2, 7, 40, 100]))
    at = max(recorded_at - late, START - timedelta(hours=2))
    active = list(Entry.objects.filter(course=course, replaced_by=None).exclude(kind="retraction"))
    what = pick.random()
    if active and what < 0.08:
        taken_back = pick.choice(active)
        return [NewEntry(EntryKind.RETRACTION, taken_back.at, {}, taken_back.pk)]
    if active and what < 0.2:
        wrong = pick.choice(active)
        right = random_draft(pick, pick.choice([wrong.at, at]))
        return [NewEntry(right.kind, right.at, right.body, wrong.pk)]
    return [random_draft(pick, at) for _ in range(pick.choice([1, 1, 2, 3]))]


@pytest.mark.parametrize("seed", range(6))
def test_stored_equals_recomputed_now_and_as_known_then(
    seed: int, clinician: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grading.service.CHECKPOINT_EVERY", 7)
    pick = random.Random(seed)  # noqa: S311 - no secret
    weight = pick.choice([None, "80"])
    course = admit(clinician, weight_kg=weight, infused_at=START)
    recorded_at = course.acts.get().recorded_at
    clinical = START
    for _ in range(70):
        recorded_at += timedelta(seconds=1)
        clinical += timedelta(minutes=30 * pick.choice([0, 1, 1, 3]))
        drafts = random_act(pick, course, clinical)
        form = Submission(by=clinician, form_id=uuid.uuid4(), recorded_at=recorded_at)
        record_entries(course, drafts, form)
        if pick.random() < 0.3:
            assert differences(course) == []
    assert differences(course) == []
    assert GradeCheckpoint.objects.filter(course=course).count() > 3
    for act in course.acts.order_by("recorded_at"):
        assert stored_then(course, act.recorded_at) == recomputed_then(course, act.recorded_at)


def stored_then(course: Course, known: datetime) -> list[tuple[datetime, datetime | None, int]]:
    rows = periods_known_at(course, HEADLINE, known)
    return [(row.valid.lower, row.valid.upper, row.grade, row.at_most) for row in rows]


def recomputed_then(course: Course, known: datetime) -> list[tuple[datetime, datetime | None, int]]:
    rows = Entry.objects.filter(course=course, recorded_at__lte=known)
    entries = in_force([parse_entry(row) for row in rows.order_by("at", "recorded_at", "place")])
    periods = regrade(course_facts(course), entries).periods
    return [(p.start, p.end, p.grade, p.at_most) for p in periods]
