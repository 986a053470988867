import datetime

from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models

_CALENDAR = (
    datetime.datetime(1900, 1, 1, 0, 0, tzinfo=datetime.UTC),
    datetime.datetime(2200, 1, 1, 0, 0, tzinfo=datetime.UTC),
)


class Migration(migrations.Migration):
    """Bound the times of the chart; rows of before stay, for they cannot be deleted."""

    dependencies = [
        ("patients", "0016_system_of_checkpoints"),
    ]

    operations = [
        AddConstraintNotValid(
            model_name="chartingact",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("received_at__range", _CALENDAR), ("recorded_at__range", _CALENDAR)
                ),
                name="act_in_calendar",
            ),
        ),
        AddConstraintNotValid(
            model_name="course",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("infused_at__range", _CALENDAR),
                    ("ended_at__isnull", False),
                    _connector="OR",
                ),
                name="course_infused_in_calendar",
            ),
        ),
        AddConstraintNotValid(
            model_name="entry",
            constraint=models.CheckConstraint(
                condition=models.Q(("at__range", _CALENDAR), ("recorded_at__range", _CALENDAR)),
                name="entry_in_calendar",
            ),
        ),
        AddConstraintNotValid(
            model_name="sitepolicy",
            constraint=models.CheckConstraint(
                condition=models.Q(("valid_from__range", _CALENDAR)),
                name="site_policy_in_calendar",
            ),
        ),
        AddConstraintNotValid(
            model_name="transfer",
            constraint=models.CheckConstraint(
                condition=models.Q(("at__range", _CALENDAR), ("recorded_at__range", _CALENDAR)),
                name="transfer_in_calendar",
            ),
        ),
    ]
