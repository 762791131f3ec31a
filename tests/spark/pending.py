"""Writes ``pending.json``: the cases whose answer is not Spark's yet.

Usage: ``python -m tests.spark.pending --remote sc://127.0.0.1:15002``, against a server of this checkout. Look at the
change it makes: a case that comes in is one that was right before.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from pyspark.sql.connect.session import SparkSession

from tests.spark.cases import TOPICS, answers, data

PENDING = Path(__file__).parent / "pending.json"


def main() -> None:
    """Asks every case and writes those that differ from the record."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--remote", required=True, help="the server, as sc://host:port")
    spark = SparkSession.builder.remote(parser.parse_args().remote).create()
    data.register(spark)
    pending = {}
    for topic, cases in TOPICS.items():
        recorded = answers.load(topic)
        names = []
        for case in cases:
            answer = answers.essence(json.loads(json.dumps(answers.ask(spark, case))))
            if not case.differs and not answers.same(answer, answers.essence(recorded[case.name])):
                names.append(case.name)
        if names:
            pending[topic] = names
    PENDING.write_text(json.dumps(pending, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    spark.stop()


if __name__ == "__main__":
    main()
