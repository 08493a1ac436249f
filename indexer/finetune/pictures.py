"""The pictures of pairs, decoded once and kept on disk while training reads them again."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from indexer.finetune.pairs import Pair
from indexer.media.again import decoded_again
from indexer.media.planes import Size, Still
from indexer.media.probe import Media, probe
from indexer.progress import Progress
from indexer.shots.look import SHORT_SIDE_PX
from qdrant.errors import CannotRunNow, InputError, TrimbinError, UsageError

if TYPE_CHECKING:
    import av

Picture = NDArray[np.uint8]
ToPixels = Callable[[Picture], Picture]
"""From (height, width, 3) RGB to the (3, side, side) that a model looks at, both uint8."""

FULLEST = 0.9
"""The share of what is free on disk that pictures may take."""


@dataclass(frozen=True)
class Pictures:
    """The pairs whose pictures could be decoded, and those pictures."""

    pairs: tuple[Pair, ...]
    pixels: Picture  # (num_pairs, num_frames, 3, side, side), on disk
    left_out: tuple[str, ...]  # sentences: what could not be decoded, and why


@contextmanager
def decoded_pictures(
    pairs: Sequence[Pair],
    *,
    num_frames: int,
    to_pixels: ToPixels,
    progress: Progress,
) -> Iterator[Pictures]:
    """Decode every pair's pictures, at uniform intervals; they go when the block ends.

    A pair that cannot be decoded is left out and named. Raises `UsageError` where none is left,
    `CannotRunNow` where the disk is too full.
    """
    shape = to_pixels(np.zeros((8, 8, 3), np.uint8)).shape
    with TemporaryDirectory(prefix="trimbin-") as folder:
        path = Path(folder) / "pictures"
        _need_room(path, num_bytes=len(pairs) * num_frames * int(np.prod(shape)))
        pixels = np.memmap(path, np.uint8, "w+", shape=(len(pairs), num_frames, *shape))
        kept: list[Pair] = []
        left_out: list[str] = []
        for number, pair in enumerate(pairs):
            progress("Decoding", number, len(pairs))
            try:
                pictures = pictures_of(pair, num_frames=num_frames)
            except TrimbinError as error:
                left_out.append(str(error))
                continue
            for frame, picture in enumerate(pictures):
                pixels[len(kept), frame] = to_pixels(picture)
            kept.append(pair)
        progress("Decoding", len(pairs), len(pairs))
        if not kept:
            raise UsageError(f"None of the pairs can be used. {left_out[0] if left_out else ''}")
        yield Pictures(tuple(kept), pixels[: len(kept)], tuple(dict.fromkeys(left_out)))
        del pixels  # some systems keep a file that is still mapped


def pictures_of(pair: Pair, *, num_frames: int) -> list[Picture]:
    """Return a pair's pictures at uniform intervals, (height, width, 3) uint8 RGB each.

    Short stretches repeat pictures. Raises `InputError` for a clip or stretch that has none.
    """
    import av

    media = _probed(pair.clip)
    start_s, end_s = span_of(pair, media)
    places = (np.arange(num_frames) + 0.5) / num_frames
    wanted = [media.start_s + start_s + (end_s - start_s) * float(place) for place in places]
    half_frame_s = float(1 / media.rate) / 2
    pictures: list[Picture] = []
    last: av.VideoFrame | None = None
    try:
        decoded = decoded_again(
            media, from_s=media.start_s + start_s, to_s=media.start_s + end_s - half_frame_s
        )
        for frame, time_s in decoded:
            last = frame
            while len(pictures) < num_frames and time_s >= wanted[len(pictures)] - half_frame_s:
                pictures.append(_seen(frame, media))
            if len(pictures) == num_frames:
                return pictures
    except (OSError, av.error.FFmpegError) as error:
        raise InputError(f"{pair.clip} cannot be decoded ({error}); re-export it.") from error
    if last is None:
        raise InputError(
            f"{pair.clip} has no picture between {pair.start.text} and {pair.end.text}; correct "
            "the times."
        )
    return pictures + [_seen(last, media)] * (num_frames - len(pictures))


def span_of(pair: Pair, media: Media) -> tuple[float, float]:
    """Return a pair's seconds from the first picture, half-open. Raises `InputError`."""
    if media.picture is None:
        raise InputError(f"{pair.clip} has no picture; pairs need one.")
    try:
        start_s, end_s = (
            moment.seconds(rate=media.rate, start_timecode=media.start_timecode)
            for moment in (pair.start, pair.end)
        )
    except UsageError as error:
        raise InputError(f"{pair.clip}: {error}") from error
    if not 0 <= start_s < end_s:
        raise InputError(
            f"{pair.clip} has a pair from {pair.start.text} to {pair.end.text}, which is no "
            "stretch of it; correct the times."
        )
    return start_s, end_s


def _seen(frame: av.VideoFrame, media: Media) -> Picture:
    """Return a picture as the encoder gets it when titles are indexed."""
    picture = media.picture
    assert picture is not None
    scale = min(1.0, SHORT_SIDE_PX / min(frame.width * float(picture.pixel_aspect), frame.height))
    size = Size.near(frame.height * scale, frame.width * scale)
    return Still.of(frame, size=size, pixel_aspect=picture.pixel_aspect).rgb()


@lru_cache(maxsize=8)
def _probed(path: Path) -> Media:
    return probe(path)


def _need_room(path: Path, *, num_bytes: int) -> None:
    free = shutil.disk_usage(path.parent).free
    if num_bytes > FULLEST * free:
        raise CannotRunNow(
            f"The pictures of these pairs want {num_bytes / 2**30:.1f} GiB in {path.parent} and "
            f"{free / 2**30:.1f} are free; set TMPDIR to a larger disk, or take fewer pairs or "
            "`--frames`."
        )
