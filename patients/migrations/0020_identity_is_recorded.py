"""A patient's identity and a course's infusion change only with a row that says who and why.

The columns of ``patients_patient``, and product, infusion, age and patient of a course, may be
updated in a transaction that has stored a correction with exactly the new value, or a join of the
two records. Rows of corrections and joins are append-only; patients are never deleted.
"""

from typing import Any

from django.db import migrations, models

from patients.models.identifiers import mrn_key, mrn_look, name_key

FUNCTIONS = """
CREATE FUNCTION patients_in_this_transaction() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.transaction_id := pg_current_xact_id()::text::bigint;
    RETURN NEW;
END $$;

CREATE FUNCTION patients_identity_is_recorded() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    now_in bigint := pg_current_xact_id()::text::bigint;
    unchanged patients_patient := NEW;
    old_values jsonb := to_jsonb(OLD);
    new_values jsonb := to_jsonb(NEW);
    changed text;
BEGIN
    FOREACH changed IN ARRAY ARRAY['name', 'birth_date', 'sex', 'mrn'] LOOP
        IF new_values -> changed IS DISTINCT FROM old_values -> changed AND NOT EXISTS (
            SELECT FROM patients_identitycorrection AS correction
            WHERE correction.patient_id = NEW.id AND correction.course_id IS NULL
                AND correction.transaction_id = now_in
                AND correction.after -> changed = new_values -> changed
                AND correction.before -> changed = old_values -> changed
        ) THEN
            RAISE EXCEPTION 'the % of a patient may change only with its correction', changed
                USING ERRCODE = 'restrict_violation';
        END IF;
    END LOOP;
    unchanged.name := OLD.name;
    unchanged.birth_date := OLD.birth_date;
    unchanged.sex := OLD.sex;
    unchanged.mrn := OLD.mrn;
    IF NEW.name IS DISTINCT FROM OLD.name THEN
        unchanged.name_key := OLD.name_key;
    END IF;
    IF NEW.mrn IS DISTINCT FROM OLD.mrn THEN
        unchanged.mrn_key := OLD.mrn_key;
        unchanged.mrn_look := OLD.mrn_look;
    END IF;
    IF unchanged IS DISTINCT FROM OLD THEN
        RAISE EXCEPTION 'of a patient only the identity may change'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION patients_course_may_move() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    now_in bigint := pg_current_xact_id()::text::bigint;
    unmoved patients_course := NEW;
    correction record;
    is_rejoined boolean;
BEGIN
    unmoved.ward := OLD.ward;
    unmoved.bed := OLD.bed;
    unmoved.ended_at := OLD.ended_at;
    IF unmoved IS NOT DISTINCT FROM OLD THEN
        RETURN NEW;
    END IF;
    FOR correction IN
        SELECT before, after FROM patients_identitycorrection
        WHERE course_id = NEW.id AND transaction_id = now_in
    LOOP
        IF correction.after ? 'product'
            AND (correction.before ->> 'product') = OLD.product
            AND (correction.after ->> 'product') = NEW.product
        THEN
            unmoved.product := OLD.product;
        END IF;
        IF correction.after ? 'infused_at'
            AND (correction.before ->> 'infused_at')::timestamptz = OLD.infused_at
            AND (correction.after ->> 'infused_at')::timestamptz = NEW.infused_at
            AND (correction.after ->> 'infused_offset_seconds')::integer
                = NEW.infused_offset_seconds
        THEN
            unmoved.infused_at := OLD.infused_at;
            unmoved.infused_offset_seconds := OLD.infused_offset_seconds;
        END IF;
        IF correction.after ? 'age_years'
            AND (correction.before ->> 'age_years')::numeric IS NOT DISTINCT FROM OLD.age_years
            AND (correction.after ->> 'age_years')::numeric IS NOT DISTINCT FROM NEW.age_years
        THEN
            unmoved.age_years := OLD.age_years;
        END IF;
    END LOOP;
    is_rejoined := NEW.patient_id <> OLD.patient_id AND EXISTS (
        SELECT FROM patients_patientjoin AS joining
        WHERE joining.transaction_id = now_in AND (
            (joining.undoes_id IS NULL AND joining.joined_id = OLD.patient_id
                AND joining.kept_id = NEW.patient_id
                AND NEW.age_years IS NOT DISTINCT FROM OLD.age_years)
            OR (joining.undoes_id IS NOT NULL AND joining.kept_id = OLD.patient_id
                AND joining.joined_id = NEW.patient_id)
        ) AND joining.courses @> jsonb_build_array(jsonb_build_object('id', NEW.id))
    );
    IF is_rejoined THEN
        unmoved.patient_id := OLD.patient_id;
        unmoved.age_years := OLD.age_years;
    END IF;
    IF NEW.identity_version = OLD.identity_version + 1 AND (is_rejoined
        OR EXISTS (SELECT FROM patients_identitycorrection
            WHERE patient_id = NEW.patient_id AND transaction_id = now_in)
        OR EXISTS (SELECT FROM patients_patientjoin
            WHERE NEW.patient_id IN (kept_id, joined_id) AND transaction_id = now_in))
    THEN
        unmoved.identity_version := OLD.identity_version;
    END IF;
    IF unmoved IS DISTINCT FROM OLD THEN
        RAISE EXCEPTION 'only ward, bed and end of a course may change; identity by correction'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
"""

AS_BEFORE = """
CREATE OR REPLACE FUNCTION patients_course_may_move() RETURNS trigger LANGUAGE plpgsql AS $$
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
DROP FUNCTION patients_identity_is_recorded;
DROP FUNCTION patients_in_this_transaction;
"""


def _trigger(table: str, name: str, when: str, function: str) -> migrations.RunSQL:
    return migrations.RunSQL(
        f"CREATE TRIGGER {name} BEFORE {when} EXECUTE FUNCTION {function}()",
        f"DROP TRIGGER {name} ON patients_{table}",
    )


def _refusals(table: str, rows: str, name: str) -> list[migrations.RunSQL]:
    on = f"ON patients_{table} FOR EACH"
    refuse = "patients_refuse_change"
    return [
        _trigger(table, "never_truncated", f"TRUNCATE {on} STATEMENT", refuse),
        _trigger(table, name, f"{rows} {on} ROW", refuse),
    ]


def _append_only(table: str) -> list[migrations.RunSQL]:
    on = f"ON patients_{table} FOR EACH ROW"
    return [
        *_refusals(table, "UPDATE OR DELETE", "append_only"),
        _trigger(table, "in_transaction", f"INSERT {on}", "patients_in_this_transaction"),
    ]


def give_keys(apps: Any, _schema_editor: Any) -> None:
    """Store the keys of every record number and name.

    Of numbers that are the same, stored before this was refused, the others get a key of their own:
    they cannot be deleted, and an administrator can join them.
    """
    patients, taken = apps.get_model("patients", "Patient"), set()
    for patient in patients.objects.order_by("pk").iterator():
        key = mrn_key(patient.mrn)
        patient.mrn_key = key if key and key not in taken else f"{key}\n{patient.pk}"
        patient.mrn_look = mrn_look(patient.mrn)
        patient.name_key = name_key(patient.name)
        taken.add(key)
        patient.save(update_fields=["mrn_key", "mrn_look", "name_key"])


class Migration(migrations.Migration):
    dependencies = [("patients", "0019_identity")]

    operations = [
        migrations.RunPython(give_keys, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name="patient",
            constraint=models.UniqueConstraint(fields=("mrn_key",), name="patient_mrn_key_once"),
        ),
        migrations.RunSQL(FUNCTIONS, AS_BEFORE),
        *_append_only("identitycorrection"),
        *_append_only("patientjoin"),
        *_refusals("patient", "DELETE", "never_deleted"),
        _trigger(
            "patient",
            "identity_is_recorded",
            "UPDATE ON patients_patient FOR EACH ROW",
            "patients_identity_is_recorded",
        ),
    ]
