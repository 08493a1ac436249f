"""Moving textures with cuts, dissolves, fades and flashes, made of numbers alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

NUM_REELS = 8
REEL_FRAMES = 60
HEIGHT, WIDTH = 27, 48
GRAINS = (2, 4, 8, 16)
"""Patches across, coarse to fine."""


def moving_textures() -> Iterator[NDArray[np.uint8]]:
    """Return small reels, each (60, 27, 48, 3) RGB, the same ones every time."""
    for seed in range(NUM_REELS):
        generator = np.random.default_rng(seed)
        frames: list[NDArray[np.float64]] = []
        scene = _scene(generator)
        while len(frames) < REEL_FRAMES:
            frames += [next(scene) for _ in range(int(generator.integers(6, 24)))]
            after = _scene(generator)
            length = int(generator.choice([0, 0, 6, 16]))
            for step in range(length):
                share = (step + 1) / (length + 1)
                frames.append((1 - share) * next(scene) + share * next(after))
            if generator.random() < 0.3:
                frames.append(np.full((HEIGHT, WIDTH, 3), generator.choice([0.0, 255.0])))
            scene = after
        yield np.clip(np.stack(frames[:REEL_FRAMES]), 0, 255).astype(np.uint8)


def _scene(generator: np.random.Generator) -> Iterator[Any]:
    """Return the frames of a shot without end: clouds of colour that drift."""
    import cv2

    image = np.tile(generator.integers(0, 256, 3).astype(np.float64), (2 * HEIGHT, 2 * WIDTH, 1))
    for grain in GRAINS:
        noise = generator.normal(0, generator.uniform(10, 60), (grain, 2 * grain, 3))
        image += cv2.resize(noise, (2 * WIDTH, 2 * HEIGHT), interpolation=cv2.INTER_CUBIC)
    place, drift = np.array([WIDTH / 2, HEIGHT / 2]), generator.normal(0, 0.4, 2)
    while True:
        shift = np.array([[1, 0, -place[0]], [0, 1, -place[1]]])
        yield cv2.warpAffine(image, shift, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT)
        place = place + drift
