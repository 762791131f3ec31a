"""The part of the MySQL protocol that reads: a statement is prepared and run, and its rows come in their binary form.

It is spoken over a socket that has logged in. In the binary form an integer, a float or a date needs no text to be
parsed, a FLOAT keeps all its digits, and the server describes a statement that it does not run.
https://mariadb.com/kb/en/clientserver-protocol/
"""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass

__all__ = ["BINARY_CHARSET", "Channel", "Field", "ServerError", "Statement", "WireType", "server_error"]

BINARY_CHARSET = 63
"""The character set of what is no text."""

_PREPARE = 0x16
_EXECUTE = 0x17
_CLOSE = 0x19
_RESET = 0x1F
_ERROR = 0xFF
_HEADER = 4
_MAX_PAYLOAD = 0xFFFFFF
_NULL_LENGTH = 0xFB
_RECEIVE_BYTES = 64 << 10


class WireType:
    """How a value is sent."""

    DECIMAL = 0
    TINY = 1
    SHORT = 2
    LONG = 3
    FLOAT = 4
    DOUBLE = 5
    NULL = 6
    TIMESTAMP = 7
    LONGLONG = 8
    INT24 = 9
    DATE = 10
    TIME = 11
    DATETIME = 12
    YEAR = 13
    BIT = 16
    JSON = 245
    NEWDECIMAL = 246
    ENUM = 247
    SET = 248
    GEOMETRY = 255


class ServerError(Exception):
    """What the server answers where it refuses a statement or ends it."""

    def __init__(self, code: int, sqlstate: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.sqlstate = sqlstate


@dataclass(frozen=True, slots=True)
class Field:
    """A column of a result, as the server describes it."""

    name: str
    wire: int
    """One of :class:`WireType`; any other one is sent as bytes."""
    length: int
    """The most characters that a value is displayed with, times the bytes of a character where it is text."""
    decimals: int
    charset: int
    flags: int

    @property
    def never_null(self) -> bool:
        """Whether the column is declared NOT NULL."""
        return bool(self.flags & 0x0001)

    @property
    def unsigned(self) -> bool:
        """Whether a number has no sign."""
        return bool(self.flags & 0x0020)

    @property
    def primary(self) -> bool:
        """Whether the column is part of the primary key."""
        return bool(self.flags & 0x0002)

    @property
    def enumeration(self) -> bool:
        """Whether the column is an ENUM or a SET, which are sent as text."""
        return bool(self.flags & 0x0900)


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement that the server has prepared."""

    number: int
    fields: tuple[Field, ...]


class Channel:
    """Commands and answers over a socket that is logged in and has nothing under way."""

    def __init__(self, connected: socket.socket) -> None:
        self.socket = connected
        self._received = bytearray()
        self._taken = 0

    def prepare(self, sql: str) -> Statement:
        """Has the server parse and describe a statement, which it does not run.

        Raises:
            ServerError: the server refuses it.
            OSError: the connection is broken.
        """
        self._send(_PREPARE, sql.encode())
        number, columns, parameters = struct.unpack_from("<IHH", self._packet(), 1)
        self._fields(parameters)
        return Statement(number, self._fields(columns))

    def execute(self, statement: Statement) -> tuple[tuple[Field, ...], bytes]:
        """Runs the statement. Returns the columns of its result, and the first bytes of its rows.

        The rows that follow are read from :attr:`socket`, up to the packet that ends them.

        Raises:
            ServerError: the server refuses it or ended it before its first row.
            OSError: the connection is broken.
        """
        self._send(_EXECUTE, struct.pack("<IBI", statement.number, 0, 1))
        fields = self._fields(self._packet()[0])
        rows = bytes(memoryview(self._received)[self._taken :])
        self._received.clear()
        self._taken = 0
        return fields, rows

    def close(self, statement: Statement) -> None:
        """Has the server forget a statement; it does not answer."""
        self._send(_CLOSE, struct.pack("<I", statement.number))

    def reset(self) -> None:
        """Brings the connection back to its first state, but for the character set and other variables."""
        self._send(_RESET, b"")
        self._packet()

    def _send(self, command: int, body: bytes) -> None:
        if len(body) + 1 >= _MAX_PAYLOAD:
            raise ValueError(f"The statement has {len(body):,} bytes; a server takes less than {_MAX_PAYLOAD:,}.")
        self.socket.sendall(struct.pack("<IB", len(body) + 1, command) + body)

    def _fields(self, count: int) -> tuple[Field, ...]:
        fields = tuple(_field(self._packet()) for _ in range(count))
        if count:
            self._packet()  # marks the end of the columns
        return fields

    def _packet(self) -> bytes:
        self._fill(_HEADER)
        size = int.from_bytes(self._received[self._taken : self._taken + 3], "little")
        self._fill(_HEADER + size)
        start = self._taken + _HEADER
        self._taken = start + size
        packet = bytes(memoryview(self._received)[start : self._taken])
        if packet[:1] == bytes([_ERROR]):
            raise server_error(packet)
        return packet

    def _fill(self, size: int) -> None:
        while len(self._received) - self._taken < size:
            received = self.socket.recv(_RECEIVE_BYTES)
            if not received:
                raise ConnectionResetError("the server closed the connection")
            self._received += received


def server_error(packet: bytes) -> ServerError:
    """The error that a packet brings."""
    code = int.from_bytes(packet[1:3], "little")
    if packet[3:4] == b"#":
        return ServerError(code, packet[4:9].decode("ascii", "replace"), packet[9:].decode("utf-8", "replace"))
    return ServerError(code, "HY000", packet[3:].decode("utf-8", "replace"))


def _field(packet: bytes) -> Field:
    texts: list[bytes] = []
    position = 0
    for _ in range(6):  # catalog, schema, table and its own name, the column and its own name
        size, position = _length(packet, position)
        texts.append(packet[position : position + size])
        position += size
    charset, length, wire, flags, decimals = struct.unpack_from("<HIBHB", packet, position + 1)
    return Field(texts[4].decode(), wire, length, decimals, charset, flags)


def _length(packet: bytes, position: int) -> tuple[int, int]:
    """A length of one byte or several, and where it ends."""
    first = packet[position]
    if first < _NULL_LENGTH:
        return first, position + 1
    size = {0xFC: 2, 0xFD: 3, 0xFE: 8}[first]
    return int.from_bytes(packet[position + 1 : position + 1 + size], "little"), position + 1 + size
