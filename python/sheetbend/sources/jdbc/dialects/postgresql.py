"""PostgreSQL through its ADBC driver."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import pyarrow as pa

from sheetbend.errors import (
    AuthenticationError,
    OptionError,
    SheetbendError,
    SourceConnectionError,
    TableNotFoundError,
)
from sheetbend.filters import POSTGRESQL
from sheetbend.options import REDACTED, Options
from sheetbend.sources.jdbc.dialects.arrow_cast import converted
from sheetbend.sources.jdbc.dialects.base import Dialect, check_driver
from sheetbend.sources.jdbc.dialects.postgresql_catalog import in_catalog
from sheetbend.sources.jdbc.dialects.postgresql_types import (
    FROM,
    Reading,
    cast_type,
    declared_type,
    is_padded,
    reading_of,
    split_cast,
)
from sheetbend.sources.jdbc.dialects.postgresql_writer import PostgresWriter
from sheetbend.sources.jdbc.drivers.adbc import ERRORS
from sheetbend.sources.jdbc.drivers.postgresql import PostgresSession, forget
from sheetbend.sources.jdbc.parameters import libpq_parameters
from sheetbend.sources.jdbc.sql import all_of, quote_identifier, select
from sheetbend.sources.jdbc.table import Column, Table
from sheetbend.sources.jdbc.url import parse_postgresql

if TYPE_CHECKING:
    from sheetbend.scan import AggregateFunction, Sample
    from sheetbend.sources.jdbc.writing.options import WriteOptions

__all__ = ["PostgresDialect"]

_DRIVERS = ("org.postgresql.Driver",)
_CONNECT_TIMEOUT_SECONDS = "10"
_KEEP_ALIVES = {
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "60000",
}
"""A server that is gone without a word is noticed after a minute, not after two hours, also where it owes an answer."""
_GRACE_SECONDS = 5.0
"""How long after 'queryTimeout' a server that has not ended the statement itself is given up."""
_BATCH_BYTES = 4 << 20
"""As fast as the driver's own 16 MiB, with the first rows earlier and less memory."""
_MIN_BATCH_BYTES = 64 << 10
_MIN_PAGES = 1000
"""How many pages a partition has at least: to open a connection takes as long as to read as many."""
_SAMPLE_ROWS = 100_000
_TEXT_WIDTH = 32
"""Bytes that a value of variable length is taken for, where rows are turned into bytes."""
_BROKEN = re.compile(
    r"server closed the connection|no connection to the server|Connection reset|could not receive data"
)
_UNNAMED = ("unnamed<", "_unnamed<")
_LOGIN_REFUSED = re.compile(
    r"authentication failed|no password supplied|no pg_hba\.conf entry|role \".*\" does not exist|"
    r"not permitted to log in|authentication method"
)


class PostgresDialect(Dialect[PostgresSession]):
    """A PostgreSQL database."""

    name = "postgresql"
    title = "PostgreSQL"
    syntax = POSTGRESQL
    errors = ERRORS
    pieces_by = "ctid"
    snapshots = True
    parallel_queries = True
    binary_order = '{0} COLLATE "C"'
    no_limit = "ALL"
    utc_suffix = "+00"

    def __init__(self, rest: str, options: Options) -> None:
        check_driver(options, "postgresql", _DRIVERS)
        url = parse_postgresql(rest)
        parameters = libpq_parameters(url.parameters, options)
        self._secrets = [parameters[key] for key in ("password", "sslpassword") if key in parameters]
        self._address = ", ".join(f"{host}:{port}" for host, port in zip(url.hosts, url.ports, strict=True))
        timeout = options.integer("queryTimeout", minimum=0)
        if timeout:
            server = f"-c statement_timeout={timeout * 1000}"
            parameters["options"] = f"{parameters['options']} {server}" if "options" in parameters else server
        self._lenient = options.get("unrepresentable", "error").lower() == "null"
        parameters = {
            "host": ",".join(url.hosts),
            "port": ",".join(url.ports),
            "connect_timeout": _CONNECT_TIMEOUT_SECONDS,
            **_KEEP_ALIVES,
            "fallback_application_name": "sheetbend",
            **({"dbname": url.database} if url.database else {}),
            **parameters,
            "client_encoding": "UTF8",
        }
        self._patience = timeout + _GRACE_SECONDS if timeout else None
        # Each host has as long.
        self._connect_seconds = len(url.hosts) * _seconds(parameters["connect_timeout"])
        # Keywords with quoted values: libpq repeats a URI that it cannot parse, its password included.
        self._conninfo = " ".join(f"{key}={_quote_value(value)}" for key, value in parameters.items())

    @property
    def identity(self) -> str:
        return self._conninfo

    def connect(self) -> PostgresSession:
        return PostgresSession(self._conninfo, self._patience, self._connect_seconds)

    def column(self, name: str, declared: str) -> Column:
        return Column(name, declared, reading_of(split_cast(declared)[0]).type)

    def describe(self, session: PostgresSession, relation: str) -> Table:
        """The columns as the server describes the statement, which it prepares and does not run."""
        sql = self.prepared(select(["*"], relation))
        schema = session.schema(sql)
        if any(_declared(field).startswith(_UNNAMED) for field in schema):
            # A type that was made since the driver has asked for the types, or one that it never knows.
            forget(self._conninfo)
            with closing(self.connect()) as informed:
                schema = informed.schema(sql)
        columns = tuple(self.column(field.name, _declared(field)) for field in schema)
        return in_catalog(session, relation, columns)

    def item(self, column: Column) -> str:
        reading, name = _named(column)
        message = f"column {column.name} has a value that Arrow cannot hold: "
        escaped = message.replace("\\", "\\\\").replace("'", "''")
        expression = reading.fetched(name, f"E'{escaped}'", lenient=self._lenient)
        quoted = quote_identifier(column.name)
        return quoted if expression == quoted else f"{expression} AS {quoted}"

    def cast(self, column: Column, kind: pa.DataType) -> Column | None:
        target = cast_type(kind)
        return None if target is None else self.column(column.name, f"{target}{FROM}{column.declared}")

    def writer(self, options: WriteOptions) -> PostgresWriter:
        return PostgresWriter(self, options)

    def uncast(self, column: Column) -> Column:
        _, source = split_cast(column.declared)
        return column if source is None else replace(self.column(column.name, source), never_null=column.never_null)

    def compared(self, column: Column) -> str | None:
        reading, name = _named(column)
        return reading.calculated(name, reading.compared, lenient=self._lenient)

    def sampled(self, table: Table, sample: Sample) -> str | None:
        if not table.is_plain:
            return None
        # A row's luck is made of its place and the seed, so that all partitions take rows of one sample.
        return f"{table.relation} TABLESAMPLE BERNOULLI ({100 * sample.fraction!r}) REPEATABLE ({sample.seed})"

    def group(self, column: Column) -> tuple[str, str] | None:
        compared = self.compared(column)
        if compared is None or pa.types.is_nested(column.type):
            return None
        target, _ = split_cast(column.declared)
        if is_padded(target):
            # Blanks at the end do not count, and there are as many in each.
            _, name = _named(column)
            return name, target
        # A text that is loosely collated is compared by another collation.
        return compared, "text" if pa.types.is_string(column.type) else target

    def aggregate(self, function: AggregateFunction, column: Column | None) -> tuple[str, str] | None:
        if column is None:
            return "count(*)", "int8"
        if function.function == "count":
            return f"count({self.compared(column) or quote_identifier(column.name)})", "int8"
        if function.function == "sum":
            return self._sum(column, function.type)
        if pa.types.is_boolean(column.type):
            both = "bool_and" if function.function == "min" else "bool_or"
            return f"{both}({self.compared(column)})", "bool"
        ordered = self._ordered(column, self.compared(column))
        if ordered is None or pa.types.is_binary(column.type) or pa.types.is_nested(column.type):
            return None
        return f"{function.function}({ordered})", (
            "text" if pa.types.is_string(column.type) else split_cast(column.declared)[0]
        )

    def _sum(self, column: Column, kind: pa.DataType) -> tuple[str, str] | None:
        reading, name = _named(column)
        summed = reading.calculated(name, reading.summed, lenient=self._lenient)
        if summed is None:
            return None
        value = f"sum({summed})"
        if pa.types.is_decimal(kind):
            declared = f"numeric({kind.precision},{kind.scale})"
            return f"{value}::{declared}", declared
        return (f"{value}::int8", "int8") if pa.types.is_integer(kind) else (value, "float8")

    def pieces(self, session: PostgresSession, table: Table, partitions: int) -> list[str] | None:
        if not table.is_plain or table.pages is None:
            return None
        partitions = max(1, min(partitions, table.pages // _MIN_PAGES))
        cuts = [f"'({table.pages * number // partitions},0)'::tid" for number in range(1, partitions)]
        if not cuts:
            return []
        middle = [f"ctid >= {low} AND ctid < {high}" for low, high in pairwise(cuts)]
        return [f"ctid < {cuts[0]}", *middle, f"ctid >= {cuts[-1]}"]

    def expected_rows(self, session: PostgresSession, table: Table, conditions: Sequence[str]) -> int | None:
        expected = re.search(r" rows=(\d+)", session.explain(select(["1"], table.relation, all_of(conditions))))
        return None if expected is None else int(expected[1])

    def quantiles(self, session: PostgresSession, table: Table, column: Column, partitions: int) -> str | None:
        name = quote_identifier(column.name)
        fractions = ", ".join(str(number / partitions) for number in range(1, partitions))
        source = table.relation
        if table.is_plain and (table.rows or 0) > _SAMPLE_ROWS:
            source += f" TABLESAMPLE SYSTEM ({100 * _SAMPLE_ROWS / (table.rows or 1):.6f})"
        values = f"unnest(percentile_disc(ARRAY[{fractions}]::float8[]) WITHIN GROUP (ORDER BY {name})) AS {name}"
        return self.prepared(select([self.item(column)], f"({select([values], source)}) sheetbend_cuts"))

    def bucket(self, column: Column, partitions: int, number: int) -> str | None:
        hashed = f"hashtextextended({quote_identifier(column.name)}::text, 0)"
        return f"coalesce(abs({hashed} % {partitions}), 0) = {number}"

    def begin(self, session: PostgresSession, isolation: str | None, snapshot: str | None) -> None:
        session.execute(f"BEGIN ISOLATION LEVEL {'REPEATABLE READ' if snapshot else isolation} READ ONLY")
        if snapshot is not None:
            session.execute("SET TRANSACTION SNAPSHOT '{}'".format(snapshot.replace("'", "''")))

    def export(self, session: PostgresSession) -> str:
        self.begin(session, "REPEATABLE READ", None)
        [(name,)] = session.rows("SELECT pg_export_snapshot()")
        return str(name)

    def batches(
        self, session: PostgresSession, sql: str, columns: Sequence[Column], rows: int
    ) -> Iterator[pa.RecordBatch]:
        """The driver's own batches, in which texts of numbers are turned into numbers."""
        schema = pa.schema([column.field for column in columns])
        with session.fetch(sql, _batch_bytes(columns, rows)) as reader:
            for batch in reader:
                arrays = [converted(values, column) for values, column in zip(batch.columns, columns, strict=True)]
                yield pa.RecordBatch.from_arrays(arrays, schema=schema)

    def refused(self, error: Exception) -> SheetbendError:
        message = self._clean(error)
        if _LOGIN_REFUSED.search(message):
            return AuthenticationError(f"PostgreSQL at {self._address} refuses the login: {message}")
        return SourceConnectionError(f"PostgreSQL at {self._address} cannot be reached: {message}")

    def failure(self, error: Exception) -> SheetbendError:
        message = self._clean(error)
        found = re.search(r"SQLSTATE: (\w{5})", str(error))
        state = str(getattr(error, "sqlstate", None) or (found[1] if found else ""))
        if state == "42P01":
            return TableNotFoundError(f"PostgreSQL has no such table: {message}.")
        if state == "42501" or state.startswith("28"):
            return AuthenticationError(f"PostgreSQL refuses the user: {message}.")
        if state.startswith(("08", "57P")) or _BROKEN.search(message):
            return SourceConnectionError(f"PostgreSQL at {self._address} closed the connection: {message}.")
        if state.startswith("42"):
            return OptionError(f"PostgreSQL refuses the query made from the options: {message}.")
        if isinstance(error, TimeoutError):
            told = f"PostgreSQL at {self._address} does not answer: {message}."
        elif "invalid snapshot identifier" in message or "could not import the requested snapshot" in message:
            told = (
                f"PostgreSQL: the state that all partitions were to read is gone: {message}. It is held for as long as "
                "the query lives, on the machine that planned it; with consistency=none each partition reads its own."
            )
        else:
            told = f"PostgreSQL: {message}" + (f" (SQLSTATE {state})." if state else ".")
        return SheetbendError(told)

    def _clean(self, error: Exception) -> str:
        """What the server or libpq said, without the statement, which is ours, and without a secret."""
        message = re.split(r"\n(?:LINE \d+:|Query was:)|\. SQLSTATE: ", str(error))[0]
        message = re.sub(
            r"^.*?(?:ERROR|FATAL):\s*|^.*?(?:Failed to connect:|\[libpq\])\s*", "", message, flags=re.DOTALL
        )
        message = re.sub(r"^Failed to execute query '.*': ", "", message, flags=re.DOTALL)
        for secret in self._secrets:
            message = message.replace(secret, REDACTED)
        return " ".join(message.split()).rstrip(".")


def _batch_bytes(columns: Sequence[Column], rows: int) -> int:
    if not rows:
        return _BATCH_BYTES
    # On the wire a row has 2 bytes, and each of its values 4, of its own.
    row = 2 + sum(4 + _width(column.type) for column in columns)
    return max(_MIN_BATCH_BYTES, rows * row)


def _declared(field: pa.Field) -> str:
    metadata = field.metadata or {}
    if b"POSTGRESQL:type" not in metadata:
        raise SheetbendError(
            "The PostgreSQL driver does not tell the catalog's types: adbc-driver-postgresql is too old."
        )
    modifier = int(metadata.get(b"POSTGRESQL:typmod", b"-1"))
    return declared_type(metadata[b"POSTGRESQL:type"].decode(), modifier)


def _named(column: Column) -> tuple[Reading, str]:
    """How a column is read, and its name in SQL, cast where the user wants it so."""
    target, source = split_cast(column.declared)
    name = quote_identifier(column.name)
    if source is not None:
        # A time of day in no zone is taken for one in UTC.
        in_utc = target == "timestamptz" and source == "timestamp"
        name = f"({name} AT TIME ZONE 'UTC')" if in_utc else f"({name}::{target})"
    return reading_of(target), name


def _width(kind: pa.DataType) -> int:
    try:
        return max(1, int(kind.bit_width) // 8)
    except ValueError:
        return _TEXT_WIDTH


def _seconds(timeout: str) -> float:
    return float(timeout) if timeout.isascii() and timeout.isdigit() else 0.0


def _quote_value(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
