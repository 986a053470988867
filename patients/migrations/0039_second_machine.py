"""Functions that say whether a second machine confirms a save, and refuse one where it does not.

Only a role with ``pg_read_all_stats`` sees the replication. The functions have the rights of their
owner, the owner of the tables, so that the web role sees nothing else of it.
"""

from django.db import migrations

FUNCTIONS = """
CREATE FUNCTION second_machine_state() RETURNS text LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF current_setting('synchronous_standby_names') = '' THEN
        RETURN 'not needed';
    ELSIF pg_is_in_recovery() THEN
        RETURN 'standby';
    ELSIF NOT pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') THEN
        RETURN 'not known';
    ELSIF NOT EXISTS (SELECT FROM pg_stat_get_wal_senders()
        WHERE state = 'streaming' AND sync_state IN ('sync', 'quorum'))
    THEN
        RETURN 'away';
    ELSIF EXISTS (SELECT FROM pg_stat_get_activity(NULL)
        WHERE wait_event = 'SyncRep' AND query_start < clock_timestamp() - interval '3 s')
    THEN
        RETURN 'silent';
    END IF;
    RETURN 'confirms';
END $$;

CREATE FUNCTION need_second_machine() RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    state CONSTANT text := second_machine_state();
BEGIN
    IF state IN ('away', 'silent') THEN
        RAISE EXCEPTION 'the second machine does not answer' USING ERRCODE = '57CR1';
    ELSIF state <> 'not needed' THEN
        PERFORM set_config('synchronous_commit', 'remote_apply', true);
    END IF;
    RETURN true;
END $$;

CREATE FUNCTION second_machine_replay(OUT wal pg_lsn, OUT delay interval) LANGUAGE sql
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT min(replay_lsn), max(replay_lag) FROM pg_stat_get_wal_senders()
    WHERE state = 'streaming' AND sync_state IN ('sync', 'quorum')
$$;
"""
NO_FUNCTIONS = """
DROP FUNCTION second_machine_replay;
DROP FUNCTION need_second_machine;
DROP FUNCTION second_machine_state;
"""


class Migration(migrations.Migration):
    dependencies = [("patients", "0038_course_open")]

    operations = [migrations.RunSQL(FUNCTIONS, NO_FUNCTIONS)]
