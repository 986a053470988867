"""The three rules of a patient's age: at the infusion, at an instant, and in words.

Each counts completed years from the birth date, else takes the age charted at admission. They
differ in the calendar: that of the place of the infusion, or that of the site.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Final

from django.utils import timezone

from grading.engine.facts import CourseFacts
from grading.engine.times import in_zone
from patients.models import Course


def age_at_infusion(course: Course) -> int:
    """Return the completed years at the infusion, as grading counts them."""
    return facts_of_age(course).age_in_completed_years


def facts_of_age(course: Course) -> CourseFacts:
    """Return what grading knows of the age at the infusion."""
    return CourseFacts(
        infused_at=course.infused_there,
        birth_date=course.patient.birth_date,
        age_years=course.age_years,
        developmental_delay=course.patient.developmental_delay,
    )


def age_in_years(course: Course, at: datetime) -> int:
    """Return the completed years at ``at``; the age at admission where no birth date is known."""
    born = course.patient.birth_date
    return int(course.age_years or 0) if born is None else _months(born, at) // 12


_NEWBORN_DAYS: Final = 28
_MONTHS_UP_TO: Final = 24


def patient_age_text(course: Course, at: datetime) -> str:
    """Return the age at ``at`` in words, as ``age_text_of`` has it.

    The age at admission where no birth date is known; "" where neither is.
    """
    born = course.patient.birth_date
    if born is None:
        return "" if course.age_years is None else f"{int(course.age_years)} y"
    return age_text_of(born, at)


def age_text_of(born: date, at: datetime) -> str:
    """Return an age in words: "18 d" for a newborn, "14 mo" below two years, then "61 y".

    Between 28 days and the first completed month the age stays in days.
    """
    days, months = (_today(at) - born).days, _months(born, at)
    if days < _NEWBORN_DAYS or months < 1:
        return f"{days} d"
    return f"{months} mo" if months < _MONTHS_UP_TO else f"{months // 12} y"


def _today(at: datetime) -> date:
    return in_zone(at, timezone.get_default_timezone()).date()


def _months(born: date, at: datetime) -> int:
    """Return the completed months at ``at`` by the calendar of the site."""
    today = _today(at)
    return (today.year - born.year) * 12 + today.month - born.month - (today.day < born.day)
