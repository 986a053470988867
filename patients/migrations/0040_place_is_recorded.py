"""Ward, bed and end of a course change only to what its last move says, which names its author.

What was known of a grade ends only with an act of the same statement: one that was recorded before
is no reason. A checkpoint is no more emptied away than it is rewritten.
"""

from django.db import migrations

PLACE = """
CREATE FUNCTION patients_place_is_recorded() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM (
            SELECT what, at, to_ward, to_bed FROM patients_transfer
            WHERE course_id = NEW.id ORDER BY id DESC LIMIT 1
        ) AS last
        WHERE last.to_ward = NEW.ward AND last.to_bed = NEW.bed
            AND (NEW.on_ward_id IS NOT DISTINCT FROM OLD.on_ward_id
                OR EXISTS (SELECT FROM accounts_ward
                    WHERE id = NEW.on_ward_id AND name = NEW.ward))
            AND (NEW.ended_at IS NOT DISTINCT FROM OLD.ended_at
                OR NEW.ended_at IS NULL AND last.what = 'reopened'
                OR NEW.ended_at = last.at AND last.what = 'ended')
    ) THEN
        RAISE EXCEPTION 'ward, bed and end of a course may change only with a recorded move'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER place_is_recorded BEFORE UPDATE ON patients_course FOR EACH ROW
    WHEN ((NEW.ward, NEW.bed, NEW.on_ward_id, NEW.ended_at)
        IS DISTINCT FROM (OLD.ward, OLD.bed, OLD.on_ward_id, OLD.ended_at))
    EXECUTE FUNCTION patients_place_is_recorded();
"""
NO_PLACE = """
DROP TRIGGER place_is_recorded ON patients_course;
DROP FUNCTION patients_place_is_recorded;
"""

# Rows that one statement writes have one xmin, in a savepoint too. That of one period is read by
# its key: a join with what was closed could be planned without the index.
_KNOWN_ENDS = """
CREATE OR REPLACE FUNCTION patients_known_ends_with_act() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    written CONSTANT xid := (
        SELECT xmin FROM patients_gradeperiod WHERE id = (SELECT id FROM closed LIMIT 1));
BEGIN
    IF EXISTS (
        SELECT FROM (SELECT DISTINCT course_id, upper(known) AS at FROM closed) AS closing
        WHERE NOT EXISTS (
            SELECT FROM patients_chartingact AS act
            WHERE act.course_id = closing.course_id AND act.recorded_at = closing.at{of_now}
        )
    ) THEN
        RAISE EXCEPTION 'a grade period ends to be known only with an act that says why'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;
"""
KNOWN_ENDS = _KNOWN_ENDS.replace("{of_now}", "\n                AND act.xmin = written")
KNOWN_ENDS_AS_BEFORE = _KNOWN_ENDS.replace("{of_now}", "")

CHECKPOINTS = """
CREATE TRIGGER never_truncated BEFORE TRUNCATE ON patients_gradecheckpoint
    FOR EACH STATEMENT EXECUTE FUNCTION patients_refuse_change();
"""
CHECKPOINTS_AS_BEFORE = "DROP TRIGGER never_truncated ON patients_gradecheckpoint"


class Migration(migrations.Migration):
    dependencies = [("patients", "0039_second_machine")]

    operations = [
        migrations.RunSQL(PLACE, NO_PLACE),
        migrations.RunSQL(KNOWN_ENDS, KNOWN_ENDS_AS_BEFORE),
        migrations.RunSQL(CHECKPOINTS, CHECKPOINTS_AS_BEFORE),
    ]
