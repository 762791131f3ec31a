"""Databases that speak Flight SQL, by ``adbc-driver-flightsql``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import adbc_driver_flightsql

from sheetbend.sources.jdbc.dialects.properties import check_properties, parse_address, truth
from sheetbend.sources.jdbc.dialects.wired import AdbcDialect
from sheetbend.sources.jdbc.drivers.adbc import AdbcSession

if TYPE_CHECKING:
    from sheetbend.options import Options

__all__ = ["FlightSqlDialect"]

_PORT = 32010
_TAKEN = (
    "user",
    "password",
    "token",
    "useEncryption",
    "disableCertificateVerification",
    "catalog",
    "threadPoolSize",
    "retainAuth",
    "retainCookies",
    "useSystemTrustStore",
)
_OPTION = "adbc.flight.sql"


class FlightSqlDialect(AdbcDialect):
    """``jdbc:arrow-flight-sql://host:port/?useEncryption=false&token=...``, with TLS unless it is turned off."""

    name = "arrow-flight-sql"
    title = "Flight SQL"
    drivers = ("org.apache.arrow.driver.jdbc.ArrowFlightJdbcDriver",)

    def read_url(self, rest: str, options: Options) -> None:
        address = parse_address(self.name, rest)
        properties = check_properties(self.name, address.properties, _TAKEN)
        user = properties.get("user", options.get("user", ""))
        password = properties.get("password", options.get("password", ""))
        token = properties.get("token", "")
        self.secrets += [password, token]
        host = f"[{address.host}]" if ":" in address.host else address.host
        scheme = "grpc+tls" if truth(self.name, properties, "useEncryption", default=True) else "grpc+tcp"
        self._uri = f"{scheme}://{host}:{address.port or _PORT}"
        self._arguments = {f"{_OPTION}.rpc.with_cookie_middleware": "true"}
        if token:
            self._arguments[f"{_OPTION}.authorization_header"] = f"Bearer {token}"
        elif user:
            self._arguments |= {"username": user, "password": password}
        if truth(self.name, properties, "disableCertificateVerification"):
            self._arguments[f"{_OPTION}.client_option.tls_skip_verify"] = "true"
        if "catalog" in properties:
            self._arguments[f"{_OPTION}.rpc.call_header.catalog"] = properties["catalog"]
        if self.timeout:
            for step in ("query", "fetch"):
                self._arguments[f"{_OPTION}.rpc.timeout_seconds.{step}"] = str(self.timeout)

    @property
    def identity(self) -> str:
        return repr((self._uri, self._arguments))

    def connect(self) -> AdbcSession:
        return AdbcSession(adbc_driver_flightsql.connect(self._uri, self._arguments), owned=True)
