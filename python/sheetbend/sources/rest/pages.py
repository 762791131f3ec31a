"""Pages of records, one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

from sheetbend.errors import SheetbendError, TableNotFoundError
from sheetbend.sources.rest.selector import NothingSelectedError
from sheetbend.sources.rest.url import follow, shown

if TYPE_CHECKING:
    from sheetbend.sources.rest.client import Document, RestClient
    from sheetbend.sources.rest.settings import RestSettings

__all__ = ["Page", "PageRange", "read_pages", "total_pages"]


@dataclass(frozen=True)
class PageRange:
    """Which pages to read: ``pages`` of them from number ``first`` on, with None as many as there are.

    Where it is not ``known`` that all of them are there, reading ends at the first empty or missing one. This is for
    pagination ``page``; the others find their own way.
    """

    first: int
    pages: int | None
    known: bool


@dataclass(frozen=True)
class Page:
    """Records of one page; ``name`` is how messages call it."""

    name: str
    records: list[dict[str, Any]]


def read_pages(client: RestClient, settings: RestSettings, pages: PageRange) -> Iterator[Page]:
    """The pages of a range in their order, each read when it is asked for.

    Raises:
        SheetbendError: A page has no records where the selector says, or the next page is one that was read before.
    """
    if settings.paging.kind == "page":
        return _numbered(client, settings, pages)
    if settings.paging.kind == "next":
        return _linked(client, settings)
    return iter([_page(client.get(settings.endpoint, settings.params), settings, "the answer")])


def total_pages(client: RestClient, settings: RestSettings) -> int | None:
    """How many pages there are, by option or by what the first page says; None where neither does.

    Raises:
        SheetbendError: What ``totalPagesSelector`` finds is no number of pages.
    """
    paging = settings.paging
    if paging.total is not None or paging.total_selector is None:
        return paging.total
    document = client.get(settings.endpoint, _numbered_params(settings, paging.start))
    try:
        found = paging.total_selector.select(document.value)
    except NothingSelectedError as error:
        raise _error(settings, f"{shown(document.url)}: {error}.") from None
    if len(found) != 1 or isinstance(found[0], bool) or not isinstance(found[0], int) or found[0] < 0:
        raise SheetbendError(f"Option 'totalPagesSelector' finds no number of pages on {shown(document.url)}.")
    return found[0]


def _numbered(client: RestClient, settings: RestSettings, pages: PageRange) -> Iterator[Page]:
    before: bytes | None = None
    numbers = count(pages.first) if pages.pages is None else range(pages.first, pages.first + pages.pages)
    for number in numbers:
        try:
            document = client.get(settings.endpoint, _numbered_params(settings, number))
        except TableNotFoundError:
            # Many servers have no page after the last one, rather than an empty one.
            if not pages.known and number > pages.first:
                return
            raise
        page = _page(document, settings, f"page {number}")
        if not pages.known and not page.records:
            return
        if not pages.known and document.digest == before:
            raise SheetbendError(
                f"Pages {number - 1} and {number} of {shown(settings.endpoint)} are the same: does it know the "
                f"parameter '{settings.paging.page_param}'? Set option 'pageParam', or 'totalPages' if they are to be."
            )
        before = document.digest
        yield page


def _linked(client: RestClient, settings: RestSettings) -> Iterator[Page]:
    params, url, seen = settings.params, settings.endpoint, set[str]()
    for number in range(1, settings.paging.most + 1) if settings.paging.most else count(1):
        document = client.get(url, params)
        seen.add(document.url)
        yield _page(document, settings, f"page {number}")
        link = _next_link(document, settings)
        if link is None:
            return
        url, params = follow(document.url, link, endpoint=settings.endpoint), ()
        if url in seen:
            raise SheetbendError(f"Page {number} of {shown(settings.endpoint)} has a next link to a page before it.")


def _next_link(document: Document, settings: RestSettings) -> str | None:
    """The link as written; None on the last page, which has null, an empty text or nothing in its place."""
    selector = settings.paging.next_selector
    if selector is None:
        return document.next_link
    try:
        found = [value for value in selector.select(document.value) if value not in (None, "", False)]
    except NothingSelectedError:
        return None
    if not found:
        return None
    if len(found) > 1 or not isinstance(found[0], str):
        raise SheetbendError(f"Option 'nextSelector' finds no URL on {shown(document.url)}.")
    return found[0]


def _numbered_params(settings: RestSettings, number: int) -> tuple[tuple[str, str], ...]:
    paging = settings.paging
    own = [(paging.page_param, str(number))] + ([paging.size] if paging.size else [])
    names = {name for name, _ in own}
    return tuple(pair for pair in settings.params if pair[0] not in names) + tuple(own)


def _page(document: Document, settings: RestSettings, name: str) -> Page:
    name = f"{name} of {shown(document.url)}"
    try:
        found = settings.records.select(document.value)
    except NothingSelectedError as error:
        raise _error(settings, f"There are no records on {name}: {error}. Set option 'recordSelector'.") from None
    # "$.items" means the same as "$.items[*]".
    records = found[0] if len(found) == 1 and isinstance(found[0], list) else found
    for position, record in enumerate(records, 1):
        if record is not None and not isinstance(record, dict):
            raise SheetbendError(
                f"Record {position} on {name} is a {'list' if isinstance(record, list) else type(record).__name__}, "
                "not an object: set option 'recordSelector' to where the records are."
            )
    return Page(name, [record for record in records if record is not None])


def _error(settings: RestSettings, message: str) -> SheetbendError:
    return SheetbendError(settings.redact(message))
