"""A TCP proxy that breaks connections: it resets them at a byte, or stands still."""

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
        resets: How many connections to reset; later ones are left alone.
        stall_at: After how many bytes from the server no more are forwarded; None for never.
        accepted: How many connections there were.
    """

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.reset_at: int | None = None
        self.resets = 1 << 30
        self.stall_at: int | None = None
        self.accepted = 0
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
        with contextlib.suppress(OSError):
            while data := client.recv(65536):
                server.sendall(data)
            server.shutdown(socket.SHUT_WR)

    def _to_client(self, client: socket.socket, server: socket.socket) -> None:
        sent = 0
        with contextlib.suppress(OSError):
            while data := server.recv(65536):
                if self.reset_at is not None and sent + len(data) > self.reset_at and self.resets > 0:
                    self.resets -= 1
                    client.sendall(data[: max(0, self.reset_at - sent)])
                    # With no time to linger, close() sends a reset, once nobody reads from it.
                    client.shutdown(socket.SHUT_RD)
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    client.close()
                    server.close()
                    return
                if self.stall_at is not None and sent + len(data) > self.stall_at:
                    client.sendall(data[: max(0, self.stall_at - sent)])
                    self._closed.wait()
                    return
                client.sendall(data)
                sent += len(data)
            client.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def faulty_proxy(target: int) -> Iterator[FaultyProxy]:
    """A proxy to a port of loopback, closed at the end."""
    proxy = FaultyProxy(target)
    try:
        yield proxy
    finally:
        proxy.close()
