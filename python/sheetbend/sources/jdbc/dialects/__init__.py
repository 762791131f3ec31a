"""One module for each database, or several of one name.

A module and its driver are imported when a URL of that database is first read: the others need not be installed, and
a server that reads no database does not load any.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sheetbend.errors import SheetbendError
from sheetbend.sources.jdbc.url import split_url

if TYPE_CHECKING:
    from sheetbend.options import Options
    from sheetbend.sources.jdbc.dialects.base import Dialect

__all__ = ["dialect_of"]


@dataclass(frozen=True, slots=True)
class _Entry:
    module: str
    class_name: str
    extra: str = "jdbc"
    """What ``pip install 'sheetbend[...]'`` brings the driver."""


_DIALECTS = {
    "arrow-flight-sql": _Entry("sheetbend.sources.jdbc.dialects.flightsql", "FlightSqlDialect", "flightsql"),
    "bigquery": _Entry("sheetbend.sources.jdbc.dialects.bigquery", "BigQueryDialect", "bigquery"),
    "ch": _Entry("sheetbend.sources.jdbc.dialects.clickhouse", "ClickHouseDialect", "clickhouse"),
    "clickhouse": _Entry("sheetbend.sources.jdbc.dialects.clickhouse", "ClickHouseDialect", "clickhouse"),
    "duckdb": _Entry("sheetbend.sources.jdbc.dialects.duckdb", "DuckDbDialect", "duckdb"),
    "mariadb": _Entry("sheetbend.sources.jdbc.dialects.mysql", "MariaDbDialect"),
    "mysql": _Entry("sheetbend.sources.jdbc.dialects.mysql", "MySqlDialect"),
    "oracle": _Entry("sheetbend.sources.jdbc.dialects.oracle", "OracleDialect", "oracle"),
    "postgresql": _Entry("sheetbend.sources.jdbc.dialects.postgresql", "PostgresDialect"),
    "redshift": _Entry("sheetbend.sources.jdbc.dialects.redshift", "RedshiftDialect", "redshift"),
    "snowflake": _Entry("sheetbend.sources.jdbc.dialects.snowflake", "SnowflakeDialect", "snowflake"),
    "sqlite": _Entry("sheetbend.sources.jdbc.dialects.sqlite", "SqliteDialect"),
    "sqlserver": _Entry("sheetbend.sources.jdbc.dialects.sqlserver", "SqlServerDialect", "mssql"),
    "trino": _Entry("sheetbend.sources.jdbc.dialects.trino", "TrinoDialect", "trino"),
}
"""By subprotocol; the class is made with what follows it in the URL and the options."""


def dialect_of(options: Options) -> Dialect[Any]:
    """The dialect of the option ``url``, ready to connect with these options; it does not connect yet.

    Raises:
        OptionError: the URL is missing, malformed or of another database.
        SheetbendError: the database's driver is not installed.
    """
    subprotocol, rest = split_url(options.require("url"), tuple(_DIALECTS))
    entry = _DIALECTS[subprotocol]
    try:
        found = importlib.import_module(entry.module)
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0].replace("_", "-")
        raise SheetbendError(
            f"Source 'jdbc' needs the package '{package}' for jdbc:{subprotocol}: "
            f"pip install 'sheetbend[{entry.extra}]'."
        ) from error
    dialect: Dialect[Any] = getattr(found, entry.class_name)(rest, options)
    dialect.init_statement = options.get("sessionInitStatement", "").strip().rstrip(";")
    dialect.prepare = options.get("prepareQuery", "").strip()
    return dialect
