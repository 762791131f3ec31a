"""Plug-ins on a real Sail server, from a stock PySpark client."""

from __future__ import annotations

import datetime as dt
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyspark.errors import PySparkException
from pyspark.sql.connect.session import SparkSession

from sheetbend.interop.pyspark import as_data_source
from sheetbend.sources.jdbc import JDBCArrowDataSource
from tests.interop.sources import FORMS, Endless, Kinds, Nothing, People, Torn
from tests.support.sail import running_sail
from tests.support.server import wait_until


@pytest.fixture(scope="module")
def sail() -> Iterator[str]:
    with running_sail() as url:
        yield url


@pytest.fixture(scope="module")
def spark(sail: str) -> Iterator[SparkSession]:
    session = SparkSession.builder.remote(sail).create()
    for name, plugin in (
        ("people", People),
        ("kinds", Kinds()),
        ("endless", Endless),
        ("nothing", Nothing),
        ("torn", Torn),
    ):
        session.dataSource.register(as_data_source(plugin, name))
    session.dataSource.register(as_data_source(JDBCArrowDataSource(), "sheetbend_jdbc"))
    yield session
    session.stop()


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("shop") / "shop.db"
    connection = sqlite3.connect(path)
    connection.execute("create table orders (id integer primary key, person_id integer, amount double, note text)")
    rows = [(number, number % 7, number / 2, f"n{number}" if number % 3 else None) for number in range(1000)]
    connection.executemany("insert into orders values (?, ?, ?, ?)", rows)
    connection.commit()
    connection.close()
    return f"jdbc:sqlite:{path}"


def _orders(spark: SparkSession, shop: str, **options: str) -> Any:
    return spark.read.format("sheetbend_jdbc").options(url=shop, dbtable="orders", **options).load()


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_result(spark: SparkSession, form: str) -> None:
    rows = spark.read.format("people").option("form", form).load().collect()
    assert sorted((row.id, row.name) for row in rows) == [(number, f"p{number}") for number in range(10)]


def test_schema(spark: SparkSession) -> None:
    assert spark.read.format("people").load().schema.simpleString() == "struct<id:bigint,name:string>"
    assert [field.nullable for field in spark.read.format("people").load().schema] == [False, True]


def test_every_kind_of_column(spark: SparkSession) -> None:
    frame = spark.read.format("kinds").load()
    assert dict(frame.dtypes) == {
        "flag": "boolean",
        "tiny": "tinyint",
        "byte": "smallint",
        "big": "bigint",
        "real": "float",
        "double": "double",
        "price": "decimal(12,2)",
        "text": "string",
        "blob": "binary",
        "day": "date",
        "at": "timestamp",
        "wall": "timestamp_ntz",
        "word": "string",
        "list": "array<int>",
        "map": "map<string,double>",
        "pair": "struct<x:int,y:string>",
    }
    first, second = (dict(zip(frame.columns, row, strict=True)) for row in frame.collect())
    assert all(value is None for value in second.values())
    at = first.pop("at")
    assert at.timestamp() == dt.datetime(2024, 1, 1, tzinfo=dt.timezone.utc).timestamp()
    assert first == {
        "flag": True,
        "tiny": -128,
        "byte": 255,
        "big": 2**32 - 1,
        "real": 0.5,
        "double": float("inf"),
        "price": Decimal("1234567890.12"),
        "text": "ünï",
        "blob": b"\x00\xff",
        "day": dt.date(1969, 12, 31),
        "wall": Kinds.moment,
        "word": "again",
        "list": [1, None],
        "map": {"k": 1.5},
        "pair": (1, "z"),
    }


def test_filter_projection_and_aggregate(spark: SparkSession) -> None:
    frame = spark.read.format("people").load()
    assert [row.name for row in frame.filter("id > 7").select("name").orderBy("name").collect()] == ["p8", "p9"]
    assert frame.count() == 10
    assert frame.selectExpr("sum(id) as total").collect()[0].total == 45


def test_sql_over_a_view(spark: SparkSession) -> None:
    spark.read.format("people").load().createOrReplaceTempView("all_people")
    assert spark.sql("select max(name) as last from all_people where id < 5").collect()[0].last == "p4"


def test_schema_of_the_user(spark: SparkSession) -> None:
    frame = spark.read.format("people").schema("name string, id bigint").load()
    assert frame.columns == ["name", "id"]
    assert ("p3", 3) in [tuple(row) for row in frame.collect()]


def test_no_partition_is_an_empty_table(spark: SparkSession) -> None:
    frame = spark.read.format("nothing").load()
    assert frame.columns == ["id", "name"]
    assert frame.collect() == []


def test_limit_ends_the_reader(spark: SparkSession, tmp_path: Path) -> None:
    done = tmp_path / "done"
    assert len(spark.read.format("endless").option("done", str(done)).load().limit(3).collect()) == 3
    wait_until(lambda: done.exists() and done.read_text() == "cancelled: True", 10, "it is told, and ends")


def test_failure_reaches_the_client(spark: SparkSession) -> None:
    with pytest.raises(PySparkException, match="page 3 is torn"):
        spark.read.format("torn").load().collect()
    assert spark.read.format("people").load().count() == 10


def test_unknown_option_is_refused(spark: SparkSession) -> None:
    with pytest.raises(PySparkException, match=r"no option 'frm'.*Did you mean 'form'"):
        spark.read.format("people").option("frm", "list").load().collect()


def test_wrong_item_is_refused(spark: SparkSession) -> None:
    with pytest.raises(PySparkException, match=r"source 'people' .*partition \d: .*yielded dict"):
        spark.read.format("people").option("form", "rows").load().collect()


def test_jdbc_whole_table(spark: SparkSession, shop: str) -> None:
    frame = _orders(spark, shop)
    assert frame.columns == ["id", "person_id", "amount", "note"]
    assert frame.count() == 1000
    assert frame.filter("note is null").count() == 334


def test_jdbc_in_partitions(spark: SparkSession, shop: str) -> None:
    bounds = {"partitionColumn": "id", "lowerBound": "0", "upperBound": "1000", "numPartitions": "4"}
    rows = _orders(spark, shop, **bounds).toArrow()
    assert sorted(rows.column("id").to_pylist()) == list(range(1000))


def test_jdbc_joined_with_another_source(spark: SparkSession, shop: str) -> None:
    people = spark.read.format("people").load().withColumnRenamed("id", "person_id")
    joined = _orders(spark, shop).filter("amount >= 250").join(people, "person_id").groupBy("name").count()
    expected = pa.array([f"p{number % 7}" for number in range(500, 1000)]).value_counts().to_pylist()
    assert {row["name"]: row["count"] for row in joined.collect()} == {
        each["values"]: each["counts"] for each in expected
    }


def test_jdbc_missing_table(spark: SparkSession, shop: str) -> None:
    with pytest.raises(PySparkException, match="nowhere"):
        spark.read.format("sheetbend_jdbc").options(url=shop, dbtable="nowhere").load().collect()


def test_class_of_a_script(sail: str, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import sys\n"
        "import pyarrow as pa\n"
        "from pyspark.sql.connect.session import SparkSession\n"
        "from sheetbend.interop.pyspark import as_data_source\n"
        "class Mine:\n"
        "    def __init__(self, word):\n"
        "        self.word = word\n"
        "    def infer_schema(self, options):\n"
        "        return pa.schema([('word', pa.string())])\n"
        "    def plan_partitions(self, options):\n"
        "        return [{}, {}]\n"
        "    def read_partition(self, spec, options):\n"
        "        yield pa.record_batch({'word': [self.word]})\n"
        "spark = SparkSession.builder.remote(sys.argv[1]).create()\n"
        "spark.dataSource.register(as_data_source(Mine('hello'), 'mine'))\n"
        "print([row.word for row in spark.read.format('mine').load().collect()])\n"
        "spark.stop()\n"
    )
    paths = {"PYTHONPATH": ":".join(path for path in sys.path if path)}
    done = subprocess.run([sys.executable, str(script), sail], capture_output=True, text=True, env=paths, timeout=60)
    assert done.stdout == "['hello', 'hello']\n", done.stderr
