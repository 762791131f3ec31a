"""Connection parameters of PostgreSQL: the names that libpq and the usual Java driver give them.

Both sets are accepted, in the URL and as options, and come out as libpq's.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping

from sheetbend.errors import OptionError
from sheetbend.options import Options, OptionSpec

__all__ = ["CONNECTION_OPTIONS", "libpq_parameters"]

_LIBPQ: dict[str, str] = {
    "application_name": "name of the connection in the server's views",
    "channel_binding": "whether to bind the login to the TLS channel",
    "connect_timeout": "seconds to wait for a connection; 10 where it is not given",
    "gssencmode": "whether to encrypt by GSSAPI",
    "keepalives": "whether to send TCP keep-alives",
    "keepalives_count": "keep-alives that may be lost",
    "keepalives_idle": "seconds before the first keep-alive",
    "keepalives_interval": "seconds between keep-alives",
    "krbsrvname": "Kerberos service name",
    "load_balance_hosts": "order in which several hosts are tried",
    "options": "command-line options for the server",
    "require_auth": "authentication methods to accept from the server",
    "ssl_max_protocol_version": "newest TLS version to accept",
    "ssl_min_protocol_version": "oldest TLS version to accept",
    "sslcert": "file of the client's certificate",
    "sslcrl": "file of revoked certificates",
    "sslkey": "file of the client's key",
    "sslmode": "whether to use TLS, and what to verify",
    "sslpassword": "password of the client's key",
    "sslrootcert": "file of the certificate authorities to trust",
    "sslsni": "whether to tell the server's name in the TLS handshake",
    "target_session_attrs": "the kind of server to accept, of several hosts",
    "tcp_user_timeout": "milliseconds that sent data may stay unacknowledged",
}

_SERVER_TYPES = {
    "any": "any",
    "master": "primary",
    "primary": "primary",
    "preferprimary": "any",
    "secondary": "standby",
    "slave": "standby",
    "prefersecondary": "prefer-standby",
    "preferslave": "prefer-standby",
}


def _flag(value: str) -> str:
    return "0" if value.strip().lower() in ("false", "0", "no", "off") else "1"


_JAVA: dict[str, tuple[str, Callable[[str], str]]] = {
    "ApplicationName": ("application_name", str),
    "channelBinding": ("channel_binding", str),
    "connectTimeout": ("connect_timeout", str),
    "currentSchema": ("options", lambda value: "-c search_path=" + value.replace("\\", "\\\\").replace(" ", "\\ ")),
    "gssEncMode": ("gssencmode", str),
    "kerberosServerName": ("krbsrvname", str),
    "loadBalanceHosts": ("load_balance_hosts", lambda value: "random" if _flag(value) == "1" else "disable"),
    "loginTimeout": ("connect_timeout", str),
    "ssl": ("sslmode", lambda value: "verify-full" if _flag(value) == "1" else "disable"),
    "targetServerType": ("target_session_attrs", lambda value: _SERVER_TYPES.get(value.strip().lower(), value)),
    "tcpKeepAlive": ("keepalives", _flag),
}
"""The Java driver's own names; without a value of its own, ``ssl`` means full verification, as there."""

_NO_EFFECT = (
    "binaryTransfer",
    "defaultRowFetchSize",
    "loggerLevel",
    "prepareThreshold",
    "preparedStatementCacheQueries",
    "preparedStatementCacheSizeMiB",
    "readOnly",
    "reWriteBatchedInserts",
    "stringtype",
)

CONNECTION_OPTIONS: tuple[OptionSpec, ...] = (
    *(OptionSpec(name, f"PostgreSQL: {doc}", secret=name == "sslpassword") for name, doc in _LIBPQ.items()),
    *(OptionSpec(name, f"PostgreSQL: the same as {libpq}") for name, (libpq, _) in _JAVA.items()),
    *(OptionSpec(name, "PostgreSQL: accepted, and without effect on reading") for name in _NO_EFFECT),
)
"""Every option that is a connection parameter."""

_NAMES = {name.lower(): name for name in (*_LIBPQ, *_JAVA, *_NO_EFFECT, "user", "password")}


def libpq_parameters(url: Mapping[str, str], options: Options) -> dict[str, str]:
    """The parameters for libpq, ``user`` and ``password`` among them. The URL's own come before the options.

    Raises:
        OptionError: the URL has a parameter that is not known.
    """
    for key in url:
        if key.lower() not in _NAMES:
            near = difflib.get_close_matches(key.lower(), _NAMES, n=1)
            hint = f" Did you mean '{_NAMES[near[0]]}'?" if near else ""
            raise OptionError(f"Option 'url': jdbc:postgresql: has no parameter '{key}'.{hint}")
    given = {key: value for key, value in options.items() if key.lower() in _NAMES} | dict(url)
    by_name = {key.lower(): value for key, value in given.items() if value}
    found: dict[str, str] = {}
    server: list[str] = []
    for java, (libpq, convert) in _JAVA.items():
        if java.lower() in by_name:
            value = convert(by_name[java.lower()])
            if libpq == "options":
                server.append(value)
            else:
                found[libpq] = value
    found.update({name: by_name[name] for name in (*_LIBPQ, "user", "password") if name in by_name})
    if server:
        found["options"] = " ".join([found[key] for key in ("options",) if key in found] + server)
    return found
