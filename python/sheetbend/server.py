"""A server that PySpark clients connect to, inside this Python process.

::

    with sheetbend.Server(port=0) as server:
        server.register_datasource("orders", OrdersDataSource())
        spark = SparkSession.builder.remote(server.url).getOrCreate()
        spark.read.format("orders").load().show()
"""

from __future__ import annotations

import ipaddress
import socket
import threading
from typing import TYPE_CHECKING

from sheetbend.clients import ClientOptions
from sheetbend.discovery import BUILT_IN_ORIGIN, Discovered, discover
from sheetbend.errors import SheetbendError
from sheetbend.isolation import IsolationOptions, as_options
from sheetbend.registry import check_name, checked, instance_of
from sheetbend.signals import until_signalled

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self, Unpack

    from sheetbend import _native
    from sheetbend.cluster import ClusterOptions

__all__ = ["DEFAULT_PORT", "Server"]

DEFAULT_PORT = 15002
"""The port of Spark Connect."""


class Server:
    """A Spark Connect server. It can be started, stopped and started again; its methods may be called by any thread.

    The built-in sources and those of installed packages are there from the start.

    Args:
        host: The address to listen on. Whoever reaches the server can have it import and run Python code, so any but
            loopback needs ``clients`` that show a token, over TLS.
        port: The TCP port; 0 takes a free one.
        detached_timeout: Seconds that a query goes on after its client went away, for the client to come back.
        session_timeout: Seconds without a request after which a session, with its views, is dropped.
        clients: What is asked of clients, and shown to them.
        cluster: How executors reach the server; none to run every query in this process.
        health: The address and port where it tells of its health over HTTP; port 0 takes a free one. By default it does
            not.
        isolation: Where the code of all sources runs, unless a registration or a query says otherwise; see
            :class:`~sheetbend.isolation.IsolationOptions`.

    Raises:
        SheetbendError: The host is no IP address, or one that others reach without a token or TLS.
        OptionError: A value that is none for an option of isolation.
    """

    def __init__(  # noqa: PLR0913 - all but two go by their names
        self,
        host: str = "127.0.0.1",
        port: int = DEFAULT_PORT,
        *,
        detached_timeout: float = 10.0,
        session_timeout: float = 3600.0,
        clients: ClientOptions | None = None,
        cluster: ClusterOptions | None = None,
        health: tuple[str, int] | None = None,
        **isolation: Unpack[IsolationOptions],
    ) -> None:
        self._clients = clients or ClientOptions()
        self._host = _checked_host(host, self._clients)
        self._port = port
        self._detached_timeout = detached_timeout
        self._session_timeout = session_timeout
        self._isolation = _checked_isolation(**isolation)
        self._cluster = cluster
        self._health = health
        self._lock = threading.RLock()
        self._native: _native.Server | None = None
        self._bound_port = 0
        self._discovered = discover()
        self._registered: dict[str, Discovered] = {}
        self._isolations: dict[str, dict[str, str]] = {}
        """What registrations say of isolation."""

    def register_datasource(self, name: str, datasource: object, **isolation: Unpack[IsolationOptions]) -> None:
        """Makes a source readable as ``spark.read.format(name)``, in place of one that has the name already.

        Args:
            name: The name, without regard to case.
            datasource: An instance with the three methods, a class that has them and is made without arguments, or a
                subclass of PySpark's ``DataSource``. A class that runs in worker processes is made an instance of only
                there.
            isolation: Where its code runs, unless a query says otherwise; by default as the server says.

        Raises:
            PluginError: The name is none, or the class does not have the three methods.
            OptionError: A value that is none for an option of isolation.
        """
        key = check_name(name)
        options = _checked_isolation(**isolation)
        in_workers = {**self._isolation, **options}.get("isolation") == "process"
        plugin = checked(datasource, name=key) if in_workers else instance_of(datasource, name=key)
        with self._lock:
            self._registered[key] = Discovered(key, "registered", plugin)
            self._isolations[key] = options
            if self._native is not None:
                self._native.register(key, plugin, isolation=options)

    def list_datasources(self) -> list[Discovered]:
        """Every source of this server by name, with those that could not be loaded and why."""
        with self._lock:
            kept = [source for source in self._discovered if source.name not in self._registered]
            return sorted([*kept, *self._registered.values()], key=lambda source: (source.name, source.origin))

    def start(self) -> Self:
        """Listens, and returns the server itself once clients can connect.

        Raises:
            OSError: The port is in use or may not be used.
            SheetbendError: The server runs already, or has a certificate or a token that cannot be used.
        """
        # Imported here so that the pure Python half (plug-ins, their tests) needs no engine.
        from sheetbend import _native  # noqa: PLC0415

        sources = self.list_datasources()
        with self._lock:
            if self._native is not None:
                raise SheetbendError(f"The server runs already, at {self._address()}.")
            try:
                native = _native.Server(
                    self._host,
                    self._port,
                    detached_timeout=self._detached_timeout,
                    session_timeout=self._session_timeout,
                    isolation=self._isolation,
                    cluster=self._cluster.native() if self._cluster is not None else None,
                    clients=self._clients.native(),
                    health=self._health,
                )
            except ValueError as error:
                raise SheetbendError(f"The server cannot start: {error}.") from None
            # Loaded ones last: where a name is claimed twice, the one that can be read has it.
            for source in sorted(sources, key=lambda source: source.error is None):
                isolation = self._isolations.get(source.name, {})
                reserved = source.origin == BUILT_IN_ORIGIN
                native.register(source.name, source.readable(), reserved=reserved, isolation=isolation)
            self._bound_port = native.start()
            self._native = native
        return self

    def stop(self) -> None:
        """Cancels what runs and returns when every session, connection and thread has ended. Harmless when stopped."""
        with self._lock:
            native, self._native = self._native, None
        if native is not None:
            native.stop()

    @property
    def url(self) -> str:
        """What a client connects to: ``sc://127.0.0.1:15002``. Raises :class:`SheetbendError` before the start."""
        with self._lock:
            if self._native is None:
                raise SheetbendError("The server is not started, so it has no URL yet.")
            return self._address()

    @property
    def scheduler(self) -> str | None:
        """Where executors reach the server, ``127.0.0.1:15003``; none before the start, and without a cluster."""
        with self._lock:
            return self._native.scheduler if self._native is not None else None

    @property
    def health(self) -> str | None:
        """Where the server tells of its health, ``127.0.0.1:8080``; none before the start, and where it does not."""
        with self._lock:
            return self._native.health if self._native is not None else None

    def serve_until_signalled(self) -> int:
        """Waits for SIGINT or SIGTERM, then stops. A second signal ends the process at once, with status 128 + signal.

        Only the main thread may call this, since only it can handle signals. Returns the number of the signal, 0 where
        the server stopped by itself.
        """
        return until_signalled(self._has_ended, self.stop)

    def _has_ended(self) -> bool:
        with self._lock:
            native = self._native
        return native is None or native.wait(0.0)

    def _address(self) -> str:
        host = f"[{self._host}]" if ":" in self._host else self._host
        is_every = ipaddress.ip_address(self._host).is_unspecified
        return self._clients.url(socket.getfqdn() if is_every else host, self._bound_port)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        with self._lock:
            return f"<sheetbend.Server {self._address() if self._native is not None else 'stopped'}>"


def _checked_isolation(**isolation: Unpack[IsolationOptions]) -> dict[str, str]:
    options = as_options(**isolation)
    if options:
        from sheetbend import _native  # noqa: PLC0415 - as in Server.start

        _native.check_isolation(options)
    return options


def _checked_host(host: str, clients: ClientOptions) -> str:
    if host == "localhost":
        return "127.0.0.1"
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        raise SheetbendError(f"The host '{host}' is no IP address; expected one such as 127.0.0.1.") from None
    if not address.is_loopback and clients.token is None:
        raise SheetbendError(
            f"Refused to listen on {host}: a client can have the server import and run Python code, so clients must "
            "show a token. Give them one (--client-token-file, or SPARK_CONNECT_AUTHENTICATE_TOKEN), or listen on "
            "127.0.0.1, and reach it from another machine through an SSH tunnel."
        )
    if not address.is_loopback and clients.certificate is None and not clients.insecure:
        raise SheetbendError(
            f"Refused to listen on {host} without TLS: others would read the token of clients. Give a certificate "
            "(--client-tls-cert, --client-tls-key), or say --insecure where a proxy in between encrypts."
        )
    return str(address)
