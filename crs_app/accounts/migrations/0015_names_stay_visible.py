"""A user name is never changed, a user never deleted, and another name keeps the one of before.

The row of the former name is written by a trigger with the rights of the owner of the tables, so
that nobody changes a name without it.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

NAMES = """
CREATE FUNCTION accounts_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% keeps its rows as they are: % refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE FUNCTION accounts_keep_former_name() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.username <> OLD.username OR NEW.id <> OLD.id THEN
        RAISE EXCEPTION 'a user name is never changed: entries stand under it'
            USING ERRCODE = 'restrict_violation';
    END IF;
    INSERT INTO accounts_formername (user_id, first_name, last_name, until, changed_by)
    VALUES (OLD.id, OLD.first_name, OLD.last_name, clock_timestamp(), session_user);
    RETURN NEW;
END $$;

CREATE TRIGGER keeps_former_name BEFORE UPDATE ON accounts_user FOR EACH ROW
    WHEN ((NEW.id, NEW.username, NEW.first_name, NEW.last_name)
        IS DISTINCT FROM (OLD.id, OLD.username, OLD.first_name, OLD.last_name))
    EXECUTE FUNCTION accounts_keep_former_name();
CREATE TRIGGER never_deleted BEFORE DELETE ON accounts_user
    FOR EACH ROW EXECUTE FUNCTION accounts_refuse_change();
CREATE TRIGGER never_truncated BEFORE TRUNCATE ON accounts_user
    FOR EACH STATEMENT EXECUTE FUNCTION accounts_refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON accounts_formername
    FOR EACH ROW EXECUTE FUNCTION accounts_refuse_change();
CREATE TRIGGER never_truncated BEFORE TRUNCATE ON accounts_formername
    FOR EACH STATEMENT EXECUTE FUNCTION accounts_refuse_change();
"""
AS_BEFORE = """
DROP TRIGGER never_truncated ON accounts_formername;
DROP TRIGGER append_only ON accounts_formername;
DROP TRIGGER never_truncated ON accounts_user;
DROP TRIGGER never_deleted ON accounts_user;
DROP TRIGGER keeps_former_name ON accounts_user;
DROP FUNCTION accounts_keep_former_name;
DROP FUNCTION accounts_refuse_change;
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0014_tablet_sign_ins")]

    operations = [
        migrations.CreateModel(
            name="FormerName",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("first_name", models.CharField(max_length=150)),
                ("last_name", models.CharField(max_length=150)),
                ("until", models.DateTimeField()),
                ("changed_by", models.CharField(max_length=63)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="former_names",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={"ordering": ("-until",)},
        ),
        migrations.RunSQL(NAMES, AS_BEFORE),
    ]
