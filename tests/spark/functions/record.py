"""Records what a real Apache Spark answers to the examples that it documents of its functions.

python -m tests.spark.functions.record --remote sc://127.0.0.1:15102 [FUNCTION ...]
"""

from __future__ import annotations

import argparse
import logging
import re
import sys
from typing import TYPE_CHECKING

from pyspark.sql.connect.session import SparkSession

from tests.spark.cases import answers

from . import examples
from .more import MORE

if TYPE_CHECKING:
    from tests.spark.cases.answers import Answer

EXAMPLE = re.compile(r"^\s*> (.+?);\s*$", re.MULTILINE | re.DOTALL)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--remote", required=True, help="where Spark Connect listens: sc://host:port")
    parser.add_argument("functions", nargs="*", metavar="FUNCTION", help="all without any")
    arguments = parser.parse_args()
    logging.disable(logging.ERROR)  # The client logs every error that it raises.
    spark = SparkSession.builder.remote(arguments.remote).getOrCreate()
    for key, value in answers.CONF.items():
        spark.conf.set(key, value)
    names = [row[0] for row in spark.sql("SHOW FUNCTIONS").collect()]
    before = examples.load() if arguments.functions else {}
    again = arguments.functions or names
    found = {name: _answers(spark, name) if name in again else before[name] for name in names if name[0].isalpha()}
    examples.save(found)
    for name, queries in found.items():
        if not queries:
            print(f"no example: {name}")
    print(f"{len(found)} functions, {sum(map(len, found.values()))} examples")
    spark.stop()
    return 0


def _answers(spark: SparkSession, function: str) -> dict[str, Answer]:
    described = "\n".join(row[0] for row in spark.sql(f"DESCRIBE FUNCTION EXTENDED `{function}`").collect())
    queries = [" ".join(query.split()) for query in EXAMPLE.findall(described)] + MORE.get(function, [])
    found = {}
    usual = True
    for query in queries:
        if query.startswith("SET "):
            usual = query.endswith("=false")  # Examples of another setting are passed over.
        if not usual or query.startswith("SET ") or "/Users/" in query:  # No path of a machine is kept here.
            continue
        try:
            found[query] = examples.ask(spark, query)
        except Exception as error:  # The client cannot read it: such a query says nothing of the server.
            print(f"no answer: {query}: {type(error).__name__}")
    return found


if __name__ == "__main__":
    sys.exit(main())
