"""The databases that the tests reach no server of: what would be sent to their drivers, which are the real ones."""

from __future__ import annotations

import datetime

import pyarrow as pa
import pytest

from sheetbend.errors import AuthenticationError, SourceConnectionError
from sheetbend.filters import Column, Comparison, Literal, Operator
from sheetbend.options import Options
from sheetbend.scan import ScanRequest
from sheetbend.sources.jdbc.dialects import dialect_of
from sheetbend.sources.jdbc.dialects.oracle import declared_type
from sheetbend.sources.jdbc.dialects.redshift import redshift_type
from sheetbend.sources.jdbc.options import Settings
from sheetbend.sources.jdbc.scan import pushed, works
from sheetbend.sources.jdbc.table import Table
from tests.sources.jdbc.reading import cases

URLS = {
    "bigquery": "jdbc:bigquery://https://www.googleapis.com/bigquery/v2:443;ProjectId=p;OAuthType=3",
    "clickhouse": "jdbc:clickhouse:https://h/db",
    "oracle": "jdbc:oracle:thin:@//h/s",
    "redshift": "jdbc:redshift://h/db",
    "snowflake": "jdbc:snowflake://a.snowflakecomputing.com/?db=d",
    "sqlserver": "jdbc:sqlserver://h;databaseName=d",
    "trino": "jdbc:trino://h/c/s",
}


@pytest.mark.parametrize("database", URLS)
def test_types(database: str) -> None:
    dialect = dialect_of(Options({"url": URLS[database]}))
    for case in cases("wired", database):
        column = dialect.column("c", case["declared"])
        assert (str(column.type), dialect.item(column)) == (case["arrow"], case["item"]), case
    assert str(dialect.column("c", "of no kind").type) == "string"


def test_types_that_drivers_tell_by_numbers() -> None:
    assert redshift_type(1700, (12 << 16 | 2) + 4) == "numeric(12,2)"
    assert redshift_type(20, -1) == "bigint"
    assert redshift_type(9999, -1) == "type 9999"
    assert declared_type("DB_TYPE_NUMBER", 10, 2) == "NUMBER(10,2)"
    assert declared_type("DB_TYPE_NUMBER", 126, -127) == "NUMBER"
    assert declared_type("DB_TYPE_VARCHAR", None, None) == "VARCHAR"


@pytest.mark.parametrize(
    ("database", "declared", "expected"),
    [
        ("bigquery", ("int64", "date32[day]"), "SELECT `a\\`b` FROM t\nWHERE (`a\\`b` > 5) AND (`d` <= DATE '2024-01-31')\nLIMIT 3"),
        ("clickhouse", ("Int64", "Date32"), "SELECT `a\\`b` FROM t\nWHERE (`a\\`b` > 5) AND (`d` <= toDate32('2024-01-31'))\nLIMIT 3"),
        ("oracle", ("NUMBER(10,0)", "NUMBER(8,0)"), 'SELECT "a`b" FROM t\nWHERE "a`b" > 5'),
        ("redshift", ("bigint", "date"), 'SELECT "a`b" FROM t\nWHERE ("a`b" > 5) AND ("d" <= DATE \'2024-01-31\')\nLIMIT 3'),
        ("snowflake", ("int64", "date32[day]"), 'SELECT "a`b" FROM t\nWHERE ("a`b" > 5) AND ("d" <= DATE \'2024-01-31\')\nLIMIT 3'),
        (
            "sqlserver",
            ("bigint", "date"),
            "SELECT [a`b] FROM t\nWHERE ([a`b] > 5) AND ([d] <= CAST('2024-01-31' AS date))\n"
            "ORDER BY (SELECT NULL) OFFSET 0 ROWS FETCH NEXT 3 ROWS ONLY",
        ),
        ("trino", ("bigint", "date"), 'SELECT "a`b" FROM t\nWHERE ("a`b" > 5) AND ("d" <= DATE \'2024-01-31\')\nLIMIT 3'),
    ],
)  # fmt: skip
def test_statements(database: str, declared: tuple[str, str], expected: str) -> None:
    dialect = dialect_of(Options({"url": URLS[database]}))
    columns = (dialect.column("a`b", declared[0]), dialect.column("d", declared[1]), dialect.column("s", "of no kind"))
    table = Table("t", columns)
    five = Literal(pa.scalar(5, columns[0].type))
    filters = [Comparison(Operator.GREATER, Column("a`b", columns[0].type), five)]
    if database != "oracle":
        day = Literal(pa.scalar(datetime.date(2024, 1, 31)))
        filters.append(Comparison(Operator.LESS_OR_EQUAL, Column("d", pa.date32()), day))
    limit = None if database == "oracle" else 3
    settings = Settings.of(Options({"dbtable": "t"}))
    push = pushed(dialect, table, ScanRequest(table.schema, ("a`b",), tuple(filters), limit), settings)
    [work] = works(dialect, table, push, [None], settings)
    assert work.sql == expected
    text = Comparison(Operator.EQUAL, Column("s", pa.string()), Literal(pa.scalar("x")))
    assert dialect.condition(text, table) is None


@pytest.mark.parametrize(
    ("url", "password"),
    [
        ("jdbc:sqlserver://127.0.0.1:1;databaseName=d", "canary"),
        ("jdbc:oracle:thin:@//127.0.0.1:1/s", "canary"),
        ("jdbc:clickhouse://127.0.0.1:1/db", "canary"),
        ("jdbc:redshift://127.0.0.1:1/db", "canary"),
        ("jdbc:trino://127.0.0.1:1/c/s?SSL=true", "canary"),
    ],
)
def test_a_closed_port(url: str, password: str) -> None:
    """The drivers take the arguments, and what they raise is understood."""
    from sheetbend.sources.jdbc import JDBCArrowDataSource

    options = Options({"url": url, "user": "u", "password": password, "dbtable": "t"})
    with pytest.raises((SourceConnectionError, AuthenticationError)) as caught:
        JDBCArrowDataSource().infer_schema(options)
    assert isinstance(caught.value, SourceConnectionError), caught.value
    assert password not in str(caught.value)
