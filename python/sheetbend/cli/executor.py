"""``sheetbend executor``."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from sheetbend.cli import arguments
from sheetbend.executor import Executor, ExecutorOptions


def add(commands: arguments.Commands) -> None:
    """Adds the command."""
    command = commands.add_parser(
        "executor",
        help="run tasks for a server that has a cluster",
        description="Runs tasks for a server that was started with --cluster. Its address is printed as one line when "
        "the server has taken it in. SIGINT or SIGTERM ends it when its tasks have ended and what they left has been "
        "fetched, a second one at once.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    command.add_argument("--scheduler", metavar="HOST:PORT", type=arguments.endpoint, required=True, help="the server")
    command.add_argument(
        "--vcores",
        metavar="N",
        type=arguments.count,
        help="how many tasks it runs at a time; one a core if not given",
    )
    command.add_argument(
        "--memory",
        metavar="SIZE",
        type=arguments.size,
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
    command.add_argument("--port", type=arguments.port, default=0, help="the TCP port there; 0 takes a free one")
    command.add_argument(
        "--patience", metavar="SECONDS", type=arguments.seconds, default=60.0, help="how long the server may be away"
    )
    command.add_argument(
        "--drain",
        metavar="SECONDS",
        type=arguments.seconds,
        default=60.0,
        help="how long it waits for its tasks when it is to end",
    )
    arguments.add_trust(command, "a copy of the server's")
    arguments.add_python_path(command)
    arguments.add_health(command)
    arguments.add_log_level(command)
    command.set_defaults(run=_run)


def _run(parsed: argparse.Namespace) -> int:
    arguments.prepare(parsed)
    options = ExecutorOptions(
        vcores=parsed.vcores,
        memory=parsed.memory,
        work_dir=parsed.work_dir,
        bind=parsed.bind,
        port=parsed.port,
        patience=parsed.patience,
        drain=parsed.drain,
        tls=arguments.tls(parsed),
        health=arguments.health(parsed),
    )
    executor = Executor(parsed.scheduler, token_file=parsed.token_file, options=options).start()
    print(executor.address, flush=True)
    arguments.print_health(executor.health)
    executor.serve_until_signalled()
    return 0
