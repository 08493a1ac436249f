"""Captioned reels cut from the photographs of scikit-image: what is seen, and how it moves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

RATE = 10
SHOT_FRAMES = 10
WIDTH, HEIGHT = 96, 72
SHOTS_A_REEL = 8
TRAVEL = 0.35
"""How far a shot moves over its photograph, as a share of the picture's width."""
BRIGHTNESS = (0.7, 1.25)

THINGS = {
    "astronaut": "an astronaut", "camera": "a man with a camera", "cat": "a cat",
    "coffee": "a cup of coffee", "coins": "old coins", "grass": "grass", "gravel": "gravel",
    "brick": "a brick wall", "hubble_deep_field": "stars", "moon": "the moon",
    "retina": "a retina", "rocket": "a rocket", "page": "a printed page", "clock": "a clock",
}  # fmt: skip
MOTIONS = {
    "panning left over": (-1.0, 0.0), "panning right over": (1.0, 0.0),
    "coming closer to": (0.0, 1.0), "drawing back from": (0.0, -1.0),
}  # fmt: skip

Image = NDArray[np.uint8]


def write_reels(folder: Path, *, num_reels: int, seed: int) -> Path:
    """Write reels and the table of their pairs; return the table."""
    random = np.random.default_rng(seed)
    captions = [(motion, thing) for thing in THINGS for motion in MOTIONS]
    photographs = {name: _photograph(name) for name in THINGS}
    lines = ["clip,start,end,caption"]
    for number in range(num_reels):
        chosen = [captions[n] for n in random.permutation(len(captions))[:SHOTS_A_REEL]]
        shots = [_shot(photographs[thing], MOTIONS[motion], random) for motion, thing in chosen]
        _write(folder / f"reel{number:03}.mp4", shots)
        for place, (motion, thing) in enumerate(chosen):
            start, end = (n * SHOT_FRAMES / RATE for n in (place, place + 1))
            lines.append(f"reel{number:03}.mp4,{start},{end},{motion} {THINGS[thing]}")
    table = folder / "pairs.csv"
    table.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return table


def _photograph(name: str) -> Image:
    from skimage import data

    image = np.asarray(getattr(data, name)())
    return np.stack([image] * 3, axis=-1) if image.ndim == 2 else image[..., :3]


def _shot(
    photograph: Image, motion: tuple[float, float], random: np.random.Generator
) -> list[Image]:
    """Return a shot's pictures: another part of the photograph, light and mirroring each time."""
    sideways, closer = motion
    height, width = photograph.shape[:2]
    image = photograph[:, ::-1] if random.random() < 0.5 else photograph
    widest = min(width, height * WIDTH / HEIGHT)
    seen = widest * random.uniform(0.45, 0.6)
    centre = np.array([random.uniform(0.45, 0.55) * width, random.uniform(0.45, 0.55) * height])
    light = random.uniform(*BRIGHTNESS)
    pictures = []
    for part in np.linspace(-0.5, 0.5, SHOT_FRAMES):
        across = seen * 2 ** (-closer * part * 2 * TRAVEL)
        middle = centre + np.array([sideways * part * TRAVEL * seen, 0])
        scale = WIDTH / across
        move = np.array([[scale, 0, WIDTH / 2 - scale * middle[0]],
                         [0, scale, HEIGHT / 2 - scale * middle[1]]])  # fmt: skip
        picture = cv2.warpAffine(
            image, move, (WIDTH, HEIGHT), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REFLECT
        )
        pictures.append(np.clip(picture * light, 0, 255).astype(np.uint8))
    return pictures


def _write(path: Path, shots: Sequence[Sequence[Image]]) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for frame in _frames(shots):
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def _frames(shots: Sequence[Sequence[Image]]) -> Iterator[av.VideoFrame]:
    for shot in shots:
        for picture in shot:
            yield av.VideoFrame.from_ndarray(picture, format="rgb24")
