"""Types of MySQL and MariaDB: what the server says of a column, the Arrow type of it, and how its values are read.

- A TINYINT(1) is a boolean, as the Java drivers have it, and an option turns that off. BIT(1) is one, too.
- What has no sign is widened, as Spark does: BIGINT UNSIGNED is decimal(20,0).
- DATETIME has no time zone and gets none. TIMESTAMP is a point in time: sessions are in UTC.
- TIME goes from -838:59:59 to 838:59:59, so that it is its text unless an option says that it is a time of day.
- ENUM, SET, JSON, UUID and INET are their texts, geometries are in the well-known binary form.
"""

from __future__ import annotations

import re
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
    return f"binary({field.length})" if field.charset == BINARY_CHARSET else f"varchar({field.length // 4})"


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
        found = self._moment(field, kind) if pa.types.is_temporal(kind) else self._plain(field, kind)
        if found is None:
            raise SheetbendError(
                f"Column '{field.name}' is {declared_type(field)} now, which is not read as {kind}: the table was "
                "altered while it was read. Run the query again."
            )
        return found

    def _moment(self, field: Field, kind: pa.DataType) -> Reader | None:
        zero = cast("ZeroDates", self.zero_dates)
        if field.wire == WireType.DATE and pa.types.is_date(kind):
            return moments.date(zero)
        if field.wire in (WireType.DATETIME, WireType.TIMESTAMP) and pa.types.is_timestamp(kind):
            return moments.timestamp(kind, zero)
        if field.wire == WireType.TIME:
            return moments.time_of_day if pa.types.is_time(kind) else moments.interval
        return None

    def _plain(self, field: Field, kind: pa.DataType) -> Reader | None:
        numeric = pa.types.is_integer(kind) or pa.types.is_decimal(kind)
        if field.wire in _INTEGERS:
            return _integer(field, kind, numeric=numeric)
        if field.wire == WireType.YEAR and pa.types.is_integer(kind):
            return values.number("<u2")
        if field.wire == WireType.FLOAT and pa.types.is_floating(kind):
            return values.number("<f4")
        if field.wire == WireType.DOUBLE and pa.types.is_float64(kind):
            return values.number("<f8")
        if field.wire in (WireType.DECIMAL, WireType.NEWDECIMAL) and numeric:
            return values.parsed(kind)
        if field.wire == WireType.NULL:
            return values.nothing
        if field.wire == WireType.BIT and pa.types.is_boolean(kind):
            return values.bit
        if field.wire in (WireType.BIT, WireType.GEOMETRY):
            return values.binary if pa.types.is_binary(kind) else None
        if field.wire in _NAMED and field.wire != WireType.JSON:
            return None
        if pa.types.is_string(kind):
            return values.text
        return values.binary if pa.types.is_binary(kind) else None


def _integer(field: Field, kind: pa.DataType, *, numeric: bool) -> Reader | None:
    code = _INTEGERS[field.wire][1]
    if pa.types.is_boolean(kind):
        return values.boolean if field.wire == WireType.TINY else None
    if not numeric:
        return None
    if field.unsigned and field.wire == WireType.LONGLONG:
        return values.unsigned_long
    return values.number(code.replace("i", "u") if field.unsigned else code)
