"""The record: partitioned by month, append-only, chained by hashes that the database computes.

``record_write`` runs as the owner of the tables, so that a web process needs no right to change
them. The hash of an event is SHA-256 over the hash before it in its chain (nothing for the first),
and the text "chain number microseconds canonical" of the row; ``crs_app.record.write.canonical``
makes the last part. A trigger on each partition refuses TRUNCATE, which triggers of the whole
table do not see.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

TABLES = """
CREATE TABLE record_event (
    chain uuid NOT NULL,
    number bigint NOT NULL CHECK (number > 0),
    at timestamptz NOT NULL,
    kind varchar(40) NOT NULL,
    by_id bigint,
    by_name text NOT NULL,
    by_role text NOT NULL,
    address text NOT NULL,
    course_id uuid,
    purpose text NOT NULL,
    details jsonb NOT NULL CHECK (jsonb_typeof(details) = 'object'),
    hash bytea NOT NULL,
    PRIMARY KEY (chain, number, at)
) PARTITION BY RANGE (at);
CREATE INDEX record_event_of_user ON record_event (by_id, at DESC);
CREATE INDEX record_event_at ON record_event (at DESC);

CREATE TABLE record_chain (
    chain uuid PRIMARY KEY,
    number bigint NOT NULL,
    at timestamptz NOT NULL,
    hash bytea NOT NULL
);
"""
NO_TABLES = "DROP TABLE record_chain; DROP TABLE record_event;"

FUNCTIONS = """
CREATE FUNCTION record_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE FUNCTION record_head_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.chain <> OLD.chain OR NEW.number <> OLD.number + 1 OR NEW.at < OLD.at THEN
        RAISE EXCEPTION 'the head of a chain only moves to its next event'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION record_head(of_chain uuid) RETURNS record_chain LANGUAGE plpgsql
    SET search_path = public, pg_temp AS $$
DECLARE
    head record_chain;
BEGIN
    SELECT * INTO head FROM record_chain WHERE chain = of_chain FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        INSERT INTO record_chain VALUES (of_chain, 0, '-infinity', '') ON CONFLICT DO NOTHING;
        SELECT * INTO head FROM record_chain WHERE chain = of_chain FOR NO KEY UPDATE;
    END IF;
    RETURN head;
END $$;

CREATE FUNCTION record_append(row_of record_event, canonical text) RETURNS void LANGUAGE plpgsql
    SET search_path = public, pg_temp AS $$
DECLARE
    head record_chain := record_head(row_of.chain);
BEGIN
    row_of.number := head.number + 1;
    row_of.at := greatest(clock_timestamp(), head.at);
    row_of.hash := sha256(head.hash || convert_to(format('%s %s %s %s', row_of.chain, row_of.number,
        (extract(epoch FROM row_of.at) * 1000000)::bigint, canonical), 'UTF8'));
    INSERT INTO record_event SELECT row_of.*;
    UPDATE record_chain SET number = row_of.number, at = row_of.at, hash = row_of.hash
    WHERE chain = row_of.chain;
END $$;

CREATE FUNCTION record_write(of_chain uuid, kind text, by_id bigint, by_name text, by_role text,
    address text, course_id uuid, purpose text, details jsonb, canonical text)
    RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    main CONSTANT uuid := '00000000-0000-0000-0000-000000000000';
BEGIN
    -- The main chain names every other chain, so that one which is gone as a whole is missed.
    IF of_chain <> main AND NOT EXISTS (SELECT FROM record_chain WHERE chain = of_chain) THEN
        PERFORM record_head(main);
        IF NOT EXISTS (SELECT FROM record_chain WHERE chain = of_chain) THEN
            PERFORM record_append(
                ROW(main, 0, now(), 'chain_started', NULL, '', '', '', of_chain, '', '{}', '')
                    ::record_event,
                format('["chain_started",null,"","","","%s","",{}]', of_chain));
        END IF;
    END IF;
    PERFORM record_append(
        ROW(of_chain, 0, now(), kind, by_id, by_name, by_role, address, course_id, purpose,
            details, '')::record_event,
        canonical);
END $$;

CREATE FUNCTION record_make_partition(month date) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    starts CONSTANT timestamptz := date_trunc('month', month::timestamp) AT TIME ZONE 'UTC';
    ends CONSTANT timestamptz :=
        (date_trunc('month', month::timestamp) + interval '1 month') AT TIME ZONE 'UTC';
    name CONSTANT text := 'record_event_' || to_char(month, 'YYYY_MM');
BEGIN
    -- Events that the default partition has of this month stay there: they cannot be moved.
    IF to_regclass(name) IS NOT NULL
        OR EXISTS (SELECT FROM record_event_default WHERE at >= starts AND at < ends)
    THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE %I PARTITION OF record_event FOR VALUES FROM (%L) TO (%L)',
        name, starts, ends);
    EXECUTE format('CREATE TRIGGER never_truncated BEFORE TRUNCATE ON %I FOR EACH STATEMENT '
        'EXECUTE FUNCTION record_refuse_change()', name);
    RETURN true;
END $$;
"""
NO_FUNCTIONS = """
DROP FUNCTION record_make_partition;
DROP FUNCTION record_write;
DROP FUNCTION record_append;
DROP FUNCTION record_head;
DROP FUNCTION record_head_only_grows;
DROP FUNCTION record_refuse_change;
"""

TRIGGERS = """
CREATE TABLE record_event_default PARTITION OF record_event DEFAULT;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON record_event
    FOR EACH ROW EXECUTE FUNCTION record_refuse_change();
CREATE TRIGGER never_truncated BEFORE TRUNCATE ON record_event
    FOR EACH STATEMENT EXECUTE FUNCTION record_refuse_change();
CREATE TRIGGER never_truncated BEFORE TRUNCATE ON record_event_default
    FOR EACH STATEMENT EXECUTE FUNCTION record_refuse_change();
CREATE TRIGGER never_deleted BEFORE DELETE ON record_chain
    FOR EACH ROW EXECUTE FUNCTION record_refuse_change();
CREATE TRIGGER never_truncated BEFORE TRUNCATE ON record_chain
    FOR EACH STATEMENT EXECUTE FUNCTION record_refuse_change();
CREATE TRIGGER only_grows BEFORE UPDATE ON record_chain
    FOR EACH ROW EXECUTE FUNCTION record_head_only_grows();
"""
NO_TRIGGERS = """
DROP TRIGGER only_grows ON record_chain;
DROP TRIGGER never_truncated ON record_chain;
DROP TRIGGER never_deleted ON record_chain;
DROP TABLE record_event_default;
DROP TRIGGER never_truncated ON record_event;
DROP TRIGGER append_only ON record_event;
"""

FIRST = """
SELECT record_make_partition((date_trunc('month', now() AT TIME ZONE 'UTC')
    + make_interval(months => month))::date) FROM generate_series(0, 12) AS month;
SELECT record_write('00000000-0000-0000-0000-000000000000', 'record_started', NULL, '', '', '',
    NULL, '', '{}', '["record_started",null,"","","",null,"",{}]');
"""


class Migration(migrations.Migration):
    initial = True

    dependencies = [migrations.swappable_dependency(settings.AUTH_USER_MODEL)]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(TABLES, NO_TABLES),
                migrations.RunSQL(FUNCTIONS, NO_FUNCTIONS),
                migrations.RunSQL(TRIGGERS, NO_TRIGGERS),
                migrations.RunSQL(FIRST, migrations.RunSQL.noop),
            ],
            state_operations=[
                migrations.CreateModel(
                    name="Chain",
                    fields=[
                        ("chain", models.UUIDField(primary_key=True, serialize=False)),
                        ("number", models.BigIntegerField()),
                        ("at", models.DateTimeField()),
                        ("hash", models.BinaryField()),
                    ],
                ),
                migrations.CreateModel(
                    name="Event",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "chain",
                                "number",
                                "at",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("chain", models.UUIDField()),
                        ("number", models.BigIntegerField()),
                        ("at", models.DateTimeField()),
                        ("kind", models.CharField(max_length=40)),
                        ("by_name", models.TextField()),
                        ("by_role", models.TextField()),
                        ("address", models.TextField()),
                        ("course_id", models.UUIDField(null=True)),
                        ("purpose", models.TextField()),
                        ("details", models.JSONField()),
                        ("hash", models.BinaryField()),
                        (
                            "by",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                    ],
                    options={
                        "indexes": [
                            models.Index(fields=["by", "-at"], name="record_event_of_user"),
                            models.Index(fields=["-at"], name="record_event_at"),
                        ],
                    },
                ),
            ],
        ),
    ]
