"""PostgreSQL through its ADBC driver."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import adbc_driver_manager
import pyarrow as pa

from sheetbend.errors import (
    AuthenticationError,
    OptionError,
    SheetbendError,
    SourceConnectionError,
    TableNotFoundError,
)
from sheetbend.options import REDACTED, Options
from sheetbend.sources.jdbc.column import Column
from sheetbend.sources.jdbc.dialects.base import BatchIterator, check_driver, quote_identifier, select
from sheetbend.sources.jdbc.dialects.postgresql_session import Session, forget
from sheetbend.sources.jdbc.dialects.postgresql_types import declared_type, reading_of
from sheetbend.sources.jdbc.parameters import libpq_parameters
from sheetbend.sources.jdbc.url import parse_postgresql

if TYPE_CHECKING:
    from sheetbend.plugin import ArrowStream, ReadContext

__all__ = ["PostgresDialect"]

_DRIVERS = ("org.postgresql.Driver",)
_CONNECT_TIMEOUT_SECONDS = "10"
_BATCH_BYTES = 4 << 20
"""As fast as the driver's own 16 MiB, with the first rows earlier and less memory."""
_MIN_BATCH_BYTES = 64 << 10
_TEXT_WIDTH = 32
"""Bytes that a value of variable length is taken for, where rows are turned into bytes."""
_UNNAMED = ("unnamed<", "_unnamed<")
_LOGIN_REFUSED = re.compile(
    r"authentication failed|no password supplied|no pg_hba\.conf entry|role \".*\" does not exist|"
    r"not permitted to log in|authentication method"
)


class PostgresDialect:
    """A PostgreSQL database."""

    utc_suffix = "+00"

    def __init__(self, rest: str, options: Options) -> None:
        check_driver(options, "postgresql", _DRIVERS)
        url = parse_postgresql(rest)
        parameters = libpq_parameters(url.parameters, options)
        self._secrets = [parameters[key] for key in ("password", "sslpassword") if key in parameters]
        self._address = ", ".join(f"{host}:{port}" for host, port in zip(url.hosts, url.ports, strict=True))
        self._fetch_rows = options.integer("fetchsize", minimum=0)
        timeout = options.integer("queryTimeout", minimum=0)
        if timeout:
            server = f"-c statement_timeout={timeout * 1000}"
            parameters["options"] = f"{parameters['options']} {server}" if "options" in parameters else server
        parameters = {
            "host": ",".join(url.hosts),
            "port": ",".join(url.ports),
            "connect_timeout": _CONNECT_TIMEOUT_SECONDS,
            "fallback_application_name": "sheetbend",
            **({"dbname": url.database} if url.database else {}),
            **parameters,
            "client_encoding": "UTF8",
        }
        # Keywords with quoted values: libpq repeats a URI that it cannot parse, its password included.
        self._conninfo = " ".join(f"{key}={_quote_value(value)}" for key, value in parameters.items())

    def quote(self, identifier: str) -> str:
        """The identifier in double quotes."""
        return quote_identifier(identifier)

    def column(self, name: str, declared: str) -> Column:
        """The column of a type such as :meth:`describe` gives."""
        return Column(name, declared, reading_of(declared).type)

    def describe(self, relation: str) -> list[Column]:
        """The columns as the server describes the statement, which it prepares and does not run."""
        sql = select(["*"], relation)
        with self._session() as session:
            schema = session.describe(sql)
        if any(_declared(field).startswith(_UNNAMED) for field in schema):
            # A type that was made since the driver has asked for the types, or one that it never knows.
            forget(self._conninfo)
            with self._session() as session:
                schema = session.describe(sql)
        return [self.column(field.name, _declared(field)) for field in schema]

    def read(
        self, relation: str, columns: Sequence[Column], where: str | None, context: ReadContext | None
    ) -> BatchIterator:
        """The driver's own stream in one piece, or batches where there is a numeric to be cast.

        Closed or cancelled before its end, it cancels the statement in the server and then closes the connection.
        """
        sql = select(map(_expression, columns), relation, where)
        with self._session() as session:
            if context is not None:
                context.on_cancel(session.cancel)
                if context.cancelled:
                    return
            try:
                stream = session.execute(sql, self._batch_bytes(columns))
                if any(reading_of(column.declared).as_text for column in columns):
                    yield from _batches(stream, columns)
                else:
                    yield stream
                session.finished = True
            except (adbc_driver_manager.Error, OSError):
                if context is not None and context.cancelled:
                    return
                raise

    def _batch_bytes(self, columns: Sequence[Column]) -> int:
        if not self._fetch_rows:
            return _BATCH_BYTES
        # On the wire a row has 2 bytes, and each of its values 4, of its own.
        row = 2 + sum(4 + _width(column.type) for column in columns)
        return max(_MIN_BATCH_BYTES, self._fetch_rows * row)

    @contextlib.contextmanager
    def _session(self) -> Iterator[Session]:
        try:
            session = Session(self._conninfo)
        except adbc_driver_manager.Error as error:
            raise self._refused(error) from None
        try:
            with session:
                yield session
        except SheetbendError:
            raise
        except (adbc_driver_manager.Error, OSError) as error:
            raise self._translate(error) from None

    def _refused(self, error: Exception) -> SheetbendError:
        message = self._clean(error)
        if _LOGIN_REFUSED.search(message):
            return AuthenticationError(f"PostgreSQL at {self._address} refuses the login: {message}")
        return SourceConnectionError(f"PostgreSQL at {self._address} cannot be reached: {message}")

    def _translate(self, error: Exception) -> SheetbendError:
        message = self._clean(error)
        state = str(getattr(error, "sqlstate", None) or "")
        if state == "42P01":
            return TableNotFoundError(f"PostgreSQL has no such table: {message}.")
        if state == "42501" or state.startswith("28"):
            return AuthenticationError(f"PostgreSQL refuses the user: {message}.")
        if state.startswith(("08", "57P")):
            return SourceConnectionError(f"PostgreSQL at {self._address} closed the connection: {message}.")
        if state.startswith("42"):
            return OptionError(f"PostgreSQL refuses the query made from the options: {message}.")
        return SheetbendError(f"PostgreSQL: {message}" + (f" (SQLSTATE {state})." if state else "."))

    def _clean(self, error: Exception) -> str:
        """What the server or libpq said, without the statement, which is ours, and without a secret."""
        message = re.split(r"\n(?:LINE \d+:|Query was:)|\. SQLSTATE: ", str(error))[0]
        message = re.sub(r"^.*?(?:ERROR:|Failed to connect:|\[libpq\])\s*", "", message, flags=re.DOTALL)
        for secret in self._secrets:
            message = message.replace(secret, REDACTED)
        return " ".join(message.split()).rstrip(".")


def _batches(stream: ArrowStream, columns: Sequence[Column]) -> Iterator[pa.RecordBatch]:
    schema = pa.schema([column.field for column in columns])
    with pa.RecordBatchReader.from_stream(stream) as reader:
        for batch in reader:
            arrays = [_converted(values, column) for values, column in zip(batch.columns, columns, strict=True)]
            yield pa.RecordBatch.from_arrays(arrays, schema=schema)


def _converted(values: pa.Array, column: Column) -> pa.Array:
    if values.type == column.type:
        return values
    try:
        return values.cast(column.type)
    except pa.ArrowInvalid as error:
        raise SheetbendError(
            f"Column '{column.name}' is {column.declared}, read as {column.type}, which cannot hold a value of a row: "
            f"{error}. Read the table by a query that casts or filters the column."
        ) from None


def _declared(field: pa.Field) -> str:
    metadata = field.metadata or {}
    if b"POSTGRESQL:type" not in metadata:
        raise SheetbendError(
            "The PostgreSQL driver does not tell the catalog's types: adbc-driver-postgresql is too old."
        )
    modifier = int(metadata.get(b"POSTGRESQL:typmod", b"-1"))
    return declared_type(metadata[b"POSTGRESQL:type"].decode(), modifier)


def _expression(column: Column) -> str:
    name = quote_identifier(column.name)
    message = f"column {column.name} has a value that Arrow cannot hold: "
    escaped = message.replace("\\", "\\\\").replace("'", "''")
    expression = reading_of(column.declared).sql.format(column=name, message=f"E'{escaped}'")
    return name if expression == name else f"{expression} AS {name}"


def _width(kind: pa.DataType) -> int:
    try:
        return max(1, int(kind.bit_width) // 8)
    except ValueError:
        return _TEXT_WIDTH


def _quote_value(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
