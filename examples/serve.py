"""A server with a source registered by name. It prints its URL and runs until Ctrl-C.

python examples/serve.py
"""

from __future__ import annotations

import sheetbend
from targets import TargetsDataSource

TARGETS = {"north": 108_000_000, "east": 109_500_000, "south": 108_500_000, "west": 110_000_000, "centre": 108_800_000}


def main() -> None:
    """Serves on a free port of this machine."""
    server = sheetbend.Server(port=0)
    server.register_datasource("targets", TargetsDataSource(TARGETS))
    with server:
        print(server.url, flush=True)
        server.serve_until_signalled()


if __name__ == "__main__":
    main()
