"""``sheetbend executors``."""

from __future__ import annotations

import argparse

from sheetbend.cli import arguments
from sheetbend.cluster import executors, token

_LINE = "{:28} {:>7} {:>7}"


def add(commands: arguments.Commands) -> None:
    """Adds the command."""
    command = commands.add_parser(
        "executors",
        help="list the executors of a cluster",
        description="Lists the executors that have joined a server: where their data is fetched, how many tasks they "
        "run at a time, and how many they run now.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    arguments.add_scheduler(command)
    command.set_defaults(run=_run)


def _run(parsed: argparse.Namespace) -> int:
    found = executors(parsed.scheduler, token(parsed.token_file), arguments.tls(parsed))
    print(_LINE.format("ADDRESS", "VCORES", "TASKS"))
    print("".join(f"{_LINE.format(one.address, one.vcores, one.tasks)}\n" for one in found), end="")
    return 0
