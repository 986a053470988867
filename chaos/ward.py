"""Create nurses and courses: ``python -m chaos.ward``, run in the folder of a served copy.

Command line: how many nurses and how many courses. Prints them as one line of JSON.
"""

from __future__ import annotations

import json
import os
import sys
import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

PASSWORD: Final = "broken on purpose 1"  # noqa: S105 - of a database that lives some minutes
INFUSED_BEFORE: Final = timedelta(days=20)


@dataclass(frozen=True, slots=True)
class Ward:
    """Usernames of the nurses, ids of the courses, and when all of them were infused."""

    nurses: tuple[str, ...]
    courses: tuple[str, ...]
    infused_at: datetime

    @classmethod
    def parse(cls, line: str) -> Ward:
        """Read what ``main`` prints."""
        found = json.loads(line)
        infused_at = datetime.fromisoformat(found["infused_at"])
        return cls(tuple(found["nurses"]), tuple(found["courses"]), infused_at)


def main() -> None:
    """Create nurses and courses, and print them."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crs_app.settings")
    import django

    django.setup()
    from crs_app.local_postgres import ensure_server

    ensure_server()
    nurses, courses = (int(word) for word in sys.argv[1:3])
    sys.stdout.write(f"{json.dumps(_fill(nurses, courses))}\n")


def _fill(nurses: int, courses: int) -> dict[str, object]:
    from crs_app.accounts.models import Role, User
    from crs_app.accounts.wards import let_work_everywhere
    from patients.models import EntryKind
    from patients.recording.admit import Admission, admit_patient
    from patients.recording.inputs import NewEntry, Submission

    infused_at = datetime.now(UTC).replace(second=0, microsecond=0) - INFUSED_BEFORE
    opened = []
    author = User.objects.create_user("admitting", role=Role.WARD_CLINICIAN, last_name="Admitting")
    for number in range(courses):
        admission = Admission(
            mrn=f"CHAOS-{number}", name=f"CHAOS, Patient {number}", sex="female",
            product="axicabtagene ciloleucel", infused_at=infused_at,
            ward="Chaos", bed=str(number), birth_date=date(1970, 3, 1),
        )  # fmt: skip
        weight = NewEntry(EntryKind.WEIGHT, infused_at, {"weight_kg": "80"})
        submission = Submission(by=author, form_id=uuid.uuid4())
        opened.append(str(admit_patient(admission, [weight], submission).course.pk))
    usernames = [f"nurse-{number}" for number in range(nurses)]
    for username in usernames:
        nurse = User.objects.create_user(
            username, password=PASSWORD, role=Role.WARD_CLINICIAN, last_name=username
        )
        let_work_everywhere(nurse)
    return {"nurses": usernames, "courses": opened, "infused_at": infused_at.isoformat()}


if __name__ == "__main__":
    main()
