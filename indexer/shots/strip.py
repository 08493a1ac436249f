"""Strips of a film as shot detection sees it: small images, and how each differs from the last."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Pictures = NDArray[np.float32]
"""(n, height, width, 3) RGB, 0..1."""

SMALL_HEIGHT, SMALL_WIDTH = 27, 48
"""What TransNetV2 sees, and enough for every other measure."""
ALIKE = 0.05
"""Two pictures that differ by less on the mean, 0..1, have no cut between them."""
STANDS_OUT, AT_REST, LATE_FRAMES = 2.0, 0.004, 5
"""Nor have two that differ by less than twice what the last few frames moved, and noise moves."""
RED_GREEN_BLUE_OF_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
"""BT.601, as the images are decoded for detection whatever the film's own matrix."""


@dataclass(frozen=True)
class Strip:
    """Consecutive frames of a film, n of them."""

    first_frame: int
    time_s: NDArray[np.float64]  # (n,) since the film's first frame
    small: NDArray[np.uint8]  # (n, 27, 48, 3) RGB
    luma: NDArray[np.float32]  # (n,) mean brightness, 0..1
    change: NDArray[np.float32]  # (n,) mean difference from the frame before, 0..1; 0 at the first
    images: NDArray[np.uint8] | None = None  # (n, h * 3 // 2, w) I420, where they were asked for
    filled: NDArray[np.bool_] | None = None  # (n,) not decoded, made of the frames around; None: no

    def __len__(self) -> int:
        return len(self.small)

    @property
    def end_frame(self) -> int:
        """The frame after the last."""
        return self.first_frame + len(self)


class StripMaker:
    """Makes strips of frames that come one by one, in order.

    Costs some 0.07 ms a frame, if cv2 is kept to one thread (`cv2.setNumThreads(1)`): four times
    that, if not.
    """

    def __init__(self, *, keep_images: bool = False, full_range: bool = False) -> None:
        self._keep_images = keep_images
        self._tables = _tables(full_range)
        self._small: list[NDArray[np.uint8]] = []
        self._images: list[NDArray[np.uint8]] = []
        self._times: list[float] = []
        self._luma: list[float] = []
        self._filled: list[bool] = []
        self._passed_over: list[float] = []  # times of pictures to fill in when the next is seen
        self._last: tuple[NDArray[np.uint8], float] | None = None  # the latest seen, its luma
        self._taken: NDArray[np.uint8] | None = None  # the last of what was taken

    def see(self, i420: NDArray[np.uint8], *, time_s: float) -> None:
        """Take the next frame: (h * 3 // 2, w) uint8 I420, h and w even. It is not kept."""
        small, luma = self._shrunk(i420)
        if self._passed_over:
            self._fill_in(small, luma)
        self._add(small, luma, time_s)
        self._last = small, luma
        if self._keep_images:
            self._images.append(i420.copy())

    def pass_over(self, *, time_s: float) -> None:
        """Note a picture that nobody decoded: it is filled in from its neighbours, not in images.

        Between two that are alike, or move on as before, it is their mixture; between others it
        stays what was before, so that a jump keeps its whole size. The first picture is never one.
        """
        self._passed_over.append(time_s)

    def _fill_in(self, small: NDArray[np.uint8], luma: float) -> None:
        import cv2

        assert self._last is not None
        before, luma_before = self._last
        parts = len(self._passed_over) + 1
        apart = float(_change(before, small[None])[0])
        alike = apart < ALIKE or apart < STANDS_OUT * (parts * self._pace() + AT_REST)
        for part, time_s in enumerate(self._passed_over, start=1):
            share = part / parts if alike else 0.0
            mixed = cv2.addWeighted(small, share, before, 1 - share, 0)
            self._add(np.asarray(mixed, np.uint8), share * luma + (1 - share) * luma_before, time_s)
            self._filled[-1] = True
        self._passed_over = []

    def _pace(self) -> float:
        """Return the mean change from frame to frame of late; 0 where little has been seen."""
        late = _stack(self._small[-LATE_FRAMES:])
        return float(_change(None, late)[1:].mean()) if len(late) > 1 else 0.0

    def _add(self, small: NDArray[np.uint8], luma: float, time_s: float) -> None:
        self._small.append(small)
        self._luma.append(luma)
        self._times.append(time_s)
        self._filled.append(False)

    def take(self, *, first_frame: int = 0) -> Strip:
        """Return what was seen since the last time, numbered from `first_frame`; may be empty."""
        small = _stack(self._small)
        strip = Strip(
            first_frame=first_frame,
            time_s=np.array(self._times, np.float64),
            small=small,
            luma=np.array(self._luma, np.float32),
            change=_change(self._taken, small),
            images=np.stack(self._images) if self._images else None,
            filled=np.array(self._filled) if any(self._filled) else None,
        )
        self._taken = self._small[-1] if self._small else self._taken
        self._small, self._images, self._times, self._luma, self._filled = [], [], [], [], []
        return strip

    def _shrunk(self, i420: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], float]:
        """Return a frame as (27, 48, 3) RGB, and its mean brightness.

        The luma plane is halved first: twice as fast as the whole step at once.
        """
        import cv2

        height, width = i420.shape[0] * 2 // 3, i420.shape[1]
        half = (height // 2, width // 2)
        flat, area = i420.reshape(-1), height * width
        luma = cv2.resize(i420[:height], half[::-1], interpolation=cv2.INTER_AREA)
        blue = flat[area : area + area // 4].reshape(half)
        red = flat[area + area // 4 : area + area // 2].reshape(half)
        size, area_mean = (SMALL_WIDTH, SMALL_HEIGHT), cv2.INTER_AREA
        small = [cv2.resize(plane, size, interpolation=area_mean) for plane in (luma, red, blue)]
        levels = [cv2.LUT(plane, table) for plane, table in zip(small, self._tables, strict=True)]
        rgb = cv2.cvtColor(cv2.merge(levels), cv2.COLOR_YCrCb2RGB)
        return np.asarray(rgb, dtype=np.uint8), cv2.mean(levels[0])[0] / 255


def joined(before: Strip | None, after: Strip) -> Strip:
    """Return `after` numbered on from `before`, its first change mended across the seam.

    `before` must not be empty, nor must the film begin with an empty strip: drop those.
    """
    if before is None or not len(before):
        return after
    change = after.change.copy()
    change[:1] = _change(before.small[-1], after.small[:1])
    return replace(after, first_frame=before.end_frame, change=change)


def grey(small: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the brightness of images, (..., 3) RGB to (...) float32, 0..255."""
    return np.asarray(small @ RED_GREEN_BLUE_OF_LUMA, dtype=np.float32)


def _change(before: NDArray[np.uint8] | None, small: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return how each image differs from the one before it, 0 where there is none."""
    if not len(small):
        return np.zeros(0, np.float32)
    first = small[:1] if before is None else before[None]
    earlier = np.concatenate([first, small[:-1]])
    further = np.maximum(small, earlier) - np.minimum(small, earlier)  # without leaving 8 bits
    return np.asarray(further.mean(axis=(1, 2, 3), dtype=np.float32) / 255, dtype=np.float32)


def _stack(small: list[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    return np.stack(small) if small else np.zeros((0, SMALL_HEIGHT, SMALL_WIDTH, 3), np.uint8)


@lru_cache(maxsize=2)
def _tables(full_range: bool) -> tuple[NDArray[np.uint8], ...]:
    """Return what turns decoded luma, red and blue difference into full range (ITU-R BT.601)."""
    levels = np.arange(256, dtype=np.float64)
    luma, colour = levels, levels
    if not full_range:
        luma, colour = (levels - 16) * 255 / 219, (levels - 128) * 255 / 224 + 128
    whole = [np.clip(np.rint(table), 0, 255).astype(np.uint8) for table in (luma, colour, colour)]
    return tuple(whole)
