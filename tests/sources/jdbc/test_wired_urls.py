"""URLs of the databases that are wired, as their own Java drivers read them."""

from __future__ import annotations

import random
import traceback

import pytest

from sheetbend.errors import SheetbendError
from sheetbend.options import Options
from sheetbend.sources.jdbc.dialects import dialect_of
from sheetbend.sources.jdbc.dialects.mysql_url import parse_mysql
from sheetbend.sources.jdbc.dialects.oracle_url import parse_oracle
from sheetbend.sources.jdbc.dialects.properties import parse_address
from sheetbend.sources.jdbc.dialects.sqlserver import connection_string
from sheetbend.sources.jdbc.dialects.sqlserver_url import parse_sqlserver

PLACE = "(DESCRIPTION=(ADDRESS=(PROTOCOL={})(HOST={})(PORT={}))(CONNECT_DATA={}))"


@pytest.mark.parametrize(
    ("rest", "hosts", "database", "parameters"),
    [
        ("//h/db", [("h", 3306)], "db", {}),
        ("//h:3307", [("h", 3307)], None, {}),
        ("///db", [("localhost", 3306)], "db", {}),
        ("//[::1]:3307/db?useSSL=true&x=a%26b+c", [("::1", 3307)], "db", {"useSSL": "true", "x": "a&b c"}),
        ("//a,b:1,c/db", [("a", 3306), ("b", 1), ("c", 3306)], "db", {}),
        ("//[a:1,b:2]/db", [("a", 1), ("b", 2)], "db", {}),
        ("//address=(host=h)(port=7)(priority=1)/db", [("h", 7)], "db", {}),
        ("//(host=h,port=7),(host=g)/db", [("h", 7), ("g", 3306)], "db", {}),
        ("//ADDRESS=(HOST=::1)(PORT=7)/db", [("::1", 7)], "db", {}),
        ("loadbalance://a,b/db", [("a", 3306), ("b", 3306)], "db", {}),
        ("//h/d%C3%A9?", [("h", 3306)], "dé", {}),
    ],
)
def test_mysql(rest: str, hosts: list[tuple[str, int]], database: str | None, parameters: dict[str, str]) -> None:
    url = parse_mysql("mysql", rest)
    assert (list(url.hosts), url.database, url.parameters) == (hosts, database, parameters)


def test_mysql_credentials_in_the_url() -> None:
    url = parse_mysql("mysql", "//ann:p%40:s@h:1/db")
    assert (url.user, url.password, url.hosts) == ("ann", "p@:s", (("h", 1),))
    # MariaDB's driver takes a value as it stands.
    assert parse_mysql("mariadb", "sequential://h/d?password=a%26+b").parameters == {"password": "a%26+b"}


@pytest.mark.parametrize(
    "rest",
    [
        "h/db",
        "/h/db",
        "sequential://h/db",
        "//h:0/db",
        "//h:65536/db",
        "//h:port/db",
        "//::1/db",
        "//[::1/db",
        "//[nothing]x/db",
        "//address=(port=1)/db",
        "//h h/db",
        "//(host=h/db",
    ],
)
def test_mysql_urls_that_are_refused(rest: str) -> None:
    with pytest.raises(SheetbendError, match="Option 'url'"):
        parse_mysql("mysql", rest)


@pytest.mark.parametrize(
    ("rest", "place", "properties"),
    [
        ("//h", ("h", None, None), {}),
        ("//h:1444;databaseName=d", ("h", None, 1444), {"databaseName": "d"}),
        ("//h\\i:1444;", ("h", "i", 1444), {}),
        ("//;serverName=h;portNumber=7;instanceName=i", ("h", "i", 7), {}),
        ("//[::1]:7;Database = d ; UID=u", ("::1", None, 7), {"databaseName": "d", "user": "u"}),
        ("//h;password={a;b}}c=d};user=u", ("h", None, None), {"password": "a;b}c=d", "user": "u"}),
        ("//h;password={};user=u", ("h", None, None), {"password": "", "user": "u"}),
        ("//h;password= {a b} ;encrypt=strict;;", ("h", None, None), {"password": "a b", "encrypt": "strict"}),
        ("//h;password=a=b", ("h", None, None), {"password": "a=b"}),
    ],
)
def test_sqlserver(rest: str, place: tuple[str, str | None, int | None], properties: dict[str, str]) -> None:
    url = parse_sqlserver(rest)
    assert ((url.host, url.instance, url.port), url.properties) == (place, properties)


@pytest.mark.parametrize(
    "rest",
    [
        "h;databaseName=d",
        "//",
        "//h:;",
        "//h:x",
        "//h:0",
        "//h;nonsense",
        "//h;nonsense=1",
        "//h;password={open",
        "//h;password={a}b;",
        "//u:canary@h;",
        "//h/db",
        "//h;integratedSecurity=true",
        "//h;authentication=ActiveDirectoryPassword",
        "//h;encrypt=maybe",
    ],
)
def test_sqlserver_urls_that_are_refused(rest: str) -> None:
    with pytest.raises(SheetbendError, match="Option 'url'"):
        connection_string(parse_sqlserver(rest), Options())


def test_a_value_cannot_leave_its_place_in_a_connection_string() -> None:
    hostile = "a};Server={evil,1}"
    braced = hostile.replace("}", "}}")
    text, secrets = connection_string(
        parse_sqlserver(f"//h;password={{{braced}}};trustServerCertificate=true"), Options({"user": "u;x"})
    )
    assert text == ("Server={h,1433};UID={u;x};PWD={a}};Server={evil,1}}};Encrypt={yes};TrustServerCertificate={yes}")
    assert secrets == [hostile]
    chosen = random.Random(1)
    for _ in range(300):
        value = "".join(chosen.choices("a{};= \\'\"", k=chosen.randint(1, 9)))
        rest = "//h;password={" + value.replace("}", "}}") + "};user=u"
        assert parse_sqlserver(rest).properties == {"password": value, "user": "u"}


@pytest.mark.parametrize(
    ("rest", "target"),
    [
        ("thin:@//h:1522/s", PLACE.format("tcp", "h", 1522, "(SERVICE_NAME=s)")),
        ("thin:@//h/s.example", PLACE.format("tcp", "h", 1521, "(SERVICE_NAME=s.example)")),
        ("thin:@h:1521/s:dedicated/i", PLACE.format("tcp", "h", 1521, "(SERVICE_NAME=s)(SERVER=dedicated)(INSTANCE_NAME=i)")),
        ("thin:@h:1521:ORCL", PLACE.format("tcp", "h", 1521, "(SID=ORCL)")),
        ("thin:@tcps://h:2484/s", PLACE.format("tcps", "h", 2484, "(SERVICE_NAME=s)")),
        ("thin:@//[::1]:1521/s", PLACE.format("tcp", "::1", 1521, "(SERVICE_NAME=s)")),
        ("thin:@(DESCRIPTION=(ADDRESS=(HOST=h)))", "(DESCRIPTION=(ADDRESS=(HOST=h)))"),
        ("thin:@alias_high?TNS_ADMIN=/etc/o", "alias_high"),
    ],
)  # fmt: skip
def test_oracle(rest: str, target: str) -> None:
    assert parse_oracle(rest).target == target


def test_oracle_credentials_in_the_url() -> None:
    for rest in ("thin:ann/secret@//h/s", 'thin:"ann"/"se/cr@et"@//h/s'):
        url = parse_oracle(rest)
        assert url.user == "ann"
        assert url.password in ("secret", "se/cr@et")
    assert parse_oracle("thin:/@alias").password is None


@pytest.mark.parametrize(
    "rest",
    [
        "oci:@h",
        "thin:h:1521/s",
        "thin:@",
        "thin:@//h:1521",
        "thin:@//h:99999/s",
        "thin:@h:x:sid",
        "thin:@(DESCRIPTION=(ADDRESS=)",
        "thin:@(SOMETHING=1)",
        "thin:ann/can@ary/x@//h/s",
        "thin:@//h/s?nonsense=1",
        "thin:@//h/s)(EVIL=1)",
        "thin:@h:1521:a)(EVIL=1",
    ],
)
def test_oracle_urls_that_are_refused(rest: str) -> None:
    with pytest.raises(SheetbendError, match="Option 'url'"):
        parse_oracle(rest)


def test_addresses() -> None:
    address = parse_address("trino", "//h:8443/hive/a%2Fb?SSL=true&password=a%26b")
    assert (address.host, address.port, address.path) == ("h", 8443, ("hive", "a/b"))
    assert address.properties == {"SSL": "true", "password": "a&b"}
    assert parse_address("trino", "//[::1]").host == "::1"
    for rest in ("h/db", "//", "//u:p@h", "//h:0", "//h:x", "//[::1", "//h h", "//a,b"):
        with pytest.raises(SheetbendError, match="Option 'url'"):
            parse_address("trino", rest)


HOSTILE = (
    "jdbc:mysql://h:canary/db",
    "jdbc:mysql://u:canary@h:x/db",
    "jdbc:mysql://h/db?passwort=canary",
    "jdbc:mariadb://u:canary@h/db",
    "jdbc:mariadb://h/db?connectTimeout=x&password=canary",
    "jdbc:sqlserver://h;password={canary",
    "jdbc:sqlserver://h;password={canary}x",
    "jdbc:sqlserver://h;canary",
    "jdbc:sqlserver://h;pasword=canary",
    "jdbc:oracle:thin:u/canary",
    "jdbc:oracle:thin:u/canary@//h:x/s",
    "jdbc:oracle:thin:u/can@canary@//h/s",
    "jdbc:oracle:oci:u/canary@h",
    "jdbc:clickhouse://u:canary@h/db",
    "jdbc:ch:ftp://h/db?password=canary",
    "jdbc:clickhouse:https://h/db?pass=canary",
    "jdbc:snowflake://h/?password=canary&authenticator=x",
    "jdbc:snowflake:h?password=canary",
    "jdbc:bigquery://https://h:443;OAuthType=2;OAuthClientSecret=canary;ProjectId=p",
    "jdbc:bigquery:h;OAuthPvtKey=canary",
    "jdbc:redshift://u:canary@h/db",
    "jdbc:redshift://h/db?PWD=canary&nonsense=1",
    "jdbc:trino://h/c?SSL=perhaps&password=canary",
    "jdbc:trino://h:canary/c",
    "jdbc:arrow-flight-sql://h?token=canary&useEncryption=2",
    "jdbc:duckdb:x.db;password=canary",
    "jdbc:nothing://u:canary@h",
)


@pytest.mark.parametrize("url", HOSTILE)
def test_no_error_shows_a_password(url: str) -> None:
    with pytest.raises(SheetbendError) as caught:
        dialect_of(Options({"url": url, "dbtable": "t"}))
    assert "canary" not in "".join(traceback.format_exception(caught.value))
