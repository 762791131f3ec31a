"""Connection parameters of MySQL and MariaDB: the names that their Java drivers give them."""

from __future__ import annotations

import difflib
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sheetbend.errors import OptionError
from sheetbend.options import Options, OptionSpec

if TYPE_CHECKING:
    from sheetbend.sources.jdbc.dialects.mysql_url import MySqlUrl

__all__ = ["MYSQL_OPTIONS", "Parameters"]

_TIMES = ("string", "time", "interval")
_ZERO_DATES = {"exception": "EXCEPTION", "converttonull": "CONVERT_TO_NULL", "round": "ROUND"}
_TLS = {
    "disabled": "disabled",
    "disable": "disabled",
    "preferred": "preferred",
    "required": "required",
    "trust": "required",
    "verify_ca": "verify_ca",
    "verify_identity": "verify_identity",
    "verify_full": "verify_identity",
}
"""What the drivers call the same."""

_OWN = {
    "connectTimeout": "milliseconds to wait for a connection and the login; 10000 where it is not given",
    "socketTimeout": "milliseconds that the server may be silent; 0, the default, is for ever",
    "sessionVariables": "variables to set after the login, as name=value, separated by commas",
    "sslMode": "disabled, preferred (the default), required, verify_ca or verify_identity; or MariaDB's own words",
    "useSSL": "whether TLS is required; false is sslMode=disabled",
    "requireSSL": "whether a connection without TLS is refused",
    "verifyServerCertificate": "whether the server's certificate is verified",
    "trustServerCertificate": "the opposite of verifyServerCertificate",
    "serverSslCert": "file of the certificate authorities to trust",
    "tinyInt1isBit": "whether TINYINT(1) is boolean; true is the default",
    "zeroDateTimeBehavior": "what 0000-00-00 is: EXCEPTION (the default), CONVERT_TO_NULL or ROUND",
    "timeType": "how TIME, which goes beyond 24 hours, is read: as string (the default), time or interval",
}
_SAME = {"useSsl": "useSSL", "connectionTimeout": "connectTimeout", "loginTimeout": "connectTimeout"}
_NO_EFFECT = (
    "allowMultiQueries",
    "allowPublicKeyRetrieval",
    "autoReconnect",
    "cachePrepStmts",
    "characterEncoding",
    "connectionCollation",
    "connectionTimeZone",
    "defaultFetchSize",
    "forceConnectionTimeZoneToSession",
    "jdbcCompliantTruncation",
    "noDatetimeStringSync",
    "permitMysqlScheme",
    "prepStmtCacheSize",
    "prepStmtCacheSqlLimit",
    "rewriteBatchedStatements",
    "serverTimezone",
    "timezone",
    "useBulkStmts",
    "useCompression",
    "useCursorFetch",
    "useLegacyDatetimeCode",
    "useServerPrepStmts",
    "useUnicode",
    "yearIsDateType",
)
_NAMES = {name.lower(): name for name in (*_OWN, *_SAME, *_NO_EFFECT, "user", "password")}

MYSQL_OPTIONS: tuple[OptionSpec, ...] = (
    *(OptionSpec(name, f"MySQL, MariaDB: {doc}") for name, doc in _OWN.items()),
    *(OptionSpec(name, f"MySQL, MariaDB: the same as {own}") for name, own in _SAME.items()),
    *(OptionSpec(name, "MySQL, MariaDB: accepted, and without effect") for name in _NO_EFFECT),
)
"""Every option that is a connection parameter."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """What the URL and the options say together. The URL's own come first, as in the Java drivers."""

    user: str
    password: str
    connect_seconds: float
    read_seconds: float | None
    variables: str
    tls: str
    authorities: str | None
    tinyint_is_boolean: bool
    zero_dates: str
    time: str

    @classmethod
    def of(cls, name: str, url: MySqlUrl, options: Options) -> Parameters:
        """The parameters for jdbc:``name``:.

        Raises:
            OptionError: the URL has a parameter that is not known, or one has a value that it does not take.
        """
        for key in url.parameters:
            if key.lower() not in _NAMES:
                near = difflib.get_close_matches(key.lower(), _NAMES, n=1)
                hint = f" Did you mean '{_NAMES[near[0]]}'?" if near else ""
                raise OptionError(f"Option 'url': jdbc:{name}: has no parameter '{key}'.{hint}")
        given: dict[str, str] = {}
        for source in (options, url.parameters):
            for key, value in source.items():
                known = _NAMES.get(key.lower())
                if known is not None and value:
                    given[_SAME.get(known, known)] = value
        milliseconds = _milliseconds(given, "connectTimeout", 10_000)
        silent = _milliseconds(given, "socketTimeout", 0)
        return cls(
            user=url.user or given.get("user", ""),
            password=url.password or given.get("password", ""),
            connect_seconds=milliseconds / 1000,
            read_seconds=silent / 1000 or None,
            variables=given.get("sessionVariables", ""),
            tls=_tls(given),
            authorities=given.get("serverSslCert"),
            tinyint_is_boolean=_flag(given, "tinyInt1isBit", default=True),
            zero_dates=_one_of(given, "zeroDateTimeBehavior", _ZERO_DATES, "EXCEPTION"),
            time=_one_of(given, "timeType", {time: time for time in _TIMES}, "string"),
        )

    @property
    def context(self) -> ssl.SSLContext | None:
        """How TLS is done where it is required; None where it is not.

        Raises:
            OptionError: the file of the authorities cannot be read.
        """
        if self.tls in ("disabled", "preferred"):
            return None
        try:
            context = ssl.create_default_context(cafile=self.authorities)
        except (OSError, ssl.SSLError):
            raise OptionError(
                f"Option 'serverSslCert': '{self.authorities}' is no file of certificates in PEM form."
            ) from None
        context.check_hostname = self.tls == "verify_identity"
        if self.tls == "required":
            context.verify_mode = ssl.CERT_NONE
        return context


def _tls(given: Mapping[str, str]) -> str:
    if "sslMode" in given:
        mode = {key.replace("_", ""): value for key, value in _TLS.items()}
        return _one_of(given, "sslMode", mode, "preferred")
    verify = _flag(given, "verifyServerCertificate", default=not _flag(given, "trustServerCertificate", default=True))
    if "useSSL" in given and not _flag(given, "useSSL", default=True):
        return "disabled"
    if verify or "serverSslCert" in given:
        return "verify_identity"
    wanted = _flag(given, "useSSL", default=False) or _flag(given, "requireSSL", default=False)
    return "required" if wanted else "preferred"


def _flag(given: Mapping[str, str], name: str, *, default: bool) -> bool:
    words = {"true": "1", "yes": "1", "1": "1", "false": "", "no": "", "0": ""}
    return bool(_one_of(given, name, words, "1" if default else ""))


def _one_of(given: Mapping[str, str], name: str, words: Mapping[str, str], default: str) -> str:
    if name not in given:
        return default
    word = given[name].strip().lower().replace("_", "").replace("-", "")
    if word not in words:
        raise OptionError(f"Option '{name}' must be one of {', '.join(words)}, got '{given[name]}'.")
    return words[word]


def _milliseconds(given: Mapping[str, str], name: str, default: int) -> int:
    text = given.get(name, str(default)).strip()
    if not (text.isascii() and text.isdigit()):
        raise OptionError(f"Option '{name}' must be a number of milliseconds, got '{given[name]}'.")
    return int(text)
