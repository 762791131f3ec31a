"""What docs/functions.md says of every function is true."""

from __future__ import annotations

from tests.support.server import ServerProcess

from . import table


def test_the_table_of_functions_is_up_to_date(server: ServerProcess) -> None:
    found = table.document(table.differences(server.url))
    expected = table.DOCUMENT.read_text(encoding="utf-8")
    changed = [line for line in found.splitlines() if line not in expected.splitlines()]
    assert found == expected, "run `make docs` if this is meant:\n" + "\n".join(changed[:24])
