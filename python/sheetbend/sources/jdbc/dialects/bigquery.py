"""BigQuery, by ``adbc-driver-bigquery``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import adbc_driver_bigquery

from sheetbend.errors import OptionError
from sheetbend.sources.jdbc.dialects.properties import check_properties
from sheetbend.sources.jdbc.dialects.wired import AdbcDialect
from sheetbend.sources.jdbc.drivers.adbc import AdbcSession

if TYPE_CHECKING:
    from sheetbend.options import Options
    from sheetbend.sources.jdbc.table import Column

__all__ = ["BigQueryDialect"]

_DRIVER = "adbc.bigquery.sql"
_TAKEN = (
    "ProjectId",
    "DefaultDataset",
    "Location",
    "OAuthType",
    "OAuthServiceAcctEmail",
    "OAuthPvtKeyPath",
    "OAuthPvtKey",
    "OAuthClientId",
    "OAuthClientSecret",
    "OAuthRefreshToken",
    "Timeout",
)
_SERVICE_ACCOUNT, _REFRESH_TOKEN, _APPLICATION_DEFAULT = "0", "2", "3"
_URL = re.compile(r"(?://)?https://[\w.-]+(?:/bigquery/v2)?(?::\d+)?", re.ASCII)


class BigQueryDialect(AdbcDialect):
    """``jdbc:bigquery://https://www.googleapis.com/bigquery/v2:443;ProjectId=p;OAuthType=3``."""

    name = "bigquery"
    title = "BigQuery"
    parallel_queries = True
    drivers = (
        "com.simba.googlebigquery.jdbc.Driver",
        "com.simba.googlebigquery.jdbc42.Driver",
        "com.google.cloud.bigquery.jdbc.BigQueryDriver",
    )

    def read_url(self, rest: str, options: Options) -> None:
        self.no_timeout()
        place, *pairs = rest.split(";")
        if not _URL.fullmatch(place):
            raise OptionError(
                "Option 'url': expected jdbc:bigquery://https://www.googleapis.com/bigquery/v2:443;ProjectId=...;"
            )
        given = {key.strip(): value for key, _, value in (pair.partition("=") for pair in pairs if pair.strip())}
        properties = check_properties(self.name, given, _TAKEN)
        if "ProjectId" not in properties:
            raise OptionError("Option 'url': jdbc:bigquery: needs the property 'ProjectId'.")
        self.secrets += [properties.get(key, "") for key in ("OAuthPvtKey", "OAuthClientSecret", "OAuthRefreshToken")]
        self.arguments = {f"{_DRIVER}.project_id": properties["ProjectId"]} | _credentials(properties)
        for key, name in (("DefaultDataset", "dataset_id"), ("Location", "location")):
            if key in properties:
                self.arguments[f"{_DRIVER}.{name}"] = properties[key]

    @property
    def identity(self) -> str:
        return repr(self.arguments)

    def connect(self) -> AdbcSession:
        return AdbcSession(adbc_driver_bigquery.connect(self.arguments), owned=True)

    def quote(self, identifier: str) -> str:
        """The identifier in backticks, in which a backslash escapes."""
        return "`" + identifier.replace("\\", "\\\\").replace("`", "\\`") + "`"

    def item(self, column: Column) -> str:
        return super().item(column).replace(" AS VARCHAR)", " AS STRING)")


def _credentials(properties: dict[str, str]) -> dict[str, str]:
    way = properties.get("OAuthType", _APPLICATION_DEFAULT)
    if way == _APPLICATION_DEFAULT:
        return {f"{_DRIVER}.auth_type": f"{_DRIVER}.auth_type.auth_bigquery"}
    if way == _SERVICE_ACCOUNT:
        key, kind = properties.get("OAuthPvtKeyPath"), "json_credential_file"
        if key is None:
            key, kind = properties.get("OAuthPvtKey"), "json_credential_string"
        if key is None:
            raise OptionError("Option 'url': jdbc:bigquery: OAuthType=0 needs 'OAuthPvtKeyPath' or 'OAuthPvtKey'.")
        return {f"{_DRIVER}.auth_type": f"{_DRIVER}.auth_type.{kind}", f"{_DRIVER}.auth_credentials": key}
    names = {"client_id": "OAuthClientId", "client_secret": "OAuthClientSecret", "refresh_token": "OAuthRefreshToken"}
    if way != _REFRESH_TOKEN or not all(name in properties for name in names.values()):
        raise OptionError(
            "Option 'url': jdbc:bigquery: property 'OAuthType' must be 0 (a service account), 2 (with OAuthClientId, "
            "OAuthClientSecret and OAuthRefreshToken) or 3 (the application's default)."
        )
    found = {f"{_DRIVER}.auth.{option}": properties[name] for option, name in names.items()}
    return found | {f"{_DRIVER}.auth_type": f"{_DRIVER}.auth_type.user_authentication"}
