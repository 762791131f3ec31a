"""Records the answers of a real Apache Spark, which are then the judge of Sheetbend's.

python -m tests.pyspark_api.record --remote sc://127.0.0.1:15102
"""

from __future__ import annotations

import argparse
import logging
import sys

from pyspark.sql.connect.session import SparkSession

from tests.pyspark_api import answers
from tests.pyspark_api.cases import CASES


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--remote", required=True, help="where Spark Connect listens: sc://host:port")
    remote = parser.parse_args().remote
    logging.disable(logging.ERROR)  # The client logs every error that it raises.
    spark = SparkSession.builder.remote(remote).create()
    found = {case.name: answers.ask(spark, case) for case in CASES}
    spark.stop()
    if len(found) != len(CASES):
        print("two cases have one name")
        return 1
    answers.save(found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
