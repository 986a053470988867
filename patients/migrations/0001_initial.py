import datetime
import uuid

import django.contrib.postgres.constraints
import django.contrib.postgres.fields.ranges
import django.db.models.deletion
import django.db.models.expressions
from django.conf import settings
from django.contrib.postgres.operations import BtreeGistExtension
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        BtreeGistExtension(),
        migrations.CreateModel(
            name="Course",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("product", models.CharField(max_length=120)),
                ("infused_at", models.DateTimeField()),
                ("infused_offset_seconds", models.IntegerField(default=0)),
                (
                    "age_years",
                    models.DecimalField(blank=True, decimal_places=20, max_digits=23, null=True),
                ),
                ("ward", models.CharField(max_length=60)),
                ("bed", models.CharField(blank=True, max_length=30)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                ("admitted_at", models.DateTimeField()),
                (
                    "admitted_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ChartingAct",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("form_id", models.UUIDField()),
                ("recorded_at", models.DateTimeField()),
                ("received_at", models.DateTimeField()),
                (
                    "source",
                    models.CharField(
                        choices=[("bedside", "Bedside form"), ("import", "Course file")],
                        max_length=10,
                    ),
                ),
                ("answers", models.JSONField(default=dict)),
                ("request_digest", models.CharField(blank=True, max_length=64)),
                (
                    "recorded_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "course",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="acts",
                        to="patients.course",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Entry",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("vitals", "Vital signs"),
                            ("oxygen", "Oxygen"),
                            ("vasopressor", "Vasopressor"),
                            ("fluid_bolus", "Fluid bolus"),
                            ("weight", "Weight"),
                            ("lab", "Laboratory"),
                            ("baseline", "Baseline"),
                            ("risk", "Risk"),
                            ("toxicity", "Toxicity"),
                            ("judgement", "Judgement"),
                            ("symptom", "Symptom"),
                            ("treatment", "Treatment"),
                            ("death", "Death"),
                            ("retraction", "Retraction"),
                        ],
                        max_length=20,
                    ),
                ),
                ("at", models.DateTimeField()),
                ("recorded_at", models.DateTimeField()),
                ("place", models.PositiveSmallIntegerField()),
                ("body", models.JSONField()),
                (
                    "act",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="entries",
                        to="patients.chartingact",
                    ),
                ),
                (
                    "course",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="entries",
                        to="patients.course",
                    ),
                ),
                (
                    "recorded_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "replaces",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="replaced_by",
                        to="patients.entry",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "entries",
            },
        ),
        migrations.CreateModel(
            name="GradeCheckpoint",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField()),
                ("ruleset_version", models.CharField(max_length=20)),
                ("state", models.JSONField()),
                (
                    "course",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="checkpoints",
                        to="patients.course",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Patient",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("mrn", models.CharField(max_length=40, unique=True, verbose_name="MRN")),
                ("name", models.CharField(max_length=200)),
                ("birth_date", models.DateField(blank=True, null=True)),
                (
                    "sex",
                    models.CharField(
                        choices=[
                            ("female", "female"),
                            ("male", "male"),
                            ("other", "other"),
                            ("unknown", "unknown"),
                        ],
                        max_length=10,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("sex__in", ["female", "male", "other", "unknown"])),
                        name="patient_sex_known_word",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("mrn", ""), _negated=True), name="patient_mrn_not_empty"
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="course",
            name="patient",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="courses",
                to="patients.patient",
            ),
        ),
        migrations.CreateModel(
            name="PolicyVersion",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("values", models.JSONField()),
                ("digest", models.CharField(max_length=64, unique=True)),
                ("created_at", models.DateTimeField()),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="GradePeriod",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("system", models.CharField(max_length=20)),
                ("valid", django.contrib.postgres.fields.ranges.DateTimeRangeField()),
                ("known", django.contrib.postgres.fields.ranges.DateTimeRangeField()),
                ("grade", models.PositiveSmallIntegerField()),
                ("at_most", models.PositiveSmallIntegerField()),
                ("findings", models.JSONField()),
                ("ruleset_version", models.CharField(max_length=20)),
                (
                    "course",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="grade_periods",
                        to="patients.course",
                    ),
                ),
                (
                    "policy",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, to="patients.policyversion"
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="course",
            name="policy",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, to="patients.policyversion"
            ),
        ),
        migrations.AddConstraint(
            model_name="chartingact",
            constraint=models.UniqueConstraint(fields=("course", "form_id"), name="act_form_once"),
        ),
        migrations.AddConstraint(
            model_name="chartingact",
            constraint=models.UniqueConstraint(
                fields=("course", "recorded_at"), name="act_instants_differ"
            ),
        ),
        migrations.AddConstraint(
            model_name="chartingact",
            constraint=models.CheckConstraint(
                condition=models.Q(("source__in", ["bedside", "import"])),
                name="act_source_known_word",
            ),
        ),
        migrations.AddIndex(
            model_name="entry",
            index=models.Index(fields=["course", "kind", "at"], name="entry_by_kind"),
        ),
        migrations.AddConstraint(
            model_name="entry",
            constraint=models.UniqueConstraint(
                fields=("course", "at", "recorded_at", "place"), name="entry_in_order"
            ),
        ),
        migrations.AddConstraint(
            model_name="entry",
            constraint=models.UniqueConstraint(fields=("act", "place"), name="entry_place_in_act"),
        ),
        migrations.AddConstraint(
            model_name="entry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "kind__in",
                        [
                            "vitals",
                            "oxygen",
                            "vasopressor",
                            "fluid_bolus",
                            "weight",
                            "lab",
                            "baseline",
                            "risk",
                            "toxicity",
                            "judgement",
                            "symptom",
                            "treatment",
                            "death",
                            "retraction",
                        ],
                    )
                ),
                name="entry_kind_known_word",
            ),
        ),
        migrations.AddConstraint(
            model_name="entry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "at__lte",
                        django.db.models.expressions.CombinedExpression(
                            models.F("recorded_at"),
                            "+",
                            models.Value(datetime.timedelta(seconds=300)),
                        ),
                    )
                ),
                name="entry_not_in_the_future",
            ),
        ),
        migrations.AddConstraint(
            model_name="entry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "retraction"), _negated=True),
                    ("replaces__isnull", False),
                    _connector="OR",
                ),
                name="entry_retraction_replaces",
            ),
        ),
        migrations.AddConstraint(
            model_name="entry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "vitals"), _negated=True),
                    ("body__temperature_c__typed_number_within", ("25", "45")),
                    _connector="OR",
                ),
                name="entry_temperature_c_plausible",
            ),
        ),
        migrations.AddConstraint(
            model_name="entry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "vitals"), _negated=True),
                    ("body__heart_rate__typed_number_within", ("20", "300")),
                    _connector="OR",
                ),
                name="entry_heart_rate_plausible",
            ),
        ),
        migrations.AddConstraint(
            model_name="entry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "vitals"), _negated=True),
                    ("body__respiratory_rate__typed_number_within", ("3", "100")),
                    _connector="OR",
                ),
                name="entry_respiratory_rate_plausible",
            ),
        ),
        migrations.AddConstraint(
            model_name="entry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "vitals"), _negated=True),
                    ("body__systolic_mmhg__typed_number_within", ("20", "300")),
                    _connector="OR",
                ),
                name="entry_systolic_mmhg_plausible",
            ),
        ),
        migrations.AddConstraint(
            model_name="entry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "vitals"), _negated=True),
                    ("body__diastolic_mmhg__typed_number_within", ("10", "200")),
                    _connector="OR",
                ),
                name="entry_diastolic_mmhg_plausible",
            ),
        ),
        migrations.AddConstraint(
            model_name="entry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "vitals"), _negated=True),
                    ("body__mean_arterial_pressure_mmhg__typed_number_within", ("15", "250")),
                    _connector="OR",
                ),
                name="entry_mean_arterial_pressure_mmhg_plausible",
            ),
        ),
        migrations.AddConstraint(
            model_name="entry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "vitals"), _negated=True),
                    ("body__spo2_percent__typed_number_within", ("30", "100")),
                    _connector="OR",
                ),
                name="entry_spo2_percent_plausible",
            ),
        ),
        migrations.AddConstraint(
            model_name="entry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "vitals"), _negated=True),
                    ("body__temperature_f__typed_number_within", ("77", "113")),
                    _connector="OR",
                ),
                name="entry_temperature_f_plausible",
            ),
        ),
        migrations.AddConstraint(
            model_name="gradecheckpoint",
            constraint=models.UniqueConstraint(
                fields=("course", "at"), name="checkpoint_once_per_instant"
            ),
        ),
        migrations.AddIndex(
            model_name="gradeperiod",
            index=models.Index(
                models.F("course"),
                models.F("valid__startswith"),
                condition=models.Q(("known__upper_inf", True)),
                name="grade_period_known_now",
            ),
        ),
        migrations.AddConstraint(
            model_name="gradeperiod",
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(
                expressions=[("course", "="), ("system", "="), ("valid", "&&"), ("known", "&&")],
                name="grade_period_one_answer",
            ),
        ),
        migrations.AddConstraint(
            model_name="gradeperiod",
            constraint=models.CheckConstraint(
                condition=models.Q(("at_most__lte", 5), ("grade__lte", models.F("at_most"))),
                name="grade_period_grade_within_bound",
            ),
        ),
        migrations.AddConstraint(
            model_name="gradeperiod",
            constraint=models.CheckConstraint(
                condition=models.Q(("known__isempty", False), ("valid__isempty", False)),
                name="grade_period_not_empty",
            ),
        ),
        migrations.AddConstraint(
            model_name="course",
            constraint=models.UniqueConstraint(
                fields=("patient", "product", "infused_at"), name="course_once_per_infusion"
            ),
        ),
        migrations.AddConstraint(
            model_name="course",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("age_years", None),
                    models.Q(("age_years__gte", 0), ("age_years__lte", 120)),
                    _connector="OR",
                ),
                name="course_age_plausible",
            ),
        ),
    ]
