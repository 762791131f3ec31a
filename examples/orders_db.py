"""An SQLite database of orders, the same ones for the same number of rows.

python examples/orders_db.py orders.db --rows 1000000
"""

from __future__ import annotations

import argparse
import sqlite3
import time
from pathlib import Path

REGIONS = ("north", "east", "south", "west", "centre")
PRODUCTS = ("rope", "sail", "anchor", "compass", "lantern", "chart", "cleat", "winch")
STATUSES = ("new", "paid", "shipped", "delivered", "returned")

_TABLES = """
CREATE TABLE customers (
    id      INTEGER PRIMARY KEY,
    name    VARCHAR(40) NOT NULL,
    region  VARCHAR(10) NOT NULL,
    since   DATE NOT NULL
);
CREATE TABLE orders (
    id           INTEGER PRIMARY KEY,
    customer_id  INTEGER NOT NULL REFERENCES customers (id),
    region       VARCHAR(10) NOT NULL,
    product      VARCHAR(20) NOT NULL,
    quantity     INTEGER NOT NULL,
    amount       DECIMAL(10, 2) NOT NULL,
    discount     DOUBLE,
    status       VARCHAR(10) NOT NULL,
    ordered_on   DATE NOT NULL
);
"""

# Numbers that look random and are the same every time: a row's number, multiplied by a prime and folded.
_CUSTOMERS = """
WITH RECURSIVE n (id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < :customers)
INSERT INTO customers
SELECT id,
       printf('Customer %05d', id),
       (SELECT name FROM region WHERE number = (id * 7919 >> 3) % :regions),
       date('2015-01-01', ((id * 104729 >> 4) % 3287) || ' days')
FROM n
"""

_ORDERS = """
WITH RECURSIVE n (id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < :rows),
drawn AS (
    SELECT id,
           1 + (id * 48271 >> 5) % :customers   AS customer_id,
           (id * 69621 >> 6) % :products        AS product,
           1 + (id * 40692 >> 7) % 9            AS quantity,
           (id * 16807 >> 4) % 100              AS cents,
           (id * 39373 >> 8) % 180              AS price,
           (id * 31337 >> 3) % 10               AS discounted,
           (id * 65539 >> 5) % :statuses        AS status,
           (id * 22695 >> 6) % 730              AS day
    FROM n
)
INSERT INTO orders
SELECT drawn.id,
       customer_id,
       customers.region,
       product.name,
       quantity,
       (quantity * (20 + price) * 100 + cents) / 100.0,
       CASE discounted WHEN 0 THEN NULL WHEN 1 THEN 0.15 WHEN 2 THEN 0.05 ELSE 0.0 END,
       status.name,
       date('2024-01-01', day || ' days')
FROM drawn
JOIN customers ON customers.id = customer_id
JOIN product ON product.number = drawn.product
JOIN status ON status.number = drawn.status
"""


def create(path: Path, rows: int = 1_000_000) -> None:
    """Writes the tables ``customers`` (one for a hundred orders) and ``orders`` to a new file.

    Args:
        path: The file; one that is there is replaced.
        rows: How many orders.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".part")
    unfinished.unlink(missing_ok=True)
    connection = sqlite3.connect(unfinished, isolation_level=None)
    try:
        # The file is thrown away where this fails, so there is no need to be able to roll back.
        connection.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;" + _TABLES)
        connection.execute("BEGIN")
        for table, names in (("region", REGIONS), ("product", PRODUCTS), ("status", STATUSES)):
            connection.execute(f"CREATE TEMP TABLE {table} (number INTEGER PRIMARY KEY, name TEXT)")
            connection.executemany(f"INSERT INTO {table} VALUES (?, ?)", enumerate(names))
        sizes = {
            "rows": rows,
            "customers": max(1, rows // 100),
            "regions": len(REGIONS),
            "products": len(PRODUCTS),
            "statuses": len(STATUSES),
        }
        connection.execute(_CUSTOMERS, {key: sizes[key] for key in ("customers", "regions")})
        connection.execute(_ORDERS, {key: sizes[key] for key in ("rows", "customers", "products", "statuses")})
        connection.execute("COMMIT")
    finally:
        connection.close()
    unfinished.replace(path)


def main() -> None:
    """Creates the database that the arguments name."""
    parser = argparse.ArgumentParser(description="Creates an SQLite database of orders.")
    parser.add_argument("path", type=Path)
    parser.add_argument("--rows", type=int, default=1_000_000, help="how many orders (default: 1000000)")
    arguments = parser.parse_args()
    started = time.monotonic()
    create(arguments.path, arguments.rows)
    size = arguments.path.stat().st_size / 1e6
    print(f"{arguments.path}: {arguments.rows} orders, {size:.0f} MB, {time.monotonic() - started:.1f} s")


if __name__ == "__main__":
    main()
