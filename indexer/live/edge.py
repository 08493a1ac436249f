"""Where a growing recording ends just now, and whether more will come."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import Literal

from indexer.media.playlist import hls_segments
from qdrant.errors import InputError

POLL_S = 0.1
"""How often a reader at the edge looks for more."""
TARGETS_STILL = 3
"""A playlist that has not grown for so many of its longest segments has ended (RFC 8216, 6.3.4)."""

Cause = Literal["settled", "gone", "stopped"]


class Edge:
    """The judgement that all readers of one recording share: it goes on, or why it has ended.

    Once it has ended it does not go on again, for none of them.
    """

    def __init__(self, path: Path, *, settled_s: float, stop: threading.Event) -> None:
        self.path = path
        self.cause: Cause | None = None
        self.why_gone = ""  # a sentence
        self._settled_s = settled_s
        self._stop = stop
        self._seen: object = None
        self._still_since = time.monotonic()
        self._turn = threading.Lock()

    def wait(self) -> bool:
        """Wait a moment; whether to look for more."""
        self._stop.wait(POLL_S)
        return self.goes_on()

    def goes_on(self) -> bool:
        """Look at the recording now; whether more may come."""
        with self._turn:
            if self.cause is None and self._stop.is_set():
                self.cause = "stopped"
            if self.cause is None:
                self._judge()
            return self.cause is None

    def end(self) -> None:
        """Let no reader wait any more: nobody wants more of it."""
        with self._turn:
            self.cause = self.cause or "settled"

    def _judge(self) -> None:
        try:
            seen = self._look()
        except InputError as error:
            self.cause, self.why_gone = "gone", str(error)
            return
        now = time.monotonic()
        if seen != self._seen:
            self._seen, self._still_since = seen, now
        elif now - self._still_since >= self._settled_s:
            self.cause = "settled"

    def _look(self) -> object:
        """Return what changes when the recording grows. Raises `InputError` where it has gone."""
        raise NotImplementedError


class FileEdge(Edge):
    """The edge of a plain file. One that vanishes, shrinks or is replaced is gone."""

    def __init__(self, path: Path, *, settled_s: float, stop: threading.Event) -> None:
        super().__init__(path, settled_s=settled_s, stop=stop)
        self._file: tuple[int, int] | None = None
        self.size = 0
        self.mtime_ns = 0
        self.goes_on()

    def is_beyond(self, position: int) -> bool:
        """Wait until there is something at `position`; False where there will not be."""
        while self.size <= position:
            if not self.goes_on():
                return self.size > position
            if self.size <= position:
                self._stop.wait(POLL_S)
        return self.cause != "stopped"

    def _look(self) -> object:
        name = self.path.name
        try:
            stat = self.path.stat()
        except OSError as error:
            why = error.strerror or error
            raise InputError(f"{name} vanished while it was recorded ({why}).") from error
        file = (stat.st_dev, stat.st_ino)
        if self._file not in (None, file):
            raise InputError(f"{name} was replaced by another file while it was recorded.")
        if stat.st_size < self.size:
            raise InputError(f"{name} was cut short while it was recorded.")
        self._file, self.size, self.mtime_ns = file, stat.st_size, stat.st_mtime_ns
        return stat.st_size, stat.st_mtime_ns


class PlaylistEdge(Edge):
    """The edge of an HLS playlist: what it names, not what its file says otherwise."""

    def __init__(self, path: Path, *, settled_s: float, stop: threading.Event) -> None:
        target_s = hls_segments(path).target_duration_s
        settled_s = max(settled_s, TARGETS_STILL * target_s)
        super().__init__(path, settled_s=settled_s, stop=stop)

    def _look(self) -> object:
        if not os.path.lexists(self.path):
            raise InputError(f"{self.path.name} vanished while it was recorded.")
        try:
            playlist = hls_segments(self.path)
        except InputError:
            return self._seen  # it is being rewritten; whoever reads its segments bears with it
        return playlist.first_number + len(playlist.segments)
