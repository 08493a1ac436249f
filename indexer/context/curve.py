"""A picture of a training run: how the loss fell, on the lessons and on the validation titles."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.context.validation import Look, best_of

WIDTH, HEIGHT = 720, 420
"""Pixels: small enough for a page beside others, large enough for its figures to be read."""

LEFT, RIGHT, TOP, BOTTOM = 64, 16, 40, 48
"""Pixels between the picture's edges and the axes."""

SMOOTHED = 20
"""Steps: a batch's loss jumps about, the mean of so many last ones shows where it is going."""

NUM_TICKS = 6
"""About so many numbers along an axis."""

FEWEST_STEPS = 2
"""One step makes no curve."""

# Blue, green, red, as OpenCV has them.
WHITE, BLACK, GREY = (255, 255, 255), (40, 40, 40), (225, 225, 225)
PALE, BLUE, ORANGE = (240, 210, 180), (180, 110, 30), (20, 120, 230)


@dataclass(frozen=True)
class Axes:
    """Where steps and losses lie in the picture."""

    steps: tuple[float, float]
    losses: tuple[float, float]

    def place(self, step: float, loss: float) -> tuple[int, int]:
        """Return the pixel (column, row) of a step and its loss."""
        along = (step - self.steps[0]) / (self.steps[1] - self.steps[0])
        up = (loss - self.losses[0]) / (self.losses[1] - self.losses[0])
        column = LEFT + along * (WIDTH - LEFT - RIGHT)
        return round(column), round(HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM))


def draw_curve(losses: Sequence[float], looks: Sequence[Look] = ()) -> bytes:
    """Return a PNG of the training loss after each step, and of the validation loss where known.

    `losses` are at least `FEWEST_STEPS`. The best look, whose weights are kept, has a ring.
    """
    import cv2

    canvas = np.full((HEIGHT, WIDTH, 3), WHITE, dtype=np.uint8)
    axes = _axes(losses, looks)
    _draw_axes(canvas, axes)
    steps = range(1, len(losses) + 1)
    _draw_line(canvas, axes, list(zip(steps, losses, strict=True)), PALE, thickness=1)
    _draw_line(canvas, axes, list(zip(steps, smooth(losses), strict=True)), BLUE, thickness=2)
    seen = [(look.step, look.loss) for look in looks]
    _draw_line(canvas, axes, seen, ORANGE, thickness=2)
    for step, loss in seen:
        cv2.circle(canvas, axes.place(step, loss), 3, ORANGE, cv2.FILLED, cv2.LINE_AA)
    best = best_of(looks)
    if best is not None:
        cv2.circle(canvas, axes.place(best.step, best.loss), 7, ORANGE, 1, cv2.LINE_AA)
    _write(canvas, f"training loss (mean of {SMOOTHED} steps)", (LEFT, 24), BLUE)
    if best is not None:
        told = f"validation loss, best {best.loss:.3f} after step {best.step}"
        _write(canvas, told, (LEFT + 290, 24), ORANGE)
    encoded: NDArray[np.uint8] = cv2.imencode(".png", canvas)[1]
    return encoded.tobytes()


def smooth(losses: Sequence[float]) -> list[float]:
    """Return the mean of each step's loss and of as many before it as there are, up to SMOOTHED."""
    sums = np.concatenate([[0.0], np.cumsum(losses)])
    ends = np.arange(1, len(losses) + 1)
    starts = np.maximum(0, ends - SMOOTHED)
    means: list[float] = ((sums[ends] - sums[starts]) / (ends - starts)).tolist()
    return means


def ticks(low: float, high: float) -> list[float]:
    """Return round numbers from low to high, both included if they are round: 1, 2 or 5 apart."""
    rough = (high - low) / NUM_TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    apart = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999)
    first, last = math.ceil(low / apart - 1e-9), math.floor(high / apart + 1e-9)
    return [round(number * apart, 10) for number in range(first, last + 1)]


def _axes(losses: Sequence[float], looks: Sequence[Look]) -> Axes:
    """Return axes that hold everything, the loss from 0 so that a fall is not made to look deep."""
    highest = max([*losses, *(look.loss for look in looks)])
    return Axes(steps=(0, len(losses)), losses=(0, max(highest, 1e-6) * 1.05))


def _draw_axes(canvas: NDArray[np.uint8], axes: Axes) -> None:
    import cv2

    left, bottom = axes.place(axes.steps[0], axes.losses[0])
    right, top = axes.place(axes.steps[1], axes.losses[1])
    for loss in ticks(*axes.losses):
        row = axes.place(0, loss)[1]
        cv2.line(canvas, (left, row), (right, row), GREY, 1)
        _write(canvas, f"{loss:g}", (left - 8, row + 4), BLACK, before=1.0)
    for step in ticks(*axes.steps):
        if step == round(step):
            column = axes.place(step, 0)[0]
            cv2.line(canvas, (column, bottom), (column, bottom + 4), BLACK, 1)
            _write(canvas, f"{step:g}", (column, bottom + 18), BLACK, before=0.5)
    cv2.line(canvas, (left, bottom), (right, bottom), BLACK, 1)
    cv2.line(canvas, (left, bottom), (left, top), BLACK, 1)
    _write(canvas, "step", (WIDTH - RIGHT, HEIGHT - 10), BLACK, before=1.0)
    _write(canvas, "loss", (8, TOP - 14), BLACK)


def _draw_line(
    canvas: NDArray[np.uint8],
    axes: Axes,
    points: Sequence[tuple[int, float]],
    colour: tuple[int, int, int],
    *,
    thickness: int,
) -> None:
    import cv2

    pixels = np.array([axes.place(*point) for point in points], dtype=np.int32).reshape(-1, 1, 2)
    cv2.polylines(canvas, [pixels], False, colour, thickness, cv2.LINE_AA)


def _write(
    canvas: NDArray[np.uint8],
    text: str,
    point: tuple[int, int],
    colour: tuple[int, int, int],
    *,
    before: float = 0.0,
) -> None:
    """Write text on a line through a point, with this share of it before the point."""
    import cv2

    font, size = cv2.FONT_HERSHEY_SIMPLEX, 0.45
    width = cv2.getTextSize(text, font, size, 1)[0][0]
    place = (round(point[0] - before * width), point[1])
    cv2.putText(canvas, text, place, font, size, colour, 1, cv2.LINE_AA)
