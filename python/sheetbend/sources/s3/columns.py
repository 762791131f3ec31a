"""Columns of a batch as the promised schema has them."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from sheetbend.errors import SheetbendError
from sheetbend.sources.s3.types import spark_type, widens

__all__ = ["check_widening", "conform", "match_names", "parse_temporal", "reads_as_text"]

_ZONE = r"(?:Z|[+-]\d\d(?::?\d\d)?)$"


def match_names(wanted: list[str], present: list[str]) -> dict[str, str]:
    """For each wanted column that is present, its name there: the same, else one that differs in case only."""
    folded: dict[str, str] = {}
    for name in present:
        folded.setdefault(name.lower(), name)
    names = set(present)
    pairs = {name: name if name in names else folded.get(name.lower()) for name in wanted}
    return {name: there for name, there in pairs.items() if there is not None}


def check_widening(promised: pa.Field, actual: pa.DataType, *, where: str) -> None:
    """Raises :class:`SheetbendError` where the promised type does not hold each value of the actual one."""
    try:
        fits = widens(spark_type(actual), promised.type)
    except TypeError:
        fits = False
    if not fits:
        raise SheetbendError(
            f"Column '{promised.name}' is {actual} in {where}, which does not fit {promised.type}, the type that was "
            "promised: give a schema, or for Parquet set option 'mergeSchema' to true."
        )


def conform(batch: pa.RecordBatch, schema: pa.Schema, names: dict[str, str], *, where: str) -> pa.RecordBatch:
    """``batch`` with the columns of ``schema``: in its order, under its names and of its types.

    Args:
        batch: What was read.
        schema: What was promised.
        names: For each promised column the one of ``batch``; a column that is not here is all null.
        where: The object, for messages.
    """
    columns = []
    for field in schema:
        there = names.get(field.name)
        if there is None:
            columns.append(pa.nulls(batch.num_rows, field.type))
            continue
        column = batch.column(there)
        columns.append(column if column.type == field.type else _cast(column, field, where))
    if not columns:
        return batch.select([])
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def reads_as_text(kind: pa.DataType, *, json: bool) -> bool:
    """Whether pyarrow's reader of CSV or JSON has to be given a string where ``kind`` is promised."""
    if pa.types.is_timestamp(kind):
        return kind.tz is not None
    return json and (pa.types.is_date(kind) or pa.types.is_time(kind))


def parse_temporal(column: pa.Array, kind: pa.DataType) -> pa.Array:
    """Dates and times out of ISO 8601 text. A time without a zone is one in the zone of ``kind``."""
    if not (pa.types.is_timestamp(kind) and kind.tz is not None):
        return column.cast(kind)
    zoned = pc.match_substring_regex(column, _ZONE)
    # "2024-01-01" ends like a zone of two digits does.
    zoned = pc.and_(zoned, pc.match_substring_regex(column, r"\d:\d"))
    nothing = pa.scalar(None, pa.string())
    absolute = pc.if_else(zoned, column, nothing).cast(kind)
    local = pc.if_else(zoned, nothing, column).cast(pa.timestamp("us"))
    return pc.coalesce(absolute, _in_zone(local, kind.tz))


def _in_zone(local: pa.Array, zone: str) -> pa.Array:
    """As Spark reads a local time that the clocks went through twice, or not at all."""
    return pc.assume_timezone(local, zone, ambiguous="earliest", nonexistent="latest")


def _cast(column: pa.Array, field: pa.Field, where: str) -> pa.Array:
    try:
        if pa.types.is_string(column.type) and not pa.types.is_string(field.type):
            return parse_temporal(column, field.type)
        # Unsafe only in that it drops what is finer than a microsecond: the types were checked to widen.
        return column.cast(field.type, safe=False)
    except pa.ArrowInvalid as error:
        raise SheetbendError(f"Column '{field.name}' of {where} does not fit {field.type}: {error}") from None
