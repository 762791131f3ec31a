"""The script that a worker process runs: it finds the package of the server that started it, and serves.

It runs in whichever Python ``isolation_python`` names, so it says in plain words what that one lacks. Of the
environment that the server is installed in, nothing but this package becomes importable.
"""

import importlib.util
import sys
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent
OLDEST = (3, 10)


def _import_package() -> None:
    spec = importlib.util.spec_from_file_location(
        "sheetbend", str(PACKAGE / "__init__.py"), submodule_search_locations=[str(PACKAGE)]
    )
    if spec is None or spec.loader is None:
        sys.exit(f"The package sheetbend cannot be imported from {PACKAGE}.")
    module = importlib.util.module_from_spec(spec)
    sys.modules["sheetbend"] = module
    spec.loader.exec_module(module)


if __name__ == "__main__":
    if sys.version_info < OLDEST:
        found = ".".join(map(str, sys.version_info[:2]))
        sys.exit(f"A worker needs Python {'.'.join(map(str, OLDEST))} or newer; {sys.executable} is Python {found}.")
    # Python puts the folder of its script first, which is no place to import from.
    sys.path[:] = [path for path in sys.path if path != str(Path(__file__).parent)]
    _import_package()
    from sheetbend.worker.main import main

    main(sys.argv[1])
