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

__all__ = ["LOOSE", "TEXTS", "Reading", "declared_type", "reading_of"]

_NUMERIC = re.compile(r"numeric\((\d+),(-?\d+)\)")
_PADDED = re.compile(r"bpchar\((\d+)\)")

LOOSE = " loosely collated"
"""Follows the declared type of a text whose collation may take two texts for equal that are not the same."""
TEXTS = ("text", "varchar", "bpchar")


@dataclass(frozen=True, slots=True)
class Reading:
    """How a column is fetched."""

    type: pa.DataType
    sql: str = "{column}"
    """The expression to select; ``{message}`` is an SQL string that names the column."""
    compared: str | None = "{column}"
    """The value that is read, as the server compares it; None where there is no such expression."""
    summed: str | None = None
    """What the server adds up without an error of rounding."""


def declared_type(name: str, modifier: int) -> str:
    """The type as SQL writes it, from the catalog's name and its modifier (-1 for none)."""
    if name == "bpchar" and modifier > 4:
        return f"bpchar({modifier - 4})"
    if name != "numeric" or modifier < 4:
        return name
    # Precision in the upper half; the scale has 11 bits with a sign.
    packed = modifier - 4
    return f"numeric({packed >> 16 & 0xFFFF},{((packed & 0x7FF) ^ 1024) - 1024})"


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
            return Reading(kind, _TEXT, summed="{column}")
        return Reading(kind, _fitted(kind), compared=_rounded(kind), summed=_rounded(kind))
    padded = _PADDED.fullmatch(declared)
    if padded:
        # Its texts lose the blanks at the end that its values have.
        return Reading(pa.string(), compared=f"rpad({{column}}::text, {padded[1]})")
    return None


def _guarded(condition: str, kind: str, value: str = "{column}") -> str:
    """Lets pass what meets the condition; for all else but NULL the server fails to read the message as ``kind``."""
    return f"CASE WHEN {condition} THEN {value} ELSE ({{message}} || {{column}}::text)::{kind} END"


def _fitted(kind: pa.Decimal128Type) -> str:
    """A numeric that may be too large, as text. The check is the server's: the cast wraps around beyond 128 bits."""
    return _guarded(f"abs({{column}}) < 1e{kind.precision - kind.scale}", "numeric::text", f"{_rounded(kind)}::text")


def _rounded(kind: pa.Decimal128Type) -> str:
    return f"round({{column}}, {kind.scale})"


_TEXT = "{column}::text"
# The driver would make one flat list of an array of arrays.
_FLAT = "coalesce(array_ndims({column}), 1) = 1"
_TEXT_ARRAY = _guarded(_FLAT, "text[]", "{column}::text[]")
_FINITE = "('infinity' <> ALL({column})) IS NOT FALSE AND ('-infinity' <> ALL({column})) IS NOT FALSE"
_SMALL = "(1e20 > ALL({column})) IS NOT FALSE AND (-1e20 < ALL({column})) IS NOT FALSE"

# An array's type is called as its element's, after an underscore.
_ARRAY = Reading(pa.list_(pa.string()), _TEXT_ARRAY)
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

_READINGS: dict[str, Reading] = {
    **{name: Reading(kind, summed=_SUMMED.get(name)) for name, kind in _PLAIN.items()},
    # Without a length it keeps blanks at the end, and does not compare them.
    "bpchar": Reading(pa.string(), compared=None),
    **{f"_{name}": Reading(pa.list_(kind), _guarded(_FLAT, f"{name}[]")) for name, kind in _PLAIN.items()},
    **{name: Reading(kind, _guarded("isfinite({column})", name)) for name, kind in _MOMENTS.items()},
    **{
        f"_{name}": Reading(pa.list_(kind), _guarded(f"{_FLAT} AND {_FINITE}", f"{name}[]"))
        for name, kind in _MOMENTS.items()
    },
    # The server's day may end with 24:00, Arrow's may not.
    "time": Reading(pa.time64("us"), _guarded("{column} < '24:00'", "time")),
    # 32 bits without a sign.
    "oid": Reading(pa.int64(), "{column}::int8", compared="{column}::int8"),
    "numeric": Reading(
        UNBOUNDED_DECIMAL,
        _fitted(UNBOUNDED_DECIMAL),
        compared=_rounded(UNBOUNDED_DECIMAL),
        summed=_rounded(UNBOUNDED_DECIMAL),
    ),
    "_numeric": Reading(pa.list_(UNBOUNDED_DECIMAL), _guarded(f"{_FLAT} AND {_SMALL}", "text[]", "{column}::text[]")),
}
