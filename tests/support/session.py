"""A client's session with a cluster."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pyspark.sql import SparkSession

from tests.support.cluster import Cluster

__all__ = ["cluster_session"]


@contextmanager
def cluster_session(cluster: Cluster) -> Iterator[SparkSession]:
    """A session whose queries run on the executors, ended whatever becomes of the server.

    Left open, it would be the active session, to which PySpark's checkpoints of other tests go.
    """
    session = SparkSession.builder.remote(cluster.url).create()
    session.conf.set("spark.sheetbend.runner", "cluster")
    try:
        yield session
    finally:
        # Else it would go on for minutes to try to reach a server that is gone.
        session.client.set_retry_policies([])
        session.stop()
