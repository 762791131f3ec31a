"""A Flight SQL server of the tests' own, in this process: queries, a login, and DuckDB behind it.

It has what a reader asks for: the schema of a query, its rows in one stream, and a token for a user and a password.
"""

from __future__ import annotations

import base64
import secrets
import threading
from collections.abc import Iterator
from types import TracebackType
from typing import Any

import duckdb
import pyarrow as pa
from pyarrow import flight

__all__ = ["FlightSqlServer"]

_QUERY = "type.googleapis.com/arrow.flight.protocol.sql.CommandStatementQuery"


class FlightSqlServer:
    """Starts a server on loopback when entered and stops it when left."""

    user = "tester"

    def __init__(self) -> None:
        self.password = secrets.token_urlsafe(18)
        self.logins = 0
        self.queries: list[str] = []
        """What was run, in order."""
        self.database = duckdb.connect()
        self._server: Any = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """The JDBC URL, without user and password."""
        return f"jdbc:arrow-flight-sql://127.0.0.1:{self._server.port}/?useEncryption=false"

    @property
    def options(self) -> dict[str, str]:
        """What a reader needs beside the table."""
        return {"url": self.url, "user": self.user, "password": self.password}

    def __enter__(self) -> FlightSqlServer:
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        assert self._thread is not None
        self._thread.join(10)
        self.database.close()


class _Server(flight.FlightServerBase):
    def __init__(self, owner: FlightSqlServer) -> None:
        super().__init__("grpc://127.0.0.1:0", auth_handler=_NoHandshake(), middleware={"login": _LoginFactory(owner)})
        self._owner = owner

    def get_schema(self, context: Any, descriptor: Any) -> Any:
        return flight.SchemaResult(self._reader(_query(descriptor.command), 0).schema)

    def get_flight_info(self, context: Any, descriptor: Any) -> Any:
        query = _query(descriptor.command)
        schema = self._reader(query, 0).schema
        return flight.FlightInfo(schema, descriptor, [flight.FlightEndpoint(query.encode(), [])], -1, -1)

    def do_get(self, context: Any, ticket: Any) -> Any:
        query = ticket.ticket.decode()
        self._owner.queries.append(query)
        reader = self._reader(query, None)
        return flight.GeneratorStream(reader.schema, iter(reader))

    def _reader(self, query: str, rows: int | None) -> pa.RecordBatchReader:
        try:
            relation = self._owner.database.cursor().sql(query)
            return (relation if rows is None else relation.limit(rows)).to_arrow_reader(1000)
        except duckdb.Error as error:
            raise flight.FlightServerError(str(error)) from None


class _NoHandshake(flight.ServerAuthHandler):
    def authenticate(self, outgoing: Any, incoming: Any) -> None:
        pass

    def is_valid(self, token: Any) -> str:
        return ""


class _LoginFactory(flight.ServerMiddlewareFactory):
    """Gives a token for a user and a password, and takes it ever after."""

    def __init__(self, owner: FlightSqlServer) -> None:
        self._owner = owner
        self._token = secrets.token_urlsafe(18)

    def start_call(self, info: Any, headers: dict[str, list[str]]) -> Any:
        [given] = next((value for name, value in headers.items() if name.lower() == "authorization"), [""])
        kind, _, value = given.partition(" ")
        if kind == "Basic":
            self._owner.logins += 1
            if base64.b64decode(value + "==").decode() == f"{self._owner.user}:{self._owner.password}":
                return _Token(self._token)
        if given == f"Bearer {self._token}":
            return None
        raise flight.FlightUnauthenticatedError("wrong user or password")


class _Token(flight.ServerMiddleware):
    def __init__(self, token: str) -> None:
        self._token = token

    def sending_headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self._token}"}


def _query(command: bytes) -> str:
    """The statement in a command, which is a message in a message that names its type."""
    message = dict(_fields(command))
    if message[1].decode() != _QUERY:
        raise flight.FlightServerError(f"the server does not know {message[1]!r}")
    return dict(_fields(message[2]))[1].decode()


def _fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    """The fields of a message of Protocol Buffers, all of which have a length."""
    position = 0
    while position < len(message):
        key, position = _number(message, position)
        size, position = _number(message, position)
        yield key >> 3, message[position : position + size]
        position += size


def _number(message: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[position]
        value |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if byte < 0x80:
            return value, position
