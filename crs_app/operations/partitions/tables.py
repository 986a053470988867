"""The partitioned tables of acts and entries, made from those that the database has.

Every key gets the course: a unique index of a partitioned table must have the partition key, and
what no two rows of a course share, none of two courses can share either, because acts and entries
never leave their course. Statements are read from the catalogue, so that a constraint, index or
trigger of a later migration is carried over as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import psycopg
from psycopg import sql

TABLES: Final = ("patients_chartingact", "patients_entry")
"""Acts first: an entry refers to its act."""
COURSE: Final = "course_id"
FILLED: Final = "chart_partitions"
"""Schema of the new tables until they take the place of the old ones."""
KEPT: Final = "before_partitions"
"""Schema of the old tables afterwards, until the operator drops them."""
COPIED: Final = f"{FILLED}.copied_course"

_IS_PARTITIONED: Final = """
SELECT count(*) = 2 FROM pg_class
WHERE oid IN (to_regclass('public.patients_chartingact'), to_regclass('public.patients_entry'))
    AND relkind = 'p'
"""
_CONSTRAINTS: Final = """
SELECT k.conname, k.contype, k.convalidated, pg_get_constraintdef(k.oid), ARRAY(
    SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY AS key (number, place)
    JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = key.number ORDER BY key.place
), f.relname
FROM pg_constraint AS k LEFT JOIN pg_class AS f ON f.oid = k.confrelid
WHERE k.conrelid = %s::regclass AND k.contype IN ('p', 'u', 'c', 'f')
ORDER BY k.contype <> 'p', k.conname
"""
_INDEXES: Final = """
SELECT pg_get_indexdef(i.indexrelid) FROM pg_index AS i
WHERE i.indrelid = %s::regclass
    AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = i.indexrelid AND contype <> 'f')
ORDER BY 1
"""
_TRIGGERS: Final = """
SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger
WHERE tgrelid = %s::regclass AND NOT tgisinternal ORDER BY 1
"""
# Of other tables; the course of the referring row is that of the act or entry.
_REFERENCES: Final = """
SELECT c.relname, k.conname, a.attname, f.relname, EXISTS (
    SELECT FROM pg_attribute WHERE attrelid = c.oid AND attname = 'course_id' AND attnotnull
        AND NOT attisdropped
)
FROM pg_constraint AS k
JOIN pg_class AS c ON c.oid = k.conrelid
JOIN pg_class AS f ON f.oid = k.confrelid
JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
WHERE k.contype = 'f' AND k.confrelid = ANY(%s::regclass[]) AND k.conrelid <> ALL(%s::regclass[])
    AND cardinality(k.conkey) = 1
ORDER BY 1, 2
"""
_NO_SUCH_ROW: Final = """
CREATE FUNCTION public.{function}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.{column} IS NOT NULL
        AND NOT EXISTS (SELECT FROM public.{target} WHERE id = NEW.{column})
    THEN
        RAISE EXCEPTION 'no row of {target} has the id %', NEW.{column}
            USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END $$
"""


Statement = sql.SQL | sql.Composed


class Reference(NamedTuple):
    """A foreign key of another table to acts or entries; ``has_course``: its rows name one."""

    table: str
    name: str
    column: str
    target: str
    has_course: bool


def named(schema: str, table: str) -> sql.Identifier:
    """Return the quoted name of a table with its schema."""
    return sql.Identifier(schema, table)


def is_partitioned(database: psycopg.Connection[Any]) -> bool:
    """Return whether acts and entries are partitioned already."""
    return bool(_value(database, _IS_PARTITIONED))


def is_begun(database: psycopg.Connection[Any]) -> bool:
    """Return whether a conversion has begun and its tables have not changed places yet."""
    return bool(_value(database, "SELECT to_regclass(%s) IS NOT NULL", [COPIED]))


def make_tables(database: psycopg.Connection[Any], partitions: int) -> None:
    """Make the empty partitioned tables, in the transaction of the connection."""
    for table in TABLES:
        old, new = named("public", table), named(FILLED, table)
        database.execute(
            sql.SQL(
                "CREATE TABLE {} (LIKE {} INCLUDING DEFAULTS INCLUDING CONSTRAINTS "
                "INCLUDING STORAGE INCLUDING COMMENTS) PARTITION BY HASH ({})"
            ).format(new, old, sql.Identifier(COURSE))
        )
        for name in _unvalidated(database, table):
            database.execute(
                sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(new, sql.Identifier(name))
            )
        for number in range(partitions):
            database.execute(
                sql.SQL(
                    "CREATE TABLE {} PARTITION OF {} FOR VALUES WITH (MODULUS {}, REMAINDER {})"
                ).format(
                    named("public", partition_of(table, number)),
                    new,
                    sql.Literal(partitions),
                    sql.Literal(number),
                )
            )
    for table in TABLES:
        for statement in (*_keys(database, table), *_indexes(database, table)):
            database.execute(statement)
        for statement in _triggers(database, table, partitions):
            database.execute(statement)


def refer_outwards(database: psycopg.Connection[Any]) -> None:
    """Give the new tables their foreign keys: to each other, to courses, users and messages."""
    for table in TABLES:
        for statement in _foreign_keys(database, table):
            database.execute(statement)


def partition_of(table: str, number: int) -> str:
    """Return the name of a partition of ``table``."""
    return f"{table}_p{number:02}"


def _unvalidated(database: psycopg.Connection[Any], table: str) -> list[str]:
    """Return the checks that older rows need not meet: they would refuse the copies of these."""
    return [
        name
        for name, kind, is_valid, *_ in _constraints(database, table)
        if kind == "c" and not is_valid
    ]


def checks_to_add(database: psycopg.Connection[Any]) -> list[Statement]:
    """Return the statements that add the checks which older rows need not meet."""
    return [
        sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} {}").format(
            named("public", table), sql.Identifier(name), sql.SQL(definition)
        )
        for table in TABLES
        for name, kind, is_valid, definition, *_ in _constraints(database, table, KEPT)
        if kind == "c" and not is_valid
    ]


def _keys(database: psycopg.Connection[Any], table: str) -> Iterator[Statement]:
    """Yield the primary key and each unique constraint, with the course; none of them twice."""
    made: list[frozenset[str]] = []
    for name, kind, _, _, columns, _ in _constraints(database, table):
        if kind not in "pu":
            continue
        with_course = [*columns, *([] if COURSE in columns else [COURSE])]
        if frozenset(with_course) in made:
            continue
        made.append(frozenset(with_course))
        yield sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} {} ({})").format(
            named(FILLED, table),
            sql.Identifier(name),
            sql.SQL("PRIMARY KEY" if kind == "p" else "UNIQUE"),
            sql.SQL(", ").join(map(sql.Identifier, with_course)),
        )


def _indexes(database: psycopg.Connection[Any], table: str) -> Iterator[Statement]:
    for (definition,) in database.execute(_INDEXES, [f"public.{table}"]).fetchall():
        yield _moved(definition, table)


def _triggers(
    database: psycopg.Connection[Any], table: str, partitions: int
) -> Iterator[Statement]:
    """Yield the triggers; those of TRUNCATE for each partition as well, which has none of it."""
    for _, definition in database.execute(_TRIGGERS, [f"public.{table}"]).fetchall():
        yield _moved(definition, table)
        if "FOR EACH STATEMENT" in definition:
            for number in range(partitions):
                yield _moved(definition, table, f"public.{partition_of(table, number)}")


def _foreign_keys(database: psycopg.Connection[Any], table: str) -> Iterator[Statement]:
    """Yield the foreign keys; one to acts or entries has the course, and is made once."""
    made: list[frozenset[str]] = []
    for name, kind, _, definition, columns, target in _constraints(database, table):
        if kind != "f":
            continue
        add = sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} ").format(
            named(FILLED, table), sql.Identifier(name)
        )
        if target not in TABLES:
            yield add + sql.SQL(definition)
            continue
        referring = next(column for column in columns if column != COURSE)
        if frozenset({COURSE, referring}) in made:
            continue
        made.append(frozenset({COURSE, referring}))
        yield add + _reference_with_course(referring, named(FILLED, target))


def _reference_with_course(column: str, target: sql.Identifier) -> Statement:
    return sql.SQL(
        "FOREIGN KEY ({course}, {column}) REFERENCES {target} ({course}, id) "
        "DEFERRABLE INITIALLY DEFERRED"
    ).format(course=sql.Identifier(COURSE), column=sql.Identifier(column), target=target)


def references(database: psycopg.Connection[Any]) -> list[Reference]:
    """Return the foreign keys of other tables to acts and entries, by table and name."""
    targets = [f"public.{table}" for table in TABLES]
    return [Reference(*row) for row in database.execute(_REFERENCES, [targets, targets]).fetchall()]


def refer_to_partitioned(one: Reference) -> list[Statement]:
    """Return the statements that lead a foreign key of another table to the new table.

    Where the rows of that table name no course, a deferred trigger asks for the act or entry:
    none is ever removed, so that to ask once is as good as a foreign key.
    """
    table = named("public", one.table)
    statements: list[Statement] = [
        sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(table, sql.Identifier(one.name))
    ]
    if one.has_course:
        statements.append(
            sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} {} NOT VALID").format(
                table,
                sql.Identifier(one.name),
                _reference_with_course(one.column, named("public", one.target)),
            )
        )
        return statements
    function = f"{one.table}_{one.column}_is_there"
    parts = {
        "function": sql.Identifier(function),
        "column": sql.Identifier(one.column),
        "target": sql.Identifier(one.target),
    }
    statements.append(sql.SQL(_NO_SUCH_ROW).format(**parts))
    statements.append(
        sql.SQL(
            "CREATE CONSTRAINT TRIGGER {} AFTER INSERT ON {} DEFERRABLE INITIALLY DEFERRED "
            "FOR EACH ROW EXECUTE FUNCTION public.{}()"
        ).format(sql.Identifier(f"{one.column}_is_there"), table, sql.Identifier(function))
    )
    return statements


def unvalidated_references(database: psycopg.Connection[Any]) -> list[tuple[str, str]]:
    """Return table and name of each foreign key to acts and entries that is to be validated."""
    found = database.execute(
        "SELECT c.relname, k.conname FROM pg_constraint AS k JOIN pg_class AS c"
        " ON c.oid = k.conrelid WHERE k.contype = 'f' AND NOT k.convalidated"
        " AND k.conparentid = 0 AND k.confrelid = ANY(%s::regclass[]) ORDER BY 1, 2",
        [[f"public.{table}" for table in TABLES]],
    )
    return found.fetchall()


def _constraints(
    database: psycopg.Connection[Any], table: str, schema: str = "public"
) -> Sequence[tuple[str, str, bool, str, list[str], str | None]]:
    return database.execute(_CONSTRAINTS, [f"{schema}.{table}"]).fetchall()


def _moved(definition: str, table: str, to: str = "") -> sql.SQL:
    """Return the definition of an index or trigger of the old table for another one.

    ``to`` "" is the new table.
    """
    before, after = f" ON public.{table} ", f" ON {to or f'{FILLED}.{table}'} "
    if definition.count(before) != 1:
        raise ValueError(f"not understood: {definition}")
    return sql.SQL(definition.replace(before, after))


def _value(
    database: psycopg.Connection[Any], statement: str, parameters: Sequence[Any] = ()
) -> Any:
    row = database.execute(statement, parameters).fetchone()
    return row[0] if row else None
