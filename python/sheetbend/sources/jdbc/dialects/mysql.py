"""MySQL and MariaDB."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar

import pyarrow as pa
import pymysql

from sheetbend.errors import (
    AuthenticationError,
    OptionError,
    SheetbendError,
    SourceConnectionError,
    TableNotFoundError,
)
from sheetbend.filters import MYSQL, Comparison, In, Literal, Operator
from sheetbend.filters import Column as FilterColumn
from sheetbend.options import REDACTED
from sheetbend.sources.jdbc.dialects.arrow_cast import cast_to, is_widened, natural
from sheetbend.sources.jdbc.dialects.base import Dialect, check_driver
from sheetbend.sources.jdbc.dialects.mysql_parameters import Parameters
from sheetbend.sources.jdbc.dialects.mysql_pieces import estimate, key_cuts
from sheetbend.sources.jdbc.dialects.mysql_types import Types, declared_type
from sheetbend.sources.jdbc.dialects.mysql_url import parse_mysql
from sheetbend.sources.jdbc.dialects.mysql_writer import MySqlWriter
from sheetbend.sources.jdbc.drivers.mysql import ERRORS, MySqlSession
from sheetbend.sources.jdbc.sql import all_of, select
from sheetbend.sources.jdbc.table import Column, Table

if TYPE_CHECKING:
    from sheetbend.filters import Filter
    from sheetbend.options import Options
    from sheetbend.scan import AggregateFunction, SortKey
    from sheetbend.sources.jdbc.drivers.mysql.protocol import Field
    from sheetbend.sources.jdbc.drivers.mysql.values import Reader
    from sheetbend.sources.jdbc.writing.options import WriteOptions

__all__ = ["MariaDbDialect", "MySqlDialect"]

_DRIVERS = ("com.mysql.cj.jdbc.Driver", "com.mysql.jdbc.Driver", "org.mariadb.jdbc.Driver")
_STALL_SECONDS = 3600
"""How long the server waits for a reader that takes no rows; its own minute is less than a query may take."""
_GRACE_SECONDS = 5.0
"""How long after 'queryTimeout' a server that has not ended the statement itself is given up."""
_NAME = r"(?:\w+|`(?:[^`]|``)+`)"
_TABLE = re.compile(rf"(?:({_NAME})\.)?({_NAME})")

_LENGTH = re.compile(r"varchar\((\d+)\)")

_ACCESS_DENIED = frozenset({1044, 1045, 1142, 1143, 1227, 1370, 1698, 1820, 2054, 2059, 3118})
_NO_TABLE = frozenset({1051, 1146})
_LOST = frozenset({1053, 1077, 1152, 1159, 1160, 1161, 1184, 1927, 2006, 2013, 2055})
_TIMED_OUT = frozenset({1969, 3024})


class MySqlDialect(Dialect[MySqlSession]):
    """A database of MySQL, or of MariaDB by MySQL's name."""

    name = "mysql"
    title = "MySQL"
    # Sessions are in UTC, so that a TIMESTAMP is compared with a literal of it.
    syntax = replace(MYSQL, instant="TIMESTAMP '{0}'")
    errors = ERRORS
    takes_hints = True
    pieces_by = "key"
    binary_order: ClassVar[str] = "CAST(CONVERT({0} USING utf8mb4) AS BINARY)"
    no_limit = str(2**64 - 1)

    def __init__(self, rest: str, options: Options) -> None:
        check_driver(options, self.name, _DRIVERS)
        url = parse_mysql(self.name, rest)
        self._hosts = url.hosts
        self._address = ", ".join(f"{host}:{port}" for host, port in url.hosts)
        self._parameters = parameters = Parameters.of(self.name, url, options)
        self._types = Types(parameters.tinyint_is_boolean, parameters.zero_dates, parameters.time)
        self._timeout = options.integer("queryTimeout", minimum=0) or 0
        self._patience = self._timeout + _GRACE_SECONDS if self._timeout else None
        self._arguments: dict[str, Any] = {
            "user": parameters.user,
            # PyMySQL would take a text for latin1.
            "password": parameters.password.encode(),
            "database": url.database,
            "charset": "utf8mb4",
            "connect_timeout": parameters.connect_seconds,
            "autocommit": None,
            "program_name": "sheetbend",
        }
        if parameters.tls == "disabled":
            self._arguments["ssl_disabled"] = True
        elif parameters.context is not None:
            self._arguments["ssl"] = parameters.context

    @property
    def identity(self) -> str:
        known = {key: value for key, value in self._arguments.items() if key != "ssl"}
        return repr((self._hosts, known, self._parameters, self._timeout))

    def connect(self) -> MySqlSession:
        """To the first of the hosts that answers; a login that is refused is not tried at the next one."""
        for number, (host, port) in enumerate(self._hosts, start=1):
            address = {"host": host, "port": port}
            try:
                return MySqlSession(
                    self._arguments | address, self._statements, self._parameters.read_seconds, self._patience
                )
            except (pymysql.OperationalError, TimeoutError) as error:
                if number == len(self._hosts) or _code(error) in _ACCESS_DENIED:
                    raise
        raise AssertionError("a URL has a host")

    def _statements(self, server: str) -> list[str]:
        variables = ["autocommit = 1", "time_zone = '+00:00'", f"net_write_timeout = {_STALL_SECONDS}"]
        if self._timeout and "MariaDB" in server:
            variables.append(f"max_statement_time = {self._timeout}")
        elif self._timeout:
            variables.append(f"max_execution_time = {self._timeout * 1000}")
        if self._parameters.variables:
            variables.append(self._parameters.variables)
        return ["SET NAMES utf8mb4", f"SET {', '.join(variables)}"]

    def writer(self, options: WriteOptions) -> MySqlWriter:
        return MySqlWriter(self, options)

    def refused(self, error: Exception) -> SheetbendError:
        if _code(error) in _ACCESS_DENIED:
            return AuthenticationError(f"{self.title} at {self._address} refuses the login: {self._clean(error)}.")
        return SourceConnectionError(f"{self.title} at {self._address} cannot be reached: {self._clean(error)}.")

    def failure(self, error: Exception) -> SheetbendError:
        code, message = _code(error), self._clean(error)
        if code in _NO_TABLE:
            return TableNotFoundError(f"{self.title} has no such table: {message}.")
        if code in _ACCESS_DENIED:
            return AuthenticationError(f"{self.title} refuses the user: {message}.")
        if code in _LOST or (isinstance(error, OSError) and not isinstance(error, TimeoutError)):
            return SourceConnectionError(f"{self.title} at {self._address} closed the connection: {message}.")
        if isinstance(error, pymysql.ProgrammingError) or getattr(error, "sqlstate", "").startswith("42"):
            return OptionError(f"{self.title} refuses the query made from the options: {message}.")
        if isinstance(error, TimeoutError):
            told = f"{self.title} at {self._address} does not answer: {message}."
        elif code in _TIMED_OUT:
            told = f"{self.title} ended the query after the {self._timeout} s of 'queryTimeout'."
        else:
            told = f"{self.title}: {message}" + (f" (error {code})." if code else ".")
        return SheetbendError(told)

    def _clean(self, error: Exception) -> str:
        """What the server said, without the part of the statement that it repeats, and without a secret."""
        message = str(error.args[-1] if error.args else error)
        message = re.sub(r"; check the manual .*| near '.*", "", message, flags=re.DOTALL)
        if self._parameters.password:
            message = message.replace(self._parameters.password, REDACTED)
        return " ".join(message.split()).rstrip(".")

    # --- Catalog ---------------------------------------------------------------------------------

    def describe(self, session: MySqlSession, relation: str) -> Table:
        """The columns as the server describes the statement, which it prepares and does not run."""
        fields = session.fields(self.prepared(select(["*"], relation)))
        columns = tuple(self._described(field) for field in fields)
        name = _TABLE.fullmatch(relation)
        if name is None:
            return Table(relation, columns)
        found = session.rows(select(["table_type", "table_rows"], "information_schema.tables", self._named(name)))
        kind, rows = found[0] if found else (None, None)
        keys = [column for column, field in zip(columns, fields, strict=True) if field.primary]
        key = keys[0].name if len(keys) == 1 and _is_whole(keys[0].type) else None
        return Table(relation, columns, kind == "BASE TABLE", None if rows is None else int(rows), key=key)

    def _described(self, field: Field) -> Column:
        return replace(self.column(field.name, declared_type(field)), never_null=field.never_null)

    def _named(self, name: re.Match[str]) -> str:
        """A condition for the rows of a catalog that are about this table."""
        schema, table = (part and self.syntax.text(_unquoted(part)) for part in name.groups())
        return f"table_schema = {schema or 'DATABASE()'} AND table_name = {table}"

    def column(self, name: str, declared: str) -> Column:
        own, cast = natural(declared)
        return Column(name, declared, cast or self._types.arrow_type(own))

    def cast(self, column: Column, kind: pa.DataType) -> Column | None:
        return cast_to(column, kind)

    # --- SQL -------------------------------------------------------------------------------------

    def quote(self, identifier: str) -> str:
        """The identifier in backticks; neither a backslash nor a mode of the server means anything in there."""
        return "`" + identifier.replace("`", "``") + "`"

    def item(self, column: Column) -> str:
        name = self.quote(column.name)
        expression = self._expression(column)
        return name if expression == name else f"{expression} AS {name}"

    def _expression(self, column: Column) -> str:
        name = self.quote(column.name)
        declared = natural(column.declared)[0]
        if declared == "geometry":
            return f"ST_AsBinary({name})"
        as_text = declared == "time" and pa.types.is_string(self._types.arrow_type(declared))
        return f"CAST({name} AS CHAR)" if as_text else name

    def compared(self, column: Column) -> str | None:
        name = self.quote(column.name)
        own, cast = natural(column.declared)
        if cast is not None and (pa.types.is_string(cast) or not is_widened(self._types.arrow_type(own), cast)):
            # A number that is filled up with zeros is another text here.
            return None
        if pa.types.is_boolean(column.type):
            return f"({name} <> 0)"
        if _has_zero_dates(column.type) and self._parameters.zero_dates != "EXCEPTION":
            return None
        if pa.types.is_binary(column.type):
            # Numbers in the eyes of the server, or of an inner form.
            return None if column.declared.startswith(("bit", "geometry")) else name
        return None if pa.types.is_time(column.type) else self._expression(column)

    def condition(self, condition: Filter, table: Table) -> str | None:
        """The condition, and one more for texts that are equal: by the column's collation, and so by its index."""
        exact = super().condition(condition, table)
        match condition:
            case Comparison(Operator.EQUAL, FilterColumn(name), Literal() as value):
                values: tuple[Literal, ...] = (value,)
            case In(FilterColumn(name), values):
                pass
            case _:
                return exact
        column = table.column(name)
        texts = [value.value.as_py() for value in values]
        if exact is None or not all(isinstance(text, str) and text.isascii() for text in texts):
            return exact
        if self.compared(column) != self.quote(name):
            return exact
        return f"{self.quote(name)} IN ({', '.join(str(self.syntax.text(text)) for text in texts)}) AND {exact}"

    def order(self, column: Column, key: SortKey) -> str | None:
        """NULL is below all values here, and there are no words to have it elsewhere."""
        expression = self._ordered(column, self.compared(column))
        if pa.types.is_string(column.type) and not _is_sorted_whole(column.declared):
            return None
        if expression is None:
            return None
        term = f"{expression} DESC" if key.descending else expression
        if column.never_null or key.nulls_first is not key.descending:
            return term
        return f"{expression} IS NULL{' DESC' if key.nulls_first else ''}, {term}"

    def group(self, column: Column) -> tuple[str, str] | None:
        expression = self.compared(column)
        if expression is None or pa.types.is_floating(column.type):
            return None
        if pa.types.is_string(column.type):
            # By its bytes: a collation takes texts for the same that are not. They arrive as text all the same.
            return self.binary_order.format(expression), "varchar(0)"
        return expression, "bit(1)" if pa.types.is_boolean(column.type) else column.declared

    def aggregate(self, function: AggregateFunction, column: Column | None) -> tuple[str, str] | None:
        if function.function == "count":
            counted = "*" if column is None else self.compared(column)
            return None if counted is None else (f"count({counted})", "bigint")
        expression = None if column is None else self.compared(column)
        if column is None or expression is None:
            return None
        if function.function in ("min", "max"):
            return self._extreme(function.function, column, expression)
        if not _is_exact(column.type):
            return None
        if pa.types.is_decimal(function.type):
            return f"sum({expression})", f"decimal({function.type.precision},{function.type.scale})"
        # Summed up as a decimal that is large enough, and refused here where it is no bigint.
        return f"sum({expression})", "bigint"

    def _extreme(self, function: str, column: Column, expression: str) -> tuple[str, str] | None:
        if pa.types.is_string(column.type):
            return f"{function}({self.binary_order.format(expression)})", "varchar(0)"
        if pa.types.is_boolean(column.type):
            return f"{function}({expression})", "bit(1)"
        return (f"{function}({expression})", column.declared) if _is_ordered(column.type) else None

    # --- Partitions ------------------------------------------------------------------------------

    def pieces(self, session: MySqlSession, table: Table, partitions: int) -> list[str] | None:
        """Ranges of the first column of the primary key with about as many rows each, by what its index tells."""
        name = _TABLE.fullmatch(table.relation)
        if name is None or not table.is_plain:
            return None
        of_key = f"index_name = 'PRIMARY' AND seq_in_index = 1 AND {self._named(name)}"
        first = session.rows(select(["column_name"], "information_schema.statistics", of_key))
        column = table.column(str(first[0][0])) if first else None
        if column is None or not _is_whole(column.type):
            return None
        key = self.quote(column.name)
        at = key_cuts(session, table.relation, key, table.rows or 0, partitions)
        if not at:
            return []
        middle = [f"{key} >= {low} AND {key} < {high}" for low, high in pairwise(at)]
        return [f"{key} < {at[0]}", *middle, f"{key} >= {at[-1]}"]

    def expected_rows(self, session: MySqlSession, table: Table, conditions: Sequence[str]) -> int | None:
        """The rows that an index finds. Where the server goes through them all, it does so with one core a query."""
        found = estimate(session, select(["1"], table.relation, all_of(conditions)))
        return None if found.reads_all else found.rows

    def bucket(self, column: Column, partitions: int, number: int) -> str | None:
        hashed = f"crc32({self.quote(column.name)}) % {partitions}"
        return f"({hashed} = {number}" + (f" OR {self.quote(column.name)} IS NULL)" if number == 0 else ")")

    # --- Transactions ----------------------------------------------------------------------------

    def begin(self, session: MySqlSession, isolation: str | None, snapshot: str | None) -> None:
        session.execute(f"SET TRANSACTION ISOLATION LEVEL {isolation or 'REPEATABLE READ'}")
        session.execute("START TRANSACTION READ ONLY")

    # --- Rows ------------------------------------------------------------------------------------

    def batches(
        self, session: MySqlSession, sql: str, columns: Sequence[Column], rows: int
    ) -> Iterator[pa.RecordBatch]:
        def readers(fields: Sequence[Field]) -> list[Reader]:
            kinds = [self._types.arrow_type(natural(column.declared)[0]) for column in columns]
            return [self._types.reader(field, kind) for field, kind in zip(fields, kinds, strict=True)]

        for batch in session.fetch(sql, columns, readers):
            step = rows or batch.num_rows
            for start in range(0, batch.num_rows, step):
                yield batch.slice(start, step)


class MariaDbDialect(MySqlDialect):
    """A database of MariaDB, or of MySQL by MariaDB's name."""

    name = "mariadb"
    title = "MariaDB"


def _code(error: Exception) -> int:
    """The number of a server's or PyMySQL's error; 0 where it has none."""
    first = getattr(error, "code", None) or (error.args[0] if error.args else 0)
    return first if isinstance(first, int) else 0


def _unquoted(name: str) -> str:
    return name[1:-1].replace("``", "`") if name.startswith("`") else name


def _is_sorted_whole(declared: str) -> bool:
    """Whether no text is longer than the 1024 bytes by which the server sorts."""
    length = _LENGTH.fullmatch(declared)
    return declared == "enum" or (length is not None and int(length[1]) <= 256)


def _is_whole(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or (pa.types.is_decimal(kind) and kind.scale == 0))


def _is_exact(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_decimal(kind))


def _is_ordered(kind: pa.DataType) -> bool:
    return _is_exact(kind) or _has_zero_dates(kind) or bool(pa.types.is_float64(kind))


def _has_zero_dates(kind: pa.DataType) -> bool:
    return bool(pa.types.is_date(kind) or pa.types.is_timestamp(kind))
