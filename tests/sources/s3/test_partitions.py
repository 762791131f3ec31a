"""Partitions: balanced, complete, without overlap."""

from __future__ import annotations

import json
import random

import pyarrow as pa
import pytest

from sheetbend.errors import PluginError
from sheetbend.options import Options
from sheetbend.sources.s3 import S3DataSource
from sheetbend.sources.s3.listing import PinnedObject
from sheetbend.sources.s3.packing import OPEN_COST_BYTES, pack
from tests.sources.s3.reading import lines, read_specs
from tests.support.s3_server import SECRET_KEY, S3Server

MIB = 1024 * 1024


def objects(*sizes: int) -> list[PinnedObject]:
    return [PinnedObject("bucket", f"{place:05}", size, None) for place, size in enumerate(sizes)]


def test_every_object_is_in_one_group_and_groups_are_balanced() -> None:
    chance = random.Random(5)
    for _ in range(200):
        items = objects(*(int(chance.paretovariate(1) * MIB) for _ in range(chance.randint(1, 60))))
        limit, minimum = chance.randint(1, 200) * MIB, chance.randint(1, 10)
        groups = pack(items, max_bytes=limit, minimum=minimum)
        assert sorted(item.key for group in groups for item in group) == [item.key for item in items]
        assert min(minimum, len(items)) <= len(groups) <= len(items)
        weights = [sum(item.size + OPEN_COST_BYTES for item in group) for group in groups]
        heaviest = max(item.size + OPEN_COST_BYTES for item in items)
        assert max(weights) - min(weights) <= heaviest
        assert max(weights) <= max(limit, OPEN_COST_BYTES) + heaviest


def test_small_objects_share_a_partition_and_large_ones_do_not() -> None:
    assert len(pack(objects(*[1000] * 10), max_bytes=128 * MIB, minimum=1)) == 1
    assert len(pack(objects(*[200 * MIB] * 4), max_bytes=128 * MIB, minimum=1)) == 4
    assert pack([], max_bytes=1, minimum=4) == []


@pytest.mark.parametrize("partitions", [1, 3, 7, 100])
def test_the_union_of_partitions_is_each_row_once(s3: S3Server, bucket: str, partitions: int) -> None:
    chance = random.Random(partitions)
    expected = 0
    for number in range(12):
        count = chance.randint(0, 300)
        s3.put(bucket, f"t/{number}.json", lines(*({"n": expected + row} for row in range(count))))
        expected += count
    options = Options(s3.options(bucket, numPartitions=str(partitions)))
    source = S3DataSource()
    specs = source.plan_partitions(options)
    assert len(specs) == min(partitions, 12)
    table = read_specs(options, source.infer_schema(options), specs)
    assert sorted(table["n"].to_pylist()) == list(range(expected))


def test_a_small_limit_makes_more_partitions(s3: S3Server, bucket: str) -> None:
    for number in range(6):
        s3.put(bucket, f"{number}.json", lines({"n": number}))
    assert len(S3DataSource().plan_partitions(s3.options(bucket, maxPartitionBytes="1"))) == 6


def test_a_spec_is_json_with_a_version_and_without_secrets(s3: S3Server, bucket: str) -> None:
    s3.put(bucket, "a.json", lines({"n": 1}))
    (spec,) = S3DataSource().plan_partitions(s3.options(bucket))
    assert spec["version"] == 1
    assert set(spec["objects"][0]) == {"bucket", "key", "size", "etag"}
    assert SECRET_KEY not in json.dumps(spec)


def test_a_spec_of_another_version(s3: S3Server, bucket: str) -> None:
    with pytest.raises(PluginError, match="version 1 was expected: 2"):
        list(S3DataSource().read_partition({"version": 2}, s3.options(bucket)))


def test_a_plain_dict_and_no_context_will_do(s3: S3Server, bucket: str) -> None:
    s3.put(bucket, "a.json", lines({"n": 1}))
    source, options = S3DataSource(), {"BUCKET": bucket, "Endpoint": s3.url}
    (spec,) = source.plan_partitions(options)
    assert pa.Table.from_batches(source.read_partition(spec, options)).to_pylist() == [{"n": 1}]
