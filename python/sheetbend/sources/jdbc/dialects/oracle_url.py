"""URLs of Oracle's thin driver, with a service, a SID, a description or an alias after the ``@``."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from sheetbend.errors import OptionError
from sheetbend.sources.jdbc.dialects.properties import check_properties, parse_port, query_properties

__all__ = ["OracleUrl", "parse_oracle"]

_NAME = "oracle"
_PORT = 1521
_TAKEN = ("TNS_ADMIN", "wallet_location", "ssl_server_dn_match", "ssl_server_cert_dn", "connect_timeout", "retry_count")
_HOST = r"\[[0-9A-Fa-f:.]+\]|[\w.-]+"
_EASY = re.compile(
    rf"(?:(tcps?):)?(?://)?({_HOST})(?::(\d+))?/([\w.$#-]+)(?::(dedicated|shared|pooled))?(?:/([\w$#-]+))?",
    re.ASCII | re.IGNORECASE,
)
_SID = re.compile(rf"({_HOST}):(\d+):([\w.$#-]+)", re.ASCII)
_ALIAS = re.compile(r"[\w.$#-]+", re.ASCII)
_QUOTED = re.compile(r'"[^"]*"|[^"/@]*')


@dataclass(frozen=True, slots=True)
class OracleUrl:
    """What to connect to, as the driver takes it. What may hold a password is not shown."""

    target: str
    """A description in parentheses, or an alias."""
    properties: dict[str, str]
    user: str | None = None
    password: str | None = field(default=None, repr=False)


def parse_oracle(rest: str) -> OracleUrl:
    """What follows ``jdbc:oracle:``: ``thin:user/password@target?key=value&...``.

    A target is ``//host:port/service:server/instance``, ``tcps://...``, ``host:port:sid``, ``(DESCRIPTION=...)`` or the
    alias of ``tnsnames.ora``. User and password may be left out, and stand in double quotes where they hold ``@``.

    Raises:
        OptionError: the text is none of these.
    """
    kind, _, text = rest.partition(":")
    if kind.lower() != "thin":
        raise OptionError(
            "Option 'url': expected jdbc:oracle:thin:@//host:port/service; of Oracle's drivers only this."
        )
    user, password, target = _credentials(text)
    if target.startswith("("):
        if target.count("(") != target.count(")") or not re.match(r"\(\s*DESCRIPTION", target, re.IGNORECASE):
            raise OptionError("Option 'url': jdbc:oracle: has a description whose parentheses do not match.")
        return OracleUrl(target, {}, user, password)
    target, _, query = target.partition("?")
    properties = check_properties(_NAME, query_properties(query), _TAKEN)
    return OracleUrl(_target(target), properties, user, password)


def _credentials(text: str) -> tuple[str | None, str | None, str]:
    if text.startswith("@"):
        return None, None, text[1:]
    user = _QUOTED.match(text)
    after = text[user.end() :] if user else ""
    if not user or not after.startswith("/"):
        raise OptionError("Option 'url': expected jdbc:oracle:thin:@..., or user/password before the '@'.")
    password = _QUOTED.match(after[1:])
    end = password.end() + 1 if password else 1
    if not password or not after[end:].startswith("@"):
        raise OptionError(
            "Option 'url': jdbc:oracle: has a password that does not end at '@'; put it in double quotes, or give it "
            "as option 'password'."
        )
    return user[0].strip('"') or None, password[0].strip('"') or None, after[end + 1 :]


def _target(text: str) -> str:
    sid = _SID.fullmatch(text)
    if sid:
        return _description("tcp", sid[1], sid[2], f"(SID={sid[3]})")
    easy = _EASY.fullmatch(text)
    if easy:
        protocol, host, port, service, server, instance = easy.groups()
        data = f"(SERVICE_NAME={service})"
        data += f"(SERVER={server})" if server else ""
        data += f"(INSTANCE_NAME={instance})" if instance else ""
        return _description((protocol or "tcp").lower(), host, port or str(_PORT), data)
    if _ALIAS.fullmatch(text):
        return text
    raise OptionError(
        "Option 'url': expected jdbc:oracle:thin:@//host:port/service, @host:port:sid, @(DESCRIPTION=...) or @alias."
    )


def _description(protocol: str, host: str, port: str, data: str) -> str:
    place = f"(PROTOCOL={protocol})(HOST={host.strip('[]')})(PORT={parse_port(_NAME, port)})"
    return f"(DESCRIPTION=(ADDRESS={place})(CONNECT_DATA={data}))"
