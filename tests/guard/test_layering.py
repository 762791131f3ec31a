"""Dependencies point down: ARCHITECTURE.md has the picture."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.guard.tree import ROOT, relative, under

# Which of our crates a crate may use.
CRATES = {
    "datasource": set(),
    "plan": set(),
    "files": {"plan"},
    "cluster": {"datasource", "files", "plan"},
    "connect": {"cluster", "datasource", "files", "plan"},
    "native": {"cluster", "connect", "datasource", "plan"},
}

# What a crate must know nothing of.
FOREIGN = {
    # With prost it makes the nodes of a plan bytes: no message of a protocol.
    "datasource": ["tonic", "apache-spark-connect-proto", "sqlparser", "datafusion-spark"],
    "plan": ["tonic", "prost", "apache-spark-connect-proto", "pyo3", "pyo3-arrow"],
    "files": ["tonic", "prost", "apache-spark-connect-proto", "pyo3", "pyo3-arrow", "sqlparser"],
    "cluster": ["apache-spark-connect-proto", "pyo3", "pyo3-arrow", "sqlparser"],
    "connect": ["pyo3", "pyo3-arrow", "sqlparser"],
    "native": ["tonic", "prost", "sqlparser", "datafusion-spark"],
}

# Which of our Python modules a module may import, outside of blocks for type checkers. A folder stands for all in it.
MODULES = {
    "errors": set(),
    "options": {"errors"},
    "references": {"errors"},
    "context": set(),
    "plugin": {"context", "errors", "options"},
    "write": set(),
    "datasource_api": {"_native", "datasource_api", "errors", "filters", "options", "plugin", "scan", "write"},
    "registry": {"datasource_api", "errors"},
    "filters": {"filters"},
    "scan": set(),
    "_wire": {"_bridge", "_wire", "errors", "filters", "scan"},
    "_bridge": {
        "_bridge",
        "_wire",
        "context",
        "datasource_api",
        "errors",
        "options",
        "plugin",
        "references",
        "registry",
        "scan",
        "write",
    },
    "isolation": set(),
    "worker": {"_bridge", "context", "errors", "options", "plugin", "registry", "worker"},
    "testing": {"_native", "errors", "isolation", "options", "plugin", "registry", "testing", "write"},
    "discovery": {"errors", "registry"},
    "sources": {"errors", "filters", "options", "plugin", "references", "scan", "sources", "write"},
    "interop": {"_bridge", "errors", "options", "plugin", "registry", "interop"},
    "clients": {"errors"},
    "cluster": {"_native", "discovery", "errors"},
    "signals": set(),
    "executor": {"_native", "cluster", "errors", "signals"},
    "server": {"_native", "clients", "discovery", "errors", "isolation", "registry", "signals"},
    "cli": {"", "cli", "clients", "cluster", "discovery", "errors", "executor", "registry", "server"},
    "": {"context", "discovery", "errors", "options", "plugin", "server", "write"},
}

PACKAGE = ROOT / "python" / "sheetbend"


def dependencies(crate: str) -> set[str]:
    """What the manifest lists under ``[dependencies]``."""
    text = (ROOT / "crates" / crate / "Cargo.toml").read_text()
    section = re.search(r"^\[dependencies\]$(.*?)(?=^\[|\Z)", text, re.MULTILINE | re.DOTALL)
    return set(re.findall(r"^([\w-]+)(?:\.workspace)?\s*=", section.group(1), re.MULTILINE)) if section else set()


def test_every_crate_has_its_place() -> None:
    found = {path.parent.name for path in (ROOT / "crates").glob("*/Cargo.toml")}
    assert found == set(CRATES)


@pytest.mark.parametrize("crate", CRATES)
def test_a_crate_uses_only_those_below(crate: str) -> None:
    ours = {name.removeprefix("sheetbend-") for name in dependencies(crate) if name.startswith("sheetbend-")}
    assert ours <= CRATES[crate]


@pytest.mark.parametrize("crate", FOREIGN)
def test_a_crate_does_not_know_what_is_not_its_business(crate: str) -> None:
    assert not dependencies(crate) & set(FOREIGN[crate])


def test_a_python_module_imports_only_those_below() -> None:
    wrong = []
    for path in under("python/sheetbend", ".py"):
        module = path.relative_to(PACKAGE).with_suffix("").parts
        room = "" if module == ("__init__",) else module[0]
        wrong += [f"{relative(path)}: {name or 'sheetbend'}" for name in imports(path) if not allowed(room, name, path)]
    assert not wrong


def allowed(room: str, name: str, path: Path) -> bool:
    # A source is replaced alone: it does not lean on another source.
    if room == "sources" and name.startswith("sources."):
        return name.split(".")[1] == path.relative_to(PACKAGE).parts[1].removesuffix(".py")
    return room in MODULES and name.split(".", maxsplit=1)[0] in MODULES[room]


def imports(path: Path) -> list[str]:
    """What a file imports of our package when it runs: ``plugin``, ``sources.jdbc``; the package itself is empty."""
    found: list[str] = []
    for node in running(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{relative(path)}: a relative import hides where it points"
            module = node.module or ""
            whole = module == "sheetbend"
            found += [f"{module}.{a.name}" if whole and is_module(a.name) else module for a in node.names]
    ours = [name for name in found if name.split(".")[0] == "sheetbend"]
    return [name.removeprefix("sheetbend").removeprefix(".") for name in ours]


def is_module(name: str) -> bool:
    return any((PACKAGE / candidate).exists() for candidate in (f"{name}.py", f"{name}.pyi", name))


def running(node: ast.AST) -> list[ast.AST]:
    """The nodes below, without the blocks that only a type checker reads."""
    nodes: list[ast.AST] = []
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
            continue
        nodes += [child, *running(child)]
    return nodes
