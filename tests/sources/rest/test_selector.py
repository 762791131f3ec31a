"""Selectors: what they mean, and bad ones."""

from __future__ import annotations

import time
from typing import Any

import pytest

from sheetbend.errors import OptionError, SheetbendError
from sheetbend.sources.rest.selector import NothingSelectedError, Selector
from tests.sources.rest.reading import read
from tests.support.http_server import Answer, HttpServer

DOCUMENT: dict[str, Any] = {
    "data": {"items": [{"a": 1}, {"a": 2}], "odd key": {"it's": [5]}},
    "none": None,
    "empty": [],
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$", [DOCUMENT]),
        ("$.data.items[*]", [{"a": 1}, {"a": 2}]),
        ("data.items[*].a", [1, 2]),
        ("$.data.items", [[{"a": 1}, {"a": 2}]]),
        ("$['data'][\"items\"][0]", [{"a": 1}]),
        ("$.data.items[-1].a", [2]),
        (r"$.data['odd key']['it\'s'][ 0 ]", [5]),
        ("$.none", [None]),
        ("$.none.deeper[*]", []),
        ("$.empty[*]", []),
        ("$.empty[*].a", []),
    ],
)
def test_what_is_selected(text: str, expected: list[Any]) -> None:
    assert Selector.parse(text, option="o").select(DOCUMENT) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("$.rows", "finds no field 'rows' in an object with the keys 'data', 'none', 'empty'"),
        ("$.data.items.a", "finds no field 'a' in a list of 2 elements"),
        ("$.data.items[5]", "finds no element 5 in a list of 2 elements"),
        ("$.data[*]", "finds no list in an object with the keys 'items', 'odd key'"),
        ("$.data.items[*].b", "finds no field 'b' in an object with the keys 'a'"),
    ],
)
def test_what_is_not_there(text: str, message: str) -> None:
    with pytest.raises(NothingSelectedError, match=message.replace("[", r"\[")):
        Selector.parse(text, option="o").select(DOCUMENT)


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "$.", "$..a", "$.a..b", "$a", "a b", "$[", "$[]", "$['a", "$['a\"]", "$[1", "$[1.5]", "$[**]", "$[a]",
        "$[?(@.a)]", "$[1:2]", "$.*", "$.a]", "$$", "$[99999999999]", "a" * 1001, "[" * 900, "$['" + "\\" * 900,
        "$.a;import os", "$.a\x00", "__import__('os')",
    ],
)  # fmt: skip
def test_bad_and_hostile_selectors(text: str) -> None:
    started = time.monotonic()
    with pytest.raises(OptionError, match="recordSelector"):
        Selector.parse(text, option="recordSelector")
    assert time.monotonic() - started < 0.5


def test_the_place_of_the_mistake_is_named() -> None:
    with pytest.raises(OptionError, match=r"no selector at character 7: '\.\.b'"):
        Selector.parse("$.aaaa..b"[0:6] + "..b", option="o")


def test_names_of_python_are_only_names() -> None:
    with pytest.raises(NothingSelectedError):
        Selector.parse("$.__class__", option="o").select(DOCUMENT)


def test_nothing_selected_names_the_keys(http: HttpServer) -> None:
    url = http.route("/rows", Answer.json({"results": [], "total": 0}))
    with pytest.raises(SheetbendError, match=r"no field 'items' in an object with the keys 'results', 'total'"):
        read({"endpoint": url, "recordSelector": "$.items"})


@pytest.mark.parametrize("rows", [[1, 2], [[1]], "text", 5])
def test_records_that_are_no_objects(http: HttpServer, rows: Any) -> None:
    url = http.route("/rows", Answer.json({"rows": rows}))
    with pytest.raises(
        SheetbendError, match=r"Record 1 on the answer of .* not an object: set option 'recordSelector'"
    ):
        read({"endpoint": url, "recordSelector": "rows"})
