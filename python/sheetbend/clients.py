"""What a server asks of its clients, and shows them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sheetbend.errors import SheetbendError

__all__ = ["TOKEN_VARIABLE", "ClientOptions", "token"]

TOKEN_VARIABLE = "SPARK_CONNECT_AUTHENTICATE_TOKEN"  # noqa: S105 - the name of the variable
"""The environment variable from which a PySpark client takes its token."""


def token(file: Path | None = None) -> str | None:
    """The token of clients: from ``file``, else from the environment; none where neither has one.

    Raises:
        SheetbendError: The file cannot be read, or holds none.
    """
    if file is None:
        return os.environ.get(TOKEN_VARIABLE) or None
    try:
        found = file.read_text().strip()
    except OSError as error:
        raise SheetbendError(f"The token of clients cannot be read from {file}: {error.strerror}.") from None
    if not found:
        raise SheetbendError(f"The file {file} holds no token for clients.")
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientOptions:
    """Who may connect to a server, and how. By default everybody on this machine, and nobody else."""

    token: str | None = field(default_factory=token, repr=False)
    """What clients show, as ``sc://host:port/;token=...``; see :func:`token`."""
    certificate: Path | None = None
    """The server's certificate, PEM, and those between it and an authority that clients trust."""
    key: Path | None = None
    """Its private key, PEM."""
    insecure: bool = False
    """Whether others may connect without encryption: a proxy in between encrypts what comes from farther away."""

    def native(self) -> Mapping[str, object]:
        """The form that the engine takes."""
        tls = None if self.certificate is None else (self.certificate, self.key)
        return {"token": self.token, "tls": tls, "behind_proxy": self.insecure}

    def url(self, host: str, port: int) -> str:
        """What a client connects to, without the token."""
        if self.certificate is not None:
            return f"sc://{host}:{port}/;use_ssl=true"
        # PySpark sends a token without TLS to this name alone.
        return f"sc://{'localhost' if self.token and host in ('127.0.0.1', '[::1]') else host}:{port}"
