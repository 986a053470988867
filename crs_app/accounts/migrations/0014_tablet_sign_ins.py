"""Add the table of who signed in on which shared tablet."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0012_second_factors")]

    operations = [
        migrations.CreateModel(
            name="TabletSignIn",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("tablet", models.CharField(max_length=64)),
                ("signed_in_at", models.DateTimeField(db_index=True)),
                ("proof", models.CharField(max_length=64)),
                ("pin", models.CharField(default="", max_length=128)),
                ("wrong_pins", models.PositiveSmallIntegerField(default=0)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="tablets",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="tabletsignin",
            constraint=models.UniqueConstraint(
                fields=("tablet", "user"), name="one_sign_in_of_user_on_tablet"
            ),
        ),
    ]
