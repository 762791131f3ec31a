"""The tables of TPC-H as Parquet files, and how a session comes to know them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

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
    return spark.read.parquet(str(folder / f"{name}.parquet"))


def register(spark: SparkSession, folder: Path) -> None:
    """Makes the tables temporary views of the session."""
    for name in TABLES:
        table(spark, folder, name).createOrReplaceTempView(name)
