"""Arrow data in the types that Spark has, with the columns as promised."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pyarrow.types as at

from sheetbend.errors import PluginError

__all__ = ["batch", "spark_schema"]

_SPARK_DECIMAL_DIGITS = 38
_UINT64_DIGITS = 20
_INTEGERS = {  # the bits that a value may take beside the sign
    pa.int8(): 7,
    pa.int16(): 15,
    pa.int32(): 31,
    pa.int64(): 63,
    pa.uint8(): 8,
    pa.uint16(): 16,
    pa.uint32(): 32,
}
_REPLACED = {
    pa.large_string(): pa.string(),
    pa.string_view(): pa.string(),
    pa.large_binary(): pa.binary(),
    pa.binary_view(): pa.binary(),
    pa.uint8(): pa.int16(),
    pa.uint16(): pa.int32(),
    pa.uint32(): pa.int64(),
    pa.uint64(): pa.decimal128(_UINT64_DIGITS, 0),
    pa.float16(): pa.float32(),
    pa.date64(): pa.date32(),
}
_KEPT = {
    pa.null(),
    pa.bool_(),
    pa.int8(),
    pa.int16(),
    pa.int32(),
    pa.int64(),
    pa.float32(),
    pa.float64(),
    pa.string(),
    pa.binary(),
    pa.date32(),
}


def spark_schema(schema: pa.Schema) -> pa.Schema:
    """The schema with each type that Spark lacks replaced by the next that holds all its values."""
    return pa.schema([pa.field(field.name, _spark_type(field.type, field.name), field.nullable) for field in schema])


def batch(source: pa.RecordBatch, promised: pa.Schema, where: str) -> pa.RecordBatch:
    """The batch with the promised columns in their order and types.

    A column is found by its name. It may have a narrower type than promised; a wider one, or a null where none may be,
    is an error that begins with ``where``.
    """
    if source.schema.equals(promised):
        return source
    arrays = [_column(source, field, where) for field in promised]
    if not arrays:
        return source.select([])
    return pa.RecordBatch.from_arrays(arrays, schema=promised)


def _spark_type(source: pa.DataType, column: str) -> pa.DataType:
    if source in _KEPT:
        return source
    if source in _REPLACED:
        return _REPLACED[source]
    for is_kind, replacement in _REPLACED_KINDS:
        if is_kind(source):
            return replacement(source)
    return _nested_type(source, column)


def _nested_type(source: pa.DataType, column: str) -> pa.DataType:
    def inner(name: str, field: pa.Field) -> pa.Field:
        return pa.field(name, _spark_type(field.type, column), field.nullable)

    if at.is_dictionary(source) or at.is_run_end_encoded(source):
        return _spark_type(source.value_type, column)
    if at.is_map(source):
        return pa.map_(inner("key", source.key_field), inner("value", source.item_field))
    if _is_list(source):
        return pa.list_(inner("element", source.value_field))
    if at.is_struct(source):
        return pa.struct([inner(field.name, field) for field in source])
    raise PluginError(f"column '{column}' has the Arrow type {source}, for which Spark has none")


def _column(source: pa.RecordBatch, field: pa.Field, where: str) -> pa.Array:
    places = source.schema.get_all_field_indices(field.name)
    if len(places) != 1:
        found = f"{len(places)} columns of that name" if places else f"the columns {', '.join(source.schema.names)}"
        raise PluginError(f"{where}: column '{field.name}' was promised, but a batch has {found}")
    array = source.column(places[0])
    if not field.nullable and array.null_count:
        raise PluginError(f"{where}: column '{field.name}' was promised without nulls, but a batch has some")
    if array.type == field.type:
        return array
    if not _widens(array.type, field.type):
        raise PluginError(f"{where}: column '{field.name}' was promised as {field.type}, but a batch has {array.type}")
    try:
        return array.cast(field.type)
    except pa.ArrowInvalid as error:
        raise PluginError(f"{where}: column '{field.name}' does not fit {field.type}: {error}") from error


def _widens(source: pa.DataType, target: pa.DataType) -> bool:
    """Whether values of one type may become values of the other; those that do not fit are found when they are cast."""
    if source == target or at.is_null(source):
        return True
    if at.is_dictionary(source) or at.is_run_end_encoded(source):
        return _widens(source.value_type, target)
    if at.is_nested(source):
        return _nested_widens(source, target)
    if at.is_integer(source) or at.is_decimal(source):
        return _number_widens(source, target)
    return any(is_kind(source) and is_kind(target) for is_kind in _KINDS) and _width(source) <= _width(target)


def _nested_widens(source: pa.DataType, target: pa.DataType) -> bool:
    if _is_list(source) and _is_list(target):
        return _widens(source.value_type, target.value_type)
    if at.is_map(source) and at.is_map(target):
        return _widens(source.key_type, target.key_type) and _widens(source.item_type, target.item_type)
    if at.is_struct(source) and at.is_struct(target):
        return [field.name for field in source] == [field.name for field in target] and all(
            _widens(source[index].type, target[index].type) for index in range(source.num_fields)
        )
    return False


def _number_widens(source: pa.DataType, target: pa.DataType) -> bool:
    if at.is_uint64(source):
        return bool(at.is_decimal(target) and target.scale == 0 and target.precision >= _UINT64_DIGITS)
    if at.is_decimal(source):
        return bool(at.is_decimal(target) and source.scale == target.scale and source.precision <= target.precision)
    if target not in _INTEGERS or (at.is_signed_integer(source) and at.is_unsigned_integer(target)):
        return False
    return _INTEGERS[source] <= _INTEGERS[target]


def _is_list(of: pa.DataType) -> bool:
    return bool(
        at.is_list(of)
        or at.is_large_list(of)
        or at.is_fixed_size_list(of)
        or at.is_list_view(of)
        or at.is_large_list_view(of)
    )


def _is_text(of: pa.DataType) -> bool:
    return bool(at.is_string(of) or at.is_large_string(of) or at.is_string_view(of))


def _is_bytes(of: pa.DataType) -> bool:
    return bool(at.is_binary(of) or at.is_large_binary(of) or at.is_binary_view(of) or at.is_fixed_size_binary(of))


def _is_instant(of: pa.DataType) -> bool:
    return bool(at.is_timestamp(of) and of.tz is not None)


def _is_wall_time(of: pa.DataType) -> bool:
    return bool(at.is_timestamp(of) and of.tz is None)


def _is_spark_decimal(of: pa.DataType) -> bool:
    return bool(at.is_decimal(of) and of.precision <= _SPARK_DECIMAL_DIGITS)


def _width(of: pa.DataType) -> int:
    return int(of.bit_width) if at.is_floating(of) else 0


_KINDS: tuple[Callable[[pa.DataType], bool], ...] = (
    _is_text,
    _is_bytes,
    # A zone says how an instant is shown, and changes none. A timestamp without one is no instant.
    _is_instant,
    _is_wall_time,
    at.is_floating,
    at.is_date,
    at.is_time,
    at.is_duration,
)
"""Kinds whose values may become each other's, where the width allows it."""

_REPLACED_KINDS: tuple[tuple[Callable[[pa.DataType], bool], Callable[[pa.DataType], pa.DataType]], ...] = (
    (at.is_fixed_size_binary, lambda _: pa.binary()),
    (_is_instant, lambda _: pa.timestamp("us", "UTC")),
    (_is_wall_time, lambda _: pa.timestamp("us")),
    (at.is_time, lambda _: pa.time64("ns")),
    (at.is_duration, lambda _: pa.duration("us")),
    (_is_spark_decimal, lambda decimal: pa.decimal128(decimal.precision, decimal.scale)),
)
"""Kinds of types with what Spark has for each."""
