"""What a plug-in does wrong is said with its name, its method, what came and what is expected."""

from __future__ import annotations

import datetime as dt
import re
import threading
from typing import Any

import pyarrow as pa
import pytest

from sheetbend import _native
from sheetbend.errors import PluginError
from tests.bridge.plugins import NUMBERS, Given, eventually, failure, given, numbers, read, reader


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        (None, "returned None"),
        ("rows", "returned str"),
        (b"rows", "returned bytes"),
        ({"n": [1]}, "returned dict"),
        (7, "returned int"),
        (pa.Table, "returned the class pyarrow.lib.Table"),
        ([{"n": 1}], "yielded dict"),
        ([[1]], "yielded a list of int"),
        ([numbers(1), None], "yielded None"),
        ([pa.RecordBatch], "yielded the class pyarrow.lib.RecordBatch"),
    ],
)
def test_what_is_no_rows(returned: object, said: str) -> None:
    message = failure(Given(lambda *_: returned), name="orders")
    assert "orders (tests.bridge.plugins.Given): read_partition of partition 0 " + said in message
    assert "expected Arrow data" in message
    assert "Traceback" not in message


def test_a_coroutine_is_no_rows() -> None:
    async def rows() -> list[pa.RecordBatch]:
        return [numbers(1)]

    assert "read_partition of partition 0 returned coroutine" in failure(Given(lambda *_: rows()))


def test_an_array_that_is_no_batch() -> None:
    assert "an Arrow array of Int64 came, expected record batches" in failure(given([pa.array([1])]))
    holed = pa.array([{"n": 1}, None], pa.struct([("n", pa.int64())]))
    assert "a struct array with NULL rows came" in failure(given([holed]))
    assert "failed" in failure(given(pa.chunked_array([[1]])))


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        (None, "returned None, expected a list of dicts"),
        ("spec", "returned str, expected a list of dicts"),
        ({"a": 1}, "returned dict, expected a list of dicts"),
        (5, "returned int, expected a list of dicts"),
        (iter([{}]), "returned list_iterator, expected a list of dicts"),
        (["a"], "returned str as partition spec 0, expected a dict"),
        ([{}, None], "returned None as partition spec 1, expected a dict"),
        ([{"at": dt.datetime(2024, 1, 1)}], "with datetime.datetime at spec['at'], expected a JSON value"),
        ([{"a": [1, {"b": b"x"}]}], "with bytes at spec['a'][1]['b'], expected a JSON value"),
        ([{"a": {1: 2}}], "with the key 1 in spec['a'], expected str, got int"),
        ([{"a": float("nan")}], "with nan at spec['a']: JSON has no such number"),
        ([{"a": float("-inf")}], "with -inf at spec['a']"),
        ([{"a": {1, 2}}], "with set at spec['a']"),
        ([{"a": NUMBERS}], "with pyarrow.lib.Schema at spec['a']"),
    ],
)
def test_what_is_no_plan(returned: object, said: str) -> None:
    message = failure(Given(lambda *_: [], specs=lambda options: returned))
    assert "(tests.bridge.plugins.Given): plan_partitions " in message
    assert said in message
    assert "Traceback" not in message


def test_a_spec_that_is_too_deep_or_contains_itself() -> None:
    deep: dict[str, Any] = {}
    for _ in range(5000):
        deep = {"d": deep}
    assert "nested more than 100 levels deep" in failure(given([], specs=[deep]))
    loop: dict[str, Any] = {}
    loop["loop"] = [loop, loop]
    assert "nested more than 100 levels deep" in failure(given([], specs=[loop]))


HOSTILE = [
    {"text": 'quotes " and \\ and \x00 and \ud800 and \u202e and 𝒳 and \n'},
    {"": {"": [None, True, False, 0, -1, 1e308, 2**63, -(2**100), 0.1]}},
    {"huge": "x" * 3_000_000},
    {"many": list(range(100_000))},
    {"'; DROP TABLE t; --": "${jndi:ldap://x}"},
    {"tuple": (1, (2, 3))},
]


@pytest.mark.parametrize("spec", HOSTILE, ids=lambda spec: next(iter(spec)) or "empty key")
def test_a_spec_comes_back_as_it_was(spec: dict[str, Any]) -> None:
    def listed(value: Any) -> Any:
        return [listed(item) for item in value] if isinstance(value, tuple) else value

    seen: list[Any] = []

    def rows(spec: Any, *_: Any) -> list[pa.RecordBatch]:
        seen.append(spec)
        return [numbers(1)]

    assert read(Given(rows, specs=[spec])).num_rows == 1
    assert seen == [{key: listed(value) for key, value in spec.items()}]


def test_a_reader_cannot_change_the_spec_of_another() -> None:
    shared = {"list": [1]}

    def rows(spec: Any, *_: Any) -> list[pa.RecordBatch]:
        spec["list"].append(2)
        return [numbers(len(spec["list"]))]

    assert read(Given(rows, specs=[shared, shared])).to_pydict() == {"n": [2, 2]}


def test_no_partitions_are_an_empty_table() -> None:
    scan = _native.scan(given([numbers(1)], specs=[]), {})
    assert "specs=0, partitions=1" in scan.explain()
    assert pa.RecordBatchReader.from_stream(scan).read_all().schema == NUMBERS


def test_a_thousand_partitions_are_read_sixteen_at_a_time() -> None:
    lock = threading.Lock()
    now = most = 0

    def rows(spec: Any, options: Any, context: Any) -> Any:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        yield numbers(spec["at"])
        with lock:
            now -= 1

    plugin = Given(rows, specs=[{"at": at} for at in range(1000)])
    scan = _native.scan(plugin, {}, target_partitions=2)
    assert "specs=1000, partitions=16" in scan.explain()
    table = pa.RecordBatchReader.from_stream(scan).read_all()
    assert sorted(table.column("n").to_pylist()) == list(range(1000))
    assert most <= 16
    assert "partitions=64" in _native.scan(plugin, {}, target_partitions=64).explain()
    assert "partitions=3" in _native.scan(given([], specs=[{}] * 3), {}, target_partitions=64).explain()


def test_empty_partitions_among_others() -> None:
    def rows(spec: Any, *_: Any) -> list[pa.RecordBatch]:
        return [numbers(spec["at"])] if spec["at"] % 7 == 0 else []

    plugin = Given(rows, specs=[{"at": at} for at in range(50)])
    assert sorted(read(plugin).column("n").to_pylist()) == [0, 7, 14, 21, 28, 35, 42, 49]


def test_explain_shows_the_plan_and_no_option() -> None:
    scan = _native.scan(given([numbers(1)], specs=[{"secret-ish": 1}] * 3), {"url": "u-r-l"}, columns=["n"], limit=5)
    shown = scan.explain()
    assert "PythonExec: source=source, plugin=tests.bridge.plugins.Given, specs=3, partitions=3" in shown
    assert "limit=5" in shown
    assert "u-r-l" not in shown
    assert "secret-ish" not in shown


def test_a_projection_is_shown_by_name() -> None:
    schema = pa.schema([("a", pa.int64()), ("b", pa.int64())])
    assert "projection=[b]" in _native.scan(given([], schema=schema), {}, columns=["b"]).explain()


@pytest.mark.parametrize(
    ("candidate", "missing"),
    [
        (object, "builtins.object lacks infer_schema, plan_partitions and read_partition."),
        (
            type("Half", (), {"infer_schema": lambda self, options: NUMBERS}),
            "Half lacks plan_partitions and read_partition.",
        ),
        (
            type("Typo", (Given,), {"plan_partitions": None}),
            "Typo lacks plan_partitions.",
        ),
    ],
)
def test_missing_methods_are_all_named(candidate: type, missing: str) -> None:
    with pytest.raises(PluginError, match=re.escape(missing)) as caught:
        _native.scan(candidate, {})
    methods = "infer_schema(options), plan_partitions(options) and read_partition(partition_spec, options)"
    assert f"a class with the methods {methods}" in str(caught.value)


def test_a_method_with_other_parameters() -> None:
    candidate = type("Odd", (Given,), {"plan_partitions": lambda self: [{}]})
    with pytest.raises(PluginError, match=r"plan_partitions\(self\) .* expected plan_partitions\(self, options\)"):
        _native.scan(candidate, {})


def test_a_class_that_cannot_be_called() -> None:
    with pytest.raises(PluginError, match=r"(?s)it cannot be loaded: TypeError: .*__init__.*'read'"):
        _native.scan(Given, {})


def test_an_unknown_column() -> None:
    with pytest.raises(PluginError, match="nope"):
        _native.scan(given([numbers(1)]), {}, columns=["nope"])


def test_rows_are_read_once() -> None:
    scan = _native.scan(given([numbers(1)]), {})
    assert pa.RecordBatchReader.from_stream(scan).read_all().num_rows == 1
    with pytest.raises(ValueError, match="read already"):
        pa.RecordBatchReader.from_stream(scan)


def test_after_an_error_there_are_no_more_rows() -> None:
    batches = reader(Given(lambda *_: 1 / 0))
    with pytest.raises(pa.ArrowException, match="ZeroDivisionError"):
        batches.read_next_batch()
    with pytest.raises((StopIteration, pa.ArrowException)):
        batches.read_next_batch()
    eventually(lambda: not _native.reads_under_way(), "the read has ended")
