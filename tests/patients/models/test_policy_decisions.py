"""The database refuses to change a decision on policy."""

import pytest
from django.db import IntegrityError, connection

from patients.models import Course
from tests.patients.conftest import Make

# Not even the owner of the tables may; the web role has no such right to begin with.
pytestmark = pytest.mark.usefixtures("as_owner")


@pytest.mark.parametrize("table", ["patients_sitepolicy", "patients_coursepolicy"])
@pytest.mark.parametrize(
    "statement", ["DELETE FROM {}", "UPDATE {} SET valid_from = now()", "TRUNCATE {} CASCADE"]
)
def test_decisions_are_never_removed_or_rewritten(
    on_cpap: Course, decided: Make, table: str, statement: str
) -> None:
    decided(cpap_grade=4)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        with pytest.raises(IntegrityError, match="append-only"):
            cursor.execute(statement.format(table))
