"""The command ``sheetbend``.

Exit status: 0 done, 1 it failed (the reason is on standard error), 2 the arguments are wrong.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sheetbend import __version__
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
    command.add_argument(
        "--python-path",
        metavar="DIR",
        type=Path,
        default=Path(),
        help="where modules are imported from, beside those that are installed",
    )
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
    command.add_argument("--log-level", choices=_LOG_LEVELS, default="warn", help="what is logged on standard error")
    command.set_defaults(run=_run_server)


def _add_sources(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser(
        "sources",
        help="list the sources that a server would have",
        description="Lists every built-in and installed source with its class, origin and options, and each one that "
        "cannot be loaded with the reason. The exit status is 1 where there is such a one.",
    )
    command.set_defaults(run=_run_sources)


def _run_server(parsed: argparse.Namespace) -> int:
    from sheetbend.server import Server  # noqa: PLC0415

    # Read when the native module is imported, which Server.start does.
    os.environ.setdefault("SHEETBEND_LOG", parsed.log_level)
    _log_sources(_LOG_LEVELS[parsed.log_level])
    sys.path.insert(0, str(parsed.python_path.resolve()))
    server = Server(
        parsed.host,
        parsed.port,
        detached_timeout=parsed.detached_timeout,
        session_timeout=parsed.session_timeout,
        isolation=parsed.isolation,
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
