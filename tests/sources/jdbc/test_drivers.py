"""A database's driver is loaded when the database is read, and no other."""

from __future__ import annotations

import subprocess
import sys

import pytest

from sheetbend.errors import SheetbendError
from sheetbend.options import Options
from sheetbend.sources.jdbc.dialects import dialect_of

URLS = {
    "sqlite": "jdbc:sqlite:/data/orders.db",
    "postgresql": "jdbc:postgresql://db.example/orders",
    "mysql": "jdbc:mysql://db.example/orders",
    "duckdb": "jdbc:duckdb:/data/orders.db",
    "flightsql": "jdbc:arrow-flight-sql://db.example",
    "snowflake": "jdbc:snowflake://db.example/",
    "bigquery": "jdbc:bigquery://https://db.example:443;ProjectId=p",
    "clickhouse": "jdbc:clickhouse://db.example/orders",
    "oracle": "jdbc:oracle:thin:@//db.example/orders",
    "redshift": "jdbc:redshift://db.example/orders",
    "sqlserver": "jdbc:sqlserver://db.example",
    "trino": "jdbc:trino://db.example/orders",
}


@pytest.mark.parametrize(
    ("database", "package", "extra"),
    [
        ("sqlite", "adbc-driver-sqlite", "jdbc"),
        ("postgresql", "adbc-driver-postgresql", "jdbc"),
        ("mysql", "pymysql", "jdbc"),
        ("duckdb", "duckdb", "duckdb"),
        ("flightsql", "adbc-driver-flightsql", "flightsql"),
        ("snowflake", "adbc-driver-snowflake", "snowflake"),
        ("bigquery", "adbc-driver-bigquery", "bigquery"),
        ("clickhouse", "clickhouse-connect", "clickhouse"),
        ("oracle", "oracledb", "oracle"),
        ("redshift", "redshift-connector", "redshift"),
        ("sqlserver", "mssql-python", "mssql"),
        ("trino", "trino", "trino"),
    ],
)
def test_a_driver_that_is_not_installed_is_named_and_the_others_work(
    database: str, package: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    packages = tuple(f"sheetbend.sources.jdbc.{room}.{database}" for room in ("dialects", "drivers"))
    for module in [name for name in sys.modules if name.startswith(packages)]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, package.replace("-", "_"), None)
    for other, url in URLS.items():
        if other != database:
            assert "n" in dialect_of(Options({"url": url})).quote("n")
    with pytest.raises(SheetbendError) as caught:
        dialect_of(Options({"url": URLS[database]}))
    name = URLS[database].split(":")[1]
    assert str(caught.value) == (
        f"Source 'jdbc' needs the package '{package}' for jdbc:{name}: pip install 'sheetbend[{extra}]'."
    )


@pytest.mark.parametrize(
    ("script", "unwanted"),
    [
        (
            "import sheetbend; sheetbend.Server(port=0)",
            {"adbc_driver_manager", "httpx", "obstore", "pandas", "pyarrow.compute", "pyarrow.parquet"},
        ),
        (
            "from sheetbend.options import Options; from sheetbend.sources.jdbc.dialects import dialect_of; "
            f"dialect_of(Options({{'url': {URLS['sqlite']!r}}}))",
            {"adbc_driver_postgresql", "pyarrow.dataset"},
        ),
    ],
    ids=["a server", "SQLite"],
)
def test_what_is_not_read_is_not_loaded(script: str, unwanted: set[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", f"{script}; import sys; print(*sys.modules)"], capture_output=True, text=True, check=True
    )
    assert not unwanted & set(done.stdout.split())
