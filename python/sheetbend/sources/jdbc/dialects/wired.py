"""What the databases share that the tests reach no server of: as little as is the same in all of them."""

from __future__ import annotations

import abc
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import ClassVar

import pyarrow as pa

from sheetbend.errors import AuthenticationError, OptionError, SheetbendError, SourceConnectionError
from sheetbend.filters.sql import ANSI
from sheetbend.options import REDACTED, Options
from sheetbend.sources.jdbc.dialects.arrow_cast import arrow_type
from sheetbend.sources.jdbc.dialects.base import Dialect, check_driver
from sheetbend.sources.jdbc.drivers.adbc import ERRORS as ADBC_ERRORS
from sheetbend.sources.jdbc.drivers.adbc import AdbcSession
from sheetbend.sources.jdbc.drivers.base import S
from sheetbend.sources.jdbc.sql import select
from sheetbend.sources.jdbc.table import Column, Table

__all__ = ["AdbcDialect", "WiredDialect", "converted"]

_LOGIN = re.compile(
    r"login failed|logon denied|unauthenticated:|authentication (failed|error)|access.denied|(invalid|incorrect|wrong) "
    r"(credential|user|password)|ORA-01017|\b401\b|\b403\b|permission.denied",
    re.IGNORECASE,
)
_UNREACHED = re.compile(
    r"connection refused|failed to establish a new connection|name or service not known", re.IGNORECASE
)
_MOST_OF_MESSAGE = 400


class WiredDialect(Dialect[S]):
    """Pushes projections, limits, and comparisons of numbers and dates. Texts are left to the engine: how they compare
    is a matter of each database and its collations.
    """

    syntax = ANSI
    drivers: ClassVar[tuple[str, ...]]
    """The Java classes of the database's driver."""

    def __init__(self, rest: str, options: Options) -> None:
        check_driver(options, self.name, self.drivers)
        self.secrets: list[str] = []
        if options.get("password"):
            self.secrets.append(options["password"])
        self.timeout = options.integer("queryTimeout", minimum=0) or 0
        self.read_url(rest, options)

    @abc.abstractmethod
    def read_url(self, rest: str, options: Options) -> None:
        """Takes in the URL; what is secret in it is added to :attr:`secrets`."""

    def no_timeout(self) -> None:
        """Refuses the option that the driver has nothing for."""
        if self.timeout:
            raise OptionError(f"Option 'queryTimeout' is not supported by jdbc:{self.name}:.")

    def refused(self, error: Exception) -> SheetbendError:
        message = self._clean(error)
        if _LOGIN.search(message):
            return AuthenticationError(f"{self.title} refuses the login: {message}.")
        return SourceConnectionError(f"{self.title} cannot be reached: {message}.")

    def failure(self, error: Exception) -> SheetbendError:
        message = self._clean(error)
        # Some drivers connect and log in when they run the first statement.
        if _LOGIN.search(message) or _UNREACHED.search(message):
            return self.refused(error)
        return SheetbendError(f"{self.title}: {message}.")

    def _clean(self, error: Exception) -> str:
        message = " ".join(str(error).split())
        for secret in sorted(filter(None, self.secrets), key=len, reverse=True):
            message = message.replace(secret, REDACTED)
        return message[:_MOST_OF_MESSAGE].rstrip(".")

    def compared(self, column: Column) -> str | None:
        kind = column.type
        numeric = pa.types.is_integer(kind) or pa.types.is_decimal(kind) or pa.types.is_date(kind)
        return self.quote(column.name) if numeric else None


class AdbcDialect(WiredDialect[AdbcSession]):
    """A database of an ADBC driver, which says itself what Arrow its columns are.

    What has no plain Arrow type is fetched as its text.
    """

    errors = ADBC_ERRORS

    def describe(self, session: AdbcSession, relation: str) -> Table:
        schema = session.schema(self.prepared(select(["*"], relation)))
        return Table(relation, tuple(self.column(field.name, str(_signed(field.type))) for field in schema))

    def column(self, name: str, declared: str) -> Column:
        return Column(name, declared, arrow_type(declared) or pa.string())

    def item(self, column: Column) -> str:
        name = self.quote(column.name)
        plain = column.declared == "string" or not pa.types.is_string(column.type)
        return name if plain else f"CAST({name} AS VARCHAR) AS {name}"

    def batches(self, session: AdbcSession, sql: str, columns: Sequence[Column], rows: int) -> Iterator[pa.RecordBatch]:
        with session.stream(sql) as reader:
            yield from converted(reader, columns)


def converted(batches: Iterable[pa.RecordBatch], columns: Sequence[Column]) -> Iterator[pa.RecordBatch]:
    """The batches with exactly these columns; a value that does not fit is an error."""
    schema = pa.schema([column.field for column in columns])
    for batch in batches:
        arrays = [_cast(values, column) for values, column in zip(batch.columns, columns, strict=True)]
        yield pa.RecordBatch.from_arrays(arrays, schema=schema)


def _cast(values: pa.Array, column: Column) -> pa.Array:
    if values.type == column.type:
        return values
    try:
        return values.cast(column.type)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise SheetbendError(
            f"Column '{column.name}' is {column.declared}, read as {column.type}, which cannot hold what arrived: "
            f"{error}. Read the table by a query that casts or filters the column."
        ) from None


def _signed(kind: pa.DataType) -> pa.DataType:
    """The type that holds the same values and that the engine has."""
    wider = {
        pa.uint8(): pa.int16(),
        pa.uint16(): pa.int32(),
        pa.uint32(): pa.int64(),
        pa.uint64(): pa.decimal128(20, 0),
        pa.large_string(): pa.string(),
        pa.string_view(): pa.string(),
        pa.large_binary(): pa.binary(),
        pa.binary_view(): pa.binary(),
        pa.date64(): pa.date32(),
    }
    if pa.types.is_time(kind):
        return pa.time64("us")
    return wider.get(kind, kind)
