"""Schemas: found out from a sample, given by the user, and records that do not fit them."""

from __future__ import annotations

import datetime
import decimal
import json
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest

from sheetbend.errors import OptionError, SheetbendError
from sheetbend.sources.rest import RESTAPIDataSource
from tests.sources.rest.reading import numbered, read
from tests.support.http_server import Answer, HttpServer

CASES: list[tuple[list[Any], pa.DataType, list[Any]]] = [
    ([1, None, 2], pa.int64(), [1, None, 2]),
    ([1, 2.5], pa.float64(), [1.0, 2.5]),
    ([True, None], pa.bool_(), [True, None]),
    (["a", "ß"], pa.string(), ["a", "ß"]),
    ([None, None], pa.string(), [None, None]),
    ([1, "a"], pa.string(), ["1", "a"]),
    ([True, 1], pa.string(), ["true", "1"]),
    ([{"x": 1}, [1], 2], pa.string(), ['{"x":1}', "[1]", "2"]),
    ([2**63, 1], pa.string(), [str(2**63), "1"]),
    ([[1], [2.5, None], []], pa.list_(pa.float64()), [[1.0], [2.5, None], []]),
    ([[], None], pa.list_(pa.string()), [[], None]),
    ([{}, None], pa.string(), ["{}", None]),
    (
        [{"x": 1}, {"y": ["a"], "x": None}],
        pa.struct([("x", pa.int64()), ("y", pa.list_(pa.string()))]),
        [{"x": 1, "y": None}, {"x": None, "y": ["a"]}],
    ),
    ([[{"x": 1}, {"x": "a"}]], pa.list_(pa.struct([("x", pa.string())])), [[{"x": "1"}, {"x": "a"}]]),
]


@pytest.mark.parametrize(("values", "kind", "expected"), CASES, ids=[str(case[0]) for case in CASES])
def test_types_of_a_sample(http: HttpServer, values: list[Any], kind: pa.DataType, expected: list[Any]) -> None:
    table = read({"endpoint": http.route("/rows", Answer.json([{"v": value} for value in values]))})
    assert table.schema.field("v").type == kind
    assert table["v"].to_pylist() == expected


def test_fields_in_the_order_in_which_they_are_met(http: HttpServer) -> None:
    url = http.route("/rows", Answer.json([{"b": 1}, None, {"a": 2, "b": 3}]))
    assert read({"endpoint": url}).to_pylist() == [{"b": 1, "a": None}, {"b": 3, "a": 2}]


def test_deep_nesting_ends_as_text(http: HttpServer) -> None:
    deep = json.loads("[" * 200 + "]" * 200)
    table = read({"endpoint": http.route("/rows", Answer.json([{"v": deep}]))})
    assert str(table.schema.field("v").type).count("list") == 31


def test_later_records_that_fit_no_more_name_field_record_and_page(http: HttpServer) -> None:
    rows: list[dict[str, Any]] = [{"v": {"n": 1}}] * 10 + [{"v": {"n": 2}}, {"v": {"n": "many"}}]
    options = {"endpoint": http.route("/rows", numbered(rows)), "pagination": "page", "recordSelector": "items"}
    text = r"Field 'v.n' of record 2 on page 2 of http://[^ ]*/rows is text, which does not fit int64"
    with pytest.raises(SheetbendError, match=text):
        read({**options, "sampleRecords": "5"})
    assert read({**options, "sampleRecords": "12"})["v"].to_pylist()[-1] == {"n": "many"}


def test_a_sample_stops_asking_when_it_has_enough(http: HttpServer) -> None:
    url = http.route("/rows", numbered([{"n": n} for n in range(100)]))
    options = {"endpoint": url, "pagination": "page", "recordSelector": "items", "sampleRecords": "15"}
    RESTAPIDataSource().infer_schema(options)
    assert len(http.requests) == 2


UTC, BERLIN = datetime.timezone.utc, ZoneInfo("Europe/Berlin")
GIVEN: list[tuple[pa.DataType, Any, Any]] = [
    (pa.int8(), 127, 127),
    (pa.int32(), "12", 12),
    (pa.int64(), 3.0, 3),
    (pa.float64(), "1.5e3", 1500.0),
    (pa.float32(), 2, 2.0),
    (pa.bool_(), "true", True),
    (pa.string(), {"a": [1, "ß"]}, '{"a":[1,"ß"]}'),
    (pa.decimal128(10, 2), 1.25, decimal.Decimal("1.25")),
    (pa.decimal128(38, 0), "12345678901234567890123456789012345678", decimal.Decimal(12345678901234567890123456789012345678)),
    (pa.binary(), "aGk=", b"hi"),
    (pa.date32(), "2024-02-29", datetime.date(2024, 2, 29)),
    (pa.timestamp("us"), "2024-02-29T01:02:03.123456789", datetime.datetime(2024, 2, 29, 1, 2, 3, 123456)),
    (pa.timestamp("us", "UTC"), "2024-02-29T01:02:03Z", datetime.datetime(2024, 2, 29, 1, 2, 3, tzinfo=UTC)),
    (pa.timestamp("us", "UTC"), "2024-02-29 01:02+0530", datetime.datetime(2024, 2, 28, 19, 32, tzinfo=UTC)),
    (pa.timestamp("us", "Europe/Berlin"), "2024-07-01 10:00:00", datetime.datetime(2024, 7, 1, 10, tzinfo=BERLIN)),
    (pa.map_(pa.string(), pa.int64()), {"a": 1}, [("a", 1)]),
    (pa.list_(pa.date32()), ["2024-02-29", None], [datetime.date(2024, 2, 29), None]),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "value", "expected"), GIVEN, ids=[f"{case[0]} {case[1]}" for case in GIVEN])
def test_a_schema_of_the_user(http: HttpServer, kind: pa.DataType, value: Any, expected: Any) -> None:
    url = http.route("/rows", Answer.json([{"v": value, "more": 1}, {}]))
    assert read({"endpoint": url}, pa.schema([("v", kind)])).to_pylist() == [{"v": expected}, {"v": None}]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (pa.int8(), 128),
        (pa.int64(), True),
        (pa.int64(), 1.5),
        (pa.int64(), "1_000"),
        (pa.float64(), "much"),
        (pa.float64(), 10**400),
        (pa.bool_(), 1),
        (pa.decimal128(4, 2), 123),
        (pa.decimal128(4, 2), 1.234),
        (pa.binary(), "not base64!"),
        (pa.date32(), "2024-02-30"),
        (pa.timestamp("us"), "2024-02-29T01:02:03Z"),
        (pa.timestamp("us", "UTC"), 1709168523),
        (pa.list_(pa.int64()), {"a": 1}),
        (pa.struct([("x", pa.int64())]), [1]),
        (pa.string(), "\ud800"),
    ],
)
def test_values_that_do_not_fit(http: HttpServer, kind: pa.DataType, value: Any) -> None:
    url = http.route("/rows", Answer.json([{"v": value}]))
    with pytest.raises(SheetbendError, match=r"Field 'v'.* on the answer of .* fit"):
        read({"endpoint": url}, pa.schema([("v", kind)]))


def test_a_type_that_json_has_not(http: HttpServer) -> None:
    with pytest.raises(OptionError, match="Column 'v' of the schema is duration"):
        read({"endpoint": http.url}, pa.schema([("v", pa.duration("us"))]))
