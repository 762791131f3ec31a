"""The engine knows no source by name: sources are Python, and only Python."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]

NAMES = (
    "adbc|connectorx|jdbc|postgres|postgresql|psycopg|mysql|mariadb|sqlite|sqlite3|oracle|mssql|sqlserver|snowflake|"
    "bigquery|redshift|clickhouse|mongodb|cassandra|elasticsearch|kafka|duckdb|s3|s3a|gcs|obstore|boto3|httpx|"
    "delta|iceberg|hudi"
)
SOURCE = re.compile(rf"(?i)(?<![a-z0-9])(?:{NAMES})(?![a-z0-9])")
REST = re.compile(r"""(?i)["']rest["']|\brest_api|\brestapi""")
"""The name of a source, but an English word too: it counts where it stands alone in quotes."""


def test_crates_name_no_source() -> None:
    found = []
    for path in sorted((ROOT / "crates").rglob("*.rs")):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            found += [
                f"{path.relative_to(ROOT)}:{number}: {line.strip()}" for name in (SOURCE, REST) if name.search(line)
            ]
    assert not found, "\n".join(found)
