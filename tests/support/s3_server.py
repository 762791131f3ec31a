"""A real S3 API on loopback."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import botocore.config
from moto.server import ThreadedMotoServer

__all__ = ["S3Server", "running_s3"]

ACCESS_KEY = "sheetbend-test-key"
SECRET_KEY = "sheetbend-test-canary-7f3a9c"


class S3Server:
    """A running server and a client to fill it with."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.environment = {
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_REGION": "us-east-1",
        }
        self.client: Any = boto3.client(
            "s3",
            endpoint_url=url,
            region_name="us-east-1",
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY,
            config=botocore.config.Config(s3={"addressing_style": "path"}),
        )
        self._buckets = 0

    def bucket(self) -> str:
        """A new empty bucket."""
        self._buckets += 1
        name = f"bucket-{self._buckets}"
        self.client.create_bucket(Bucket=name)
        return name

    def put(self, bucket: str, key: str, data: bytes = b"") -> None:
        self.client.put_object(Bucket=bucket, Key=key, Body=data)

    def options(self, bucket: str, **more: str) -> dict[str, str]:
        """Options that read ``bucket`` from this server."""
        return {"bucket": bucket, "endpoint": self.url, **more}


@contextmanager
def running_s3() -> Iterator[S3Server]:
    """A server on a free port of 127.0.0.1, stopped at the end."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield S3Server(f"http://{host}:{port}")
    finally:
        server.stop()
