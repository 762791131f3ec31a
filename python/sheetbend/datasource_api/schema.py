"""Schemas: what ``DataSource.schema`` returns, Spark's types and Arrow's."""

from __future__ import annotations

import pyarrow as pa
from pyspark.sql.pandas.types import from_arrow_schema, to_arrow_schema
from pyspark.sql.types import DataType, StructType

from sheetbend.errors import PluginError, SparkError


def struct_of(schema: object) -> StructType:
    """The schema of a table: DDL text, a ``StructType``, or an Arrow schema, which Spark does not take.

    Raises:
        SparkError: Text that is no schema, or a type that is no struct.
        PluginError: Anything else.
    """
    if isinstance(schema, str):
        from sheetbend import _native  # noqa: PLC0415 - the parser is the engine's own

        parsed = _native.parse_ddl(schema)
        struct: StructType = from_arrow_schema(parsed)
        for spark, arrow in zip(struct.fields, parsed, strict=True):
            spark.metadata = {key.decode(): value.decode() for key, value in (arrow.metadata or {}).items()}
        return struct
    if isinstance(schema, StructType):
        return schema
    if isinstance(schema, DataType):
        raise SparkError(
            f"The input schema {schema.json()} is not a valid schema string. The input expression should be evaluated "
            f'to struct type, but got "{schema.simpleString().upper()}".',
            condition="INVALID_SCHEMA.NON_STRUCT_TYPE",
            sql_state="42K07",
        )
    if isinstance(schema, pa.Schema):
        return from_arrow_schema(schema)
    raise PluginError(f"schema() returned {type(schema).__name__}, expected DDL text, a StructType or a pyarrow.Schema")


def arrow_of(schema: StructType) -> pa.Schema:
    """The Arrow schema of a table."""
    return to_arrow_schema(schema, timezone="UTC")
