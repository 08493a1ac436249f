"""Things handed from one thread to another, in order, with a limit to how many may wait."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from typing import Generic, TypeVar

ItemT = TypeVar("ItemT")


class Dropped(Exception):
    """Nobody wants any more of this: whoever makes it may stop."""


class Relay(Generic[ItemT]):
    """A queue between a maker and a taker, each a thread of its own.

    The maker waits while `limit` items wait to be taken. It ends by `finish`, or by `fail`, and the
    taker then gets what is left, and the error. The taker may go away with `drop`: the maker's next
    `put` raises `Dropped`.
    """

    def __init__(self, *, limit: int | None = None) -> None:
        self._limit = limit
        self._items: deque[ItemT] = deque()
        self._changed = threading.Condition()
        self._finished = self._dropped = False
        self._error: BaseException | None = None

    def put(self, item: ItemT) -> None:
        """Hand an item over; waits for room. Raises `Dropped`."""
        with self._changed:
            self._changed.wait_for(self._has_room)
            if self._dropped:
                raise Dropped
            self._items.append(item)
            self._changed.notify_all()

    def finish(self) -> None:
        """Say that there is no more to come."""
        with self._changed:
            self._finished = True
            self._changed.notify_all()

    def fail(self, error: BaseException) -> None:
        """Say that no more will come, and why; the taker has it raised."""
        with self._changed:
            self._error = error
            self._finished = True
            self._changed.notify_all()

    def drop(self) -> None:
        """Take no more; what waits is forgotten."""
        with self._changed:
            self._dropped = self._finished = True
            self._items.clear()
            self._changed.notify_all()

    def __iter__(self) -> Iterator[ItemT]:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._items or self._finished)
                if not self._items:
                    if self._error is not None:
                        raise self._error
                    return
                item = self._items.popleft()
                self._changed.notify_all()
            yield item

    def _has_room(self) -> bool:
        return self._dropped or self._limit is None or len(self._items) < self._limit
