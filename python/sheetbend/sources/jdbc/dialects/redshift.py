"""Redshift, by ``redshift_connector``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import redshift_connector

from sheetbend.sources.jdbc.dialects.properties import check_properties, parse_address, truth
from sheetbend.sources.jdbc.dialects.wired import WiredDialect, converted
from sheetbend.sources.jdbc.drivers.dbapi import RowSession
from sheetbend.sources.jdbc.sql import select
from sheetbend.sources.jdbc.table import Column, Table
from sheetbend.sources.jdbc.types import INSTANT, WALL_CLOCK, decimal_type

if TYPE_CHECKING:
    from sheetbend.options import Options

__all__ = ["RedshiftDialect", "redshift_type"]

_PORT = 5439
_TAKEN = ("user", "UID", "password", "PWD", "ssl", "sslmode", "ApplicationName", "loginTimeout", "tcpKeepAlive")
_TYPES: dict[int, tuple[str, pa.DataType]] = {
    16: ("boolean", pa.bool_()),
    20: ("bigint", pa.int64()),
    21: ("smallint", pa.int16()),
    23: ("integer", pa.int32()),
    25: ("text", pa.string()),
    700: ("real", pa.float32()),
    701: ("double precision", pa.float64()),
    1042: ("char", pa.string()),
    1043: ("varchar", pa.string()),
    1082: ("date", pa.date32()),
    1114: ("timestamp", WALL_CLOCK),
    1184: ("timestamptz", INSTANT),
    6551: ("varbyte", pa.binary()),
}
"""By the number of the type."""
_NUMERIC = 1700
_BY_NAME = dict(_TYPES.values())


class RedshiftDialect(WiredDialect[RowSession]):
    """``jdbc:redshift://host:5439/database?ssl=true``."""

    name = "redshift"
    title = "Redshift"
    parallel_queries = True
    drivers = ("com.amazon.redshift.jdbc.Driver", "com.amazon.redshift.jdbc42.Driver", "com.amazon.redshift.Driver")
    errors = (redshift_connector.error.Error, OSError)

    def read_url(self, rest: str, options: Options) -> None:
        self.no_timeout()
        address = parse_address(self.name, rest)
        properties = check_properties(self.name, address.properties, _TAKEN)
        password = properties.get("password", properties.get("PWD", options.get("password", "")))
        self.secrets.append(password)
        self.arguments: dict[str, Any] = {
            "host": address.host,
            "port": address.port or _PORT,
            "database": address.path[0] if address.path else "dev",
            "user": properties.get("user", properties.get("UID", options.get("user", ""))),
            "password": password,
            "ssl": truth(self.name, properties, "ssl", default=True),
            "sslmode": properties.get("sslmode", "verify-ca"),
        }

    @property
    def identity(self) -> str:
        return repr(self.arguments)

    def connect(self) -> RowSession:
        connection = redshift_connector.connect(**self.arguments)
        connection.autocommit = True
        return RowSession(connection, self.errors)

    def describe(self, session: RowSession, relation: str) -> Table:
        found = session.described(
            self.prepared(self.limited(select(["*"], relation), 0)), lambda cursor: cursor.ps["row_desc"]
        )
        columns = [(one["label"].decode(), redshift_type(one["type_oid"], one["type_modifier"])) for one in found]
        return Table(relation, tuple(self.column(name, declared) for name, declared in columns))

    def column(self, name: str, declared: str) -> Column:
        if declared.startswith("numeric("):
            precision, scale = declared[len("numeric(") : -1].split(",")
            return Column(name, declared, decimal_type(int(precision), int(scale)))
        return Column(name, declared, _BY_NAME.get(declared, pa.string()))

    def item(self, column: Column) -> str:
        name = self.quote(column.name)
        plain = column.declared in _BY_NAME or not pa.types.is_string(column.type)
        return name if plain else f"{name}::varchar AS {name}"

    def batches(self, session: RowSession, sql: str, columns: Sequence[Column], rows: int) -> Iterator[pa.RecordBatch]:
        return converted(session.fetch(sql, columns, rows), columns)


def redshift_type(kind: int, modifier: int) -> str:
    """The declared type, of the number of a type and its modifier, which has precision and scale in its halves."""
    if kind == _NUMERIC:
        return f"numeric({(modifier - 4) >> 16 & 0xFFFF},{(modifier - 4) & 0xFFFF})"
    return _TYPES[kind][0] if kind in _TYPES else f"type {kind}"
