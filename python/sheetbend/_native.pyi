"""The native half of Sheetbend (``crates/native``)."""

from collections.abc import Sequence

import pyarrow as pa

__version__: str

def scan(
    plugin: object,
    options: dict[str, str],
    *,
    columns: Sequence[str] | None = None,
    limit: int | None = None,
    target_partitions: int | None = None,
    name: str = "source",
    schema: pa.Schema | None = None,
) -> Scan: ...

class Scan:
    """Rows to be read, once."""

    def explain(self, *, metrics: bool = False) -> str: ...
    def metrics(self) -> dict[str, int]: ...
    def __arrow_c_schema__(self) -> object: ...
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...
