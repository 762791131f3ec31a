"""What PostgreSQL's catalog knows of a table, beside its columns."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sheetbend.sources.jdbc.dialects.postgresql_types import LOOSE, TEXTS
from sheetbend.sources.jdbc.table import Table

if TYPE_CHECKING:
    from sheetbend.sources.jdbc.drivers.postgresql import PostgresSession
    from sheetbend.sources.jdbc.table import Column

__all__ = ["in_catalog"]

_NAME = r'(?:[^\W\d][\w$]*|"(?:[^"]|"")+")'
_TABLE = re.compile(rf"{_NAME}(?:\.{_NAME})?")

_FOUND = """
SELECT c.relkind = 'r' AND NOT c.relhassubclass AND a.amname = 'heap', c.reltuples::float8,
  -- Before release 14 the server reads all pages to find some.
  CASE WHEN c.relkind = 'r' AND current_setting('server_version_num')::int >= 140000
    THEN pg_relation_size(c.oid) / current_setting('block_size')::int8 END,
  ARRAY(SELECT attname::text FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND attnotnull),
  ARRAY(SELECT attname::text FROM pg_attribute JOIN pg_collation l ON l.oid = attcollation
    WHERE attrelid = c.oid AND attnum > 0 AND NOT collisdeterministic),
  ARRAY(SELECT attname::text FROM pg_attribute
    WHERE attrelid = c.oid AND attnum > 0 AND atttypid = 'bpchar'::regtype AND atttypmod > 4 ORDER BY attnum),
  ARRAY(SELECT atttypmod - 4 FROM pg_attribute
    WHERE attrelid = c.oid AND attnum > 0 AND atttypid = 'bpchar'::regtype AND atttypmod > 4 ORDER BY attnum),
  (SELECT t.attname::text FROM pg_index i JOIN pg_attribute t ON t.attrelid = c.oid AND t.attnum = i.indkey[0]
   WHERE i.indrelid = c.oid AND i.indisprimary AND i.indnkeyatts = 1
     AND t.atttypid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype))
FROM pg_class c LEFT JOIN pg_am a ON a.oid = c.relam
WHERE c.oid = to_regclass({name})
"""
_LOOSE = "SELECT EXISTS (SELECT FROM pg_collation WHERE NOT collisdeterministic)"
"""Whether there is a collation for which texts are equal that are not the same."""


def in_catalog(session: PostgresSession, relation: str, columns: Sequence[Column]) -> Table:
    """The table with what the catalog knows of it; next to nothing where the relation is no name."""
    found: list[tuple[Any, ...]] = []
    if _TABLE.fullmatch(relation):
        quoted = relation.replace("\\", "\\\\").replace("'", "''")
        found = session.rows(_FOUND.format(name=f"E'{quoted}'"))
    if not found:
        [(loose,)] = session.rows(_LOOSE)
        return Table(relation, tuple(_loose(column) if loose else column for column in columns))
    [(is_plain, rows, pages, never_null, loosely, padded, lengths, key)] = found
    length = dict(zip(padded, lengths, strict=True))
    # The driver does not tell the length of char(n).
    sized = [
        replace(column, declared=f"bpchar({length[column.name]})") if column.name in length else column
        for column in columns
    ]
    exact = [_loose(column) if column.name in loosely else column for column in sized]
    return Table(
        relation,
        tuple(replace(column, never_null=column.name in never_null) for column in exact),
        is_plain=bool(is_plain),
        # -1 where the table was never analysed.
        rows=int(rows) if rows >= 0 and is_plain else None,
        pages=pages,
        key=key,
    )


def _loose(column: Column) -> Column:
    is_text = column.declared in TEXTS or column.declared.startswith("bpchar")
    return replace(column, declared=column.declared + LOOSE) if is_text else column
