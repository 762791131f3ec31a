"""The Rust half: a server that speaks Spark Connect, and a scan without one.

Log lines go to standard error, filtered by the environment variable ``SHEETBEND_LOG`` (``info``, ``warn``,
``sheetbend_connect=debug``, ...) as it is when this module is first imported.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import pyarrow as pa

__version__: str

class Server:
    """One server. It is started once and stopped once."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        detached_timeout: float,
        session_timeout: float,
        isolation: Mapping[str, str] = ...,
        cluster: Mapping[str, object] | None = None,
        clients: Mapping[str, object] | None = None,
        health: tuple[str, int] | None = None,
    ) -> None:
        """A server that is not started yet.

        Args:
            host: The IP address to listen on.
            port: The TCP port; 0 for a free one.
            detached_timeout: Seconds that a query goes on after its client went away.
            session_timeout: Seconds without a request after which a session and all it holds are dropped.
            isolation: Where the code of sources runs: options of :mod:`sheetbend.isolation`, as texts.
            cluster: What :meth:`sheetbend.cluster.ClusterOptions.native` gives.
            clients: What :meth:`sheetbend.clients.ClientOptions.native` gives; none to ask nothing of them.
            health: The address and port where it tells of its health; none to tell nobody.
        """

    @property
    def scheduler(self) -> str | None:
        """Where executors reach the server; none before the start, and where it has no cluster."""

    @property
    def health(self) -> str | None:
        """Where it tells of its health; none before the start, and where it does not."""

    def register(
        self, name: str, plugin: object, *, reserved: bool = False, isolation: Mapping[str, str] = ...
    ) -> None:
        """Adds a plug-in as the format ``name``, in place of one of that name. Possible before and after the start.

        No client can register a class under a name that is ``reserved``. With ``isolation="process"`` a class is made
        an instance of only where it runs.
        """

    def start(self) -> int:
        """Listens, and returns the port. Raises :class:`OSError` with its ``errno`` where it cannot."""

    def stop(self) -> None:
        """Cancels what runs, ends every session and thread, and returns when all have ended. Harmless when repeated."""

    def wait(self, timeout: float | None) -> bool:
        """Waits until the server has stopped, at most ``timeout`` seconds; returns whether it has."""

class Executor:
    """One executor. It is started once and stopped once."""

    def __init__(
        self,
        scheduler: str,
        *,
        trust: Mapping[str, object],
        python: str,
        plugins: Mapping[str, str],
        vcores: int,
        memory: int | None,
        work_dir: Path,
        bind: str | None,
        port: int,
        patience: float,
        drain: float,
        health: tuple[str, int] | None = None,
    ) -> None:
        """An executor that is not started yet; see :class:`sheetbend.executor.ExecutorOptions`."""

    @property
    def health(self) -> str | None:
        """Where it tells of its health; none before the start, and where it does not."""

    def start(self) -> str:
        """Joins, and returns the executor's address. Raises :class:`RuntimeError` where it has ended instead."""

    def stop(self) -> None:
        """Has it end when its tasks have ended, and what they left has been fetched; does not wait for that."""

    def wait(self, timeout: float | None) -> bool:
        """Waits until it has ended, at most ``timeout`` seconds; returns whether it has.

        Raises :class:`RuntimeError` where it has ended by itself.
        """

def ask_cluster(scheduler: str, *, trust: Mapping[str, object], what: Literal["jobs", "executors"]) -> list[str]:
    """The jobs or the executors of the server at ``scheduler``, a JSON object each; see :mod:`sheetbend.cluster`.

    Raises:
        RuntimeError: It does not answer, or has another token.
    """

def scan(
    plugin: object,
    options: Mapping[str, str],
    *,
    columns: Sequence[str] | None = None,
    limit: int | None = None,
    target_partitions: int | None = None,
    name: str = "source",
    schema: pa.Schema | None = None,
    isolation: Mapping[str, str] = ...,
) -> Scan:
    """Plans to read a plug-in as a server reads it; the rows are read when the result is.

    Args:
        plugin: The plug-in, an instance or a class.
        options: What a reader would give with ``option``.
        columns: The columns to read, in this order; all by default.
        limit: The most rows to read.
        target_partitions: How many partitions are read at the same time; one a core by default.
        name: How the source is called in errors.
        schema: The promised schema, in place of the one that the plug-in infers.
        isolation: Where the code of the plug-in runs: options of :mod:`sheetbend.isolation`, as texts.
    """

def write(
    plugin: object,
    rows: object,
    options: Mapping[str, str],
    *,
    mode: str,
    table: str | None = None,
    name: str = "source",
    isolation: Mapping[str, str] = ...,
) -> dict[str, int]:
    """Writes what one plug-in reads to another, as a server does, and returns when it is committed.

    Args:
        plugin: The plug-in that is written to, an instance or a class.
        rows: The plug-in whose rows are written; up to 16 partitions of it are a task each.
        options: The options of the writer.
        mode: The save mode: ``append``, ``overwrite``, ``error`` or ``ignore``.
        table: The name of the table that is written to.
        name: How the source that is written to is called in errors.
        isolation: Where the code of ``plugin`` runs: options of :mod:`sheetbend.isolation`, as texts.

    Returns:
        What has been counted, summed over the tasks; times are nanoseconds.
    """

def parse_ddl(text: str) -> pa.Schema:
    """The schema of DDL text, ``a INT NOT NULL, b ARRAY<STRING>``, as Spark reads it.

    Raises:
        SparkError: Of :mod:`sheetbend.errors`; the text is no schema.
    """

def check_isolation(options: Mapping[str, str]) -> None:
    """Raises :class:`~sheetbend.errors.OptionError` where these are no options of isolation."""

def idle_workers() -> int:
    """How many worker processes wait for a request."""

def end_workers() -> None:
    """Ends the worker processes that wait for a request."""

def reads_under_way() -> int:
    """How many threads read from plug-ins or write to them, or cancel that."""

class Scan:
    """Rows to be read, once, by whatever speaks Arrow."""

    def explain(self, *, metrics: bool = False) -> str:
        """The physical plan; with ``metrics`` what has been counted so far."""

    def metrics(self) -> dict[str, int]:
        """What has been counted so far, summed over the partitions of the source; times are nanoseconds."""

    def __arrow_c_schema__(self) -> object: ...
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...
