"""Columns that are read as they are and then cast here, by Arrow, which refuses a value that does not fit.

Some databases make something of any value, such as zero of a text, so that they are not asked to. ``declared`` is then
what the database declares and the Arrow type: ``varchar(9) as int64``.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa

from sheetbend.errors import SheetbendError
from sheetbend.sources.jdbc.types import INSTANT, WALL_CLOCK

if TYPE_CHECKING:
    from sheetbend.sources.jdbc.table import Column

__all__ = ["arrow_type", "cast_to", "converted", "is_widened", "natural"]

_NAMES = ("int8", "int16", "int32", "int64", "float", "double", "bool", "string", "binary", "date32[day]", "time64[us]")
_ARROW = {str(kind): kind for kind in (pa.type_for_alias(name) for name in _NAMES)}
_DECIMAL = re.compile(r"decimal128\((\d+), (-?\d+)\)")
_TIMESTAMP = re.compile(r"timestamp\[(?:s|ms|us|ns)(, tz=.*)?\]")
_AS = " as "
_INTEGER_DIGITS = {8: 3, 16: 5, 32: 10, 64: 19}


def cast_to(column: Column, kind: pa.DataType) -> Column | None:
    """The column, cast to another type; None for one that has no short name."""
    return (
        None if arrow_type(str(kind)) is None else replace(column, declared=f"{column.declared}{_AS}{kind}", type=kind)
    )


def natural(declared: str) -> tuple[str, pa.DataType | None]:
    """What the database declares, and the type that it is cast to, if any."""
    own, _, kind = declared.rpartition(_AS)
    found = arrow_type(kind) if own else None
    return (declared, None) if found is None else (own, found)


def is_widened(own: pa.DataType, kind: pa.DataType) -> bool:
    """Whether the cast changes no value and refuses none, so that a database may compare what is cast in its place."""
    if pa.types.is_integer(own) and pa.types.is_string(kind):
        return True
    if own == WALL_CLOCK and kind == INSTANT:
        return True
    if pa.types.is_date(own) and kind == WALL_CLOCK:
        return True
    whole, whole_of_kind = _digits(own), _digits(kind)
    if whole is None or whole_of_kind is None:
        return False
    return all(mine <= other for mine, other in zip(whole, whole_of_kind, strict=True))


def _digits(kind: pa.DataType) -> tuple[int, int] | None:
    """How many digits an exact number has before the point, and behind it."""
    if pa.types.is_decimal(kind):
        return kind.precision - kind.scale, kind.scale
    return (_INTEGER_DIGITS[kind.bit_width], 0) if pa.types.is_signed_integer(kind) else None


def arrow_type(text: str) -> pa.DataType | None:
    """The type that Arrow shows so; timestamps are in microseconds, and in UTC where they have a zone."""
    if text in _ARROW:
        return _ARROW[text]
    decimal = _DECIMAL.fullmatch(text)
    if decimal:
        return pa.decimal128(int(decimal[1]), int(decimal[2]))
    timestamp = _TIMESTAMP.fullmatch(text)
    return pa.timestamp("us", tz="UTC" if timestamp[1] else None) if timestamp else None


def converted(values: pa.Array, column: Column) -> pa.Array:
    """The values as the type of their column.

    Raises:
        SheetbendError: the type cannot hold one of them.
    """
    if values.type == column.type:
        return values
    try:
        return values.cast(column.type)
    except pa.ArrowInvalid as error:
        raise SheetbendError(
            f"Column '{column.name}' is {column.declared}, read as {column.type}, which cannot hold a value of a row: "
            f"{error}. Read the table by a query that casts or filters the column."
        ) from None
