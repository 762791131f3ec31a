"""Trino, by ``trino``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import pyarrow as pa
import trino

from sheetbend.sources.jdbc.dialects.properties import check_properties, parse_address, truth
from sheetbend.sources.jdbc.dialects.wired import WiredDialect, converted
from sheetbend.sources.jdbc.drivers.dbapi import RowSession
from sheetbend.sources.jdbc.sql import select
from sheetbend.sources.jdbc.table import Column, Table
from sheetbend.sources.jdbc.types import INSTANT, WALL_CLOCK, decimal_type

if TYPE_CHECKING:
    from sheetbend.options import Options

__all__ = ["TrinoDialect", "trino_type"]

_TAKEN = ("user", "password", "accessToken", "SSL", "SSLVerification", "source", "clientTags", "roles", "sessionUser")
_TYPES = {
    "boolean": pa.bool_(),
    "tinyint": pa.int8(),
    "smallint": pa.int16(),
    "integer": pa.int32(),
    "bigint": pa.int64(),
    "real": pa.float32(),
    "double": pa.float64(),
    "varbinary": pa.binary(),
    "date": pa.date32(),
}
_DECIMAL = re.compile(r"decimal\((\d+), ?(\d+)\)")
_TIMESTAMP = re.compile(r"timestamp(?:\(\d+\))?( with time zone)?")
_NESTED = ("array(", "map(", "row(", "json")


class TrinoDialect(WiredDialect[RowSession]):
    """``jdbc:trino://host:port/catalog/schema?SSL=true``."""

    name = "trino"
    title = "Trino"
    parallel_queries = True
    drivers = ("io.trino.jdbc.TrinoDriver",)
    errors = (trino.exceptions.Error, trino.exceptions.TrinoQueryError, OSError)

    def read_url(self, rest: str, options: Options) -> None:
        address = parse_address(self.name, rest)
        properties = check_properties(self.name, address.properties, _TAKEN)
        password = properties.get("password", options.get("password", ""))
        token = properties.get("accessToken", "")
        self.secrets += [password, token]
        secure = truth(self.name, properties, "SSL", default=address.port == 443)
        catalog, schema, *_ = (*address.path, None, None)
        self.arguments = {
            "host": address.host,
            "port": address.port or (443 if secure else 8080),
            "user": properties.get("user", options.get("user", "")),
            "catalog": catalog,
            "schema": schema,
            "http_scheme": "https" if secure else "http",
            "verify": properties.get("SSLVerification", "FULL").upper() != "NONE",
            "source": properties.get("source", "sheetbend"),
            "timezone": "UTC",
            "max_attempts": 1,
        }
        if self.timeout:
            self.arguments["session_properties"] = {"query_max_run_time": f"{self.timeout}s"}
        self._password, self._token = password, token

    @property
    def identity(self) -> str:
        return repr((self.arguments, self._password, self._token))

    def connect(self) -> RowSession:
        arguments = dict(self.arguments)
        if self._token:
            arguments["auth"] = trino.auth.JWTAuthentication(self._token)
        elif self._password:
            arguments["auth"] = trino.auth.BasicAuthentication(str(arguments["user"]), self._password)
        return RowSession(trino.dbapi.connect(**arguments), self.errors)  # type: ignore[no-untyped-call]

    def describe(self, session: RowSession, relation: str) -> Table:
        found = session.described(
            self.prepared(self.limited(select(["*"], relation), 0)), lambda cursor: cursor.description
        )
        return Table(relation, tuple(self.column(str(name), str(declared)) for name, declared, *_ in found))

    def column(self, name: str, declared: str) -> Column:
        return Column(name, declared, trino_type(declared))

    def item(self, column: Column) -> str:
        name = self.quote(column.name)
        if not pa.types.is_string(column.type):
            return name
        text = (
            f"json_format(CAST({name} AS JSON))" if column.declared.startswith(_NESTED) else f"CAST({name} AS VARCHAR)"
        )
        return f"{text} AS {name}"

    def batches(self, session: RowSession, sql: str, columns: Sequence[Column], rows: int) -> Iterator[pa.RecordBatch]:
        return converted(session.fetch(sql, columns, rows), columns)


def trino_type(declared: str) -> pa.DataType:
    """The Arrow type; what has none is fetched as its text."""
    decimal, timestamp = _DECIMAL.fullmatch(declared), _TIMESTAMP.fullmatch(declared)
    if decimal:
        return decimal_type(int(decimal[1]), int(decimal[2]))
    if timestamp:
        return INSTANT if timestamp[1] else WALL_CLOCK
    return _TYPES.get(declared, pa.string())
