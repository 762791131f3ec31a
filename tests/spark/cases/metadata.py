"""Which file a row is of: ``input_file_name()`` and the hidden column ``_metadata``."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path
from typing import Any

from .model import Case, Run, frames

_ROOT = tempfile.TemporaryDirectory(prefix="metadata-")
"""Both servers run on this machine, and as this user."""


@functools.cache
def _folder(spark: Any) -> Path:
    """Files of each format, and partitions whose folder is not plain ASCII."""
    root = Path(tempfile.mkdtemp(dir=_ROOT.name))
    for name, text in {"a b.csv": "1,x\n2,y\n", "c%d.csv": "3,z\n"}.items():
        (root / "csv").mkdir(exist_ok=True)
        (root / "csv" / name).write_text(text)
    (root / "json").mkdir()
    (root / "json" / "ü.json").write_text('{"a": 1, "_metadata": "own"}\n')
    (root / "text").mkdir()
    (root / "text" / "q?.txt").write_text("one\ntwo\n")
    for part in ("k=1", "k=2"):
        (root / "parts" / part).mkdir(parents=True)
        (root / "parts" / part / "a.csv").write_text("7\n")
    spark.sql("select 1 a, 'x' b").coalesce(1).write.parquet(str(root / "parquet"))
    return root


def _of(form: str, *columns: str) -> Run:
    return lambda spark, F: _read(spark, form).selectExpr(*columns)


def _read(spark: Any, form: str) -> Any:
    return spark.read.format("csv" if form == "parts" else form).load(str(_folder(spark) / form))


NAME = "substring_index(input_file_name(), '/', -1) name"
LENGTHS = "length(input_file_name()) - length(_metadata.file_path) longer"
BLOCK = ("input_file_block_start()", "input_file_block_length()")

CASES: list[Case] = frames(
    {
        "columns": lambda spark, F: _read(spark, "csv").columns,
        "star": _of("csv", "*"),
        "types": lambda spark, F: _read(spark, "csv").select("_metadata").schema.treeString(),
        "name, size and block": _of(
            "csv",
            "_c0",
            "_metadata.file_name",
            "_metadata.file_size",
            "_metadata.file_block_start",
            "_metadata.file_block_length",
        ),
        "path": _of("csv", "substring_index(_metadata.file_path, '/', -2)", "substring(_metadata.file_path, 1, 6)"),
        "time": _of("csv", "_metadata.file_modification_time between now() - interval 1 day and now() v"),
        "of text": _of("text", "value", "_metadata.file_name"),
        "of Parquet": _of("parquet", "a", "_metadata.file_name like 'part-%.parquet' v", "_metadata.file_size > 0 s"),
        "of partitions": _of("parts", "k", "substring_index(_metadata.file_path, '/', -2) v"),
        "a column of that name": _of("json", "a", "_metadata"),
        "name by function": _of("csv", "_c0", NAME, "substring(input_file_name(), 1, 8) v"),
        "name and path": _of("csv", LENGTHS),
        "blocks by function": _of("csv", *BLOCK),
        "blocks of Parquet": _of("parquet", "input_file_block_length() = _metadata.file_size v"),
        "no file": lambda spark, F: spark.range(1).selectExpr("input_file_name()", *BLOCK),
        "no column": lambda spark, F: spark.range(1).select("_metadata"),
        "filter on it": lambda spark, F: (
            _read(spark, "csv").where("_metadata.file_name = 'a%20b.csv'").selectExpr("_c0", "_c1")
        ),
        "filter on the function": lambda spark, F: _read(spark, "csv").where("input_file_name() like '%25d.csv'"),
        "after a projection": lambda spark, F: _read(spark, "csv").select("_c0").selectExpr("_c0", NAME),
        "after new columns": lambda spark, F: (
            _read(spark, "csv").withColumn("n", F.expr("_c0 + 1")).selectExpr("n", "_metadata.file_name")
        ),
        "as a new column": lambda spark, F: _read(spark, "csv").withColumn("n", F.expr("_metadata.file_name")),
        "after renaming and dropping": lambda spark, F: (
            _read(spark, "csv").withColumnRenamed("_c0", "x").drop("_c1").selectExpr("x", "_metadata.file_name")
        ),
        "after filter and limit": lambda spark, F: (
            _read(spark, "csv").where("_c0 > 2").limit(5).select("_metadata.file_name")
        ),
        "by an alias": lambda spark, F: _read(spark, "csv").alias("t").select("t._c0", "t._metadata.file_size"),
        "sorted by it": lambda spark, F: _read(spark, "csv").orderBy("_metadata.file_name", "_c0").select("_c0"),
        "grouped by it": lambda spark, F: _read(spark, "csv").groupBy("_metadata.file_name").count(),
        "after an aggregate": lambda spark, F: _read(spark, "csv").groupBy("_c0").count().select("_metadata"),
        "its members": lambda spark, F: _read(spark, "csv").select("_metadata.*").columns,
        "in SQL": lambda spark, F: spark.sql(
            f"select _c0, _metadata.file_name, {NAME} from csv.`{_folder(spark)}/csv` where _metadata.file_size < 5"
        ),
        "of a view": lambda spark, F: (
            _read(spark, "csv").createOrReplaceTempView("of_files"),
            spark.sql("select _metadata from of_files"),
        )[1],
        "of a table": lambda spark, F: (
            spark.sql("drop table if exists of_files_table"),
            spark.sql(f"create table of_files_table (x int, y string) using csv location '{_folder(spark)}/csv'"),
            spark.sql("select x, _metadata.file_name from of_files_table"),
        )[2],
        "joined": lambda spark, F: (
            _read(spark, "csv").alias("l").join(_read(spark, "text").alias("r")).selectExpr("input_file_name()")
        ),
        "joined by names": lambda spark, F: (
            _read(spark, "csv")
            .alias("l")
            .join(_read(spark, "text").alias("r"))
            .select("l._metadata.file_name", F.expr("r._metadata.file_size"))
        ),
        "two of them": lambda spark, F: _read(spark, "csv").join(_read(spark, "text")).select("_metadata"),
        "too many arguments": _of("csv", "input_file_name(1)"),
    }
)
