"""A growing recording as decoders open it, and what its beginning says of it."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING

from indexer.identity import HEAD_BYTES, live_title_id
from indexer.live.edge import Edge, FileEdge, PlaylistEdge
from indexer.live.growing import Growing
from indexer.media.joined import Joined
from indexer.media.opening import OPEN_OPTIONS
from indexer.media.playlist import HlsPlaylist, hls_segments
from indexer.media.probe import Media, probe
from qdrant.errors import InputError

if TYPE_CHECKING:
    import av
    import av.container

PLAYLIST_SUFFIX = ".m3u8"
PROBE_BYTES = 5_000_000
"""What libavformat reads before it says what a file holds, where there is as much."""
MIN_PROBE_BYTES = 32 * 1024
FIRST_LOOK_BYTES = 16 * 2**20
"""As much as a look at a whole file reads at most."""


@dataclass(frozen=True)
class Source:
    """A growing recording: its edge, and how to read it from its beginning."""

    path: Path
    edge: Edge
    stream: Callable[[], io.RawIOBase]  # one that waits at the edge
    size: Callable[[], int]  # bytes there now
    so_far: Callable[[], io.RawIOBase]  # what is there now

    @property
    def is_playlist(self) -> bool:
        """Whether it lies in the segments of an HLS playlist."""
        return isinstance(self.edge, PlaylistEdge)

    def is_whole(self) -> bool:
        """Whether all that was read is there to be read again, as a plain file."""
        edge = self.edge
        if not isinstance(edge, FileEdge) or edge.cause != "settled":
            return False
        try:
            return self.path.stat().st_size == edge.size
        except OSError:
            return False

    @contextmanager
    def opened(self) -> Iterator[av.container.InputContainer]:
        """Open it for decoding; reading waits at the edge. Raises `InputError`."""
        import av

        # Whoever opens it must not wait at the edge: what is there is known to be enough.
        probing = {"probesize": str(min(PROBE_BYTES, max(MIN_PROBE_BYTES, self.size() * 3 // 4)))}
        with self.stream() as stream:
            try:
                container = av.open(
                    stream, options={**OPEN_OPTIONS, **probing}, metadata_errors="replace"
                )
            except av.error.FFmpegError as error:
                why = error.strerror or type(error).__name__
                raise InputError(f"{self.path} cannot be followed ({why}).") from error
            with container:
                assert isinstance(container, av.container.InputContainer)
                yield container

    def title_id(self) -> str:
        """Return the id of the title that begins so."""
        with self.so_far() as stream:
            return live_title_id(self.path, head=_read(stream, HEAD_BYTES))

    def first_look(self, *, stream: str | None) -> Media:
        """Return what its beginning holds, as `probe` tells it; its length is not known: 0.0.

        Raises `InputError` for what cannot be read before it is finished.
        """
        with NamedTemporaryFile(prefix="trimbin-", suffix=self.path.suffix) as beginning:
            with self.so_far() as there:
                beginning.write(_read(there, FIRST_LOOK_BYTES))
            beginning.flush()
            media = probe(Path(beginning.name), stream=stream)
        return replace(media, path=self.path, duration_s=0.0)


def source_of(path: Path, *, settled_s: float, stop: threading.Event) -> Source:
    """Return a recording as it is followed. Raises `InputError` for one that cannot be read."""
    if path.suffix.lower() == PLAYLIST_SUFFIX:
        edge = PlaylistEdge(path, settled_s=settled_s, stop=stop)
        return Source(
            path=path,
            edge=edge,
            stream=lambda: Joined(path, wait=edge.wait),
            size=lambda: size_of(hls_segments(path)),
            so_far=lambda: Joined(path),
        )
    file_edge = FileEdge(path, settled_s=settled_s, stop=stop)
    return Source(
        path=path,
        edge=file_edge,
        stream=lambda: _waiting(file_edge),
        size=lambda: file_edge.size,
        so_far=lambda: io.FileIO(path, "rb"),
    )


def size_of(playlist: HlsPlaylist) -> int:
    """Return how many bytes a playlist's segments have together."""
    size = 0
    for path in filter(None, [*playlist.segments, playlist.init]):
        try:
            size += path.stat().st_size
        except OSError:
            continue
    return size


def _waiting(edge: FileEdge) -> Growing:
    try:
        return Growing(edge)
    except OSError as error:
        raise InputError(f"{edge.path} cannot be opened ({error.strerror or error}).") from error


def _read(stream: io.RawIOBase, num_bytes: int) -> bytes:
    """Read from the beginning, as much as there is."""
    blocks, there = [], 0
    while there < num_bytes and (block := stream.read(num_bytes - there)):
        blocks.append(block)
        there += len(block)
    return b"".join(blocks)
