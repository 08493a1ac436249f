"""What lies in a folder that is watched, and what of it grows."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from indexer.identity import HEAD_BYTES
from indexer.live.source import PLAYLIST_SUFFIX, size_of
from indexer.media.playlist import HlsPlaylist, hls_segments
from indexer.media.probe import LIBRARY_MARK, media_files
from qdrant.errors import InputError

NUMBERS = re.compile(r"\d+")


@dataclass
class _Seen:
    """A file as it was at the last look."""

    size: int
    mtime_ns: int
    since: float  # when it was first seen so
    grew: bool = False
    told: bool = False  # as settled


@dataclass(frozen=True)
class Look:
    """What there is to do in a folder."""

    settled: tuple[Path, ...] = ()  # files not told of before, or changed since
    growing: tuple[Path, ...] = ()  # files and playlists that can be followed
    undecided: int = 0  # files too fresh to tell, or too small
    refused: tuple[str, ...] = ()  # sentences: playlists that cannot be read
    segments: frozenset[Path] = field(default_factory=frozenset)  # no recordings of their own


class WatchedFolder:
    """A folder, looked at again and again.

    A file is settled when it has not changed for `settled_s`. The segments of a playlist belong to
    that, and so do files beside it that are named like them: the next one is being written.
    """

    def __init__(self, folder: Path, *, settled_s: float) -> None:
        self.folder = folder
        self._settled_s = settled_s
        self._seen: dict[Path, _Seen] = {}
        self._complaints: set[str] = set()

    def look(self, *, followed: Collection[Path] = ()) -> Look:
        """Return what has settled and what grows since the last look, but for what is followed."""
        playlists, refused = self._playlists()
        files = [path for path in media_files([self.folder]) if path.is_file()]
        segments = frozenset(_segments(files, playlists))
        settled: list[Path] = []
        growing: list[Path] = []
        undecided = 0
        for path in [*files, *playlists]:
            if path in segments:
                continue
            seen = self._look_at(path)
            if seen is None or seen.told or path in followed:
                continue
            playlist = playlists.get(path)
            still = self._is_still(seen) or (playlist is not None and playlist.is_finished)
            size = size_of(playlist) if playlist else seen.size
            if still and playlist is None:
                seen.told = True
                settled.append(path)
            elif (still or playlist or seen.grew) and (still or size >= HEAD_BYTES):
                growing.append(path)
            else:
                undecided += 1
        return Look(tuple(settled), tuple(growing), undecided, refused, segments)

    def done_with(self, path: Path) -> None:
        """Take what has been followed to its end as told, until it changes."""
        if (seen := self._look_at(path)) is not None:
            seen.told = True

    def _look_at(self, path: Path) -> _Seen | None:
        try:
            stat = path.stat()
        except OSError:
            self._seen.pop(path, None)
            return None
        before = self._seen.get(path)
        now = time.monotonic()
        if before is None:
            age_s = min(max(0.0, time.time() - stat.st_mtime), self._settled_s)
            self._seen[path] = _Seen(stat.st_size, stat.st_mtime_ns, now - age_s)
        elif (before.size, before.mtime_ns) != (stat.st_size, stat.st_mtime_ns):
            grew = stat.st_size > before.size
            self._seen[path] = _Seen(stat.st_size, stat.st_mtime_ns, now, grew=grew)
        return self._seen[path]

    def _is_still(self, seen: _Seen) -> bool:
        return time.monotonic() - seen.since >= self._settled_s

    def _playlists(self) -> tuple[dict[Path, HlsPlaylist], tuple[str, ...]]:
        """Return the playlists of the folder, those that another one names left out."""
        found: dict[Path, HlsPlaylist] = {}
        refused = []
        paths = sorted(_files_named(self.folder, PLAYLIST_SUFFIX))
        named = {path.parent / name for path in paths for name in _playlists_in(path)}
        for path in paths:
            if path in named:
                continue
            try:
                found[path] = hls_segments(path)
            except InputError as error:
                if str(error) not in self._complaints:
                    self._complaints.add(str(error))
                    refused.append(str(error))
        return found, tuple(refused)


def _segments(files: Iterable[Path], playlists: dict[Path, HlsPlaylist]) -> Iterator[Path]:
    named: set[Path] = set()
    patterns: set[tuple[Path, str]] = set()
    for playlist in playlists.values():
        for path in filter(None, [*playlist.segments, playlist.init]):
            named.add(path)
            patterns.add((path.parent, NUMBERS.sub("#", path.name)))
    for path in files:
        whole = path.resolve()
        if whole in named or (whole.parent, NUMBERS.sub("#", path.name)) in patterns:
            yield path


def _playlists_in(path: Path) -> list[str]:
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    names = (line.strip() for line in lines if not line.startswith("#"))
    return [name for name in names if name.lower().endswith(PLAYLIST_SUFFIX)]


def _files_named(folder: Path, suffix: str) -> Iterator[Path]:
    """Yield files by suffix, hidden ones and libraries left out, as `media_files` does."""
    for root, folders, names in os.walk(folder):
        if LIBRARY_MARK in names:
            folders.clear()
            continue
        folders[:] = [name for name in folders if not name.startswith(".")]
        files = (Path(root, name) for name in names if not name.startswith("."))
        yield from (path for path in files if path.suffix.lower() == suffix)
