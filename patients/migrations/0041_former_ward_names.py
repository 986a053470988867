"""Former names of wards, which are append-only; those of before are read from what renamings moved."""

import django.db.models.deletion
from django.db import migrations, models

FROM_MOVES = """
WITH RECURSIVE renamed AS (
    SELECT from_ward, to_ward, max(recorded_at) AS at FROM patients_transfer
    WHERE what = 'moved' AND from_ward <> to_ward
        AND reason = 'Ward ' || from_ward || ' is named ' || to_ward || ' now'
    GROUP BY from_ward, to_ward
), chain AS (
    SELECT from_ward, to_ward, at, at AS last FROM renamed
    UNION
    SELECT chain.from_ward, renamed.to_ward, chain.at, renamed.at
    FROM chain JOIN renamed ON renamed.from_ward = chain.to_ward AND renamed.at > chain.last
)
INSERT INTO patients_formerwardname (ward_id, name, renamed_at)
SELECT ward.id, chain.from_ward, chain.at
FROM chain JOIN accounts_ward AS ward ON ward.name = chain.to_ward
WHERE chain.from_ward <> chain.to_ward
ORDER BY chain.at
"""
APPEND_ONLY = """
CREATE TRIGGER never_truncated BEFORE TRUNCATE ON patients_formerwardname
    FOR EACH STATEMENT EXECUTE FUNCTION patients_refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON patients_formerwardname
    FOR EACH ROW EXECUTE FUNCTION patients_refuse_change();
"""
NOT_APPEND_ONLY = """
DROP TRIGGER append_only ON patients_formerwardname;
DROP TRIGGER never_truncated ON patients_formerwardname;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0016_system_role"),
        ("patients", "0040_place_is_recorded"),
    ]

    operations = [
        migrations.CreateModel(
            name="FormerWardName",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=60)),
                ("renamed_at", models.DateTimeField()),
                (
                    "ward",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="former_names",
                        to="accounts.ward",
                    ),
                ),
            ],
            options={
                "ordering": ("pk",),
            },
        ),
        migrations.RunSQL(FROM_MOVES, migrations.RunSQL.noop),
        migrations.RunSQL(APPEND_ONLY, NOT_APPEND_ONLY),
    ]
