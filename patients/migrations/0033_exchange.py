"""Other systems: who they are, what they sent, and what became of it.

Messages, keys, held items, decisions and local codes are append-only; of a system a few columns
change, and a trigger keeps the row of before with the rights of the owner of the tables.
"""

import datetime
import uuid

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

APPEND_ONLY = ("inboundmessage", "sourcekey", "helditem", "helddecision", "localcode")
SYSTEM = """
CREATE FUNCTION patients_keep_system_before() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
BEGIN
    IF (NEW.id, NEW.name, NEW.kind, NEW.user_id)
        IS DISTINCT FROM (OLD.id, OLD.name, OLD.kind, OLD.user_id)
    THEN
        RAISE EXCEPTION 'name, kind and user of an external system are never changed'
            USING ERRCODE = 'restrict_violation';
    END IF;
    INSERT INTO patients_externalsystemchange (system_id, row_before, until)
    VALUES (OLD.id, to_jsonb(OLD), clock_timestamp());
    RETURN NEW;
END $$;

CREATE TRIGGER keeps_row_before BEFORE UPDATE ON patients_externalsystem FOR EACH ROW
    WHEN (NEW.* IS DISTINCT FROM OLD.*) EXECUTE FUNCTION patients_keep_system_before();
CREATE TRIGGER never_deleted BEFORE DELETE ON patients_externalsystem
    FOR EACH ROW EXECUTE FUNCTION patients_refuse_change();
CREATE TRIGGER never_truncated BEFORE TRUNCATE ON patients_externalsystem
    FOR EACH STATEMENT EXECUTE FUNCTION patients_refuse_change();
"""
SYSTEM_AS_BEFORE = """
DROP TRIGGER never_truncated ON patients_externalsystem;
DROP TRIGGER never_deleted ON patients_externalsystem;
DROP TRIGGER keeps_row_before ON patients_externalsystem;
DROP FUNCTION patients_keep_system_before;
"""


def _stays(table: str) -> migrations.RunSQL:
    return migrations.RunSQL(
        f"""
CREATE TRIGGER never_truncated BEFORE TRUNCATE ON patients_{table}
    FOR EACH STATEMENT EXECUTE FUNCTION patients_refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON patients_{table}
    FOR EACH ROW EXECUTE FUNCTION patients_refuse_change();
""",
        f"""
DROP TRIGGER append_only ON patients_{table};
DROP TRIGGER never_truncated ON patients_{table};
""",
    )


class Migration(migrations.Migration):
    dependencies = [
        ("patients", "0032_checkpoints_of_other_scales"),
        ("accounts", "0016_system_role"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ExternalSystem",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=60, unique=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("ehr", "Health record"),
                            ("monitor", "Monitor"),
                            ("laboratory", "Laboratory"),
                            ("pump", "Pump"),
                        ],
                        max_length=12,
                    ),
                ),
                ("mrn_system", models.CharField(blank=True, max_length=300)),
                ("timezone", models.CharField(max_length=60)),
                ("charset", models.CharField(default="utf-8", max_length=20)),
                ("filing", models.JSONField(default=dict)),
                ("filing_of_wards", models.JSONField(blank=True, default=dict)),
                (
                    "may_chart_kinds",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=20),
                        blank=True,
                        default=list,
                        size=None,
                    ),
                ),
                ("thinning_minutes", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("matches_by_bed", models.BooleanField(default=False)),
                (
                    "allowed_addresses",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=50),
                        blank=True,
                        default=list,
                        size=None,
                    ),
                ),
                ("accepts_other_types", models.BooleanField(default=False)),
                ("obeys_no_answer", models.BooleanField(default=False)),
                ("is_active", models.BooleanField(default=True)),
                ("changed_at", models.DateTimeField()),
            ],
            options={
                "ordering": ("name",),
            },
        ),
        migrations.CreateModel(
            name="ExternalSystemChange",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("row_before", models.JSONField()),
                ("until", models.DateTimeField()),
            ],
            options={
                "ordering": ("-until",),
            },
        ),
        migrations.CreateModel(
            name="HeldDecision",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "what",
                    models.CharField(
                        choices=[
                            ("charted", "Charted"),
                            ("dismissed", "Dismissed"),
                            ("mapped", "Mapped by a local code"),
                            ("closed", "Closed by its sender"),
                        ],
                        max_length=10,
                    ),
                ),
                ("author_name", models.CharField(max_length=310)),
                ("author_role", models.CharField(max_length=20)),
                ("at", models.DateTimeField()),
                ("why", models.CharField(blank=True, max_length=300)),
            ],
        ),
        migrations.CreateModel(
            name="HeldItem",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("place", models.CharField(max_length=300)),
                ("reason", models.CharField(max_length=60)),
                ("what", models.TextField(blank=True)),
                ("at", models.DateTimeField(blank=True, null=True)),
                ("key", models.CharField(blank=True, max_length=500)),
                ("version", models.CharField(blank=True, max_length=200, null=True)),
                ("proposal", models.JSONField(blank=True, null=True)),
                ("count", models.PositiveIntegerField(default=1)),
                ("held_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="InboundMessage",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("control_id", models.CharField(max_length=200)),
                ("digest", models.CharField(max_length=64)),
                (
                    "format",
                    models.CharField(
                        choices=[("fhir", "FHIR"), ("hl7v2", "HL7 v2"), ("flowsheet", "Flowsheet")],
                        max_length=10,
                    ),
                ),
                ("raw", models.BinaryField()),
                ("charset", models.CharField(blank=True, max_length=20)),
                ("received_at", models.DateTimeField()),
                (
                    "verdict",
                    models.CharField(
                        choices=[
                            ("accepted", "Accepted"),
                            ("not_accepted", "Not accepted"),
                            ("rejected", "Rejected"),
                            ("failed", "Failed here"),
                        ],
                        max_length=12,
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=60)),
                ("answer", models.JSONField(blank=True, default=dict)),
                ("filed", models.PositiveIntegerField(default=0)),
                ("held", models.PositiveIntegerField(default=0)),
                ("remarks", models.JSONField(blank=True, default=list)),
                ("address", models.CharField(blank=True, max_length=64)),
            ],
        ),
        migrations.CreateModel(
            name="LocalCode",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("coding_system", models.CharField(blank=True, max_length=300)),
                ("code", models.CharField(max_length=200)),
                ("text", models.CharField(blank=True, max_length=300)),
                ("unit", models.CharField(blank=True, max_length=100)),
                (
                    "about",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("analyte", "Laboratory value"),
                            ("sign", "Vital sign"),
                            ("drug", "Drug"),
                        ],
                        max_length=10,
                    ),
                ),
                ("means", models.CharField(blank=True, max_length=60)),
                ("at", models.DateTimeField()),
                ("valid_from", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="SourceKey",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("key", models.CharField(max_length=500)),
                ("version", models.CharField(blank=True, max_length=200, null=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("charted", "Charted"),
                            ("waiting", "Waiting for another part"),
                            ("aside", "Held, or as charted by people"),
                            ("retracted", "Retracted"),
                        ],
                        max_length=10,
                    ),
                ),
                ("statement", models.JSONField(blank=True, null=True)),
                ("at", models.DateTimeField(blank=True, null=True)),
                ("of_infusion", models.BooleanField(default=False)),
            ],
        ),
        migrations.RemoveConstraint(
            model_name="chartingact",
            name="act_source_known_word",
        ),
        migrations.RemoveConstraint(
            model_name="chartingact",
            name="act_role_known_word",
        ),
        migrations.AlterField(
            model_name="chartingact",
            name="author_role",
            field=models.CharField(
                blank=True,
                choices=[
                    ("ward_clinician", "Ward clinician"),
                    ("icu_reviewer", "ICU reviewer"),
                    ("administrator", "Administrator"),
                    ("auditor", "Auditor"),
                    ("system", "System"),
                ],
                db_default="",
                default="",
                max_length=20,
            ),
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
                    ("interface", "Another system"),
                ],
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="externalsystem",
            name="changed_by",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="externalsystem",
            name="user",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="external_system",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="externalsystemchange",
            name="system",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="changes",
                to="patients.externalsystem",
            ),
        ),
        migrations.AddField(
            model_name="helddecision",
            name="act",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="decisions",
                to="patients.chartingact",
            ),
        ),
        migrations.AddField(
            model_name="helddecision",
            name="by",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="helditem",
            name="course",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="held_items",
                to="patients.course",
            ),
        ),
        migrations.AddField(
            model_name="helditem",
            name="follows",
            field=models.OneToOneField(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="followed_by",
                to="patients.helditem",
            ),
        ),
        migrations.AddField(
            model_name="helddecision",
            name="item",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="decision",
                to="patients.helditem",
            ),
        ),
        migrations.AddField(
            model_name="inboundmessage",
            name="course",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="messages",
                to="patients.course",
            ),
        ),
        migrations.AddField(
            model_name="inboundmessage",
            name="system",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="messages",
                to="patients.externalsystem",
            ),
        ),
        migrations.AddField(
            model_name="helditem",
            name="message",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="held_items",
                to="patients.inboundmessage",
            ),
        ),
        migrations.AddField(
            model_name="chartingact",
            name="message",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="acts",
                to="patients.inboundmessage",
            ),
        ),
        migrations.AddIndex(
            model_name="chartingact",
            index=models.Index(
                condition=models.Q(("message__isnull", False)),
                fields=["message"],
                name="act_of_message",
            ),
        ),
        migrations.AddConstraint(
            model_name="chartingact",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "source__in",
                        ["bedside", "import", "policy", "ruleset", "identity", "interface"],
                    )
                ),
                name="act_source_known_word",
            ),
        ),
        migrations.AddConstraint(
            model_name="chartingact",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("author_name", ""), ("author_role", "")),
                    models.Q(
                        models.Q(("author_name", ""), _negated=True),
                        (
                            "author_role__in",
                            [
                                "ward_clinician",
                                "icu_reviewer",
                                "administrator",
                                "auditor",
                                "system",
                            ],
                        ),
                    ),
                    _connector="OR",
                ),
                name="act_role_known_word",
            ),
        ),
        migrations.AddConstraint(
            model_name="chartingact",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("source", "interface"), _negated=True),
                    ("message__isnull", False),
                    _connector="OR",
                ),
                name="act_of_interface_has_message",
            ),
        ),
        migrations.AddConstraint(
            model_name="chartingact",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("author_role", "system"), _negated=True),
                    ("source", "interface"),
                    _connector="OR",
                ),
                name="act_of_system_by_interface",
            ),
        ),
        migrations.AddField(
            model_name="localcode",
            name="by",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="localcode",
            name="system",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="local_codes",
                to="patients.externalsystem",
            ),
        ),
        migrations.AddField(
            model_name="sourcekey",
            name="course",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="source_keys",
                to="patients.course",
            ),
        ),
        migrations.AddField(
            model_name="sourcekey",
            name="entry",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="source_keys",
                to="patients.entry",
            ),
        ),
        migrations.AddField(
            model_name="sourcekey",
            name="message",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="keys",
                to="patients.inboundmessage",
            ),
        ),
        migrations.AddField(
            model_name="sourcekey",
            name="system",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="keys",
                to="patients.externalsystem",
            ),
        ),
        migrations.AddConstraint(
            model_name="externalsystem",
            constraint=models.CheckConstraint(
                condition=models.Q(("name", ""), _negated=True), name="external_system_named"
            ),
        ),
        migrations.AddConstraint(
            model_name="externalsystem",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["ehr", "monitor", "laboratory", "pump"])),
                name="external_system_known_kind",
            ),
        ),
        migrations.AddConstraint(
            model_name="externalsystem",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("thinning_minutes", None),
                    ("thinning_minutes__range", (1, 240)),
                    _connector="OR",
                ),
                name="external_system_thins_by_minutes",
            ),
        ),
        migrations.AddConstraint(
            model_name="helddecision",
            constraint=models.CheckConstraint(
                condition=models.Q(("what__in", ["charted", "dismissed", "mapped", "closed"])),
                name="held_decision_known_word",
            ),
        ),
        migrations.AddConstraint(
            model_name="helddecision",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("act__isnull", False), ("what", "charted")),
                    models.Q(models.Q(("what", "charted"), _negated=True), ("act", None)),
                    _connector="OR",
                ),
                name="held_decision_charted_by_act",
            ),
        ),
        migrations.AddConstraint(
            model_name="helddecision",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("what", "dismissed"), _negated=True),
                    models.Q(("why", ""), _negated=True),
                    _connector="OR",
                ),
                name="held_decision_dismissed_says_why",
            ),
        ),
        migrations.AddConstraint(
            model_name="helddecision",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "at__range",
                        (
                            datetime.datetime(1900, 1, 1, 0, 0, tzinfo=datetime.UTC),
                            datetime.datetime(2200, 1, 1, 0, 0, tzinfo=datetime.UTC),
                        ),
                    )
                ),
                name="held_decision_in_calendar",
            ),
        ),
        migrations.AddIndex(
            model_name="inboundmessage",
            index=models.Index(fields=["system", "-received_at"], name="message_of_system"),
        ),
        migrations.AddIndex(
            model_name="inboundmessage",
            index=models.Index(fields=["course", "-received_at"], name="message_of_course"),
        ),
        migrations.AddConstraint(
            model_name="inboundmessage",
            constraint=models.UniqueConstraint(
                fields=("system", "control_id", "digest", "verdict"), name="message_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="inboundmessage",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("verdict__in", ["accepted", "not_accepted", "rejected", "failed"])
                ),
                name="message_known_verdict",
            ),
        ),
        migrations.AddConstraint(
            model_name="inboundmessage",
            constraint=models.CheckConstraint(
                condition=models.Q(("format__in", ["fhir", "hl7v2", "flowsheet"])),
                name="message_known_format",
            ),
        ),
        migrations.AddConstraint(
            model_name="inboundmessage",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("reason", ""), ("verdict", "accepted")),
                    models.Q(
                        models.Q(("verdict", "accepted"), _negated=True),
                        models.Q(("reason", ""), _negated=True),
                        ("filed", 0),
                    ),
                    _connector="OR",
                ),
                name="message_accepted_or_says_why",
            ),
        ),
        migrations.AddConstraint(
            model_name="inboundmessage",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "received_at__range",
                        (
                            datetime.datetime(1900, 1, 1, 0, 0, tzinfo=datetime.UTC),
                            datetime.datetime(2200, 1, 1, 0, 0, tzinfo=datetime.UTC),
                        ),
                    )
                ),
                name="message_in_calendar",
            ),
        ),
        migrations.AddIndex(
            model_name="helditem",
            index=models.Index(fields=["course", "-held_at"], name="held_item_of_course"),
        ),
        migrations.AddIndex(
            model_name="helditem",
            index=models.Index(fields=["course", "key"], name="held_item_of_key"),
        ),
        migrations.AddConstraint(
            model_name="helditem",
            constraint=models.UniqueConstraint(
                fields=("message", "number"), name="held_item_in_order"
            ),
        ),
        migrations.AddConstraint(
            model_name="helditem",
            constraint=models.CheckConstraint(
                condition=models.Q(("reason", ""), _negated=True), name="held_item_says_why"
            ),
        ),
        migrations.AddConstraint(
            model_name="helditem",
            constraint=models.CheckConstraint(
                condition=models.Q(("count__gte", 1)), name="held_item_occurs"
            ),
        ),
        migrations.AddConstraint(
            model_name="helditem",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "held_at__range",
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
                name="held_item_in_calendar",
            ),
        ),
        migrations.AddConstraint(
            model_name="localcode",
            constraint=models.CheckConstraint(
                condition=models.Q(("code", ""), _negated=True), name="local_code_named"
            ),
        ),
        migrations.AddConstraint(
            model_name="localcode",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("about", ""), ("means", "")),
                    models.Q(
                        ("about__in", ["analyte", "sign", "drug"]),
                        models.Q(("means", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="local_code_means_something_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="localcode",
            constraint=models.CheckConstraint(
                condition=models.Q(("valid_from__gte", models.F("at"))),
                name="local_code_not_for_the_past",
            ),
        ),
        migrations.AddConstraint(
            model_name="localcode",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "at__range",
                        (
                            datetime.datetime(1900, 1, 1, 0, 0, tzinfo=datetime.UTC),
                            datetime.datetime(2200, 1, 1, 0, 0, tzinfo=datetime.UTC),
                        ),
                    ),
                    (
                        "valid_from__range",
                        (
                            datetime.datetime(1900, 1, 1, 0, 0, tzinfo=datetime.UTC),
                            datetime.datetime(2200, 1, 1, 0, 0, tzinfo=datetime.UTC),
                        ),
                    ),
                ),
                name="local_code_in_calendar",
            ),
        ),
        migrations.AddIndex(
            model_name="sourcekey",
            index=models.Index(fields=["course", "system", "key"], name="source_key_by_key"),
        ),
        migrations.AddIndex(
            model_name="sourcekey",
            index=models.Index(fields=["course", "system", "at"], name="source_key_by_time"),
        ),
        migrations.AddIndex(
            model_name="sourcekey",
            index=models.Index(
                condition=models.Q(("of_infusion", True)),
                fields=["course", "system"],
                name="source_key_of_infusion",
            ),
        ),
        migrations.AddConstraint(
            model_name="sourcekey",
            constraint=models.UniqueConstraint(
                fields=("message", "number"), name="source_key_in_order"
            ),
        ),
        migrations.AddConstraint(
            model_name="sourcekey",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["charted", "waiting", "aside", "retracted"])),
                name="source_key_known_state",
            ),
        ),
        migrations.RunSQL(SYSTEM, SYSTEM_AS_BEFORE),
        *(_stays(table) for table in (*APPEND_ONLY, "externalsystemchange")),
    ]
