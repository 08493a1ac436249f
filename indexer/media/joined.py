"""The segments of an HLS playlist as one stream of bytes, also while they are being written."""

from __future__ import annotations

import io
import os
from bisect import bisect_right
from collections.abc import Callable
from pathlib import Path

from indexer.media.playlist import HlsPlaylist, hls_segments
from qdrant.errors import InputError

BAD_LOOKS = 5
"""A playlist that cannot be read is being rewritten; so many times in a row, and it is broken."""


class Joined(io.RawIOBase):
    """A playlist's header and segments end to end, for `av.open(file=...)`.

    Both MPEG-TS and fragmented MP4 are made to be joined so. Without `wait`, what the playlist
    names now is all, and can be sought in. With it an unfinished playlist is followed: at the end
    of what is there `wait` is called, which waits as it pleases and returns whether to look again;
    a reader meanwhile blocks. Segments that went before they were read are counted in `missed`.
    """

    def __init__(self, path: Path, *, wait: Callable[[], bool] | None = None) -> None:
        super().__init__()
        self.name = str(path)
        self.missed = 0
        self.playlist = hls_segments(path)
        self._path, self._wait, self._bad_looks = path, wait, 0
        self._files: list[Path] = []
        self._begins: list[int] = []  # where in the stream each file begins
        self._end = 0
        self._next_number = self.playlist.first_number
        self._open: tuple[int, io.FileIO] | None = None
        self._position = 0
        if self.playlist.init:
            self._append(self.playlist.init)
        self._take(self.playlist)

    def grow(self) -> int:
        """Read the playlist again; return how many segments were added.

        Raises `InputError` where it has come to name what it may not.
        """
        try:
            self.playlist = hls_segments(self._path)
            self._bad_looks = 0
        except InputError:
            self._bad_looks += 1
            if self._bad_looks >= BAD_LOOKS:
                raise
            return 0
        return self._take(self.playlist)

    def readable(self) -> bool:
        """Whether bytes can be read: always."""
        return True

    def seekable(self) -> bool:
        """Whether the whole stream is there: not while a playlist is followed."""
        return self._wait is None

    def tell(self) -> int:
        """Return how many bytes come before the next one to be read."""
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place in the stream."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._end}[whence]
        self._position = max(0, base + offset)
        return self._position

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]
        """Fill `buffer`; 0 at the end of a playlist that grows no more."""
        while self._position < self._end or self._has_grown():
            count = self._read_file(memoryview(buffer))
            if count:
                return count
        return 0

    def close(self) -> None:
        """Close the segment that is open."""
        if self._open:
            self._open[1].close()
            self._open = None
        super().close()

    def _has_grown(self) -> bool:
        """Wait until there is more to read; whether there is."""
        while self._wait and not self.playlist.is_finished:
            self.grow()
            if self._position < self._end:
                return True
            if self.playlist.is_finished or not self._wait():
                return False
        return False

    def _take(self, playlist: HlsPlaylist) -> int:
        """Append the segments that are new; return how many."""
        self.missed += max(0, playlist.first_number - self._next_number)
        known = max(0, self._next_number - playlist.first_number)
        added = playlist.segments[known:]
        for segment in added:
            self._append(segment)
        self._next_number = max(self._next_number, playlist.first_number + len(playlist.segments))
        return len(added)

    def _append(self, path: Path) -> None:
        try:
            size = path.stat().st_size
        except OSError:
            self.missed += 1
            return
        self._files.append(path)
        self._begins.append(self._end)
        self._end += size

    def _read_file(self, view: memoryview) -> int:
        """Read from the file at the present place; one that ends too soon is passed over."""
        number = bisect_right(self._begins, self._position) - 1
        ends = [*self._begins[number + 1 : number + 2], self._end][0]
        try:
            stream = self._opened(number)
            stream.seek(self._position - self._begins[number])
            count = stream.readinto(view[: ends - self._position]) or 0
        except OSError:
            count = 0
        if not count:
            self.missed += 1
        self._position = self._position + count if count else ends
        return count

    def _opened(self, number: int) -> io.FileIO:
        if self._open is None or self._open[0] != number:
            if self._open:
                self._open[1].close()
                self._open = None
            # Its links were followed when it was named: one put there since is not. Nor is a
            # pipe waited for.
            self._open = number, io.FileIO(self._files[number], "rb", opener=_plain)
        return self._open[1]


def _plain(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
