"""SQLite through its ADBC driver, opened read-only but for the commit of a write."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pyarrow as pa

from sheetbend.errors import OptionError, SheetbendError, SourceConnectionError, TableNotFoundError
from sheetbend.filters import SQLITE
from sheetbend.sources.jdbc.dialects.base import Dialect, check_driver
from sheetbend.sources.jdbc.dialects.mysql_parameters import MYSQL_OPTIONS
from sheetbend.sources.jdbc.dialects.sqlite_types import (
    REFUSED,
    arrow_type,
    declared_type,
    has_text_affinity,
    reading_of,
)
from sheetbend.sources.jdbc.dialects.sqlite_writer import SqliteWriter
from sheetbend.sources.jdbc.drivers.adbc import ERRORS
from sheetbend.sources.jdbc.drivers.sqlite import SqliteSession
from sheetbend.sources.jdbc.parameters import CONNECTION_OPTIONS
from sheetbend.sources.jdbc.sql import quote_identifier, select
from sheetbend.sources.jdbc.table import Column, Table
from sheetbend.sources.jdbc.url import parse_sqlite

if TYPE_CHECKING:
    from sheetbend.options import Options
    from sheetbend.scan import AggregateFunction
    from sheetbend.sources.jdbc.writing.options import WriteOptions

__all__ = ["SqliteDialect"]

_DRIVERS = ("org.sqlite.JDBC",)
_NOT_TAKEN = frozenset(spec.name.lower() for spec in (*CONNECTION_OPTIONS, *MYSQL_OPTIONS))
_BATCH_ROWS = 8192
_SAMPLE_ROWS = 1000
_BUSY_MILLISECONDS = 30_000
"""How long a connection waits for the commit of another one."""
_MIN_ROWS = 50_000
"""How many row numbers a partition spans at least."""
_SAMPLED = {
    frozenset({"integer"}): "INTEGER (sampled)",
    frozenset({"real"}): "REAL (sampled)",
    frozenset({"integer", "real"}): "REAL (sampled)",
    frozenset({"blob"}): "BLOB (sampled)",
}
"""Stands in for the declared type of a column that has none, by what ``typeof`` says of its values."""
_SENTINELS = {pa.int64(): "0", pa.float64(): "0.0", pa.string(): "''", pa.binary(): "x''"}
_UTF16 = " in UTF-16"
"""Follows the declared type where texts are not ordered by their bytes in UTF-8."""
_PROBE = '"sheetbend_columns"'
_TABLE = re.compile(r"""((?:\w+|"(?:[^"]|"")+")\.)?(\w+|"(?:[^"]|"")+")""")
"""The name of a table or view, with or without its schema."""


class _WireTypeError(Exception):
    """The driver found another type than the column is fetched as."""


class SqliteDialect(Dialect[SqliteSession]):
    """A database file."""

    name = "sqlite"
    title = "SQLite"
    syntax = SQLITE
    pieces_by = "rowid"
    diagnoses = True
    binary_order = "{0} COLLATE BINARY"
    no_limit = "-1"
    # Opened in no time, while a connection that is kept holds a file that the user may want to remove.
    pooled = False
    errors = (*ERRORS, _WireTypeError)

    def __init__(self, rest: str, options: Options) -> None:
        check_driver(options, "sqlite", _DRIVERS)
        self._uri = parse_sqlite(rest)
        for key in options:
            if key.lower() in _NOT_TAKEN:
                raise OptionError(f"Option '{key}' is not one of jdbc:sqlite:.")
        if options.integer("queryTimeout", minimum=0):
            raise OptionError("Option 'queryTimeout' is not supported by jdbc:sqlite:.")
        self._batch_rows = options.integer("fetchsize", minimum=0)

    @property
    def identity(self) -> str:
        return self._uri

    def connect(self) -> SqliteSession:
        return self._opened(self._uri)

    @staticmethod
    def _opened(uri: str) -> SqliteSession:
        session = SqliteSession(uri)
        session.rows(f"PRAGMA busy_timeout = {_BUSY_MILLISECONDS}")
        return session

    @property
    def path(self) -> Path:
        """The file."""
        return Path(unquote(self._uri.removeprefix("file:").partition("?")[0]))

    def connect_to_write(self) -> SqliteSession:
        """Opens the file to write to it; makes it where there is none."""
        return self._opened(self._uri.replace("mode=ro", "mode=rwc"))

    def writer(self, options: WriteOptions) -> SqliteWriter:
        return SqliteWriter(self, options)

    def refused(self, error: Exception) -> SheetbendError:
        return self._unreadable("does not exist or cannot be opened")

    def column(self, name: str, declared: str) -> Column:
        return Column(name, declared, arrow_type(declared))

    def source(self, relation: str) -> str:
        return _enclosed(relation)

    def item(self, column: Column) -> str:
        name = quote_identifier(column.name)
        expression = reading_of(column.type).sql.format(name)
        return name if expression == name else f"{expression} AS {name}"

    def describe(self, session: SqliteSession, relation: str) -> Table:
        """The columns by their declared types. A view tells those of any query, without running it.

        A column that declares none, such as an expression, is known only by its values: the types of those in the
        first 1000 rows decide, and it is a string where they disagree or there are none.
        """
        session.rows(self.prepared(select("*", f"{_enclosed(relation)} LIMIT 0")))
        session.rows(f"CREATE TEMP VIEW {_PROBE} AS {self.prepared(select('*', _enclosed(relation)))}")
        table = _TABLE.fullmatch(relation)
        schema, name = (table[1] or "", table[2]) if table else ("temp.", _PROBE)
        # 1 is a hidden column of a virtual table; 2 and 3 are computed ones.
        found = [row for row in session.rows(f"PRAGMA {schema}table_xinfo({name})") if row[6] != 1]
        columns = {str(row[1]): str(row[2] or "") for row in found}
        never_null = {str(row[1]) for row in found if row[3]}
        keys = [str(row[1]) for row in found if row[5]]
        if not any(row[3] == "pk" for row in session.rows(f"PRAGMA {schema}index_list({name})")):
            # A key without an index of its own is the row's number.
            never_null.update(keys)
        # What a view calls BLOB may declare nothing.
        unknown = ("", "ANY") if table else ("", "ANY", "BLOB")
        columns.update(_sampled(session, [name for name, declared in columns.items() if declared.upper() in unknown]))
        if session.rows("PRAGMA encoding") != [("UTF-8",)]:
            columns = {name: declared + _UTF16 for name, declared in columns.items()}
        typed = [
            replace(self.column(name, declared), never_null=name in never_null) for name, declared in columns.items()
        ]
        return Table(relation, tuple(typed), is_plain=table is not None)

    def cast(self, column: Column, kind: pa.DataType) -> Column | None:
        """What is declared is what SQLite knows of a type, so another declaration is read."""
        declared = declared_type(kind)
        return None if declared is None else self.column(column.name, declared)

    def compared(self, column: Column) -> str | None:
        """The column where it stores what is read; dates, decimals and truth values have several forms."""
        name = quote_identifier(column.name)
        if pa.types.is_string(column.type):
            return name if has_text_affinity(column.declared) else f"CAST({name} AS TEXT)"
        kind = column.type
        return name if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_binary(kind) else None

    def group(self, column: Column) -> tuple[str, str] | None:
        if pa.types.is_string(column.type):
            return f"{self.compared(column)} COLLATE BINARY", "TEXT"
        return f"{quote_identifier(column.name)} COLLATE BINARY", column.declared

    def aggregate(self, function: AggregateFunction, column: Column | None) -> tuple[str, str] | None:
        if column is None or function.function == "count":
            return f"count({'*' if column is None else quote_identifier(column.name)})", "INTEGER"
        compared = self.compared(column)
        ordered = self._ordered(column, compared)
        is_integer = pa.types.is_integer(column.type)
        if compared is None or ordered is None or pa.types.is_binary(column.type):
            return None
        if function.function == "sum":
            # A sum of doubles is NULL where infinity meets its opposite.
            return (f"sum({self._checked(column, compared)})", "INTEGER") if is_integer else None
        return f"{function.function}({self._checked(column, ordered)})", column.declared

    def pieces(self, session: SqliteSession, table: Table, partitions: int) -> list[str] | None:
        names = {column.name.lower() for column in table.columns}
        free = [name for name in ("rowid", "_rowid_", "oid") if name not in names]
        if not table.is_plain or not free:
            return None
        try:
            [(low, high)] = session.rows(select([f"min({free[0]})", f"max({free[0]})"], table.relation))
        except ERRORS:
            # A table WITHOUT ROWID.
            return None
        if low is None or not isinstance(low, int):
            return None if low is not None else []
        partitions = max(1, min(partitions, (high - low) // _MIN_ROWS))
        cuts = [low + (high - low) * number // partitions for number in range(1, partitions)]
        if not cuts:
            return []
        middle = [f"{free[0]} >= {first} AND {free[0]} < {last}" for first, last in pairwise(cuts)]
        return [f"{free[0]} < {cuts[0]}", *middle, f"{free[0]} >= {cuts[-1]}"]

    @staticmethod
    def _checked(column: Column, expression: str) -> str:
        """Has SQLite refuse a value of a kind that could not be read."""
        name = quote_identifier(column.name)
        kinds = ", ".join(f"'{kind}'" for kind in (*reading_of(column.type).stored, "null"))
        return f"CASE WHEN typeof({name}) IN ({kinds}) THEN {expression} ELSE {REFUSED.format(name)} END"

    def _ordered(self, column: Column, expression: str | None) -> str | None:
        return None if _UTF16 in column.declared else super()._ordered(column, expression)

    def batches(
        self, session: SqliteSession, sql: str, columns: Sequence[Column], rows: int
    ) -> Iterator[pa.RecordBatch]:
        """Batches of the columns, converted one at a time.

        The driver takes each column's type from the rows of the first batch, so that NULLs alone make any column int64.
        A row before them, dropped again, tells it the types that the columns have.
        """
        readings = [reading_of(column.type) for column in columns]
        sentinels = ", ".join(_SENTINELS[reading.wire] for reading in readings)
        schema = pa.schema([column.field for column in columns])
        with session.fetch(
            f"SELECT {sentinels} UNION ALL {select('*', _enclosed(sql))}", rows or _BATCH_ROWS
        ) as reader:
            _check_wire(reader.schema, [reading.wire for reading in readings])
            skip = 1
            for batch in reader:
                yield _convert(batch.slice(skip), columns, schema)
                skip = 0

    def _unreadable(self, what: str) -> SourceConnectionError:
        path = unquote(self._uri.removeprefix("file:").partition("?")[0])
        return SourceConnectionError(f"The SQLite database file '{path}' {what}.")

    def failure(self, error: Exception) -> SheetbendError:
        message = (str(error).partition("[SQLite] ")[2] or str(error)).partition("\nquery: ")[0]
        message = re.sub(r"^[A-Z]+: failed to execute query: ", "", message)
        if "no such table: " in message:
            return TableNotFoundError(f"SQLite has no table '{message.partition('no such table: ')[2].strip()}'.")
        if "file is not a database" in message:
            return self._unreadable("is no SQLite database")
        if "unable to open database file" in message:
            return self._unreadable("cannot be opened")
        if "database is locked" in message:
            return self._unreadable("is locked by another connection")
        if message.startswith("Failed to prepare query: "):
            message = message.removeprefix("Failed to prepare query: ")
            return OptionError(f"SQLite refuses the query made from the options: {message}.")
        return SheetbendError(f"SQLite: {message}.")

    def diagnose(self, session: SqliteSession, relation: str, columns: Sequence[Column], where: str | None) -> None:
        """Raises for the first column that holds a value of another kind than it declares."""
        for column in columns:
            stored = ", ".join(f"'{kind}'" for kind in (*reading_of(column.type).stored, "null"))
            kinds = select([f"typeof({quote_identifier(column.name)}) AS kind"], _enclosed(relation), where)
            found = session.rows(select(["kind"], f"({kinds})", f"kind NOT IN ({stored}) LIMIT 1"))
            if found:
                raise _misfit(column, f"a value of kind {found[0][0]}")


def _enclosed(relation: str) -> str:
    # SQLite runs the first of several statements and never looks at the rest: the parenthesis makes them an error.
    return f"({relation}\n)"


def _sampled(session: SqliteSession, names: Sequence[str]) -> dict[str, str]:
    """What stands in for the declared types of the columns of ``names``."""
    if not names:
        return {}
    quoted = [quote_identifier(name) for name in names]
    # The inner typeof spares SQLite from loading large values.
    kinds = [f"typeof({name}) AS k{index}" for index, name in enumerate(quoted)]
    distinct = [f"group_concat(DISTINCT k{index})" for index in range(len(quoted))]
    (row,) = session.rows(select(distinct, f"({select(kinds, _PROBE)} LIMIT {_SAMPLE_ROWS})"))
    found = [frozenset(str(cell or "").split(",")) - {"null", ""} for cell in row]
    return {name: _SAMPLED.get(kind, "TEXT (sampled)") for name, kind in zip(names, found, strict=True)}


def _check_wire(schema: pa.Schema, wire: Sequence[pa.DataType]) -> None:
    for field, expected in zip(schema, wire, strict=True):
        if field.type != expected:
            raise _WireTypeError(f"column '{field.name}' is read as {field.type} instead of {expected}")


def _convert(batch: pa.RecordBatch, columns: Sequence[Column], schema: pa.Schema) -> pa.RecordBatch:
    arrays = []
    for column, values in zip(columns, batch.columns, strict=True):
        try:
            arrays.append(_converted(values, column))
        except pa.ArrowInvalid:
            raise _misfit(column, f"the value {_first_misfit(values, column)!r}") from None
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _converted(values: pa.Array, column: Column) -> pa.Array:
    convert = reading_of(column.type).convert
    return values if convert is None else convert(values, column.type)


def _first_misfit(values: pa.Array, column: Column) -> str:
    for index in range(len(values)):
        try:
            _converted(values.slice(index, 1), column)
        except pa.ArrowInvalid:
            return str(values[index].as_py())[:40]
    return "?"


def _misfit(column: Column, found: str) -> SheetbendError:
    return SheetbendError(
        f"Column '{column.name}' is declared {column.declared}, read as {column.type}, but a row holds {found}. "
        "SQLite does not enforce declared types: correct the row, or read the table by a query that casts the column."
    )
