"""Clusters of processes on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from tests.support.cluster import Cluster, running_cluster
from tests.support.session import cluster_session


@pytest.fixture(scope="package")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Two executors of one vcore."""
    folder = tmp_path_factory.mktemp("pair")
    with (folder / "log").open("w") as log, running_cluster(folder, log=log) as running:
        yield running


@pytest.fixture(scope="module")
def spark(pair: Cluster) -> Iterator[SparkSession]:
    """A session whose queries run on the executors, or fail."""
    with cluster_session(pair) as session:
        yield session


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Where plug-ins write down what they are called for."""
    return tmp_path / "calls"
