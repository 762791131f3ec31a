"""Where objects are: a bucket and a path in it, which is an object, a folder or a pattern."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property

from sheetbend.errors import OptionError

__all__ = ["Location", "parse_url"]

_SCHEMES = ("s3://", "s3a://", "s3n://")
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,254}")
_WILDCARD = re.compile(r"[*?{\[]")
_BRACES = re.compile(r"\{([^{}/]*)\}")
_MOST_PATTERNS = 256


@dataclass(frozen=True)
class Location:
    """A bucket and a path in it, without a slash at either end; the empty path is the whole bucket.

    A path names one object or a folder with all below it, as in Spark. ``*``, ``?`` and ``[ab]`` stand for characters
    within one segment and ``{a,b}`` for either; a pattern that matches a folder stands for all below it.

    Raises:
        OptionError: The bucket's name is not one, a segment of the path is empty, ``.`` or ``..``, or its braces
            stand for more than 256 paths.
    """

    bucket: str
    path: str = ""

    def __post_init__(self) -> None:
        if not _BUCKET.fullmatch(self.bucket):
            raise OptionError(f"'{self.bucket}' is no bucket name: expected letters, digits, '.', '-' and '_'.")
        object.__setattr__(self, "path", self.path.strip("/"))
        if any(segment in ("", ".", "..") for segment in self.path.split("/") if self.path):
            raise OptionError(f"Path '{self.path}' has an empty segment, or one that is '.' or '..'.")
        _ = self._patterns

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.path}"

    @property
    def folder(self) -> str:
        """What to list: the path up to its first segment that is a pattern."""
        segments = self.path.split("/")
        fixed = next((i for i, segment in enumerate(segments) if _WILDCARD.search(segment)), len(segments))
        return "/".join(segments[:fixed])

    @property
    def is_pattern(self) -> bool:
        """Whether the path has wildcards."""
        return self.folder != self.path

    def below(self, key: str) -> str | None:
        """What of ``key`` lies below this location: empty for the object itself, None for an object elsewhere."""
        if not self.path:
            return key
        segments = key.split("/")
        for pattern in self._patterns:
            if len(segments) >= len(pattern) and all(map(_matches, segments, pattern)):
                return "/".join(segments[len(pattern) :])
        return None

    @cached_property
    def _patterns(self) -> list[list[str]]:
        """The segments of each path that the braces stand for."""
        paths = [self.path]
        while any(_BRACES.search(path) for path in paths):
            paths = [expanded for path in paths for expanded in _expand(path)]
            if len(paths) > _MOST_PATTERNS:
                raise OptionError(f"The braces of path '{self.path}' stand for more than {_MOST_PATTERNS} paths.")
        return [path.split("/") for path in paths]


def parse_url(url: str) -> Location:
    """The location that ``s3://bucket/path`` names; ``s3a`` and ``s3n`` are the same to it."""
    for scheme in _SCHEMES:
        if url.lower().startswith(scheme):
            bucket, _, path = url[len(scheme) :].partition("/")
            return Location(bucket, path)
    raise OptionError(f"Path '{url}' is not of the form s3://bucket/path.")


def _expand(path: str) -> list[str]:
    found = _BRACES.search(path)
    if found is None:
        return [path]
    return [path[: found.start()] + word + path[found.end() :] for word in found[1].split(",")]


def _matches(segment: str, pattern: str) -> bool:
    return fnmatchcase(segment, pattern) if _WILDCARD.search(pattern) else segment == pattern
