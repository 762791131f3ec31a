"""What goes wrong between the bucket and the reader: each time one clear error, soon, and without a secret."""

from __future__ import annotations

import logging
import os
import socket
import sys
import threading
import time
import traceback

import pytest

from sheetbend.errors import AuthenticationError, OptionError, SheetbendError, SourceConnectionError
from sheetbend.options import Options, check_options
from sheetbend.plugin import ReadContext
from sheetbend.sources.s3 import S3DataSource
from sheetbend.sources.s3.failure import ObjectChangedError
from sheetbend.sources.s3.settings import S3Settings
from sheetbend.sources.s3.store import open_store
from tests.sources.s3.reading import lines, parquet
from tests.support.http_server import Answer, running_http
from tests.support.s3_server import SECRET_KEY, S3Server


def s3_error(code: str, more: str = "") -> bytes:
    return f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>no</Message>{more}</Error>".encode()


@pytest.mark.parametrize("key", ["a.parquet", "a.csv", "a.json"])
@pytest.mark.parametrize("change", ["replaced", "replaced by one as large", "deleted"])
def test_an_object_that_changes_during_the_query(s3: S3Server, bucket: str, key: str, change: str) -> None:
    before = {"a.parquet": parquet({"n": [1]}), "a.csv": b"1\n", "a.json": lines({"n": 1})}[key]
    s3.put(bucket, key, before)
    source, options = S3DataSource(), s3.options(bucket)
    (spec,) = source.plan_partitions(options)
    if change == "deleted":
        s3.client.delete_object(Bucket=bucket, Key=key)
    else:
        s3.put(bucket, key, before.replace(b"1", b"2") if "large" in change else before + before)
    with pytest.raises(ObjectChangedError, match=f"s3://{bucket}/{key} changed during the query"):
        list(source.read_partition(spec, options))


def test_a_store_without_etags_is_pinned_by_size(s3: S3Server, bucket: str) -> None:
    s3.put(bucket, "a.json", lines({"n": 1}))
    source, options = S3DataSource(), s3.options(bucket)
    (spec,) = source.plan_partitions(options)
    spec["objects"][0]["etag"] = None
    s3.put(bucket, "a.json", lines({"n": 1}, {"n": 2}))
    with pytest.raises(ObjectChangedError, match="it had 9 bytes and has 18"):
        list(source.read_partition(spec, options))


def test_a_closed_endpoint_is_reported_soon(s3: S3Server) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{taken.getsockname()[1]}"
    started = time.monotonic()
    with pytest.raises(SourceConnectionError, match=f"Could not reach {endpoint} for bucket 'bucket'"):
        S3DataSource().infer_schema({"bucket": "bucket", "endpoint": endpoint})
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    ("status", "code", "expected", "text"),
    [
        (403, "AccessDenied", AuthenticationError, "was denied .AccessDenied."),
        (403, "SignatureDoesNotMatch", AuthenticationError, "was denied .SignatureDoesNotMatch."),
        (400, "ExpiredToken", AuthenticationError, "was denied .ExpiredToken."),
        (301, "PermanentRedirect", SheetbendError, "set option 'region'"),
        (400, "Strange", SheetbendError, "failed: Strange"),
        (501, "NotImplemented", SourceConnectionError, "NotImplemented"),
    ],
)
def test_answers_of_the_store(s3: S3Server, status: int, code: str, expected: type[Exception], text: str) -> None:
    canary = f"<StringToSign>{SECRET_KEY}</StringToSign>"
    with running_http() as http:
        http.route("*", Answer(s3_error(code, canary), status, {"Content-Type": "application/xml"}))
        with pytest.raises(expected, match=text) as caught:
            S3DataSource().infer_schema({"bucket": "bucket", "endpoint": http.url})
    shown = "".join(traceback.format_exception(caught.value))
    assert SECRET_KEY not in shown
    assert type(caught.value) is expected


def test_a_store_that_fails_once_is_asked_again(s3: S3Server) -> None:
    listing = b"<ListBucketResult><Name>b</Name><IsTruncated>false</IsTruncated></ListBucketResult>"
    with running_http() as http:
        http.sequence("/bucket", Answer(s3_error("SlowDown"), 503), Answer(listing))
        with pytest.raises(SheetbendError, match="no objects"):
            S3DataSource().infer_schema({"bucket": "bucket", "endpoint": http.url})
    assert len(http.asked("/bucket")) == 2


def test_missing_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    with running_http() as http:
        http.route("*", Answer(b"", 403))
        # What obstore asks where the environment has no credentials: the metadata service, here a stand-in.
        monkeypatch.setenv("AWS_METADATA_ENDPOINT", http.url)
        with pytest.raises(AuthenticationError, match="set AWS_ACCESS_KEY_ID"):
            S3DataSource().infer_schema({"bucket": "bucket", "endpoint": http.url})


def test_anonymous_requests_are_not_signed(monkeypatch: pytest.MonkeyPatch, s3: S3Server) -> None:
    with running_http() as http:
        http.route("*", Answer(s3_error("AccessDenied"), 403))
        for anonymous in ("true", "false"):
            with pytest.raises(AuthenticationError):
                S3DataSource().infer_schema({"bucket": "bucket", "endpoint": http.url, "anonymous": anonymous})
        unsigned, signed = http.requests
    assert "authorization" not in unsigned.headers
    assert "authorization" in signed.headers


@pytest.mark.parametrize("host", ["store.example", "bucket.store.example"])
def test_the_bucket_in_the_host(host: str) -> None:
    options = {"bucket": "bucket", "endpoint": f"https://{host}:9000", "virtualHostedStyle": "true"}
    config = open_store(S3Settings.of(Options(options)), "bucket").config
    assert dict(config)["endpoint_url_s3"] == "https://bucket.store.example:9000"


def test_the_option_counts_more_than_the_environment(
    s3: S3Server, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3.put(bucket, "a.json", lines({"n": 1}))
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    assert S3DataSource().infer_schema(s3.options(bucket)).names == ["n"]
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", s3.url)
    assert S3DataSource().infer_schema({"bucket": bucket}).names == ["n"]


@pytest.mark.parametrize(
    "options",
    [
        {"endpoint": "127.0.0.1:9000"},
        {"endpoint": "ftp://127.0.0.1"},
        {"endpoint": "https://user:canary-secret@127.0.0.1"},
        {"endpoint": "https://127.0.0.1/?key=canary-secret"},
        {"endpoint": "http://[canary-secret"},
        {"endpoint": "http://127.0.0.1", "allowHttp": "false"},
        {"maxPartitionBytes": "0"},
        {"numPartitions": "none"},
        {"format": "orc"},
    ],
)
def test_options_that_are_wrong(options: dict[str, str]) -> None:
    with pytest.raises(OptionError) as caught:
        S3DataSource().infer_schema({"bucket": "bucket", **options})
    assert "canary-secret" not in str(caught.value)


def test_credentials_are_no_options() -> None:
    with pytest.raises(OptionError, match="no option 'secretAccessKey'"):
        check_options(S3DataSource.OPTIONS, Options({"bucket": "bucket", "secretAccessKey": "x"}), source="s3")


def test_a_missing_library_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "obstore.store", None)
    with pytest.raises(SheetbendError, match=r"pip install 'sheetbend\[s3\]'"):
        S3DataSource().infer_schema({"bucket": "bucket"})


def test_no_log_has_the_secret(s3: S3Server, bucket: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    s3.put(bucket, "a.json", lines({"n": 1}))
    source, options = S3DataSource(), s3.options(bucket)
    for spec in source.plan_partitions(options):
        list(source.read_partition(spec, options))
    assert SECRET_KEY not in caplog.text


@pytest.mark.parametrize("key", ["a.parquet", "a.csv", "a.json"])
def test_a_blocked_read_ends_with_the_cancel(s3: S3Server, bucket: str, key: str) -> None:
    s3.put(bucket, key, {"a.parquet": parquet({"n": [1]}), "a.csv": b"1\n", "a.json": lines({"n": 1})}[key])
    (spec,) = S3DataSource().plan_partitions(s3.options(bucket))
    context = ReadContext(batch_size=10, partition=0)
    cancelled: list[float] = []
    context.on_cancel(lambda: cancelled.append(time.monotonic()))
    with running_http() as http:

        def silent(_: object) -> Answer:
            threading.Timer(0.2, context.cancel).start()
            http.released.wait(30)
            return Answer()

        http.route("*", silent)
        options = {"bucket": bucket, "endpoint": http.url}
        assert list(S3DataSource().read_partition(spec, options, context)) == []
        assert 0 < time.monotonic() - cancelled[0] < 1


def test_a_read_that_is_closed_leaves_no_file_open(s3: S3Server, bucket: str) -> None:
    s3.put(bucket, "a.csv", b"some text\n" * 2_000_000)
    source, options = S3DataSource(), s3.options(bucket)
    (spec,) = source.plan_partitions(options)
    open_files = []
    for _ in range(5):
        batches = source.read_partition(spec, options)
        assert next(batches).num_rows > 0
        batches.close()
        open_files.append(len(os.listdir("/proc/self/fd")))
    assert open_files[-1] <= open_files[0] + 2
