"""Snowflake, by ``adbc-driver-snowflake``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import adbc_driver_snowflake

from sheetbend.errors import OptionError
from sheetbend.sources.jdbc.dialects.properties import check_properties, parse_address
from sheetbend.sources.jdbc.dialects.wired import AdbcDialect
from sheetbend.sources.jdbc.drivers.adbc import AdbcSession

if TYPE_CHECKING:
    from sheetbend.options import Options

__all__ = ["SnowflakeDialect"]

_DRIVER = "adbc.snowflake.sql"
_PROPERTIES = {
    "account": f"{_DRIVER}.account",
    "db": f"{_DRIVER}.db",
    "schema": f"{_DRIVER}.schema",
    "warehouse": f"{_DRIVER}.warehouse",
    "role": f"{_DRIVER}.role",
    "authenticator": f"{_DRIVER}.auth_type",
    "token": f"{_DRIVER}.client_option.auth_token",
    "private_key_file": f"{_DRIVER}.client_option.jwt_private_key",
    "loginTimeout": f"{_DRIVER}.client_option.login_timeout",
    "application": f"{_DRIVER}.client_option.app_name",
    "user": "username",
    "password": "password",
}
"""The Java driver's names, and what the driver calls the same."""
_AUTHENTICATORS = {
    "snowflake": "auth_snowflake",
    "oauth": "auth_oauth",
    "externalbrowser": "auth_ext_browser",
    "snowflake_jwt": "auth_jwt",
    "username_password_mfa": "auth_mfa",
}


class SnowflakeDialect(AdbcDialect):
    """``jdbc:snowflake://account.snowflakecomputing.com/?db=d&schema=s&warehouse=w``."""

    name = "snowflake"
    title = "Snowflake"
    parallel_queries = True
    drivers = ("net.snowflake.client.jdbc.SnowflakeDriver", "net.snowflake.client.api.driver.SnowflakeDriver")

    def read_url(self, rest: str, options: Options) -> None:
        self.no_timeout()
        address = parse_address(self.name, rest)
        properties = check_properties(self.name, address.properties, _PROPERTIES)
        given = {key: options[key] for key in ("user", "password") if options.get(key)} | properties
        given.setdefault("account", address.host.removesuffix(".snowflakecomputing.com"))
        authenticator = given.get("authenticator", "snowflake").lower()
        if authenticator not in _AUTHENTICATORS:
            raise OptionError(
                f"Option 'url': jdbc:snowflake: property 'authenticator' must be one of {', '.join(_AUTHENTICATORS)}."
            )
        given["authenticator"] = _AUTHENTICATORS[authenticator]
        self.secrets += [given.get("password", ""), given.get("token", "")]
        self.arguments = {_PROPERTIES[key]: value for key, value in given.items()}
        self.arguments |= {f"{_DRIVER}.uri.host": address.host, f"{_DRIVER}.uri.port": str(address.port or 443)}

    @property
    def identity(self) -> str:
        return repr(self.arguments)

    def connect(self) -> AdbcSession:
        return AdbcSession(adbc_driver_snowflake.connect(db_kwargs=self.arguments), owned=True)
