"""Requests for scans, as the engine sends them. One that cannot be read is its fault: :class:`SheetbendError`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from sheetbend._bridge.describe import describe
from sheetbend.errors import SheetbendError
from sheetbend.filters import (
    MAX_DEPTH,
    And,
    Column,
    Comparison,
    Contains,
    EndsWith,
    Filter,
    In,
    IsNotNull,
    IsNull,
    Like,
    Literal,
    Not,
    Operand,
    Operator,
    Or,
    Part,
    PartIn,
    StartsWith,
)
from sheetbend.scan import Aggregate, AggregateFunction, Sample, ScanRequest, SortKey

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["from_wire", "request_from_wire"]

T = TypeVar("T")

_JUNCTIONS = {"and": And, "or": Or}
_NULLS = {"is_null": IsNull, "is_not_null": IsNotNull}
_TEXTS: dict[str, Callable[[Operand, str], Filter]] = {
    "starts_with": StartsWith,
    "ends_with": EndsWith,
    "contains": Contains,
}
_OPERATORS = {one.value: one for one in Operator}
_FUNCTIONS = ("count", "sum", "min", "max")


def request_from_wire(text: str, literals: pa.RecordBatch, schema: pa.Schema) -> ScanRequest:
    """The request that the engine sent.

    Args:
        text: The request as JSON.
        literals: A row of the values that filters compare with, then a NULL of the type of each aggregate's result.
        schema: The schema of the table.
    """
    try:
        request = _Json(json.loads(text), "request")
    except (ValueError, RecursionError) as error:
        raise SheetbendError(f"The engine sent a request that is no JSON: {error}.") from None
    limit, offset = request["limit"], request["offset"]
    return ScanRequest(
        schema,
        tuple(_column(name, schema) for name in request["projection"].items()),
        tuple(_Filters(literals, schema).read(one) for one in request["filters"].items()),
        None if limit.value is None else limit.of(int),
        tuple(_sort_key(key, schema) for key in request["order_by"].items()),
        _aggregate(request["aggregate"], literals, schema),
        request["target_partitions"].of(int),
        request["batch_size"].of(int),
        None if offset.value is None else offset.of(int),
        _sample(request["sample"]),
    )


def from_wire(tree: object, literals: pa.RecordBatch, schema: pa.Schema) -> Filter:
    """The filter that the engine sent; what is nested without need (AND in AND, NOT of NOT) is not so any more.

    Args:
        tree: The filter as parsed JSON.
        literals: A row of the values that it compares with, by position.
        schema: The schema of the table.
    """
    return _Filters(literals, schema).read(_Json(tree, "filter"))


class _Json:
    """A value in the request that knows where it is."""

    __slots__ = ("_at", "_parent", "value")

    def __init__(self, value: Any, at: object, parent: _Json | None = None) -> None:  # noqa: ANN401 - JSON
        self.value = value
        self._at = at
        self._parent = parent

    def __getitem__(self, key: str) -> _Json:
        members = self.of(dict)
        if key not in members:
            raise self.error(f"has no '{key}'")
        return _Json(members[key], key, self)

    def items(self) -> Iterator[_Json]:
        return (_Json(item, position, self) for position, item in enumerate(self.of(list)))

    def of(self, kind: type[T]) -> T:
        # To Python a truth value is an integer.
        if not isinstance(self.value, kind) or (isinstance(self.value, bool) and kind is not bool):
            raise self.error(f"is {describe(self.value)}, expected {kind.__name__}")
        return self.value

    def error(self, what: str) -> SheetbendError:
        path: list[str] = []
        node: _Json | None = self
        while node is not None:
            path.append(f"[{node._at}]" if isinstance(node._at, int) else f".{node._at}")
            node = node._parent
        return SheetbendError(f"The engine sent a request that cannot be read: {''.join(reversed(path))[1:]} {what}.")


class _Filters:
    """Reads filters. It goes no deeper than a filter may be, however deep the JSON is."""

    def __init__(self, literals: pa.RecordBatch, schema: pa.Schema) -> None:
        self._literals = literals
        self._schema = schema

    def read(self, node: _Json, depth: int = 1) -> Filter:
        negated = False
        while node["op"].of(str) == "not":
            node, negated = node["arg"], not negated
        if depth > MAX_DEPTH:
            raise node.error(f"is nested more than {MAX_DEPTH} levels deep")
        try:
            found = self._read(node, node["op"].of(str), depth)
            return Not(found) if negated else found
        except ValueError as error:
            raise node.error(f"is no filter: {error}") from None

    def _read(self, node: _Json, op: str, depth: int) -> Filter:
        if op in _JUNCTIONS:
            return _JUNCTIONS[op](tuple(self.read(one, depth + 1) for one in _flattened(node, op)))
        if op in _OPERATORS:
            return Comparison(_OPERATORS[op], self._operand(node["left"]), self._operand(node["right"]))
        if op == "in":
            return In(self._operand(node["arg"]), tuple(self._literal(one) for one in node["values"].items()))
        if op in _NULLS:
            return _NULLS[op](self._operand(node["arg"]))
        if op in _TEXTS:
            return _TEXTS[op](self._operand(node["arg"]), node["text"].of(str))
        return self._read_other(node, op)

    def _read_other(self, node: _Json, op: str) -> Filter:
        if op == "part":
            numbers = tuple(number.of(int) for number in node["values"].items())
            return PartIn(self._operand(node["arg"]), Part(node["part"].of(str)), numbers)
        if op == "like":
            escape = node["escape"]
            return Like(
                self._operand(node["arg"]),
                node["pattern"].of(str),
                None if escape.value is None else escape.of(str),
                node["ignore_case"].of(bool),
            )
        raise node.error(f"has the unknown op '{op}'")

    def _operand(self, node: _Json) -> Operand:
        if "column" not in node.of(dict):
            return self._literal(node)
        name = _column(node["column"], self._schema)
        return Column(name, self._schema.field(name).type)

    def _literal(self, node: _Json) -> Literal:
        position = node["literal"].of(int)
        if not 0 <= position < self._literals.num_columns or self._literals.num_rows != 1:
            raise node.error(f"is no value of the {self._literals.num_columns} columns that came with it")
        return Literal(self._literals.column(position)[0])


def _flattened(node: _Json, op: str) -> Iterator[_Json]:
    """The children of a junction, and those of children that are the same junction in their place."""
    pending = [node]
    while pending:
        one = pending.pop()
        if one["op"].of(str) == op:
            pending += reversed(list(one["args"].items()))
        else:
            yield one


def _column(node: _Json, schema: pa.Schema) -> str:
    name = node.of(str)
    if schema.get_field_index(name) < 0:
        raise node.error(f"is '{name}', which is no column of the table, or more than one")
    return name


def _sort_key(node: _Json, schema: pa.Schema) -> SortKey:
    return SortKey(_column(node["column"], schema), node["descending"].of(bool), node["nulls_first"].of(bool))


def _sample(node: _Json) -> Sample | None:
    return None if node.value is None else Sample(node["fraction"].of(float), node["seed"].of(int))


def _aggregate(node: _Json, literals: pa.RecordBatch, schema: pa.Schema) -> Aggregate | None:
    if node.value is None:
        return None
    functions = []
    for position, one in enumerate(node["functions"].items()):
        function = one["function"]
        if function.value not in _FUNCTIONS:
            raise function.error(f"is {function.value!r}, expected one of {', '.join(_FUNCTIONS)}")
        column = one["column"]
        type_at = literals.schema.get_field_index(f"t{position}")
        if type_at < 0:
            raise one.error(f"has no type: the values that came with it have no column 't{position}'")
        functions.append(
            AggregateFunction(
                function.value,
                None if column.value is None else _column(column, schema),
                one["name"].of(str),
                literals.schema.field(type_at).type,
            )
        )
    return Aggregate(tuple(_column(name, schema) for name in node["group_by"].items()), tuple(functions))
