"""Encoding in a thread of its own, so that finding shots does not wait for it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import numpy as np

from indexer.encoders.protocol import AnyEncoder, Vectors

BATCHES_IN_WAITING = 3
"""So many at most, and whoever brings more waits: memory stays flat."""


class Encoding:
    """Takes batches of shots; gives their vectors, in order, when all have been brought."""

    def __init__(self, load: Callable[[], AnyEncoder | None], thread: ThreadPoolExecutor) -> None:
        self._load, self._thread = load, thread
        self._waiting: deque[Future[Vectors]] = deque()
        self._done: list[Vectors] = []

    def __call__(self, batch: Sequence[Any]) -> None:
        """Take a batch; waits where too many wait already."""
        self._waiting.append(self._thread.submit(self._encode, batch))
        while len(self._waiting) > BATCHES_IN_WAITING:
            self._done.append(self._waiting.popleft().result())

    def _encode(self, batch: Sequence[Any]) -> Vectors:
        encoder = self._load()
        return encoder.encode(batch) if encoder else np.zeros((len(batch), 0), np.float32)

    def vectors(self) -> Vectors:
        """Return (num_shots, dim) vectors, as soon as all are made; empty without an encoder."""
        done = [*self._done, *(waiting.result() for waiting in self._waiting)]
        return np.concatenate(done) if done else np.zeros((0, 0), np.float32)


@contextmanager
def encoding(load: Callable[[], AnyEncoder | None]) -> Iterator[Encoding]:
    """Encode until the block ends, with the encoder that `load` gives; None: without."""
    with ThreadPoolExecutor(1, thread_name_prefix="encoding") as thread:
        yield Encoding(load, thread)
