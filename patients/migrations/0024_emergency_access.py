"""Who opened a patient of another ward, when and why; a course is never without a ward."""

import datetime

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

STAYS = """
CREATE TRIGGER never_truncated BEFORE TRUNCATE ON patients_emergencyaccess
    FOR EACH STATEMENT EXECUTE FUNCTION patients_refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON patients_emergencyaccess
    FOR EACH ROW EXECUTE FUNCTION patients_refuse_change();
"""
MAY_GO = """
DROP TRIGGER append_only ON patients_emergencyaccess;
DROP TRIGGER never_truncated ON patients_emergencyaccess;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("patients", "0023_ward_of_course"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name="course",
            name="on_ward",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="accounts.ward",
            ),
        ),
        migrations.CreateModel(
            name="EmergencyAccess",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("form_id", models.UUIDField(unique=True)),
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
                ("ward", models.CharField(max_length=60)),
                ("bed", models.CharField(blank=True, max_length=30)),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("covering", "I am covering for this ward"),
                            ("called", "I was called to this patient in an emergency"),
                            ("advice", "I was asked for advice about this patient"),
                            ("arriving", "This patient is coming to my ward"),
                            ("other", "Another reason"),
                        ],
                        max_length=20,
                    ),
                ),
                ("words", models.CharField(max_length=300)),
                ("recorded_at", models.DateTimeField()),
                ("until", models.DateTimeField()),
                (
                    "course",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="patients.course",
                    ),
                ),
                (
                    "recorded_by",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "emergency accesses",
                "indexes": [
                    models.Index(fields=["recorded_by", "until"], name="emergency_in_force"),
                    models.Index(fields=["-recorded_at"], name="emergency_in_order"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("reason__in", ["covering", "called", "advice", "arriving", "other"])
                        ),
                        name="emergency_known_reason",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("words", ""), _negated=True), name="emergency_says_why"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "until",
                                django.db.models.expressions.CombinedExpression(
                                    models.F("recorded_at"),
                                    "+",
                                    models.Value(datetime.timedelta(seconds=14400)),
                                ),
                            )
                        ),
                        name="emergency_lasts_four_hours",
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
                            (
                                "until__range",
                                (
                                    datetime.datetime(1900, 1, 1, 0, 0, tzinfo=datetime.UTC),
                                    datetime.datetime(2200, 1, 1, 0, 0, tzinfo=datetime.UTC),
                                ),
                            ),
                        ),
                        name="emergency_in_calendar",
                    ),
                ],
            },
        ),
        migrations.RunSQL(STAYS, MAY_GO),
        migrations.AddField(
            model_name="transfer",
            name="by_emergency",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="identitycorrection",
            name="by_emergency",
            field=models.BooleanField(db_default=False, default=False),
        ),
    ]
