"""How the columns of a write meet those of a table, and the columns of a table that is made for them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sheetbend.errors import ColumnError, OptionError
from sheetbend.sources.jdbc.spark_types import spark_name, spark_type

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["TableColumn", "created_columns", "key_columns", "matching", "quoted", "unsupported_type"]

_TYPE = re.compile(r"[A-Za-z][A-Za-z0-9_ ]*(?:\([ 0-9,]*\))?[A-Za-z0-9_ ]*(?:\[\])*", re.ASCII)


@dataclass(frozen=True, slots=True)
class TableColumn:
    """A column that the table has, or that it is created with."""

    name: str
    declared: str
    """The type as the database writes it."""
    required: bool = False
    """Takes no NULL."""
    optional: bool = True
    """Whether a row may leave it out."""


def matching(schema: pa.Schema, table: Sequence[TableColumn], name: str) -> list[TableColumn]:
    """The table's column for each one of ``schema``: of the same name, else of the same name in another case.

    Raises:
        ColumnError: the table has no such column, two columns are for the same one, or a column that must have a value
            gets none.
    """
    found: list[TableColumn] = []
    for field in schema:
        same = [column for column in table if column.name == field.name]
        near = same or [column for column in table if column.name.lower() == field.name.lower()]
        if not near:
            raise _not_defined(field, table, name)
        if near[0] in found:
            raise _twice(field.name)
        found.append(near[0])
    missing = [column.name for column in table if not column.optional and column not in found]
    if missing:
        raise ColumnError(
            f"Table {quoted(name)} has columns that take no NULL and have no default, and the rows to be written have "
            f"no value for them: {', '.join(map(quoted, missing))}.",
            condition="INCOMPATIBLE_DATA_FOR_TABLE.CANNOT_FIND_DATA",
            sql_state="KD000",
            parameters={"tableName": quoted(name), "colName": quoted(missing[0])},
        )
    return found


def created_columns(
    schema: pa.Schema, column_types: str, type_of: Callable[[pa.DataType], str | None]
) -> list[TableColumn]:
    """The columns of a new table for rows of ``schema``.

    Args:
        schema: The columns of the rows.
        column_types: The option ``createTableColumnTypes``: types as Spark calls them, or the database's own.
        type_of: The database's type for an Arrow type; None where it has none.

    Raises:
        ColumnError: two columns differ in case alone, or the database has no type for one.
        OptionError: ``column_types`` cannot be read, or names a column that there is not.
    """
    given = _given_types(column_types, schema, type_of)
    columns: list[TableColumn] = []
    for field in schema:
        if field.name.lower() in {column.name.lower() for column in columns}:
            raise _twice(field.name)
        declared = given.get(field.name.lower()) or type_of(field.type)
        if declared is None:
            raise unsupported_type(field)
        columns.append(TableColumn(field.name, declared, required=not field.nullable, optional=field.nullable))
    return columns


def key_columns(keys: Sequence[str], columns: Sequence[TableColumn]) -> list[str]:
    """The names of the key's columns, all of which are written.

    Raises:
        OptionError: one is not.
    """
    by_name = {column.name.lower(): column.name for column in columns}
    for key in keys:
        if key.lower() not in by_name:
            raise OptionError(
                f"Option 'upsertKeys': {key!r} is no column of the rows, which are: {', '.join(by_name.values())}."
            )
    return [by_name[key.lower()] for key in keys]


def unsupported_type(field: pa.Field) -> ColumnError:
    """The error for a column of a type that no column of the database takes, as Spark has it."""
    return ColumnError(
        f"Column {quoted(field.name)}: Can't get JDBC type for {spark_name(field.type)}. Write it as another type, "
        "such as a string of to_json().",
        condition="UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE",
        sql_state="0A000",
        parameters={
            "format": "jdbc",
            "columnName": quoted(field.name),
            "columnType": f'"{spark_name(field.type).upper()}"',
        },
    )


def quoted(name: str) -> str:
    """A name as Spark's messages show it."""
    return "`" + name.replace("`", "``") + "`"


def _given_types(text: str, schema: pa.Schema, type_of: Callable[[pa.DataType], str | None]) -> dict[str, str]:
    """The types of ``createTableColumnTypes`` by the names of the columns in lower case."""
    names = {name.lower() for name in schema.names}
    given: dict[str, str] = {}
    for part in _parts(text):
        match = re.fullmatch(r"\s*(?:`((?:[^`]|``)+)`|(\w+))\s*:?\s+(.+?)\s*", part, re.DOTALL)
        if match is None or not _TYPE.fullmatch(match[3]):
            raise OptionError(
                f"Option 'createTableColumnTypes': expected a column and its type, such as name VARCHAR(64), got "
                f"{part.strip()!r}."
            )
        name = match[1].replace("``", "`") if match[1] else match[2]
        if name.lower() not in names:
            raise OptionError(
                f"createTableColumnTypes option column {name} not found in schema: the columns are "
                f"{', '.join(map(quoted, schema.names))}."
            )
        if name.lower() in given:
            raise _twice(name)
        kind = spark_type(match[3])
        given[name.lower()] = (type_of(kind) if kind is not None else None) or match[3]
    return given


def _parts(text: str) -> list[str]:
    """The text cut at commas that stand in no parentheses and no backquotes."""
    parts = re.findall(r"(?:`(?:[^`]|``)*`|\([^)]*\)|[^,`(])+|[`(]", text)
    return [part for part in parts if part.strip()]


def _not_defined(field: pa.Field, table: Sequence[TableColumn], name: str) -> ColumnError:
    columns = ", ".join(quoted(column.name) for column in table)
    kind = f'"{spark_name(field.type).upper()}"'
    return ColumnError(
        f"{kind} column {quoted(field.name)} is not defined in table {quoted(name)}, defined table columns are: "
        f"{columns}.",
        condition="COLUMN_NOT_DEFINED_IN_TABLE",
        sql_state="42703",
        parameters={"colType": kind, "colName": quoted(field.name), "tableName": quoted(name), "tableCols": columns},
    )


def _twice(name: str) -> ColumnError:
    return ColumnError(
        f"The column {quoted(name)} already exists. Choose another name or rename the existing column.",
        condition="COLUMN_ALREADY_EXISTS",
        sql_state="42711",
        parameters={"columnName": quoted(name)},
    )
