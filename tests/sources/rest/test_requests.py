"""Requests: retries, limits, redirects, cancel."""

from __future__ import annotations

import gzip
import json
import socket
import sys
import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import pyarrow as pa
import pytest

from sheetbend.errors import AuthenticationError, SheetbendError, SourceConnectionError
from sheetbend.options import Options
from sheetbend.plugin import ReadContext
from sheetbend.sources.rest import RESTAPIDataSource
from sheetbend.sources.rest.retry import wait_before_retry
from sheetbend.sources.rest.settings import RetryPolicy
from tests.sources.rest.reading import FAST, read
from tests.support.http_server import Answer, HttpServer, Request, running_http

ROWS = Answer.json([{"n": 1}])
SCHEMA = pa.schema([("n", pa.int64())])


def read_once(options: dict[str, str], context: ReadContext | None = None) -> list[dict[str, object]]:
    """One partition with a schema that is given, so that each request is one of the read."""
    checked = Options({**FAST, **options}, schema=SCHEMA)
    (spec,) = RESTAPIDataSource().plan_partitions(checked)
    batches = RESTAPIDataSource().read_partition(spec, checked, context)
    return [row for batch in batches for row in batch.to_pylist()]


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_what_passes_is_tried_again(http: HttpServer, status: int) -> None:
    url = http.sequence("/rows", Answer(b"", status), Answer(b"", status), ROWS)
    assert read_once({"endpoint": url}) == [{"n": 1}]
    assert len(http.requests) == 3


def test_a_connection_that_breaks_is_tried_again(http: HttpServer) -> None:
    url = http.sequence("/rows", Answer(iter([b"["]), 200, {"Content-Length": "100"}), ROWS)
    assert read_once({"endpoint": url}) == [{"n": 1}]
    assert len(http.requests) == 2


@pytest.mark.parametrize("retries", [0, 2])
def test_tries_are_counted(http: HttpServer, retries: int) -> None:
    url = http.route("/rows", Answer(b"", 503))
    with pytest.raises(SourceConnectionError, match=f"/rows failed {retries + 1} times, at last with status 503"):
        read_once({"endpoint": url, "maxRetries": str(retries)})
    assert len(http.requests) == retries + 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 410, 422])
def test_what_stays_is_not_tried_again(http: HttpServer, status: int) -> None:
    url = http.route("/rows", Answer(b"no", status))
    with pytest.raises(SheetbendError, match=f"/rows was answered with status {status}") as caught:
        read_once({"endpoint": url})
    assert len(http.requests) == 1
    assert isinstance(caught.value, AuthenticationError) == (status in (401, 403))


def test_the_server_says_how_long_to_wait(http: HttpServer) -> None:
    url = http.sequence("/rows", Answer(b"", 429, {"Retry-After": "1"}), ROWS)
    started = time.monotonic()
    assert read_once({"endpoint": url}) == [{"n": 1}]
    assert 0.9 < time.monotonic() - started < 3


def policy(**options: str) -> RetryPolicy:
    return RetryPolicy.of(Options(options))


def test_seconds_and_dates_of_retry_after() -> None:
    later = datetime.now(timezone.utc) + timedelta(seconds=30)
    assert 28 < wait_before_retry(policy(), 0, format_datetime(later, usegmt=True)) <= 30
    assert wait_before_retry(policy(), 0, "Wed, 21 Oct 2015 07:28:00 GMT") == 0
    assert wait_before_retry(policy(), 0, " 7 ") == 7
    assert wait_before_retry(policy(), 0, "9" * 100) == 60
    assert wait_before_retry(policy(maxRetryDelay="5"), 0, "Fri, 31 Dec 9999 23:59:59 GMT") == 5
    for nonsense in ("soon", "-1", "1.5e9x", "\u0662", ""):
        assert 0.25 <= wait_before_retry(policy(), 0, nonsense) <= 0.5


def test_delays_grow_up_to_the_longest() -> None:
    for attempt, expected in enumerate([0.5, 1, 2, 4, 8, 10, 10]):
        assert expected / 2 <= wait_before_retry(policy(maxRetryDelay="10"), attempt, None) <= expected
    assert wait_before_retry(policy(), 10_000, None) <= 60


def test_no_waiting_beyond_the_deadline(http: HttpServer) -> None:
    url = http.route("/rows", Answer(b"", 429, {"Retry-After": "50"}))
    started = time.monotonic()
    with pytest.raises(SourceConnectionError, match="failed 1 times, at last with status 429"):
        read_once({"endpoint": url, "deadline": "5"})
    assert time.monotonic() - started < 1


def test_an_unreachable_server_is_reported_soon() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/rows"
    with pytest.raises(SourceConnectionError, match=r"/rows failed 5 times, at last with no answer .*refused"):
        read_once({"endpoint": url})


def test_a_slow_server(http: HttpServer) -> None:
    def slow(_: Request) -> Answer:
        http.released.wait(5)
        return ROWS

    with pytest.raises(SourceConnectionError, match="ReadTimeout"):
        read_once({"endpoint": http.route("/rows", slow), "timeout": "0.2", "maxRetries": "1"})
    assert len(http.requests) == 2


def drip(http: HttpServer) -> Iterator[bytes]:
    yield b"["
    while not http.released.wait(0.1):
        yield b" "


def test_a_body_that_never_ends(http: HttpServer) -> None:
    url = http.route("/rows", lambda _: Answer(drip(http)))
    started = time.monotonic()
    with pytest.raises(SourceConnectionError, match=r"longer than 0\.5 seconds"):
        read_once({"endpoint": url, "deadline": "0.5"})
    assert time.monotonic() - started < 2


def test_a_huge_body_is_not_read(http: HttpServer) -> None:
    sent = 0

    def body() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(10_000):
            sent += 100_000
            yield b" " * 100_000

    url = http.route("/rows", lambda _: Answer(body()))
    with pytest.raises(SheetbendError, match=r"more than 1000000 bytes: .* 'maxResponseBytes'"):
        read_once({"endpoint": url, "maxResponseBytes": "1000000"})
    assert sent < 50_000_000


def test_compressed_answers_count_as_they_unfold(http: HttpServer) -> None:
    url = http.route("/rows", Answer(gzip.compress(b'[{"n": 1}]'), headers={"Content-Encoding": "gzip"}))
    assert read_once({"endpoint": url}) == [{"n": 1}]
    bomb = http.route("/bomb", Answer(gzip.compress(b" " * 50_000_000), headers={"Content-Encoding": "gzip"}))
    with pytest.raises(SheetbendError, match="more than 1000000 bytes"):
        read_once({"endpoint": bomb, "maxResponseBytes": "1000000"})
    odd = http.route("/odd", Answer(b"[]", headers={"Content-Encoding": "zstd"}))
    with pytest.raises(SheetbendError, match="in the encoding 'zstd'"):
        read_once({"endpoint": odd})
    broken = http.route("/broken", Answer(b"no gzip", headers={"Content-Encoding": "gzip"}))
    with pytest.raises(SheetbendError, match="a broken archive"):
        read_once({"endpoint": broken})


@pytest.mark.parametrize("body", [b"<html>sorry</html>", b'{"n": ', b"\xff\xfe\x00", b"9" * 5000])
def test_an_answer_that_is_no_json(http: HttpServer, body: bytes) -> None:
    url = http.route("/rows", Answer(body, headers={"Content-Type": "text/html"}))
    with pytest.raises(SheetbendError, match=r"/rows was answered with text/html, not JSON: it starts '|not an object"):
        read_once({"endpoint": url})


def test_json_nested_too_deep(http: HttpServer) -> None:
    url = http.route("/rows", Answer(b"[" * 1_000_000))
    with pytest.raises(SheetbendError, match="not JSON"):
        read_once({"endpoint": url})


def test_no_content_is_no_records(http: HttpServer) -> None:
    assert read_once({"endpoint": http.route("/rows", Answer(b"", 204))}) == []


CANARY = "canary-41f0b7"


def test_redirects_at_the_same_origin_keep_credentials(http: HttpServer) -> None:
    url = http.route("/old", Answer(b"", 302, {"Location": "/new?x=1"}))
    http.route("/new", ROWS)
    assert read_once({"endpoint": url, "token": CANARY}) == [{"n": 1}]
    (request,) = http.asked("/new")
    assert request.headers["authorization"] == f"Bearer {CANARY}"
    assert request.query == {"x": "1"}


@pytest.mark.parametrize("way", ["redirect", "next"])
def test_other_origins_get_no_credentials(http: HttpServer, way: str) -> None:
    with running_http() as other:
        target = other.route("/rows", ROWS)
        cookie = {"Set-Cookie": f"session={CANARY}; Path=/"}
        if way == "redirect":
            answer = Answer(b"", 307, {"Location": target, **cookie})
        else:
            answer = Answer(b'[{"n": 1}]', headers={"Link": f"<{target}>; rel=next", **cookie})
        options = {"endpoint": http.route("/rows", answer), "pagination": "next", "token": CANARY}
        options |= {"headers": json.dumps({"X-Api-Key": CANARY}), "params": f"key={CANARY}"}
        assert read_once(options)
        (request,) = other.requests
        assert CANARY not in repr(request)
        assert http.requests[0].headers["x-api-key"] == CANARY


def test_redirects_in_a_circle(http: HttpServer) -> None:
    url = http.route("/rows", Answer(b"", 301, {"Location": "/rows"}))
    with pytest.raises(SheetbendError, match="redirected more than 5 times"):
        read_once({"endpoint": url})
    assert len(http.requests) == 6


@pytest.mark.parametrize("target", ["file:///etc/passwd", "gopher://127.0.0.1/"])
def test_redirects_to_other_schemes(http: HttpServer, target: str) -> None:
    url = http.route("/rows", Answer(b"", 302, {"Location": target}))
    with pytest.raises(SheetbendError, match="leads to no http or https URL"):
        read_once({"endpoint": url})


class Cancel:
    """Cancels a read 0.2 seconds after :meth:`soon`; ``at`` is when that was."""

    def __init__(self) -> None:
        self.context = ReadContext(batch_size=10, partition=0)
        self.at = float("inf")

    def soon(self) -> None:
        threading.Timer(0.2, self._now).start()

    def _now(self) -> None:
        self.at = time.monotonic()
        self.context.cancel()


def test_a_cancel_ends_the_wait_for_a_retry(http: HttpServer) -> None:
    cancel = Cancel()

    def answer(_: Request) -> Answer:
        cancel.soon()
        return Answer(b"", 429, {"Retry-After": "30"})

    assert read_once({"endpoint": http.route("/rows", answer)}, cancel.context) == []
    assert 0 < time.monotonic() - cancel.at < 1
    assert len(http.requests) == 1


@pytest.mark.parametrize("part", ["head", "body"])
def test_a_cancel_ends_a_blocked_read(http: HttpServer, part: str) -> None:
    cancel = Cancel()

    def silent() -> Iterator[bytes]:
        yield b"["
        http.released.wait(20)

    def answer(_: Request) -> Answer:
        cancel.soon()
        if part == "head":
            http.released.wait(20)
        return Answer(silent())

    assert read_once({"endpoint": http.route("/rows", answer)}, cancel.context) == []
    assert 0 < time.monotonic() - cancel.at < 1


def test_a_cancel_between_pages(http: HttpServer) -> None:
    url = http.route("/rows", lambda request: Answer.json([{"n": int(request.query["page"])}]))
    options = Options({"endpoint": url, "pagination": "page"}, schema=SCHEMA)
    (spec,) = RESTAPIDataSource().plan_partitions(options)
    context = ReadContext(batch_size=10, partition=0)
    batches = RESTAPIDataSource().read_partition(spec, options, context)
    assert next(batches).num_rows == 1
    context.cancel()
    assert list(batches) == []
    assert len(http.requests) <= 2


def test_a_missing_library_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "httpx", None)
    with pytest.raises(SheetbendError, match=r"pip install 'sheetbend\[rest\]'"):
        read({"endpoint": "http://127.0.0.1"})
