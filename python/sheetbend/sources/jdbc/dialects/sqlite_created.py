"""The types of SQLite columns that are made for rows, which are those that Spark makes, and how values are stored.

A value is converted to the type that the column is read as, so that what is written can be read. SQLite stores numbers,
texts and bytes: dates and timestamps are texts, the latter in UTC, truth values are 0 and 1.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from sheetbend.errors import ColumnError, SheetbendError
from sheetbend.sources.jdbc.dialects.sqlite_types import arrow_type
from sheetbend.sources.jdbc.spark_types import spark_name
from sheetbend.sources.jdbc.types import WALL_CLOCK
from sheetbend.sources.jdbc.writing.columns import TableColumn, quoted, unsupported_type

__all__ = ["Storing", "created_type"]

_CREATED: dict[pa.DataType, str] = {
    pa.bool_(): "BIT(1)",
    pa.int8(): "BYTE",
    pa.int16(): "INTEGER",
    pa.int32(): "INTEGER",
    pa.int64(): "BIGINT",
    pa.float32(): "REAL",
    pa.float64(): "DOUBLE PRECISION",
    pa.string(): "TEXT",
    pa.large_string(): "TEXT",
    pa.string_view(): "TEXT",
    pa.binary(): "BLOB",
    pa.large_binary(): "BLOB",
    pa.binary_view(): "BLOB",
    pa.date32(): "DATE",
}
_EXACT_DIGITS = 15
"""SQLite keeps a decimal as a double, or as an integer of 64 bits."""


def created_type(kind: pa.DataType) -> str | None:
    """The type of the column; None for what SQLite has none for."""
    if pa.types.is_decimal(kind):
        return f"DECIMAL({kind.precision},{kind.scale})"
    return "TIMESTAMP" if pa.types.is_timestamp(kind) else _CREATED.get(kind)


class Storing:
    """The way of one column's values into the database.

    Raises:
        ColumnError: the column holds values of another kind.
    """

    def __init__(self, field: pa.Field, column: TableColumn) -> None:
        if created_type(field.type) is None:
            raise unsupported_type(field)
        self._name = column.name
        self._declared = column.declared
        self._target = arrow_type(column.declared)
        if _family(field.type) != _family(self._target) and not pa.types.is_string(self._target):
            raise ColumnError(
                f"Column {quoted(column.name)} is of type {column.declared}, the rows have "
                f"{spark_name(field.type).upper()}: cast the column.",
                condition="INCOMPATIBLE_DATA_FOR_TABLE.CANNOT_SAFELY_CAST",
                sql_state="KD000",
                parameters={"colName": quoted(column.name)},
            )
        self.field = pa.field(column.name, _stored(self._target))

    def __call__(self, values: pa.Array) -> pa.Array:
        """The values as they are stored; raises ``SheetbendError`` for one that cannot be."""
        try:
            if pa.types.is_integer(values.type) and pa.types.is_decimal(self._target):
                # Wide enough for any integer: the cast does not look at the values.
                values = values.cast(pa.decimal128(38, min(self._target.scale, 19)))
            converted = values if values.type == self._target else values.cast(self._target)
        except pa.ArrowInvalid as error:
            raise self._misfit(str(error)) from None
        if pa.types.is_floating(self._target) and pc.any(pc.is_nan(converted)).as_py():
            raise self._misfit("SQLite has no NaN and would store NULL")
        if pa.types.is_decimal(self._target):
            return self._decimal(converted)
        if pa.types.is_timestamp(self._target):
            return converted.cast(WALL_CLOCK).cast(pa.string())
        return converted.cast(self.field.type)

    def _decimal(self, values: pa.Array) -> pa.Array:
        texts = values.cast(pa.string())
        kind = values.type
        if kind.precision > _EXACT_DIGITS and (kind.scale or kind.precision > 18):
            digits = pc.utf8_trim(pc.replace_substring_regex(texts, "[-.]", ""), "0")
            if pc.any(pc.greater(pc.utf8_length(digits), _EXACT_DIGITS)).as_py():
                raise self._misfit("SQLite keeps 15 digits of a decimal; write it as a string")
        return texts

    def _misfit(self, why: str) -> SheetbendError:
        return SheetbendError(
            f"Column '{self._name}' is of type {self._declared} and cannot hold a value of a row: {why}."
        )


def _stored(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        return pa.int64()
    if pa.types.is_floating(kind):
        return pa.float64()
    return pa.binary() if pa.types.is_binary(kind) else pa.string()


def _family(kind: pa.DataType) -> str:
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        return "time"
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return "text"
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind):
        return "bytes"
    return "truth" if pa.types.is_boolean(kind) else "number"
