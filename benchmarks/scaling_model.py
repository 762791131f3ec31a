"""What limits a cluster first, as it grows: a model of docs/scaling.md, fed by what `benchmarks.cluster` measures.

python -m benchmarks.scaling_model --task-seconds 0.0004 --task-bytes 6000 --idle-seconds 0.0002

The query is a scan with a grouped aggregate: a stage that reads, in so many tasks a vcore, and one that merges, with
a task a vcore. Each task takes ``--work`` seconds of an executor. The figures say how much of each thing the query asks
for in the time that the executors alone would take: at 100 % the thing is the limit.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

TASKS_PER_VCORE = 4
"""As the server cuts a source."""
EXECUTORS = (10, 100, 1000)


@dataclass(frozen=True)
class Costs:
    """What was measured, and what the machines have."""

    task_seconds: float
    """Processor time of the server for a task."""
    task_bytes: float
    """Bytes that go to and fro for a task."""
    idle_seconds: float
    """Processor time of the server for an executor, a second."""
    location_bytes: float
    """Bytes by which a task of a later stage is told of one piece that it fetches."""
    open_seconds: float
    """Time to open one piece: a request and the start of a file."""
    network: float
    """Bytes a second that the server sends."""


@dataclass(frozen=True)
class Cluster:
    """The machines, and how long a task works."""

    executors: int
    vcores: int
    work: float

    @property
    def width(self) -> int:
        """Tasks that run at a time."""
        return self.executors * self.vcores

    @property
    def seconds(self) -> float:
        """What the query takes where nothing but the executors counts."""
        return (TASKS_PER_VCORE + 1) * self.work


def shares(cluster: Cluster, costs: Costs) -> dict[str, float]:
    """How much of each thing is used, 1 for all of it."""
    readers, mergers = cluster.width * TASKS_PER_VCORE, cluster.width
    tasks = readers + mergers
    # Every merging task takes a piece of what every reading task left.
    pieces = readers * mergers
    processor = tasks * costs.task_seconds + cluster.executors * costs.idle_seconds * cluster.seconds
    return {
        # One thread hands out tasks and takes their ends.
        "scheduler's processor": processor / cluster.seconds,
        "server's network, tasks": tasks * costs.task_bytes / costs.network / cluster.seconds,
        "server's network, places of pieces": pieces * costs.location_bytes / costs.network / cluster.seconds,
        "merging task, opening pieces": readers * costs.open_seconds / cluster.work,
    }


def main() -> int:
    """Prints a block a size, the greatest share first."""
    parser = argparse.ArgumentParser(description="Says what limits a cluster first.")
    parser.add_argument("--task-seconds", type=float, required=True, help="server's processor time for a task")
    parser.add_argument("--task-bytes", type=float, required=True, help="bytes that go over the network for a task")
    parser.add_argument("--idle-seconds", type=float, required=True, help="the same of an idle executor, a second")
    parser.add_argument("--location-bytes", type=float, default=250, help="bytes that tell of one piece (default: 250)")
    parser.add_argument("--open-seconds", type=float, default=2e-4, help="time to open one piece (default: 2e-4)")
    parser.add_argument("--network", type=float, default=1.25e9, help="bytes a second (default: 1.25e9)")
    parser.add_argument("--vcores", type=int, default=4, help="vcores of an executor (default: 4)")
    parser.add_argument("--work", type=float, default=10.0, help="seconds that a task works (default: 10)")
    given = parser.parse_args()
    costs = Costs(
        given.task_seconds,
        given.task_bytes,
        given.idle_seconds,
        given.location_bytes,
        given.open_seconds,
        given.network,
    )
    for executors in EXECUTORS:
        cluster = Cluster(executors, given.vcores, given.work)
        print(f"{executors} executors of {given.vcores} vcores, {cluster.width * (TASKS_PER_VCORE + 1)} tasks")
        for name, share in sorted(shares(cluster, costs).items(), key=lambda item: -item[1]):
            print(f"  {name:36}{share:>9.1%}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
