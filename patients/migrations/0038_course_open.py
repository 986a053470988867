"""The index of open courses by ward, made while the site is used."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # PostgreSQL makes no index concurrently within a transaction

    dependencies = [
        ("patients", "0037_card_feedback"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="course",
            index=models.Index(
                condition=models.Q(("ended_at__isnull", True)),
                fields=["on_ward"],
                name="course_open",
            ),
        ),
    ]
