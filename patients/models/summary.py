"""Table of what people state for the summary of a course: it is never graded."""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from crs_app.accounts.models import PEOPLE
from grading.engine.vocabulary import VITAL_SIGN
from patients.models.charted_times import within_calendar
from patients.models.course import Course

_TEMPERATURE: Final = VITAL_SIGN["temperature_c"].limits


class StatedAbout(models.TextChoices):
    """What is asked on the summary."""

    FEVER_AT_HOME = "fever_at_home", "Fever at home"
    END_OF_CRS = "end_of_crs", "End of CRS"


class StatedAnswer(models.TextChoices):
    """An answer; *not known* withdraws the answer before it."""

    YES = "yes", "yes"
    NO = "no", "no"
    NOT_KNOWN = "not_known", "not known"


class FeverSource(models.TextChoices):
    """Who says that there was a fever at home, or none."""

    PATIENT = "patient", "the patient"
    FAMILY = "family", "family or carer"
    RECORD = "record", "a written record or a device"
    CLINIC = "clinic", "another hospital or doctor"


class SummaryStatement(models.Model):
    """Somebody stated a fact beside the chart; rows are append-only and change no grade.

    A later row that ``replaces`` it is a correction. Of a fever at home ``on_day`` is the date,
    ``temperature_c`` the value and ``source`` whose word it is; of the end of CRS ``at`` is the
    time, and ``confirmed`` what the author was asked about it and confirmed. ``words`` say why it
    was corrected. The author's name and role are those of that time.
    """

    course = models.ForeignKey(Course, on_delete=models.PROTECT, related_name="+", db_index=False)
    form_id = models.UUIDField()
    about = models.CharField(max_length=20, choices=StatedAbout)
    answer = models.CharField(max_length=10, choices=StatedAnswer)
    on_day = models.DateField(null=True, blank=True)
    temperature_c = models.DecimalField(max_digits=4, decimal_places=2, null=True, blank=True)
    source = models.CharField(max_length=10, choices=FeverSource, blank=True)
    at = models.DateTimeField(null=True, blank=True)
    words = models.CharField(max_length=300, blank=True)
    confirmed = models.CharField(max_length=1000, blank=True)
    replaces = models.OneToOneField(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="replaced_by"
    )
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    author_name = models.CharField(max_length=310)
    author_role = models.CharField(max_length=20, choices=PEOPLE)
    by_emergency = models.BooleanField(default=False, db_default=False)

    class Meta:
        constraints = (
            models.UniqueConstraint(name="statement_form_once", fields=("course", "form_id")),
            models.UniqueConstraint(
                name="statement_first_once",
                fields=("course", "about"),
                condition=Q(replaces=None),
            ),
            models.CheckConstraint(
                name="statement_known_words",
                condition=Q(about__in=StatedAbout.values)
                & Q(answer__in=StatedAnswer.values)
                & Q(source__in=["", *FeverSource.values])
                & Q(author_role__in=[role for role, _ in PEOPLE]),
            ),
            models.CheckConstraint(
                name="statement_of_fever_whole",
                condition=~Q(about=StatedAbout.FEVER_AT_HOME)
                | Q(
                    Q(at=None),
                    Q(answer=StatedAnswer.YES, on_day__isnull=False, temperature_c__isnull=False)
                    & ~Q(source="")
                    | Q(answer=StatedAnswer.NO, on_day=None, temperature_c=None) & ~Q(source="")
                    | Q(
                        answer=StatedAnswer.NOT_KNOWN,
                        on_day=None,
                        temperature_c=None,
                        source="",
                    ),
                ),
            ),
            models.CheckConstraint(
                name="statement_of_end_whole",
                condition=~Q(about=StatedAbout.END_OF_CRS)
                | Q(
                    Q(on_day=None, temperature_c=None, source=""),
                    Q(answer=StatedAnswer.YES, at__isnull=False, at__lte=F("recorded_at"))
                    | Q(answer=StatedAnswer.NOT_KNOWN, at=None),
                ),
            ),
            models.CheckConstraint(
                name="statement_temperature_possible",
                condition=Q(temperature_c=None)
                | Q(
                    temperature_c__gte=_TEMPERATURE.lowest,
                    temperature_c__lte=_TEMPERATURE.highest,
                ),
            ),
            models.CheckConstraint(
                name="statement_correction_says_why",
                condition=Q(replaces=None) | ~Q(words=""),
            ),
            models.CheckConstraint(
                name="statement_in_calendar",
                condition=within_calendar("recorded_at") & (Q(at=None) | within_calendar("at")),
            ),
        )
        indexes = (models.Index(name="statement_in_order", fields=("course", "recorded_at")),)

    def __str__(self) -> str:
        return f"{self.get_about_display()}: {self.answer}"
