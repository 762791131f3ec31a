"""PostgreSQL's types: the Arrow type of each, and the SQL that fetches it.

The driver turns most types into Arrow by itself. Helped along are those that it would show as raw bytes (``::text``),
those with values that Arrow cannot hold and the driver would turn into others (the server then raises an error for the
row), and numeric, which arrives as text either way and costs the reader half as much when the server writes it.

- timestamp has no time zone and gets none: Spark's TimestampNTZType. Spark's own default reads it in the zone of its
  session, which a source does not know.
- numeric without a precision is decimal(38,18) as in Spark, and rounded to it by the server, half away from zero.
- What has no Arrow type of its own (uuid, json, enum, inet, interval, money, timetz, ranges, ...) is its text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import pyarrow as pa

from sheetbend.sources.jdbc.types import INSTANT, UNBOUNDED_DECIMAL, WALL_CLOCK, decimal_type

__all__ = ["FROM", "LOOSE", "TEXTS", "Reading", "cast_type", "declared_type", "is_padded", "reading_of", "split_cast"]

_NUMERIC = re.compile(r"numeric\((\d+),(-?\d+)\)")
_PADDED = re.compile(r"bpchar\((\d+)\)")

LOOSE = " loosely collated"
"""Follows the declared type of a text whose collation may take two texts for equal that are not the same."""
FROM = " from "
"""Stands between the type that a column is cast to, and its own."""
TEXTS = ("text", "varchar", "bpchar")


@dataclass(frozen=True, slots=True)
class Reading:
    """How a column is fetched."""

    type: pa.DataType
    value: str = "{column}"
    """The expression to select."""
    guard: str | None = None
    """What a value must meet, or Arrow cannot hold it."""
    refused: str = "text"
    """As what the server fails to read a message that is no value: the type of ``value``."""
    checked: str | None = None
    """What a value must meet that the reader refuses by itself, where it is not to be refused."""
    compared: str | None = "{column}"
    """The value that is read, as the server compares it; None where there is no such expression."""
    summed: str | None = None
    """What the server adds up without an error of rounding."""

    def fetched(self, column: str, message: str, *, lenient: bool) -> str:
        """The expression to select. What Arrow cannot hold is an error, or NULL where ``lenient``.

        Args:
            column: The column as it stands in SQL.
            message: An SQL string that names the column, for the error.
            lenient: Whether there is to be no error.
        """
        value = self.value.format(column=column)
        guard = self.guard or (self.checked if lenient else None)
        if guard is None:
            return value
        # The server fails to read the message as a value.
        other = "" if lenient else f" ELSE ({message} || {column}::text)::{self.refused}"
        return f"CASE WHEN {guard.format(column=column)} THEN {value}{other} END"

    def calculated(self, column: str, template: str | None, *, lenient: bool) -> str | None:
        """``compared`` or ``summed`` of a column, which is NULL where :meth:`fetched` makes it so."""
        guard = (self.guard or self.checked) if lenient else None
        if template is None or guard is None:
            return template and template.format(column=column)
        return f"CASE WHEN {guard.format(column=column)} THEN {template.format(column=column)} END"


def declared_type(name: str, modifier: int) -> str:
    """The type as SQL writes it, from the catalog's name and its modifier (-1 for none)."""
    if name != "numeric" or modifier < 4:
        return name
    # Precision in the upper half; the scale has 11 bits with a sign.
    packed = modifier - 4
    return f"numeric({packed >> 16 & 0xFFFF},{((packed & 0x7FF) ^ 1024) - 1024})"


def cast_type(kind: pa.DataType) -> str | None:
    """The declared type that values are cast to, to be of an Arrow type; None where there is none."""
    if pa.types.is_decimal(kind):
        return f"numeric({kind.precision},{kind.scale})"
    return _CASTS.get(kind)


def is_padded(declared: str) -> bool:
    """Whether texts are filled up with blanks to one length, and equal where that is all in which they differ."""
    return _PADDED.fullmatch(declared) is not None


def split_cast(declared: str) -> tuple[str, str | None]:
    """The declared type, and that which it is cast from."""
    target, _, source = declared.partition(FROM)
    return target, source or None


def reading_of(declared: str) -> Reading:
    """The way to fetch a column of a type that :func:`declared_type` made."""
    if declared.endswith(LOOSE):
        strict = reading_of(declared.removesuffix(LOOSE))
        return replace(strict, compared=strict.compared and f'{strict.compared} COLLATE "C"')
    if declared in _READINGS:
        return _READINGS[declared]
    return _sized(declared) or (_ARRAY if declared.startswith("_") else _OTHER)


def _sized(declared: str) -> Reading | None:
    numeric = _NUMERIC.fullmatch(declared)
    if numeric:
        scale = int(numeric[2])
        kind = decimal_type(int(numeric[1]), scale)
        exact = scale <= kind.scale and int(numeric[1]) <= kind.precision
        if exact:
            return Reading(kind, _TEXT, checked=_NUMBER, summed="{column}")
        return _fitted(kind)
    padded = _PADDED.fullmatch(declared)
    if padded:
        # Its texts lose the blanks at the end that its values have.
        return Reading(pa.string(), compared=f"rpad({{column}}::text, {padded[1]})")
    return None


def _fitted(kind: pa.Decimal128Type) -> Reading:
    """A numeric that may be too large. The check is the server's: the cast wraps around beyond 128 bits."""
    rounded = f"round({{column}}, {kind.scale})"
    small = f"abs({{column}}) < 1e{kind.precision - kind.scale}"
    return Reading(kind, f"{rounded}::text", small, "numeric::text", compared=rounded, summed=rounded)


_TEXT = "{column}::text"
_NUMBER = "{column} <> 'NaN'"
# The driver would make one flat list of an array of arrays.
_FLAT = "coalesce(array_ndims({column}), 1) = 1"
_FINITE = "('infinity' <> ALL({column})) IS NOT FALSE AND ('-infinity' <> ALL({column})) IS NOT FALSE"
_SMALL = "(1e20 > ALL({column})) IS NOT FALSE AND (-1e20 < ALL({column})) IS NOT FALSE"

# An array's type is called as its element's, after an underscore.
_ARRAY = Reading(pa.list_(pa.string()), "{column}::text[]", _FLAT, "text[]")
_OTHER = Reading(pa.string(), _TEXT, compared=_TEXT)

_PLAIN: dict[str, pa.DataType] = {
    "bool": pa.bool_(),
    "int2": pa.int16(),
    "int4": pa.int32(),
    "int8": pa.int64(),
    "float4": pa.float32(),
    "float8": pa.float64(),
    "bpchar": pa.string(),
    "text": pa.string(),
    "varchar": pa.string(),
    "bytea": pa.binary(),
}
_SUMMED = {
    "int2": "{column}",
    "int4": "{column}",
    "int8": "{column}",
    "float4": "{column}::float8",
    "float8": "{column}",
}
_MOMENTS: dict[str, pa.DataType] = {"date": pa.date32(), "timestamp": WALL_CLOCK, "timestamptz": INSTANT}

_CASTS = {
    **{kind: name for name, kind in _PLAIN.items() if name not in TEXTS},
    **{kind: name for name, kind in _MOMENTS.items()},
    pa.string(): "text",
}

_READINGS: dict[str, Reading] = {
    **{name: Reading(kind, summed=_SUMMED.get(name)) for name, kind in _PLAIN.items()},
    # Without a length it keeps blanks at the end, and does not compare them.
    "bpchar": Reading(pa.string(), compared=None),
    **{f"_{name}": Reading(pa.list_(kind), guard=_FLAT, refused=f"{name}[]") for name, kind in _PLAIN.items()},
    **{name: Reading(kind, guard="isfinite({column})", refused=name) for name, kind in _MOMENTS.items()},
    **{
        f"_{name}": Reading(pa.list_(kind), guard=f"{_FLAT} AND {_FINITE}", refused=f"{name}[]")
        for name, kind in _MOMENTS.items()
    },
    # The server's day may end with 24:00, Arrow's may not.
    "time": Reading(pa.time64("us"), guard="{column} < '24:00'", refused="time"),
    # 32 bits without a sign.
    "oid": Reading(pa.int64(), "{column}::int8", compared="{column}::int8"),
    "numeric": _fitted(UNBOUNDED_DECIMAL),
    "_numeric": Reading(pa.list_(UNBOUNDED_DECIMAL), "{column}::text[]", f"{_FLAT} AND {_SMALL}", "text[]"),
}
