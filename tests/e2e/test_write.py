"""Writes from a PySpark client: by `df.write`, by `df.writeTo` and in SQL, to a source that stages and renames."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pyspark.errors import (
    AnalysisException,
    ArithmeticException,
    PySparkException,
    PythonException,
    SparkRuntimeException,
    UnsupportedOperationException,
)
from pyspark.sql import DataFrame, DataFrameWriter, Row, SparkSession
from pyspark.sql import functions as f

from tests.support.folder import calls
from tests.support.server import running_server, wait_until

MODULE = "tests.support.folder"


def writer(frame: DataFrame, path: Path, **options: Any) -> DataFrameWriter:
    named = frame.write.format("python").option("python_module", MODULE).option("python_class", "Folder")
    return named.option("log", str(path / "log")).options(**options)


def read(spark: SparkSession, path: Path) -> DataFrame:
    named = spark.read.format("python").option("python_module", MODULE).option("python_class", "Folder")
    return named.load(str(path / "data"))


def rows(frame: DataFrame) -> list[tuple[Any, ...]]:
    return sorted((tuple(row) for row in frame.collect()), key=str)


def what(path: Path) -> list[str]:
    return [call["call"] for call in calls(path / "log")]


def visible(path: Path) -> list[str]:
    """What is in the folder beside its manifest."""
    return [entry.name for entry in (path / "data").iterdir() if entry.name != "manifest.json"]


def using(path: Path, **options: Any) -> str:
    given = {"python_module": MODULE, "python_class": "Folder", "path": path / "data", "log": path / "log", **options}
    return "USING python OPTIONS (" + ", ".join(f"{key} '{value}'" for key, value in given.items()) + ")"


@pytest.fixture
def table(spark: SparkSession, tmp_path: Path) -> Any:
    """Makes tables `t`, `t2`, ... of these columns; they are dropped with the test."""
    made: list[str] = []

    def make(columns: str, **options: Any) -> str:
        name = f"t{len(made) or ''}"
        spark.sql(f"CREATE TABLE {name} ({columns}) {using(tmp_path, **options)}")
        made.append(name)
        return name

    yield make
    for name in made:
        spark.sql(f"DROP TABLE IF EXISTS {name}")


def fails(run: Callable[[], Any], kind: type[PySparkException], condition: str, state: str) -> PySparkException:
    with pytest.raises(kind) as caught:
        run()
    assert (caught.value.getCondition(), caught.value.getSqlState()) == (condition, state)
    return caught.value


def test_modes(spark: SparkSession, tmp_path: Path) -> None:
    def save(*values: int, mode: str | None) -> None:
        frame = spark.createDataFrame([(value,) for value in values], "n bigint")
        named = writer(frame, tmp_path)
        (named.mode(mode) if mode else named).save(str(tmp_path / "data"))

    save(1, 2, mode=None)
    save(3, mode="append")
    assert rows(read(spark, tmp_path)) == [(1,), (2,), (3,)]
    for mode in (None, "error"):
        fails(partial(save, 4, mode=mode), AnalysisException, "PATH_ALREADY_EXISTS", "42K04")
    save(4, mode="ignore")
    assert rows(read(spark, tmp_path)) == [(1,), (2,), (3,)]
    save(5, mode="overwrite")
    assert rows(read(spark, tmp_path)) == [(5,)]
    begun = [call["mode"] for call in calls(tmp_path / "log") if call["call"] == "begin"]
    assert begun == ["error", "append", "error", "error", "ignore", "overwrite"]


def test_each_partition_is_one_task_and_no_row_is_lost_or_twice(spark: SparkSession, tmp_path: Path) -> None:
    frame = spark.range(10_000).repartition(8)
    writer(frame, tmp_path).mode("append").save(str(tmp_path / "data"))
    log = calls(tmp_path / "log")
    assert log[0]["partitions"] == 8
    assert sorted(call["partition"] for call in log if call["call"] == "written") == list(range(8))
    [commit] = [call for call in log if call["call"] == "commit"]
    assert [message["file"] for message in commit["messages"]] == [f"{n:05}.arrow" for n in range(8)]
    assert sum(message["rows"] for message in commit["messages"]) == 10_000
    assert rows(read(spark, tmp_path).orderBy("id")) == sorted(((n,) for n in range(10_000)), key=str)


@pytest.mark.parametrize("empty", ["range(0)", "range(4) WHERE id < 0", "VALUES (1L) AS v(id) WHERE false"])
def test_no_rows_are_a_write_too(spark: SparkSession, tmp_path: Path, empty: str) -> None:
    query = f"SELECT id FROM {empty}"
    writer(spark.sql(query), tmp_path).mode("append").save(str(tmp_path / "data"))
    assert what(tmp_path)[-1] == "commit"
    assert read(spark, tmp_path).count() == 0
    assert read(spark, tmp_path).columns == ["id"]


def test_names_and_types_are_those_of_the_frame(spark: SparkSession, tmp_path: Path) -> None:
    frame = spark.sql(
        "SELECT 'x' AS `a b`, 1.50BD AS Amount, DATE'2020-01-02' AS d, TIMESTAMP'2020-01-02 03:04:05' AS t, "
        "array(1, NULL) AS l, named_struct('x', 1, 'y', 'z') AS s, map('k', 1L) AS m, X'00FF' AS b, NULL AS nothing"
    )
    writer(frame.drop("nothing"), tmp_path).mode("append").save(str(tmp_path / "data"))
    back = read(spark, tmp_path)
    assert back.dtypes == frame.drop("nothing").dtypes
    assert back.collect() == frame.drop("nothing").collect()


def test_one_name_twice(spark: SparkSession, tmp_path: Path) -> None:
    twice = writer(spark.sql("SELECT 1 a, 2 a"), tmp_path).mode("append")
    condition = "DUPLICATED_FIELD_NAME_IN_ARROW_STRUCT"
    fails(lambda: twice.save(str(tmp_path / "data")), UnsupportedOperationException, condition, "42713")
    assert what(tmp_path) == []


@pytest.mark.parametrize("options", [{}, {"fail_after": 100}, {"fail_partition": 2}, {"fail_after": 2500}])
def test_a_task_that_fails_leaves_nothing(spark: SparkSession, tmp_path: Path, options: dict[str, Any]) -> None:
    writer(spark.range(3), tmp_path).mode("append").save(str(tmp_path / "data"))
    before = visible(tmp_path)
    failing = writer(spark.range(10_000).repartition(4), tmp_path, fail="write_partition", **options).mode("append")
    with pytest.raises(PythonException, match=r"write_partition of partition \d failed: ValueError: boom") as caught:
        failing.save(str(tmp_path / "data"))
    assert "in write_partition" in str(caught.value)
    assert what(tmp_path)[-1] == "abort"
    assert visible(tmp_path) == before
    assert read(spark, tmp_path).count() == 3


@pytest.mark.parametrize("method", ["begin_write", "commit_write", "commit_write,abort_write"])
def test_a_phase_that_fails(spark: SparkSession, tmp_path: Path, method: str) -> None:
    writer(spark.range(3), tmp_path).mode("append").save(str(tmp_path / "data"))
    before = visible(tmp_path)
    failing = writer(spark.range(5), tmp_path, fail=method).mode("overwrite")
    error = fails(lambda: failing.save(str(tmp_path / "data")), AnalysisException, "PYTHON_DATA_SOURCE_ERROR", "38000")
    first = method.partition(",")[0]
    assert f"{first} failed: ValueError: boom in {first}" in str(error)
    assert "boom in abort_write" not in str(error)
    assert visible(tmp_path) == before
    assert read(spark, tmp_path).count() == 3


def test_a_query_that_fails_is_aborted_and_its_error_is_the_one(spark: SparkSession, tmp_path: Path) -> None:
    failing = spark.range(10).selectExpr("id", "1 / (id - 7) AS q").repartition(3)
    save = writer(failing, tmp_path).mode("append")
    fails(lambda: save.save(str(tmp_path / "data")), ArithmeticException, "DIVIDE_BY_ZERO", "22012")
    assert what(tmp_path)[-1] == "abort"
    assert visible(tmp_path) == []


def test_an_interrupt_aborts(new_session: Callable[[], SparkSession], tmp_path: Path) -> None:
    spark = new_session()
    endless = spark.read.format("python").option("python_module", "tests.support.tables")
    frame = endless.option("python_class", "Endless").option("log", str(tmp_path / "source")).load()
    errors: list[PySparkException] = []

    def save() -> None:
        try:
            writer(frame, tmp_path).mode("append").save(str(tmp_path / "data"))
        except PySparkException as error:
            errors.append(error)

    thread = threading.Thread(target=save)
    thread.start()
    wait_until(lambda: bool(list((tmp_path / "data").glob("*/*.arrow"))), 20, "the write has begun")
    interrupted = time.monotonic()
    spark.interruptAll()
    thread.join(10)
    assert errors[0].getCondition() == "OPERATION_CANCELED"
    wait_until(lambda: what(tmp_path)[-1] == "abort", 5, "the write is aborted")
    assert time.monotonic() - interrupted < 5
    assert calls(tmp_path / "log")[-1]["messages"] == [None]
    wait_until(lambda: visible(tmp_path) == [], 5, "nothing is left")
    wait_until(lambda: "closed" in (tmp_path / "source").read_text(), 5, "the source that is read is closed")


def test_an_interrupt_does_not_undo_a_commit(new_session: Callable[[], SparkSession], tmp_path: Path) -> None:
    spark = new_session()
    errors: list[PySparkException] = []

    def save() -> None:
        try:
            writer(spark.range(5), tmp_path, pause=2).mode("append").save(str(tmp_path / "data"))
        except PySparkException as error:
            errors.append(error)

    thread = threading.Thread(target=save)
    thread.start()
    wait_until(lambda: what(tmp_path)[-1:] == ["commit"], 20, "the commit has begun")
    spark.interruptAll()
    thread.join(10)
    assert errors[0].getCondition() == "OPERATION_CANCELED"
    wait_until((tmp_path / "data" / "manifest.json").exists, 10, "the commit ends")
    assert read(spark, tmp_path).count() == 5
    assert what(tmp_path)[-1] == "commit"


CLIENT = """
import sys
from pyspark.sql import SparkSession

url, folder = sys.argv[1:]
spark = SparkSession.builder.remote(url).getOrCreate()
reader = spark.read.format("python").option("python_module", "tests.support.tables").option("python_class", "Endless")
writer = reader.option("log", f"{folder}/source").load().write.format("python").mode("append")
writer = writer.option("python_module", "tests.support.folder").option("python_class", "Folder")
writer.option("log", f"{folder}/log").save(f"{folder}/data")
"""


def test_a_server_that_is_stopped_aborts_what_it_writes(tmp_path: Path) -> None:
    script = tmp_path / "client.py"
    script.write_text(CLIENT)
    with running_server() as server:
        client = subprocess.Popen([sys.executable, script, server.url, str(tmp_path)], stderr=subprocess.DEVNULL)
        wait_until(lambda: bool(list((tmp_path / "data").glob("*/*.arrow"))), 30, "the write has begun")
    # It would try for minutes to reach the server again.
    client.kill()
    client.wait(10)
    assert what(tmp_path)[-1] == "abort"
    assert visible(tmp_path) == []


def test_a_source_that_is_only_read(spark: SparkSession, tmp_path: Path) -> None:
    named = spark.range(3).write.format("python").option("python_module", MODULE).option("python_class", "ReadOnly")
    error = fails(named.mode("append").save, AnalysisException, "UNSUPPORTED_FEATURE.TABLE_OPERATION", "0A000")
    assert "lacks begin_write, write_partition, commit_write, abort_write" in str(error)


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (lambda w: w.partitionBy("id"), "partitionBy"),
        (lambda w: w.bucketBy(2, "id"), "bucketBy"),
        (lambda w: w.bucketBy(2, "id").sortBy("id"), "bucketBy"),
    ],
)
def test_what_no_source_is_asked_for(spark: SparkSession, tmp_path: Path, change: Any, name: str) -> None:
    save = change(writer(spark.range(3), tmp_path).mode("append"))
    error = fails(lambda: save.save(str(tmp_path)), UnsupportedOperationException, "UNSUPPORTED_OPERATION", "0A000")
    assert name in str(error)
    assert what(tmp_path) == []


def test_an_unknown_format(spark: SparkSession) -> None:
    save = spark.range(3).write.format("nowhere").mode("append").save
    with pytest.raises(PySparkException, match="DATA_SOURCE_NOT_FOUND"):
        save()


def test_insert_into(spark: SparkSession, tmp_path: Path, table: Any) -> None:
    t = table("id bigint, name string")
    assert spark.sql(f"INSERT INTO {t} VALUES (1, 'a'), (2, 'b')").collect() == []
    spark.sql(f"INSERT INTO TABLE {t} SELECT 3, 4")
    spark.sql(f"INSERT INTO {t} (SELECT 4, 'd')")
    spark.sql(f"INSERT INTO spark_catalog.default.{t} (NAME, id) VALUES ('e', 5)")
    spark.sql(f"INSERT INTO default.{t} (id) VALUES (6)")
    spark.sql(f"INSERT INTO {t} BY NAME SELECT 'g' AS Name, 7 AS id")
    spark.sql(f"INSERT INTO {t} BY NAME SELECT 8 AS id")
    spark.sql(f"INSERT INTO {t} WITH c AS (SELECT 9 x, 'i' y) SELECT * FROM c")
    spark.sql("INSERT INTO t TABLE {more}", more=spark.createDataFrame([(10, "j")], "a int, b string"))
    expected = [(1, "a"), (2, "b"), (3, "4"), (4, "d"), (5, "e"), (6, None), (7, "g"), (8, None), (9, "i"), (10, "j")]
    assert rows(spark.table(t)) == sorted(expected, key=str)
    assert {call["table"] for call in calls(tmp_path / "log") if call["call"] == "begin"} == {t}


def test_insert_overwrite_with_what_the_table_holds(spark: SparkSession, table: Any) -> None:
    t = table("id bigint, name string")
    spark.sql(f"INSERT INTO {t} VALUES (1, 'a'), (2, 'b')")
    spark.sql(f"INSERT OVERWRITE {t} SELECT id + 10, upper(name) FROM {t} WHERE id > 1")
    assert rows(spark.table(t)) == [(12, "B")]
    spark.sql(f"INSERT OVERWRITE TABLE {t} VALUES (1.9, 5)")
    assert rows(spark.table(t)) == [(1, "5")]


T = "`spark_catalog`.`default`.`t`"


@pytest.mark.parametrize(
    ("insert", "condition", "state", "parameters"),
    [
        (
            "INTO t VALUES (1)",
            "INSERT_COLUMN_ARITY_MISMATCH.NOT_ENOUGH_DATA_COLUMNS",
            "21S01",
            {"tableName": T, "tableColumns": "`id`, `name`", "dataColumns": "`col1`"},
        ),
        (
            "INTO t VALUES (1, 'a', 3)",
            "INSERT_COLUMN_ARITY_MISMATCH.TOO_MANY_DATA_COLUMNS",
            "21S01",
            {"tableName": T, "tableColumns": "`id`, `name`", "dataColumns": "`col1`, `col2`, `col3`"},
        ),
        (
            "OVERWRITE t VALUES ('x', 'a')",
            "INCOMPATIBLE_DATA_FOR_TABLE.CANNOT_SAFELY_CAST",
            "KD000",
            {"tableName": T, "colName": "`id`", "srcType": '"STRING"', "targetType": '"BIGINT"'},
        ),
        (
            "INTO t VALUES (true, 'a')",
            "INCOMPATIBLE_DATA_FOR_TABLE.CANNOT_SAFELY_CAST",
            "KD000",
            {"tableName": T, "colName": "`id`", "srcType": '"BOOLEAN"', "targetType": '"BIGINT"'},
        ),
        ("INTO t (id, id) VALUES (1, 2)", "COLUMN_ALREADY_EXISTS", "42711", {"columnName": "`id`"}),
        (
            "INTO t (id, nope) VALUES (1, 2)",
            "UNRESOLVED_COLUMN.WITH_SUGGESTION",
            "42703",
            {"objectName": "`nope`", "proposal": "`id`, `name`"},
        ),
        (
            "INTO t BY NAME SELECT 1 id, 'a' nam",
            "INCOMPATIBLE_DATA_FOR_TABLE.EXTRA_COLUMNS",
            "KD000",
            {"tableName": T, "extraColumns": "`nam`"},
        ),
        ("INTO nowhere VALUES (1)", "TABLE_OR_VIEW_NOT_FOUND", "42P01", {"relationName": "`nowhere`"}),
        ("INTO a_view VALUES (1)", "UNSUPPORTED_INSERT.RDD_BASED", "42809", {}),
    ],
)
def test_rows_that_do_not_fit_the_table(
    spark: SparkSession, tmp_path: Path, table: Any, insert: str, condition: str, state: str, parameters: Any
) -> None:
    assert table("id bigint, name string") == "t"
    spark.range(1).createOrReplaceTempView("a_view")
    error = fails(lambda: spark.sql(f"INSERT {insert}"), AnalysisException, condition, state)
    found = error.getMessageParameters() or {}
    assert {name: found.get(name) for name in parameters} == parameters
    assert what(tmp_path) == []


def test_nested_values(spark: SparkSession, table: Any) -> None:
    t = table("a array<bigint>, s struct<x: bigint, y: string>")
    spark.sql(f"INSERT INTO {t} VALUES (array(1), named_struct('p', 1, 'q', 'w'))")
    spark.sql(f"INSERT INTO {t} BY NAME SELECT named_struct('y', 'v', 'x', 2) AS s, array(2) AS a")
    assert rows(spark.table(t)) == [([1], Row(x=1, y="w")), ([2], Row(x=2, y="v"))]
    for insert, condition in [
        ("VALUES (array('a'), NULL)", "CANNOT_SAFELY_CAST"),
        ("VALUES (NULL, named_struct('p', 1))", "STRUCT_MISSING_FIELDS"),
        ("VALUES (NULL, named_struct('p', 1, 'q', 'w', 'r', 1))", "EXTRA_STRUCT_FIELDS"),
        ("BY NAME SELECT named_struct('x', 1, 'z', 'w') AS s", "STRUCT_MISSING_FIELDS"),
    ]:
        with pytest.raises(AnalysisException) as caught:
            spark.sql(f"INSERT INTO {t} {insert}")
        assert caught.value.getCondition() == f"INCOMPATIBLE_DATA_FOR_TABLE.{condition}", insert
    # By position, and the engine would go by the names.
    with pytest.raises(UnsupportedOperationException, match="another order"):
        spark.sql(f"INSERT INTO {t} VALUES (NULL, named_struct('y', 1, 'x', 'w'))")


@pytest.mark.parametrize("value", ["3000000000", "1e20", "if(id = 1, 3000000000, id)"])
def test_a_value_that_its_column_does_not_hold(spark: SparkSession, tmp_path: Path, table: Any, value: str) -> None:
    t = table("i int")
    insert = f"INSERT INTO {t} SELECT {value} FROM range(2)"
    error = fails(lambda: spark.sql(insert), ArithmeticException, "CAST_OVERFLOW_IN_TABLE_INSERT", "22003")
    assert (error.getMessageParameters() or {})["columnName"] == "`i`"
    assert what(tmp_path)[-1] == "abort"


def test_a_null_where_none_may_be(spark: SparkSession, tmp_path: Path, table: Any) -> None:
    t = table("id bigint NOT NULL, name string")
    spark.sql(f"INSERT INTO {t} (id) SELECT id FROM range(2)")
    insert = f"INSERT INTO {t} SELECT if(id = 1, id, NULL), NULL FROM range(2)"
    fails(lambda: spark.sql(insert), SparkRuntimeException, "NOT_NULL_ASSERT_VIOLATION", "42000")
    insert = f"INSERT INTO {t} (name) VALUES ('x')"
    fails(lambda: spark.sql(insert), AnalysisException, "INCOMPATIBLE_DATA_FOR_TABLE.CANNOT_FIND_DATA", "KD000")
    assert rows(spark.table(t)) == [(0, None), (1, None)]


def test_a_view_of_a_source_takes_rows(spark: SparkSession, tmp_path: Path) -> None:
    writer(spark.sql("SELECT 1L id, 'a' name"), tmp_path).mode("append").save(str(tmp_path / "data"))
    spark.sql(f"CREATE OR REPLACE TEMPORARY VIEW v {using(tmp_path)}")
    spark.sql("INSERT INTO v VALUES (2, 'b')")
    spark.createDataFrame([(3, "c")], "x int, y string").write.insertInto("v")
    assert rows(read(spark, tmp_path)) == [(1, "a"), (2, "b"), (3, "c")]
    spark.sql("INSERT OVERWRITE v (name) VALUES ('z')")
    assert rows(spark.table("v")) == [(None, "z")]
    with pytest.raises(AnalysisException, match="Cannot write to `python`"):
        spark.sql("INSERT INTO v VALUES (1)")


def test_tables_are_listed_read_and_dropped(spark: SparkSession, tmp_path: Path, table: Any) -> None:
    t = table("id bigint, name string")
    spark.sql(f"CREATE TABLE IF NOT EXISTS {t} {using(tmp_path)}")
    for again in (f"CREATE TABLE {t} (id int) {using(tmp_path)}", f"CREATE TABLE {t.upper()} {using(tmp_path)}"):
        fails(partial(spark.sql, again), AnalysisException, "TABLE_OR_VIEW_ALREADY_EXISTS", "42P07")
    assert Row(namespace="default", tableName=t, isTemporary=False) in spark.sql("SHOW TABLES").collect()
    assert t not in [row.viewName for row in spark.sql("SHOW VIEWS").collect()]
    [listed] = [listed for listed in spark.catalog.listTables() if listed.name == t]
    assert (listed.catalog, listed.namespace, listed.isTemporary) == ("spark_catalog", ["default"], False)
    for name in (t, t.upper(), f"default.{t}", f"spark_catalog.default.{t}"):
        assert spark.catalog.tableExists(name)
        assert spark.table(name).columns == ["id", "name"]
    assert not spark.catalog.tableExists(f"other.{t}")
    assert [column.name for column in spark.catalog.listColumns(t)] == ["id", "name"]
    fails(lambda: spark.sql(f"DROP VIEW {t}"), AnalysisException, "WRONG_COMMAND_FOR_OBJECT_TYPE", "42809")
    # A temporary view hides the table, and goes first.
    spark.sql(f"CREATE TEMPORARY VIEW {t} AS SELECT 1 AS x")
    assert spark.table(t).columns == ["x"]
    spark.sql(f"DROP TABLE {t}")
    assert spark.table(t).columns == ["id", "name"]
    spark.sql(f"DROP TABLE {t}")
    fails(lambda: spark.sql(f"DROP TABLE {t}"), AnalysisException, "TABLE_OR_VIEW_NOT_FOUND", "42P01")
    spark.sql(f"DROP TABLE IF EXISTS {t}")


def test_a_table_belongs_to_its_session(new_session: Callable[[], SparkSession], tmp_path: Path) -> None:
    mine, yours = new_session(), new_session()
    mine.sql(f"CREATE TABLE own (id bigint) {using(tmp_path)}")
    assert mine.catalog.tableExists("own")
    assert not yours.catalog.tableExists("own")


def test_create_table_as(spark: SparkSession, tmp_path: Path) -> None:
    spark.sql(f"CREATE TABLE made {using(tmp_path)} AS SELECT id, id * 2 AS twice FROM range(3)")
    assert rows(spark.table("made")) == [(0, 0), (1, 2), (2, 4)]
    spark.sql(f"CREATE TABLE IF NOT EXISTS made {using(tmp_path)} AS SELECT 1 AS x")
    spark.sql("DROP TABLE made")
    # There is something already: the source says so, and there is no table then.
    again = f"CREATE TABLE made {using(tmp_path)} AS SELECT 1 AS x"
    fails(lambda: spark.sql(again), AnalysisException, "PATH_ALREADY_EXISTS", "42K04")
    assert not spark.catalog.tableExists("made")
    spark.sql(f"CREATE TABLE made {using(tmp_path)}")
    assert rows(spark.table("made")) == [(0, 0), (1, 2), (2, 4)]
    spark.sql("DROP TABLE made")


def test_save_as_table(spark: SparkSession, tmp_path: Path) -> None:
    def save(sql: str, mode: str | None = None) -> None:
        named = writer(spark.sql(sql), tmp_path).option("path", str(tmp_path / "data"))
        (named.mode(mode) if mode else named).saveAsTable("saved")

    save("SELECT 1L AS id, 'a' AS name")
    assert rows(spark.table("saved")) == [(1, "a")]
    fails(lambda: save("SELECT 1 AS id"), AnalysisException, "TABLE_OR_VIEW_ALREADY_EXISTS", "42P07")
    save("SELECT 2 AS id", "ignore")
    save("SELECT 'c' AS name, 3 AS id", "append")
    spark.sql("SELECT 4 AS id").write.mode("append").format("python").saveAsTable("saved")
    assert rows(spark.table("saved")) == [(1, "a"), (3, "c"), (4, None)]
    with pytest.raises(AnalysisException, match="doesn't match the specified format"):
        spark.range(1).write.format("numbers").mode("append").saveAsTable("saved")
    spark.sql("SELECT 5, 'e'").write.insertInto("saved")
    spark.sql("SELECT 6, 'f'").write.insertInto("saved", overwrite=True)
    assert rows(spark.table("saved")) == [(6, "f")]
    save("SELECT 7 AS other", "overwrite")
    assert spark.table("saved").collect() == [Row(other=7)]
    spark.sql("DROP TABLE saved")


def test_write_to(spark: SparkSession, tmp_path: Path) -> None:
    def to(frame: DataFrame) -> Any:
        named = frame.writeTo("target").using("python").option("python_module", MODULE)
        return named.option("python_class", "Folder").option("path", str(tmp_path / "data"))

    missing = to(spark.range(1))
    fails(missing.append, AnalysisException, "TABLE_OR_VIEW_NOT_FOUND", "42P01")
    fails(missing.replace, AnalysisException, "TABLE_OR_VIEW_NOT_FOUND", "42P01")
    to(spark.sql("SELECT 1L AS id, 'a' AS name")).create()
    to(spark.sql("SELECT 'b' AS name, 2 AS id")).append()
    assert rows(spark.table("target")) == [(1, "a"), (2, "b")]
    fails(to(spark.range(1)).create, AnalysisException, "TABLE_OR_VIEW_ALREADY_EXISTS", "42P07")
    to(spark.sql("SELECT 3 AS id")).overwrite(f.lit(True))
    assert rows(spark.table("target")) == [(3, None)]
    for refused in (
        lambda: to(spark.range(1)).overwrite(f.col("id") == 1),
        to(spark.range(1)).overwritePartitions,
    ):
        fails(refused, UnsupportedOperationException, "UNSUPPORTED_OPERATION", "0A000")
    to(spark.sql("SELECT 4 AS other")).createOrReplace()
    assert spark.table("target").collect() == [Row(other=4)]
    spark.sql("DROP TABLE target")


@pytest.mark.parametrize("name", ["a b", "select", "ü", "'; DROP TABLE x --", "a.b", "💥"])
def test_a_table_may_be_called_anything(spark: SparkSession, tmp_path: Path, name: str) -> None:
    quoted = "`" + name.replace("`", "``") + "`"
    spark.sql(f"CREATE TABLE {quoted} (id bigint) {using(tmp_path)}")
    spark.sql(f"INSERT INTO {quoted} VALUES (1)")
    assert rows(spark.table(quoted)) == [(1,)]
    assert calls(tmp_path / "log")[0]["table"] == name
    spark.sql(f"DROP TABLE {quoted}")


def test_explain_shows_the_write(spark: SparkSession, tmp_path: Path, table: Any) -> None:
    t = table("id bigint", password="hunter2")
    plan = spark.sql(f"EXPLAIN INSERT OVERWRITE {t} SELECT id FROM range(5) WHERE id > 2").collect()[0][0]
    assert f"PythonWriteExec: source=python, plugin={MODULE}.Folder, mode=overwrite, table={t}, partitions=" in plan
    assert "hunter2" not in plan
    assert what(tmp_path) == []


def test_explain_analyze_writes_and_counts(spark: SparkSession, table: Any) -> None:
    t = table("id bigint")
    plan = spark.sql(f"EXPLAIN ANALYZE INSERT INTO {t} SELECT id FROM range(5)").collect()[0][0]
    assert "PythonWriteExec: " in plan
    for metric in ("written_rows=5", "written_batches=1", "written_bytes=40", "write_time=", "input_wait_time="):
        assert metric in plan
    assert spark.table(t).count() == 5


def test_what_is_not_supported_is_named(spark: SparkSession, tmp_path: Path, table: Any) -> None:
    t = table("id bigint")
    for statement, name in [
        (f"INSERT INTO {t} PARTITION (id = 1) VALUES (1)", "PARTITION"),
        (f"INSERT INTO {t} REPLACE WHERE id = 1 VALUES (1)", "REPLACE WHERE"),
        ("INSERT OVERWRITE DIRECTORY '/x' USING python SELECT 1", "DIRECTORY"),
    ]:
        with pytest.raises(UnsupportedOperationException, match=name):
            spark.sql(statement)
