"""ClickHouse, by ``clickhouse-connect``."""

from __future__ import annotations

import contextlib
import re
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import clickhouse_connect
import pyarrow as pa
from clickhouse_connect.driver.exceptions import ClickHouseError

from sheetbend.errors import OptionError
from sheetbend.filters.sql import ANSI
from sheetbend.sources.jdbc.dialects.properties import check_properties, parse_address, truth
from sheetbend.sources.jdbc.dialects.wired import WiredDialect, converted
from sheetbend.sources.jdbc.drivers.base import Session
from sheetbend.sources.jdbc.sql import select
from sheetbend.sources.jdbc.table import Column, Table
from sheetbend.sources.jdbc.types import INSTANT, decimal_type

if TYPE_CHECKING:
    from sheetbend.options import Options

__all__ = ["ClickHouseDialect", "ClickHouseSession", "clickhouse_type"]

_TAKEN = ("user", "password", "ssl", "sslmode", "compress", "client_name", "socket_timeout", "connection_timeout")
_CANCEL_SECONDS = 2
_PROTOCOLS = {"": "", "http:": "", "https:": "ssl"}
_TYPES = {
    "Bool": (pa.bool_(), "{0}"),
    "Int8": (pa.int8(), "{0}"),
    "Int16": (pa.int16(), "{0}"),
    "Int32": (pa.int32(), "{0}"),
    "Int64": (pa.int64(), "{0}"),
    "UInt8": (pa.int16(), "toInt16({0})"),
    "UInt16": (pa.int32(), "toInt32({0})"),
    "UInt32": (pa.int64(), "toInt64({0})"),
    "UInt64": (pa.decimal128(20, 0), "toDecimal128({0}, 0)"),
    "Float32": (pa.float32(), "{0}"),
    "Float64": (pa.float64(), "{0}"),
    "Date": (pa.date32(), "toDate32({0})"),
    "Date32": (pa.date32(), "{0}"),
    "DateTime": (INSTANT, "toDateTime64({0}, 6, 'UTC')"),
    "DateTime64": (INSTANT, "toDateTime64({0}, 6, 'UTC')"),
    "String": (pa.string(), "{0}"),
    "FixedString": (pa.binary(), "{0}"),
}
"""By the name of the type: its Arrow type, and the expression that it is fetched by."""
_WRAPPED = re.compile(r"(?:Nullable|LowCardinality)\((.*)\)")
_DECIMAL = re.compile(r"Decimal\((\d+), ?(\d+)\)")
_AS_TEXT = "toString({0})"
_NESTED = ("Array(", "Map(", "Tuple(", "Nested(", "JSON", "Object(", "Variant(", "Dynamic")


class ClickHouseSession(Session):
    """Opens an HTTP client and asks the server for its version; raises :class:`ClickHouseError`."""

    def __init__(self, arguments: dict[str, Any]) -> None:
        self._arguments = arguments
        self._client = clickhouse_connect.get_client(**arguments)
        self._query = ""

    def execute(self, sql: str) -> None:
        self._client.command(sql)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in self._client.query(sql).result_rows]

    def fetch(self, sql: str, settings: dict[str, Any]) -> Iterator[pa.RecordBatch]:
        """Runs a query and gives its rows as they come."""
        self._query = str(uuid.uuid4())
        with self._client.query_arrow_stream(sql, settings={"query_id": self._query} | settings) as stream:
            for part in stream:
                yield from part.to_batches() if isinstance(part, pa.Table) else [part]

    def cancel(self) -> None:
        if self._query:
            with contextlib.suppress(ClickHouseError, OSError):
                limits = dict.fromkeys(("connect_timeout", "send_receive_timeout"), _CANCEL_SECONDS)
                other = clickhouse_connect.get_client(**self._arguments | limits)
                other.command(f"KILL QUERY WHERE query_id = '{self._query}' ASYNC")
                other.close()

    def close(self) -> None:
        with contextlib.suppress(ClickHouseError, OSError):
            self._client.close()


class ClickHouseDialect(WiredDialect[ClickHouseSession]):
    """``jdbc:clickhouse:https://host:port/database`` or ``jdbc:ch:...``."""

    name = "clickhouse"
    title = "ClickHouse"
    parallel_queries = True
    pooled = False
    drivers = ("com.clickhouse.jdbc.ClickHouseDriver", "com.clickhouse.jdbc.Driver")
    errors = (ClickHouseError, OSError)
    syntax = replace(
        ANSI,
        identifier_quote="`",
        date="toDate32('{0}')",
        timestamp=None,
        instant="toDateTime64('{0}', 6, 'UTC')",
        null_safe_equal="{0} IS NOT DISTINCT FROM {1}",
    )

    def read_url(self, rest: str, options: Options) -> None:
        protocol, slashes, _ = rest.partition("//")
        if not slashes or protocol not in _PROTOCOLS:
            raise OptionError("Option 'url': expected jdbc:clickhouse:https://host:port/database?key=value.")
        address = parse_address(self.name, rest[len(protocol) :])
        properties = check_properties(self.name, address.properties, _TAKEN)
        secure = bool(_PROTOCOLS[protocol]) or truth(self.name, properties, "ssl")
        password = properties.get("password", options.get("password", ""))
        self.secrets.append(password)
        self.arguments: dict[str, Any] = {
            "host": address.host,
            "port": address.port or (8443 if secure else 8123),
            "username": properties.get("user", options.get("user") or "default"),
            "password": password,
            "database": address.path[0] if address.path else "default",
            "secure": secure,
            "verify": properties.get("sslmode", "strict").lower() != "none",
        }

    @property
    def identity(self) -> str:
        return repr(self.arguments)

    def connect(self) -> ClickHouseSession:
        return ClickHouseSession(self.arguments)

    def quote(self, identifier: str) -> str:
        """The identifier in backticks, in which a backslash escapes."""
        return "`" + identifier.replace("\\", "\\\\").replace("`", "\\`") + "`"

    def describe(self, session: ClickHouseSession, relation: str) -> Table:
        found = session.rows(f"DESCRIBE TABLE ({self.prepared(select(['*'], relation))})")
        return Table(relation, tuple(self.column(str(row[0]), str(row[1])) for row in found))

    def column(self, name: str, declared: str) -> Column:
        return Column(name, declared, clickhouse_type(declared)[0])

    def item(self, column: Column) -> str:
        name = self.quote(column.name)
        expression = clickhouse_type(column.declared)[1].format(name)
        return name if expression == name else f"{expression} AS {name}"

    def batches(
        self, session: ClickHouseSession, sql: str, columns: Sequence[Column], rows: int
    ) -> Iterator[pa.RecordBatch]:
        # An alias of an item must not stand for the column in the condition.
        settings: dict[str, Any] = {"prefer_column_name_to_alias": 1}
        if rows:
            settings["max_block_size"] = rows
        if self.timeout:
            settings["max_execution_time"] = self.timeout
        yield from converted(session.fetch(sql, settings), columns)


def clickhouse_type(declared: str) -> tuple[pa.DataType, str]:
    """The Arrow type, and the expression that a column is fetched by; what has no Arrow type is fetched as its text."""
    wrapped = _WRAPPED.fullmatch(declared)
    if wrapped:
        return clickhouse_type(wrapped[1])
    decimal = _DECIMAL.fullmatch(declared)
    if decimal and int(decimal[1]) <= 38:
        return decimal_type(int(decimal[1]), int(decimal[2])), "{0}"
    if declared.startswith(_NESTED):
        return pa.string(), "toJSONString({0})"
    return _TYPES.get(declared.partition("(")[0], (pa.string(), _AS_TEXT))
