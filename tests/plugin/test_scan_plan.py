"""What a plug-in may answer to a request for a scan, and how it goes to the engine."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from sheetbend._bridge.planning import spec_to_json
from sheetbend._wire import answer_to_wire
from sheetbend.errors import PluginError
from sheetbend.filters import Column, IsNull
from sheetbend.scan import (
    Aggregate,
    AggregateFunction,
    Aggregation,
    ColumnStatistics,
    Exact,
    Partition,
    Pushdown,
    Sample,
    ScanPlan,
    ScanRequest,
    SortKey,
    Statistics,
)
from tests.plugin import logic

SCHEMA = pa.schema({name: kind for name, (kind, _) in logic.VALUES.items()})
FILTERS = (IsNull(Column("n", pa.int64())), IsNull(Column("x", pa.float64())))
COUNT = Aggregate(("s",), (AggregateFunction("count", None, "count(*)", pa.int64()),))
REQUEST = ScanRequest(SCHEMA, ("n",), FILTERS, limit=10, aggregate=COUNT)
ALL = {0: Pushdown.EXACT, 1: Pushdown.EXACT}


def answered(plan: object, request: ScanRequest = REQUEST) -> tuple[dict[str, Any], pa.RecordBatch]:
    text, batch = answer_to_wire(plan, request, spec_to_json)
    batch.validate(full=True)
    return json.loads(text), batch


def test_the_least_answer() -> None:
    answer, batch = answered(ScanPlan([{"a": 1}, {}]))
    left = {"filters": {}, "limited": False, "aggregation": "none", "ordering": [], "snapshot": None, "statements": []}
    assert answer == {**left, "skipped": False, "sampled": False}
    assert batch.schema == pa.schema(
        {
            "spec": pa.string(),
            "rows": pa.int64(),
            "rows_exact": pa.bool_(),
            "bytes": pa.int64(),
            "bytes_exact": pa.bool_(),
        }
    )
    assert batch.column("spec").to_pylist() == ['{"a": 1}', "{}", None]
    assert all(batch.column(name).null_count == 3 for name in batch.schema.names[1:])
    assert answered(ScanPlan([]))[1].num_rows == 1


def test_a_whole_answer() -> None:
    first = Statistics(
        rows=Exact(3),
        bytes=100,
        columns={"n": ColumnStatistics(Exact(-5), 7, Exact(0)), "s": ColumnStatistics(max="z")},
    )
    plan = ScanPlan(
        (Partition({"file": 1}, first), Partition({"file": 2}), {"file": 3}),
        filters=ALL,
        limited=True,
        ordering=[SortKey("n"), SortKey("x", descending=True)],
        statistics=Statistics(rows=10, columns={"n": ColumnStatistics(nulls=Exact(1))}),
        snapshot="v7",
        statements=("SELECT 1", "SELECT 2"),
    )
    answer, batch = answered(plan)
    assert answer == {
        "filters": {"0": "exact", "1": "exact"},
        "limited": True,
        "skipped": False,
        "sampled": False,
        "aggregation": "none",
        "ordering": [
            {"column": "n", "descending": False, "nulls_first": True},
            {"column": "x", "descending": True, "nulls_first": False},
        ],
        "snapshot": "v7",
        "statements": ["SELECT 1", "SELECT 2"],
    }
    n, s = SCHEMA.get_field_index("n"), SCHEMA.get_field_index("s")
    assert batch.to_pydict() == {
        "spec": ['{"file": 1}', '{"file": 2}', '{"file": 3}', None],
        "rows": [3, None, None, 10],
        "rows_exact": [True, None, None, False],
        "bytes": [100, None, None, None],
        "bytes_exact": [False, None, None, None],
        f"{n}.min": [-5, None, None, None],
        f"{n}.min_exact": [True, None, None, None],
        f"{n}.max": [7, None, None, None],
        f"{n}.max_exact": [False, None, None, None],
        f"{n}.nulls": [0, None, None, 1],
        f"{n}.nulls_exact": [True, None, None, True],
        f"{s}.min": [None] * 4,
        f"{s}.min_exact": [None] * 4,
        f"{s}.max": ["z", None, None, None],
        f"{s}.max_exact": [False, None, None, None],
        f"{s}.nulls": [None] * 4,
        f"{s}.nulls_exact": [None] * 4,
    }


def test_aggregated_rows_have_columns_of_their_own() -> None:
    plan = ScanPlan([{}], ALL, aggregation=Aggregation.PARTIAL, ordering=[SortKey("count(*)")])
    assert answered(plan)[0]["aggregation"] == "partial"
    with pytest.raises(PluginError, match="ordering by 'n', which is no column of the rows"):
        answered(ScanPlan([{}], ALL, aggregation=Aggregation.FINAL, ordering=[SortKey("n")]))


@pytest.mark.parametrize("name", logic.VALUES)
def test_bounds_of_each_type(name: str) -> None:
    kind, values = logic.VALUES[name]
    position = SCHEMA.get_field_index(name)
    for value in values:
        for given in (value, pa.scalar(value, kind)):
            plan = ScanPlan([Partition({}, Statistics(columns={name: ColumnStatistics(Exact(given), given)}))])
            batch = answered(plan, ScanRequest(SCHEMA, ()))[1]
            found = batch.column(f"{position}.min")
            assert found.type == batch.column(f"{position}.max").type == kind
            assert logic.same(found[0].as_py(), value)
    plan = ScanPlan([Partition({}, Statistics(columns={name: ColumnStatistics(pa.scalar(None, kind), Exact(None))}))])
    batch = answered(plan, ScanRequest(SCHEMA, ()))[1]
    assert batch.column(f"{position}.min").null_count == batch.column(f"{position}.max_exact").null_count == 2


def test_bounds_that_fit_after_all() -> None:
    schema = pa.schema(
        {
            "f": pa.float32(),
            "price": pa.decimal128(9, 2),
            "d": pa.dictionary(pa.int32(), pa.string()),
            "v": pa.string_view(),
            "at": pa.timestamp("ns", "Asia/Tokyo"),
        }
    )
    noon = dt.datetime(2024, 1, 1, 12, tzinfo=dt.timezone.utc)
    given = {"f": 0.1, "price": 5, "d": "a", "v": "a", "at": noon}
    plan = ScanPlan(
        [Partition({}, Statistics(columns={name: ColumnStatistics(value) for name, value in given.items()}))]
    )
    batch = answered(plan, ScanRequest(schema, ()))[1]
    assert [batch.column(f"{n}.min")[0].as_py() for n in range(1, 5)] == [Decimal(5), "a", "a", noon]
    assert batch.column("0.min")[0] == pa.scalar(0.1, pa.float32())
    assert [batch.column(f"{n}.min").type for n in range(5)] == schema.types


def with_statistics(**columns: ColumnStatistics) -> ScanPlan:
    return ScanPlan([{}, Partition({}, Statistics(columns=columns))])


def untyped(value: object) -> Any:
    return value


REFUSED: list[tuple[str, object]] = [
    ("returned list, expected a sheetbend.scan.ScanPlan", []),
    ("returned None, expected a sheetbend.scan.ScanPlan", None),
    ("returned the class sheetbend.scan.ScanPlan, expected a sheetbend.scan.ScanPlan", ScanPlan),
    ("with int as partitions, expected a list", ScanPlan(untyped(5))),
    ("with str as partitions, expected a list", ScanPlan(untyped("ab"))),
    ("with list_iterator as partitions, expected a list", ScanPlan(untyped(iter([{}])))),
    ("returned int as partition spec 1, expected a dict", ScanPlan([{}, untyped(1)])),
    ("returned list as partition spec 0, expected a dict", ScanPlan([Partition(untyped([]))])),
    (
        r"returned partition spec 0 with datetime.date at spec\['day'\]",
        ScanPlan([Partition({"day": dt.date(2024, 1, 1)})]),
    ),
    ("with a list of Pushdown as filters, expected Mapping", ScanPlan([], untyped([Pushdown.EXACT]))),
    ("answers filter 2, expected a position below 2", ScanPlan([], {2: Pushdown.EXACT})),
    ("answers filter -1, expected a position below 2", ScanPlan([], {-1: Pushdown.EXACT})),
    ("answers filter '0', expected a position below 2", ScanPlan([], untyped({"0": Pushdown.EXACT}))),
    ("answers filter True, expected a position below 2", ScanPlan([], {True: Pushdown.EXACT})),
    ("with str as answer to filter 0, expected Pushdown", ScanPlan([], untyped({0: "exact"}))),
    ("with int as limited, expected bool", ScanPlan([], limited=untyped(1))),
    ("with int as skipped, expected bool", ScanPlan([], skipped=untyped(1))),
    ("with str as sampled, expected bool", ScanPlan([], sampled=untyped("all"))),
    ("with str as aggregation, expected Aggregation", ScanPlan([], aggregation=untyped("final"))),
    ("with int as snapshot, expected str or None", ScanPlan([], snapshot=untyped(7))),
    ("with str as statements, expected a list", ScanPlan([], statements="SELECT 1")),
    ("with int as a statement, expected str", ScanPlan([], statements=untyped([1]))),
    ("limited=True that does not answer filter 0 EXACT", ScanPlan([], limited=True)),
    ("limited=True that does not answer filter 1 EXACT", ScanPlan([], {**ALL, 1: Pushdown.INEXACT}, limited=True)),
    (
        "aggregation=FINAL that does not answer filter 1 EXACT",
        ScanPlan([], {0: Pushdown.EXACT}, aggregation=Aggregation.FINAL),
    ),
    ("ordering by 'none', which is no column of the rows", ScanPlan([], ordering=[SortKey("none")])),
    ("with str as a key of ordering, expected SortKey", ScanPlan([], ordering=untyped(["n"]))),
    ("with str as ordering, expected a list", ScanPlan([], ordering=untyped("n"))),
    ("with dict as statistics of partition 0", ScanPlan([Partition({}, untyped({"rows": 1}))])),
    ("with int as statistics of the table", ScanPlan([], statistics=untyped(5))),
    ("with list as columns of the statistics of the table", ScanPlan([], statistics=Statistics(columns=untyped([])))),
    (
        "statistics of partition 1 with 'none', which is no column of the table",
        with_statistics(none=ColumnStatistics()),
    ),
    ("with a tuple of int as statistics of column 'n' of partition 1", with_statistics(n=untyped((1, 2)))),
    ("with -1 as rows of partition 0, expected 0 to", ScanPlan([Partition({}, Statistics(rows=-1))])),
    ("with -1 as rows of the table", ScanPlan([], statistics=Statistics(rows=Exact(-1)))),
    ("with 9223372036854775808 as bytes of the table", ScanPlan([], statistics=Statistics(bytes=2**63))),
    (
        "with float as rows of the table, expected int, Exact or None",
        ScanPlan([], statistics=Statistics(rows=untyped(1.0))),
    ),
    ("with bool as rows of the table, expected int", ScanPlan([], statistics=Statistics(rows=True))),
    ("with -5 as nulls of column 'n' of partition 1", with_statistics(n=ColumnStatistics(nulls=-5))),
    (
        "with str as minimum of column 'n' of partition 1, expected a value that fits into int64",
        with_statistics(n=ColumnStatistics("a")),
    ),
    ("with float as maximum of column 'n' of partition 1", with_statistics(n=ColumnStatistics(max=Exact(1.5)))),
    ("with bool as minimum of column 'n'", with_statistics(n=ColumnStatistics(True))),
    ("with int as minimum of column 'n'", with_statistics(n=ColumnStatistics(2**63))),
    ("with int as minimum of column 'tiny'", with_statistics(tiny=ColumnStatistics(128))),
    ("with int as minimum of column 's'", with_statistics(s=ColumnStatistics(5))),
    ("with bytes as minimum of column 's'", with_statistics(s=ColumnStatistics(b"a"))),
    ("with str as minimum of column 'raw'", with_statistics(raw=ColumnStatistics("a"))),
    ("with bool as minimum of column 'x'", with_statistics(x=ColumnStatistics(True))),
    ("with str as minimum of column 'x'", with_statistics(x=ColumnStatistics("1"))),
    ("with float as maximum of column 'f'", with_statistics(f=ColumnStatistics(max=1e300))),
    ("with decimal.Decimal as minimum of column 'price'", with_statistics(price=ColumnStatistics(Decimal("0.001")))),
    (
        "with datetime.datetime as minimum of column 'day'",
        with_statistics(day=ColumnStatistics(dt.datetime(2024, 1, 1, 5))),
    ),
    ("with int as minimum of column 'day'", with_statistics(day=ColumnStatistics(5))),
    ("with datetime.datetime as minimum of column 'at'", with_statistics(at=ColumnStatistics(dt.datetime(2024, 1, 1)))),
    ("with pyarrow.lib.DoubleScalar as minimum of column 'n'", with_statistics(n=ColumnStatistics(pa.scalar(1.5)))),
    ("with a list of int as minimum of column 'n'", with_statistics(n=ColumnStatistics([1]))),
]


@pytest.mark.parametrize(("message", "plan"), REFUSED, ids=[message for message, _ in REFUSED])
def test_what_is_refused(message: str, plan: object) -> None:
    with pytest.raises(PluginError, match=message) as caught:
        answered(plan)
    assert str(caught.value).startswith("returned ")


def test_claims_of_what_was_not_asked() -> None:
    request = ScanRequest(SCHEMA, ())
    for plan, message in [
        (ScanPlan([], limited=True), "limited=True, but the request has no limit"),
        (ScanPlan([], skipped=True), "skipped=True, but the request has no offset"),
        (ScanPlan([], sampled=True), "sampled=True, but the request has no sample"),
        (ScanPlan([], aggregation=Aggregation.PARTIAL), "aggregation=PARTIAL, but the request has no aggregate"),
        (ScanPlan([], {0: Pushdown.EXACT}), "answers filter 0, expected a position below 0"),
    ]:
        with pytest.raises(PluginError, match=message):
            answered(plan, request)


def test_what_is_passed_over_and_what_is_taken() -> None:
    request = ScanRequest(SCHEMA, ("n",), FILTERS, limit=10, offset=3)
    assert answered(ScanPlan([{}], ALL, limited=True, skipped=True), request)[0]["skipped"]
    assert answered(ScanPlan([], ALL, skipped=True), request)[0]["skipped"]
    with pytest.raises(PluginError, match="skipped=True and 2 partitions, expected one"):
        answered(ScanPlan([{}, {}], ALL, skipped=True), request)
    with pytest.raises(PluginError, match="skipped=True that does not answer filter 0 EXACT"):
        answered(ScanPlan([{}], skipped=True), request)
    # Rows are taken by chance before the filters or after.
    request = ScanRequest(SCHEMA, ("n",), FILTERS, sample=Sample(0.5, 1))
    assert answered(ScanPlan([{}, {}], sampled=True), request)[0]["sampled"]


def test_no_content_is_shown() -> None:
    secret = "hunter2"
    for plan in (
        with_statistics(n=ColumnStatistics(secret)),
        ScanPlan([], untyped({0: secret})),
        ScanPlan(untyped(secret)),
    ):
        with pytest.raises(PluginError) as caught:
            answered(plan)
        assert secret not in str(caught.value)


def test_any_mapping_answers() -> None:
    class Answers(Mapping[int, Pushdown]):
        def __getitem__(self, key: int) -> Pushdown:
            return ALL[key]

        def __iter__(self) -> Any:
            return iter(ALL)

        def __len__(self) -> int:
            return len(ALL)

    assert answered(ScanPlan([], Answers()))[0]["filters"] == {"0": "exact", "1": "exact"}


def test_ten_thousand_partitions() -> None:
    partitions = [
        Partition({"n": n}, Statistics(Exact(1), 8, {"n": ColumnStatistics(Exact(n), Exact(n), Exact(0))}))
        for n in range(10_000)
    ]
    batch = answered(ScanPlan(partitions))[1]
    assert batch.num_rows == 10_001
    assert batch.column("spec")[9_999].as_py() == '{"n": 9999}'


def test_a_server_has_no_use_for_pyarrow() -> None:
    """What the package imports at its start, and what a plug-in's module may."""
    script = "import sys, sheetbend, sheetbend.scan, sheetbend.server; sys.exit('pyarrow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script]).returncode == 0
