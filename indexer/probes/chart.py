"""A picture of a task's rows: each one's measure, and between which two numbers it lies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from indexer.context.curve import ticks
from indexer.probes.task import MEASURES

if TYPE_CHECKING:
    from indexer.probes.evaluation import Evaluation

WIDTH, ROW_HEIGHT = 720, 34
"""Pixels: as wide as the picture of a training run."""
LEFT, RIGHT, TOP, BOTTOM = 220, 70, 44, 32
"""Pixels between the picture's edges and what is drawn; names stand on the left, numbers right."""
LETTERS_OF_NAME = 26
# Blue, green, red, as OpenCV has them.
WHITE, BLACK, GREY, BLUE = (255, 255, 255), (40, 40, 40), (225, 225, 225), (180, 110, 30)


def draw_rows(evaluation: Evaluation) -> bytes:
    """Return a PNG of the rows, first above: a dot its value, a line its 95 % interval."""
    import cv2

    rows = evaluation.rows
    height = TOP + ROW_HEIGHT * len(rows) + BOTTOM
    canvas = np.full((height, WIDTH, 3), WHITE, dtype=np.uint8)
    low = min(0.0, *(float(np.nan_to_num(row.own.low)) for row in rows))
    high = max(low + 0.1, *(float(np.nan_to_num(row.own.high)) for row in rows))

    def column(value: float) -> int:
        share = float((np.nan_to_num(value) - low) / (high - low))
        return round(LEFT + share * (WIDTH - LEFT - RIGHT))

    for value in ticks(low, high):
        cv2.line(canvas, (column(value), TOP), (column(value), height - BOTTOM), GREY, 1)
        _write(canvas, f"{value:g}", (column(value) - 10, height - 12))
    task = evaluation.task
    _write(canvas, f"{task.name}: {MEASURES[task.measure]}", (12, 24))
    for number, row in enumerate(rows):
        middle = TOP + ROW_HEIGHT * number + ROW_HEIGHT // 2
        low_end, high_end = (column(row.own.low), middle), (column(row.own.high), middle)
        cv2.line(canvas, low_end, high_end, BLUE, 2, cv2.LINE_AA)
        cv2.circle(canvas, (column(row.own.value), middle), 5, BLUE, cv2.FILLED, cv2.LINE_AA)
        _write(canvas, row.name[-LETTERS_OF_NAME:], (12, middle + 5))
        _write(canvas, f"{row.own.value:.3f}", (WIDTH - RIGHT + 12, middle + 5))
    encoded: NDArray[np.uint8] = cv2.imencode(".png", canvas)[1]
    return encoded.tobytes()


def _write(canvas: NDArray[np.uint8], text: str, point: tuple[int, int]) -> None:
    import cv2

    cv2.putText(canvas, text, point, cv2.FONT_HERSHEY_SIMPLEX, 0.45, BLACK, 1, cv2.LINE_AA)
