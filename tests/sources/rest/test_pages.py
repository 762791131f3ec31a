"""Pages: none, numbered, linked; partitions; loops."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pytest

from sheetbend.errors import OptionError, PluginError, SheetbendError, TableNotFoundError
from sheetbend.sources.rest import RESTAPIDataSource
from tests.sources.rest.reading import numbered, read
from tests.support.http_server import Answer, HttpServer, Request

ROWS = [{"n": n} for n in range(35)]
PAGED = {"pagination": "page", "recordSelector": "$.items"}


def numbers(options: dict[str, str]) -> list[int]:
    return list(read(options)["n"].to_pylist())


def test_one_page_of_a_list(http: HttpServer) -> None:
    url = http.route("/rows", Answer.json(ROWS))
    assert numbers({"endpoint": url}) == list(range(35))
    assert numbers({"path": url}) == list(range(35))


def test_one_object_is_one_record(http: HttpServer) -> None:
    assert read({"endpoint": http.route("/row", Answer.json({"n": 1, "t": "x"}))}).to_pylist() == [{"n": 1, "t": "x"}]


def test_parameters_and_headers_are_sent(http: HttpServer) -> None:
    url = http.route("/rows", Answer.json(ROWS))
    headers = json.dumps({"X-Team": "blue", "Accept": "application/vnd.api+json"})
    for params in ('{"a": "x y&z", "b": 2, "c": true}', "a=x+y%26z&b=2&c=true"):
        read({"endpoint": url, "params": params, "headers": headers})
        request = http.requests[-1]
        assert request.query == {"a": "x y&z", "b": "2", "c": "true"}
        assert request.headers["x-team"] == "blue"
        assert request.headers["accept"] == "application/vnd.api+json"


@pytest.mark.parametrize("past_end", [200, 404])
def test_numbered_pages_end_at_the_first_empty_or_missing_one(http: HttpServer, past_end: int) -> None:
    url = http.route("/rows", numbered(ROWS, past_end=past_end))
    assert numbers({"endpoint": url, **PAGED}) == list(range(35))


def test_the_server_may_give_smaller_pages_than_asked_for(http: HttpServer) -> None:
    url = http.route("/rows", numbered(ROWS, size=10))
    options = {"endpoint": url, **PAGED, "pageSize": "1000", "pageSizeParam": "limit"}
    assert numbers(options) == list(range(35))
    assert {request.query["limit"] for request in http.requests} == {"1000"}


def test_other_names_and_numbers_of_pages(http: HttpServer) -> None:
    url = http.route("/rows", numbered(ROWS, start=0, param="p"))
    options = {"endpoint": url, **PAGED, "pageParam": "p", "startPage": "0", "pageSize": "7", "params": "p=9&q=1"}
    assert numbers(options) == list(range(35))
    assert {request.query["q"] for request in http.requests} == {"1"}


def test_at_most_so_many_pages(http: HttpServer) -> None:
    url = http.route("/rows", numbered(ROWS))
    assert numbers({"endpoint": url, **PAGED, "maxPages": "2"}) == list(range(20))
    assert numbers({"endpoint": url, **PAGED, "maxPages": "99"}) == list(range(35))


@pytest.mark.parametrize("partitions", [1, 2, 3, 4, 9])
@pytest.mark.parametrize("total", [{"totalPages": "4"}, {"totalPagesSelector": "$.pages"}])
def test_the_union_of_partitions_is_each_row_once(http: HttpServer, partitions: int, total: dict[str, str]) -> None:
    options = {"endpoint": http.route("/rows", numbered(ROWS)), **PAGED, **total, "numPartitions": str(partitions)}
    assert len(RESTAPIDataSource().plan_partitions(options)) == min(partitions, 4)
    assert sorted(numbers(options)) == list(range(35))


def test_an_unknown_number_of_pages_is_one_partition(http: HttpServer) -> None:
    options = {"endpoint": http.route("/rows", numbered(ROWS)), **PAGED, "numPartitions": "8"}
    assert len(RESTAPIDataSource().plan_partitions(options)) == 1


def test_an_empty_page_among_known_ones_ends_nothing(http: HttpServer) -> None:
    def answer(request: Request) -> Answer:
        return Answer.json([] if request.query["page"] == "2" else [{"n": int(request.query["page"])}])

    assert numbers({"endpoint": http.route("/rows", answer), "pagination": "page", "totalPages": "3"}) == [1, 3]


def test_no_pages_at_all(http: HttpServer) -> None:
    options = {"endpoint": http.route("/rows", numbered([])), **PAGED, "totalPagesSelector": "$.pages"}
    assert read(options, pa.schema([("n", pa.int64())])).num_rows == 0
    with pytest.raises(SheetbendError, match="has no records to take columns from: give the schema"):
        read(options)


@pytest.mark.parametrize("found", ["many", True, -1, [1, 2], None])
def test_a_total_that_is_no_number(http: HttpServer, found: Any) -> None:
    url = http.route("/rows", Answer.json({"items": ROWS, "pages": found}))
    with pytest.raises(SheetbendError, match="totalPagesSelector"):
        read({"endpoint": url, **PAGED, "totalPagesSelector": "pages", "sampleRecords": "1"})


def test_a_missing_resource_is_not_an_end(http: HttpServer) -> None:
    with pytest.raises(TableNotFoundError, match="/absent was answered with status 404"):
        read({"endpoint": http.url + "/absent", **PAGED})


def test_a_server_that_ignores_the_number_is_noticed(http: HttpServer) -> None:
    url = http.route("/rows", Answer.json({"items": ROWS}))
    with pytest.raises(SheetbendError, match=r"Pages 1 and 2 .* are the same: does it know the parameter 'page'"):
        read({"endpoint": url, **PAGED})


def linked(in_header: bool) -> Any:
    def answer(request: Request) -> Answer:
        place = int(request.query.get("after", "0"))
        link = f"?after={place + 10}" if place + 10 < len(ROWS) else None
        rows = ROWS[place : place + 10]
        if not in_header:
            return Answer.json({"items": rows, "links": {"next": link}})
        return Answer.json(rows, Link=f'<{link}>; rel="next", <?after=0>; rel="first"' if link else '<?>; rel="first"')

    return answer


def test_links_in_the_body(http: HttpServer) -> None:
    url = http.route("/rows", linked(in_header=False))
    options = {"endpoint": url, "pagination": "next", "recordSelector": "items[*]", "nextSelector": "links.next"}
    assert numbers(options) == list(range(35))
    assert numbers({**options, "maxPages": "2"}) == list(range(20))


def test_links_in_the_header(http: HttpServer) -> None:
    url = http.route("/rows", linked(in_header=True))
    assert numbers({"endpoint": url, "pagination": "next"}) == list(range(35))


def test_links_that_go_in_a_circle(http: HttpServer) -> None:
    url = http.route("/a", Answer.json({"items": ROWS, "next": "/b"}))
    http.route("/b", Answer.json({"items": ROWS, "next": "/a#again"}))
    options = {"endpoint": url, "pagination": "next", "recordSelector": "items", "nextSelector": "next"}
    with pytest.raises(SheetbendError, match=r"Page 2 of .*/a has a next link to a page before it"):
        read(options)
    assert len(http.requests) == 2


@pytest.mark.parametrize(
    "link", ["file:///etc/passwd", "ftp://127.0.0.1/x", "javascript:1", "http://[", "http://h:99999/", 7, ["/b"]]
)
def test_links_that_are_none(http: HttpServer, link: Any) -> None:
    url = http.route("/a", Answer.json({"items": ROWS, "next": link}))
    with pytest.raises(SheetbendError, match=r"http or https URL|nextSelector"):
        read({"endpoint": url, "pagination": "next", "recordSelector": "items", "nextSelector": "next"})


def test_a_spec_of_another_version() -> None:
    with pytest.raises(PluginError, match="version 1 was expected: 7"):
        list(RESTAPIDataSource().read_partition({"version": 7}, {"endpoint": "http://127.0.0.1"}))


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({}, "requires the option 'endpoint'"),
        ({"endpoint": "file:///etc/passwd"}, "starts with https:// or http://"),
        ({"endpoint": "http://"}, "starts with https:// or http://"),
        ({"endpoint": "http://h/a b"}, "starts with https:// or http://"),
        ({"endpoint": "http://u:canary-secret@h/"}, "takes no user"),
        ({"endpoint": "http://h/?key=canary-secret"}, "takes no query"),
        ({"endpoint": "http://h", "path": "http://h"}, "not both"),
        ({"endpoint": "http://h", "method": "POST"}, "must be GET"),
        ({"endpoint": "http://h", "pagination": "offset"}, "none, page, next"),
        ({"endpoint": "http://h", "nextSelector": "$.next"}, "is for pagination 'next'"),
        ({"endpoint": "http://h", "params": "{canary-secret"}, "JSON object"),
        ({"endpoint": "http://h", "params": "canary-secret"}, "JSON object"),
        ({"endpoint": "http://h", "params": '{"a": {"b": 1}}'}, "Parameter 'a'"),
        ({"endpoint": "http://h", "headers": "canary-secret"}, "JSON object"),
        ({"endpoint": "http://h", "headers": '{"a": 1}'}, "Header 'a'"),
        ({"endpoint": "http://h", "headers": '{"a b": "canary-secret"}'}, "cannot set a header 'a b'"),
        ({"endpoint": "http://h", "headers": '{"Host": "other"}'}, "cannot set a header 'Host'"),
        ({"endpoint": "http://h", "headers": '{"a": "canary-secret\\r\\nb: c"}'}, "printable ASCII"),
        ({"endpoint": "http://h", "headers": '{"Authorization": "x"}', "token": "canary-secret"}, "not both"),
        ({"endpoint": "http://h", "timeout": "0"}, "timeout"),
        ({"endpoint": "http://h", "retryDelay": "nan"}, "retryDelay"),
        ({"endpoint": "http://h", "maxRetries": "-1"}, "maxRetries"),
        ({"endpoint": "http://h", "token": "env:SHEETBEND_ABSENT"}, "'SHEETBEND_ABSENT', which is not set"),
        ({"endpoint": "http://h", "token": "file:/absent/token"}, "'/absent/token', which cannot be read"),
    ],
)
def test_options_that_are_wrong(options: dict[str, str], text: str) -> None:
    with pytest.raises(OptionError, match=text) as caught:
        RESTAPIDataSource().infer_schema(options)
    assert "canary-secret" not in str(caught.value)
