"""Calls to a Qdrant server: made again while it is busy, and failing in one sentence."""

from __future__ import annotations

import contextlib
import json
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import httpx
from qdrant_client.common.client_exceptions import QdrantException, ResourceExhaustedResponse
from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse

from qdrant.errors import StoreUnavailable

logger = logging.getLogger(__name__)

TIMEOUT_S = 30
BACKOFF_S = (0.25, 0.5, 1.0, 2.0)
"""Pauses before a request is made again that the server was too busy to take."""
MAX_RETRY_AFTER_S = 10.0
"""The longest pause a server may ask for; beyond that it counts as down."""
BUSY = (429, 503)

AnswerT = TypeVar("AnswerT")
Unreachable = Callable[[str], StoreUnavailable]
"""Makes the error of a place that cannot be reached out of what was seen there."""


class Calls:
    """How requests to one address are made. Threads may share it."""

    def __init__(
        self,
        url: str,
        *,
        collection: str,
        unreachable: Unreachable | None,
        backoff_s: Sequence[float],
        one_at_a_time: bool,
    ) -> None:
        self._url = url
        self._collection = collection
        self._unreachable = unreachable or self._server_unreachable
        self._backoff_s = backoff_s
        self._turn = threading.RLock() if one_at_a_time else contextlib.nullcontext()

    def answer(self, request: Callable[[], AnswerT]) -> AnswerT:
        """Return the answer to a request, asked again while the server is too busy for it.

        Every request may be made twice: what it writes, it writes under ids of its own.
        """
        for wait_s in self._backoff_s:
            with self._turn, self._told():
                try:
                    return request()
                except (ResourceExhaustedResponse, UnexpectedResponse) as busy:
                    wait_s = max(wait_s, _asked_wait_s(busy))
                    if wait_s > MAX_RETRY_AFTER_S:
                        raise
                    logger.debug("%s is busy (%s)", self._url, busy)
            time.sleep(wait_s)
        with self._turn, self._told():
            return request()

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Turn what the client raises into one sentence."""
        try:
            yield
        except ResponseHandlingException as error:
            raise self._unreachable(_reason(error.source)) from error
        except UnexpectedResponse as error:
            raise self._refusal(error) from error
        except QdrantException as error:
            raise StoreUnavailable(self._busy()) from error
        except json.JSONDecodeError as error:  # a proxy's page, perhaps
            raise self._unreachable(_reason(error)) from error

    def _refusal(self, error: UnexpectedResponse) -> StoreUnavailable:
        if error.status_code in BUSY:
            return StoreUnavailable(self._busy())
        if error.status_code in (401, 403):
            return self._unreachable(f"it refused the key ({error.status_code})")
        if error.status_code == 410:  # an owner on its way out
            return self._unreachable("it is closing")
        if error.status_code == 404:
            return StoreUnavailable(
                f"There is no collection {self._collection} at {self._url} yet; index a title "
                f"there first, or check QDRANT_URL."
            )
        detail = error.content.decode(errors="replace")[:200]
        return StoreUnavailable(
            f"Qdrant at {self._url} failed with {error.status_code} ({detail}); look at its log."
        )

    def _busy(self) -> str:
        return (
            f"Qdrant at {self._url} is too busy, and stayed so over up to "
            f"{len(self._backoff_s) + 1} attempts; try again later or give it more room."
        )

    def _server_unreachable(self, reason: str) -> StoreUnavailable:
        return StoreUnavailable(
            f"Qdrant at {self._url} cannot be used: {reason}; check that it runs, QDRANT_URL and "
            f"QDRANT_API_KEY."
        )


def _asked_wait_s(error: ResourceExhaustedResponse | UnexpectedResponse) -> float:
    """Return how long a busy server asks to wait; infinity if it isn't busy at all."""
    if isinstance(error, ResourceExhaustedResponse):
        return float(error.retry_after_s)
    return 0.0 if error.status_code in BUSY else float("inf")


def _reason(source: Exception) -> str:
    if isinstance(source, httpx.TimeoutException):
        return f"it did not answer within {TIMEOUT_S} s"
    if isinstance(source, httpx.TransportError):
        return f"no connection ({source})"
    return f"its answer could not be read ({type(source).__name__})"
