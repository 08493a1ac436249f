"""How fast an encoder works, told now and then at -v."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from functools import wraps
from time import perf_counter
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from indexer.encoders.protocol import Vectors

logger = logging.getLogger(__name__)

SelfT = TypeVar("SelfT")
TELL_EVERY_S = 10.0
"""Of encoding, not of the clock."""


class Pace:
    """How many items an encoder has taken, and how long that took."""

    def __init__(self) -> None:
        self.items = 0
        self.seconds = 0.0
        self._told_at_s = 0.0
        self._turn = threading.Lock()

    @property
    def items_per_s(self) -> float:
        """Items a second; 0.0 before the first."""
        return self.items / self.seconds if self.seconds else 0.0

    def count(self, items: int, seconds: float) -> bool:
        """Count a batch; return whether it is time to tell."""
        with self._turn:
            self.items += items
            self.seconds += seconds
            due = self.seconds - self._told_at_s >= TELL_EVERY_S
            if due:
                self._told_at_s = self.seconds
            return due


_PACES: WeakKeyDictionary[Any, Pace] = WeakKeyDictionary()
_BEGINNING = threading.Lock()


def pace_of(encoder: object) -> Pace:
    """Return how fast an encoder has been since it was loaded."""
    with _BEGINNING:
        return _PACES.setdefault(encoder, Pace())


def paced(
    encode: Callable[[SelfT, Sequence[Any]], Vectors],
) -> Callable[[SelfT, Sequence[Any]], Vectors]:
    """Count the items that an encoder's `encode` takes, and log its rate now and then."""

    @wraps(encode)
    def counted(self: SelfT, items: Sequence[Any]) -> Vectors:
        pace = pace_of(self)
        started = perf_counter()
        vectors = encode(self, items)
        if pace.count(len(items), perf_counter() - started):
            name = getattr(self, "name", type(self).__name__)
            logger.info("%s: %d items, %.1f a second", name, pace.items, pace.items_per_s)
        return vectors

    return counted
