"""Registered health records and links are append-only: the last row of each holds."""

from django.db import migrations


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
    dependencies = [("patients", "0035_launch")]

    operations = [_stays("launchissuer"), _stays("launchidentity")]
