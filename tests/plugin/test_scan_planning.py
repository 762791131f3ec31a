"""What a plug-in is asked for when a scan is planned, and what becomes of its answer."""

from __future__ import annotations

from typing import Any, cast

import pyarrow as pa
import pytest

from sheetbend import _native
from sheetbend.scan import Aggregation, Partition, Pushdown, ScanPlan, ScanRequest, SortKey
from tests.bridge.plugins import failure, read

TABLE = pa.table(
    {"a": pa.array([1, 2, 2, None], pa.int64()), "b": ["x", "y", "z", "w"], "c": [True, False, None, True]}
)


class Planned:
    """Plans as a test says, and reads its table, or what the test says of a spec."""

    def __init__(self, plan: Any = None, *, rows: Any = None) -> None:
        self.requests: list[ScanRequest] = []
        self._plan = plan if callable(plan) else lambda request: ScanPlan([{}]) if plan is None else plan
        self._rows = rows if rows is not None else lambda spec: TABLE

    def infer_schema(self, options: Any) -> pa.Schema:
        return TABLE.schema

    def plan_partitions(self, options: Any) -> list[dict[str, Any]]:
        raise AssertionError("plan_scan takes its place")

    def plan_scan(self, request: ScanRequest, options: Any) -> Any:
        self.requests.append(request)
        return self._plan(request)

    def read_partition(self, partition_spec: Any, options: Any) -> Any:
        return self._rows(partition_spec)


def explained(plugin: object, **arguments: Any) -> str:
    return _native.scan(plugin, {}, **arguments).explain()


def test_the_request_says_what_the_query_needs() -> None:
    plugin = Planned()
    assert read(plugin, columns=["c", "a"], limit=3, target_partitions=5).column_names == ["c", "a"]
    (request,) = plugin.requests
    assert request.schema == TABLE.schema
    assert request.projection == ("a", "c")
    assert request.limit == 3
    assert (request.filters, request.order_by, request.aggregate) == ((), (), None)
    assert request.target_partitions == 5
    assert request.batch_size == 8192


def test_no_columns_are_asked_for_where_none_is_needed() -> None:
    plugin = Planned(rows=lambda spec: TABLE.select([]))
    assert read(plugin, columns=[]).num_rows == 4
    assert plugin.requests[0].projection == ()


def test_only_the_columns_that_are_needed_need_be_there() -> None:
    assert read(Planned(rows=lambda spec: TABLE.select(["a"])), columns=["a"]).column("a").to_pylist() == [
        1,
        2,
        2,
        None,
    ]
    assert read(Planned(rows=lambda spec: TABLE.select(["c", "a"])), columns=["a"]).num_rows == 4
    message = failure(Planned(rows=lambda spec: TABLE.select(["b"])), columns=["a"])
    assert "it has no column 'a', which the schema promises as Int64. It has: b" in message
    wrong = pa.table({"a": TABLE["a"], "b": [1, 2, 3, 4]})
    assert "column 'b' is Int64, the schema promises Utf8" in failure(Planned(rows=lambda spec: wrong), columns=["a"])


def test_the_limit_is_applied_above_whatever_the_source_gives() -> None:
    plugin = Planned(lambda request: ScanPlan([{}, {}, {}], limited=request.limit is not None))
    assert read(plugin, limit=3).num_rows == 3
    assert "pushed_limit=3" in explained(plugin, limit=3)


def test_a_plan_shows_what_the_source_does() -> None:
    plan = ScanPlan([Partition({"at": 0})], ordering=[SortKey("b"), SortKey("a", descending=True)], snapshot="v7")
    shown = explained(Planned(plan))
    assert "source=source, plugin=tests.plugin.test_scan_planning.Planned, specs=1, partitions=1" in shown
    assert "ordering=[b ASC NULLS FIRST, a DESC NULLS LAST], snapshot=v7" in shown


def test_a_plan_of_no_partitions_is_an_empty_table() -> None:
    assert read(Planned(ScanPlan([]))).num_rows == 0


def test_rows_out_of_the_promised_order_are_found() -> None:
    plan = ScanPlan([{}], ordering=[SortKey("a", nulls_first=False), SortKey("b", descending=True)])
    message = failure(Planned(plan))
    assert "read_partition of partition 0 gave row 2 out of the order that was promised: column 'b'" in message


def test_the_order_is_followed_from_batch_to_batch() -> None:
    def rows(*values: int | None) -> Any:
        return [TABLE.select(["a"]).slice(0, 1).set_column(0, "a", pa.array([value], pa.int64())) for value in values]

    plan = ScanPlan([{}], ordering=[SortKey("a")])
    assert read(Planned(plan, rows=lambda spec: rows(None, 1, 1, 2)), columns=["a"]).num_rows == 4
    assert "row 3 out of the order" in failure(Planned(plan, rows=lambda spec: rows(None, 1, 2, 1)), columns=["a"])


def test_an_order_by_a_column_that_is_not_read_is_not_looked_at() -> None:
    plan = ScanPlan([{}], ordering=[SortKey("b", descending=True)])
    assert read(Planned(plan), columns=["a"]).num_rows == 4


@pytest.mark.parametrize(
    ("plan", "expected"),
    [
        ([{}], "plan_scan returned a list of dict, expected a sheetbend.scan.ScanPlan"),
        (ScanPlan([{}], limited=True), "plan_scan returned a ScanPlan with limited=True, but the request has no limit"),
        (ScanPlan([{}], aggregation=Aggregation.FINAL), "aggregation=FINAL, but the request has no aggregate"),
        (ScanPlan([{}], filters={0: Pushdown.EXACT}), "answers filter 0, expected a position below 0"),
        (ScanPlan(cast(Any, [{1: 2}])), "plan_scan returned partition spec 0 with the key 1 in spec"),
    ],
)
def test_an_answer_that_is_none_is_refused(plan: Any, expected: str) -> None:
    assert expected in failure(Planned(lambda request: plan))


def test_an_exception_names_the_method() -> None:
    def fails(request: ScanRequest) -> Any:
        raise OSError("gone")

    message = failure(Planned(fails))
    assert "plan_scan failed: OSError: gone" in message
    assert "test_scan_planning.py" in message


def test_a_method_that_takes_something_else_is_refused() -> None:
    class Wrong(Planned):
        def plan_scan(self, request: ScanRequest) -> Any:  # type: ignore[override]
            raise NotImplementedError

    assert "does not take what it is called with; expected plan_scan(self, request, options)" in failure(Wrong())
