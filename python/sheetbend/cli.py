"""The command ``sheetbend``.

Exit status: 0 done, 1 it failed (the reason is on standard error), 2 the arguments are wrong.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sheetbend import __version__
from sheetbend.cluster import DEFAULT_SCHEDULER_PORT, TOKEN_VARIABLE, ClusterOptions, default_token_file
from sheetbend.cluster import token as cluster_token
from sheetbend.errors import SheetbendError
from sheetbend.registry import check_name, import_plugin

if TYPE_CHECKING:
    from sheetbend.discovery import Discovered

__all__ = ["main"]

_LOG_LEVELS = {
    "error": logging.ERROR,
    "warn": logging.WARNING,
    "info": logging.INFO,
    "debug": logging.DEBUG,
    "trace": logging.DEBUG,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command with ``arguments``, by default those of the process; returns its exit status."""
    parsed = _parser().parse_args(arguments)
    try:
        status: int = parsed.run(parsed)
    except (OSError, SheetbendError) as error:
        print(f"sheetbend: {error}", file=sys.stderr)
        return 1
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sheetbend", description="PySpark clients read Python data sources through a Rust engine."
    )
    parser.add_argument("--version", action="version", version=f"sheetbend {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_server(commands)
    _add_executor(commands)
    _add_sources(commands)
    return parser


def _add_server(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    from sheetbend.server import DEFAULT_PORT  # noqa: PLC0415

    command = commands.add_parser(
        "server",
        help="run a Spark Connect server",
        description="Runs a Spark Connect server. Its URL is printed as one line when clients can connect; SIGINT or "
        "SIGTERM stops it, a second one at once.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    command.add_argument("--host", default="127.0.0.1", help="the loopback address to listen on")
    command.add_argument("--port", type=_port, default=DEFAULT_PORT, help="the TCP port; 0 takes a free one")
    command.add_argument(
        "--register",
        metavar="NAME=MODULE:CLASS",
        type=_registration,
        action="append",
        default=[],
        help="make a class, or an instance, readable as format NAME; may be repeated",
    )
    _add_python_path(command)
    command.add_argument(
        "--detached-timeout",
        metavar="SECONDS",
        type=_seconds,
        default=10.0,
        help="how long a query goes on after its client went away",
    )
    command.add_argument(
        "--session-timeout",
        metavar="SECONDS",
        type=_seconds,
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
        type=_port,
        default=DEFAULT_SCHEDULER_PORT,
        help="the TCP port where executors reach the server; 0 takes a free one",
    )
    _add_token_file(command, "made with a new token where there is none")
    _add_log_level(command)
    command.set_defaults(run=_run_server)


def _add_executor(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser(
        "executor",
        help="run tasks for a server that has a cluster",
        description="Runs tasks for a server that was started with --cluster. Its address is printed as one line when "
        "the server has taken it in. SIGINT or SIGTERM ends it when its tasks have ended and what they left has been "
        "fetched, a second one at once.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    command.add_argument("--scheduler", metavar="HOST:PORT", type=_endpoint, required=True, help="the server")
    command.add_argument(
        "--vcores", metavar="N", type=_count, help="how many partitions it runs at a time; one a core if not given"
    )
    command.add_argument(
        "--memory",
        metavar="SIZE",
        type=_size,
        help="what the engine may take for all tasks, such as 4g; no limit if not given",
    )
    command.add_argument(
        "--work-dir",
        metavar="DIR",
        type=Path,
        default=Path(tempfile.gettempdir()),
        help="where what tasks leave is kept",
    )
    command.add_argument(
        "--bind", metavar="HOST", help="the address where data is fetched; the one that reaches the server if not given"
    )
    command.add_argument("--port", type=_port, default=0, help="the TCP port there; 0 takes a free one")
    command.add_argument(
        "--patience", metavar="SECONDS", type=_seconds, default=60.0, help="how long the server may be away"
    )
    command.add_argument(
        "--drain",
        metavar="SECONDS",
        type=_seconds,
        default=60.0,
        help="how long it waits for its tasks when it is to end",
    )
    _add_token_file(command, "a copy of the server's")
    _add_python_path(command)
    _add_log_level(command)
    command.set_defaults(run=_run_executor)


def _add_token_file(command: argparse.ArgumentParser, what: str) -> None:
    command.add_argument(
        "--token-file",
        metavar="FILE",
        type=Path,
        help=f"what the processes of a cluster know each other by, {what}; {TOKEN_VARIABLE} or {default_token_file()} "
        "if not given",
    )


def _add_python_path(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--python-path",
        metavar="DIR",
        type=Path,
        default=Path(),
        help="where modules are imported from, beside those that are installed",
    )


def _add_log_level(command: argparse.ArgumentParser) -> None:
    command.add_argument("--log-level", choices=_LOG_LEVELS, default="warn", help="what is logged on standard error")


def _add_sources(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser(
        "sources",
        help="list the sources that a server would have",
        description="Lists every built-in and installed source with its class, origin and options, and each one that "
        "cannot be loaded with the reason. The exit status is 1 where there is such a one.",
    )
    command.set_defaults(run=_run_sources)


def _prepare(parsed: argparse.Namespace) -> None:
    # Read when the native module is imported, which the start does.
    os.environ.setdefault("SHEETBEND_LOG", parsed.log_level)
    _log_sources(_LOG_LEVELS[parsed.log_level])
    sys.path.insert(0, str(parsed.python_path.resolve()))


def _run_executor(parsed: argparse.Namespace) -> int:
    from sheetbend.executor import Executor, ExecutorOptions  # noqa: PLC0415

    _prepare(parsed)
    options = ExecutorOptions(
        vcores=parsed.vcores,
        memory=parsed.memory,
        work_dir=parsed.work_dir,
        bind=parsed.bind,
        port=parsed.port,
        patience=parsed.patience,
        drain=parsed.drain,
    )
    executor = Executor(parsed.scheduler, token_file=parsed.token_file, options=options).start()
    print(executor.address, flush=True)
    executor.serve_until_signalled()
    return 0


def _run_server(parsed: argparse.Namespace) -> int:
    from sheetbend.server import Server  # noqa: PLC0415

    _prepare(parsed)
    cluster = None
    if parsed.cluster:
        cluster = ClusterOptions(
            host=parsed.scheduler_host,
            port=parsed.scheduler_port,
            token=cluster_token(parsed.token_file, create=True),
        )
    server = Server(
        parsed.host,
        parsed.port,
        detached_timeout=parsed.detached_timeout,
        session_timeout=parsed.session_timeout,
        isolation=parsed.isolation,
        cluster=cluster,
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
    server.serve_until_signalled()
    return 0


def _log_sources(level: int) -> None:
    """Has what sources log written to standard error. Only that: other libraries may log what is secret."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logger = logging.getLogger("sheetbend")
    logger.addHandler(handler)
    logger.setLevel(level)


def _run_sources(_parsed: argparse.Namespace) -> int:
    from sheetbend.discovery import discover  # noqa: PLC0415

    sources = discover()
    print("\n".join(line for source in sources for line in _described(source)))
    return 1 if any(source.error is not None for source in sources) else 0


def _described(source: Discovered) -> list[str]:
    if source.plugin is None:
        return [f"{source.name}  ({source.origin})", f"    cannot be loaded: {source.error}"]
    kind = type(source.plugin)
    lines = [f"{source.name}  {kind.__module__}.{kind.__qualname__}  ({source.origin})"]
    for option in getattr(source.plugin, "OPTIONS", ()):
        notes = [option.type]
        notes += ["required"] if option.required else []
        notes += [f"default {option.default}"] if option.default is not None else []
        lines.append(f"    {option.name} ({', '.join(notes)}): {option.doc}")
    return lines


def _port(text: str) -> int:
    port = int(text) if text.isascii() and text.isdigit() else -1
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError(f"expected a port from 0 to 65535, got '{text}'")
    return port


def _endpoint(text: str) -> str:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:
        raise argparse.ArgumentTypeError(f"expected HOST:PORT, got '{text}'")
    return text


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a number from 1 on, got '{text}'")
    return int(text)


def _size(text: str) -> int:
    number, unit = text[:-1], text[-1:].lower()
    if unit not in "kmg" or not number.isdecimal():
        raise argparse.ArgumentTypeError(f"expected a size such as 512m or 4g, got '{text}'")
    return int(number) << {"k": 10, "m": 20, "g": 30}[unit]


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"expected a number of seconds, got '{text}'")
    return seconds


def _registration(text: str) -> tuple[str, str]:
    name, separator, reference = text.partition("=")
    if not separator or ":" not in reference:
        raise argparse.ArgumentTypeError(f"expected NAME=MODULE:CLASS, got '{text}'")
    try:
        return check_name(name), reference
    except SheetbendError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


if __name__ == "__main__":
    sys.exit(main())
