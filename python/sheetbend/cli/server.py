"""``sheetbend server``."""

from __future__ import annotations

import argparse
import sys

from sheetbend.cli import arguments
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
    command.add_argument("--host", default="127.0.0.1", help="the loopback address to listen on")
    command.add_argument("--port", type=arguments.port, default=DEFAULT_PORT, help="the TCP port; 0 takes a free one")
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
    server = Server(
        parsed.host,
        parsed.port,
        detached_timeout=parsed.detached_timeout,
        session_timeout=parsed.session_timeout,
        isolation=parsed.isolation,
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
