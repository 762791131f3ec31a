"""What arguments of several commands may be, and what they prepare."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sheetbend.cluster import DEFAULT_SCHEDULER_PORT, TOKEN_VARIABLE, Tls, default_token_file
from sheetbend.errors import SheetbendError
from sheetbend.registry import check_name

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

_LOG_LEVELS = {
    "error": logging.ERROR,
    "warn": logging.WARNING,
    "info": logging.INFO,
    "debug": logging.DEBUG,
    "trace": logging.DEBUG,
}


def add_trust(command: argparse.ArgumentParser, what: str) -> None:
    """``--token-file``, of which ``what`` says whose it is, and the files for TLS."""
    command.add_argument(
        "--token-file",
        metavar="FILE",
        type=Path,
        help=f"what the processes of a cluster know each other by, {what}; {TOKEN_VARIABLE} or {default_token_file()} "
        "if not given",
    )
    command.add_argument(
        "--tls-cert", metavar="FILE", type=Path, help="encrypt what goes over: the own certificate, PEM"
    )
    command.add_argument("--tls-key", metavar="FILE", type=Path, help="the key of --tls-cert, PEM")
    command.add_argument(
        "--tls-ca", metavar="FILE", type=Path, help="the authority from which all certificates of the cluster are, PEM"
    )


def tls(parsed: argparse.Namespace) -> Tls | None:
    """The files for TLS, as the arguments say.

    Raises:
        SheetbendError: Some are given, and not all.
    """
    files = {"--tls-cert": parsed.tls_cert, "--tls-key": parsed.tls_key, "--tls-ca": parsed.tls_ca}
    missing = [name for name, file in files.items() if file is None]
    if len(missing) == len(files):
        return None
    if missing:
        raise SheetbendError(f"TLS needs {' and '.join(missing)} too.")
    return Tls(certificate=parsed.tls_cert, key=parsed.tls_key, authority=parsed.tls_ca)


def add_scheduler(command: argparse.ArgumentParser) -> None:
    """``--scheduler``, and what it takes to ask it."""
    command.add_argument(
        "--scheduler",
        metavar="HOST:PORT",
        type=endpoint,
        default=f"127.0.0.1:{DEFAULT_SCHEDULER_PORT}",
        help="the server, where executors reach it",
    )
    add_trust(command, "a copy of the server's")


def add_python_path(command: argparse.ArgumentParser) -> None:
    """``--python-path``."""
    command.add_argument(
        "--python-path",
        metavar="DIR",
        type=Path,
        default=Path(),
        help="where modules are imported from, beside those that are installed",
    )


def add_log_level(command: argparse.ArgumentParser) -> None:
    """``--log-level``."""
    command.add_argument("--log-level", choices=_LOG_LEVELS, default="warn", help="what is logged on standard error")


def add_health(command: argparse.ArgumentParser) -> None:
    """``--health-port`` and ``--health-host``."""
    command.add_argument(
        "--health-port",
        metavar="PORT",
        type=port,
        help="the TCP port where health and metrics are told over HTTP; 0 takes a free one, and none is not to tell",
    )
    command.add_argument("--health-host", metavar="HOST", default="127.0.0.1", help="the address for it")


def health(parsed: argparse.Namespace) -> tuple[str, int] | None:
    """Where health is told, as the arguments say."""
    return None if parsed.health_port is None else (parsed.health_host, parsed.health_port)


def print_health(address: str | None) -> None:
    """Says where health is told."""
    if address is not None:
        print(f"health at http://{address}", flush=True)


def prepare(parsed: argparse.Namespace) -> None:
    """Sets up what must be there before the native module is imported."""
    # Read when the native module is imported, which the start does.
    os.environ.setdefault("SHEETBEND_LOG", parsed.log_level)
    _log_sources(_LOG_LEVELS[parsed.log_level])
    sys.path.insert(0, str(parsed.python_path.resolve()))


def _log_sources(level: int) -> None:
    """Has what sources log written to standard error. Only that: other libraries may log what is secret."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logger = logging.getLogger("sheetbend")
    logger.addHandler(handler)
    logger.setLevel(level)


def port(text: str) -> int:
    """A TCP port."""
    port = int(text) if text.isascii() and text.isdigit() else -1
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError(f"expected a port from 0 to 65535, got '{text}'")
    return port


def endpoint(text: str) -> str:
    """``HOST:PORT``."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:
        raise argparse.ArgumentTypeError(f"expected HOST:PORT, got '{text}'")
    return text


def count(text: str) -> int:
    """A number from 1 on."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a number from 1 on, got '{text}'")
    return int(text)


def size(text: str) -> int:
    """Bytes, from a number with a unit: ``512m``, ``4g``."""
    number, unit = text[:-1], text[-1:].lower()
    if unit not in "kmg" or not number.isdecimal():
        raise argparse.ArgumentTypeError(f"expected a size such as 512m or 4g, got '{text}'")
    return int(number) << {"k": 10, "m": 20, "g": 30}[unit]


def seconds(text: str) -> float:
    """A number of seconds."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"expected a number of seconds, got '{text}'")
    return seconds


def registration(text: str) -> tuple[str, str]:
    """Name and class, from ``NAME=MODULE:CLASS``."""
    name, separator, reference = text.partition("=")
    if not separator or ":" not in reference:
        raise argparse.ArgumentTypeError(f"expected NAME=MODULE:CLASS, got '{text}'")
    try:
        return check_name(name), reference
    except SheetbendError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
