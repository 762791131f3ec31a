"""Databases that conditions are asked of, each with tables made from Arrow."""

from __future__ import annotations

import sqlite3
from typing import Any

import adbc_driver_postgresql.dbapi  # type: ignore[import-untyped]
import duckdb
import pyarrow as pa

from sheetbend.filters import DUCKDB, POSTGRESQL, SQLITE, SqlDialect
from tests.plugin import logic
from tests.support.postgresql import PostgresServer


class Database:
    """A database that the tests put tables into, and ask conditions of."""

    dialect: SqlDialect
    columns: tuple[str, ...]
    """Those of `logic.VALUES` that it has a type for."""
    without: tuple[Any, ...] = ()
    """Values that it cannot store."""

    def create(self, name: str, data: pa.Table) -> None:
        raise NotImplementedError

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        raise NotImplementedError

    def answers(self, name: str, sql: str) -> list[bool | None]:
        """What the condition is for each row. The last column shows that nothing of the statement is cut off."""
        rows = self.query(f"SELECT ({sql}), 'end' FROM {name} ORDER BY id")
        assert all(row[1:] == ("end",) for row in rows)
        return [None if row[0] is None else bool(row[0]) for row in rows]


class Sqlite(Database):
    dialect = SQLITE
    columns = ("flag", "tiny", "n", "m", "x", "y", "s", "t", "raw")
    without = (float("nan"),)

    def __init__(self) -> None:
        self._connection = sqlite3.connect(":memory:")

    def create(self, name: str, data: pa.Table) -> None:
        kinds = {pa.bool_(): "BOOLEAN", pa.float64(): "REAL", pa.string(): "TEXT COLLATE NOCASE", pa.binary(): "BLOB"}
        columns = [
            f'"{field.name.replace(chr(34), chr(34) * 2)}" {kinds.get(field.type, "INTEGER")}' for field in data.schema
        ]
        self._connection.execute(f"CREATE TABLE {name} ({', '.join(columns)})")
        places = ", ".join("?" * data.num_columns)
        self._connection.executemany(
            f"INSERT INTO {name} VALUES ({places})", [tuple(row.values()) for row in data.to_pylist()]
        )

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        return self._connection.execute(sql).fetchall()


class DuckDb(Database):
    dialect = DUCKDB
    columns = tuple(logic.VALUES)

    def __init__(self) -> None:
        self._connection = duckdb.connect()

    def create(self, name: str, data: pa.Table) -> None:
        self._connection.register("arrow_data", data)
        self._connection.execute(f"CREATE TABLE {name} AS SELECT * FROM arrow_data")
        self._connection.unregister("arrow_data")

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = self._connection.execute(sql).fetchall()
        return found


class Postgres(Database):
    dialect = POSTGRESQL
    columns = ("flag", "n", "m", "x", "y", "f", "s", "t", "price", "dec", "day", "wall", "at", "hour", "raw")

    def __init__(self, server: PostgresServer) -> None:
        login = {key: server.options[key] for key in ("user", "password")}
        uri = f"host=127.0.0.1 port={server.port} dbname={server.database}" + "".join(
            f" {k}={v}" for k, v in login.items()
        )
        self._connection = adbc_driver_postgresql.dbapi.connect(uri, autocommit=True)

    def create(self, name: str, data: pa.Table) -> None:
        with self._connection.cursor() as cursor:
            cursor.adbc_ingest(name, data)

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with self._connection.cursor() as cursor:
            cursor.execute(sql)
            return [tuple(row) for row in cursor.fetchall()]

    def close(self) -> None:
        self._connection.close()
