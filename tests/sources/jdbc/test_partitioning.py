"""Where a table is cut: Spark's clauses, written out by hand from its rule."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from sheetbend.errors import OptionError
from sheetbend.options import Options
from sheetbend.sources.jdbc.dialects import dialect_of
from sheetbend.sources.jdbc.options import relation_of
from sheetbend.sources.jdbc.partitioning import partition_clauses
from sheetbend.sources.jdbc.strides import stride_clauses
from sheetbend.sources.jdbc.table import Column, Table

COLUMNS = [
    Column("id", "int8", pa.int64()),
    Column("Day", "date", pa.date32()),
    Column("at", "timestamptz", pa.timestamp("us", "UTC")),
    Column("wall", "timestamp", pa.timestamp("us")),
    Column("price", "numeric(9,2)", pa.decimal128(9, 2)),
    Column("name", "text", pa.string()),
    Column('od"d', "int4", pa.int32()),
    Column("ID", "int4", pa.int32()),
]


def clauses(
    column: Any, lower: Any, upper: Any, partitions: Any, url: str = "jdbc:postgresql:db", **more: str
) -> list[str | None]:
    values = {"partitionColumn": column, "lowerBound": lower, "upperBound": upper, "numPartitions": partitions, **more}
    options = Options({"url": url, **{key: str(value) for key, value in values.items() if value is not None}})
    return partition_clauses(dialect_of(options), Table("t", tuple(COLUMNS)), options, 1)


@pytest.mark.parametrize(
    ("lower", "upper", "partitions", "expected"),
    [
        # Stride 25, nothing left over.
        (0, 100, 4, ["c < 25 or c is null", "c >= 25 AND c < 50", "c >= 50 AND c < 75", "c >= 75"]),
        (1, 1_000_001, 4, ["c < 250001 or c is null", "c >= 250001 AND c < 500001", "c >= 500001 AND c < 750001", "c >= 750001"]),
        # 10/3 = 3.33 of 18 digits: stride 3, a little less than 1 is left over, half of it rounds down to 0.
        (0, 10, 3, ["c < 3 or c is null", "c >= 3 AND c < 6", "c >= 6"]),
        # 100/7 = 14.28...: stride 14, 2 left over, the first cut moves by 1.
        (0, 100, 7, ["c < 15 or c is null", "c >= 15 AND c < 29", "c >= 29 AND c < 43", "c >= 43 AND c < 57", "c >= 57 AND c < 71", "c >= 71 AND c < 85", "c >= 85"]),
        # 19/4 = 4.75: stride 4, 3 left over, 1.5 rounds up to 2.
        (1, 20, 4, ["c < 7 or c is null", "c >= 7 AND c < 11", "c >= 11 AND c < 15", "c >= 15"]),
        # No more partitions than whole numbers between the bounds.
        (1, 5, 10, ["c < 2 or c is null", "c >= 2 AND c < 3", "c >= 3 AND c < 4", "c >= 4"]),
        (0, 1, 10, [None]),
        (5, 5, 10, [None]),
        (0, 100, 1, [None]),
        (-10, 10, 2, ["c < 0 or c is null", "c >= 0"]),
        (-5, 6, 3, ["c < -1 or c is null", "c >= -1 AND c < 2", "c >= 2"]),
        # The whole range of 64 bits: the difference of the bounds does not fit into them, the strides do.
        (-(2**63), 2**63 - 1, 2, ["c < -1 or c is null", "c >= -1"]),
        (0, 2**63 - 1, 2, ["c < 4611686018427387903 or c is null", "c >= 4611686018427387903"]),
        (2**53, 2**53 + 9, 3, ["c < 9007199254740995 or c is null", "c >= 9007199254740995 AND c < 9007199254740998", "c >= 9007199254740998"]),
    ],
)  # fmt: skip
def test_strides(lower: int, upper: int, partitions: int, expected: list[str | None]) -> None:
    assert stride_clauses("c", lower, upper, partitions) == expected


@pytest.mark.parametrize(
    ("lower", "upper", "partitions"), [(0, 100, 7), (-50, 3, 9), (1, 2, 5), (0, 10**6, 999), (3, 17, 14)]
)
def test_each_value_is_in_one_partition(lower: int, upper: int, partitions: int) -> None:
    found = stride_clauses("c", lower, upper, partitions)
    for c in range(lower - 5, min(upper, lower + 200) + 5):
        assert (
            sum(
                eval((clause or "True").replace("or c is null", "").replace("AND", "and"), {"c": c}) for clause in found
            )
            == 1
        )


def test_dates() -> None:
    assert clauses("day", "2024-01-01", "2024-12-31", 3) == [
        '"Day" < \'2024-05-02\' or "Day" is null',
        "\"Day\" >= '2024-05-02' AND \"Day\" < '2024-08-31'",
        "\"Day\" >= '2024-08-31'",
    ]


def test_days_over_the_last_cut_are_shared_with_the_first() -> None:
    # 33237 days in 1000 strides of 33: 237 are left over, 119 of them go before the first cut.
    found = clauses("day", "1930-01-01", "2020-12-31", 1000)
    assert found[0] == '"Day" < \'1930-06-02\' or "Day" is null'
    assert found[-1] == "\"Day\" >= '2020-08-02'"


def test_timestamps_are_utc() -> None:
    assert clauses("wall", "2024-01-01", "2024-01-02 00:00:00.5", 2) == [
        '"wall" < \'2024-01-01 12:00:00.25\' or "wall" is null',
        "\"wall\" >= '2024-01-01 12:00:00.25'",
    ]
    assert clauses("at", "2024-01-01T00:00:00Z", "2024-01-02T02:00:00+02:00", 2) == [
        '"at" < \'2024-01-01 12:00:00+00\' or "at" is null',
        "\"at\" >= '2024-01-01 12:00:00+00'",
    ]
    assert clauses("at", "2024-01-01", "2024-01-03", 2, url="jdbc:sqlite:a.db")[1] == "\"at\" >= '2024-01-02 00:00:00'"


def test_the_column_is_found_and_quoted() -> None:
    assert clauses("id", 0, 4, 2)[1] == '"id" >= 2'
    assert clauses("ID", 0, 4, 2)[1] == '"ID" >= 2'
    assert clauses("PRICE", 0, 4, 2)[1] == '"price" >= 2'
    assert clauses('"Day"', "2024-01-01", "2024-01-03", 2)[1] == "\"Day\" >= '2024-01-02'"
    assert clauses('od"d', 0, 4, 2)[1] == '"od""d" >= 2'
    assert clauses('"OD""D"', 0, 4, 2)[1] == '"od""d" >= 2'


@pytest.mark.parametrize(
    ("column", "lower", "upper", "partitions", "message"),
    [
        ("id", "one", 10, 2, "Option 'lowerBound' must be a whole number of 64 bits for column 'id' of type int8, got 'one'"),
        ("id", 0, "1.5", 2, "Option 'upperBound' must be a whole number"),
        ("id", 0, 2**63, 2, "Option 'upperBound' must be a whole number of 64 bits"),
        ("id", "0; drop table t", 10, 2, "Option 'lowerBound' must be"),
        ("id", 10, 0, 2, "Option 'lowerBound' must not be larger than 'upperBound', got 10 and 0"),
        ("id", 0, 10, 0, "Option 'numPartitions' must be at least 1, got 0"),
        ("id", 0, 10, "two", "Option 'numPartitions' must be an integer, got 'two'"),
        ("day", "1", "2024-01-01", 2, "Option 'lowerBound' must be a date such as 2024-01-31 for column 'Day'"),
        ("at", "now", "2024-01-01", 2, "Option 'lowerBound' must be a timestamp such as"),
        ("name", "a", "z", 2, "column 'name' is of type text; it must be a number, a date or a timestamp"),
        ("nope", 0, 10, 2, "'nope' is no column of the table. The columns are: 'id', 'Day', 'at'"),
        ("id'; drop table t; --", 0, 10, 2, "is no column of the table"),
        ("Id", 0, 10, 2, "'Id' names several columns"),
        ("id", None, 10, 2, "given all or none, unless 'partitioning' says how to cut; missing: lowerBound."),
        (None, 0, 10, 2, "given all or none, unless 'partitioning' says how to cut; missing: partitionColumn."),
        ("id", 0, 10, None, "given all or none, unless 'partitioning' says how to cut; missing: numPartitions."),
        ("id", None, None, None, "missing: lowerBound, upperBound, numPartitions."),
    ],
)  # fmt: skip
def test_what_is_refused(column: Any, lower: Any, upper: Any, partitions: Any, message: str) -> None:
    with pytest.raises(OptionError) as caught:
        clauses(column, lower, upper, partitions)
    assert message in str(caught.value)


def test_a_number_of_partitions_alone_cuts_nothing() -> None:
    assert clauses(None, None, None, 8) == [None]


def test_predicates_are_taken_as_they_are() -> None:
    options = Options({"url": "jdbc:sqlite:a.db"}, predicates=["a = 1 or b = 2", "c > 'x' -- rest"])
    assert partition_clauses(dialect_of(options), Table("t", tuple(COLUMNS)), options, 1) == [
        "(a = 1 or b = 2\n)",
        "(c > 'x' -- rest\n)",
    ]


def test_predicates_exclude_bounds_and_are_not_empty() -> None:
    options = Options({"url": "jdbc:sqlite:a.db", "partitionColumn": "id"}, predicates=["1 = 1"])
    with pytest.raises(OptionError, match="exclude each other"):
        partition_clauses(dialect_of(options), Table("t", tuple(COLUMNS)), options, 1)
    options = Options({"url": "jdbc:sqlite:a.db"}, predicates=[" "])
    with pytest.raises(OptionError, match="predicate is empty"):
        partition_clauses(dialect_of(options), Table("t", tuple(COLUMNS)), options, 1)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"dbtable": "s.t"}, "s.t"),
        ({"DBTABLE": " (select 1) t "}, "(select 1) t"),
        ({"query": "select 1 -- one;"}, "(select 1 -- one\n) sheetbend_query"),
        ({"dbtable": "t; "}, "t"),
        ({"query": "select 1 ; "}, "(select 1\n) sheetbend_query"),
    ],
)
def test_relation(options: dict[str, str], expected: str) -> None:
    assert relation_of(Options(options)) == expected


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "Option 'dbtable' or 'query' is required"),
        ({"dbtable": "t", "query": "select 1"}, "exclude each other"),
        ({"query": "select 1", "partitionColumn": "id"}, "subquery with an alias in 'dbtable'"),
    ],
)
def test_no_relation(options: dict[str, str], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        relation_of(Options(options))
