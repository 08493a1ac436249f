"""Trailers made of a film by a seed: cropped, graded, slowed, faded, written over, to other music.

Every frame is made here, one by one, so that what each shows is known to the frame.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from indexer.media.again import decoded_again
from indexer.media.probe import probe

RATE = 24
SIZE = (640, 360)
SAMPLE_RATE_HZ = 48_000
PIECES = 8
SPEEDS = (1.0, 1.0, 1.0, 0.5, 0.75, 1.25, 1.5, 2.0, 0.62, 1.7)
LENGTH_S = (1.0, 4.0)
FADE_FRAMES = 12
CROSSFADES = (0, 0, 0, 12, 20)
CARD_S = 2.5
CROPS = (1.0, 0.92, 0.85, 0.75)
BARS = (0.0, 0.0, 0.12)
"""How much of the height a bar takes, above and below."""
ELSEWHERE_S = ((60.0, 205.0), (245.0, 275.0), (292.0, 480.0))
"""Parts of Big Buck Bunny that its real trailer shows nothing of, and no credits."""

Image = NDArray[np.uint8]


@dataclass(frozen=True)
class Truth:
    """A piece of a trailer: half-open, in frames. A crossfade belongs to both of its pieces."""

    name: str
    clip_start: int
    clip_end: int
    film_start: float | None  # the film's frame that its first shows; None: from nowhere
    pace: float = 1.0
    crossfade: int = 0

    @property
    def film_end(self) -> float:
        """The film's frame after its last."""
        assert self.film_start is not None
        return self.film_start + (self.clip_end - self.clip_start) * self.pace

    def film_frame(self, clip_frame: float) -> float:
        """Return the film's frame that is shown at one of the trailer."""
        assert self.film_start is not None
        return self.film_start + (clip_frame - self.clip_start) * self.pace


@dataclass(frozen=True)
class Look:
    """What was done to the pictures of a trailer."""

    scale: float
    left: float
    top: float
    bars: float
    gamma: float
    gain: float
    tint: tuple[float, float, float]
    vignette: float

    def __str__(self) -> str:
        return (f"crop {self.scale:.2f}, bars {self.bars:.2f}, gamma {self.gamma:.2f}, gain "
                f"{self.gain:.2f}, vignette {self.vignette:.1f}")  # fmt: skip


def plan(film_frames: int, *, seed: int) -> tuple[list[Truth], Look]:
    """Return the pieces of a seed's trailer, an end card last, and what is done to its pictures."""
    generator = np.random.default_rng([seed, 7])
    pieces: list[Truth] = []
    at = 0
    for number in range(PIECES):
        speed = float(generator.choice(SPEEDS))
        length = round(float(generator.uniform(*LENGTH_S)) * RATE)
        start_s, end_s = ELSEWHERE_S[int(generator.integers(len(ELSEWHERE_S)))]
        last = end_s * RATE - length * speed
        first = int(generator.uniform(start_s * RATE, min(last, film_frames - length * speed)))
        crossfade = int(generator.choice(CROSSFADES)) if number else 0
        crossfade = min(crossfade, length // 3)
        at -= crossfade
        pieces.append(Truth(f"{number}", at, at + length, first, speed, crossfade))
        at += length
    pieces.append(Truth("end card", at, at + round(CARD_S * RATE), None))
    scale = float(generator.choice(CROPS))
    left, top = generator.uniform(0, 1 - scale, 2)
    look = Look(
        scale,
        float(left),
        float(top),
        float(generator.choice(BARS)),
        float(generator.uniform(0.7, 1.4)),
        float(generator.uniform(0.75, 1.1)),
        tuple(generator.uniform(0.7, 1.0, 3).tolist()),
        float(generator.choice([0.0, 0.4])),
    )
    return pieces, look


def make(pieces: Sequence[Truth], look: Look, path: Path, *, film: Path, seed: int) -> Path:
    """Write the trailer."""
    generator = np.random.default_rng([seed, 11])
    shown = [_shown(piece, look, film, generator) for piece in pieces]
    with av.open(str(path), "w") as container:
        options = {"crf": "26", "preset": "veryfast", "threads": "1"}
        video = container.add_stream("libx264", rate=RATE, options=options)
        video.width, video.height, video.pix_fmt = *SIZE, "yuv420p"
        sound = container.add_stream("aac", rate=SAMPLE_RATE_HZ, layout="mono")
        for image in _joined(pieces, shown):
            container.mux(video.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(video.encode())
        for block in _music(pieces[-1].clip_end / RATE, generator):
            container.mux(sound.encode(block))
        container.mux(sound.encode())
    return path


def _joined(pieces: Sequence[Truth], shown: Sequence[list[Image]]) -> Iterator[Image]:
    for number, (piece, images) in enumerate(zip(pieces, shown, strict=True)):
        following = pieces[number + 1] if number + 1 < len(pieces) else None
        own_end = following.clip_start if following else piece.clip_end
        for place, image in enumerate(images):
            frame = piece.clip_start + place
            if frame >= own_end:
                break
            if place < piece.crossfade:
                before = pieces[number - 1]
                share = (place + 1) / (piece.crossfade + 1)
                other = shown[number - 1][frame - before.clip_start]
                image = np.asarray(cv2.addWeighted(image, share, other, 1 - share, 0), np.uint8)
            yield image


def _shown(piece: Truth, look: Look, film: Path, generator: np.random.Generator) -> list[Image]:
    length = piece.clip_end - piece.clip_start
    if piece.film_start is None:
        return [_card(frame / length) for frame in range(length)]
    wanted = [int(piece.film_start + frame * piece.pace + 1e-6) for frame in range(length)]
    media = probe(film)
    between = decoded_again(media, from_s=wanted[0] / RATE, to_s=wanted[-1] / RATE)
    frames = {round(time_s * RATE): _graded(frame, look) for frame, time_s in between}
    images = [frames[number].copy() for number in wanted]
    words = ["", "", "THIS SUMMER", "FROM THE MAKERS OF", "OUT NOW"][int(generator.integers(5))]
    fades = generator.random(2) < 0.25
    for place, image in enumerate(images):
        if words:
            at = (60, 210 if len(words) < 8 else 300)
            cv2.putText(image, words, at, cv2.FONT_HERSHEY_DUPLEX, 1.6, (250, 250, 245), 4)
        if fades[0] and not piece.crossfade and place < FADE_FRAMES:
            images[place] = np.asarray(image * (place / FADE_FRAMES), np.uint8)
        if fades[1] and length - place <= FADE_FRAMES:
            images[place] = np.asarray(image * ((length - place) / FADE_FRAMES), np.uint8)
    return images


def _graded(frame: Any, look: Look) -> Image:
    image = frame.to_ndarray(format="rgb24")
    height, width = image.shape[:2]
    top, left = round(look.top * height), round(look.left * width)
    image = image[top : top + round(look.scale * height), left : left + round(look.scale * width)]
    bar = round(look.bars * SIZE[1])
    inner = SIZE[1] - 2 * bar
    if bar:  # bars are laid over: they hide, they do not squeeze
        hidden = round(image.shape[0] * look.bars)
        image = image[hidden : image.shape[0] - hidden]
    image = cv2.resize(image, (SIZE[0], inner), interpolation=cv2.INTER_AREA)
    light = (image.astype(np.float32) / 255) ** look.gamma * look.gain
    light = light * np.array(look.tint, np.float32)
    if look.vignette:
        down, across = np.mgrid[-1 : 1 : inner * 1j, -1 : 1 : SIZE[0] * 1j]
        light *= (1 - look.vignette * (down**2 + across**2) / 2)[:, :, None].astype(np.float32)
    made = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    made[bar : bar + inner] = np.clip(light * 255, 0, 255).astype(np.uint8)
    return made


def _card(share: float) -> Image:
    image = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    image[:] = np.linspace(20, 70, SIZE[1])[:, None, None]
    bright = int(255 * min(1.0, share * 4))
    cv2.putText(image, "IN CINEMAS", (110, 200), cv2.FONT_HERSHEY_DUPLEX, 2.2, (bright,) * 3, 5)
    return image


def _music(seconds: float, generator: np.random.Generator) -> Iterator[av.AudioFrame]:
    """A chord that changes every second: nothing of the film's own sound is left."""
    time_s = np.arange(SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    for second in range(int(seconds) + 1):
        notes = 110 * 2 ** (generator.integers(0, 24, 3) / 12)
        chord = sum(np.sin(2 * np.pi * note * time_s) for note in notes) / 6
        block = av.AudioFrame.from_ndarray(
            np.asarray(chord, np.float32)[None], format="fltp", layout="mono"
        )
        block.sample_rate, block.pts = SAMPLE_RATE_HZ, second * SAMPLE_RATE_HZ
        yield block
