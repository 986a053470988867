"""What people state for the summary of a course, append-only."""

import datetime
from decimal import Decimal

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

STAYS = """
CREATE TRIGGER never_truncated BEFORE TRUNCATE ON patients_summarystatement
    FOR EACH STATEMENT EXECUTE FUNCTION patients_refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON patients_summarystatement
    FOR EACH ROW EXECUTE FUNCTION patients_refuse_change();
"""
MAY_GO = """
DROP TRIGGER append_only ON patients_summarystatement;
DROP TRIGGER never_truncated ON patients_summarystatement;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("patients", "0025_known_ends_with_act"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="SummaryStatement",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("form_id", models.UUIDField()),
                (
                    "about",
                    models.CharField(
                        choices=[("fever_at_home", "Fever at home"), ("end_of_crs", "End of CRS")],
                        max_length=20,
                    ),
                ),
                (
                    "answer",
                    models.CharField(
                        choices=[("yes", "yes"), ("no", "no"), ("not_known", "not known")],
                        max_length=10,
                    ),
                ),
                ("on_day", models.DateField(blank=True, null=True)),
                (
                    "temperature_c",
                    models.DecimalField(blank=True, decimal_places=2, max_digits=4, null=True),
                ),
                (
                    "source",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("patient", "the patient"),
                            ("family", "family or carer"),
                            ("record", "a written record or a device"),
                            ("clinic", "another hospital or doctor"),
                        ],
                        max_length=10,
                    ),
                ),
                ("at", models.DateTimeField(blank=True, null=True)),
                ("words", models.CharField(blank=True, max_length=300)),
                ("confirmed", models.CharField(blank=True, max_length=1000)),
                ("recorded_at", models.DateTimeField()),
                ("author_name", models.CharField(max_length=310)),
                (
                    "author_role",
                    models.CharField(
                        choices=[
                            ("ward_clinician", "Ward clinician"),
                            ("icu_reviewer", "ICU reviewer"),
                            ("administrator", "Administrator"),
                            ("auditor", "Auditor"),
                        ],
                        max_length=20,
                    ),
                ),
                ("by_emergency", models.BooleanField(db_default=False, default=False)),
                (
                    "course",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="patients.course",
                    ),
                ),
                (
                    "recorded_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "replaces",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="replaced_by",
                        to="patients.summarystatement",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["course", "recorded_at"], name="statement_in_order")
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("course", "form_id"), name="statement_form_once"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("replaces", None)),
                        fields=("course", "about"),
                        name="statement_first_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("about__in", ["fever_at_home", "end_of_crs"]),
                            ("answer__in", ["yes", "no", "not_known"]),
                            ("source__in", ["", "patient", "family", "record", "clinic"]),
                            (
                                "author_role__in",
                                ["ward_clinician", "icu_reviewer", "administrator", "auditor"],
                            ),
                        ),
                        name="statement_known_words",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("about", "fever_at_home"), _negated=True),
                            models.Q(
                                models.Q(("at", None)),
                                models.Q(
                                    models.Q(
                                        ("answer", "yes"),
                                        ("on_day__isnull", False),
                                        ("temperature_c__isnull", False),
                                        models.Q(("source", ""), _negated=True),
                                    ),
                                    models.Q(
                                        ("answer", "no"),
                                        ("on_day", None),
                                        ("temperature_c", None),
                                        models.Q(("source", ""), _negated=True),
                                    ),
                                    models.Q(
                                        ("answer", "not_known"),
                                        ("on_day", None),
                                        ("source", ""),
                                        ("temperature_c", None),
                                    ),
                                    _connector="OR",
                                ),
                            ),
                            _connector="OR",
                        ),
                        name="statement_of_fever_whole",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("about", "end_of_crs"), _negated=True),
                            models.Q(
                                models.Q(("on_day", None), ("source", ""), ("temperature_c", None)),
                                models.Q(
                                    models.Q(
                                        ("answer", "yes"),
                                        ("at__isnull", False),
                                        ("at__lte", models.F("recorded_at")),
                                    ),
                                    models.Q(("answer", "not_known"), ("at", None)),
                                    _connector="OR",
                                ),
                            ),
                            _connector="OR",
                        ),
                        name="statement_of_end_whole",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("temperature_c", None),
                            models.Q(
                                ("temperature_c__gte", Decimal("25")),
                                ("temperature_c__lte", Decimal("45")),
                            ),
                            _connector="OR",
                        ),
                        name="statement_temperature_possible",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("replaces", None),
                            models.Q(("words", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="statement_correction_says_why",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "recorded_at__range",
                                (
                                    datetime.datetime(1900, 1, 1, 0, 0, tzinfo=datetime.UTC),
                                    datetime.datetime(2200, 1, 1, 0, 0, tzinfo=datetime.UTC),
                                ),
                            ),
                            models.Q(
                                ("at", None),
                                (
                                    "at__range",
                                    (
                                        datetime.datetime(1900, 1, 1, 0, 0, tzinfo=datetime.UTC),
                                        datetime.datetime(2200, 1, 1, 0, 0, tzinfo=datetime.UTC),
                                    ),
                                ),
                                _connector="OR",
                            ),
                        ),
                        name="statement_in_calendar",
                    ),
                ],
            },
        ),
        migrations.RunSQL(STAYS, MAY_GO),
    ]
