"""What ``pushFilters`` of a reader is given, and what becomes of its answer."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pyspark.errors import AnalysisException
from pyspark.sql import SparkSession
from pyspark.sql.datasource import DataSource, DataSourceReader, EqualTo, Filter, InputPartition, IsNotNull

SCHEMA = "i int, l bigint, d double, s string, b boolean, dec decimal(10,2), da date, ts timestamp, ntz timestamp_ntz, nn int NOT NULL"
ROW = (
    1,
    2,
    2.5,
    "abc",
    True,
    Decimal("1.50"),
    dt.date(2020, 1, 2),
    dt.datetime(2020, 1, 2, 3, 4, 5),
    dt.datetime(2020, 1, 2, 3, 4, 5),
    5,
)
NULLS = (None,) * 9 + (6,)


def pushing(trace: Path, handles: str = "all") -> type[DataSource]:
    """A source of two rows that it never filters, which writes down what it is given. It claims to handle some."""

    class Reader(DataSourceReader):
        def __init__(self) -> None:
            self.given: list[str] = []

        def pushFilters(self, filters: list[Filter]) -> Iterable[Filter]:  # noqa: N802 - the name is PySpark's
            self.given = [repr(one) for one in filters]
            if handles == "none":
                return filters
            if handles == "all":
                return iter(())
            if handles == "comparisons":
                return [one for one in filters if isinstance(one, IsNotNull)]
            if handles == "copies":
                return [EqualTo(("i",), 1)]
            if handles == "nothing":
                return None  # type: ignore[return-value]
            raise ValueError("boom in pushFilters")

        def partitions(self) -> list[InputPartition]:
            trace.write_text(json.dumps(self.given))
            return [InputPartition(0)]

        def read(self, partition: InputPartition) -> Iterator[tuple[Any, ...]]:
            assert json.loads(trace.read_text()) == self.given
            yield ROW
            yield NULLS

    class Pushing(DataSource):
        def schema(self) -> str:
            return SCHEMA

        def reader(self, schema: Any) -> DataSourceReader:
            return Reader()

    return Pushing


I = "IsNotNull(attribute=('i',))"
L = "IsNotNull(attribute=('l',))"
S = "IsNotNull(attribute=('s',))"
UTC = "zoneinfo.ZoneInfo(key='UTC')"


@pytest.mark.parametrize(
    ("condition", "given"),
    [
        ("i = 1", [I, "EqualTo(attribute=('i',), value=1)"]),
        ("1 = i", [I, "EqualTo(attribute=('i',), value=1)"]),
        ("I = 1", [I, "EqualTo(attribute=('i',), value=1)"]),
        ("i <=> 1", ["EqualNullSafe(attribute=('i',), value=1)"]),
        ("i < 1", [I, "LessThan(attribute=('i',), value=1)"]),
        ("i <= 1", [I, "LessThanOrEqual(attribute=('i',), value=1)"]),
        ("5 > i", [I, "LessThan(attribute=('i',), value=5)"]),
        ("i >= 1", [I, "GreaterThanOrEqual(attribute=('i',), value=1)"]),
        ("i != 1", [I, "Not(child=EqualTo(attribute=('i',), value=1))"]),
        (
            "i between 1 and 2",
            [I, "GreaterThanOrEqual(attribute=('i',), value=1)", "LessThanOrEqual(attribute=('i',), value=2)"],
        ),
        ("i is null", ["IsNull(attribute=('i',))"]),
        ("i is not null", [I]),
        ("s like 'a%'", [S, "StringStartsWith(attribute=('s',), value='a')"]),
        ("s like '%c'", [S, "StringEndsWith(attribute=('s',), value='c')"]),
        ("s like '%b%'", [S, "StringContains(attribute=('s',), value='b')"]),
        (
            "s like 'a%c'",
            [S, "StringStartsWith(attribute=('s',), value='a')", "StringEndsWith(attribute=('s',), value='c')"],
        ),
        ("s like 'abc'", [S, "EqualTo(attribute=('s',), value='abc')"]),
        ("s not like 'x%'", [S, "Not(child=StringStartsWith(attribute=('s',), value='x'))"]),
        ("startswith(s, 'a')", [S, "StringStartsWith(attribute=('s',), value='a')"]),
        ("nn = 5", ["EqualTo(attribute=('nn',), value=5)"]),
        ("d = 2.5D", ["IsNotNull(attribute=('d',))", "EqualTo(attribute=('d',), value=2.5)"]),
        ("dec = 1.5", ["IsNotNull(attribute=('dec',))", "EqualTo(attribute=('dec',), value=Decimal('1.50'))"]),
        (
            "da = date'2020-01-02'",
            ["IsNotNull(attribute=('da',))", "EqualTo(attribute=('da',), value=datetime.date(2020, 1, 2))"],
        ),
        (
            "ts = timestamp'2020-01-02 03:04:05'",
            [
                "IsNotNull(attribute=('ts',))",
                f"EqualTo(attribute=('ts',), value=datetime.datetime(2020, 1, 2, 3, 4, 5, tzinfo={UTC}))",
            ],
        ),
        (
            "ntz = timestamp_ntz'2020-01-02 03:04:05'",
            [
                "IsNotNull(attribute=('ntz',))",
                "EqualTo(attribute=('ntz',), value=datetime.datetime(2020, 1, 2, 3, 4, 5))",
            ],
        ),
        ("i = 1 and l = 2", [I, L, "EqualTo(attribute=('i',), value=1)", "EqualTo(attribute=('l',), value=2)"]),
        ("i = 1 and (l = 2 or l = 3)", None),
        ("i = 1 or l = 2", []),
        ("i = l", []),
        ("i + 1 = 2", []),
        ("s like 'a_c'", []),
        ("s ilike 'a%'", []),
        ("s rlike 'a.c'", []),
        # Spark gives none of it; no NULL becomes 1.
        ("coalesce(i, 0) = 1", [I, "EqualTo(attribute=('i',), value=1)"]),
    ],
)
def test_what_is_given(spark: SparkSession, tmp_path: Path, condition: str, given: list[str] | None) -> None:
    spark.dataSource.register(pushing(tmp_path / "given", handles="none"))
    pushed = spark.read.format("pushing").load().filter(condition).select("nn")
    plain = spark.createDataFrame([ROW, NULLS], SCHEMA).filter(condition).select("nn")
    assert sorted(pushed.collect()) == sorted(plain.collect())
    found = json.loads((tmp_path / "given").read_text())
    if given is None:
        assert found[0] == I
        assert "EqualTo(attribute=('i',), value=1)" in found
    else:
        assert found == given


def test_in_is_a_list(spark: SparkSession, tmp_path: Path) -> None:
    spark.dataSource.register(pushing(tmp_path / "given"))
    spark.read.format("pushing").load().filter("l in (1, 2, 3, 4, 5, 6)").count()
    found = json.loads((tmp_path / "given").read_text())
    assert found[-1] in (
        "In(attribute=('l',), value=[1, 2, 3, 4, 5, 6])",
        "In(attribute=('l',), value=(1, 2, 3, 4, 5, 6))",
    )


@pytest.mark.parametrize(
    ("handles", "condition", "rows"),
    [
        # The source does not filter: a filter that it handles lets everything through, as in Spark.
        ("all", "i = 1000", 2),
        ("none", "i = 1000", 0),
        # What it says of NULL counts for the comparison too.
        ("comparisons", "i != 1000", 1),
        ("comparisons", "nn = 1000", 2),
        # There is more in the pattern than two filters say.
        ("all", "s like 'abc%abc'", 0),
    ],
)
def test_what_is_not_handled_is_applied_again(
    spark: SparkSession, tmp_path: Path, handles: str, condition: str, rows: int
) -> None:
    spark.dataSource.register(pushing(tmp_path / "given", handles))
    assert spark.read.format("pushing").load().filter(condition).count() == rows


def test_filters_are_shown(spark: SparkSession, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spark.dataSource.register(pushing(tmp_path / "given"))
    spark.read.format("pushing").load().filter("nn = 5 and s like 'a%c'").explain()
    plan = capsys.readouterr().out
    assert "filters=[nn = 5]" in plan
    assert "inexact=[s LIKE 'a%c'" in plan


@pytest.mark.parametrize(
    ("handles", "reason"),
    [
        ("copies", "AskedReader.pushFilters() returned filters that are not part of the input."),
        ("nothing", "TypeError: 'NoneType' object is not iterable"),
        ("raises", "ValueError: boom in pushFilters"),
    ],
)
def test_bad_answers(spark: SparkSession, tmp_path: Path, handles: str, reason: str) -> None:
    spark.dataSource.register(pushing(tmp_path / "given", handles))
    with pytest.raises(AnalysisException) as caught:
        spark.read.format("pushing").load().filter("i = 1").count()
    assert caught.value.getCondition() == "PYTHON_DATA_SOURCE_ERROR"
    parameters = caught.value.getMessageParameters() or {}
    assert (parameters["action"], parameters["type"]) == ("initialize", "reader")
    assert reason.replace("AskedReader", "Reader") in str(caught.value)


def test_without_filters_it_is_not_called(spark: SparkSession, tmp_path: Path) -> None:
    spark.dataSource.register(pushing(tmp_path / "given", "raises"))
    assert spark.read.format("pushing").load().count() == 2
