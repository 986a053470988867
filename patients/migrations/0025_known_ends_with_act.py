"""A checkpoint is never rewritten, and what was known of a grade ends only with a recorded act.

An act need not replace what it ends: after a death of another cause nothing is graded.
"""

from django.db import migrations

CHECKPOINTS_STAY = """
CREATE TRIGGER never_rewritten BEFORE UPDATE ON patients_gradecheckpoint
    FOR EACH ROW EXECUTE FUNCTION patients_refuse_change();
"""
CHECKPOINTS_AS_BEFORE = "DROP TRIGGER never_rewritten ON patients_gradecheckpoint"

# After the whole statement: the one that closes periods also inserts the act.
CLOSED_WITH_AN_ACT = """
CREATE FUNCTION patients_known_ends_with_act() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM (SELECT DISTINCT course_id, upper(known) AS at FROM closed) AS closing
        WHERE NOT EXISTS (
            SELECT FROM patients_chartingact AS act
            WHERE act.course_id = closing.course_id AND act.recorded_at = closing.at
        )
    ) THEN
        RAISE EXCEPTION 'a grade period ends to be known only with an act that says why'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER known_ends_with_act AFTER UPDATE ON patients_gradeperiod
    REFERENCING NEW TABLE AS closed
    FOR EACH STATEMENT EXECUTE FUNCTION patients_known_ends_with_act();
"""
CLOSED_AS_BEFORE = """
DROP TRIGGER known_ends_with_act ON patients_gradeperiod;
DROP FUNCTION patients_known_ends_with_act;
"""


class Migration(migrations.Migration):
    dependencies = [("patients", "0024_emergency_access")]

    operations = [
        migrations.RunSQL(CHECKPOINTS_STAY, CHECKPOINTS_AS_BEFORE),
        migrations.RunSQL(CLOSED_WITH_AN_ACT, CLOSED_AS_BEFORE),
    ]
