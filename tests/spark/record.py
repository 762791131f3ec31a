"""Records the answers of a real Apache Spark, which are then the judge of Sheetbend's.

    python -m tests.spark.record --remote sc://127.0.0.1:15102 [TOPIC ...]

Only answers that are missing or changed need a look: each is one line in ``answers/<topic>.json``.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time

from pyspark.sql.connect.session import SparkSession

from tests.spark.cases import TOPICS, Case, answers, data


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--remote", required=True, help="where Spark Connect listens: sc://host:port")
    parser.add_argument("topics", nargs="*", metavar="TOPIC", help=f"of {', '.join(TOPICS)}; all without any")
    arguments = parser.parse_args()
    logging.disable(logging.ERROR)  # The client logs every error that it raises.
    spark = SparkSession.builder.remote(arguments.remote).getOrCreate()
    data.register(spark)
    for topic in arguments.topics or TOPICS:
        started = time.monotonic()
        found = {case.name: answer for case in TOPICS[topic] if (answer := _asked(spark, case))}
        if len(found) != len(TOPICS[topic]):
            print(f"{topic}: two cases have one name, or a case has no answer")
        answers.save(topic, found)
        failed = sum("error" in answer for answer in found.values())
        print(f"{topic}: {len(found)} answers, {failed} of them errors, {time.monotonic() - started:.1f} s")
    spark.stop()
    return 0


def _asked(spark: SparkSession, case: Case) -> answers.Answer | None:
    try:
        return answers.ask(spark, case)
    except Exception as error:  # The client itself fails: such a case says nothing of the server.
        print(f"no answer: {case.name}: {type(error).__name__}: {error}")
        return None


if __name__ == "__main__":
    sys.exit(main())
