"""What the database servers of the tests have in common: whom they run as, and where they listen."""

from __future__ import annotations

import os
import pwd
import socket
from pathlib import Path
from typing import Any


def as_owner(user: str) -> dict[str, Any]:
    """The arguments of :class:`subprocess.Popen` for a server that refuses to run as root: it is run as ``user`` then.

    Raises:
        KeyError: there is no such user, as its package is not installed.
    """
    if os.geteuid() != 0:
        return {}
    found = pwd.getpwnam(user)
    return {"user": found.pw_uid, "group": found.pw_gid, "extra_groups": []}


def give(user: str, *paths: Path) -> None:
    """Has files and directories belong to whom the server runs as."""
    owner = as_owner(user)
    for path in paths if owner else ():
        os.chown(path, owner["user"], owner["group"])


def free_port() -> int:
    """A port of loopback that nobody listens at."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
