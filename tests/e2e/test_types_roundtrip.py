"""Every Arrow type that a plug-in may give reaches the client as the Spark type that holds it, and back."""

from __future__ import annotations

import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from pyspark.errors import AnalysisException
from pyspark.sql import SparkSession

UTC = datetime.timezone.utc
DAY = datetime.date(2024, 2, 29)
MOMENT = datetime.datetime(2024, 2, 29, 12, 30, 15, 123456)

# (Arrow type, values, Spark's name of the type, what the client gets)
TYPES: list[tuple[pa.DataType, list[Any], str, list[Any]]] = [
    (pa.bool_(), [True, None, False], "boolean", [True, None, False]),
    (pa.int8(), [-128, None, 127], "tinyint", [-128, None, 127]),
    (pa.int16(), [-32768, None, 32767], "smallint", [-32768, None, 32767]),
    (pa.int32(), [-(2**31), None, 2**31 - 1], "int", [-(2**31), None, 2**31 - 1]),
    (pa.int64(), [-(2**63), None, 2**63 - 1], "bigint", [-(2**63), None, 2**63 - 1]),
    (pa.uint8(), [0, None, 255], "smallint", [0, None, 255]),
    (pa.uint16(), [0, None, 65535], "int", [0, None, 65535]),
    (pa.uint32(), [0, None, 2**32 - 1], "bigint", [0, None, 2**32 - 1]),
    (pa.uint64(), [0, None, 2**64 - 1], "decimal(20,0)", [Decimal(0), None, Decimal(2**64 - 1)]),
    (pa.float32(), [-1.5, None, 0.25], "float", [-1.5, None, 0.25]),
    (pa.float64(), [-1.5, None, 1e300], "double", [-1.5, None, 1e300]),
    (pa.decimal128(10, 2), [Decimal("-1.50"), None], "decimal(10,2)", [Decimal("-1.50"), None]),
    (pa.string(), ["", None, "größer 🙂"], "string", ["", None, "größer 🙂"]),
    (pa.large_string(), ["a", None], "string", ["a", None]),
    (pa.string_view(), ["a", None, "longer than twelve bytes"], "string", ["a", None, "longer than twelve bytes"]),
    (pa.binary(), [b"", None, b"\x00\xff"], "binary", [b"", None, b"\x00\xff"]),
    (pa.large_binary(), [b"a", None], "binary", [b"a", None]),
    (pa.binary_view(), [b"a", None], "binary", [b"a", None]),
    (pa.binary(2), [b"ab", None], "binary", [b"ab", None]),
    (pa.date32(), [DAY, None, datetime.date(1, 1, 1)], "date", [DAY, None, datetime.date(1, 1, 1)]),
    (pa.date64(), [DAY, None], "date", [DAY, None]),
    (pa.timestamp("us"), [MOMENT, None], "timestamp_ntz", [MOMENT, None]),
    (pa.timestamp("ns"), [MOMENT, None], "timestamp_ntz", [MOMENT, None]),
    (pa.timestamp("ms"), [MOMENT.replace(microsecond=0), None], "timestamp_ntz", [MOMENT.replace(microsecond=0), None]),
    (pa.dictionary(pa.int32(), pa.string()), ["a", None, "a"], "string", ["a", None, "a"]),
    (pa.list_(pa.int64()), [[1, None], None, []], "array<bigint>", [[1, None], None, []]),
    (pa.large_list(pa.string()), [["a"], None], "array<string>", [["a"], None]),
    (pa.struct([("a", pa.int32()), ("b", pa.string())]), [{"a": 1, "b": "x"}, None], "struct<a:int,b:string>", [(1, "x"), None]),
    (pa.map_(pa.string(), pa.int64()), [[("a", 1)], None], "map<string,bigint>", [{"a": 1}, None]),
    (pa.null(), [None, None], "void", [None, None]),
    (pa.decimal32(7, 2), [Decimal("-1.50"), None], "decimal(7,2)", [Decimal("-1.50"), None]),
    (pa.decimal64(18, 3), [Decimal("1.125"), None], "decimal(18,3)", [Decimal("1.125"), None]),
    (pa.decimal256(38, 9), [Decimal("1.5"), None], "decimal(38,9)", [Decimal("1.500000000"), None]),
    (pa.decimal256(76, 9), [Decimal("1.5"), None], "decimal(38,9)", [Decimal("1.500000000"), None]),
    (pa.decimal128(5, -2), [Decimal(12300), None], "decimal(7,0)", [Decimal(12300), None]),
    (pa.list_(pa.int32(), 2), [[1, None], None], "array<int>", [[1, None], None]),
    (pa.list_view(pa.string()), [["a", None], None, []], "array<string>", [["a", None], None, []]),
    (pa.large_list_view(pa.int64()), [[1], None], "array<bigint>", [[1], None]),
    (pa.list_(pa.struct([("m", pa.map_(pa.string(), pa.list_(pa.date32())))])), [[{"m": [("a", [DAY, None])]}], None], "array<struct<m:map<string,array<date>>>>", [[({"a": [DAY, None]},)], None]),
    (pa.list_(pa.dictionary(pa.int8(), pa.string())), [["a", "a"], None], "array<string>", [["a", "a"], None]),
    (pa.duration("s"), [datetime.timedelta(days=1), None], "interval day to second", [datetime.timedelta(days=1), None]),
    (pa.time64("us"), [datetime.time(12, 30, 1, 5), None], "time(6)", [datetime.time(12, 30, 1, 5), None]),
    (pa.time32("s"), [datetime.time(12, 30, 1), None], "time(6)", [datetime.time(12, 30, 1), None]),
    (pa.duration("us"), [datetime.timedelta(days=1, seconds=2), None], "interval day to second", [datetime.timedelta(days=1, seconds=2), None]),
]  # fmt: skip


def arrow_file(path: Path, table: pa.Table) -> Path:
    with pa.ipc.new_file(path, table.schema) as writer:
        writer.write_table(table)
    return path


def read(spark: SparkSession, path: Path) -> Any:
    reader = spark.read.format("python").option("python_module", "tests.support.tables")
    return reader.option("python_class", "Arrow").option("path", str(path)).load()


@pytest.mark.parametrize(("kind", "values", "name", "expected"), TYPES, ids=[str(case[0]) for case in TYPES])
def test_a_type_reaches_the_client(
    spark: SparkSession, tmp_path: Path, kind: pa.DataType, values: list[Any], name: str, expected: list[Any]
) -> None:
    frame = read(spark, arrow_file(tmp_path / "table.arrow", pa.table({"v": pa.array(values, kind)})))
    assert frame.dtypes == [("v", name)]
    assert [row["v"] for row in frame.collect()] == expected
    assert frame.toArrow().num_rows == len(values)


def test_a_moment_with_a_zone_is_that_moment(spark: SparkSession, tmp_path: Path) -> None:
    moment = MOMENT.replace(tzinfo=UTC)
    table = pa.table({"v": pa.array([moment, None], pa.timestamp("us", "America/New_York"))})
    frame = read(spark, arrow_file(tmp_path / "table.arrow", table))
    assert frame.dtypes == [("v", "timestamp")]
    found = frame.toArrow().column("v")[0].as_py()
    assert found.astimezone(UTC) == moment


def test_values_of_an_extension_type_come_as_their_storage(spark: SparkSession, tmp_path: Path) -> None:
    columns = {"json": pa.array(['{"a": 1}'], pa.json_(pa.string())), "uuid": pa.array([bytes(range(16))], pa.uuid())}
    frame = read(spark, arrow_file(tmp_path / "table.arrow", pa.table(columns)))
    assert frame.dtypes == [("json", "string"), ("uuid", "binary")]
    assert frame.collect() == [('{"a": 1}', bytes(range(16)))]


def test_runs_are_read(spark: SparkSession, tmp_path: Path) -> None:
    runs = pc.run_end_encode(pa.array(["a", "a", None, "b"]))
    frame = read(spark, arrow_file(tmp_path / "table.arrow", pa.table({"v": runs})))
    assert [row["v"] for row in frame.filter("v = 'a' OR v IS NULL").collect()] == ["a", "a", None]


def test_calendar_intervals_reach_an_expression(spark: SparkSession, tmp_path: Path) -> None:
    intervals = pa.array([pa.MonthDayNano([1, 2, 0]), None], pa.month_day_nano_interval())
    frame = read(spark, arrow_file(tmp_path / "table.arrow", pa.table({"v": intervals})))
    assert frame.dtypes == [("v", "interval")]
    assert frame.filter("v IS NULL").count() == 1


def test_a_type_that_no_table_can_have_is_named(spark: SparkSession, tmp_path: Path) -> None:
    union = pa.UnionArray.from_sparse(pa.array([0], pa.int8()), [pa.array([1])])
    path = arrow_file(tmp_path / "table.arrow", pa.table({"odd": union}))
    with pytest.raises(AnalysisException, match="infer_schema returned a schema whose column 'odd' is Union"):
        _ = read(spark, path).schema


def test_nullability_is_kept(spark: SparkSession, tmp_path: Path) -> None:
    schema = pa.schema([pa.field("a", pa.int64(), nullable=False), pa.field("b", pa.int64())])
    frame = read(spark, arrow_file(tmp_path / "table.arrow", pa.table({"a": [1], "b": [2]}, schema=schema)))
    assert [field.nullable for field in frame.schema] == [False, True]


@pytest.mark.parametrize("name", ["with space", "dot.ted", "UPPER", "größe", "a`b", "1st"])
def test_any_column_name_is_kept(spark: SparkSession, tmp_path: Path, name: str) -> None:
    frame = read(spark, arrow_file(tmp_path / "table.arrow", pa.table({name: [1, 2]})))
    assert frame.columns == [name]
    quoted = "`" + name.replace("`", "``") + "`"
    assert frame.filter(f"{quoted} > 1").select(quoted).collect() == [(2,)]


@pytest.mark.parametrize(
    ("ddl", "value"),
    [
        ("BOOLEAN", True),
        ("TINYINT", -5),
        ("BIGINT", 2**40),
        ("DOUBLE", 0.1),
        ("DECIMAL(12,3)", Decimal("-123.456")),
        ("STRING", "größer 🙂"),
        ("BINARY", b"\x00\x01"),
        ("DATE", DAY),
        ("TIMESTAMP_NTZ", MOMENT),
        ("ARRAY<INT>", [1, None, 3]),
        ("STRUCT<a: INT, b: ARRAY<STRING>>", (1, ["x"])),
        ("MAP<STRING, INT>", {"a": 1}),
    ],
)
def test_a_value_of_the_client_comes_back(spark: SparkSession, ddl: str, value: object) -> None:
    frame = spark.createDataFrame([(value,), (None,)], f"v {ddl}")
    assert [row["v"] for row in frame.collect()] == [value, None]


def test_a_large_frame_of_the_client_comes_back(spark: SparkSession) -> None:
    rows = [(number, "x" * 20) for number in range(60_000)]
    frame = spark.createDataFrame(rows, "n BIGINT, t STRING")
    assert frame.count() == len(rows)
    assert frame.agg({"n": "sum"}).collect()[0][0] == sum(number for number, _ in rows)
