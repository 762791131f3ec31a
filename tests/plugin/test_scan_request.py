"""Requests for scans, as they come from the engine."""

from __future__ import annotations

import json
import random
from typing import Any

import pyarrow as pa
import pytest

from sheetbend._wire import from_wire, request_from_wire
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
    Or,
    PartIn,
    StartsWith,
)
from sheetbend.scan import Aggregate, AggregateFunction, Pushdown, Sample, ScanRequest, SortKey
from tests.plugin import logic

SCHEMA = pa.schema({name: kind for name, (kind, _) in logic.VALUES.items()})
EMPTY = pa.record_batch([pa.nulls(1)], names=["l0"])
IS_NULL: dict[str, Any] = {"op": "is_null", "arg": {"column": "n"}}


class Wire:
    """Writes filters as the engine does."""

    def __init__(self) -> None:
        self.values: list[pa.Array] = []

    @property
    def batch(self) -> pa.RecordBatch:
        return pa.record_batch(self.values, names=[f"l{n}" for n in range(len(self.values))]) if self.values else EMPTY

    def operand(self, operand: Operand) -> dict[str, Any]:
        if isinstance(operand, Column):
            return {"column": operand.name}
        self.values.append(pa.array([operand.value], operand.type))
        return {"literal": len(self.values) - 1}

    def filter(self, condition: Filter) -> dict[str, Any]:
        match condition:
            case And(children) | Or(children):
                return {"op": type(condition).__name__.lower(), "args": [self.filter(child) for child in children]}
            case Not(child):
                return {"op": "not", "arg": self.filter(child)}
            case Comparison(operator, left, right):
                return {"op": operator.value, "left": self.operand(left), "right": self.operand(right)}
            case In(operand, values):
                return {"op": "in", "arg": self.operand(operand), "values": [self.operand(value) for value in values]}
            case IsNull(operand):
                return {"op": "is_null", "arg": self.operand(operand)}
            case IsNotNull(operand):
                return {"op": "is_not_null", "arg": self.operand(operand)}
            case Like(operand, pattern, escape, ignore_case):
                about = {"pattern": pattern, "escape": escape, "ignore_case": ignore_case}
                return {"op": "like", "arg": self.operand(operand), **about}
            case PartIn(operand, part, numbers):
                return {"op": "part", "part": part.value, "arg": self.operand(operand), "values": list(numbers)}
            case StartsWith(operand, text):
                return {"op": "starts_with", "arg": self.operand(operand), "text": text}
            case EndsWith(operand, text):
                return {"op": "ends_with", "arg": self.operand(operand), "text": text}
            case Contains(operand, text):
                return {"op": "contains", "arg": self.operand(operand), "text": text}
        raise AssertionError(condition)


def request_text(**parts: Any) -> str:
    asked: dict[str, Any] = {"projection": [], "filters": [], "limit": None, "order_by": [], "aggregate": None}
    return json.dumps({**asked, "offset": None, "sample": None, "target_partitions": 4, "batch_size": 8192, **parts})


def test_filters_arrive_as_they_are_meant() -> None:
    random_ = random.Random("wire")
    rows = logic.table(random_, list(logic.VALUES), 20).to_pylist()
    for _ in range(400):
        condition = logic.tree(random_, list(logic.VALUES))
        wire = Wire()
        tree = json.loads(json.dumps(wire.filter(condition)))
        found = from_wire(tree, wire.batch, SCHEMA)
        assert found.columns == condition.columns
        assert [logic.truth(found, row) for row in rows] == [logic.truth(condition, row) for row in rows]
        assert from_wire(tree, wire.batch, SCHEMA) == found or "nan" in str(found)


def test_encoded_columns_and_literals() -> None:
    kind = pa.dictionary(pa.int32(), pa.string())
    batch = pa.record_batch(
        [pa.array(["a"]).dictionary_encode(), pa.array(["a"], pa.string_view())], names=["l0", "l1"]
    )
    tree = {"op": "in", "arg": {"column": "d"}, "values": [{"literal": 0}, {"literal": 1}]}
    found = from_wire(tree, batch, pa.schema({"d": kind}))
    assert found == In(Column("d", kind), (Literal(pa.scalar("a")),) * 2)


def test_a_whole_request() -> None:
    literals = pa.record_batch(
        [pa.array([5], pa.int64()), pa.nulls(1, pa.int64()), pa.nulls(1, pa.float64())], ["l0", "t0", "t1"]
    )
    text = request_text(
        projection=["n", "s"],
        filters=[{"op": ">", "left": {"column": "n"}, "right": {"literal": 0}}, IS_NULL],
        limit=10,
        offset=3,
        sample={"fraction": 0.25, "seed": -7},
        order_by=[{"column": "x", "descending": True, "nulls_first": False}],
        aggregate={
            "group_by": ["s"],
            "functions": [
                {"function": "count", "column": None, "name": "count(*)"},
                {"function": "sum", "column": "x", "name": "sum(x)"},
            ],
        },
    )
    request = request_from_wire(text, literals, SCHEMA)
    assert (request.schema, request.projection) == (SCHEMA, ("n", "s"))
    assert list(map(str, request.filters)) == ["n > 5", "n IS NULL"]
    assert (request.limit, request.order_by) == (10, (SortKey("x", descending=True),))
    assert (request.offset, request.sample) == (3, Sample(0.25, -7))
    assert (request.target_partitions, request.batch_size) == (4, 8192)
    counted = AggregateFunction("count", None, "count(*)", pa.int64())
    summed = AggregateFunction("sum", "x", "sum(x)", pa.float64())
    assert request.aggregate == Aggregate(("s",), (counted, summed))
    assert request.aggregate.schema(SCHEMA) == pa.schema(
        {"s": pa.string(), "count(*)": pa.int64(), "sum(x)": pa.float64()}
    )


def test_the_least_request() -> None:
    request = request_from_wire(request_text(), EMPTY, SCHEMA)
    assert request == ScanRequest(SCHEMA, (), target_partitions=4)


def test_columns_that_the_engine_needs() -> None:
    filters = (
        IsNull(Column("x", pa.float64())),
        And((IsNull(Column("s", pa.string())), IsNull(Column("n", pa.int64())))),
    )
    request = ScanRequest(SCHEMA, ("u", "n"), filters)
    assert request.columns({}) == ("n", "u", "x", "s")
    assert request.columns({0: Pushdown.EXACT, 1: Pushdown.INEXACT}) == ("n", "u", "s")
    assert request.columns({0: Pushdown.EXACT, 1: Pushdown.EXACT}) == ("n", "u")
    assert ScanRequest(SCHEMA, ()).columns({}) == ()


def test_spark_s_order_is_the_default() -> None:
    assert SortKey("a") == SortKey("a", descending=False, nulls_first=True)
    assert SortKey("a", descending=True) == SortKey("a", descending=True, nulls_first=False)


def nested(depth: int, tree: dict[str, Any], *ops: str) -> dict[str, Any]:
    for level in range(depth):
        op = ops[level % len(ops)]
        tree = {"op": "not", "arg": tree} if op == "not" else {"op": op, "args": [tree, IS_NULL]}
    return tree


def test_what_is_nested_without_need() -> None:
    assert from_wire(nested(10_000, IS_NULL, "not"), EMPTY, SCHEMA) == IsNull(Column("n", pa.int64()))
    assert from_wire(nested(10_001, IS_NULL, "not"), EMPTY, SCHEMA) == Not(IsNull(Column("n", pa.int64())))
    chain = from_wire(nested(5_000, IS_NULL, "and"), EMPTY, SCHEMA)
    assert isinstance(chain, And)
    assert len(chain.children) == 5_001
    order = {"op": "or", "args": [{"op": "or", "args": [is_null("n"), is_null("x")]}, is_null("s")]}
    assert str(from_wire(order, EMPTY, SCHEMA)) == "(n IS NULL OR x IS NULL OR s IS NULL)"


def is_null(name: str) -> dict[str, Any]:
    return {"op": "is_null", "arg": {"column": name}}


def test_what_is_nested_too_deep() -> None:
    assert from_wire(nested(MAX_DEPTH - 1, IS_NULL, "and", "or"), EMPTY, SCHEMA).depth == MAX_DEPTH
    for depth in (MAX_DEPTH, 10_000):
        for ops in (("and", "or"), ("and", "not", "or", "not")):
            with pytest.raises(SheetbendError, match="more than 100 levels"):
                from_wire(nested(depth, IS_NULL, *ops), EMPTY, SCHEMA)
    text = request_text(filters=["?"]).replace(
        '"?"', '{"op":"not","arg":' * 100_000 + json.dumps(IS_NULL) + "}" * 100_000
    )
    with pytest.raises(SheetbendError, match="no JSON"):
        request_from_wire(text, EMPTY, SCHEMA)


ONE = pa.record_batch([pa.array([1], pa.int64()), pa.array(["a"]), pa.nulls(1, pa.int64())], ["l0", "l1", "l2"])
MALFORMED: list[tuple[Any, str]] = [
    (None, "filter is None, expected dict"),
    ([], "filter is list, expected dict"),
    ({}, "filter has no 'op'"),
    ({"op": 1}, "filter.op is int, expected str"),
    ({"op": "between"}, "filter has the unknown op 'between'"),
    ({"op": "and", "args": {}}, "filter.args is dict, expected list"),
    ({"op": "and", "args": []}, "filter is no filter: AND has no children"),
    ({"op": "not"}, "filter has no 'arg'"),
    ({"op": "or", "args": [IS_NULL, {"op": "not", "arg": {"op": "is_null"}}]}, r"filter.args\[1\].arg has no 'arg'"),
    ({"op": "is_null", "arg": {"column": "none"}}, "filter.arg.column is 'none', which is no column of the table"),
    ({"op": "is_null", "arg": {"column": 1}}, "filter.arg.column is int, expected str"),
    ({"op": "is_null", "arg": "n"}, "filter.arg is str, expected dict"),
    ({"op": "is_null", "arg": {}}, "filter.arg has no 'literal'"),
    ({"op": "=", "left": {"column": "n"}}, "filter has no 'right'"),
    ({"op": "=", "left": {"column": "n"}, "right": {"literal": 3}}, "filter.right is no value of the 3 columns"),
    ({"op": "=", "left": {"column": "n"}, "right": {"literal": -1}}, "filter.right is no value of the 3 columns"),
    ({"op": "=", "left": {"column": "n"}, "right": {"literal": True}}, "filter.right.literal is bool, expected int"),
    ({"op": "=", "left": {"column": "n"}, "right": {"literal": 1}}, "int64 is compared with string"),
    ({"op": "=", "left": {"column": "n"}, "right": {"literal": 2}}, "A literal is NULL"),
    ({"op": "in", "arg": {"column": "n"}, "values": []}, "IN has no values"),
    ({"op": "in", "arg": {"column": "n"}, "values": [{"column": "m"}]}, r"filter.values\[0\] has no 'literal'"),
    ({"op": "starts_with", "arg": {"column": "n"}, "text": "a"}, "int64 is matched with a text"),
    ({"op": "part", "part": "month", "arg": {"column": "at"}, "values": [1]}, "has no month of its own"),
    ({"op": "part", "part": "hour", "arg": {"column": "day"}, "values": [1]}, "has no hour of its own"),
    ({"op": "part", "part": "hour", "arg": {"column": "wall"}, "values": []}, "no hour to compare with"),
    ({"op": "part", "part": "era", "arg": {"column": "wall"}, "values": [1]}, "'era' is not a valid Part"),
    ({"op": "contains", "arg": {"column": "s"}, "text": None}, "filter.text is None, expected str"),
    ({"op": "contains", "arg": {"column": "s"}, "text": "\udc00"}, "surrogates not allowed"),
    ({"op": "like", "arg": {"column": "s"}, "pattern": "a", "escape": "ab", "ignore_case": False}, "one character"),
    ({"op": "like", "arg": {"column": "s"}, "pattern": "a", "escape": None, "ignore_case": 0}, "ignore_case is int"),
]


@pytest.mark.parametrize(("tree", "message"), MALFORMED, ids=[message for _, message in MALFORMED])
def test_malformed_filters(tree: Any, message: str) -> None:
    with pytest.raises(SheetbendError, match=message) as caught:
        from_wire(tree, ONE, SCHEMA)
    assert str(caught.value).startswith("The engine sent a request that cannot be read: filter")


MALFORMED_PARTS: list[tuple[dict[str, Any], str]] = [
    ({"projection": None}, "request.projection is None, expected list"),
    ({"projection": ["?"]}, r"request.projection\[0\] is '\?', which is no column"),
    ({"filters": [IS_NULL, 5]}, r"request.filters\[1\] is int, expected dict"),
    ({"limit": "1"}, "request.limit is str, expected int"),
    ({"offset": 1.5}, "request.offset is float, expected int"),
    ({"sample": {"fraction": 0.5}}, "request.sample has no 'seed'"),
    ({"order_by": [{"column": "n", "descending": 1, "nulls_first": True}]}, r"order_by\[0\].descending is int"),
    ({"aggregate": {"group_by": [], "functions": [{"function": "avg"}]}}, "'avg', expected one of count, sum"),
    (
        {"aggregate": {"group_by": [], "functions": [{"function": "count", "column": None, "name": "c"}]}},
        r"functions\[0\] has no type: the values that came with it have no column 't0'",
    ),
]


@pytest.mark.parametrize(("parts", "message"), MALFORMED_PARTS, ids=[message for _, message in MALFORMED_PARTS])
def test_malformed_requests(parts: dict[str, Any], message: str) -> None:
    with pytest.raises(SheetbendError, match=message):
        request_from_wire(request_text(**parts), EMPTY, SCHEMA)


def test_what_is_no_request() -> None:
    with pytest.raises(SheetbendError, match="no JSON"):
        request_from_wire("{", EMPTY, SCHEMA)
    two_rows = pa.record_batch([pa.array([1, 2])], names=["l0"])
    with pytest.raises(SheetbendError, match="is no value"):
        from_wire({"op": "=", "left": {"column": "n"}, "right": {"literal": 0}}, two_rows, SCHEMA)
