"""Arrow types as Spark has them, and which of them a value may be widened to."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
from pyarrow import types as at

from sheetbend.errors import SheetbendError

__all__ = ["merge_schemas", "spark_schema", "spark_type", "widens"]

_TYPES: dict[pa.DataType, pa.DataType] = {
    pa.null(): pa.string(),
    pa.uint8(): pa.int16(),
    pa.uint16(): pa.int32(),
    pa.uint32(): pa.int64(),
    pa.uint64(): pa.decimal128(20, 0),
    pa.float16(): pa.float32(),
    pa.large_string(): pa.string(),
    pa.string_view(): pa.string(),
    pa.large_binary(): pa.binary(),
    pa.binary_view(): pa.binary(),
    pa.date64(): pa.date32(),
}
_SAME = {pa.bool_(), pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.float32(), pa.float64()}
_SAME |= {pa.string(), pa.binary(), pa.date32()}

_DIGITS = {pa.int8(): 3, pa.int16(): 5, pa.int32(): 10, pa.int64(): 19}
_WIDENED = {
    pa.int16(): (pa.int8(),),
    pa.int32(): (pa.int8(), pa.int16()),
    pa.int64(): (pa.int8(), pa.int16(), pa.int32()),
    # A double holds each 32-bit integer exactly, but not each 64-bit one.
    pa.float64(): (pa.int8(), pa.int16(), pa.int32(), pa.float32()),
}


def spark_schema(schema: pa.Schema, *, where: str) -> pa.Schema:
    """``schema`` with types that Spark has, each column nullable and without metadata.

    Raises:
        SheetbendError: Spark has no type for a column, or two have one name; the message says which and ``where``.
    """
    twice = next((name for name in schema.names if schema.names.count(name) > 1), None)
    if twice is not None:
        raise SheetbendError(f"There are two columns '{twice}' in {where}, which cannot be told apart.")
    return pa.schema([_named(field, where) for field in schema])


def spark_type(kind: pa.DataType) -> pa.DataType:
    """The type of Spark's that holds each value of ``kind``; timestamps finer than microseconds lose what is finer.

    Raises:
        TypeError: There is none.
    """
    if kind in _SAME:
        return kind
    if kind in _TYPES:
        return _TYPES[kind]
    for check, convert in _FAMILIES:
        if check(kind):
            return convert(kind)
    raise TypeError(f"Spark has no type for {kind}")


def widens(source: pa.DataType, target: pa.DataType) -> bool:
    """Whether ``target`` holds each value of ``source``, both being types that Spark has."""
    if source == target:
        return True
    if at.is_nested(target):
        return _nested_widens(source, target)
    if at.is_decimal(target):
        digits, scale = (source.precision, source.scale) if at.is_decimal(source) else (_DIGITS.get(source), 0)
        return digits is not None and target.scale >= scale and target.precision - target.scale >= digits - scale
    if at.is_timestamp(target):
        same_kind = at.is_timestamp(source) and (source.tz is None) == (target.tz is None)
        return bool(same_kind) or bool(source == pa.date32() and target.tz is None)
    return source in _WIDENED.get(target, ())


def _nested_widens(source: pa.DataType, target: pa.DataType) -> bool:
    if at.is_list(source) and at.is_list(target):
        return widens(source.value_type, target.value_type)
    if at.is_map(source) and at.is_map(target):
        return widens(source.key_type, target.key_type) and widens(source.item_type, target.item_type)
    if at.is_struct(source) and at.is_struct(target):
        names = [field.name for field in source]
        return all(field.name not in names or widens(source.field(field.name).type, field.type) for field in target)
    return False


def merge_schemas(left: pa.Schema, right: pa.Schema, *, where: str) -> pa.Schema:
    """All columns of both by name, each of the wider type; columns only in ``right`` come last.

    Raises:
        SheetbendError: Neither type of a column holds the other; the message names it and ``where`` ``right`` is.
    """
    fields = {field.name: field for field in left}
    for field in right:
        known = fields.get(field.name)
        try:
            fields[field.name] = field if known is None else pa.field(field.name, _wider(known.type, field.type))
        except TypeError:
            raise SheetbendError(
                f"Column '{field.name}' is {field.type} in {where} and {known.type if known else None} in objects "
                "before it, and neither type holds the other: give the schema, or read them apart."
            ) from None
    return pa.schema(list(fields.values()))


def _wider(left: pa.DataType, right: pa.DataType) -> pa.DataType:
    if at.is_struct(left) and at.is_struct(right):
        merged = {field.name: field.type for field in left}
        for field in right:
            merged[field.name] = _wider(merged[field.name], field.type) if field.name in merged else field.type
        return pa.struct([pa.field(name, kind) for name, kind in merged.items()])
    if at.is_list(left) and at.is_list(right):
        return pa.list_(_wider(left.value_type, right.value_type))
    if widens(left, right):
        return right
    if widens(right, left):
        return left
    raise TypeError


def _named(field: pa.Field, where: str) -> pa.Field:
    try:
        return pa.field(field.name, spark_type(field.type))
    except TypeError as error:
        raise SheetbendError(f"Column '{field.name}' of {where} cannot be read: {error}.") from None


def _decimal(kind: pa.DataType) -> pa.DataType:
    if kind.precision > 38 or not 0 <= kind.scale <= kind.precision:
        raise TypeError(f"Spark has no type for {kind}")
    return pa.decimal128(kind.precision, kind.scale)


def _struct(kind: pa.DataType) -> pa.DataType:
    return pa.struct([pa.field(field.name, spark_type(field.type)) for field in kind])


_FAMILIES: list[tuple[Callable[[pa.DataType], bool], Callable[[pa.DataType], pa.DataType]]] = [
    (at.is_timestamp, lambda kind: pa.timestamp("us", kind.tz)),
    (at.is_time, lambda _: pa.time64("us")),
    (at.is_duration, lambda _: pa.duration("us")),
    (at.is_decimal, _decimal),
    (at.is_fixed_size_binary, lambda _: pa.binary()),
    (at.is_dictionary, lambda kind: spark_type(kind.value_type)),
    (at.is_list, lambda kind: pa.list_(spark_type(kind.value_type))),
    (at.is_large_list, lambda kind: pa.list_(spark_type(kind.value_type))),
    (at.is_fixed_size_list, lambda kind: pa.list_(spark_type(kind.value_type))),
    (at.is_map, lambda kind: pa.map_(spark_type(kind.key_type), spark_type(kind.item_type))),
    (at.is_struct, _struct),
    (lambda kind: isinstance(kind, pa.BaseExtensionType), lambda kind: spark_type(kind.storage_type)),
]
