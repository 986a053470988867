"""Kinds of entries that scales other than Lee's ask, and whether development is delayed.

The constraints are added NOT VALID: each row of before keeps them.
"""

from typing import Final

from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models

SQL_IDENTITY_IS_RECORDED: Final = """
CREATE OR REPLACE FUNCTION patients_identity_is_recorded() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    now_in bigint := pg_current_xact_id()::text::bigint;
    unchanged patients_patient := NEW;
    old_values jsonb := to_jsonb(OLD);
    new_values jsonb := to_jsonb(NEW);
    changed text;
BEGIN
    FOREACH changed IN ARRAY ARRAY[{columns}] LOOP
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
{kept}    IF NEW.name IS DISTINCT FROM OLD.name THEN
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
"""
"""The function of the trigger; ``{columns}`` may change with their correction."""
_COLUMNS: Final = "'name', 'birth_date', 'sex', 'mrn'"
WITH_DELAY: Final = SQL_IDENTITY_IS_RECORDED.replace(
    "{columns}", f"{_COLUMNS}, 'developmental_delay'"
).replace("{kept}", "    unchanged.developmental_delay := OLD.developmental_delay;\n")
AS_BEFORE: Final = SQL_IDENTITY_IS_RECORDED.replace("{columns}", _COLUMNS).replace("{kept}", "")


class Migration(migrations.Migration):
    dependencies = [
        ("patients", "0029_cohort_export"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="entry",
            name="entry_kind_known_word",
        ),
        migrations.RemoveConstraint(
            model_name="identitycorrection",
            name="identity_known_word",
        ),
        migrations.AddField(
            model_name="patient",
            name="developmental_delay",
            field=models.BooleanField(blank=True, null=True),
        ),
        migrations.AlterField(
            model_name="entry",
            name="kind",
            field=models.CharField(
                choices=[
                    ("vitals", "Vital signs"),
                    ("oxygen", "Oxygen"),
                    ("vasopressor", "Vasopressor"),
                    ("fluid_bolus", "Fluid bolus"),
                    ("weight", "Weight"),
                    ("lab", "Laboratory"),
                    ("baseline", "Baseline"),
                    ("risk", "Risk"),
                    ("toxicity", "Toxicity"),
                    ("judgement", "Judgement"),
                    ("symptom", "Symptom"),
                    ("treatment", "Treatment"),
                    ("note", "Note"),
                    ("not_observed", "Not observed"),
                    ("death", "Death"),
                    ("ice", "ICE"),
                    ("capd", "CAPD"),
                    ("consciousness", "Consciousness"),
                    ("seizure", "Seizure"),
                    ("neuro_sign", "Neurologic sign"),
                    ("admission", "Place of care"),
                    ("blood_product", "Blood product"),
                    ("retraction", "Retraction"),
                ],
                max_length=20,
            ),
        ),
        migrations.AlterField(
            model_name="identitycorrection",
            name="fact",
            field=models.CharField(
                choices=[
                    ("name", "Name"),
                    ("birth", "Birth date"),
                    ("sex", "Sex"),
                    ("delay", "Developmental delay"),
                    ("mrn", "MRN"),
                    ("infusion", "Infusion time"),
                    ("product", "Product"),
                ],
                max_length=10,
            ),
        ),
        AddConstraintNotValid(
            model_name="entry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "kind__in",
                        [
                            "vitals",
                            "oxygen",
                            "vasopressor",
                            "fluid_bolus",
                            "weight",
                            "lab",
                            "baseline",
                            "risk",
                            "toxicity",
                            "judgement",
                            "symptom",
                            "treatment",
                            "note",
                            "not_observed",
                            "death",
                            "ice",
                            "capd",
                            "consciousness",
                            "seizure",
                            "neuro_sign",
                            "admission",
                            "blood_product",
                            "retraction",
                        ],
                    )
                ),
                name="entry_kind_known_word",
            ),
        ),
        AddConstraintNotValid(
            model_name="entry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "ice"), _negated=True),
                    models.Q(
                        ("body__score__typed_whole_within", ("0", "10")),
                        ("body__orientation__typed_whole_within", ("0", "4")),
                        ("body__naming__typed_whole_within", ("0", "3")),
                        ("body__commands__typed_whole_within", ("0", "1")),
                        ("body__writing__typed_whole_within", ("0", "1")),
                        ("body__attention__typed_whole_within", ("0", "1")),
                    ),
                    _connector="OR",
                ),
                name="entry_ice_points",
            ),
        ),
        AddConstraintNotValid(
            model_name="entry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "capd"), _negated=True),
                    ("body__score__typed_whole_within", ("0", "32")),
                    _connector="OR",
                ),
                name="entry_capd_points",
            ),
        ),
        AddConstraintNotValid(
            model_name="entry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "seizure"), _negated=True),
                    ("body__duration_minutes__typed_number_within", ("0", "1440")),
                    _connector="OR",
                ),
                name="entry_seizure_minutes",
            ),
        ),
        AddConstraintNotValid(
            model_name="identitycorrection",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("fact__in", ["name", "birth", "sex", "delay", "mrn", "infusion", "product"])
                ),
                name="identity_known_word",
            ),
        ),
        migrations.RunSQL(WITH_DELAY, AS_BEFORE),
    ]
