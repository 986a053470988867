"""Count how often a tablet was used, so that a copy of its cookie is found."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0016_system_role"),
    ]

    operations = [
        migrations.AddField(
            model_name="tabletsignin",
            name="uses",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="tabletsignin",
            name="used_at",
            field=models.DateTimeField(null=True),
        ),
    ]
