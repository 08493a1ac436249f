"""What has been seen of a film and not yet been cut into shots."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from indexer.media.planes import Image, Size, Still
from indexer.shots.boundaries import LOOK_BACK_FRAMES, Boundary
from indexer.shots.look import STILLS_A_SECOND, Stretch
from indexer.shots.strip import Strip, joined

MAX_STILLS = 96
"""A shot that goes on and on keeps every second still from here, so that memory stays flat."""
SPARE_SIZE = Size(144, 256)
"""Of the picture of a shot too short for any still: enlarged, and no better for it."""


@dataclass(frozen=True)
class Take:
    """The frames of one shot, `[start_frame, end_frame)`."""

    start_frame: int
    end_frame: int
    start_s: float
    end_s: float
    stills: dict[int, Still]  # by frame, at least one; of a dissolve only if there are no others
    regular: frozenset[int]  # the frames of those on half seconds: enough unless the shot is short
    brightness: float  # mean luma, 0..1
    motion: float  # mean change from frame to frame, 0..1


class Footage:
    """The frames from the last cut on."""

    def __init__(self, *, frame_s: float) -> None:
        self._frame_s = frame_s
        self._first_s: float | None = None
        self._last: Strip | None = None
        self._start_frame = 0
        self._measures: deque[tuple[float, float, float]] = deque()  # seconds, luma, change
        self._small: deque[Image] = deque(maxlen=2 * LOOK_BACK_FRAMES)
        self._stills: list[tuple[int, int, Still]] = []  # frame, tick

    @property
    def num_frames(self) -> int:
        """How many frames the film has had so far."""
        return self._start_frame + len(self._measures)

    def add(self, stretch: Stretch) -> Strip:
        """Take the next frames; return their strip, on the film's own count and clock."""
        strip = joined(self._last, stretch.strip)
        strip = replace(strip, time_s=self._clocked(strip.time_s))
        self._measures.extend(zip(strip.time_s, strip.luma, strip.change, strict=True))
        self._small.extend(strip.small)
        for candidate in stretch.candidates:
            frame = strip.first_frame + candidate.index
            self._stills.append((frame, candidate.tick, candidate.still))
        self._thin()
        self._last = strip
        return strip

    def cut(self, *, opening: Boundary | None, closing: Boundary | None) -> Take:
        """Return the shot that ends before `closing` (None: with the film); forget its frames."""
        start = self._start_frame
        end = closing.frame if closing else self.num_frames
        stills = self._clear_stills(opening, closing, end) or self._middle(start, end)
        measures = [self._measures.popleft() for _ in range(end - start)]
        inside = [change for _, _, change in measures[1:]]  # the first change is the cut itself
        end_s = self._measures[0][0] if self._measures else measures[-1][0] + self._frame_s
        take = Take(
            start_frame=start,
            end_frame=end,
            start_s=measures[0][0],
            end_s=end_s,
            stills=stills,
            regular=frozenset(f for f, tick, _ in self._stills if tick % 2 == 0) & stills.keys(),
            brightness=float(np.mean([luma for _, luma, _ in measures])),
            motion=float(np.mean(inside)) if inside else 0.0,
        )
        self._stills = [s for s in self._stills if s[0] >= end]
        self._start_frame = end
        return take

    def _clear_stills(
        self, opening: Boundary | None, closing: Boundary | None, end: int
    ) -> dict[int, Still]:
        """Return the shot's stills, those of its transitions only where there are no others."""
        step = self._step(end - self._start_frame)
        within = [s for s in self._stills if s[0] < end]
        thinned = [s for s in within if s[1] % step == 0] or within
        own = {frame: still for frame, _, still in thinned}
        first = opening.end_frame if opening else 0
        last = closing.start_frame if closing else end
        return {frame: still for frame, still in own.items() if first <= frame < last} or own

    def _middle(self, start: int, end: int) -> dict[int, Still]:
        """Return the middle frame of a shot too short for any still, as small as it was kept."""
        middle = (start + end) // 2
        back = self.num_frames - middle
        small = self._small[-min(back, len(self._small))]
        return {middle: Still.of_rgb(small, size=SPARE_SIZE)}

    def _thin(self) -> None:
        """Keep fewer stills of a shot that goes on, and all of what may yet be cut from it."""
        settled = self.num_frames - LOOK_BACK_FRAMES
        step = self._step(settled - self._start_frame)
        self._stills = [s for s in self._stills if s[0] >= settled or s[1] % step == 0]

    def _step(self, num_frames: int) -> int:
        """Return of how many stills one is kept in a shot so long: a power of two.

        A shot that grows keeps fewer of those it had, so what is left of it in the end does not
        depend on when it was thinned.
        """
        num_stills, step = num_frames * self._frame_s * STILLS_A_SECOND, 1
        while num_stills / step > MAX_STILLS:
            step *= 2
        return step

    def _clocked(self, time_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return times since the film's first frame, each later than the one before.

        Where a clock jumps back, the frames follow one another at the film's rate from there.
        """
        if self._first_s is None:
            self._first_s = float(time_s[0])
        own = time_s - self._first_s
        last = self._measures[-1][0] if self._measures else -self._frame_s
        steps = np.diff(own, prepend=last)
        if np.all(steps > 0):
            return own
        steps = np.where(steps > 0, steps, self._frame_s)
        return np.asarray(last + np.cumsum(steps))
