"""A course with its patient and policy, read by a fixed SQL text in place of a model's query.

Django composes a query with its joins again for each request; this text is composed once.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from functools import cache
from itertools import islice
from typing import Any, Final, NamedTuple, TypeVar

from django.db import connection, models

from crs_app.speedups.rows import model_of_row
from patients.models import Course, Patient, PolicyVersion

_M = TypeVar("_M", bound=models.Model)

SQL_COURSE: Final = """
SELECT {columns}, last.recorded_at, clock_timestamp()
FROM patients_course AS course
JOIN patients_patient AS patient ON patient.id = course.patient_id
JOIN patients_policyversion AS policy ON policy.id = course.policy_id
LEFT JOIN LATERAL (
    SELECT recorded_at FROM patients_chartingact
    WHERE course_id = course.id ORDER BY recorded_at DESC LIMIT 1
) AS last ON true
WHERE course.id = %s
""".format(  # noqa: S608 - constants
    columns=", ".join(
        f"{alias}.{field.column}"
        for alias, model in (("course", Course), ("patient", Patient), ("policy", PolicyVersion))
        for field in model._meta.concrete_fields
    )
)


def read_course(course_id: uuid.UUID) -> Course:
    """Return the course with its patient and policy; raise Course.DoesNotExist."""
    with connection.cursor() as cursor:
        cursor.execute(SQL_COURSE, [course_id])
        columns = cursor.fetchone()
    if columns is None:
        raise Course.DoesNotExist
    values = iter(columns)
    course = _next(Course, values)
    course.patient = _next(Patient, values)
    course.policy = _next(PolicyVersion, values)
    course.last_recorded_at = next(values)
    course.database_clock = next(values)
    return course


class _Columns(NamedTuple):
    """The attributes of a model in the order of its columns, and the fields that convert one."""

    names: list[str]
    converted: list[tuple[int, Any]]


@cache
def _columns_of(model: type[models.Model]) -> _Columns:
    fields = model._meta.concrete_fields
    converted = [(i, field) for i, field in enumerate(fields) if hasattr(field, "from_db_value")]
    return _Columns([field.attname for field in fields], converted)


def _next(model: type[_M], values: Iterator[Any]) -> _M:
    """Return a ``model`` made of as many of the next ``values`` as it has columns."""
    names, converted = _columns_of(model)
    read = list(islice(values, len(names)))
    for place, field in converted:
        read[place] = field.from_db_value(read[place], None, connection)
    return model_of_row(model, names, read)
