"""Arrow types that the dialects share."""

from __future__ import annotations

import pyarrow as pa

__all__ = ["INSTANT", "UNBOUNDED_DECIMAL", "WALL_CLOCK", "decimal_type"]

INSTANT = pa.timestamp("us", tz="UTC")
"""A point in time: Spark's TimestampType."""

WALL_CLOCK = pa.timestamp("us")
"""A date and time of day in no particular time zone: Spark's TimestampNTZType."""

_MAX_PRECISION = 38

UNBOUNDED_DECIMAL = pa.decimal128(_MAX_PRECISION, 18)
"""For a decimal that declares no precision: Spark's choice."""


def decimal_type(precision: int, scale: int) -> pa.Decimal128Type:
    """The decimal of a declared precision and scale, cut to 38 digits as Spark does.

    A negative scale (PostgreSQL has it) only says that the last digits are zero, so they are counted as digits.
    """
    if precision < 1:
        return UNBOUNDED_DECIMAL
    if scale < 0:
        precision, scale = precision - scale, 0
    precision = max(precision, scale)
    return pa.decimal128(min(precision, _MAX_PRECISION), min(scale, _MAX_PRECISION))
