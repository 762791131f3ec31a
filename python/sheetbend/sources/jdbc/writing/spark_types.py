"""Arrow types by the names that Spark gives them, for its messages and for the types that a user writes."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

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
_FAMILIES: tuple[tuple[Callable[[pa.DataType], bool], Callable[[Any], str]], ...] = (
    (pa.types.is_decimal, lambda kind: f"decimal({kind.precision},{kind.scale})"),
    (pa.types.is_map, lambda kind: f"map<{spark_name(kind.key_type)},{spark_name(kind.item_type)}>"),
    (pa.types.is_struct, lambda kind: f"struct<{','.join(f'{one.name}:{spark_name(one.type)}' for one in kind)}>"),
    (pa.types.is_list, lambda kind: f"array<{spark_name(kind.value_type)}>"),
    (pa.types.is_timestamp, lambda kind: "timestamp" if kind.tz else "timestamp_ntz"),
    (pa.types.is_duration, lambda _: "interval day to second"),
    (lambda kind: str(kind) == "month_interval", lambda _: "interval year to month"),
    (pa.types.is_time, lambda _: "time(6)"),
)
_DECIMAL = re.compile(r"(?:decimal|dec|numeric)(?:\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\))?")


def spark_name(kind: pa.DataType) -> str:
    """The type as Spark's messages show it, such as ``map<string,int>``."""
    if kind in _NAMES:
        return _NAMES[kind]
    for is_such, name_of in _FAMILIES:
        if is_such(kind):
            return name_of(kind)
    return str(kind)


def spark_type(name: str) -> pa.DataType | None:
    """The type that Spark calls ``name``, in any case; None where that is none of a single value."""
    word = name.strip().lower()
    decimal = _DECIMAL.fullmatch(word)
    if decimal:
        return pa.decimal128(int(decimal[1] or 10), int(decimal[2] or 0))
    return _TYPES.get(_ALIASES.get(word, word))
