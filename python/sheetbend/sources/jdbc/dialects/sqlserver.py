"""SQL Server, by ``mssql-python``."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import mssql_python
import pyarrow as pa

from sheetbend.errors import OptionError
from sheetbend.filters.sql import ANSI
from sheetbend.sources.jdbc.dialects.properties import truth
from sheetbend.sources.jdbc.dialects.sqlserver_url import SqlServerUrl, parse_sqlserver
from sheetbend.sources.jdbc.dialects.wired import WiredDialect, converted
from sheetbend.sources.jdbc.drivers.dbapi import RowSession
from sheetbend.sources.jdbc.sql import select
from sheetbend.sources.jdbc.table import Column, Table
from sheetbend.sources.jdbc.types import INSTANT, WALL_CLOCK, decimal_type

if TYPE_CHECKING:
    from sheetbend.options import Options
    from sheetbend.scan import SortKey

__all__ = ["SqlServerDialect", "connection_string", "sqlserver_type"]

_BATCH_ROWS = 8192
_PORT = 1433
_CONNECT_SECONDS = 10
_KEYWORDS = {
    "databaseName": "Database",
    "user": "UID",
    "password": "PWD",
    "hostNameInCertificate": "HostNameInCertificate",
    "serverCertificate": "ServerCertificate",
    "applicationName": "APP",
    "applicationIntent": "ApplicationIntent",
    "multiSubnetFailover": "MultiSubnetFailover",
}
_TYPES = {
    "bit": pa.bool_(),
    "tinyint": pa.int16(),
    "smallint": pa.int16(),
    "int": pa.int32(),
    "bigint": pa.int64(),
    "real": pa.float32(),
    "float": pa.float64(),
    "money": pa.decimal128(19, 4),
    "smallmoney": pa.decimal128(10, 4),
    "date": pa.date32(),
    "datetime": WALL_CLOCK,
    "smalldatetime": WALL_CLOCK,
    "image": pa.binary(),
    "timestamp": pa.binary(),
    "rowversion": pa.binary(),
}
_SIZED = re.compile(r"(\w+)(?:\(([\w, ]+)\))?")


class SqlServerDialect(WiredDialect[RowSession]):
    """``jdbc:sqlserver://host:port;databaseName=d;encrypt=true``."""

    name = "sqlserver"
    title = "SQL Server"
    drivers = ("com.microsoft.sqlserver.jdbc.SQLServerDriver",)
    errors = (mssql_python.Error, OSError, RuntimeError)
    syntax = replace(
        ANSI,
        booleans=("1", "0"),
        date="CAST('{0}' AS date)",
        time="CAST('{0}' AS time)",
        timestamp="CAST('{0}' AS datetime2)",
        instant="CAST('{0}+00:00' AS datetimeoffset)",
        null_safe_equal="EXISTS (SELECT {0} INTERSECT SELECT {1})",
    )

    def read_url(self, rest: str, options: Options) -> None:
        url = parse_sqlserver(rest)
        # The port of an instance is for the server to say.
        self._address = None if url.instance and not url.port else (url.host, url.port or _PORT)
        self._connection_string, secrets = connection_string(url, options)
        self.secrets += secrets

    @property
    def identity(self) -> str:
        return f"{self._connection_string} {self.timeout}"

    def connect(self) -> RowSession:
        if self._address is not None:
            # The driver tries a closed port for 15 seconds.
            socket.create_connection(self._address, _CONNECT_SECONDS).close()
        connection = mssql_python.connect(self._connection_string, autocommit=True, timeout=self.timeout)
        return RowSession(connection, self.errors)

    def describe(self, session: RowSession, relation: str) -> Table:
        """The columns as the server describes the statement, which it does not run."""
        statement = self.prepared(select(["*"], relation)).replace("'", "''")
        found = session.rows(
            select(
                ["name", "system_type_name", "error_message"],
                f"sys.dm_exec_describe_first_result_set(N'{statement}', NULL, 0)",
                "is_hidden = 0 OR error_message IS NOT NULL ORDER BY column_ordinal",
            )
        )
        for _, declared, message in found:
            if message is not None and declared is None:
                raise OptionError(f"SQL Server refuses the query made from the options: {message}")
        return Table(relation, tuple(self.column(str(name), str(declared)) for name, declared, _ in found))

    def column(self, name: str, declared: str) -> Column:
        return Column(name, declared, sqlserver_type(declared))

    def quote(self, identifier: str) -> str:
        """The identifier in brackets, whatever ``QUOTED_IDENTIFIER`` says."""
        return "[" + identifier.replace("]", "]]") + "]"

    def item(self, column: Column) -> str:
        name = self.quote(column.name)
        if column.declared in ("geography", "geometry", "hierarchyid"):
            return f"{name}.ToString() AS {name}"
        plain = not pa.types.is_string(column.type) or column.declared.startswith(("char", "varchar", "n"))
        return name if plain else f"CAST({name} AS nvarchar(max)) AS {name}"

    def limited(self, sql: str, limit: int) -> str:
        """The statement, cut to its first rows. It is never one that is ordered: see :meth:`order`."""
        return f"{sql}\nORDER BY (SELECT NULL) OFFSET 0 ROWS FETCH NEXT {limit} ROWS ONLY"

    def order(self, column: Column, key: SortKey) -> str | None:
        return None

    def batches(self, session: RowSession, sql: str, columns: Sequence[Column], rows: int) -> Iterator[pa.RecordBatch]:
        with session.cursor() as cursor:
            cursor.execute(sql)
            with cursor.arrow_reader(batch_size=rows or _BATCH_ROWS) as reader:
                yield from converted(reader, columns)


def connection_string(url: SqlServerUrl, options: Options) -> tuple[str, list[str]]:
    """What ``mssql_python.connect`` takes, of a URL and the options; and the secrets in it.

    Raises:
        OptionError: the URL asks for a login that is not supported.
    """
    given = {key: options[key] for key in ("user", "password") if options.get(key)} | url.properties
    if truth("sqlserver", given, "integratedSecurity") or given.get("authentication", "SqlPassword").lower() not in (
        "sqlpassword",
        "notspecified",
    ):
        raise OptionError("Option 'url': jdbc:sqlserver: logs in with a user and a password here, and in no other way.")
    if "accessToken" in given:
        raise OptionError("Option 'url': jdbc:sqlserver: property 'accessToken' is not supported here.")
    place = f"{url.host}\\{url.instance}" if url.instance and not url.port else f"{url.host},{url.port or _PORT}"
    words = {"Server": place}
    words |= {keyword: given[key] for key, keyword in _KEYWORDS.items() if key in given}
    encrypt = given.get("encrypt", "true").strip().lower()
    if encrypt not in ("true", "false", "yes", "no", "mandatory", "optional", "strict"):
        raise OptionError("Option 'url': jdbc:sqlserver: property 'encrypt' must be true, false or strict.")
    words["Encrypt"] = {"true": "yes", "false": "no"}.get(encrypt, encrypt)
    words["TrustServerCertificate"] = "yes" if truth("sqlserver", given, "trustServerCertificate") else "no"
    text = ";".join(f"{word}={{{value.replace('}', '}}')}}}" for word, value in words.items())
    return text, [given["password"]] if "password" in given else []


def sqlserver_type(declared: str) -> pa.DataType:
    """The Arrow type; what has none is fetched as its text."""
    sized = _SIZED.fullmatch(declared)
    if sized is None:
        return pa.string()
    name, size = sized[1], sized[2] or ""
    if name in _TYPES:
        return _TYPES[name]
    if name in ("decimal", "numeric"):
        precision, _, scale = size.partition(",")
        return decimal_type(int(precision), int(scale or 0))
    sized_types = {
        "time": pa.time64("us"),
        "datetime2": WALL_CLOCK,
        "datetimeoffset": INSTANT,
        "binary": pa.binary(),
        "varbinary": pa.binary(),
    }
    return sized_types.get(name, pa.string())
