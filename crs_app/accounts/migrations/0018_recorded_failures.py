"""Add the table of which failed sign-ins of an address were recorded."""

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0017_uses_of_tablets"),
    ]

    operations = [
        migrations.CreateModel(
            name="RecordedFailures",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("digest", models.CharField(max_length=64, unique=True)),
                (
                    "recorded_at",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.DateTimeField(), default=list, size=None
                    ),
                ),
                ("passed_over", models.PositiveIntegerField(default=0)),
                ("counts_until", models.DateTimeField(db_index=True)),
            ],
        ),
    ]
