"""A cluster of two executors of one vcore, made whole for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from tests.cluster_faults.watching import alive
from tests.support.cluster import Cluster, running_cluster
from tests.support.session import cluster_session


@pytest.fixture(scope="session")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("cluster")
    with (folder / "log").open("w") as log, running_cluster(folder, log=log) as cluster:
        yield cluster


@pytest.fixture
def cluster(standing: Cluster) -> Cluster:
    while len(alive(standing)) < 2:
        standing.join()
    return standing


@pytest.fixture
def session(cluster: Cluster) -> Iterator[SparkSession]:
    with cluster_session(cluster) as session:
        yield session


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path
