"""DuckDB's types: the Arrow type of each, and the type that a column is cast to so that it arrives as that.

- What has no sign is widened, and HUGEINT is a decimal of 38 digits: a value that has 39 is an error of the engine.
- Timestamps in seconds, milliseconds and nanoseconds are in microseconds; a value that is finer is an error.
- Lists, structs and maps are what they are, of any of the others.
- What has no Arrow type of its own (UUID, ENUM, BIT, JSON, INTERVAL, TIMETZ, UNION, ...) is its text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from sheetbend.sources.jdbc.drivers.duckdb import ERRORS, Type, parse_type
from sheetbend.sources.jdbc.sql import quote_identifier
from sheetbend.sources.jdbc.types import INSTANT, WALL_CLOCK

__all__ = ["Reading", "reading_of", "sql_type"]


@dataclass(frozen=True, slots=True)
class Reading:
    """How a column is fetched."""

    sql: str
    """The type that it is fetched as."""
    type: pa.DataType
    guard: str | None = None
    """A condition for the values that Arrow can hold; ``{0}`` is the column."""


_COMPOSED = frozenset({"array", "decimal", "list", "map", "struct"})
_FINITE = "isfinite({0})"
_TEXT = Reading("VARCHAR", pa.string())
_DECIMAL = Reading("DECIMAL(38,0)", pa.decimal128(38, 0))
_READINGS = {
    "boolean": Reading("BOOLEAN", pa.bool_()),
    "tinyint": Reading("TINYINT", pa.int8()),
    "utinyint": Reading("SMALLINT", pa.int16()),
    "smallint": Reading("SMALLINT", pa.int16()),
    "usmallint": Reading("INTEGER", pa.int32()),
    "integer": Reading("INTEGER", pa.int32()),
    "uinteger": Reading("BIGINT", pa.int64()),
    "bigint": Reading("BIGINT", pa.int64()),
    "ubigint": Reading("DECIMAL(20,0)", pa.decimal128(20, 0)),
    "hugeint": _DECIMAL,
    "uhugeint": _DECIMAL,
    "float": Reading("FLOAT", pa.float32()),
    "double": Reading("DOUBLE", pa.float64()),
    "varchar": _TEXT,
    "blob": Reading("BLOB", pa.binary()),
    "date": Reading("DATE", pa.date32(), _FINITE),
    "time": Reading("TIME", pa.time64("us"), "{0} < TIME '24:00:00'"),
    "timestamp": Reading("TIMESTAMP", WALL_CLOCK, _FINITE),
    "timestamp_s": Reading("TIMESTAMP_S", WALL_CLOCK, _FINITE),
    "timestamp_ms": Reading("TIMESTAMP_MS", WALL_CLOCK, _FINITE),
    "timestamp_ns": Reading("TIMESTAMP_NS", WALL_CLOCK, _FINITE),
    "timestamp with time zone": Reading("TIMESTAMP WITH TIME ZONE", INSTANT, _FINITE),
}


def reading_of(declared: str) -> Reading:
    """The way to fetch a column of a type, as DuckDB writes it."""
    try:
        kind = parse_type(declared)
    except ERRORS:
        return _TEXT
    return _reading(kind)


def sql_type(kind: pa.DataType) -> str | None:
    """The type of an expression that is to be compared as ``kind``; None for one that is not compared."""
    if pa.types.is_decimal(kind):
        return f"DECIMAL({kind.precision},{kind.scale})"
    return next((one.sql for one in _READINGS.values() if one.type == kind), None)


def _reading(kind: Type) -> Reading:
    # Types and numbers, by name; what has no parts raises for being asked.
    parts: dict[str, Any] = dict(kind.children) if kind.id in _COMPOSED else {}
    if kind.id == "decimal":
        return Reading(str(kind), pa.decimal128(parts["precision"], parts["scale"]))
    if kind.id in ("list", "array"):
        child = _reading(parts["child"])
        return Reading(f"{child.sql}[]", pa.list_(child.type))
    if kind.id == "map":
        key, value = _reading(parts["key"]), _reading(parts["value"])
        return Reading(f"MAP({key.sql}, {value.sql})", pa.map_(key.type, value.type))
    if kind.id == "struct":
        fields = [(name, _reading(part)) for name, part in parts.items()]
        inner = ", ".join(f"{quote_identifier(name)} {field.sql}" for name, field in fields)
        return Reading(f"STRUCT({inner})", pa.struct([(name, field.type) for name, field in fields]))
    # JSON is a VARCHAR by another name.
    return _READINGS.get(kind.id, _TEXT)
