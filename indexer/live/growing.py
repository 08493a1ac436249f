"""A plain file that is still being written, read as a stream that waits for what is to come."""

from __future__ import annotations

import io

from indexer.live.edge import FileEdge


class Growing(io.RawIOBase):
    """A growing file for `av.open(file=...)`: reading at its end waits until there is more.

    It ends where its edge has ended. It cannot be sought in, so that no demuxer looks for the end
    first. What has been deleted can still be read to where it ended.
    """

    def __init__(self, edge: FileEdge) -> None:
        super().__init__()
        self.name = str(edge.path)
        self._edge = edge
        self._file = io.FileIO(edge.path, "rb")
        self._position = 0

    def readable(self) -> bool:
        """Whether bytes can be read: always."""
        return True

    def seekable(self) -> bool:
        """Whether it can be sought in: never."""
        return False

    def tell(self) -> int:
        """Return how many bytes come before the next one to be read."""
        return self._position

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]
        """Fill `buffer` with what is there; 0 at the end of a file that grows no more."""
        if not self._edge.is_beyond(self._position):
            return 0
        there = self._edge.size - self._position
        count = self._file.readinto(memoryview(buffer)[:there]) or 0
        self._position += count
        return count

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()
