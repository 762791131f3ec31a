"""Writers of data sources of PySpark's own API, written to by a stock client; what is expected is what Spark 4.2 does."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyspark.errors import AnalysisException, PySparkException, PythonException, UnsupportedOperationException
from pyspark.sql import Row, SparkSession
from pyspark.sql.datasource import DataSource, DataSourceArrowWriter, DataSourceWriter, WriterCommitMessage
from pyspark.sql.types import StructType


@dataclass
class Wrote(WriterCommitMessage):
    rows: int


class Trace:
    """What a source wrote down, a JSON value a line; several tasks may write at the same time."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, *values: Any) -> None:
        with self._path.open("a") as file:
            file.write(json.dumps(values, default=repr) + "\n")

    def of(self, kind: str) -> list[list[Any]]:
        lines = [json.loads(line) for line in self._path.read_text().splitlines()] if self._path.exists() else []
        return [rest for first, *rest in lines if first == kind]


@pytest.fixture
def trace(tmp_path: Path) -> Trace:
    return Trace(tmp_path / "trace")


def writing(trace: Trace, *, arrow: bool = False, fails: str = "") -> type[DataSource]:
    """A source that is written to, and fails where it is told to."""

    class Writer(DataSourceWriter):
        def __init__(self) -> None:
            self.state = 0

        def write(self, iterator: Iterator[Any]) -> WriterCommitMessage:
            self.state += 1
            count = 0
            if fails == "before reading":
                raise ValueError("boom before reading")
            for one in iterator:
                count += one.num_rows if arrow else 1
                trace.add(
                    "batch" if arrow else "row", one.to_pylist() if arrow else one.asDict(True), type(one).__name__
                )
                if fails == "write":
                    raise ValueError("boom in write")
            if fails == "returns None":
                return None  # type: ignore[return-value]
            return Wrote(count)

        def commit(self, messages: list[Any]) -> None:
            trace.add("commit", sorted(one.rows for one in messages), self.state)
            if fails in ("commit", "commit and abort"):
                raise ValueError("boom in commit")

        def abort(self, messages: list[Any]) -> None:
            trace.add("abort", [one and one.rows for one in messages], self.state)
            if fails == "commit and abort":
                raise ValueError("boom in abort")

    class ArrowWriter(Writer, DataSourceArrowWriter):
        pass

    class Writing(DataSource):
        @classmethod
        def name(cls) -> str:
            return "writing"

        def schema(self) -> str:
            trace.add("schema")
            return "id bigint, s string"

        def writer(self, schema: StructType, overwrite: bool) -> DataSourceWriter:
            trace.add("writer", schema.simpleString(), overwrite, dict(self.options), [f.nullable for f in schema])
            if fails == "writer":
                raise ValueError("boom in writer")
            if fails == "an object":
                return object()  # type: ignore[return-value]
            return ArrowWriter() if arrow else Writer()

    return Writing


def test_rows(spark: SparkSession, trace: Trace) -> None:
    spark.dataSource.register(writing(trace))
    frame = spark.range(5).selectExpr("id", "nullif('s', 'x') AS s")
    frame.write.format("writing").mode("append").option("Where", "here").save("/out")
    assert trace.of("writer") == [
        ["struct<id:bigint,s:string>", False, {"where": "here", "path": "/out"}, [False, True]]
    ]
    assert sorted(row["id"] for row, _ in trace.of("row")) == list(range(5))
    assert {kind for _, kind in trace.of("row")} == {"Row"}
    # What a task changes of its writer is not seen by the commit.
    ((counts, state),) = trace.of("commit")
    assert (sum(counts), state) == (5, 0)
    assert not trace.of("abort")
    assert not trace.of("schema")


@pytest.mark.parametrize(("mode", "overwrite"), [("append", False), ("overwrite", True)])
def test_modes(spark: SparkSession, trace: Trace, mode: str, overwrite: bool) -> None:
    spark.dataSource.register(writing(trace))
    spark.range(1).write.format("writing").mode(mode).save()
    assert [given for _, given, _, _ in trace.of("writer")] == [overwrite]


@pytest.mark.parametrize(("mode", "name"), [(None, "ErrorIfExists"), ("error", "ErrorIfExists"), ("ignore", "Ignore")])
def test_modes_that_spark_refuses(spark: SparkSession, trace: Trace, mode: str | None, name: str) -> None:
    spark.dataSource.register(writing(trace))
    writer = spark.range(1).write.format("writing")
    with pytest.raises(AnalysisException) as caught:
        (writer.mode(mode) if mode else writer).save()
    assert caught.value.getCondition() == "UNSUPPORTED_DATA_SOURCE_SAVE_MODE"
    assert caught.value.getSqlState() == "0A000"
    parameters = caught.value.getMessageParameters() or {}
    assert (parameters["source"], parameters["createMode"]) == ("writing", f'"{name}"')
    assert f'The data source "writing" cannot be written in the "{name}" mode.' in str(caught.value)
    assert not trace.of("writer")


@pytest.mark.parametrize("arrow", [False, True])
@pytest.mark.parametrize(
    "empty",
    [
        lambda spark: spark.range(0),
        lambda spark: spark.createDataFrame([], "id bigint"),
        lambda spark: spark.range(5).where("id < 0"),
    ],
)
def test_an_empty_frame_has_a_task(
    spark: SparkSession, trace: Trace, arrow: bool, empty: Callable[[SparkSession], Any]
) -> None:
    spark.dataSource.register(writing(trace, arrow=arrow))
    empty(spark).write.format("writing").mode("append").save()
    ((counts, _),) = trace.of("commit")
    assert counts
    assert sum(counts) == 0


TYPES = """
SELECT 1 AS i, 'x' AS s, 1.5BD AS d, date'2020-01-02' AS da, timestamp'2020-01-02 03:04:05' AS ts,
    timestamp_ntz'2020-01-02 03:04:05' AS ntz, array(1, NULL) AS a, map('k', 1) AS m,
    named_struct('x', 1, 'y', named_struct('z', 'z')) AS st, X'6162' AS b, true AS bo, 1.5F AS f
"""


def test_values_of_rows(spark: SparkSession, tmp_path: Path) -> None:
    path = tmp_path / "row"

    class Writer(DataSourceWriter):
        def write(self, iterator: Iterator[Any]) -> WriterCommitMessage:
            path.write_text("\n".join(map(repr, iterator)))
            return WriterCommitMessage()

    class Values(DataSource):
        def writer(self, schema: Any, overwrite: bool) -> DataSourceWriter:
            return Writer()

    spark.dataSource.register(Values)
    spark.sql(TYPES).write.format("values").mode("append").save()
    at = dt.datetime(2020, 1, 2, 3, 4, 5)
    # An instant comes without a zone, in the zone of the machine.
    local = at.replace(tzinfo=dt.timezone.utc).astimezone().replace(tzinfo=None)
    expected = Row(
        i=1,
        s="x",
        d=Decimal("1.5"),
        da=dt.date(2020, 1, 2),
        ts=local,
        ntz=at,
        a=[1, None],
        m={"k": 1},
        st=Row(x=1, y=Row(z="z")),
        b=b"ab",
        bo=True,
        f=1.5,
    )
    assert path.read_text() == repr(expected)


def test_types_of_batches(spark: SparkSession, tmp_path: Path) -> None:
    path = tmp_path / "schema"

    class Writer(DataSourceArrowWriter):
        def write(self, iterator: Iterator[pa.RecordBatch]) -> WriterCommitMessage:
            for batch in iterator:
                path.write_bytes(batch.schema.serialize().to_pybytes())
            return WriterCommitMessage()

    class Types(DataSource):
        def writer(self, schema: Any, overwrite: bool) -> DataSourceWriter:
            return Writer()

    spark.dataSource.register(Types)
    spark.sql(TYPES).write.format("types").mode("append").save()
    schema = pa.ipc.read_schema(pa.py_buffer(path.read_bytes()))
    zone = spark.conf.get("spark.sql.session.timeZone")
    x = pa.field("x", pa.int32(), nullable=False)
    z = pa.field("z", pa.string(), nullable=False)
    assert {field.name: field.type for field in schema} == {
        "i": pa.int32(),
        "s": pa.string(),
        "d": pa.decimal128(2, 1),
        "da": pa.date32(),
        "ts": pa.timestamp("us", zone),
        "ntz": pa.timestamp("us"),
        "a": pa.list_(pa.field("element", pa.int32())),
        "m": pa.map_(pa.string(), pa.field("value", pa.int32(), nullable=False)),
        "st": pa.struct([x, pa.field("y", pa.struct([z]), nullable=False)]),
        "b": pa.binary(),
        "bo": pa.bool_(),
        "f": pa.float32(),
    }


@pytest.mark.parametrize("arrow", [False, True])
@pytest.mark.parametrize("fails", ["before reading", "write"])
def test_a_task_that_fails(spark: SparkSession, trace: Trace, arrow: bool, fails: str) -> None:
    spark.dataSource.register(writing(trace, arrow=arrow, fails=fails))
    with pytest.raises(PythonException, match=rf"ValueError: boom {fails if fails[0] == 'b' else 'in write'}"):
        spark.range(4).write.format("writing").mode("append").save()
    ((messages, _),) = trace.of("abort")
    assert None in messages
    assert not trace.of("commit")


def test_a_query_that_fails(spark: SparkSession, trace: Trace) -> None:
    spark.dataSource.register(writing(trace))
    with pytest.raises(PySparkException) as caught:
        spark.range(4).selectExpr("1 / (id - 2) AS x").write.format("writing").mode("append").save()
    assert caught.value.getCondition() == "DIVIDE_BY_ZERO"
    assert len(trace.of("abort")) == 1
    assert not trace.of("commit")


def test_a_return_that_is_no_message(spark: SparkSession, trace: Trace) -> None:
    spark.dataSource.register(writing(trace, fails="returns None"))
    with pytest.raises(PythonException) as caught:
        spark.range(1).write.format("writing").mode("append").save()
    reason = "Expected 'WriterCommitMessage' as the return type of the `write` method, but got NoneType."
    assert f"[DATA_SOURCE_TYPE_MISMATCH] {reason}" in str(caught.value)
    assert len(trace.of("abort")) == 1


@pytest.mark.parametrize("fails", ["commit", "commit and abort"])
def test_a_commit_that_fails(spark: SparkSession, trace: Trace, fails: str) -> None:
    spark.dataSource.register(writing(trace, fails=fails))
    with pytest.raises(AnalysisException) as caught:
        spark.range(4).write.format("writing").mode("append").save()
    assert caught.value.getCondition() == "PYTHON_DATA_SOURCE_ERROR"
    parameters = caught.value.getMessageParameters() or {}
    assert (parameters["action"], parameters["type"]) == ("commit or abort", "write")
    assert "Failed to commit or abort Python data source write: ValueError: boom in commit" in str(caught.value)
    ((messages, _),) = trace.of("abort")
    assert sum(messages) == 4


@pytest.mark.parametrize(
    ("fails", "reason"),
    [
        ("writer", "ValueError: boom in writer"),
        ("an object", "Expected an instance of DataSourceWriter, but got 'object'."),
    ],
)
def test_a_writer_that_is_none(spark: SparkSession, trace: Trace, fails: str, reason: str) -> None:
    spark.dataSource.register(writing(trace, fails=fails))
    with pytest.raises(AnalysisException) as caught:
        spark.range(4).write.format("writing").mode("append").save()
    parameters = caught.value.getMessageParameters() or {}
    assert (parameters["action"], parameters["type"]) == ("initialize", "writer")
    assert reason in str(caught.value)
    assert not trace.of("abort")


def test_a_source_that_only_reads(spark: SparkSession) -> None:
    class ReadsOnly(DataSource):
        def schema(self) -> str:
            return "id bigint"

    spark.dataSource.register(ReadsOnly)
    with pytest.raises(AnalysisException, match=r"\[NOT_IMPLEMENTED\] writer is not implemented") as caught:
        spark.range(4).write.format("readsonly").mode("append").save()
    assert caught.value.getCondition() == "PYTHON_DATA_SOURCE_ERROR"


def test_a_view_that_is_inserted_into(spark: SparkSession, trace: Trace) -> None:
    spark.dataSource.register(writing(trace))
    spark.sql("CREATE TEMPORARY VIEW written USING writing OPTIONS (Foo 'Bar')")
    spark.sql("INSERT INTO written VALUES (1, 'x')")
    spark.sql("INSERT OVERWRITE written VALUES (2, 'y')")
    spark.sql("INSERT INTO written (s, id) VALUES ('z', 3)")
    assert [(given, options) for _, given, options, _ in trace.of("writer")] == [
        (False, {"foo": "Bar"}),
        (True, {"foo": "Bar"}),
        (False, {"foo": "Bar"}),
    ]
    assert [row for row, _ in trace.of("row")] == [{"id": 1, "s": "x"}, {"id": 2, "s": "y"}, {"id": 3, "s": "z"}]
    assert len(trace.of("commit")) == 3


def test_a_table(spark: SparkSession, trace: Trace) -> None:
    spark.dataSource.register(writing(trace))
    rows = spark.createDataFrame([(1, "x")], "id bigint, s string")
    rows.write.format("writing").option("Foo", "Bar").saveAsTable("written_table")
    with pytest.raises(AnalysisException) as caught:
        rows.write.format("writing").saveAsTable("written_table")
    assert caught.value.getCondition() == "TABLE_OR_VIEW_ALREADY_EXISTS"
    rows.write.format("writing").mode("ignore").saveAsTable("written_table")
    rows.write.format("writing").mode("append").saveAsTable("written_table")
    spark.sql("INSERT INTO written_table VALUES (2, 'y')")
    rows.write.format("writing").mode("overwrite").saveAsTable("written_table")
    assert [given for _, given, _, _ in trace.of("writer")] == [False, False, False, True]
    assert [row["id"] for row, _ in trace.of("row")] == [1, 1, 2, 1]


def test_column_names_that_repeat(spark: SparkSession, trace: Trace) -> None:
    spark.dataSource.register(writing(trace))
    with pytest.raises(UnsupportedOperationException) as caught:
        spark.sql("SELECT 1 AS a, 2 AS a").write.format("writing").mode("append").save()
    assert caught.value.getCondition() == "DUPLICATED_FIELD_NAME_IN_ARROW_STRUCT"
    assert not trace.of("commit")
