"""Types of MySQL and MariaDB: what the server says of a column, the Arrow type of it, and how its values are read.

- A TINYINT(1) is a boolean, as the Java drivers have it, and an option turns that off. BIT(1) is one, too.
- What has no sign is widened, as Spark does: BIGINT UNSIGNED is decimal(20,0).
- DATETIME has no time zone and gets none. TIMESTAMP is a point in time: sessions are in UTC.
- TIME goes from -838:59:59 to 838:59:59, so that it is its text unless an option says that it is a time of day.
- ENUM, SET, JSON, UUID and INET are their texts, geometries are in the well-known binary form.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import pyarrow as pa

from sheetbend.errors import SheetbendError
from sheetbend.sources.jdbc.drivers.mysql import moments, values
from sheetbend.sources.jdbc.drivers.mysql.protocol import BINARY_CHARSET, Field, WireType
from sheetbend.sources.jdbc.types import INSTANT, WALL_CLOCK, decimal_type

if TYPE_CHECKING:
    from sheetbend.sources.jdbc.drivers.mysql.moments import ZeroDates
    from sheetbend.sources.jdbc.drivers.mysql.values import Reader

__all__ = ["Types", "declared_type"]

_INTEGERS = {
    WireType.TINY: ("tinyint", "i1"),
    WireType.SHORT: ("smallint", "<i2"),
    WireType.INT24: ("mediumint", "<i4"),
    WireType.LONG: ("int", "<i4"),
    WireType.LONGLONG: ("bigint", "<i8"),
}
_NAMED = {
    WireType.FLOAT: "float",
    WireType.DOUBLE: "double",
    WireType.YEAR: "year",
    WireType.DATE: "date",
    WireType.TIME: "time",
    WireType.DATETIME: "datetime",
    WireType.TIMESTAMP: "timestamp",
    WireType.JSON: "json",
    WireType.GEOMETRY: "geometry",
    WireType.NULL: "null",
}
_TYPES = {
    "tinyint": pa.int8(),
    "tinyint unsigned": pa.int16(),
    "smallint": pa.int16(),
    "smallint unsigned": pa.int32(),
    "mediumint": pa.int32(),
    "mediumint unsigned": pa.int32(),
    "int": pa.int32(),
    "int unsigned": pa.int64(),
    "bigint": pa.int64(),
    "bigint unsigned": pa.decimal128(20, 0),
    "float": pa.float32(),
    "double": pa.float64(),
    "year": pa.int32(),
    "bit(1)": pa.bool_(),
    "date": pa.date32(),
    "datetime": WALL_CLOCK,
    "timestamp": INSTANT,
    "geometry": pa.binary(),
}
_TIMES = {"string": pa.string(), "time": pa.time64("us"), "interval": pa.duration("us")}
_DECIMAL = re.compile(r"decimal\((\d+),(\d+)\)(?: unsigned)?")
_BYTES = re.compile(r"(?:bit|binary)\(\d+\)")
_BYTES_OF_CHARACTER = 4
"""Results are in utf8mb4, and a length is in bytes."""
_NOT_TEXT = frozenset({*_INTEGERS, *_NAMED, WireType.DECIMAL, WireType.NEWDECIMAL, WireType.BIT}) - {WireType.JSON}


def declared_type(field: Field) -> str:
    """The type of a column as SQL writes it. Texts of all kinds are ``varchar``, bytes of all kinds ``binary``."""
    if field.enumeration:
        return "enum"
    if field.wire in _INTEGERS:
        name = _INTEGERS[field.wire][0]
        name = "tinyint(1)" if name == "tinyint" and field.length == 1 else name
        return f"{name} unsigned" if field.unsigned and name != "tinyint(1)" else name
    if field.wire in (WireType.DECIMAL, WireType.NEWDECIMAL):
        # The length counts the sign and the point.
        digits = field.length - (not field.unsigned) - (field.decimals > 0)
        return f"decimal({digits},{field.decimals})" + (" unsigned" if field.unsigned else "")
    if field.wire == WireType.BIT:
        return f"bit({field.length})"
    if field.wire in _NAMED:
        return _NAMED[field.wire]
    return (
        f"binary({field.length})"
        if field.charset == BINARY_CHARSET
        else f"varchar({field.length // _BYTES_OF_CHARACTER})"
    )


@dataclass(frozen=True, slots=True)
class Types:
    """The types as the options of a reader want them."""

    tinyint_is_boolean: bool = True
    zero_dates: str = "EXCEPTION"
    time: str = "string"

    def arrow_type(self, declared: str) -> pa.DataType:
        """The Arrow type of what :func:`declared_type` gave."""
        if declared in _TYPES:
            return _TYPES[declared]
        if declared == "tinyint(1)":
            return pa.bool_() if self.tinyint_is_boolean else pa.int8()
        if declared == "time":
            return _TIMES[self.time]
        decimal = _DECIMAL.fullmatch(declared)
        if decimal:
            return decimal_type(int(decimal[1]), int(decimal[2]))
        return pa.binary() if _BYTES.fullmatch(declared) else pa.string()

    def reader(self, field: Field, kind: pa.DataType) -> Reader:
        """What reads the values of a column that the server sends as it says, for a column of the Arrow type.

        Raises:
            SheetbendError: these are other values than have been planned with.
        """
        for wire, is_read_as, reader in self._readers(field, kind):
            if wire == field.wire and is_read_as(kind):
                return reader
        if field.wire not in _NOT_TEXT:
            if pa.types.is_string(kind):
                return values.text
            if pa.types.is_binary(kind):
                return values.binary
        raise SheetbendError(
            f"Column '{field.name}' is {declared_type(field)} now, which is not read as {kind}: the table was altered "
            "while it was read. Run the query again."
        )

    def _readers(self, field: Field, kind: pa.DataType) -> list[tuple[int, Callable[[pa.DataType], bool], Reader]]:
        """What is sent, what it can be read as, and by what."""
        zero = cast("ZeroDates", self.zero_dates)
        timestamp = moments.timestamp(kind, zero)
        return [
            (WireType.TINY, pa.types.is_boolean, values.boolean),
            *((wire, _is_whole_or_flag, _integer(field, code)) for wire, (_, code) in _INTEGERS.items()),
            (WireType.YEAR, pa.types.is_integer, values.number("<u2")),
            (WireType.DECIMAL, _is_exact, values.parsed(kind)),
            (WireType.NEWDECIMAL, _is_exact, values.parsed(kind)),
            (WireType.FLOAT, pa.types.is_floating, values.number("<f4")),
            (WireType.DOUBLE, pa.types.is_float64, values.number("<f8")),
            (WireType.DATE, pa.types.is_date, moments.date(zero)),
            (WireType.DATETIME, pa.types.is_timestamp, timestamp),
            (WireType.TIMESTAMP, pa.types.is_timestamp, timestamp),
            (WireType.TIME, pa.types.is_time, moments.time_of_day),
            (WireType.TIME, pa.types.is_duration, moments.interval),
            (WireType.BIT, pa.types.is_boolean, values.bit),
            (WireType.BIT, pa.types.is_binary, values.binary),
            (WireType.GEOMETRY, pa.types.is_binary, values.binary),
            (WireType.NULL, lambda _: True, values.nothing),
        ]


def _integer(field: Field, code: str) -> Reader:
    if not field.unsigned:
        return values.number(code)
    return values.unsigned_long if code == "<i8" else values.number(code.replace("i", "u"))


def _is_exact(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_decimal(kind))


def _is_whole_or_flag(kind: pa.DataType) -> bool:
    return _is_exact(kind) or bool(pa.types.is_boolean(kind))
