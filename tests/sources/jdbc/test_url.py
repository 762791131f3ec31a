"""JDBC URLs, as each database's own driver reads them."""

from __future__ import annotations

import pytest

from sheetbend.errors import OptionError
from sheetbend.options import Options
from sheetbend.sources.jdbc.dialects import dialect_of
from sheetbend.sources.jdbc.parameters import libpq_parameters
from sheetbend.sources.jdbc.url import parse_postgresql, parse_sqlite


@pytest.mark.parametrize(
    ("rest", "hosts", "ports", "database", "parameters"),
    [
        ("//h1:5433/db", ("h1",), ("5433",), "db", {}),
        ("//h1/db", ("h1",), ("5432",), "db", {}),
        ("//h1:5433/", ("h1",), ("5433",), None, {}),
        ("//h1", ("h1",), ("5432",), None, {}),
        ("///db", ("localhost",), ("5432",), "db", {}),
        ("db", ("localhost",), ("5432",), "db", {}),
        ("/", ("localhost",), ("5432",), None, {}),
        ("", ("localhost",), ("5432",), None, {}),
        ("//[::1]:5433/db", ("::1",), ("5433",), "db", {}),
        ("//[fe80::1]/db", ("fe80::1",), ("5432",), "db", {}),
        ("//h1:1,h2,[::1]:3/db", ("h1", "h2", "::1"), ("1", "5432", "3"), "db", {}),
        ("//h/my%20db%2Fx", ("h",), ("5432",), "my db/x", {}),
        ("//h/db?user=a%26b&password=p%2Bq+r%3D=&ssl", ("h",), ("5432",), "db", {"user": "a&b", "password": "p+q r==", "ssl": ""}),
        ("db?sslmode=require", ("localhost",), ("5432",), "db", {"sslmode": "require"}),
    ],
)  # fmt: skip
def test_postgresql(
    rest: str, hosts: tuple[str, ...], ports: tuple[str, ...], database: str | None, parameters: dict[str, str]
) -> None:
    url = parse_postgresql(rest)
    assert (url.hosts, url.ports, url.database, url.parameters) == (hosts, ports, database, parameters)


@pytest.mark.parametrize(
    "rest", ["//h:0/db", "//h:65536/db", "//h:x/db", "//h:/db", "//::1/db", "//u:pw@h/db", "//h/a/b"]
)
def test_malformed_postgresql(rest: str) -> None:
    with pytest.raises(OptionError, match="jdbc:postgresql:") as caught:
        parse_postgresql(rest + "?password=canary")
    assert "canary" not in str(caught.value)
    assert "pw@" not in str(caught.value)


def test_parameters_become_those_of_libpq() -> None:
    options = Options(
        {"User": "u", "ApplicationName": "a", "ssl": "true", "currentSchema": "my schema", "options": "-c a=b"}
    )
    assert libpq_parameters({"user": "from url", "loginTimeout": "3"}, options) == {
        "user": "from url",
        "application_name": "a",
        "sslmode": "verify-full",
        "connect_timeout": "3",
        "options": "-c a=b -c search_path=my\\ schema",
    }


def test_an_sslmode_goes_before_ssl() -> None:
    assert libpq_parameters({}, Options({"ssl": "true", "sslmode": "require"})) == {"sslmode": "require"}


def test_an_unknown_parameter_is_refused_with_the_nearest() -> None:
    with pytest.raises(OptionError, match=r"no parameter 'sslmod'\. Did you mean 'sslmode'\?"):
        libpq_parameters({"sslmod": "canary"}, Options())


@pytest.mark.parametrize(
    ("rest", "uri"),
    [
        ("/data/a.db", "file:/data/a.db?mode=ro"),
        ("a b?c.db".replace("?", "%"), "file:a%20b%25c.db?mode=ro"),
        ("ünï#1.db", "file:%C3%BCn%C3%AF%231.db?mode=ro"),
        ("file:a%20b.db?mode=rwc&cache=shared", "file:a%20b.db?mode=ro&cache=shared"),
        ("file:/a.db?immutable=1", "file:/a.db?immutable=1&mode=ro"),
        ("a.db?journal_mode=WAL", "file:a.db?mode=ro"),
    ],
)
def test_sqlite(rest: str, uri: str) -> None:
    assert parse_sqlite(rest) == uri


@pytest.mark.parametrize("rest", ["", ":memory:", "file::memory:", "file:x?mode=memory", ":resource:a.db", "?mode=ro"])
def test_sqlite_without_a_file(rest: str) -> None:
    with pytest.raises(OptionError, match="needs the path of a database file"):
        parse_sqlite(rest)


def test_sqlite_with_an_unknown_parameter() -> None:
    with pytest.raises(OptionError, match="has no parameter 'date_class'"):
        parse_sqlite("a.db?date_class=integer")


@pytest.mark.parametrize("url", ["postgresql://u:canary@h/db", "canary", "jdbc:", "jdbc:://canary", "sqlite:canary"])
def test_what_is_no_jdbc_url(url: str) -> None:
    with pytest.raises(OptionError, match="no JDBC URL; one starts with jdbc:") as caught:
        dialect_of(Options({"url": url}))
    assert "canary" not in str(caught.value)


def test_a_database_that_is_not_supported() -> None:
    with pytest.raises(OptionError) as caught:
        dialect_of(Options({"url": "jdbc:db2://h:50000/canary"}))
    assert str(caught.value).startswith("Option 'url': jdbc:db2: is not supported. Supported are: jdbc:")
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "driver"), [("jdbc:sqlite:a.db", "org.sqlite.JDBC"), ("jdbc:postgresql:a", "org.postgresql.Driver")]
)
def test_the_java_class_is_accepted_where_it_is_the_right_one(url: str, driver: str) -> None:
    dialect_of(Options({"url": url, "driver": driver}))
    with pytest.raises(OptionError, match=f"leave it out or give {driver}"):
        dialect_of(Options({"url": url, "driver": "com.example.Driver"}))
