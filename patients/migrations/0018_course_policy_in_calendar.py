import datetime

from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models


class Migration(migrations.Migration):
    """Bound the time of a policy of a course; rows of before stay."""

    dependencies = [
        ("patients", "0017_times_in_calendar"),
    ]

    operations = [
        AddConstraintNotValid(
            model_name="coursepolicy",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "valid_from__range",
                        (
                            datetime.datetime(1900, 1, 1, 0, 0, tzinfo=datetime.UTC),
                            datetime.datetime(2200, 1, 1, 0, 0, tzinfo=datetime.UTC),
                        ),
                    )
                ),
                name="course_policy_in_calendar",
            ),
        ),
    ]
