"""The objects of a location, each pinned to what it was when it was listed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sheetbend.errors import OptionError, TableNotFoundError
from sheetbend.sources.s3.failure import explain, failures
from sheetbend.sources.s3.store import open_store

if TYPE_CHECKING:
    from obstore import ObjectMeta
    from obstore.store import S3Store

    from sheetbend.sources.s3.location import Location
    from sheetbend.sources.s3.settings import S3Settings

__all__ = ["PinnedObject", "first_object", "format_of", "list_objects"]

_CHUNK = 1000
_COMPRESSIONS = {".gz": "gzip", ".gzip": "gzip", ".zst": "zstd", ".bz2": "bz2"}
_SUFFIXES = {".parquet": "parquet", ".parq": "parquet", ".csv": "csv", ".tsv": "csv"}
_SUFFIXES |= {".json": "json", ".jsonl": "json", ".ndjson": "json"}


@dataclass(frozen=True, slots=True)
class PinnedObject:
    """One object as it was listed: ``size`` in bytes, and ``etag`` unless the store gives none."""

    bucket: str
    key: str
    size: int
    etag: str | None

    @property
    def url(self) -> str:
        """How messages call it."""
        return f"s3://{self.bucket}/{self.key}"

    @property
    def compression(self) -> str | None:
        """The compression, as pyarrow calls it, that the key's last suffix stands for."""
        return _COMPRESSIONS.get(_suffix(self.key))

    def to_json(self) -> dict[str, Any]:
        """What a partition spec holds of it."""
        return {"bucket": self.bucket, "key": self.key, "size": self.size, "etag": self.etag}


def list_objects(settings: S3Settings) -> list[PinnedObject]:
    """The objects that hold data, by bucket and key; empty where there are only empty or hidden ones.

    As in Spark an object is hidden whose name, or that of a folder between it and the location, starts with ``.``, or
    with ``_`` and has no ``=``. An object of no bytes is passed over: it marks a folder.

    Raises:
        TableNotFoundError: The bucket does not exist, or a location holds nothing at all.
        AuthenticationError, SourceConnectionError: See :mod:`sheetbend.sources.s3.failure`.
    """
    found: dict[tuple[str, str], PinnedObject] = {}
    for location in settings.locations:
        entries = 0
        for item in _entries(settings, location):
            below = location.below(item.key)
            if below is None:
                continue
            entries += 1
            if item.size and not _hidden(below):
                found[(item.bucket, item.key)] = item
        if not entries:
            raise TableNotFoundError(
                f"There are no objects in bucket '{location.bucket}' under '{location.path}': "
                "it is neither an object nor a folder there."
            )
    return [found[place] for place in sorted(found)]


def first_object(settings: S3Settings, objects: list[PinnedObject]) -> PinnedObject:
    """The object that schemas are taken from; raises :class:`TableNotFoundError` where all are empty or hidden."""
    if objects:
        return objects[0]
    places = ", ".join(str(location) for location in settings.locations)
    raise TableNotFoundError(f"All objects under {places} are empty or hidden: give the schema to read no rows.")


def format_of(settings: S3Settings, objects: list[PinnedObject]) -> str:
    """``parquet``, ``csv`` or ``json``: the option, else what all keys end in; Spark's default where none says.

    Raises:
        OptionError: Keys end differently.
    """
    if settings.format is not None:
        return settings.format
    seen: dict[str, PinnedObject] = {}
    for item in objects:
        stem = item.key[: -len(_suffix(item.key))] if item.compression else item.key
        name = _SUFFIXES.get(_suffix(stem))
        if name is not None:
            seen.setdefault(name, item)
    if len(seen) > 1:
        names = " and ".join(f"{name} ({item.url})" for name, item in seen.items())
        raise OptionError(f"Objects are of several formats, {names}: set option 'format' or read them apart.")
    return next(iter(seen), "parquet")


def _entries(settings: S3Settings, location: Location) -> Iterator[PinnedObject]:
    store = open_store(settings, location.bucket)
    try:
        found = False
        for chunk in store.list(location.folder or None, chunk_size=_CHUNK):
            for meta in chunk:
                found = True
                yield _pinned(location.bucket, meta)
        if not found and location.path and not location.is_pattern:
            # A listing of "a" is one of the folder "a/": an object of that very name is asked for by itself.
            yield from _single(store, location)
    except failures() as error:
        raise explain(error, bucket=location.bucket, endpoint=settings.endpoint) from None


def _single(store: S3Store, location: Location) -> Iterator[PinnedObject]:
    try:
        meta = store.head(location.path)
    except FileNotFoundError:
        return
    yield _pinned(location.bucket, meta)


def _pinned(bucket: str, meta: ObjectMeta) -> PinnedObject:
    return PinnedObject(bucket, meta["path"], meta["size"], meta["e_tag"])


def _hidden(below: str) -> bool:
    return any(
        segment.startswith(".") or (segment.startswith("_") and "=" not in segment) for segment in below.split("/")
    )


def _suffix(key: str) -> str:
    name = key.rpartition("/")[2]
    return "." + name.rpartition(".")[2].lower() if "." in name else ""
