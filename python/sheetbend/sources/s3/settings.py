"""The options of ``format("s3")``, and what they say once they are read."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from urllib.parse import urlsplit

from sheetbend.errors import OptionError
from sheetbend.options import Options, OptionSpec
from sheetbend.sources.s3.location import Location, parse_url

__all__ = ["OPTIONS", "CsvDialect", "S3Settings"]

_FORMATS = {"parquet": "parquet", "csv": "csv", "json": "json", "jsonl": "json", "ndjson": "json"}
"""The values of option ``format`` and what each stands for."""

_PARTITION_BYTES = 128 * 1024 * 1024

OPTIONS = (
    OptionSpec("path", "What load() is given: s3://bucket/path, or a path in the option 'bucket'."),
    OptionSpec("paths", "Several of them, as a JSON list of strings."),
    OptionSpec("bucket", "The bucket; required where no path of the form s3://bucket/path is given."),
    OptionSpec("prefix", "The object, folder or pattern in the bucket; all of it by default."),
    OptionSpec("endpoint", "URL of the service; by default AWS's, or what AWS_ENDPOINT_URL says."),
    OptionSpec("region", "The bucket's region; by default what AWS_REGION says, else us-east-1."),
    OptionSpec("format", "What the objects hold; by default as their names end.", choices=tuple(_FORMATS)),
    OptionSpec("virtualHostedStyle", "Whether the bucket is part of the host name.", "boolean", "false"),
    OptionSpec("anonymous", "Whether requests are sent unsigned, for public buckets.", "boolean", "false"),
    OptionSpec("allowHttp", "Whether an endpoint that starts with http:// is used.", "boolean", "true"),
    OptionSpec(
        "maxPartitionBytes", "Bytes of objects that a partition had best not exceed.", "integer", str(_PARTITION_BYTES)
    ),
    OptionSpec("numPartitions", "Partitions to make at least, as far as there are objects.", "integer", "1"),
    OptionSpec("mergeSchema", "Parquet: whether the schemas of all objects are merged.", "boolean", "false"),
    OptionSpec("header", "CSV: whether the first line of each object names the columns.", "boolean", "false"),
    OptionSpec("inferSchema", "CSV: whether types are guessed; else all are strings.", "boolean", "false"),
    OptionSpec("sep", "CSV: the character between two values.", default=","),
    OptionSpec("delimiter", "CSV: another name of 'sep'.", default=","),
    OptionSpec("quote", "CSV: the character around a value; empty for none. Doubled inside it stands for itself."),
    OptionSpec("escape", "CSV: a character that takes its meaning from the next one; none by default."),
    OptionSpec("nullValue", "CSV: a text that stands for null, beside the empty one.", default=""),
    OptionSpec("encoding", "CSV: the character set.", default="UTF-8"),
)


@dataclass(frozen=True)
class CsvDialect:
    """How CSV is written. ``quote`` and ``escape`` are one character or empty."""

    header: bool = False
    infer: bool = False
    sep: str = ","
    quote: str = '"'
    escape: str = ""
    null: str = ""
    encoding: str = "UTF-8"

    @classmethod
    def of(cls, options: Options) -> CsvDialect:
        """Raises :class:`OptionError` for a separator, quote or escape that is not one ASCII character."""
        escape = _character(options, "escape", "")
        quote = _character(options, "quote", '"')
        dialect = cls(
            header=options.boolean("header", default=False),
            infer=options.boolean("inferSchema", default=False),
            sep=_character(options, "sep", _character(options, "delimiter", ",")),
            quote=quote,
            # Spark users write escape='"' for what is the rule here anyway: a doubled quote is one quote.
            escape="" if escape == quote else escape,
            null=options.get("nullValue", ""),
            encoding=options.get("encoding", "UTF-8"),
        )
        if not dialect.sep:
            raise OptionError("Option 'sep' must be one character, got none.")
        try:
            "".encode(dialect.encoding)
        except LookupError:
            raise OptionError(f"Option 'encoding' names no character set: '{dialect.encoding}'.") from None
        return dialect


@dataclass(frozen=True)
class S3Settings:
    """Options that have been read and checked. It holds no credentials: these stay in the environment."""

    locations: tuple[Location, ...]
    endpoint: str | None
    region: str | None
    virtual_hosted: bool
    anonymous: bool
    format: str | None
    max_partition_bytes: int
    num_partitions: int
    merge_schema: bool
    csv: CsvDialect

    @classmethod
    def of(cls, options: Options) -> S3Settings:
        """Raises :class:`OptionError` for what is missing or wrong."""
        name = options.get("format")
        if name is not None and name.lower() not in _FORMATS:
            raise OptionError(f"Option 'format' must be one of {', '.join(_FORMATS)}, got '{name}'.")
        size = options.integer("maxPartitionBytes", _PARTITION_BYTES, minimum=1)
        count = options.integer("numPartitions", 1, minimum=1)
        return cls(
            locations=_locations(options),
            endpoint=_endpoint(options),
            region=options.get("region"),
            virtual_hosted=options.boolean("virtualHostedStyle", default=False),
            anonymous=options.boolean("anonymous", default=False),
            format=None if name is None else _FORMATS[name.lower()],
            max_partition_bytes=size or _PARTITION_BYTES,
            num_partitions=count or 1,
            merge_schema=options.boolean("mergeSchema", default=False),
            csv=CsvDialect.of(options),
        )


def _locations(options: Options) -> tuple[Location, ...]:
    bucket, prefix = options.get("bucket", ""), options.get("prefix", "")
    paths = _paths(options)
    if not paths:
        if not bucket:
            raise OptionError("Source 's3' requires the option 'bucket', or a path of the form s3://bucket/path.")
        return (Location(bucket, prefix),)
    if prefix:
        raise OptionError("Give either a path or the option 'prefix', not both.")
    if not bucket:
        return tuple(parse_url(path) for path in paths)
    if any("://" in path for path in paths):
        raise OptionError("Give either the option 'bucket' or a path of the form s3://bucket/path, not both.")
    return tuple(Location(bucket, path) for path in paths)


def _paths(options: Options) -> list[str]:
    paths = [options["path"]] if options.get("path") else []
    if not options.get("paths"):
        return paths
    try:
        more = json.loads(options["paths"])
    except (ValueError, RecursionError):
        more = None
    if not isinstance(more, list) or not all(isinstance(path, str) and path for path in more):
        raise OptionError("""Option 'paths' must be a JSON list of strings, such as ["s3://bucket/a"].""")
    return paths + [path for path in more if path not in paths]


def _endpoint(options: Options) -> str | None:
    names = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
    url = options.get("endpoint") or next((os.environ[name] for name in names if os.environ.get(name)), None)
    if url is None:
        return None
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    # None of these messages shows the URL: what is wrong with it may be a password in it.
    if host is None or parts.scheme not in ("http", "https"):
        raise OptionError("Option 'endpoint' must be a URL that starts with https:// or http://.")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise OptionError("Option 'endpoint' takes no user, query or fragment; credentials come from the environment.")
    if parts.scheme == "http" and not options.boolean("allowHttp", default=True):
        raise OptionError(f"Endpoint http://{parts.netloc} is not encrypted and option 'allowHttp' is false.")
    return url.rstrip("/")


def _character(options: Options, key: str, default: str) -> str:
    value = options.get(key, default)
    value = {"\\t": "\t"}.get(value, value)
    if len(value) > 1 or not value.isascii() or value in ("\n", "\r"):
        raise OptionError(f"Option '{key}' must be one ASCII character, got {value!r}.")
    return value
