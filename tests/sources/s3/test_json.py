"""JSON lines objects."""

from __future__ import annotations

import datetime
import time

import pyarrow as pa
import pytest

from sheetbend.errors import SheetbendError
from sheetbend.sources.s3 import S3DataSource
from sheetbend.sources.s3.fetcher import Fetcher
from sheetbend.sources.s3.listing import PinnedObject
from tests.sources.s3.reading import gz, lines, read
from tests.support.s3_server import S3Server


@pytest.mark.parametrize(("key", "compress"), [("a.json", bytes), ("a.jsonl.gz", gz), ("a.ndjson", bytes)])
def test_fields_become_columns(s3: S3Server, bucket: str, key: str, compress: object) -> None:
    assert callable(compress)
    records = [{"n": 1, "l": [1, 2], "s": {"x": "a"}}, {"n": None, "f": 1.5}]
    s3.put(bucket, key, compress(lines(*records)))
    table = read(s3.options(bucket))
    assert table.schema.names == ["n", "l", "s", "f"]
    assert table.to_pylist() == [
        {"n": 1, "l": [1, 2], "s": {"x": "a"}, "f": None},
        {"n": None, "l": None, "s": None, "f": 1.5},
    ]


def test_text_stays_text_and_what_is_always_null_is_text(s3: S3Server, bucket: str) -> None:
    s3.put(bucket, "a.json", lines({"t": "2024-02-29T01:02:03", "e": None, "l": [], "gone": {}, "ls": [{}]}))
    table = read(s3.options(bucket))
    assert table.schema.equals(pa.schema([("t", pa.string()), ("e", pa.string()), ("l", pa.list_(pa.string()))]))
    assert table.to_pylist() == [{"t": "2024-02-29T01:02:03", "e": None, "l": []}]


def test_the_option_names_the_format(s3: S3Server, bucket: str) -> None:
    s3.put(bucket, "part-0", lines({"n": 1}))
    for name in ("json", "JSONL", "ndjson"):
        assert read(s3.options(bucket, format=name)).to_pylist() == [{"n": 1}]


def test_a_schema_of_the_user(s3: S3Server, bucket: str) -> None:
    s3.put(bucket, "a.json", lines({"d": "2024-02-29", "t": "2024-02-29T10:00:00", "m": 1.25, "x": 1}, {"m": "3"}))
    schema = pa.schema(
        [("m", pa.decimal128(10, 2)), ("d", pa.date32()), ("t", pa.timestamp("us", "UTC")), ("no", pa.string())]
    )
    first, second = read(s3.options(bucket), schema).to_pylist()
    assert str(first["m"]) == "1.25"
    assert first["d"] == datetime.date(2024, 2, 29)
    assert first["t"] == datetime.datetime(2024, 2, 29, 10, tzinfo=datetime.timezone.utc)
    assert second == {"m": 3, "d": None, "t": None, "no": None}


def test_many_blocks(s3: S3Server, bucket: str) -> None:
    s3.put(bucket, "a.json", lines(*({"n": n, "text": "x" * 90} for n in range(200_000))))
    table = read(s3.options(bucket))
    assert table["n"].to_pylist() == list(range(200_000))


@pytest.mark.parametrize("bad", [b'{"n": "one"}\n', b'{"n": 1\n', b"[1]\n", b"no json\n"])
def test_what_does_not_fit_names_the_object(s3: S3Server, bucket: str, bad: bytes) -> None:
    s3.put(bucket, "a.json", lines({"n": 1}))
    s3.put(bucket, "b.json", bad)
    with pytest.raises(SheetbendError, match=rf"s3://{bucket}/b.json cannot be read as JSON lines"):
        read(s3.options(bucket))


def test_lines_longer_than_a_block_and_a_last_line_without_end(s3: S3Server, bucket: str) -> None:
    long = "x" * (9 * 1024 * 1024)
    s3.put(bucket, "a.json", b"\n" + lines({"n": 1}, {"n": 2, "t": long}, {"n": 3}).rstrip())
    table = read(s3.options(bucket), pa.schema([("n", pa.int64()), ("t", pa.string())]))
    assert table["n"].to_pylist() == [1, 2, 3]
    assert table["t"].to_pylist() == [None, long, None]


def test_a_slow_consumer_is_not_read_ahead_of(s3: S3Server, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    s3.put(bucket, "a.json", lines({"n": 1}) * 4_000_000)
    fetched: list[int] = []
    fetch = Fetcher.fetch

    def counted(self: Fetcher, item: PinnedObject, start: int, end: int) -> bytes:
        fetched.append(end - start)
        return fetch(self, item, start, end)

    source, options = S3DataSource(), s3.options(bucket)
    (spec,) = source.plan_partitions(options)
    monkeypatch.setattr(Fetcher, "fetch", counted)
    batches = source.read_partition(spec, options)
    next(batches)
    time.sleep(0.5)
    batches.close()
    assert sum(fetched) <= 8 * 1024 * 1024
