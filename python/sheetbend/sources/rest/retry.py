"""When a request that failed is made again."""

from __future__ import annotations

import random
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sheetbend.sources.rest.settings import RetryPolicy

__all__ = ["is_transient", "wait_before_retry"]

_TRANSIENT = frozenset({408, 425, 429})


def is_transient(status: int) -> bool:
    """Whether the same request may be answered otherwise later: too early, too often, or the server's own fault."""
    return status in _TRANSIENT or status >= 500


def wait_before_retry(policy: RetryPolicy, attempt: int, retry_after: str | None) -> float:
    """Seconds to wait after try number ``attempt``, the first being 0.

    What the server asks for with ``Retry-After`` counts, up to the policy's longest delay. Else the delay doubles with
    each try, less up to half of it by chance, so that readers that failed together do not come back together.
    """
    asked = _asked(retry_after)
    if asked is not None:
        return min(asked, policy.longest_delay)
    delay = min(policy.delay * 2.0 ** min(attempt, 30), policy.longest_delay)
    return delay * random.uniform(0.5, 1.0)  # noqa: S311 - no secret


def _asked(retry_after: str | None) -> float | None:
    """Seconds from now, not negative; the header is a number of seconds or a date. None where it is neither."""
    if not retry_after:
        return None
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return max((moment - datetime.now(timezone.utc)).total_seconds(), 0.0)
