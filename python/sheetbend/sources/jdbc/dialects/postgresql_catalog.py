"""What PostgreSQL's catalog knows of a table, beside its columns."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from sheetbend.sources.jdbc.table import Table

if TYPE_CHECKING:
    from sheetbend.sources.jdbc.drivers.postgresql import PostgresSession
    from sheetbend.sources.jdbc.table import Column

__all__ = ["in_catalog"]

_NAME = r'(?:[^\W\d][\w$]*|"(?:[^"]|"")+")'
_TABLE = re.compile(rf"{_NAME}(?:\.{_NAME})?")

_FOUND = """
SELECT c.relkind = 'r' AND NOT c.relhassubclass AND a.amname = 'heap' AND NOT c.relrowsecurity, c.reltuples::float8,
  CASE WHEN c.relkind = 'r' THEN pg_relation_size(c.oid) / current_setting('block_size')::int8 END,
  ARRAY(SELECT attname::text FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND attnotnull),
  (SELECT t.attname::text FROM pg_index i JOIN pg_attribute t ON t.attrelid = c.oid AND t.attnum = i.indkey[0]
   WHERE i.indrelid = c.oid AND i.indisprimary AND i.indnkeyatts = 1
     AND t.atttypid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype))
FROM pg_class c LEFT JOIN pg_am a ON a.oid = c.relam
WHERE c.oid = to_regclass({name})
"""


def in_catalog(session: PostgresSession, relation: str, columns: Sequence[Column]) -> Table:
    """The table with what the catalog knows of it; nothing where the relation is no name."""
    table = Table(relation, tuple(columns))
    if _TABLE.fullmatch(relation) is None:
        return table
    quoted = relation.replace("\\", "\\\\").replace("'", "''")
    found = session.rows(_FOUND.format(name=f"E'{quoted}'"))
    if not found:
        return table
    [(is_plain, rows, pages, never_null, key)] = found
    return replace(
        table,
        columns=tuple(replace(column, never_null=column.name in never_null) for column in columns),
        is_plain=bool(is_plain),
        # -1 where the table was never analysed.
        rows=int(rows) if rows >= 0 and is_plain else None,
        pages=pages,
        key=key,
    )
