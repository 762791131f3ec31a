"""Reads one partition."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sheetbend.errors import SheetbendError, SourceConnectionError
from sheetbend.sources.jdbc.pool import lease
from sheetbend.sources.jdbc.snapshot import Snapshot, begun

if TYPE_CHECKING:
    import pyarrow as pa

    from sheetbend.plugin import ReadContext
    from sheetbend.sources.jdbc.dialects.base import Dialect
    from sheetbend.sources.jdbc.drivers.base import S
    from sheetbend.sources.jdbc.options import Settings
    from sheetbend.sources.jdbc.table import Column

__all__ = ["Work", "read"]

_VERSION = 3


@dataclass(frozen=True, slots=True)
class Work:
    """What one partition is: a statement, and the columns of its rows."""

    sql: str
    columns: tuple[Column, ...]
    where: str | None = None
    """The condition in the statement, where its rows are those of the table."""

    snapshot: Snapshot | None = None
    """The state of the database that it reads."""

    @property
    def spec(self) -> dict[str, Any]:
        """The partition spec: JSON values, without a secret."""
        names = [[column.name, column.declared] for column in self.columns]
        return {
            "version": _VERSION,
            "sql": self.sql,
            "columns": names,
            "where": self.where,
            "snapshot": list(self.snapshot) if self.snapshot else None,
        }

    @classmethod
    def of(cls, spec: Mapping[str, Any], dialect: Dialect[S]) -> Work:
        """The work of a spec; raises :class:`SheetbendError` for one of another release."""
        if spec.get("version") != _VERSION:
            raise SheetbendError(
                f"The partition spec is of version {spec.get('version')!r}; this release reads version {_VERSION}. "
                "Every machine must run the same release."
            )
        columns = tuple(dialect.column(name, declared) for name, declared in spec["columns"])
        snapshot = Snapshot(*spec["snapshot"]) if spec["snapshot"] else None
        return cls(spec["sql"], columns, spec["where"], snapshot)


def read(dialect: Dialect[S], work: Work, settings: Settings, context: ReadContext | None) -> Iterator[pa.RecordBatch]:
    """The rows of one partition.

    A connection that breaks before the first of them is replaced, once: no row has left. Closed or cancelled before its
    end, the read cancels the statement in the server and closes the connection.
    """
    progress = _Progress()
    try:
        try:
            yield from _attempt(dialect, work, settings, context, progress)
        except SourceConnectionError:
            if progress.gave_rows or not progress.connected or (context is not None and context.cancelled):
                raise
            yield from _attempt(dialect, work, settings, context, progress)
    except SheetbendError:
        if context is not None and context.cancelled:
            return
        if dialect.diagnoses and progress.connected:
            _diagnose(dialect, work, settings)
        raise


@dataclass(slots=True)
class _Progress:
    connected: bool = False
    begun: bool = False
    """Whether the partition has joined its snapshot."""
    gave_rows: bool = False


def _attempt(
    dialect: Dialect[S], work: Work, settings: Settings, context: ReadContext | None, progress: _Progress
) -> Iterator[pa.RecordBatch]:
    with lease(dialect, context) as session:
        progress.connected = True
        if context is not None and context.cancelled:
            return
        in_transaction = work.snapshot is not None or settings.isolation is not None
        if in_transaction:
            dialect.begin(session, settings.isolation, work.snapshot.name if work.snapshot else None)
        if work.snapshot is not None and not progress.begun:
            progress.begun = True
            begun(work.snapshot)
        for batch in dialect.batches(session, work.sql, work.columns, settings.batch_rows):
            progress.gave_rows = True
            yield batch
            if context is not None and context.cancelled:
                return
        if in_transaction:
            dialect.end(session)


def _diagnose(dialect: Dialect[S], work: Work, settings: Settings) -> None:
    with lease(dialect) as session, suppress(*dialect.errors):
        dialect.diagnose(session, settings.relation, work.columns, work.where)
