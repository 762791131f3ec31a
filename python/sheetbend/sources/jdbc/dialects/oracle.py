"""Oracle, by ``oracledb`` without a client of Oracle's."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import oracledb
import pyarrow as pa

from sheetbend.sources.jdbc.dialects.oracle_url import parse_oracle
from sheetbend.sources.jdbc.dialects.wired import WiredDialect, converted
from sheetbend.sources.jdbc.drivers.base import Session
from sheetbend.sources.jdbc.sql import select
from sheetbend.sources.jdbc.table import Column, Table
from sheetbend.sources.jdbc.types import INSTANT, WALL_CLOCK, decimal_type

if TYPE_CHECKING:
    from sheetbend.options import Options

__all__ = ["OracleDialect", "OracleSession", "declared_type", "oracle_type"]

_BATCH_ROWS = 8192
_ARGUMENTS = {
    "TNS_ADMIN": "config_dir",
    "wallet_location": "wallet_location",
    "ssl_server_cert_dn": "ssl_server_cert_dn",
}
_TYPES = {
    "BINARY_FLOAT": pa.float32(),
    "BINARY_DOUBLE": pa.float64(),
    "BOOLEAN": pa.bool_(),
    "DATE": WALL_CLOCK,
    "TIMESTAMP": WALL_CLOCK,
    "TIMESTAMP_TZ": INSTANT,
    "TIMESTAMP_LTZ": INSTANT,
    "RAW": pa.binary(),
    "LONG_RAW": pa.binary(),
    "BLOB": pa.binary(),
}
_NUMBER = re.compile(r"NUMBER\((\d+),(-?\d+)\)")
_FLOATING_SCALE = -127


class OracleSession(Session):
    """Connects at once; raises :class:`oracledb.Error`."""

    def __init__(self, arguments: dict[str, Any], milliseconds: int) -> None:
        self._connection = oracledb.connect(**arguments)
        self._connection.call_timeout = milliseconds
        # A TIMESTAMP WITH LOCAL TIME ZONE is shown in the zone of the session.
        self.execute("ALTER SESSION SET TIME_ZONE = '+00:00'")

    def execute(self, sql: str) -> None:
        with self._connection.cursor() as cursor:
            cursor.execute(sql)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with self._connection.cursor() as cursor:
            return [tuple(row) for row in cursor.execute(sql)]

    def description(self, sql: str) -> list[tuple[Any, ...]]:
        """The columns of a query, which the server parses and does not run."""
        with self._connection.cursor() as cursor:
            cursor.parse(sql)
            return [tuple(column) for column in cursor.description]

    def fetch(self, sql: str, rows: int) -> Iterator[pa.RecordBatch]:
        """Runs a query and gives its rows in batches of so many."""
        for frame in self._connection.fetch_df_batches(sql, size=rows, fetch_decimals=True):
            yield from pa.table(frame).to_batches()

    def cancel(self) -> None:
        with contextlib.suppress(oracledb.Error):
            self._connection.cancel()

    def close(self) -> None:
        with contextlib.suppress(oracledb.Error):
            self._connection.close()

    def check(self) -> None:
        self._connection.ping()


class OracleDialect(WiredDialect[OracleSession]):
    """``jdbc:oracle:thin:@//host:port/service``."""

    name = "oracle"
    title = "Oracle"
    drivers = ("oracle.jdbc.OracleDriver", "oracle.jdbc.driver.OracleDriver")
    errors = (oracledb.Error, OSError)
    takes_hints = True

    def read_url(self, rest: str, options: Options) -> None:
        url = parse_oracle(rest)
        password = url.password or options.get("password", "")
        self.secrets.append(password)
        self.arguments: dict[str, Any] = {
            "dsn": url.target,
            "user": url.user or options.get("user") or None,
            "password": password or None,
            **{_ARGUMENTS[key]: value for key, value in url.properties.items() if key in _ARGUMENTS},
        }
        if "ssl_server_dn_match" in url.properties:
            self.arguments["ssl_server_dn_match"] = url.properties["ssl_server_dn_match"].lower() in (
                "on",
                "true",
                "yes",
            )
        if "connect_timeout" in url.properties:
            self.arguments["tcp_connect_timeout"] = float(url.properties["connect_timeout"])

    @property
    def identity(self) -> str:
        return repr((self.arguments, self.timeout))

    def connect(self) -> OracleSession:
        return OracleSession(self.arguments, self.timeout * 1000)

    def describe(self, session: OracleSession, relation: str) -> Table:
        found = session.description(self.prepared(select(["*"], relation)))
        columns = [
            (str(name), declared_type(kind.name, precision, scale)) for name, kind, _, _, precision, scale, _ in found
        ]
        return Table(relation, tuple(self.column(name, declared) for name, declared in columns))

    def column(self, name: str, declared: str) -> Column:
        return Column(name, declared, oracle_type(declared))

    def item(self, column: Column) -> str:
        name = self.quote(column.name)
        if column.declared.startswith("INTERVAL"):
            return f"TO_CHAR({name}) AS {name}"
        return f"JSON_SERIALIZE({name}) AS {name}" if column.declared == "JSON" else name

    def limited(self, sql: str, limit: int) -> str:
        return f"{sql}\nFETCH FIRST {limit} ROWS ONLY"

    def compared(self, column: Column) -> str | None:
        # A DATE has a time of day, and a number without a precision more digits than are read.
        return self.quote(column.name) if _NUMBER.fullmatch(column.declared) else None

    def batches(
        self, session: OracleSession, sql: str, columns: Sequence[Column], rows: int
    ) -> Iterator[pa.RecordBatch]:
        yield from converted(session.fetch(sql, rows or _BATCH_ROWS), columns)


def declared_type(kind: str, precision: int | None, scale: int | None) -> str:
    """The declared type, of what the driver calls it, such as ``DB_TYPE_NUMBER``."""
    name = kind.removeprefix("DB_TYPE_")
    if name == "NUMBER" and precision and scale is not None and scale != _FLOATING_SCALE:
        return f"NUMBER({precision},{scale})"
    return name


def oracle_type(declared: str) -> pa.DataType:
    """The Arrow type. A number without a precision is decimal(38,10), as in Spark."""
    number = _NUMBER.fullmatch(declared)
    if number:
        return decimal_type(int(number[1]), int(number[2]))
    if declared == "NUMBER":
        return pa.decimal128(38, 10)
    return _TYPES.get(declared, pa.string())
