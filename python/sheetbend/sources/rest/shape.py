"""The schema of JSON records, found out from a sample."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pyarrow as pa
from pyarrow import types as at

__all__ = ["infer_schema"]

_DEEPEST = 32
_SCALARS = {type(None): pa.null(), bool: pa.bool_(), float: pa.float64(), str: pa.string()}
_INT64 = range(-(2**63), 2**63)


def infer_schema(records: Iterable[dict[str, Any]]) -> pa.Schema:
    """One nullable column for each field, in the order in which fields are met first.

    Integers and other numbers together are doubles. Objects are structs with the fields of all of them, lists are
    lists. What is of several types, always null, an object without fields, an integer beyond 64 bits or nested deeper
    than 32 levels is a string, which holds text as it is and anything else as JSON.
    """
    whole: pa.DataType = pa.struct([])
    for record in records:
        whole = _merge(whole, _type_of(record, 0))
    return pa.schema([pa.field(field.name, _final(field.type)) for field in whole])


def _type_of(value: Any, depth: int) -> pa.DataType:  # noqa: ANN401 - JSON
    if type(value) in _SCALARS:
        return _SCALARS[type(value)]
    if isinstance(value, int):
        return pa.int64() if value in _INT64 else pa.string()
    if depth >= _DEEPEST:
        return pa.string()
    if isinstance(value, dict):
        return pa.struct([(name, _type_of(item, depth + 1)) for name, item in value.items()])
    element: pa.DataType = pa.null()
    for item in value:
        element = _merge(element, _type_of(item, depth + 1))
    return pa.list_(element)


def _merge(left: pa.DataType, right: pa.DataType) -> pa.DataType:
    if left == right or at.is_null(right):
        return left
    if at.is_null(left):
        return right
    if {left, right} == {pa.int64(), pa.float64()}:
        return pa.float64()
    if at.is_list(left) and at.is_list(right):
        return pa.list_(_merge(left.value_type, right.value_type))
    if at.is_struct(left) and at.is_struct(right):
        fields = {field.name: field.type for field in left}
        for field in right:
            fields[field.name] = _merge(fields[field.name], field.type) if field.name in fields else field.type
        return pa.struct(list(fields.items()))
    return pa.string()


def _final(kind: pa.DataType) -> pa.DataType:
    if at.is_null(kind) or (at.is_struct(kind) and not kind.num_fields):
        return pa.string()
    if at.is_list(kind):
        return pa.list_(_final(kind.value_type))
    if at.is_struct(kind):
        return pa.struct([(field.name, _final(field.type)) for field in kind])
    return kind
