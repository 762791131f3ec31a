"""Which objects a path means, and what is said where there are none."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest

from sheetbend.errors import OptionError, SheetbendError, TableNotFoundError
from sheetbend.sources.s3 import S3DataSource
from sheetbend.sources.s3.location import Location, parse_url
from tests.sources.s3.reading import lines, parquet, read
from tests.support.s3_server import S3Server


def rows(options: dict[str, str]) -> list[int]:
    return sorted(read(options)["n"].to_pylist())


@pytest.fixture
def filled(s3: S3Server, bucket: str) -> str:
    keys = ["t/a.json", "t/x/b.json", "t/y=1/c d.json", "tx/d.json", "other/e.json", "t/ü%20.json"]
    for number, key in enumerate(keys):
        s3.put(bucket, key, lines({"n": number}))
    return bucket


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        ("", [0, 1, 2, 3, 4, 5]),
        ("t", [0, 1, 2, 5]),
        ("/t/", [0, 1, 2, 5]),
        ("t/a.json", [0]),
        ("t/ü%20.json", [5]),
        ("t/y=1", [2]),
        ("t*", [0, 1, 2, 3, 5]),
        ("t/*.json", [0, 5]),
        ("t/?", [1]),
        ("{tx,other}/*", [3, 4]),
        ("t/[xy]*/*.json", [1, 2]),
    ],
)
def test_a_path_is_an_object_a_folder_or_a_pattern(s3: S3Server, filled: str, prefix: str, expected: list[int]) -> None:
    assert rows(s3.options(filled, prefix=prefix)) == expected


def test_paths_as_load_gives_them(s3: S3Server, filled: str) -> None:
    endpoint = {"endpoint": s3.url}
    assert rows({"path": f"s3://{filled}/tx", **endpoint}) == [3]
    assert rows({"path": f"S3A://{filled}/tx/", **endpoint}) == [3]
    assert rows({"path": "tx", "bucket": filled, **endpoint}) == [3]
    both = json.dumps([f"s3://{filled}/tx", f"s3://{filled}/other", f"s3://{filled}/tx/d.json"])
    assert rows({"paths": both, **endpoint}) == [3, 4]


def test_several_buckets(s3: S3Server, filled: str) -> None:
    second = s3.bucket()
    s3.put(second, "f.json", lines({"n": 9}))
    paths = json.dumps([f"s3://{filled}/tx", f"s3://{second}"])
    assert rows({"paths": paths, "endpoint": s3.url}) == [3, 9]


def test_hidden_and_empty_objects_are_passed_over(s3: S3Server, bucket: str) -> None:
    s3.put(bucket, "t/_SUCCESS", b"")
    s3.put(bucket, "t/_committed_1", b"{}")
    s3.put(bucket, "t/.a.json.crc", b"crc")
    s3.put(bucket, "t/_temporary/0/a.json", lines({"n": 8}))
    s3.put(bucket, "t/", b"")
    s3.put(bucket, "t/empty.json", b"")
    s3.put(bucket, "t/_p=1/a.json", lines({"n": 1}))
    assert rows(s3.options(bucket, prefix="t")) == [1]


def test_a_folder_of_empty_objects_has_no_rows_and_no_schema(s3: S3Server, bucket: str) -> None:
    s3.put(bucket, "t/_SUCCESS", b"")
    with pytest.raises(TableNotFoundError, match=rf"under s3://{bucket}/t are empty or hidden: give the schema"):
        read(s3.options(bucket, prefix="t"))
    assert read(s3.options(bucket, prefix="t"), pa.schema([("n", pa.int64())])).num_rows == 0


def test_more_objects_than_a_page_of_the_listing(s3: S3Server, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "10")
    for number in range(25):
        s3.put(bucket, f"t/{number}.json", lines({"n": number}))
    assert s3.client.list_objects_v2(Bucket=bucket)["KeyCount"] == 10
    specs = S3DataSource().plan_partitions(s3.options(bucket))
    assert sum(len(spec["objects"]) for spec in specs) == 25


def test_nothing_under_the_path(s3: S3Server, filled: str) -> None:
    with pytest.raises(TableNotFoundError, match=f"bucket '{filled}' under 'absent'"):
        read(s3.options(filled, prefix="absent"))


def test_no_such_bucket(s3: S3Server) -> None:
    with pytest.raises(TableNotFoundError, match=r"no bucket 'absent-bucket' at http://127\.0\.0\.1"):
        read(s3.options("absent-bucket"))


def test_objects_of_several_formats(s3: S3Server, bucket: str) -> None:
    s3.put(bucket, "a.json", lines({"n": 1}))
    s3.put(bucket, "b.parquet", parquet({"n": [2]}))
    with pytest.raises(OptionError, match=r"several formats, json \(.*a.json\) and parquet \(.*b.parquet\)"):
        read(s3.options(bucket))


def test_names_that_say_nothing_are_parquet(s3: S3Server, bucket: str) -> None:
    s3.put(bucket, "part-0", parquet({"n": [2]}))
    assert rows(s3.options(bucket)) == [2]


def test_a_key_with_an_empty_segment(s3: S3Server, bucket: str) -> None:
    s3.put(bucket, "t//a.json", lines({"n": 1}))
    with pytest.raises(SheetbendError, match="empty segment"):
        read(s3.options(bucket, prefix="t"))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"bucket": "a/b"},
        {"bucket": "bucket", "prefix": "a/../b"},
        {"bucket": "bucket", "prefix": "{a,b}" * 20},
        {"path": "file:///etc/passwd"},
        {"path": "plain"},
        {"bucket": "bucket", "path": "s3://other/x"},
        {"path": "s3://bucket/x", "prefix": "y"},
        {"paths": "not json"},
        {"paths": "[1]"},
        {"paths": "[" * 100_000},
    ],
)
def test_locations_that_are_wrong(options: dict[str, str]) -> None:
    with pytest.raises(OptionError):
        S3DataSource().infer_schema(options)


def test_a_hostile_pattern_is_no_slower() -> None:
    location = Location("bucket", "*a" * 200 + "b")
    assert location.below("a" * 1000) is None


def test_urls() -> None:
    assert parse_url("s3n://bucket/a/b/") == Location("bucket", "a/b")
    assert str(parse_url("s3://bucket")) == "s3://bucket/"
