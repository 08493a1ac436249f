"""What a browser cannot play, played all the same: a small H.264 stand-in around a moment.

A proxy is made when it is asked for, kept in the library's cache and thrown away again when the
cache is over its budget. It is for watching only: every export names the title's own file.
"""

from __future__ import annotations

import hashlib
import logging
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from indexer.library import Library
from indexer.manifest import Manifest
from indexer.media.probe import Media, probe
from qdrant.errors import CannotRunNow, InputError

logger = logging.getLogger(__name__)

BEFORE_S = 5.0
"""Seconds of the film that a proxy shows before the moment."""

AFTER_S = 5.0
"""Seconds of the film that a proxy shows after the moment."""

MAX_LENGTH_S = 300.0
"""A proxy is no longer than this; a longer moment is shown from its beginning."""

HEIGHT = 480
"""Lines of a proxy's picture; a smaller picture keeps its own."""

QUALITY_CRF = 24
"""x264's constant rate factor: clean enough to judge a performance, about 1 Mbit/s."""

KEYFRAME_EVERY = 24
"""Frames from keyframe to keyframe, so that stepping back is quick."""

BUDGET_BYTES = 2_000_000_000
"""How much of the disk all proxies of a library may take."""

BUILD_TIMEOUT_S = 180.0
"""A proxy that takes longer than this is given up."""

STALE_PART_S = 3600.0
"""A half-made file older than this was left behind by a crash."""

RECIPE = f"2/{HEIGHT}/{QUALITY_CRF}/{KEYFRAME_EVERY}"
"""Goes into a proxy's name: another recipe, another file."""

_turns = threading.BoundedSemaphore(2)
"""How many proxies are made at once: editors click faster than machines encode."""


@dataclass(frozen=True)
class Proxy:
    """A playable file that shows `[start_s, end_s)` of a title."""

    path: Path
    start_s: float
    end_s: float


def proxy_span(manifest: Manifest, start_s: float, end_s: float) -> tuple[float, float]:
    """Return the half-open span a proxy of this moment shows: the moment and a little around it.

    Raises `InputError` for a span that is not in the title.
    """
    length_s = manifest.duration_s or end_s + AFTER_S
    if not 0 <= start_s < end_s or start_s >= length_s:  # also false for what is not a number
        raise InputError(
            f"{manifest.title!r} has nothing between {start_s:.3f} and {end_s:.3f} seconds: it is "
            f"{manifest.duration_s:.3f} seconds long."
        )
    first_s = max(0.0, start_s - BEFORE_S)
    last_s = min(end_s + AFTER_S, length_s, first_s + MAX_LENGTH_S)
    return round(first_s, 3), round(last_s, 3)


def proxy_for(
    library: Library,
    manifest: Manifest,
    start_s: float,
    end_s: float,
    *,
    budget_bytes: int = BUDGET_BYTES,
) -> Proxy:
    """Return a proxy of the moment `[start_s, end_s)`, making it where it is not there yet.

    Raises `InputError` where the title's file has gone or cannot be turned into one, and
    `CannotRunNow` where this machine cannot make any.
    """
    first_s, last_s = proxy_span(manifest, start_s, end_s)
    folder = library.cache_folder / "proxies"
    path = folder / f"{_key(manifest, first_s, last_s)}.mp4"
    with _one_at_a_time(path):
        if not path.is_file():
            _make(manifest, first_s, last_s, path)
            _keep_within(budget_bytes, folder, newest=path)
        os.utime(path)  # used now: the last to be thrown away
    return Proxy(path=path, start_s=first_s, end_s=last_s)


def _key(manifest: Manifest, first_s: float, last_s: float) -> str:
    name = f"{manifest.content_hash}/{first_s:.3f}/{last_s:.3f}/{RECIPE}"
    return f"{manifest.title_id}-{hashlib.sha256(name.encode()).hexdigest()[:16]}"


@contextmanager
def _one_at_a_time(path: Path) -> Iterator[None]:
    """Hold one proxy's lock, among threads and processes: the second to ask finds it made."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path.with_suffix(".lock"), timeout=2 * BUILD_TIMEOUT_S)
        with lock:
            yield
    except Timeout as error:
        raise CannotRunNow(
            f"The preview {path.name} is still being made by another process. Try again later."
        ) from error
    except OSError as error:
        raise CannotRunNow(
            f"Previews cannot be kept in {path.parent} ({error.strerror or error}). Check its "
            "permissions and free space."
        ) from error


def _make(manifest: Manifest, first_s: float, last_s: float, path: Path) -> None:
    """Make a proxy: whole and in place, or not at all."""
    if not manifest.is_online:
        raise InputError(
            f"The file of {manifest.title!r} is not at {manifest.path} any more. Put it back, or "
            "index it where it is now."
        )
    part = path.with_name(f".{path.stem}.{os.getpid()}.{threading.get_ident()}.part")
    started = time.perf_counter()
    try:
        with _turns:
            _encode(manifest, first_s, last_s, part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    took_s = time.perf_counter() - started
    logger.info("made a preview of %.1f s in %.1f s", last_s - first_s, took_s)


def _encode(manifest: Manifest, first_s: float, last_s: float, part: Path) -> None:
    command = [_ffmpeg(), *_arguments(manifest, first_s, last_s), f"file:{part}"]
    try:
        done = subprocess.run(
            command, capture_output=True, timeout=BUILD_TIMEOUT_S, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired as error:
        raise InputError(
            f"A preview of {manifest.path} was given up after {BUILD_TIMEOUT_S:.0f} seconds. The "
            "moment can still be exported; ask for a shorter one to watch it here."
        ) from error
    if done.returncode != 0:
        lines = done.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"]
        raise InputError(
            f"No preview can be made of {manifest.path} at {first_s:.1f} s ({lines[-1]}). If it "
            "plays elsewhere, re-wrap or re-export it and index it again."
        )


def _arguments(manifest: Manifest, first_s: float, last_s: float) -> list[str]:
    """Return ffmpeg's arguments, up to the file it writes. No shell ever reads them."""
    media = _probed(manifest, first_s)
    height = f"trunc(min({HEIGHT}\\,ih)/2)*2"
    return [
        *("-hide_banner", "-nostdin", "-loglevel", "error", "-abort_on", "empty_output"),
        # A file may name no other place than the disk, nor pass for a playlist.
        *("-protocol_whitelist", "file", "-format_whitelist", manifest.container),
        *("-ss", f"{first_s:.3f}", "-i", f"file:{manifest.path}", "-t", f"{last_s - first_s:.3f}"),
        *_maps(media),
        *("-map_metadata", "-1", "-map_chapters", "-1", "-sn", "-dn"),
        *("-vf", f"bwdif=deint=interlaced,scale=w=-2:h={height},format=yuv420p"),
        *("-c:v", "libx264", "-preset", "veryfast", "-crf", f"{QUALITY_CRF}"),
        *("-profile:v", "high", "-g", f"{KEYFRAME_EVERY}"),
        *("-c:a", "aac", "-b:a", "128k", "-ac", "2", "-ar", "48000"),
        *("-movflags", "+faststart", "-f", "mp4", "-y"),
    ]


def _probed(manifest: Manifest, first_s: float) -> Media:
    try:
        return probe(Path(manifest.path), stream=manifest.choices.get("stream"))
    except InputError as error:
        raise InputError(
            f"No preview can be made of {manifest.path} at {first_s:.1f} s: {error}"
        ) from error


def _maps(media: Media) -> list[str]:
    """Return the arguments that choose the streams which were indexed, and never cover art."""
    tracks = (track for track in (media.picture, media.sound) if track)
    return [argument for track in tracks for argument in ("-map", f"0:{track.index}")]


def _ffmpeg() -> str:
    import imageio_ffmpeg

    try:
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError as error:
        raise CannotRunNow(
            "This title needs a preview that the browser can play, and no ffmpeg program is here. "
            "Install the imageio-ffmpeg wheel of this platform, or name one in IMAGEIO_FFMPEG_EXE."
        ) from error


def _keep_within(budget_bytes: int, folder: Path, *, newest: Path) -> None:
    """Throw away what was used longest ago until the rest fits; the newest always stays.

    Locks stay too. They are empty, and without the file that one process holds another would make
    a new one and come in beside it.
    """
    now = time.time()
    for part in folder.glob(".*.part"):
        if now - _modified(part) > STALE_PART_S:
            part.unlink(missing_ok=True)
    proxies = sorted(folder.glob("*.mp4"), key=_modified)
    total = sum(_size(path) for path in proxies)
    for path in proxies:
        if total <= budget_bytes:
            return
        if path != newest:
            total -= _size(path)
            path.unlink(missing_ok=True)


def _modified(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # another process was quicker
        return 0.0


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
