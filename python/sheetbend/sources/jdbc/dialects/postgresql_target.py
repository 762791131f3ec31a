"""The table that is written to, as PostgreSQL's catalog has it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from sheetbend.sources.jdbc.dialects.postgresql_staging import literal, qualified
from sheetbend.sources.jdbc.dialects.postgresql_types import reading_of
from sheetbend.sources.jdbc.writing.columns import TableColumn

if TYPE_CHECKING:
    from sheetbend.sources.jdbc.drivers.postgresql import PostgresSession

__all__ = ["Target", "find_target"]

_TEXTS = (pa.string(), pa.list_(pa.string()))


@dataclass(frozen=True, slots=True)
class Target:
    """A table that is there, or the place where it will be."""

    schema: str
    name: str
    columns: list[TableColumn] | None
    """None where there is no such table."""
    parent: bool = False
    """Whether the table is partitioned, so that its rows are in others."""
    copies: bool = False
    """Whether COPY does to it what INSERT does: it is no view, and has no rules, policies or numbers of its own."""
    parsed: frozenset[str] = frozenset()
    """The columns whose types have no Arrow type of their own: the server reads their values from texts."""

    @property
    def sql(self) -> str:
        """The name as it stands in SQL."""
        return qualified(self.schema, self.name)


def find_target(session: PostgresSession, table: str) -> Target:
    """The table that the server finds under a name that a user has written."""
    found = session.rows(
        "SELECT c.oid::int8, n.nspname::text, c.relname::text, c.relkind = 'p', "
        "c.relkind IN ('r', 'p') AND NOT c.relhasrules AND NOT c.relrowsecurity AND NOT EXISTS "
        "(SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attidentity = 'a') FROM pg_class c "
        f"JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = to_regclass({literal(table)})"
    )
    if not found:
        parts = session.rows(f"SELECT parse_ident({literal(table)}), current_schema()::text")
        names, current = parts[0]
        return Target(names[-2] if len(names) > 1 else current or "public", names[-1], None)
    oid, schema, name, parent, copies = found[0]
    rows = session.rows(
        "SELECT a.attname::text, format_type(a.atttypid, a.atttypmod), t.typname::text, t.typcategory = 'S', "
        "a.attnotnull, a.attnotnull AND NOT a.atthasdef AND a.attidentity = '' "
        "FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid "
        f"WHERE a.attrelid = {oid} AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum"
    )
    columns = [TableColumn(row[0], row[1], required=row[4], optional=not row[5]) for row in rows]
    parsed = frozenset(row[0] for row in rows if not row[3] and reading_of(row[2]).type in _TEXTS)
    return Target(schema, name, columns, parent, copies, parsed)
