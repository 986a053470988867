"""The role of other systems: such a user never signs in."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0013_hospital_identity"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="user",
            name="accounts_user_role_known",
        ),
        migrations.AlterField(
            model_name="user",
            name="role",
            field=models.CharField(
                choices=[
                    ("ward_clinician", "Ward clinician"),
                    ("icu_reviewer", "ICU reviewer"),
                    ("administrator", "Administrator"),
                    ("auditor", "Auditor"),
                    ("system", "System"),
                ],
                default="ward_clinician",
                max_length=20,
            ),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "role__in",
                        ["ward_clinician", "icu_reviewer", "administrator", "auditor", "system"],
                    )
                ),
                name="accounts_user_role_known",
                violation_error_message="Choose one of the roles.",
            ),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("role", "system"), _negated=True),
                    models.Q(("is_active", False), ("password__startswith", "!")),
                    _connector="OR",
                ),
                name="accounts_system_never_signs_in",
            ),
        ),
    ]
