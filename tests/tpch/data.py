"""The tables of TPC-H as Parquet files, and how a session comes to know them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

TABLES = ("customer", "lineitem", "nation", "orders", "part", "partsupp", "region", "supplier")


def generate(folder: Path, scale: float) -> None:
    """Writes a Parquet file for each table: ``<folder>/<table>.parquet``."""
    command = Path(sys.executable).parent / "tpchgen-cli"
    subprocess.run(
        [str(command), "parquet", "--scale-factor", str(scale), "--output-dir", str(folder)],
        check=True,
        capture_output=True,
    )


def table(spark: SparkSession, folder: Path, name: str) -> DataFrame:
    """One of the tables."""
    return spark.read.format("parquet_file").load(str(folder / f"{name}.parquet"))


def register(spark: SparkSession, folder: Path) -> None:
    """Makes the tables temporary views of the session."""
    for name in TABLES:
        table(spark, folder, name).createOrReplaceTempView(name)


class ParquetFile:
    """A Parquet file, one row group after the other."""

    def infer_schema(self, options: Mapping[str, str]) -> pa.Schema:
        return pq.read_schema(options["path"])

    def plan_partitions(self, options: Mapping[str, str]) -> list[dict[str, int]]:
        return [{"group": group} for group in range(pq.ParquetFile(options["path"]).num_row_groups)]

    def read_partition(self, spec: Mapping[str, int], options: Mapping[str, str]) -> Iterator[pa.RecordBatch]:
        yield from pq.ParquetFile(options["path"]).iter_batches(row_groups=[spec["group"]])
