"""What is recorded stays recorded: the database refuses every change to it, whoever asks.

Refused are UPDATE, DELETE and TRUNCATE of acts, entries and policies; of courses all but ward, bed
and end; of grade periods all but closing what was known.
"""

from django.db import migrations

REFUSE = """
CREATE FUNCTION patients_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE FUNCTION patients_course_may_move() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    unmoved patients_course := NEW;
BEGIN
    unmoved.ward := OLD.ward;
    unmoved.bed := OLD.bed;
    unmoved.ended_at := OLD.ended_at;
    IF unmoved IS DISTINCT FROM OLD THEN
        RAISE EXCEPTION 'only ward, bed and end of a course may change'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION patients_known_may_close() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    reopened patients_gradeperiod := NEW;
BEGIN
    reopened.known := OLD.known;
    IF reopened IS DISTINCT FROM OLD
        OR NOT upper_inf(OLD.known)
        OR upper_inf(NEW.known)
        OR isempty(NEW.known)
        OR lower(NEW.known) <> lower(OLD.known)
    THEN
        RAISE EXCEPTION 'of a grade period only what was known may be closed, once'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
"""

FORGET = """
DROP FUNCTION patients_known_may_close;
DROP FUNCTION patients_course_may_move;
DROP FUNCTION patients_refuse_change;
"""

RECORDED = ("chartingact", "entry", "policyversion")
DERIVED = {"course": "patients_course_may_move", "gradeperiod": "patients_known_may_close"}


def _trigger(table: str, name: str, when: str, function: str) -> migrations.RunSQL:
    return migrations.RunSQL(
        f"CREATE TRIGGER {name} BEFORE {when} EXECUTE FUNCTION {function}()",
        f"DROP TRIGGER {name} ON patients_{table}",
    )


def _refusals(table: str) -> list[migrations.RunSQL]:
    on = f"ON patients_{table}"
    gone = _trigger(
        table, "never_truncated", f"TRUNCATE {on} FOR EACH STATEMENT", "patients_refuse_change"
    )
    if table in RECORDED:
        rows = f"UPDATE OR DELETE {on} FOR EACH ROW"
        return [gone, _trigger(table, "append_only", rows, "patients_refuse_change")]
    return [
        gone,
        _trigger(table, "never_deleted", f"DELETE {on} FOR EACH ROW", "patients_refuse_change"),
        _trigger(table, "changed_in_part", f"UPDATE {on} FOR EACH ROW", DERIVED[table]),
    ]


ENTRY_CONSTRAINTS = {
    "entry_body_is_an_object": "CHECK (jsonb_typeof(body) = 'object')",
    "entry_retraction_states_no_fact": (
        "CHECK (kind <> 'retraction' OR body - 'note' - 'attribution' = '{}'::jsonb)"
    ),
    "entry_known_in_its_course": "UNIQUE (course_id, id)",
    "entry_replaces_within_course": (
        "FOREIGN KEY (course_id, replaces_id) REFERENCES patients_entry (course_id, id) "
        "DEFERRABLE INITIALLY DEFERRED"
    ),
}


class Migration(migrations.Migration):
    dependencies = [("patients", "0001_initial")]

    operations = [
        *(
            migrations.RunSQL(
                f"ALTER TABLE patients_entry ADD CONSTRAINT {name} {definition}",
                f"ALTER TABLE patients_entry DROP CONSTRAINT {name}",
            )
            for name, definition in ENTRY_CONSTRAINTS.items()
        ),
        migrations.RunSQL(REFUSE, FORGET),
        *(refusal for table in (*RECORDED, *DERIVED) for refusal in _refusals(table)),
    ]
