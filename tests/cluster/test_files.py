"""Files that executors write, on a file system that they share with the server: all or none, as from one machine."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from pyspark.errors import AnalysisException, PySparkException
from pyspark.sql import DataFrame, SparkSession

from tests.cluster.answers import RUNNER, answer, read
from tests.support.cluster import running_cluster
from tests.support.session import cluster_session

PARTITIONS = 8


def rows(spark: SparkSession) -> DataFrame:
    return read(spark, "Rows", partitions=PARTITIONS).select("k", "g", "s")


def found(spark: SparkSession, table: Path, kind: str) -> Any:
    return answer(spark.read.schema("k long, s string, g int").format(kind).load(str(table)), ordered=False)


def numbers(table: Path) -> list[int]:
    """The partitions that files are of, by their names; fails the test where anything else lies there."""
    files = sorted(path.name for path in table.rglob("*") if path.is_file() and path.name != "_SUCCESS")
    assert all(file.startswith("part-") for file in files), files
    assert (table / "_SUCCESS").exists()
    return sorted({int(file.split("-")[1]) for file in files})


@pytest.mark.parametrize("kind", ["parquet", "csv", "json"])
def test_as_from_one_machine(spark: SparkSession, tmp_path: Path, kind: str) -> None:
    for runner in ("local", "cluster"):
        spark.conf.set(RUNNER, runner)
        rows(spark).write.format(kind).partitionBy("g").save(str(tmp_path / runner))
    assert found(spark, tmp_path / "cluster", kind) == found(spark, tmp_path / "local", kind)
    assert numbers(tmp_path / "cluster") == list(range(PARTITIONS))
    folders = [sorted(path.name for path in (tmp_path / runner).glob("g=*")) for runner in ("local", "cluster")]
    assert folders[0] == folders[1] != []


def test_modes(spark: SparkSession, tmp_path: Path) -> None:
    table, frame = tmp_path / "table", rows(spark)
    frame.write.parquet(str(table))
    with pytest.raises(AnalysisException, match="PATH_ALREADY_EXISTS"):
        frame.write.parquet(str(table))
    frame.write.mode("append").parquet(str(table))
    assert spark.read.parquet(str(table)).count() == 2 * frame.count()
    frame.filter("k < 7").write.mode("overwrite").parquet(str(table))
    assert sorted(row.k for row in spark.read.parquet(str(table)).collect()) == list(range(7))
    frame.limit(0).write.mode("overwrite").parquet(str(table))
    assert spark.read.parquet(str(table)).dtypes == frame.dtypes
    assert not (table / "_temporary").exists()


def test_nothing_is_left_of_a_query_that_fails(spark: SparkSession, tmp_path: Path) -> None:
    with pytest.raises(PySparkException, match="the fifth is not there"):
        read(spark, "Failing").write.parquet(str(tmp_path / "table"))
    assert not (tmp_path / "table").exists()


def test_the_server_writes_where_nothing_else_is_said(spark: SparkSession, tmp_path: Path) -> None:
    spark.conf.set(RUNNER, "auto")
    try:
        rows(spark).write.parquet(str(tmp_path / "table"))
    finally:
        spark.conf.set(RUNNER, "cluster")
    assert found(spark, tmp_path / "table", "parquet").rows != []


APART = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs none "$0" && exec "$@"']
"""Runs a command for which an empty folder lies at a path."""


def _why_not() -> str | None:
    if os.geteuid() != 0:
        return "only root may hide a folder from a process"
    tried = subprocess.run([*APART, "/mnt", "true"], capture_output=True, text=True, check=False)
    return tried.stderr.strip() or None if tried.returncode else None


WHY_NOT = _why_not()


@pytest.mark.skipif(WHY_NOT is not None, reason=str(WHY_NOT))
def test_an_executor_that_has_other_files(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    with running_cluster(tmp_path, executors=0) as cluster, cluster_session(cluster) as session:
        apart = cluster.join(within=[*APART, str(shared)])
        with pytest.raises(PySparkException, match=r"WRITE_FOLDER_NOT_FOUND.*share a file system"):
            rows(session).write.parquet(str(shared / "table"))
        assert list(shared.iterdir()) == []
        apart.kill()
        cluster.join()
        rows(session).write.parquet(str(shared / "table"))
        assert numbers(shared / "table") == list(range(PARTITIONS))
