"""Python files that a client sends for its data sources."""

from __future__ import annotations

import importlib
import sys
import textwrap
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pyspark.errors import AnalysisException, PySparkException
from pyspark.sql import Row, SparkSession
from pyspark.sql.datasource import DataSource, DataSourceReader, InputPartition

from tests.support.server import ServerProcess, wait_until

READS = """
from pyspark.sql.datasource import DataSource, DataSourceReader

class Src(DataSource):
    @classmethod
    def name(cls):
        return "src"

    def schema(self):
        return "word string"

    def reader(self, schema):
        return Reader()

class Reader(DataSourceReader):
    def read(self, partition):
        yield (WORD,)
"""


@pytest.fixture
def client_module(tmp_path: Path) -> Iterator[Callable[[str, str], Any]]:
    """Writes a module that only the client can import, and imports it there."""
    made: list[str] = []
    sys.path.insert(0, str(tmp_path))

    def write(name: str, text: str) -> Any:
        (tmp_path / f"{name}.py").write_text(textwrap.dedent(text))
        sys.modules.pop(name, None)
        importlib.invalidate_caches()
        made.append(name)
        return importlib.import_module(name)

    yield write
    sys.path.remove(str(tmp_path))
    for name in made:
        sys.modules.pop(name, None)


@pytest.fixture
def session(new_session: Callable[[], SparkSession]) -> SparkSession:
    return new_session()


def word(session: SparkSession, name: str = "src") -> str:
    rows = session.read.format(name).load().collect()
    assert len(rows) == 1
    return str(rows[0][0])


def archive(path: Path, members: dict[str, str]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, text in members.items():
            made.writestr(name, textwrap.dedent(text))
    return path


def test_a_class_of_a_module_that_is_sent(session: SparkSession, client_module: Any, tmp_path: Path) -> None:
    module = client_module("srcmod", READS.replace("WORD", "'first'"))
    session.dataSource.register(module.Src)
    with pytest.raises(AnalysisException, match="No module named 'srcmod'") as caught:
        word(session)
    assert caught.value.getCondition() == "PYTHON_DATA_SOURCE_ERROR"
    session.addArtifacts(str(tmp_path / "srcmod.py"), pyfile=True)
    assert word(session) == "first"


def test_two_sessions_have_modules_of_one_name(
    new_session: Callable[[], SparkSession], client_module: Any, tmp_path: Path
) -> None:
    sessions = [new_session(), new_session()]
    for number, session in enumerate(sessions):
        # Its class goes as a name, and so do the helper's function and the helper that is imported late.
        client_module("helper", f"def word(): return 'of {number}'")
        module = client_module(
            "srcmod", "import helper\n" + READS.replace("WORD", "helper.word() + __import__('helper').word()")
        )
        session.addArtifacts(str(tmp_path / "srcmod.py"), str(tmp_path / "helper.py"), pyfile=True)
        session.dataSource.register(module.Src)
    assert [word(session) for session in [*sessions, *sessions]] == ["of 0of 0", "of 1of 1"] * 2


def test_a_pickled_class_imports_what_is_sent(session: SparkSession, client_module: Any, tmp_path: Path) -> None:
    import types

    helper = client_module("helper", "WORD = 'sent'\nclass Box: word = 'boxed'")
    script = types.ModuleType("__main__")
    exec(
        "import helper\nfrom helper import Box\n"
        + READS.replace("WORD", "' '.join([helper.WORD, Box.word, late()])")
        + "def late():\n    import helper as h\n    from helper import WORD\n    return h.WORD + WORD\n",
        vars(script),
    )
    source: type[DataSource] = vars(script)["Src"]
    session.addArtifacts(str(tmp_path / "helper.py"), pyfile=True)
    session.dataSource.register(source)
    assert helper.WORD == "sent"
    assert word(session) == "sent boxed sentsent"


def test_one_class_of_two_sessions_imports_the_modules_of_each(
    new_session: Callable[[], SparkSession], tmp_path: Path
) -> None:
    class Reader(DataSourceReader):
        def read(self, partition: InputPartition) -> Iterator[tuple[str]]:
            import helper  # type: ignore[import-not-found]

            assert type(partition) is Part
            yield (helper.WORD,)

        def partitions(self) -> list[InputPartition]:
            return [Part(1)]

    class Part(InputPartition):
        pass

    class Src(DataSource):
        def schema(self) -> str:
            import helper

            return f"{helper.WORD} string"

        def reader(self, schema: Any) -> DataSourceReader:
            return Reader()

    sessions = [new_session(), new_session()]
    for number, session in enumerate(sessions):
        (tmp_path / "helper.py").write_text(f"WORD = 'of{number}'")
        session.addArtifacts(str(tmp_path / "helper.py"), pyfile=True)
        session.dataSource.register(Src)
    loaded = [session.read.format("src").load() for session in [*sessions, *sessions]]
    assert [frame.collect()[0].asDict() for frame in loaded] == [{"of0": "of0"}, {"of1": "of1"}] * 2


@pytest.mark.parametrize("suffix", [".zip", ".egg", ".jar"])
def test_packages_in_an_archive(session: SparkSession, tmp_path: Path, suffix: str) -> None:
    members = {
        "pack/__init__.py": "from pack.inner import deep\nfrom .inner import deep as same",
        "pack/inner.py": "from . import words\ndeep = words.WORD",
        "pack/words.py": "WORD = 'deep'",
        "spaces/of/names.py": "import pack.words\nimport spaces\nWORD = pack.words.WORD",
        "data.txt": "no module",
        "not-a-name.py": "raise RuntimeError",
    }
    session.addArtifacts(str(archive(tmp_path / f"libs{suffix}", members)), pyfile=True)

    def reader(self: Any, schema: Any) -> Any:
        from pyspark.sql.datasource import DataSourceReader

        class Reader(DataSourceReader):
            def read(self, partition: Any) -> Iterator[tuple[str]]:
                import pack  # type: ignore[import-not-found]
                import pack.inner as inner  # type: ignore[import-not-found]
                import spaces.of.names  # type: ignore[import-not-found]

                yield (" ".join([pack.same, inner.deep, spaces.of.names.WORD, pack.__file__]),)

        return Reader()

    members_of_class = {"name": classmethod(lambda cls: "src"), "schema": lambda self: "word string", "reader": reader}
    session.dataSource.register(type("Src", (DataSource,), members_of_class))
    assert word(session) == f"deep deep deep pyfiles/libs{suffix}/pack/__init__.py"


def test_a_module_of_the_server_is_not_shadowed_for_others(
    new_session: Callable[[], SparkSession], client_module: Any, tmp_path: Path
) -> None:
    mine, other = new_session(), new_session()
    module = client_module("mine_only", "import json\n" + READS.replace("WORD", "json.dumps([1])"))
    (tmp_path / "json.py").write_text("def dumps(value): return 'shadowed'")
    (tmp_path / "numpy.py").write_text("raise RuntimeError")
    for name in ("mine_only", "json", "numpy"):
        mine.addArtifacts(str(tmp_path / f"{name}.py"), pyfile=True)
    (tmp_path / "json.py").unlink()
    (tmp_path / "numpy.py").unlink()
    mine.dataSource.register(module.Src)
    other.addArtifacts(str(tmp_path / "mine_only.py"), pyfile=True)
    other.dataSource.register(module.Src)
    assert (word(mine), word(other)) == ("shadowed", "[1]")


def test_an_error_shows_the_line_of_the_module(session: SparkSession, client_module: Any, tmp_path: Path) -> None:
    module = client_module("srcmod", READS.replace("WORD", "1 / 0 * 3"))
    session.addArtifacts(str(tmp_path / "srcmod.py"), pyfile=True)
    session.dataSource.register(module.Src)
    with pytest.raises(PySparkException) as caught:
        word(session)
    assert 'File "pyfiles/srcmod.py"' in str(caught.value)
    assert "1 / 0 * 3" in str(caught.value)


def test_a_file_is_not_replaced(session: SparkSession, client_module: Any, tmp_path: Path) -> None:
    module = client_module("srcmod", READS.replace("WORD", "'first'"))
    path = tmp_path / "srcmod.py"
    session.addArtifacts(str(path), pyfile=True)
    session.addArtifacts(str(path), pyfile=True)
    session.dataSource.register(module.Src)
    path.write_text(path.read_text().replace("first", "other"))
    with pytest.raises(PySparkException) as caught:
        session.addArtifacts(str(path), pyfile=True)
    assert caught.value.getCondition() == "ARTIFACT_ALREADY_EXISTS"
    assert caught.value.getSqlState() == "42713"
    assert caught.value.getMessageParameters() == {"normalizedRemoteRelativePath": "pyfiles/srcmod.py"}
    assert word(session) == "first"


def test_a_file_that_comes_later_is_found(session: SparkSession, client_module: Any, tmp_path: Path) -> None:
    module = client_module("srcmod", READS.replace("WORD", "__import__('later').WORD"))
    session.addArtifacts(str(tmp_path / "srcmod.py"), pyfile=True)
    session.dataSource.register(module.Src)
    with pytest.raises(PySparkException, match="No module named 'later'"):
        word(session)
    client_module("later", "WORD = 'late'")
    session.addArtifacts(str(tmp_path / "later.py"), pyfile=True)
    assert word(session) == "late"


def test_a_large_file_comes_in_chunks(session: SparkSession, client_module: Any, tmp_path: Path) -> None:
    module = client_module("srcmod", READS.replace("WORD", "'large'") + "\n#" + "x" * 100_000)
    session.addArtifacts(str(tmp_path / "srcmod.py"), pyfile=True)
    session.dataSource.register(module.Src)
    assert word(session) == "large"


def test_an_archive_that_is_none(session: SparkSession, client_module: Any, tmp_path: Path) -> None:
    module = client_module("srcmod", READS.replace("WORD", "'word'"))
    (tmp_path / "broken.zip").write_bytes(b"PK, but no archive")
    session.addArtifacts(str(tmp_path / "srcmod.py"), pyfile=True)
    session.addArtifacts(str(tmp_path / "broken.zip"), pyfile=True)
    session.dataSource.register(module.Src)
    with pytest.raises(AnalysisException, match=r"'broken\.zip' cannot be read as an archive"):
        word(session)


def test_an_archive_that_unpacks_to_too_much(session: SparkSession, client_module: Any, tmp_path: Path) -> None:
    from sheetbend.datasource_api import modules

    module = client_module("srcmod", READS.replace("WORD", "'word'"))
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bomb, bomb.open("a.py", "w") as entry:
        for _ in range((modules._UNPACKED_BYTES >> 20) + 1):
            entry.write(b"#" * (1 << 20))
    session.addArtifacts(str(path), str(tmp_path / "srcmod.py"), pyfile=True)
    session.dataSource.register(module.Src)
    with pytest.raises(AnalysisException, match="take more than 1073741824 bytes"):
        word(session)


def test_modules_are_forgotten_with_their_source(client_module: Any, tmp_path: Path) -> None:
    import gc

    from pyspark import cloudpickle

    from sheetbend.datasource_api.registered import RegisteredPlugin

    module = client_module("srcmod", READS.replace("WORD", "'word'"))
    pickled = cloudpickle.dumps(module.Src)
    finders = len(sys.meta_path)
    version = ".".join(map(str, sys.version_info[:2]))
    plugin = RegisteredPlugin("src", pickled, version, {"srcmod.py": (tmp_path / "srcmod.py").read_bytes()})
    loaded = [name for name in sys.modules if name.startswith("pyfiles_") and name.endswith(".srcmod")]
    assert len(loaded) == 1
    again = cloudpickle.loads(cloudpickle.dumps(plugin))
    assert again.__wrapped__.__module__ == loaded[0]
    del plugin, again
    gc.collect()
    assert loaded[0] not in sys.modules
    assert len(sys.meta_path) == finders


def test_modules_go_with_their_session(
    spark: SparkSession, server: ServerProcess, client_module: Any, tmp_path: Path
) -> None:
    class Loaded(DataSource):
        def schema(self) -> str:
            return "modules int, finders int"

        def reader(self, schema: Any) -> DataSourceReader:
            class Reader(DataSourceReader):
                def read(self, partition: InputPartition) -> Iterator[tuple[int, int]]:
                    import gc

                    gc.collect()
                    yield len([name for name in sys.modules if name.startswith("pyfiles_")]), len(sys.meta_path)

            return Reader()

    def loaded() -> Any:
        return spark.read.format("loaded").load().first()

    spark.dataSource.register(Loaded)
    before = loaded()
    module = client_module("srcmod", READS.replace("WORD", "'word'"))
    for _ in range(5):
        session = SparkSession.builder.remote(server.url).create()
        session.addArtifacts(str(tmp_path / "srcmod.py"), pyfile=True)
        session.dataSource.register(module.Src)
        assert word(session) == "word"
        session.stop()
    wait_until(lambda: loaded() == before, 10, "the modules of the sessions are forgotten")


def test_rows_of_a_frame_still_come_as_artifacts(session: SparkSession) -> None:
    rows = [Row(number=number, text="x" * 50) for number in range(40_000)]
    assert session.createDataFrame(rows).count() == 40_000
