"""The options of ``format("rest")``, and what they say once they are read."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

from sheetbend.errors import OptionError
from sheetbend.options import Options, OptionSpec
from sheetbend.references import resolve
from sheetbend.sources.rest.secret import Redactor
from sheetbend.sources.rest.selector import Selector

__all__ = ["OPTIONS", "Paging", "RestSettings", "RetryPolicy"]

OPTIONS = (
    OptionSpec("endpoint", "The http or https URL of the first page, without a query."),
    OptionSpec("path", "What load() is given: another name of 'endpoint'."),
    OptionSpec(
        "params", "Query parameters: a JSON object, or a=1&b=2. Values may be env:NAME or file:PATH.", secret=True
    ),
    OptionSpec("headers", "Request headers: a JSON object. Values may be env:NAME or file:PATH.", secret=True),
    OptionSpec("token", "A bearer token.", secret=True),
    OptionSpec("method", "The HTTP method.", default="GET", choices=("GET",)),
    OptionSpec("recordSelector", "Where the records are, as in $.data.items[*]; by default the whole document."),
    OptionSpec("pagination", "How pages follow one another.", default="none", choices=("none", "page", "next")),
    OptionSpec("pageParam", "page: the parameter that numbers pages.", default="page"),
    OptionSpec("startPage", "page: the number of the first page.", "integer", "1"),
    OptionSpec("pageSizeParam", "page: the parameter that has 'pageSize'.", default="per_page"),
    OptionSpec("pageSize", "page: records to ask for per page; nothing is sent where it is missing.", "integer"),
    OptionSpec("totalPages", "page: how many pages there are; else reading ends at the first empty page.", "integer"),
    OptionSpec("totalPagesSelector", "page: where on the first page the number of pages is, as in $.meta.pages."),
    OptionSpec("nextSelector", "next: where the URL of the next page is; by default the Link header with rel=next."),
    OptionSpec("maxPages", "Pages to read at most.", "integer"),
    OptionSpec("numPartitions", "page: partitions to make where the number of pages is known.", "integer", "1"),
    OptionSpec("sampleRecords", "Records to look at for the schema.", "integer", "1000"),
    OptionSpec("timeout", "Seconds to wait for each step of a request.", "number", "30"),
    OptionSpec("deadline", "Seconds that one page may take, all retries included.", "number", "300"),
    OptionSpec("maxRetries", "How often a request is repeated that failed for the moment.", "integer", "4"),
    OptionSpec("retryDelay", "Seconds before the first retry; doubled for each further one.", "number", "0.5"),
    OptionSpec("maxRetryDelay", "Seconds between two tries at most, whatever Retry-After says.", "number", "60"),
    OptionSpec("maxResponseBytes", "Bytes that a page may have, decompressed.", "integer", "134217728"),
)

_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e]*")
# Where a message ends and how long it is are for the client to say.
_OWN_HEADERS = {"host", "content-length", "transfer-encoding", "connection", "accept-encoding"}


@dataclass(frozen=True)
class Paging:
    """How pages follow one another. ``kind`` is ``none``, ``page`` or ``next``."""

    kind: str
    page_param: str
    start: int
    size: tuple[str, str] | None
    total: int | None
    total_selector: Selector | None
    next_selector: Selector | None
    most: int | None

    @classmethod
    def of(cls, options: Options) -> Paging:
        """Raises :class:`OptionError` for an option that is wrong or belongs to another kind of pagination."""
        kind = options.get("pagination", "none").lower()
        if kind not in ("none", "page", "next"):
            raise OptionError(f"Option 'pagination' must be one of none, page, next, got '{kind}'.")
        for name, owner in (("totalPages", "page"), ("totalPagesSelector", "page"), ("nextSelector", "next")):
            if name in options and kind != owner:
                raise OptionError(f"Option '{name}' is for pagination '{owner}', but that is '{kind}'.")
        size = options.integer("pageSize", minimum=1)
        return cls(
            kind=kind,
            page_param=options.get("pageParam", "page"),
            start=options.integer("startPage", minimum=0) if "startPage" in options else 1,  # type: ignore[arg-type]
            size=None if size is None else (options.get("pageSizeParam", "per_page"), str(size)),
            total=options.integer("totalPages", minimum=0),
            total_selector=_selector(options, "totalPagesSelector"),
            next_selector=_selector(options, "nextSelector"),
            most=options.integer("maxPages", minimum=1),
        )


@dataclass(frozen=True)
class RetryPolicy:
    """How long to go on with one page; times are in seconds."""

    timeout: float
    deadline: float
    retries: int
    delay: float
    longest_delay: float

    @classmethod
    def of(cls, options: Options) -> RetryPolicy:
        """Raises :class:`OptionError` for what is no number, or negative."""
        return cls(
            timeout=_seconds(options, "timeout", 30, minimum=0.001),
            deadline=_seconds(options, "deadline", 300, minimum=0.001),
            retries=_count(options, "maxRetries", 4, minimum=0),
            delay=_seconds(options, "retryDelay", 0.5),
            longest_delay=_seconds(options, "maxRetryDelay", 60),
        )


@dataclass(frozen=True)
class RestSettings:
    """Options that have been read and checked, references to secrets resolved. Its ``repr`` shows none."""

    endpoint: str
    params: tuple[tuple[str, str], ...] = field(repr=False)
    headers: dict[str, str] = field(repr=False)
    redact: Redactor
    records: Selector
    paging: Paging
    retry: RetryPolicy
    partitions: int
    sample: int
    max_bytes: int

    @classmethod
    def of(cls, options: Options) -> RestSettings:
        """Raises :class:`OptionError` for what is missing or wrong; no message shows the value of a secret option."""
        if options.get("method", "GET").upper() != "GET":
            raise OptionError("Option 'method' must be GET.")
        params, headers = _params(options), _headers(options)
        return cls(
            endpoint=_endpoint(options),
            params=params,
            headers=headers,
            redact=Redactor([value for _, value in params] + list(headers.values())),
            records=_selector(options, "recordSelector") or Selector.parse("$", option="recordSelector"),
            paging=Paging.of(options),
            retry=RetryPolicy.of(options),
            partitions=_count(options, "numPartitions", 1, minimum=1),
            sample=_count(options, "sampleRecords", 1000, minimum=1),
            max_bytes=_count(options, "maxResponseBytes", 128 * 1024 * 1024, minimum=1),
        )


def _endpoint(options: Options) -> str:
    url = options.get("endpoint") or options.get("path") or ""
    if not url:
        raise OptionError("Source 'rest' requires the option 'endpoint': the http or https URL of the first page.")
    if options.get("endpoint") and options.get("path"):
        raise OptionError("Give either the option 'endpoint' or a path, not both.")
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    # None of these messages shows the URL: what is wrong with it may be a password in it.
    if not usable or any(character.isspace() for character in url):
        raise OptionError("Option 'endpoint' must be a URL that starts with https:// or http://.")
    if "@" in parts.netloc:
        raise OptionError("Option 'endpoint' takes no user or password: use the option 'headers' or 'token'.")
    if parts.query or parts.fragment:
        # The endpoint is shown in plans and messages, and a query often holds a key.
        raise OptionError("Option 'endpoint' takes no query or fragment: use the option 'params'.")
    return url


def _params(options: Options) -> tuple[tuple[str, str], ...]:
    text = resolve(options.get("params", ""), option="params").strip()
    if not text.startswith("{"):
        try:
            pairs = parse_qsl(text, keep_blank_values=True, strict_parsing=True) if text else []
        except ValueError:
            raise OptionError("Option 'params' must be a JSON object or of the form a=1&b=2.") from None
    else:
        pairs = []
        for name, value in _json_object(text, "params").items():
            for item in value if isinstance(value, list) else [value]:
                if isinstance(item, (dict, list)) or item is None:
                    raise OptionError(f"Parameter '{name}' of option 'params' must be a text, number or truth value.")
                pairs.append((name, item if isinstance(item, str) else json.dumps(item)))
    return tuple((name, resolve(value, option="params")) for name, value in pairs)


def _headers(options: Options) -> dict[str, str]:
    text = resolve(options.get("headers", ""), option="headers").strip()
    headers: dict[str, str] = {}
    for name, value in (_json_object(text, "headers") if text else {}).items():
        if not isinstance(value, str):
            raise OptionError(f"Header '{name}' of option 'headers' must be a text.")
        headers[name] = resolve(value, option="headers")
    if options.get("token"):
        if any(name.lower() == "authorization" for name in headers):
            raise OptionError("Give either the option 'token' or the header 'Authorization', not both.")
        headers["Authorization"] = f"Bearer {resolve(options['token'], option='token')}"
    for name, value in headers.items():
        if not _HEADER_NAME.fullmatch(name) or name.lower() in _OWN_HEADERS:
            raise OptionError(f"Option 'headers' cannot set a header '{name[:40]}'.")
        if not _HEADER_VALUE.fullmatch(value):
            raise OptionError(f"Header '{name}' must be of printable ASCII characters.")
    return headers


def _json_object(text: str, option: str) -> dict[str, object]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise OptionError(f"Option '{option}' must be a JSON object.")
    return value


def _selector(options: Options, name: str) -> Selector | None:
    return Selector.parse(options[name], option=name) if name in options else None


def _count(options: Options, name: str, default: int, *, minimum: int) -> int:
    value = options.integer(name, default, minimum=minimum)
    return default if value is None else value


def _seconds(options: Options, name: str, default: float, *, minimum: float = 0.0) -> float:
    value = options.number(name, default, minimum=minimum)
    if value is None or value > 86_400:
        raise OptionError(f"Option '{name}' must be at most 86400 seconds, got {value}.")
    return value
