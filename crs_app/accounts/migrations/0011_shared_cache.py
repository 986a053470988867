"""The table of the cache that all processes share, as ``manage.py createcachetable`` makes it."""

from django.db import migrations

MAKE = """
CREATE TABLE IF NOT EXISTS shared_cache (
    cache_key varchar(255) NOT NULL PRIMARY KEY,
    value text NOT NULL,
    expires timestamp with time zone NOT NULL
);
CREATE INDEX IF NOT EXISTS shared_cache_expires ON shared_cache (expires);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0010_wards"),
    ]

    operations = [
        migrations.RunSQL(MAKE, "DROP TABLE shared_cache"),
    ]
