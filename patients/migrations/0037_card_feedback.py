"""Cards of CDS Hooks that were shown, and what was done with them; both are append-only."""

import datetime
import uuid

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


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
        ("patients", "0036_launches_stay"),
    ]

    operations = [
        migrations.CreateModel(
            name="CardShown",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("service", models.CharField(max_length=40)),
                ("hook_instance", models.UUIDField()),
                ("user_id", models.CharField(max_length=200)),
                ("topic", models.CharField(max_length=60)),
                ("indicator", models.CharField(max_length=10)),
                ("summary", models.CharField(max_length=140)),
                ("shown_at", models.DateTimeField()),
                (
                    "course",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="cards_shown",
                        to="patients.course",
                    ),
                ),
                (
                    "system",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="patients.externalsystem",
                    ),
                ),
            ],
            options={
                "ordering": ("shown_at",),
            },
        ),
        migrations.CreateModel(
            name="CardFeedback",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "outcome",
                    models.CharField(
                        choices=[("accepted", "Accepted"), ("overridden", "Overridden")],
                        max_length=12,
                    ),
                ),
                ("outcome_at", models.DateTimeField()),
                ("reason_system", models.CharField(blank=True, max_length=1000)),
                ("reason_code", models.CharField(blank=True, max_length=1000)),
                ("comment", models.CharField(blank=True, max_length=1000)),
                (
                    "received_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "card",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="feedback",
                        to="patients.cardshown",
                    ),
                ),
            ],
            options={
                "ordering": ("outcome_at",),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("card", "outcome", "outcome_at"), name="card_feedback_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("outcome__in", ["accepted", "overridden"])),
                        name="card_feedback_known_outcome",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "outcome_at__range",
                                (
                                    datetime.datetime(1900, 1, 1, 0, 0, tzinfo=datetime.UTC),
                                    datetime.datetime(2200, 1, 1, 0, 0, tzinfo=datetime.UTC),
                                ),
                            )
                        ),
                        name="card_feedback_in_calendar",
                    ),
                ],
            },
        ),
        _stays("cardshown"),
        _stays("cardfeedback"),
    ]
