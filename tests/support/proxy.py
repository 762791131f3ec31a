"""A TCP proxy that breaks connections: it resets them at a byte, stands still, or sends a byte now and then."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator

__all__ = ["FaultyProxy", "faulty_proxy"]


class FaultyProxy:
    """Forwards connections on a port of loopback to another one.

    Attributes:
        port: Where it listens.
        reset_at: After how many bytes from the server a connection is reset; None for never.
        reset_sent_at: The same, for bytes to the server.
        resets: How many connections to reset; later ones are left alone.
        stall_at: After how many bytes from the server no more are forwarded; None for never.
        stall_sent_at: The same, for bytes to the server.
        stall_on: What a client sends, and no more of it is forwarded; None for nothing.
        trickle_at: After how many bytes from the server they are forwarded one by one; None for never.
        trickle_seconds: How long it waits after each of those.
        accepted: How many connections there were.
        stalled: How many of them stand still.
        overheard: What clients have sent, the first 64 KiB of it.
    """

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.reset_at: int | None = None
        self.reset_sent_at: int | None = None
        self.resets = 1 << 30
        self.stall_at: int | None = None
        self.stall_sent_at: int | None = None
        self.stall_on: bytes | None = None
        self.trickle_at: int | None = None
        self.trickle_seconds = 1.0
        self.accepted = 0
        self.stalled = 0
        self.overheard = b""
        self._closed = threading.Event()
        self._sockets: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._closed.set()
        for one in [self._listener, *self._sockets]:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        while not self._closed.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.accepted += 1
            server = socket.create_connection(("127.0.0.1", self._target))
            self._sockets += [client, server]
            for work in (self._to_server, self._to_client):
                threading.Thread(target=work, args=(client, server), daemon=True).start()

    def _to_server(self, client: socket.socket, server: socket.socket) -> None:
        sent = 0
        with contextlib.suppress(OSError):
            while data := client.recv(65536):
                self.overheard = (self.overheard + data)[:65536]
                if self._resets(self.reset_sent_at, sent + len(data)):
                    self._reset(client, server)
                    return
                if _is_past(self.stall_sent_at, sent + len(data)) or (self.stall_on and self.stall_on in data):
                    self.stalled += 1
                    self._closed.wait()
                    return
                server.sendall(data)
                sent += len(data)
            server.shutdown(socket.SHUT_WR)

    def _to_client(self, client: socket.socket, server: socket.socket) -> None:
        sent = 0
        with contextlib.suppress(OSError):
            while data := server.recv(65536):
                if self._resets(self.reset_at, sent + len(data)):
                    client.sendall(data[: max(0, (self.reset_at or 0) - sent)])
                    self._reset(client, server)
                    return
                if _is_past(self.stall_at, sent + len(data)):
                    client.sendall(data[: max(0, (self.stall_at or 0) - sent)])
                    self.stalled += 1
                    self._closed.wait()
                    return
                if _is_past(self.trickle_at, sent + len(data)):
                    for byte in data:
                        client.sendall(bytes([byte]))
                        if self._closed.wait(self.trickle_seconds):
                            return
                else:
                    client.sendall(data)
                sent += len(data)
            client.shutdown(socket.SHUT_WR)

    def _resets(self, limit: int | None, sent: int) -> bool:
        due = _is_past(limit, sent) and self.resets > 0
        self.resets -= due
        return due

    def _reset(self, client: socket.socket, server: socket.socket) -> None:
        # With no time to linger, close() sends a reset, once nobody reads from it.
        client.shutdown(socket.SHUT_RD)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
        server.close()


def _is_past(limit: int | None, sent: int) -> bool:
    return limit is not None and sent > limit


@contextlib.contextmanager
def faulty_proxy(target: int) -> Iterator[FaultyProxy]:
    """A proxy to a port of loopback, closed at the end."""
    proxy = FaultyProxy(target)
    try:
        yield proxy
    finally:
        proxy.close()
