"""Hosts of the tests' own: network namespaces, joined by a switch that is one too."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["Hosts", "joined_hosts", "why_not"]


class Hosts:
    """Hosts by number from 0, each with an address in a network that nothing else can reach."""

    def __init__(self) -> None:
        self._prefix = f"sb{secrets.token_hex(3)}"
        self._switch = f"{self._prefix}-switch"
        self._made = 0

    @staticmethod
    def address(host: int) -> str:
        return f"10.213.0.{host + 1}"

    def command(self, host: int, *command: str) -> list[str]:
        """What runs a command on a host."""
        return ["ip", "netns", "exec", self._name(host), *command]

    def cut(self, host: int) -> None:
        """Takes its cable out: packets are lost, and nobody is told."""
        self._switched("link", "set", f"port{host}", "down")

    def mend(self, host: int) -> None:
        self._switched("link", "set", f"port{host}", "up")

    def make(self, count: int) -> None:
        _ip("netns", "add", self._switch)
        self._switched("link", "add", "bridge", "type", "bridge")
        self._switched("link", "set", "bridge", "up")
        for host in range(count):
            name = self._name(host)
            _ip("netns", "add", name)
            self._made += 1
            self._switched("link", "add", f"port{host}", "type", "veth", "peer", "name", "net", "netns", name)
            self._switched("link", "set", f"port{host}", "master", "bridge", "up")
            _ip("-n", name, "address", "add", f"{self.address(host)}/24", "dev", "net")
            for device in ("lo", "net"):
                _ip("-n", name, "link", "set", device, "up")

    def remove(self) -> None:
        for name in [*map(self._name, range(self._made)), self._switch]:
            subprocess.run(["ip", "netns", "delete", name], capture_output=True, check=False)

    def _name(self, host: int) -> str:
        return f"{self._prefix}-{host}"

    def _switched(self, *arguments: str) -> None:
        _ip("-n", self._switch, *arguments)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True, timeout=20)


def why_not() -> str | None:
    """Why this machine can have no hosts of the tests' own; none where it can."""
    if os.geteuid() != 0:
        return "only root may make network namespaces"
    if shutil.which("ip") is None:
        return "the command ip (Debian's iproute2) is not installed"
    trial = f"sb{secrets.token_hex(3)}-trial"
    made = subprocess.run(["ip", "netns", "add", trial], capture_output=True, text=True, check=False)
    subprocess.run(["ip", "netns", "delete", trial], capture_output=True, check=False)
    return made.stderr.strip() or "network namespaces cannot be made here" if made.returncode else None


@contextmanager
def joined_hosts(count: int) -> Iterator[Hosts]:
    """So many hosts, gone at the end."""
    hosts = Hosts()
    try:
        hosts.make(count)
        yield hosts
    finally:
        hosts.remove()
