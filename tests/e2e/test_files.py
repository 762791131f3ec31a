"""Files that the engine reads and writes itself: what a comparison with Spark does not show. The rest is in `tests/spark`."""

from __future__ import annotations

import datetime as dt
import gzip
import os
import random
import threading
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.errors import (
    AnalysisException,
    ArithmeticException,
    IllegalArgumentException,
    PySparkException,
    UnsupportedOperationException,
)
from pyspark.errors.exceptions.connect import SparkException
from pyspark.sql import DataFrame, SparkSession

from tests.support.server import wait_until


def rows(frame: DataFrame) -> list[tuple[Any, ...]]:
    return sorted((tuple(row) for row in frame.collect()), key=str)


def files(folder: Path) -> list[str]:
    """What lies below a folder, hidden or not."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def parts(folder: Path) -> list[Path]:
    return sorted(folder.rglob("part-*"))


# Parquet of other writers


def test_types_of_other_writers(spark: SparkSession, tmp_path: Path) -> None:
    day = dt.datetime(2024, 2, 29, 12, 30)
    table = pa.table(
        {
            "unsigned": pa.array([2**32 - 1, None], pa.uint32()),
            "huge": pa.array([2**64 - 1, None], pa.uint64()),
            "nanos": pa.array([day, None], pa.timestamp("ns")),
            "berlin": pa.array([day, None], pa.timestamp("ms", "Europe/Berlin")),
            "words": pa.array(["a", None]).dictionary_encode(),
            "large": pa.array(["a", None], pa.large_string()),
            "money": pa.array([Decimal("1.50"), None], pa.decimal128(21, 2)),
            "fixed": pa.array([b"ab", None], pa.binary(2)),
            "nested": pa.array([[{"p": [1]}], None]),
        }
    )
    pq.write_table(table, tmp_path / "all.parquet")
    found = spark.read.parquet(str(tmp_path))
    assert dict(found.dtypes) == {
        "unsigned": "bigint",
        "huge": "decimal(20,0)",
        "nanos": "timestamp_ntz",
        "berlin": "timestamp",
        "words": "string",
        "large": "string",
        "money": "decimal(21,2)",
        "fixed": "binary",
        "nested": "array<struct<p:array<bigint>>>",
    }
    first = found.filter("huge is not null").toArrow().to_pylist()
    assert first == [
        {
            "unsigned": 2**32 - 1,
            "huge": Decimal(2**64 - 1),
            "nanos": day,
            "berlin": day.replace(tzinfo=dt.timezone.utc),
            "words": "a",
            "large": "a",
            "money": Decimal("1.50"),
            "fixed": b"ab",
            "nested": [{"p": [1]}],
        }
    ]


def test_timestamps_of_96_bits_are_instants(spark: SparkSession, tmp_path: Path) -> None:
    """Years that nanoseconds of 64 bits do not hold, too."""
    at = [dt.datetime(2024, 2, 29, 12, 30, 0, 5), None]
    pq.write_table(pa.table({"at": at}), tmp_path / "a.parquet", use_deprecated_int96_timestamps=True)
    found = spark.read.parquet(str(tmp_path))
    assert found.dtypes == [("at", "timestamp")]
    assert found.toArrow()["at"].to_pylist()[0] == dt.datetime(2024, 2, 29, 12, 30, 0, 5, tzinfo=dt.timezone.utc)


def test_what_is_written_is_read_by_others(spark: SparkSession, tmp_path: Path) -> None:
    path = tmp_path / "out"
    spark.sql("select array(1, 2) as a, map('k', 1.5d) as m, timestamp'2024-02-29 12:30:00' as t").write.parquet(
        str(path)
    )
    table = pq.read_table(path)
    assert table.schema.field("t").type == pa.timestamp("us", "UTC")
    assert table.to_pylist() == [
        {"a": [1, 2], "m": [("k", 1.5)], "t": dt.datetime(2024, 2, 29, 12, 30, tzinfo=dt.timezone.utc)}
    ]
    names = [pq.ParquetFile(parts(path)[0]).schema.column(at).path for at in range(3)]
    assert names == ["a.list.element", "m.key_value.key", "m.key_value.value"]


def test_filters_leave_out_folders_and_row_groups(spark: SparkSession, tmp_path: Path) -> None:
    for year in (2023, 2024):
        folder = tmp_path / f"year={year}"
        folder.mkdir()
        pq.write_table(pa.table({"id": range(1000)}), folder / "a.parquet", row_group_size=100)
    chosen = spark.read.parquet(str(tmp_path)).filter("year = 2024 and id >= 950")
    chosen.createOrReplaceTempView("chosen")
    measured = spark.sql("EXPLAIN ANALYZE SELECT * FROM chosen").first()
    assert measured is not None
    assert "year=2024" in measured[0]
    assert "year=2023" not in measured[0]
    assert "row_groups_pruned_statistics=10 total → 1 matched" in measured[0]
    assert chosen.count() == 50


def test_statistics_of_columns_in_another_case(spark: SparkSession, tmp_path: Path) -> None:
    """Columns that a file has under another name of the same letters are not taken for missing ones."""
    pq.write_table(pa.table({"Id": [1, 2]}), tmp_path / "a.parquet")
    pq.write_table(pa.table({"ID": [3, 4]}), tmp_path / "b.parquet")
    found = spark.read.parquet(str(tmp_path))
    assert rows(found.filter("id > 1")) == [(2,), (3,), (4,)]
    assert found.filter("id is null").count() == 0
    assert rows(found.selectExpr("min(id)", "max(id)", "count(id)")) == [(1, 4, 4)]


# Writes are whole or nothing


def test_a_write_that_fails_leaves_nothing(spark: SparkSession, tmp_path: Path) -> None:
    path = tmp_path / "out"
    with pytest.raises(ArithmeticException):
        spark.sql("select id, 1 / (id - 90000) as x from range(100000)").write.parquet(str(path))
    wait_until(lambda: not path.exists(), 5, "the folder goes")


def test_a_write_that_is_interrupted_leaves_nothing(new_session: Callable[[], SparkSession], tmp_path: Path) -> None:
    path, spark = tmp_path / "out", new_session()

    def write() -> None:
        with pytest.raises(PySparkException):
            spark.range(10**12).write.csv(str(path))

    endless = threading.Thread(target=write)
    endless.start()
    wait_until(lambda: any(part.stat().st_size for part in path.rglob("part-*")), 20, "rows are written")
    spark.interruptAll()
    endless.join()
    wait_until(lambda: not path.exists(), 10, "the folder goes")


@pytest.mark.parametrize("mode", ["append", "overwrite"])
def test_a_write_that_fails_leaves_what_was_there(spark: SparkSession, tmp_path: Path, mode: str) -> None:
    path = tmp_path / "out"
    spark.range(3).coalesce(1).write.csv(str(path))
    before = files(path)
    with pytest.raises(ArithmeticException):
        spark.sql("select 1 / (id - 90000) as x from range(100000)").write.mode(mode).csv(str(path))
    wait_until(lambda: files(path) == before, 5, "what was there is there again")
    assert not (path / "_temporary").exists()
    assert rows(spark.read.csv(str(path))) == [("0",), ("1",), ("2",)]


def test_a_write_onto_what_it_reads(spark: SparkSession, tmp_path: Path) -> None:
    path = str(tmp_path / "out")
    spark.range(4).write.parquet(path)
    spark.read.parquet(path).selectExpr("id * 10 as id").write.mode("overwrite").parquet(path)
    assert rows(spark.read.parquet(path)) == [(0,), (10,), (20,), (30,)]


def test_writes_at_the_same_time_keep_all_rows(
    new_session: Callable[[], SparkSession], spark: SparkSession, tmp_path: Path
) -> None:
    path = str(tmp_path / "out")
    sessions = [new_session() for _ in range(4)]
    writes = [
        threading.Thread(target=lambda s=s, at=at: s.range(at, at + 10).write.mode("append").parquet(path))
        for at, s in zip(range(0, 40, 10), sessions, strict=True)
    ]
    for write in writes:
        write.start()
    for write in writes:
        write.join()
    assert rows(spark.read.parquet(path)) == sorted(((n,) for n in range(40)), key=str)
    assert not (tmp_path / "out" / "_temporary").exists()


def test_dynamic_overwrite_keeps_other_partitions(spark: SparkSession, tmp_path: Path) -> None:
    path = str(tmp_path / "out")
    spark.sql("select id, id % 3 as k from range(6)").write.partitionBy("k").parquet(path)
    fresh = spark.sql("select 100 as id, 1 as k").write.mode("overwrite").partitionBy("k")
    fresh.option("partitionOverwriteMode", "dynamic").parquet(path)
    assert rows(spark.read.parquet(path)) == [(0, 0), (100, 1), (2, 2), (3, 0), (5, 2)]
    spark.conf.set("spark.sql.sources.partitionOverwriteMode", "dynamic")
    try:
        spark.sql("select 200 as id, 2 as k").write.mode("overwrite").partitionBy("k").parquet(path)
    finally:
        spark.conf.unset("spark.sql.sources.partitionOverwriteMode")
    assert rows(spark.read.parquet(path)) == [(0, 0), (100, 1), (200, 2), (3, 0)]


def test_more_partitions_than_open_files(spark: SparkSession, tmp_path: Path) -> None:
    path = tmp_path / "out"
    spark.sql("select id, id % 300 as k from range(20000)").write.partitionBy("k").csv(str(path))
    found = spark.read.csv(str(path))
    assert found.groupBy("k").count().count() == 300
    assert found.count() == 20_000


def test_a_file_for_each_partition(spark: SparkSession, tmp_path: Path) -> None:
    spark.range(100_000).repartition(5).write.json(str(tmp_path / "five"))
    assert [part.name[:10] for part in parts(tmp_path / "five")] == [f"part-0000{at}" for at in range(5)]


# Tables


def test_tables_of_files(spark: SparkSession, tmp_path: Path) -> None:
    path = tmp_path / "t"
    frame = spark.sql("select id, id % 2 as k from range(4)")
    frame.write.option("path", str(path)).partitionBy("k").saveAsTable("kept")
    spark.sql("insert into kept values (10, 7)")
    assert rows(spark.table("kept")) == [(0, 0), (1, 1), (10, 7), (2, 0), (3, 1)]
    assert sorted(folder.name for folder in path.iterdir() if folder.is_dir()) == ["k=0", "k=1", "k=7"]
    spark.sql("insert overwrite kept values (1, 1)")
    assert rows(spark.table("kept")) == [(1, 1)]
    spark.sql(f"create table made (a int, b string) using csv options (path '{tmp_path / 'made'}', header 'true')")
    assert rows(spark.table("made")) == []
    spark.sql("insert into made values (1, 'x'), (2, null)")
    assert rows(spark.table("made")) == [(1, "x"), (2, None)]
    assert parts(tmp_path / "made")[0].read_text().startswith("a,b\n")


# Large files are read in parts


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_lines_of_a_large_file_come_once(spark: SparkSession, tmp_path: Path, end: str) -> None:
    numbers = [f"{n},{'x' * random.Random(n).randrange(60)}" for n in range(400_000)]
    (tmp_path / "a.csv").write_text("n,text\n" + end.join(numbers) + end, newline="")
    assert (tmp_path / "a.csv").stat().st_size > 12 << 20
    found = spark.read.csv(str(tmp_path), "n bigint, text string", header=True)
    total = found.selectExpr("count(*)", "sum(n)", "count(distinct n)").first()
    assert total is not None
    assert tuple(total) == (400_000, sum(range(400_000)), 400_000)
    assert spark.read.text(str(tmp_path)).count() == 400_001


# Bad input


def damaged(folder: Path) -> list[Path]:
    """Copies of a Parquet file: cut off, and with bytes that are others."""
    whole = folder / "whole"
    pq.write_table(
        pa.table({"a": range(5000), "s": [str(n) * 3 for n in range(5000)], "n": [{"p": [n]} for n in range(5000)]}),
        whole,
        row_group_size=1000,
    )
    data, chance, made = whole.read_bytes(), random.Random(7), []
    whole.unlink()
    for at in range(40):
        copy = bytearray(data[: chance.randrange(len(data))] if at < 10 else data)
        for _ in range(0 if at < 10 else chance.choice([1, 5, 50])):
            footer = at % 2 == 0
            copy[chance.randrange(len(copy) - 2000, len(copy)) if footer else chance.randrange(len(copy))] ^= 0x55
        made.append(folder / f"{at}.parquet")
        made[-1].write_bytes(copy)
    return made


def test_damaged_parquet_is_an_error_or_rows(spark: SparkSession, tmp_path: Path) -> None:
    """What the damage means to the values is chance; that the server answers is not."""
    conditions = set()
    for file in damaged(tmp_path):
        try:
            spark.read.parquet(str(file)).filter("length(s) > 1 and n.p[0] >= 0").collect()
        except PySparkException as error:
            conditions.add(error.getCondition())
    assert conditions == {"FAILED_READ_FILE.CANNOT_READ_FILE_FOOTER", "FAILED_READ_FILE.NO_HINT"}
    assert spark.range(3).count() == 3


@pytest.mark.parametrize("form", ["parquet", "csv", "json", "text"])
def test_a_file_that_vanishes(spark: SparkSession, tmp_path: Path, form: str) -> None:
    path = tmp_path / "out"
    spark.sql("select 'a' as value").write.format(form).save(str(path))
    spark.read.format(form).load(str(path)).createOrReplaceTempView("vanishing")
    for part in parts(path):
        part.unlink()
    with pytest.raises(SparkException) as caught:
        spark.table("vanishing").collect()
    assert caught.value.getCondition() == "FAILED_READ_FILE.FILE_NOT_EXIST"


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read every file")
def test_a_file_that_may_not_be_read(spark: SparkSession, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("1\n")
    (tmp_path / "a.csv").chmod(0)
    with pytest.raises(SparkException) as caught:
        spark.read.csv(str(tmp_path)).collect()
    assert caught.value.getCondition() == "FAILED_READ_FILE.NO_HINT"


def test_a_line_without_an_end(spark: SparkSession, tmp_path: Path) -> None:
    with (tmp_path / "a.txt").open("wb") as file:
        file.truncate(300 << 20)
    for read in (spark.read.text, spark.read.json, spark.read.csv):
        with pytest.raises(SparkException, match="longer than 256 MiB"):
            read(str(tmp_path)).collect()


@pytest.mark.parametrize("path", ["/dev/zero", "fifo"])
def test_what_is_no_file_is_refused(spark: SparkSession, tmp_path: Path, path: str) -> None:
    if path == "fifo":
        os.mkfifo(tmp_path / path)
    with pytest.raises(SparkException, match="neither a file nor a folder"):
        spark.read.text(str(tmp_path / path)).collect()


def test_folders_that_lead_back_are_entered_once(spark: SparkSession, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.txt").write_text("x\n")
    for name in ("one", "two"):
        (tmp_path / "a" / name).symlink_to(tmp_path)
    assert spark.read.option("recursiveFileLookup", True).text(str(tmp_path)).count() == 1


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ({"locale": "de-DE"}, UnsupportedOperationException),
        ({"unescapedQuoteHandling": "RAISE_ERROR"}, UnsupportedOperationException),
        ({"encoding": "UTF-16"}, UnsupportedOperationException),
        ({"quote": "''"}, PySparkException),
        ({"dateFormat": "bbbb"}, PySparkException),
        ({"maxColumns": "many"}, IllegalArgumentException),
        ({"pathGlobFilter": "[a"}, IllegalArgumentException),
        ({"header": "maybe"}, SparkException),
    ],
)
def test_options_that_are_not_taken(
    spark: SparkSession, tmp_path: Path, options: dict[str, str], kind: type[PySparkException]
) -> None:
    (tmp_path / "a.csv").write_text("1\n")
    with pytest.raises(kind):
        spark.read.options(**options).csv(str(tmp_path)).collect()


@pytest.mark.parametrize("path", ["hdfs://host/x", "gs://x/y", "http://host/x"])
def test_other_file_systems_are_refused(spark: SparkSession, path: str) -> None:
    with pytest.raises(UnsupportedOperationException, match="scheme"):
        spark.read.parquet(path).collect()
    with pytest.raises(UnsupportedOperationException, match="scheme"):
        spark.range(1).write.parquet(path)


def test_rows_of_too_many_values(spark: SparkSession, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("," * 30_000 + "\n")
    with pytest.raises(SparkException, match="maxColumns"):
        spark.read.csv(str(tmp_path)).collect()


def test_compressed_files_that_are_none(spark: SparkSession, tmp_path: Path) -> None:
    (tmp_path / "a.json.gz").write_bytes(b"\x1f\x8b nothing of the kind")
    with pytest.raises(SparkException) as caught:
        spark.read.json(str(tmp_path)).collect()
    assert caught.value.getCondition() == "FAILED_READ_FILE.NO_HINT"
    (tmp_path / "a.json.gz").write_bytes(gzip.compress(b'{"a": 1}\n' * 1000)[:-20])
    with pytest.raises(SparkException):
        spark.read.json(str(tmp_path)).collect()
    (tmp_path / "a.json.gz").rename(tmp_path / "a.json.bz2")
    with pytest.raises(UnsupportedOperationException, match="bz2"):
        spark.read.json(str(tmp_path)).collect()


def test_json_that_is_deep(spark: SparkSession, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("[" * 200_000 + "]" * 200_000 + '\n{"a": 1}\n')
    assert spark.read.json(str(tmp_path)).columns == ["_corrupt_record", "a"]


@pytest.mark.parametrize(("start", "end"), [("[", "]"), ('{"x": ', "}")])
def test_json_that_is_deep_and_right(spark: SparkSession, tmp_path: Path, start: str, end: str) -> None:
    """No client reads a schema of so many levels: the innermost are text."""
    (tmp_path / "a.json").write_text('{"a": ' + start * 300 + "1" + end * 300 + "}\n")
    found = spark.read.json(str(tmp_path))
    assert found.columns == ["a"]
    assert found.selectExpr("a is not null").first() == (True,)


def test_parquet_that_nobody_could_read(spark: SparkSession, tmp_path: Path) -> None:
    deep = "1"
    for _ in range(60):
        deep = f"array({deep})"
    with pytest.raises(UnsupportedOperationException, match="levels"):
        spark.sql(f"select {deep} as a").write.parquet(str(tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_a_plug_in_may_not_take_the_name_of_a_format(spark: SparkSession) -> None:
    from pyspark.sql.datasource import DataSource

    class Parquet(DataSource):
        @classmethod
        def name(cls) -> str:
            return "parquet"

    with pytest.raises(AnalysisException) as caught:
        spark.dataSource.register(Parquet)
    assert caught.value.getCondition() == "DATA_SOURCE_ALREADY_EXISTS"
