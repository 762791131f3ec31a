"""Certificates of a cluster, made by the commands of `docs/cluster.md`."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from sheetbend.cluster import Tls
from tests.support.server import ROOT

__all__ = ["arguments", "certificates"]

_COMMANDS = re.compile(r"^```sh\n(openssl .*?)^```$", re.MULTILINE | re.DOTALL)


def certificates(folder: Path) -> Tls:
    """A new authority, and a certificate of it."""
    folder.mkdir()
    for command in _COMMANDS.findall((ROOT / "docs" / "cluster.md").read_text()):
        subprocess.run(["sh", "-euc", command], cwd=folder, check=True, capture_output=True, timeout=60)
    return Tls(certificate=folder / "member.pem", key=folder / "member.key", authority=folder / "ca.pem")


def arguments(tls: Tls) -> list[str]:
    """What names them to a command."""
    return ["--tls-cert", str(tls.certificate), "--tls-key", str(tls.key), "--tls-ca", str(tls.authority)]
