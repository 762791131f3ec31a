"""What the tests of this folder share: reading a table as the engine does, and answering in pages."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from sheetbend.options import Options, check_options
from sheetbend.plugin import ReadContext
from sheetbend.sources.rest import RESTAPIDataSource
from tests.support.http_server import Answer, Request

__all__ = ["FAST", "numbered", "read"]

FAST = {"retryDelay": "0.01"}
"""Options that make retries quick."""


def read(options: Mapping[str, str], schema: pa.Schema | None = None) -> pa.Table:
    """The whole table; fails where a batch is not of the promised schema or a spec is not JSON."""
    checked = Options({**FAST, **options}, schema=schema)
    check_options(RESTAPIDataSource.OPTIONS, checked, source="rest")
    source = RESTAPIDataSource()
    promised = source.infer_schema(checked)
    batches = []
    for place, spec in enumerate(json.loads(json.dumps(source.plan_partitions(checked)))):
        context = ReadContext(batch_size=1000, partition=place)
        for batch in source.read_partition(spec, checked, context):
            batch.validate(full=True)
            assert batch.schema.equals(promised)
            batches.append(batch)
    return pa.Table.from_batches(batches, promised)


def numbered(
    records: Sequence[Mapping[str, Any]], *, size: int = 10, start: int = 1, param: str = "page", past_end: int = 200
) -> Callable[[Request], Answer]:
    """A route of numbered pages: a list of records each, empty or with status ``past_end`` after the last one."""

    def answer(request: Request) -> Answer:
        count = int(request.query.get("per_page", size))
        first = (int(request.query.get(param, start)) - start) * count
        chosen = list(records[first : first + count])
        pages = -(-len(records) // count)
        return Answer.json({"items": chosen, "pages": pages}, 200 if chosen else past_end)

    return answer
