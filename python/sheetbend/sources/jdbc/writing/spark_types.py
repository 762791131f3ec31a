"""Arrow types by the names that Spark gives them, for its messages and for the types that a user writes."""

from __future__ import annotations

import re

import pyarrow as pa

from sheetbend.sources.jdbc.types import INSTANT, WALL_CLOCK

__all__ = ["spark_name", "spark_type"]

_TYPES: dict[str, pa.DataType] = {
    "void": pa.null(),
    "boolean": pa.bool_(),
    "tinyint": pa.int8(),
    "smallint": pa.int16(),
    "int": pa.int32(),
    "bigint": pa.int64(),
    "float": pa.float32(),
    "double": pa.float64(),
    "string": pa.string(),
    "binary": pa.binary(),
    "date": pa.date32(),
    "timestamp": INSTANT,
    "timestamp_ntz": WALL_CLOCK,
}
_ALIASES = {
    "bool": "boolean",
    "byte": "tinyint",
    "short": "smallint",
    "integer": "int",
    "long": "bigint",
    "real": "float",
    "timestamp_ltz": "timestamp",
}
_NAMES = {kind: name for name, kind in _TYPES.items()}
_DECIMAL = re.compile(r"(?:decimal|dec|numeric)(?:\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\))?")


def spark_name(kind: pa.DataType) -> str:
    """The type as Spark's messages show it, such as ``map<string,int>``."""
    if kind in _NAMES:
        return _NAMES[kind]
    if pa.types.is_decimal(kind):
        return f"decimal({kind.precision},{kind.scale})"
    if pa.types.is_map(kind):
        return f"map<{spark_name(kind.key_type)},{spark_name(kind.item_type)}>"
    if pa.types.is_struct(kind):
        return "struct<" + ",".join(f"{field.name}:{spark_name(field.type)}" for field in kind) + ">"
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return f"array<{spark_name(kind.value_type)}>"
    if pa.types.is_timestamp(kind):
        return "timestamp" if kind.tz else "timestamp_ntz"
    if pa.types.is_duration(kind):
        return "interval day to second"
    if pa.types.is_interval(kind):
        return "interval"
    return "time(6)" if pa.types.is_time(kind) else str(kind)


def spark_type(name: str) -> pa.DataType | None:
    """The type that Spark calls ``name``, in any case; None where that is none of a single value."""
    word = name.strip().lower()
    decimal = _DECIMAL.fullmatch(word)
    if decimal:
        return pa.decimal128(int(decimal[1] or 10), int(decimal[2] or 0))
    return _TYPES.get(_ALIASES.get(word, word))
