"""A checkpoint is never rewritten, and what was known of a grade ends only with what replaces it."""

from django.db import migrations

CHECKPOINTS_STAY = """
CREATE TRIGGER never_rewritten BEFORE UPDATE ON patients_gradecheckpoint
    FOR EACH ROW EXECUTE FUNCTION patients_refuse_change();
"""
CHECKPOINTS_AS_BEFORE = "DROP TRIGGER never_rewritten ON patients_gradecheckpoint"

# After the whole statement: the one that closes periods also inserts those that replace them.
CLOSED_WITH_SUCCESSOR = """
CREATE FUNCTION patients_known_has_successor() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM (
            SELECT course_id, system, upper(known) AS at, range_agg(valid) AS valid FROM closed
            GROUP BY course_id, system, upper(known)
        ) AS closing
        WHERE NOT EXISTS (
            SELECT FROM patients_gradeperiod AS opened
            WHERE opened.course_id = closing.course_id AND opened.system = closing.system
                AND opened.valid && closing.valid AND opened.known @> closing.at
                AND lower(opened.known) = closing.at
        )
    ) THEN
        RAISE EXCEPTION 'a grade period ends to be known only with what replaces it'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER known_has_successor AFTER UPDATE ON patients_gradeperiod
    REFERENCING NEW TABLE AS closed
    FOR EACH STATEMENT EXECUTE FUNCTION patients_known_has_successor();
"""
CLOSED_AS_BEFORE = """
DROP TRIGGER known_has_successor ON patients_gradeperiod;
DROP FUNCTION patients_known_has_successor;
"""


class Migration(migrations.Migration):
    dependencies = [("patients", "0022_author_of_act")]

    operations = [
        migrations.RunSQL(CHECKPOINTS_STAY, CHECKPOINTS_AS_BEFORE),
        migrations.RunSQL(CLOSED_WITH_SUCCESSOR, CLOSED_AS_BEFORE),
    ]
