"""A film in which every frame is like no other, and trailers cut from it by hand."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray
from shelf import SHOT_FRAMES, add_title

from indexer.aligning.align import Alignment, ShotMatch
from indexer.aligning.titles import Origin
from indexer.clip import Clip, ClipShot
from indexer.library import Library

RATE = 24
WIDTH, HEIGHT = 320, 180
NUM_SHOTS = 5
STEP_PX = 5
SHEET_PX = 160, 90

Image = NDArray[np.uint8]


def film_frames(*, seed: int = 0) -> list[Image]:
    """Return five shots of two seconds: a texture of each shot's own, its halves drifting apart.

    Were it one pan, an earlier frame would be a crop further to the left.
    """
    generator = np.random.default_rng(seed)
    frames = []
    for _ in range(NUM_SHOTS):
        noise = generator.standard_normal((HEIGHT + 20, WIDTH + STEP_PX * SHOT_FRAMES))
        smooth = cv2.GaussianBlur(noise, (0, 0), 6)
        texture = cv2.normalize(smooth, None, 20, 235, cv2.NORM_MINMAX).astype(np.uint8)
        for i in range(SHOT_FRAMES):
            right, left = i * STEP_PX, (SHOT_FRAMES - i) * STEP_PX
            upper = texture[10 : 10 + HEIGHT // 2, right : right + WIDTH]
            lower = texture[10 + HEIGHT // 2 : 10 + HEIGHT, left : left + WIDTH]
            frames.append(np.vstack([upper, lower]))
    return frames


def write_video(path: Path, frames: Iterable[Image]) -> Path:
    """Write grey frames as a film without sound."""
    with av.open(str(path), "w") as container:
        options = {"crf": "20", "preset": "ultrafast"}
        stream = container.add_stream("libx264", rate=RATE, options=options)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for image in frames:
            shown = np.repeat(image[:, :, None], 3, axis=2)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(shown, format="rgb24")))
        container.mux(stream.encode())
    return path


def add_film(library: Library, path: Path, frames: list[Image], **changes: object) -> Origin:
    """Put a film into a library with its sheets, and return it as what vectors say nothing of."""
    manifest = add_title(library, write_video(path, frames), **changes)  # type: ignore[arg-type]
    for shot in range(manifest.num_shots):
        sheet = library.sheet(manifest.title_id, shot)
        sheet.parent.mkdir(exist_ok=True)
        kept = frames[shot * SHOT_FRAMES + 3 : (shot + 1) * SHOT_FRAMES : 6]
        row = np.hstack([cv2.resize(one, SHEET_PX, interpolation=cv2.INTER_AREA) for one in kept])
        cv2.imwrite(str(sheet), row)
    return Origin(manifest, Alignment((), (), 0.0, 0.0, 1.0))


def clip_of(*cuts: int) -> Clip:
    """Return a clip with these cuts, in frames, the first 0 and the last its end."""
    shots = tuple(ClipShot(start / RATE, end / RATE, {}) for start, end in pairwise(cuts))
    return Clip(Path("trailer.mp4"), shots, {}, np.zeros((len(shots), 1), np.float32))


def unmatched(origin: Origin, clip: Clip) -> Origin:
    """Return an origin in which vectors find none of a clip's shots."""
    none = tuple(ShotMatch(None, 1.0, 0.0) for _ in clip.shots)
    return Origin(origin.manifest, Alignment(none, (), 0.0, 0.0, 1.0))


def graded(image: Image) -> Image:
    """Return a frame darker, harder and cropped to four fifths of its width and height."""
    part = image[10 : 10 + HEIGHT * 4 // 5, 40 : 40 + WIDTH * 4 // 5]
    large = cv2.resize(part, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    return np.asarray(np.clip((large / 255.0) ** 1.3 * 200, 0, 255), np.uint8)


def titled(image: Image, words: str = "COMING SOON") -> Image:
    """Return a frame with words over it."""
    made = image.copy()
    cv2.putText(made, words, (20, 150), cv2.FONT_HERSHEY_DUPLEX, 1.2, 255, 3)
    return made


def card(words: str = "IN CINEMAS") -> Image:
    """Return an end card."""
    return titled(np.full((HEIGHT, WIDTH), 12, np.uint8), words)
