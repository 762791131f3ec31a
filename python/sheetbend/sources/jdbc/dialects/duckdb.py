"""DuckDB, in this process; its file is opened read-only but for the commit of a write."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from sheetbend.errors import OptionError, SheetbendError, SourceConnectionError, TableNotFoundError
from sheetbend.filters import DUCKDB
from sheetbend.sources.jdbc.dialects.arrow_cast import cast_to, converted, is_widened, natural
from sheetbend.sources.jdbc.dialects.base import Dialect, check_driver
from sheetbend.sources.jdbc.dialects.duckdb_types import reading_of, sql_type
from sheetbend.sources.jdbc.dialects.duckdb_writer import DuckDbWriter
from sheetbend.sources.jdbc.drivers.duckdb import ERRORS, DuckDbSession
from sheetbend.sources.jdbc.sql import select
from sheetbend.sources.jdbc.table import Column, Table

if TYPE_CHECKING:
    from sheetbend.options import Options
    from sheetbend.scan import AggregateFunction
    from sheetbend.sources.jdbc.writing.options import WriteOptions

__all__ = ["DuckDbDialect", "parse_duckdb"]

_DRIVERS = ("org.duckdb.DuckDBDriver",)
_SETTINGS = {"memory_limit": "512MB", "autoinstall_known_extensions": "false"}
_TAKEN = ("memory_limit", "max_memory", "threads", "temp_directory")
_NO_EFFECT = ("access_mode", "duckdb.read_only", "jdbc_auto_commit", "jdbc_pin_db", "jdbc_stream_results")
_BATCH_ROWS = 16_384
_TABLE = re.compile(r"""(?:(\w+|"(?:[^"]|"")+")\.)?(\w+|"(?:[^"]|"")+")""")


class DuckDbDialect(Dialect[DuckDbSession]):
    """A database file."""

    name = "duckdb"
    title = "DuckDB"
    # A column may have a collation, which its type does not tell.
    syntax = replace(DUCKDB, exact_text="{0} COLLATE C", like_text="({0} COLLATE C)")
    errors = ERRORS
    # Opened in no time, while a connection that is kept holds a file that the user may want to write to.
    pooled = False
    parallel_queries = True
    binary_order = "({0} COLLATE C)"
    no_limit = str(2**62)

    def __init__(self, rest: str, options: Options) -> None:
        check_driver(options, "duckdb", _DRIVERS)
        self._path, settings = parse_duckdb(rest)
        self._settings = _SETTINGS | settings
        for key in ("user", "password", "queryTimeout"):
            if options.get(key) not in (None, "", "0"):
                raise OptionError(f"Option '{key}' is not one of jdbc:duckdb:.")

    @property
    def identity(self) -> str:
        return repr((self._path, self._settings))

    def connect(self) -> DuckDbSession:
        return DuckDbSession(self._path, self._settings, ["SET TimeZone = 'UTC'"])

    @property
    def path(self) -> Path:
        """The file."""
        return Path(self._path)

    def connect_to_write(self) -> DuckDbSession:
        """Opens the file to write to it, as the only process that does; makes it where there is none."""
        return DuckDbSession(self._path, self._settings, ["SET TimeZone = 'UTC'"], read_only=False)

    def writer(self, options: WriteOptions) -> DuckDbWriter:
        return DuckDbWriter(self, options)

    def refused(self, error: Exception) -> SheetbendError:
        return SourceConnectionError(f"The DuckDB database file '{self._path}' cannot be opened: {_message(error)}.")

    def failure(self, error: Exception) -> SheetbendError:
        kind, message = type(error).__name__, _message(error)
        if kind == "CatalogException" and message.startswith("Table with name"):
            return TableNotFoundError(f"DuckDB has no such table: {message}.")
        if kind in ("BinderException", "CatalogException", "ParserException"):
            return OptionError(f"DuckDB refuses the query made from the options: {message}.")
        return SheetbendError(f"DuckDB: {message}.")

    # --- Catalog ---------------------------------------------------------------------------------

    def column(self, name: str, declared: str) -> Column:
        own, cast = natural(declared)
        return Column(name, declared, cast or reading_of(own).type)

    def cast(self, column: Column, kind: pa.DataType) -> Column | None:
        return cast_to(column, kind)

    def describe(self, session: DuckDbSession, relation: str) -> Table:
        found = session.types(self.prepared(select(["*"], relation)))
        columns = tuple(self.column(name, str(kind)) for name, kind in found.items())
        name = _TABLE.fullmatch(relation)
        if name is None:
            return Table(relation, columns)
        schema, table = (part and self.syntax.text(_unquoted(part)) for part in name.groups())
        where = f"lower(table_name) = lower({table}) AND lower(schema_name) = lower({schema or 'current_schema()'})"
        rows = session.rows(select(["estimated_size"], "duckdb_tables()", where))
        return Table(relation, columns, bool(rows), int(rows[0][0]) if rows else None)

    # --- SQL -------------------------------------------------------------------------------------

    def item(self, column: Column) -> str:
        name = self.quote(column.name)
        declared = natural(column.declared)[0]
        reading = reading_of(declared)
        if reading.guard is not None:
            message = self.syntax.text(f"column {column.name} has a value that Arrow cannot hold: ")
            fits = f"{name} IS NULL OR {reading.guard.format(name)}"
            return f"CASE WHEN {fits} THEN {name} ELSE error({message} || {name}::VARCHAR) END AS {name}"
        return name if reading.sql == declared else f"CAST({name} AS {reading.sql}) AS {name}"

    def compared(self, column: Column) -> str | None:
        name = self.quote(column.name)
        if pa.types.is_nested(column.type):
            return None
        own, cast = natural(column.declared)
        if cast is not None:
            read = reading_of(own)
            target = sql_type(cast)
            # A type that is fetched as another one is cast twice, which is not looked into.
            return f"CAST({name} AS {target})" if target and read.sql == own and is_widened(read.type, cast) else None
        if pa.types.is_string(column.type) and column.declared != "VARCHAR":
            return f"CAST({name} AS VARCHAR)"
        return name

    def group(self, column: Column) -> tuple[str, str] | None:
        expression = self.compared(column)
        if expression is None or pa.types.is_floating(column.type):
            return None
        if pa.types.is_string(column.type):
            return f"({expression} COLLATE C)", "VARCHAR"
        return expression, column.declared

    def aggregate(self, function: AggregateFunction, column: Column | None) -> tuple[str, str] | None:
        if function.function == "count":
            counted = "*" if column is None else self.quote(column.name)
            return f"count({counted})", "BIGINT"
        expression = None if column is None else self.compared(column)
        if column is None or expression is None:
            return None
        if function.function in ("min", "max"):
            if pa.types.is_string(column.type):
                return f"{function.function}({expression} COLLATE C)", "VARCHAR"
            plain = not pa.types.is_binary(column.type)
            return (f"{function.function}({expression})", column.declared) if plain else None
        if pa.types.is_decimal(function.type):
            declared = f"DECIMAL({function.type.precision},{function.type.scale})"
        elif pa.types.is_integer(function.type):
            declared = "BIGINT"
        else:
            return None
        # Summed up in 128 bits; a cast that does not fit is an error.
        return f"CAST(sum({expression}) AS {declared})", declared

    def bucket(self, column: Column, partitions: int, number: int) -> str | None:
        return f"hash({self.quote(column.name)}) % {partitions} = {number}"

    # --- Rows ------------------------------------------------------------------------------------

    def batches(
        self, session: DuckDbSession, sql: str, columns: Sequence[Column], rows: int
    ) -> Iterator[pa.RecordBatch]:
        schema = pa.schema([column.field for column in columns])
        with session.stream(sql, rows or _BATCH_ROWS) as reader:
            for batch in reader:
                arrays = [converted(values, column) for values, column in zip(batch.columns, columns, strict=True)]
                yield pa.RecordBatch.from_arrays(arrays, schema=schema)


def parse_duckdb(rest: str) -> tuple[str, dict[str, str]]:
    """The file and the settings of what follows ``jdbc:duckdb:``: a path, then ``;name=value`` any number of times.

    Raises:
        OptionError: there is no path, the database is in memory, or a setting is unknown.
    """
    path, *pairs = rest.split(";")
    if path in ("", ":memory:") or path.startswith(":memory:"):
        raise OptionError(
            "Option 'url': jdbc:duckdb: needs the path of a database file. A database in memory belongs to one process."
        )
    settings: dict[str, str] = {}
    for pair in pairs:
        key, _, value = pair.partition("=")
        key = key.strip().lower()
        if key in _TAKEN:
            settings["memory_limit" if key == "max_memory" else key] = value.strip()
        elif key and key not in _NO_EFFECT:
            raise OptionError(
                f"Option 'url': jdbc:duckdb: has no setting '{key}' here. It takes: {', '.join(sorted(_TAKEN))}."
            )
    return path, settings


def _unquoted(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name


def _message(error: Exception) -> str:
    """What the engine says, without its own statement and its advice."""
    first = re.split(r"\n\s*\n|\nLINE ", str(error))[0]
    return " ".join(re.sub(r"^(?:Invalid Input|[A-Za-z]+) Error: ", "", first).split()).rstrip(".!")
