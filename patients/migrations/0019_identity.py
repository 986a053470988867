import datetime

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """Add tables of corrected identities and joined records, and the keys of record numbers."""

    dependencies = [
        ("patients", "0018_course_policy_in_calendar"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="IdentityCorrection",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("form_id", models.UUIDField()),
                (
                    "fact",
                    models.CharField(
                        choices=[
                            ("name", "Name"),
                            ("birth", "Birth date"),
                            ("sex", "Sex"),
                            ("mrn", "MRN"),
                            ("infusion", "Infusion time"),
                            ("product", "Product"),
                        ],
                        max_length=10,
                    ),
                ),
                ("before", models.JSONField()),
                ("after", models.JSONField()),
                ("reason", models.CharField(max_length=300)),
                ("recorded_at", models.DateTimeField()),
                ("request_digest", models.CharField(blank=True, max_length=64)),
                ("transaction_id", models.BigIntegerField(db_default=0, editable=False)),
            ],
        ),
        migrations.CreateModel(
            name="PatientJoin",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("form_id", models.UUIDField(unique=True)),
                ("courses", models.JSONField()),
                ("reason", models.CharField(max_length=300)),
                ("recorded_at", models.DateTimeField()),
                ("transaction_id", models.BigIntegerField(db_default=0, editable=False)),
            ],
        ),
        migrations.RemoveConstraint(
            model_name="chartingact",
            name="act_source_known_word",
        ),
        migrations.AddField(
            model_name="course",
            name="identity_version",
            field=models.PositiveIntegerField(default=0, editable=False),
        ),
        migrations.AddField(
            model_name="patient",
            name="mrn_key",
            field=models.TextField(default="", editable=False),
        ),
        migrations.AddField(
            model_name="patient",
            name="mrn_look",
            field=models.TextField(db_index=True, default="", editable=False),
        ),
        migrations.AddField(
            model_name="patient",
            name="name_key",
            field=models.TextField(db_index=True, default="", editable=False),
        ),
        migrations.AlterField(
            model_name="chartingact",
            name="source",
            field=models.CharField(
                choices=[
                    ("bedside", "Bedside form"),
                    ("import", "Course file"),
                    ("policy", "Policy decision"),
                    ("ruleset", "New version of the grading rules"),
                    ("identity", "Corrected identity"),
                ],
                max_length=10,
            ),
        ),
        migrations.AddConstraint(
            model_name="chartingact",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("source__in", ["bedside", "import", "policy", "ruleset", "identity"])
                ),
                name="act_source_known_word",
            ),
        ),
        migrations.AddField(
            model_name="identitycorrection",
            name="course",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="identity_corrections",
                to="patients.course",
            ),
        ),
        migrations.AddField(
            model_name="identitycorrection",
            name="patient",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="identity_corrections",
                to="patients.patient",
            ),
        ),
        migrations.AddField(
            model_name="identitycorrection",
            name="recorded_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="patientjoin",
            name="joined",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="joined_into",
                to="patients.patient",
            ),
        ),
        migrations.AddField(
            model_name="patientjoin",
            name="kept",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="joins",
                to="patients.patient",
            ),
        ),
        migrations.AddField(
            model_name="patientjoin",
            name="recorded_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="patientjoin",
            name="undoes",
            field=models.OneToOneField(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="undone_by",
                to="patients.patientjoin",
            ),
        ),
        migrations.AddConstraint(
            model_name="identitycorrection",
            constraint=models.UniqueConstraint(
                fields=("form_id", "patient", "course"),
                name="identity_form_once",
                nulls_distinct=False,
            ),
        ),
        migrations.AddConstraint(
            model_name="identitycorrection",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("fact__in", ["name", "birth", "sex", "mrn", "infusion", "product"])
                ),
                name="identity_known_word",
            ),
        ),
        migrations.AddConstraint(
            model_name="identitycorrection",
            constraint=models.CheckConstraint(
                condition=models.Q(("reason", ""), _negated=True), name="identity_has_reason"
            ),
        ),
        migrations.AddConstraint(
            model_name="identitycorrection",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "recorded_at__range",
                        (
                            datetime.datetime(1900, 1, 1, 0, 0, tzinfo=datetime.UTC),
                            datetime.datetime(2200, 1, 1, 0, 0, tzinfo=datetime.UTC),
                        ),
                    )
                ),
                name="identity_in_calendar",
            ),
        ),
        migrations.AddConstraint(
            model_name="patientjoin",
            constraint=models.CheckConstraint(
                condition=models.Q(("kept", models.F("joined")), _negated=True), name="join_of_two"
            ),
        ),
        migrations.AddConstraint(
            model_name="patientjoin",
            constraint=models.CheckConstraint(
                condition=models.Q(("reason", ""), _negated=True), name="join_has_reason"
            ),
        ),
        migrations.AddConstraint(
            model_name="patientjoin",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "recorded_at__range",
                        (
                            datetime.datetime(1900, 1, 1, 0, 0, tzinfo=datetime.UTC),
                            datetime.datetime(2200, 1, 1, 0, 0, tzinfo=datetime.UTC),
                        ),
                    )
                ),
                name="join_in_calendar",
            ),
        ),
    ]
