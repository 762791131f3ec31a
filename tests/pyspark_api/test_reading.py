"""Data sources of PySpark's own API, read by a stock client."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pyspark.errors import AnalysisException, PySparkException, PythonException
from pyspark.sql import SparkSession
from pyspark.sql.datasource import DataSource, DataSourceReader, InputPartition

from tests.pyspark_api import sources
from tests.support.server import wait_until


def test_fake_data(spark: SparkSession) -> None:
    spark.dataSource.register(sources.FakePeople)
    people = spark.read.format("people").option("numRows", 50).load()
    assert people.columns == ["name", "town", "age"]
    assert people.count() == 50
    assert people.filter("age >= 0 and name like 'name %'").count() == 50
    same = spark.read.format("PEOPLE").option("NUMROWS", "50").load()
    assert sorted(people.collect()) == sorted(same.collect())


def test_the_users_schema_goes_to_the_reader(spark: SparkSession) -> None:
    spark.dataSource.register(sources.FakePeople)
    people = spark.read.format("people").schema("shoe int, colour string NOT NULL").load()
    assert people.schema.simpleString() == "struct<shoe:int,colour:string>"
    assert [row.colour.split()[0] for row in people.collect()] == ["colour"] * 3


def test_state_is_seen_by_the_methods_by_which_spark_sees_it(spark: SparkSession) -> None:
    spark.dataSource.register(sources.Counter)
    counter = spark.read.format("counter").option("parts", 3).option("ROWS", 4).load()
    rows = counter.collect()
    assert sorted(row.number for row in rows) == list(range(12))
    # The reader is pickled before it plans the partitions, and each of them is read by a copy.
    assert {row.calls for row in rows} == {"init schema reader read"}
    given = counter.sparkSession.read.format("counter").schema("number long, calls string")
    assert {row.calls for row in given.options(parts=2, rows=1).load().collect()} == {"init reader read"}


def test_a_view_that_is_read_twice_has_no_state_of_the_first_read(spark: SparkSession) -> None:
    spark.dataSource.register(sources.Counter)
    spark.read.format("counter").options(parts=2, rows=2).load().createOrReplaceTempView("counted")
    rows = spark.sql("SELECT a.calls FROM counted a JOIN counted b USING (number)").collect()
    assert [row.calls for row in rows] == ["init schema reader read"] * 4
    assert {row.calls for row in spark.table("counted").collect()} == {"init schema reader read"}


def test_batches_are_taken_by_name(spark: SparkSession) -> None:
    spark.dataSource.register(sources.Batches)
    batches = spark.read.format("Batches").load()
    assert batches.schema.simpleString() == "struct<number:bigint,words:array<string>>"
    assert batches.orderBy("number").take(3) == [(0, []), (1, ["word"]), (2, ["word", "word"])]
    assert batches.count() == 30


def test_a_class_that_only_the_client_has(spark: SparkSession) -> None:
    unit = "m"

    def shown(metres: float) -> str:
        return f"{metres:.1f} {unit}"

    class Reader(DataSourceReader):
        def __init__(self, hours: int) -> None:
            self.hours = hours

        def read(self, partition: InputPartition) -> Iterator[tuple[int, str]]:
            return ((hour, shown(hour / 2)) for hour in range(self.hours))

    class Tides(DataSource):
        def schema(self) -> str:
            return "hour int, height string"

        def reader(self, schema: Any) -> DataSourceReader:
            return Reader(int(self.options["hours"]))

    spark.dataSource.register(Tides)
    assert spark.read.format("tides").load(hours=3).collect() == [(0, "0.0 m"), (1, "0.5 m"), (2, "1.0 m")]


def test_registering_again_replaces(spark: SparkSession) -> None:
    def numbered(number: int) -> type[DataSource]:
        class Numbered(DataSource):
            def schema(self) -> str:
                return "number int"

            def reader(self, schema: Any) -> DataSourceReader:
                return Reader()

        class Reader(DataSourceReader):
            def read(self, partition: InputPartition) -> Iterator[tuple[int]]:
                yield (number,)

        return Numbered

    spark.dataSource.register(numbered(1))
    assert spark.read.format("numbered").load().collect() == [(1,)]
    spark.dataSource.register(numbered(2))
    assert spark.read.format("NUMBERED").load().collect() == [(2,)]


def test_a_source_belongs_to_its_session(spark: SparkSession, new_session: Callable[[], SparkSession]) -> None:
    class Mine(sources.FakePeople):
        @classmethod
        def name(cls) -> str:
            return "mine"

    spark.dataSource.register(Mine)
    assert spark.read.format("mine").load().count() == 3
    with pytest.raises(PySparkException) as caught:
        new_session().read.format("mine").load().count()
    assert caught.value.getCondition() == "DATA_SOURCE_NOT_FOUND"


@pytest.mark.parametrize("name", ["jdbc", "S3", "rest", "python"])
def test_a_name_that_the_server_keeps(spark: SparkSession, name: str) -> None:
    class Other(sources.FakePeople):
        pass

    Other.name = classmethod(lambda cls: name)  # type: ignore[method-assign, assignment]
    with pytest.raises(AnalysisException) as caught:
        spark.dataSource.register(Other)
    assert caught.value.getCondition() == "DATA_SOURCE_ALREADY_EXISTS"
    assert caught.value.getSqlState() == "42710"
    assert caught.value.getMessageParameters() == {"provider": name}


def test_a_source_of_the_server_is_shadowed_in_one_session(
    spark: SparkSession, new_session: Callable[[], SparkSession]
) -> None:
    class Numbers(sources.FakePeople):
        @classmethod
        def name(cls) -> str:
            return "numbers"

    other = new_session()
    other.dataSource.register(Numbers)
    assert other.read.format("numbers").load().columns == ["name", "town", "age"]
    assert "name" not in spark.read.format("numbers").load().columns


@pytest.mark.parametrize(
    ("name", "pickled", "version", "reason"),
    [
        ("garbage", b"nonsense", None, "UnpicklingError: invalid load key, 'n'."),
        ("old", None, "3.9", "[PYTHON_VERSION_MISMATCH] Python in worker has different version"),
        ("unknown", None, "", "[PYTHON_VERSION_MISMATCH] Python in worker has different version"),
        ("other", None, None, "Expected provider with name people, but got 'other'."),
        ("number", 5, None, "Expected a subclass of DataSource, but got 'int'."),
    ],
)
def test_a_pickle_that_is_no_source_fails_when_it_is_loaded(
    spark: SparkSession, name: str, pickled: Any, version: str | None, reason: str
) -> None:
    """As in Spark, where registering looks at nothing but the name."""
    import sys

    from pyspark import cloudpickle

    if not isinstance(pickled, bytes):
        pickled = cloudpickle.dumps(sources.FakePeople if pickled is None else pickled)
    request = spark._client._execute_plan_request_with_metadata()  # type: ignore[attr-defined]
    message = request.plan.command.register_data_source
    message.name = name
    message.python_data_source.command = pickled
    message.python_data_source.python_ver = ".".join(map(str, sys.version_info[:2])) if version is None else version
    spark._client._execute(request)  # type: ignore[attr-defined]
    with pytest.raises(AnalysisException) as caught:
        spark.read.format(name).load().count()
    assert caught.value.getCondition() == "PYTHON_DATA_SOURCE_ERROR"
    assert (caught.value.getMessageParameters() or {})["action"] == "create"
    assert reason in str(caught.value)


def test_a_bad_row_is_named(spark: SparkSession) -> None:
    class Reader(DataSourceReader):
        def partitions(self) -> list[InputPartition]:
            return [InputPartition(0), InputPartition(1)]

        def read(self, partition: InputPartition) -> Iterator[tuple[Any, str]]:
            for row in range(30_000):
                yield (row if (partition.value, row) != (1, 20_517) else "many"), "x"

    class Bad(DataSource):
        def schema(self) -> str:
            return "number long, word string"

        def reader(self, schema: Any) -> DataSourceReader:
            return Reader()

    spark.dataSource.register(Bad)
    with pytest.raises(PythonException) as caught:
        spark.read.format("bad").load().count()
    assert "partition 1 gave a bad value in row 20517 for column 'number' (bigint)" in str(caught.value)
    assert "Could not convert 'many' with type str: tried to convert to int64" in str(caught.value)


def test_the_first_rows_come_while_the_source_still_reads(spark: SparkSession, tmp_path: Path) -> None:
    ended = tmp_path / "ended"

    class Reader(DataSourceReader):
        def read(self, partition: InputPartition) -> Iterator[tuple[int]]:
            try:
                for number in range(1_000_000):
                    yield (number,)
                    time.sleep(0.01)
            finally:
                ended.touch()

    class Slow(DataSource):
        def schema(self) -> str:
            return "number long"

        def reader(self, schema: Any) -> DataSourceReader:
            return Reader()

    spark.dataSource.register(Slow)
    started = time.monotonic()
    assert spark.read.format("slow").load().limit(3).count() == 3
    assert time.monotonic() - started < 2
    wait_until(ended.exists, 2, "the generator is closed")


def test_an_interrupt_ends_a_read(new_session: Callable[[], SparkSession], tmp_path: Path) -> None:
    begun, ended = tmp_path / "begun", tmp_path / "ended"

    class Reader(DataSourceReader):
        def read(self, partition: InputPartition) -> Iterator[tuple[int]]:
            begun.touch()
            try:
                while True:
                    yield (1,)
                    time.sleep(0.01)
            finally:
                ended.touch()

    class Endless(DataSource):
        def schema(self) -> str:
            return "number long"

        def reader(self, schema: Any) -> DataSourceReader:
            return Reader()

    session = new_session()
    session.dataSource.register(Endless)
    failures: list[PySparkException] = []

    def count() -> None:
        try:
            session.read.format("endless").load().count()
        except PySparkException as error:
            failures.append(error)

    thread = threading.Thread(target=count)
    thread.start()
    wait_until(begun.exists, 10, "the read has begun")
    session.interruptAll()
    thread.join(10)
    assert [failure.getCondition() for failure in failures] == ["OPERATION_CANCELED"]
    wait_until(ended.exists, 2, "the generator is closed")


def test_a_class_of_the_server_by_format_python(spark: SparkSession) -> None:
    reader = spark.read.format("python").option("python_module", "tests.pyspark_api.sources")
    assert reader.option("python_class", "FakePeople").option("numRows", 4).load().count() == 4


def test_a_secret_is_not_shown(spark: SparkSession, capsys: pytest.CaptureFixture[str]) -> None:
    canary = "hunter2-canary"

    class Reader(DataSourceReader):
        def __init__(self, options: Any) -> None:
            self.options = options

        def read(self, partition: InputPartition) -> Iterator[tuple[int]]:
            raise ValueError(f"cannot log in with {self.options['password']}")

    class Secretive(DataSource):
        def schema(self) -> str:
            if "broken" in self.options:
                raise ValueError(f"cannot log in with {self.options['password']}")
            return "number long"

        def reader(self, schema: Any) -> DataSourceReader:
            return Reader(self.options)

    spark.dataSource.register(Secretive)
    reader = spark.read.format("secretive").option("password", canary)
    reader.load().explain("extended")
    shown = [capsys.readouterr().out]
    for frame in (reader.load(), reader.option("broken", "yes").load()):
        with pytest.raises(PySparkException, match="cannot log in with") as caught:
            frame.collect()
        shown += [str(caught.value), str(caught.value.getMessageParameters())]
    assert canary not in "".join(shown)


def test_many_partitions(spark: SparkSession) -> None:
    spark.dataSource.register(sources.Counter)
    counter = spark.read.format("counter").options(parts=1_000, rows=3).load()
    assert counter.agg({"number": "sum"}).first() == (sum(range(3_000)),)
