"""What an Arrow type is to a filter: which values can be compared with which."""

from __future__ import annotations

import enum

import pyarrow as pa
import pyarrow.types as at

__all__ = ["Kind", "decoded", "kind_of", "plain"]


class Kind(enum.Enum):
    """The types that can be compared, by how their values are written and ordered."""

    BOOLEAN = "boolean"
    INTEGER = "integer"
    SINGLE = "single"
    """A float of 32 bits or fewer."""
    DOUBLE = "double"
    DECIMAL = "decimal"
    TEXT = "text"
    BINARY = "binary"
    DATE = "date"
    TIME = "time"
    TIMESTAMP = "timestamp"
    """A date and time of no zone."""
    INSTANT = "instant"
    """A timestamp with a zone, which says nothing about its value."""
    DURATION = "duration"

    @property
    def is_float(self) -> bool:
        """Whether there is a NaN."""
        return self in (Kind.SINGLE, Kind.DOUBLE)


def kind_of(kind: pa.DataType) -> Kind | None:
    """The kind of the values of a type; None where they cannot be compared, as lists and structs."""
    kind = plain(kind)
    if at.is_timestamp(kind):
        return Kind.TIMESTAMP if kind.tz is None else Kind.INSTANT
    return next((found for check, found in _KINDS if check(kind)), None)


_KINDS = (
    (at.is_boolean, Kind.BOOLEAN),
    (at.is_integer, Kind.INTEGER),
    (at.is_float32, Kind.SINGLE),
    (at.is_float64, Kind.DOUBLE),
    (at.is_decimal, Kind.DECIMAL),
    (at.is_string, Kind.TEXT),
    (at.is_binary, Kind.BINARY),
    (at.is_fixed_size_binary, Kind.BINARY),
    (at.is_date, Kind.DATE),
    (at.is_time, Kind.TIME),
    (at.is_duration, Kind.DURATION),
)


def plain(kind: pa.DataType) -> pa.DataType:
    """The type without its encoding: values of two types can be compared where this is the same for both."""
    kind = decoded(kind)
    if at.is_large_string(kind):
        return pa.string()
    if at.is_large_binary(kind):
        return pa.binary()
    if at.is_timestamp(kind) and kind.tz is not None:
        return pa.timestamp(kind.unit, "UTC")
    return kind


def decoded(kind: pa.DataType) -> pa.DataType:
    """The nearest type whose values all functions of ``pyarrow.compute`` take."""
    if at.is_dictionary(kind):
        return decoded(kind.value_type)
    if at.is_string_view(kind):
        return pa.large_string()
    if at.is_binary_view(kind):
        return pa.large_binary()
    if at.is_float16(kind):
        return pa.float32()
    if at.is_decimal(kind) and kind.bit_width < 128:
        return pa.decimal128(kind.precision, kind.scale)
    return kind
