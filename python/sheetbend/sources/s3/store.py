"""Buckets as obstore opens them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from sheetbend.errors import SheetbendError

if TYPE_CHECKING:
    from obstore.store import S3Store

    from sheetbend.sources.s3.settings import S3Settings

__all__ = ["open_store"]

# A dead endpoint is given up on after about 15 seconds, a refused connection after less than one.
_CLIENT = {
    "connect_timeout": timedelta(seconds=3),
    "read_timeout": timedelta(seconds=20),
    "timeout": timedelta(seconds=120),
}
_RETRY = {
    "max_retries": 3,
    "retry_timeout": timedelta(seconds=60),
    "backoff": {"init_backoff": timedelta(milliseconds=100), "max_backoff": timedelta(seconds=5), "base": 2},
}


def open_store(settings: S3Settings, bucket: str) -> S3Store:
    """The bucket, with credentials from the environment as obstore reads it. Sends no request.

    Raises:
        SheetbendError: obstore is not installed.
    """
    try:
        from obstore.store import S3Store  # noqa: PLC0415 - an optional dependency
    except ImportError as error:
        raise SheetbendError("Source 's3' needs the package 'obstore': pip install 'sheetbend[s3]'.") from error
    config: dict[str, Any] = {"virtual_hosted_style_request": settings.virtual_hosted}
    if settings.endpoint is not None:
        # This key and not 'endpoint', over which AWS_ENDPOINT_URL_S3 of the environment takes precedence.
        config["aws_endpoint_url_s3"] = _host(settings, bucket)
    if settings.region is not None:
        config["region"] = settings.region
    if settings.anonymous:
        config["skip_signature"] = True
    plain = settings.endpoint is not None and settings.endpoint.startswith("http://")
    client: dict[str, Any] = {**_CLIENT, "allow_http": plain}
    retry: dict[str, Any] = _RETRY
    store: S3Store = S3Store(bucket, client_options=client, retry_config=retry, **config)  # type: ignore[arg-type]
    return store


def _host(settings: S3Settings, bucket: str) -> str:
    """The endpoint, with the bucket before its host where that is the style: obstore leaves it to us."""
    endpoint = settings.endpoint or ""
    parts = urlsplit(endpoint)
    if not settings.virtual_hosted or parts.netloc.startswith(f"{bucket}."):
        return endpoint
    return parts._replace(netloc=f"{bucket}.{parts.netloc}").geturl()
