"""Reads one partition."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sheetbend.errors import SheetbendError
from sheetbend.sources.jdbc.pool import lease

if TYPE_CHECKING:
    import pyarrow as pa

    from sheetbend.plugin import ReadContext
    from sheetbend.sources.jdbc.dialects.base import Dialect, S
    from sheetbend.sources.jdbc.options import Settings
    from sheetbend.sources.jdbc.table import Column

__all__ = ["Work", "read"]

_VERSION = 2


@dataclass(frozen=True, slots=True)
class Work:
    """What one partition is: a statement, and the columns of its rows."""

    sql: str
    columns: tuple[Column, ...]
    where: str | None = None
    """The condition in the statement, where its rows are those of the table."""

    @property
    def spec(self) -> dict[str, Any]:
        """The partition spec: JSON values, without a secret."""
        names = [[column.name, column.declared] for column in self.columns]
        return {"version": _VERSION, "sql": self.sql, "columns": names, "where": self.where}

    @classmethod
    def of(cls, spec: Mapping[str, Any], dialect: Dialect[S]) -> Work:
        """The work of a spec; raises :class:`SheetbendError` for one of another release."""
        if spec.get("version") != _VERSION:
            raise SheetbendError(
                f"The partition spec is of version {spec.get('version')!r}; this release reads version {_VERSION}. "
                "Every machine must run the same release."
            )
        columns = tuple(dialect.column(name, declared) for name, declared in spec["columns"])
        return cls(spec["sql"], columns, spec["where"])


def read(dialect: Dialect[S], work: Work, settings: Settings, context: ReadContext | None) -> Iterator[pa.RecordBatch]:
    """The rows of one partition.

    Closed or cancelled before its end, it cancels the statement in the server and closes the connection.
    """
    try:
        with lease(dialect, context) as session:
            if context is not None and context.cancelled:
                return
            for batch in dialect.batches(session, work.sql, work.columns, settings.batch_rows):
                yield batch
                if context is not None and context.cancelled:
                    return
    except SheetbendError:
        if context is not None and context.cancelled:
            return
        _diagnose(dialect, work, settings)
        raise


def _diagnose(dialect: Dialect[S], work: Work, settings: Settings) -> None:
    with lease(dialect) as session:
        dialect.diagnose(session, settings.relation, work.columns, work.where)
