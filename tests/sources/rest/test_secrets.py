"""Secrets stay out of errors, tracebacks, specs, reprs and logs."""

from __future__ import annotations

import json
import logging
import traceback
from pathlib import Path

import pytest

from sheetbend.errors import SheetbendError
from sheetbend.options import Options
from sheetbend.sources.rest import RESTAPIDataSource
from sheetbend.sources.rest.secret import Redactor
from sheetbend.sources.rest.settings import RestSettings
from tests.support.http_server import Answer, HttpServer, Request

CANARY = "canary 9c1e+7d/4b"


@pytest.fixture(params=["token", "header", "param", "env", "file"])
def secret_options(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, str]:
    monkeypatch.setenv("SHEETBEND_CANARY", CANARY)
    (tmp_path / "token").write_text(CANARY + "\n")
    return {
        "token": {"token": CANARY},
        "header": {"headers": json.dumps({"X-Key": CANARY})},
        "param": {"params": json.dumps({"key": CANARY})},
        "env": {"headers": json.dumps({"X-Key": "env:SHEETBEND_CANARY"}), "params": "key=env:SHEETBEND_CANARY"},
        "file": {"token": f"file:{tmp_path / 'token'}"},
    }[request.param]


def echo(status: int) -> object:
    """An answer that repeats all that it was sent, as debugging servers do."""

    def answer(request: Request) -> Answer:
        return Answer(f"<p>{dict(request.headers)} {dict(request.query)}".encode(), status)

    return answer


def contains_secret(text: str) -> bool:
    return any(form in text for form in (CANARY, "9c1e", "canary%209c1e", "canary+9c1e"))


@pytest.mark.parametrize("status", [200, 302, 400, 401, 403, 404, 500])
def test_no_error_shows_a_secret(
    http: HttpServer, secret_options: dict[str, str], status: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    route = echo(status)
    assert callable(route)
    options = {"endpoint": http.route("/rows", route), "maxRetries": "1", "retryDelay": "0.01", **secret_options}
    with pytest.raises(SheetbendError) as caught:
        RESTAPIDataSource().infer_schema(options)
    assert contains_secret(repr(http.requests[0]))
    assert not contains_secret("".join(traceback.format_exception(caught.value)))
    assert not contains_secret(caplog.text)


def test_no_spec_repr_or_log_has_a_secret(
    http: HttpServer, secret_options: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    options = {"endpoint": http.route("/rows", Answer.json([{"n": 1}])), **secret_options}
    source = RESTAPIDataSource()
    specs = source.plan_partitions(options)
    assert sum(batch.num_rows for spec in specs for batch in source.read_partition(spec, options)) == 1
    assert not contains_secret(json.dumps(specs))
    assert not contains_secret(repr(source))
    assert not contains_secret(repr(RestSettings.of(Options(options))))
    assert not contains_secret(caplog.text)


def test_other_requests_are_logged_as_before(http: HttpServer, caplog: pytest.LogCaptureFixture) -> None:
    import httpx

    url = http.route("/rows", Answer.json([{"n": 1}]))
    RESTAPIDataSource().infer_schema({"endpoint": url})
    caplog.set_level(logging.INFO)
    httpx.get(url)
    assert "/rows" in caplog.text


def test_secret_options_are_marked() -> None:
    assert {spec.name for spec in RESTAPIDataSource.OPTIONS if spec.secret} == {"params", "headers", "token"}


def test_redaction_of_parts_and_of_urls() -> None:
    redact = Redactor(["Bearer abc/def", "abc", "x"])
    assert "def" not in redact("a abc/def b abc%2Fdef c")
    assert redact("an x stays") == "an x stays"
