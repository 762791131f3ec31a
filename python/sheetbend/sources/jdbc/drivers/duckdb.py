"""Connections to DuckDB, which runs in this process, by ``duckdb``."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import duckdb
from duckdb import sqltypes

from sheetbend.sources.jdbc.drivers.base import Session

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["ERRORS", "DuckDbSession", "Type", "parse_type"]

ERRORS: tuple[type[Exception], ...] = (duckdb.Error, OSError, RuntimeError)
"""What a session raises: the last is what the engine says of itself where it cannot go on."""

Type = sqltypes.DuckDBPyType
"""A type as the engine has it, with its ``id`` and, where it is made of others, its ``children``."""


def parse_type(text: str) -> Type:
    """The type of that text, as :class:`Type` shows itself; raises what is in :data:`ERRORS` where there is none."""
    return duckdb.sqltype(text)


class DuckDbSession(Session):
    """Opens a file at once, only to be read unless it says otherwise.

    Args:
        path: The file.
        settings: Of ``duckdb.connect``.
        statements: What is run before anything else.
        read_only: Whether nothing can be written.

    Raises:
        duckdb.Error: there is no such file, or it cannot be opened.
    """

    def __init__(
        self, path: str, settings: Mapping[str, str], statements: Sequence[str], *, read_only: bool = True
    ) -> None:
        # A cursor of its own: connections of one file and process share the engine.
        self._connection = duckdb.connect(path, read_only=read_only, config=dict(settings))
        for statement in statements:
            self._connection.execute(statement)

    def execute(self, sql: str) -> None:
        self._connection.execute(sql)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in self._connection.execute(sql).fetchall()]

    def types(self, sql: str) -> dict[str, Type]:
        """The columns of a query and their types; it is not run."""
        relation = self._connection.sql(self._single(sql))
        return dict(zip(relation.columns, relation.types, strict=True))

    @contextlib.contextmanager
    def stream(self, sql: str, batch_rows: int) -> Iterator[pa.RecordBatchReader]:
        """Runs a query; its rows are found as the reader is read."""
        with self._connection.sql(self._single(sql)).to_arrow_reader(batch_rows) as reader:
            yield reader

    def insert(self, sql: str, rows: pa.RecordBatchReader) -> None:
        """Runs a statement that takes rows from the relation ``sheetbend_rows``."""
        # The name is that of the next rows when they come: to take it back fails where the statement has.
        self._connection.register("sheetbend_rows", rows)
        self._connection.execute(sql)

    def cancel(self) -> None:
        with contextlib.suppress(*ERRORS):
            self._connection.interrupt()

    def close(self) -> None:
        with contextlib.suppress(*ERRORS):
            self._connection.close()

    def _single(self, sql: str) -> str:
        """The query, of which there is one: the engine would run all statements of a text."""
        statements = self._connection.extract_statements(sql)
        if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
            raise duckdb.ParserException("Parser Error: expected one query")
        return sql
