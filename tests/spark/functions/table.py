"""Writes docs/functions.md: which functions answer their examples as Apache Spark does.

    python -m tests.spark.functions.table [--check]

With ``--check`` nothing is written, and the exit status is 1 where the document is not what it should be.
"""

from __future__ import annotations

import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from pyspark.sql.connect.session import SparkSession

from tests.spark.cases import answers
from tests.support.server import running_server

from . import examples

if TYPE_CHECKING:
    from tests.spark.cases.answers import Answer

DOCUMENT = Path(__file__).parents[3] / "docs" / "functions.md"
ABSENT = {"UNRESOLVED_ROUTINE", "UNSUPPORTED_OPERATION"}
"""The conditions with which a function that is not there is refused."""

HEAD = """\
# Functions

The functions of Apache Spark 4.2 (`SHOW FUNCTIONS`, without the operators), each asked the examples that Spark documents of
it and some more. *Same* is a function whose every example has the names, types, values and errors that Spark gave; of one
that *differs* the first example that does so is shown. `make docs` writes this table, and a test keeps it true.

"""

Differences = dict[str, dict[str, str]]
"""Of each function the queries that are answered otherwise, and how."""


def main() -> int:
    """Writes or checks the document; returns the exit status."""
    with running_server() as server:
        after = document(differences(server.url))
    if "--check" not in sys.argv[1:]:
        DOCUMENT.write_text(after, encoding="utf-8")
        return 0
    if after == DOCUMENT.read_text(encoding="utf-8"):
        return 0
    print("docs/functions.md is not up to date; run: make docs", file=sys.stderr)
    return 1


def differences(url: str) -> Differences:
    """Asks the server at ``url`` every example."""
    recorded = examples.load()
    spark = SparkSession.builder.remote(url).create()
    for key, value in answers.CONF.items():
        spark.conf.set(key, value)

    def asked(query: str, expected: Answer) -> str | None:
        try:
            return difference(examples.ask(spark, query), expected)
        except Exception as error:  # What the client cannot read is an answer too, and another one.
            return f"the client fails: {type(error).__name__}"

    with ThreadPoolExecutor(4) as pool:
        found = {
            name: {query: pool.submit(asked, query, expected) for query, expected in queries.items()}
            for name, queries in recorded.items()
        }
        waited = {
            name: {query: future.result() for query, future in queries.items()} for name, queries in found.items()
        }
    spark.stop()
    return {name: {query: how for query, how in queries.items() if how} for name, queries in waited.items()}


def difference(answer: Answer, expected: Answer) -> str | None:
    """In a few words what is another in ``answer``; none where nothing is."""
    if answers.same(answer, expected):
        return None
    if "error" in answer:
        condition = answer["error"]["condition"]
        instead = f"`{expected['error']['condition']}`" if "error" in expected else "an answer"
        return f"`{condition}`, not {instead}"
    if "error" in expected:
        return f"an answer, not `{expected['error']['condition']}`"
    for what, at in ("name", 0), ("type", 1):
        for ours, theirs in zip(answer["schema"], expected["schema"], strict=False):
            if ours[at] != theirs[at]:
                return f"{what} `{_brief(_type(ours[at]))}`, not `{_brief(_type(theirs[at]))}`"
    rows, wanted = _rows(answer), _rows(expected)
    pair = next((pair for pair in zip(rows, wanted, strict=False) if not answers.same(*pair)), None)
    if len(rows) != len(wanted) or pair is None:
        return f"{len(rows)} rows, not {len(wanted)}"
    here, there = next(values for values in zip(*pair, strict=True) if not answers.same(*values))
    return f"value `{_brief(here)}`, not `{_brief(there)}`"


def document(found: Differences) -> str:
    """The text of docs/functions.md."""
    recorded = examples.load()
    states = {name: _state(recorded[name], queries) for name, queries in found.items()}
    counts = Counter(state for state, _ in states.values())
    summary = ", ".join(f"{counts[state]} {state}" for state in ("same", "differs", "missing"))
    rows = [f"| `{name}` | {state} | {how} |" for name, (state, how) in states.items()]
    return HEAD + "\n".join(
        [f"{len(found)} functions: {summary}.", "", "| function | | |", "| --- | --- | --- |", *rows, ""]
    )


def _state(asked: dict[str, Answer], queries: dict[str, str]) -> tuple[str, str]:
    if not asked:
        return "missing", "no example that a client can ask"
    if not queries:
        conditions = {answer["error"]["condition"] if "error" in answer else None for answer in asked.values()}
        return "same", f"an error: `{conditions.pop()}`" if len(conditions) == 1 and None not in conditions else ""
    refused = all(any(f"`{condition}`, not an" in how for condition in ABSENT) for how in queries.values())
    if refused and len(queries) == len(asked):
        return "missing", ""
    query, how = next(iter(queries.items()))
    return "differs", f"{how}: `{_brief(query.removeprefix('SELECT '))}`".replace("|", "\\|")


def _rows(answer: Answer) -> list[list[object]]:
    rows: list[list[object]] = answer["texts"] if "texts" in answer else answer.get("rows", [])
    return rows


def _type(of: object) -> object:
    """A type as SQL writes it, where it is an array."""
    match of:
        case {"type": "array", "elementType": item}:
            return f"array<{_type(item)}>"
        case {"type": kind}:
            return kind
    return of


def _brief(value: object) -> str:
    text = " ".join(str(value).split()).replace("`", "'")
    return text if len(text) <= 60 else text[:57] + "..."


if __name__ == "__main__":
    sys.exit(main())
