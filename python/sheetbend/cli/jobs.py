"""``sheetbend jobs``."""

from __future__ import annotations

import argparse

from sheetbend.cli import arguments
from sheetbend.cluster import Job, jobs, token

_LINE = "{:28} {:>7} {:>21} {:>13} {:>9}"


def add(commands: arguments.Commands) -> None:
    """Adds the command."""
    command = commands.add_parser(
        "jobs",
        help="list the queries that run on a cluster",
        description="Lists the queries that run on the executors of a server: what they read, the stage that they are "
        "at, their tasks (done, running, all), the rows that sources gave them, and for how long they have run.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    arguments.add_scheduler(command)
    command.set_defaults(run=_run)


def _run(parsed: argparse.Namespace) -> int:
    found = jobs(parsed.scheduler, token(parsed.token_file), arguments.tls(parsed))
    print(_LINE.format("NAME", "STAGE", "DONE/RUNNING/TASKS", "ROWS", "SECONDS"))
    print("".join(f"{_described(job)}\n" for job in found), end="")
    return 0


def _described(job: Job) -> str:
    tasks = f"{job.done}/{job.running}/{job.tasks}"
    return _LINE.format(job.name, f"{job.stage}/{job.stages}", tasks, job.rows, f"{job.seconds:.1f}")
