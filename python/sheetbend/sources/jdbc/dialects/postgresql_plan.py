"""What a write to PostgreSQL does to its table, as SQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from sheetbend.sources.jdbc.dialects.postgresql_created import created_type, takes_bytes_of
from sheetbend.sources.jdbc.sql import quote_identifier
from sheetbend.sources.jdbc.writing.columns import (
    TableColumn,
    created_columns,
    key_columns,
    matching,
    unsupported_type,
)
from sheetbend.write import SaveMode

if TYPE_CHECKING:
    from sheetbend.sources.jdbc.dialects.postgresql_target import Target
    from sheetbend.sources.jdbc.writing.options import WriteOptions
    from sheetbend.write import WriteRequest

__all__ = ["Plan", "create_table", "plan_write"]


@dataclass(frozen=True, slots=True)
class Plan:
    """A write, apart from where its rows are staged."""

    target: Target
    columns: list[TableColumn]
    """Those of the target that the rows go to, in the order of the rows."""
    staged: list[TableColumn]
    """The same, of the types in which the driver sends the rows."""
    new: bool
    """Whether the table is made by the write."""
    prepare: list[str]
    """What comes before the rows: the table is dropped or emptied."""
    finish: list[str]
    """What comes after them."""
    values: list[str]
    """The expression for each column over a staging table."""
    keys: list[str]

    @property
    def direct(self) -> bool:
        """Whether the table takes the rows as the driver sends them."""
        pairs = zip(self.columns, self.staged, strict=True)
        return all(takes_bytes_of(column.declared, staged.declared) for column, staged in pairs)

    def insert(self, source: str, into: str | None = None) -> str:
        """The statement that brings the rows of a staging table into the target, or another table like it."""
        names = ", ".join(quote_identifier(column.name) for column in self.columns)
        statement = f"INSERT INTO {into or self.target.sql} ({names}) SELECT {', '.join(self.values)} FROM {source}"
        if not self.keys or self.new:
            return statement
        rest = [column.name for column in self.columns if column.name not in self.keys]
        updates = ", ".join(f"{quote_identifier(name)} = EXCLUDED.{quote_identifier(name)}" for name in rest)
        action = f"UPDATE SET {updates}" if updates else "NOTHING"
        return f"{statement} ON CONFLICT ({', '.join(map(quote_identifier, self.keys))}) DO {action}"


def plan_write(request: WriteRequest, target: Target, options: WriteOptions) -> Plan:
    """The plan of a write to a target.

    Raises:
        ColumnError: the columns are not those of the table, or of types that PostgreSQL has none for.
        OptionError: an option names a column that there is not.
    """
    overwrite = request.mode is SaveMode.OVERWRITE
    prepare: list[str] = []
    finish: list[str] = []
    if target.columns is not None and (not overwrite or options.truncate):
        columns = matching(request.schema, target.columns, options.table)
        keys = key_columns(options.upsert_keys, columns)
        if overwrite:
            only = "" if target.parent else "ONLY "
            prepare.append(f"TRUNCATE TABLE {only}{target.sql}" + (" CASCADE" if options.cascade else ""))
    else:
        columns = created_columns(request.schema, options.column_types, created_type)
        keys = key_columns(options.upsert_keys, columns)
        if target.columns is not None:
            prepare.append(f"DROP TABLE {target.sql}")
        if keys:
            finish.append(f"ALTER TABLE {target.sql} ADD PRIMARY KEY ({', '.join(map(quote_identifier, keys))})")
    staged = [_staged(field, column) for field, column in zip(request.schema, columns, strict=True)]
    new = target.columns is None or (overwrite and not options.truncate)
    values = [
        _value(field.type, column, column.name in target.parsed or (new and _is_parsed(column, sent)))
        for field, column, sent in zip(request.schema, columns, staged, strict=True)
    ]
    return Plan(target, columns, staged, new, prepare, finish, values, keys)


def create_table(name: str, columns: Sequence[TableColumn], *, kind: str = "TABLE", options: str = "") -> str:
    """A CREATE TABLE statement; ``kind`` may be such as ``UNLOGGED TABLE``."""
    shown = ", ".join(
        f"{quote_identifier(column.name)} {column.declared}{' NOT NULL' if column.required else ''}"
        for column in columns
    )
    return f"CREATE {kind} {name} ({shown}) {options}".rstrip()


def _staged(field: pa.Field, column: TableColumn) -> TableColumn:
    declared = created_type(field.type)
    if declared is None:
        raise unsupported_type(field)
    return TableColumn(column.name, declared)


def _is_parsed(column: TableColumn, staged: TableColumn) -> bool:
    """Whether a text goes to a column of another type, such as the user has asked for."""
    return staged.declared == "text" and not takes_bytes_of(column.declared, "text")


def _value(kind: pa.DataType, column: TableColumn, parsed: bool) -> str:
    """What is inserted of a staged column: the server converts by itself what it may, and raises for all else."""
    name = quote_identifier(column.name)
    if parsed:
        return f"{name}::{column.declared}"
    if pa.types.is_timestamp(kind) and column.declared.startswith("timestamp"):
        zoned = column.declared.endswith("with time zone")
        if zoned != bool(kind.tz):
            return f"{name} AT TIME ZONE 'UTC'"
    return name
