"""Values of one column as Arrow, all at once."""

from __future__ import annotations

import datetime
import decimal
import itertools
import time
from collections.abc import Sequence

import pyarrow as pa
from pyspark.sql import types
from pyspark.sql.conversion import LocalDataToArrowConversion

_NONE = type(None)

_TAKEN: dict[type[types.DataType], frozenset[type]] = {
    types.StringType: frozenset({str, _NONE}),
    types.BinaryType: frozenset({bytes, bytearray, _NONE}),
    types.DecimalType: frozenset({decimal.Decimal, _NONE}),
    types.TimestampType: frozenset({datetime.datetime, _NONE}),
    types.TimestampNTZType: frozenset({datetime.datetime, _NONE}),
}
"""By type of column, the types of the values that pyarrow converts as Spark does, which goes over each one before."""


class Column:
    """How the values of one column become an Arrow array.

    The rules are Spark's. Where a whole chunk of values is such that pyarrow has the same rules, it takes the chunk;
    else Spark's own converter goes over it, value by value.
    """

    def __init__(self, spark: types.StructField, arrow: pa.Field) -> None:
        self.name: str = spark.name
        self.nullable: bool = spark.nullable
        self.type_name: str = spark.dataType.simpleString()
        self._spark = spark.dataType
        self._arrow = arrow.type
        self._convert = LocalDataToArrowConversion._create_converter(spark.dataType)

    def array(self, values: Sequence[object]) -> pa.Array | pa.ChunkedArray:
        """The values as a ``pyarrow.Array``; as a ``ChunkedArray`` where one array cannot hold them.

        Raises:
            Exception: A value is not of the type. pyarrow and the converters raise what they like.
        """
        if _taken(self._spark, values):
            try:
                return pa.array(values, self._arrow)
            except (pa.ArrowException, ValueError, TypeError, OverflowError):
                pass  # Spark's converter may still take it: it rounds decimals, and has NaN of them be NULL
        return pa.array([self._convert(value) for value in values], self._arrow)


def _taken(spark: types.DataType, values: Sequence[object]) -> bool:
    """Whether pyarrow converts the values as Spark does, or fails."""
    if not LocalDataToArrowConversion._need_converter(spark):
        return True
    kinds = set(map(type, values))
    if isinstance(spark, types.ArrayType) and spark.containsNull:
        lists: list[list[object]] = [value for value in values if value is not None]  # type: ignore[misc]
        return kinds <= {list, _NONE} and _taken(spark.elementType, list(itertools.chain.from_iterable(lists)))
    if not kinds <= _TAKEN.get(type(spark), frozenset()):
        return False
    if isinstance(spark, (types.TimestampType, types.TimestampNTZType)):
        zones = {value.tzinfo for value in values if value is not None}  # type: ignore[attr-defined]
        if isinstance(spark, types.TimestampNTZType):
            return zones <= {None}
        # pyarrow takes a datetime without a zone for UTC, Spark for the machine's zone.
        return None not in zones or time.tzname == ("UTC", "UTC")
    return True
