"""One pass over a film's pictures: its shots, with the stills and measures that stand for them."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from indexer.media.decode import PICTURES_AT_A_TIME, Decoding, Opener, observed
from indexer.media.planes import Still
from indexer.media.probe import Media
from indexer.shots.boundaries import Boundary, BoundaryDetector
from indexer.shots.footage import Footage, Take
from indexer.shots.look import SHORT_SIDE_PX, STILLS_A_SECOND, Looker
from indexer.shots.measures import Look, look_of
from indexer.shots.placing import Placing
from qdrant.errors import InputError

SECONDS_A_SAMPLE = 1.2
MAX_SAMPLES = 8


@dataclass(frozen=True)
class WatchedShot:
    """A shot as seen: half-open frames `[start_frame, end_frame)`."""

    number: int
    start_frame: int
    end_frame: int
    start_s: float
    end_s: float
    samples: NDArray[np.uint8]  # (num_samples, height, width, 3) RGB, at uniform intervals
    brightness: float  # mean luma, 0..1
    motion: float  # mean change from frame to frame, 0..1
    look: Look
    opening: Boundary | None  # how it begins; None: with the film


def watch(
    media: Media,
    *,
    detector: BoundaryDetector,
    report: Decoding,
    progress: Callable[[int], None] = lambda num_frames: None,
    captions: Callable[[float, bytes], None] = lambda time_s, data: None,
    short_side_px: int = SHORT_SIDE_PX,
    num_decoders: int | None = None,
    source: Opener | None = None,
    pictures_at_a_time: int = PICTURES_AT_A_TIME,
) -> Generator[WatchedShot]:
    """Decode a film once and return its shots, each as soon as its end is known.

    The shots cover the film from its first frame to its last, without gap or overlap. Closed
    captions go to `captions` as they come: seconds since the first frame, A53 data. Raises
    `InputError` for a film of which no frame can be decoded. Where the size of the pictures changes
    on the way, all are brought to the size the stream states. Who leaves early closes it, so that
    the decoders stop. The last three arguments are those of `observed`.
    """
    import cv2

    cv2.setNumThreads(1)  # each decoder has a thread of its own; OpenCV's would only fight them
    footage = Footage(frame_s=float(1 / media.rate))
    looker = partial(Looker, media, keep_images=detector.wants_images, short_side_px=short_side_px)
    placing = Placing(media)
    opening: Boundary | None = None
    number = 0
    stretches = observed(
        media,
        observer=looker,
        report=report,
        num_decoders=num_decoders,
        source=source,
        pictures_at_a_time=pictures_at_a_time,
        whole_a_second=STILLS_A_SECOND if detector.bears_gaps else None,
    )
    with closing(stretches):
        for stretch in stretches:
            strip = footage.add(stretch)
            placing.add(stretch.strip)
            report.num_frames = footage.num_frames
            for index, data in stretch.captions:
                captions(float(strip.time_s[index]), data)
            for boundary in map(placing.placed, detector.see(strip)):
                yield _shot(number, footage.cut(opening=opening, closing=boundary), opening)
                number, opening = number + 1, boundary
            progress(footage.num_frames)
    if not footage.num_frames:
        raise InputError(
            f"No picture of {media.path} can be decoded"
            f"{f' ({report.ended_early})' if report.ended_early else ''}. Re-export it."
        )
    for last in [*map(placing.placed, detector.finish()), None]:
        yield _shot(number, footage.cut(opening=opening, closing=last), opening)
        number, opening = number + 1, last


def _shot(number: int, take: Take, opening: Boundary | None) -> WatchedShot:
    return WatchedShot(
        number=number,
        start_frame=take.start_frame,
        end_frame=take.end_frame,
        start_s=take.start_s,
        end_s=take.end_s,
        samples=np.stack([still.rgb() for still in _uniform(take)]),
        brightness=take.brightness,
        motion=take.motion,
        look=look_of(list(take.stills.values())),
        opening=opening,
    )


def _uniform(take: Take) -> list[Still]:
    """Return the stills nearest to uniform places in the shot, each once."""
    wanted = int(np.clip(round((take.end_s - take.start_s) / SECONDS_A_SAMPLE), 1, MAX_SAMPLES))
    length = take.end_frame - take.start_frame
    places = [take.start_frame + (i + 0.5) * length / wanted for i in range(wanted)]
    regular = len(take.regular) >= wanted
    frames = np.array(sorted(take.regular if regular else take.stills))
    chosen = sorted({int(np.abs(frames - place).argmin()) for place in places})
    return [take.stills[int(frames[i])] for i in chosen]
