"""Every course is on a ward of the table of wards.

A ward is made of each text that a course has or had, and every clinician of now works on all of
them: nobody loses a patient by this migration. An administrator takes away what is too much.
"""

from typing import Any

import django.db.models.deletion
from django.db import migrations, models

CLINICIANS = ("ward_clinician", "icu_reviewer")
UNNAMED = "Unnamed"

MAY_MOVE = """
CREATE OR REPLACE FUNCTION patients_course_may_move() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    now_in bigint := pg_current_xact_id()::text::bigint;
    unmoved patients_course := NEW;
    correction record;
    is_rejoined boolean;
BEGIN
    unmoved.ward := OLD.ward;
    unmoved.on_ward_id := OLD.on_ward_id;
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
AS_BEFORE = MAY_MOVE.replace("    unmoved.on_ward_id := OLD.on_ward_id;\n", "")


def make_wards(apps: Any, _schema_editor: Any) -> None:
    """Make a ward of each text, put each course on its ward, and each clinician on all."""
    courses, wards = apps.get_model("patients", "Course"), apps.get_model("accounts", "Ward")
    for text in set(courses.objects.values_list("ward", flat=True)):
        ward, _ = wards.objects.get_or_create(name=text or UNNAMED)
        courses.objects.filter(ward=text).update(on_ward=ward)
    members = apps.get_model("accounts", "WardMembership")
    clinicians = apps.get_model("accounts", "User").objects.filter(role__in=CLINICIANS)
    members.objects.bulk_create(
        [members(user=user, ward=ward) for user in clinicians for ward in wards.objects.all()],
        ignore_conflicts=True,
    )


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0010_wards"),
        ("patients", "0022_author_of_act"),
    ]

    operations = [
        migrations.AddField(
            model_name="course",
            name="on_ward",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="accounts.ward",
            ),
        ),
        migrations.RunSQL(MAY_MOVE, AS_BEFORE),
        migrations.RunPython(make_wards, migrations.RunPython.noop),
    ]
