"""Frames over a socket: two lengths, a header of JSON, a payload of bytes."""

from __future__ import annotations

import json
import socket
import struct
from typing import Any, TypeAlias

Header: TypeAlias = dict[str, Any]

_LENGTHS = struct.Struct("<II")
"""Bytes of the header, bytes of the payload."""


class Connection:
    """The worker's end. One thread may send while another receives."""

    def __init__(self, address: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.connect(address)

    def send(self, header: Header, payload: Any = b"", *, descriptor: int | None = None) -> None:  # noqa: ANN401
        """Sends a frame.

        Args:
            header: What is said.
            payload: Any object with a buffer of bytes.
            descriptor: A file that the server gets too.
        """
        text = json.dumps(header).encode()
        payload = memoryview(payload).cast("B")
        parts = [_LENGTHS.pack(len(text), payload.nbytes) + text, payload]
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, struct.pack("i", descriptor))] if descriptor else []
        sent = self._socket.sendmsg(parts, rights)
        for part in parts:
            if sent < len(part):
                self._socket.sendall(part[sent:])
            sent = max(0, sent - len(part))

    def receive(self) -> tuple[Header, bytes] | None:
        """The next frame; none where the server has gone."""
        lengths = self._receive_exactly(_LENGTHS.size)
        if lengths is None:
            return None
        header_bytes, payload_bytes = _LENGTHS.unpack(lengths)
        header, payload = self._receive_exactly(header_bytes), self._receive_exactly(payload_bytes)
        if header is None or payload is None:
            return None
        parsed: Header = json.loads(header)
        return parsed, payload

    def _receive_exactly(self, length: int) -> bytes | None:
        received = bytearray(length)
        view = memoryview(received)
        while view:
            count = self._socket.recv_into(view)
            if not count:
                return None
            view = view[count:]
        return bytes(received)
