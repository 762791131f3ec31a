"""Writes to DuckDB."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pyarrow as pa

from sheetbend.filters import DUCKDB
from sheetbend.sources.jdbc.sql import quote_identifier
from sheetbend.sources.jdbc.writing.columns import TableColumn, unsupported_type
from sheetbend.sources.jdbc.writing.spooled import SpooledWriter

if TYPE_CHECKING:
    from sheetbend.sources.jdbc.writing.spooled import FileSession, Store

__all__ = ["DuckDbWriter", "created_type"]

_NAME = r'(?:\w+|"(?:[^"]|"")+")'
_CREATED: dict[pa.DataType, str] = {
    pa.bool_(): "BOOLEAN",
    pa.int8(): "TINYINT",
    pa.int16(): "SMALLINT",
    pa.int32(): "INTEGER",
    pa.int64(): "BIGINT",
    pa.float32(): "FLOAT",
    pa.float64(): "DOUBLE",
    pa.string(): "VARCHAR",
    pa.large_string(): "VARCHAR",
    pa.string_view(): "VARCHAR",
    pa.binary(): "BLOB",
    pa.large_binary(): "BLOB",
    pa.binary_view(): "BLOB",
    pa.date32(): "DATE",
    pa.time64("us"): "TIME",
}


def created_type(kind: pa.DataType) -> str | None:
    """The type of a column; None for what DuckDB has none for. Lists, structs and maps are what they are."""
    found = _CREATED.get(kind)
    if pa.types.is_decimal(kind):
        found = f"DECIMAL({kind.precision},{kind.scale})"
    elif pa.types.is_timestamp(kind):
        found = "TIMESTAMP WITH TIME ZONE" if kind.tz else "TIMESTAMP"
    elif pa.types.is_list(kind):
        element = created_type(kind.value_type)
        found = element and f"{element}[]"
    elif pa.types.is_map(kind):
        parts = created_type(kind.key_type), created_type(kind.item_type)
        found = f"MAP({parts[0]}, {parts[1]})" if all(parts) else None
    elif pa.types.is_struct(kind):
        fields = [(field.name, created_type(field.type)) for field in kind]
        shown = ", ".join(f"{quote_identifier(name)} {part}" for name, part in fields)
        found = f"STRUCT({shown})" if fields and all(part for _, part in fields) else None
    return found


class DuckDbWriter(SpooledWriter):
    """Writes to one table of a DuckDB file."""

    database = "duckdb"
    table_name = re.compile(rf"(?:({_NAME})\.)?({_NAME})")
    begin_sql = "BEGIN TRANSACTION"
    rows_sql = "SELECT {columns} FROM sheetbend_rows"

    def created_type(self, kind: pa.DataType) -> str | None:
        return created_type(kind)

    def table(self, name: re.Match[str]) -> str:
        return ".".join(quote_identifier(_unquoted(part)) for part in name.groups() if part)

    def columns(self, session: FileSession, name: re.Match[str]) -> list[TableColumn]:
        schema, table = (part and DUCKDB.text(_unquoted(part)) for part in name.groups())
        rows = session.rows(
            "SELECT column_name, data_type, is_nullable, column_default IS NOT NULL FROM duckdb_columns() "
            f"WHERE database_name = current_database() AND lower(table_name) = lower({table}) "
            f"AND lower(schema_name) = lower({schema or 'current_schema()'}) ORDER BY column_index"
        )
        return [TableColumn(row[0], row[1], required=not row[2], optional=row[2] or row[3]) for row in rows]

    def store(self, field: pa.Field, column: TableColumn) -> Store:
        if created_type(field.type) is None:
            raise unsupported_type(field)
        return field.with_name(column.name), _as_is


def _as_is(values: pa.Array) -> pa.Array:
    return values


def _unquoted(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name
