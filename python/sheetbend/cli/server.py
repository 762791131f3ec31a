"""``sheetbend server``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from sheetbend.cli import arguments
from sheetbend.clients import TOKEN_VARIABLE, ClientOptions
from sheetbend.clients import token as client_token
from sheetbend.cluster import DEFAULT_SCHEDULER_PORT, ClusterOptions
from sheetbend.cluster import token as cluster_token
from sheetbend.errors import SheetbendError
from sheetbend.registry import import_plugin
from sheetbend.server import DEFAULT_PORT, Server


def add(commands: arguments.Commands) -> None:
    """Adds the command."""
    command = commands.add_parser(
        "server",
        help="run a Spark Connect server",
        description="Runs a Spark Connect server. Its URL is printed as one line when clients can connect; SIGINT or "
        "SIGTERM stops it, a second one at once.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    command.add_argument(
        "--host",
        default="127.0.0.1",
        help="the address to listen on; any but loopback needs --client-token-file and --client-tls-cert",
    )
    command.add_argument("--port", type=arguments.port, default=DEFAULT_PORT, help="the TCP port; 0 takes a free one")
    command.add_argument(
        "--client-token-file",
        metavar="FILE",
        type=Path,
        help=f"what clients are to show, alone on its line; {TOKEN_VARIABLE} if not given, else nothing",
    )
    command.add_argument("--client-tls-cert", metavar="FILE", type=Path, help="the certificate for clients, PEM")
    command.add_argument("--client-tls-key", metavar="FILE", type=Path, help="the key of --client-tls-cert, PEM")
    command.add_argument(
        "--insecure", action="store_true", help="listen on any address without TLS: a proxy in between encrypts"
    )
    command.add_argument(
        "--register",
        metavar="NAME=MODULE:CLASS",
        type=arguments.registration,
        action="append",
        default=[],
        help="make a class, or an instance, readable as format NAME; may be repeated",
    )
    arguments.add_python_path(command)
    command.add_argument(
        "--detached-timeout",
        metavar="SECONDS",
        type=arguments.seconds,
        default=10.0,
        help="how long a query goes on after its client went away",
    )
    command.add_argument(
        "--session-timeout",
        metavar="SECONDS",
        type=arguments.seconds,
        default=3600.0,
        help="how long a session is kept without a request",
    )
    command.add_argument(
        "--isolation",
        choices=("thread", "process"),
        default="thread",
        help="whether the code of sources runs in the server's process or in worker processes, unless a query says it",
    )
    command.add_argument(
        "--cluster", action="store_true", help="have executors run queries; they join by 'sheetbend executor'"
    )
    command.add_argument(
        "--scheduler-host", metavar="HOST", default="127.0.0.1", help="the address where executors reach the server"
    )
    command.add_argument(
        "--scheduler-port",
        metavar="PORT",
        type=arguments.port,
        default=DEFAULT_SCHEDULER_PORT,
        help="the TCP port where executors reach the server; 0 takes a free one",
    )
    arguments.add_trust(command, "made with a new token where there is none")
    arguments.add_health(command)
    arguments.add_log_level(command)
    command.set_defaults(run=_run)


def _run(parsed: argparse.Namespace) -> int:
    arguments.prepare(parsed)
    cluster = None
    if parsed.cluster:
        cluster = ClusterOptions(
            host=parsed.scheduler_host,
            port=parsed.scheduler_port,
            token=cluster_token(parsed.token_file, create=True),
            tls=arguments.tls(parsed),
        )
    if (parsed.client_tls_cert is None) != (parsed.client_tls_key is None):
        raise SheetbendError("--client-tls-cert and --client-tls-key go together.")
    server = Server(
        parsed.host,
        parsed.port,
        detached_timeout=parsed.detached_timeout,
        session_timeout=parsed.session_timeout,
        isolation=parsed.isolation,
        clients=ClientOptions(
            token=client_token(parsed.client_token_file),
            certificate=parsed.client_tls_cert,
            key=parsed.client_tls_key,
            insecure=parsed.insecure,
        ),
        cluster=cluster,
        health=arguments.health(parsed),
    )
    for name, reference in parsed.register:
        server.register_datasource(name, import_plugin(reference, name=name))
    for source in server.list_datasources():
        if source.error is not None:
            print(f"sheetbend: source '{source.name}' is not available: {source.error}", file=sys.stderr)
    try:
        server.start()
    except OSError as error:
        raise SheetbendError(f"Cannot listen on {parsed.host}:{parsed.port}: {error.strerror or error}.") from error
    print(server.url, flush=True)
    if server.scheduler is not None:
        print(f"executors join at {server.scheduler}", flush=True)
    arguments.print_health(server.health)
    server.serve_until_signalled()
    return 0
