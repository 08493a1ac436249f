"""Our own detector: measures over every frame, the network only where they are in doubt.

What cuts, dissolves, wipes and fades do to small pictures is plain to see for the most part. Where
a jump from one frame to the next may be a cut or a fast move, TransNetV2 looks at its two seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from indexer.shots import network
from indexer.shots.boundaries import LOOK_BACK_FRAMES, Boundary, hard_cut
from indexer.shots.fades import Fade, fades_in
from indexer.shots.jumps import Jump, jumps_in
from indexer.shots.mixtures import Mixture, mixtures_in
from indexer.shots.strip import Pictures, Strip

BLOCK_FRAMES = LOOK_BACK_FRAMES // 2
"""Frames are judged so many at a time, each block with as many before and after it in sight."""
MARGIN_FRAMES = LOOK_BACK_FRAMES - BLOCK_FRAMES

TINY_HEIGHT, TINY_WIDTH = 9, 16
LONGEST_SECOND_FRAMES = 60
"""Black of a second is a shot; where a second has more frames than this, black of so many."""

NETWORK_SEES_FRAMES = 24
"""On either side of a doubt. It was trained on 100 frames, and judges the middle of 49 as well."""
NETWORK_SAYS_YES = 0.5
SHORTEST_SHOT_FRAMES = 4
"""Of two boundaries that are nearer, the surer one stays."""


@dataclass(frozen=True)
class Scene:
    """Consecutive frames of a film."""

    first_frame: int
    small: NDArray[np.uint8]  # (n, 27, 48, 3) RGB
    tiny: Pictures  # (n, 9, 16, 3), the same averaged in boxes of three by three
    change: NDArray[np.float32]  # (n,) mean difference from the frame before, 0..1
    frames_a_second: int


class CascadeBoundaries:
    """Cuts, dissolves, wipes and fades. Flashes, whip pans and a shaken camera are none of these.

    Without the network's wheel the measures alone decide, and `missing` says so. Smaller blocks, at
    most `BLOCK_FRAMES`, are judged sooner, cost more, and come to the same.
    """

    wants_images = False
    bears_gaps = True

    def __init__(self, *, block_frames: int = BLOCK_FRAMES) -> None:
        self._block_frames = block_frames
        absence = network.absent()
        self.missing = (
            f"Doubtful cuts were judged without TransNetV2: {absence}." if absence else None
        )
        self._network: network.Network | None = None
        self._small = np.zeros((0, 27, 48, 3), np.uint8)
        self._tiny: Pictures = np.zeros((0, TINY_HEIGHT, TINY_WIDTH, 3), np.float32)
        self._change = np.zeros(0, np.float32)
        self._frame_s = 1 / 24
        self._first_frame = 0  # of what is remembered
        self._judged = 0  # boundaries before this frame are told
        self._last: Boundary | None = None  # found, and not told: a surer one may be near

    @property
    def settled_frame(self) -> int:
        """No boundary will be reported any more before this frame."""
        return self._last.frame if self._last else self._judged

    def see(self, strip: Strip) -> list[Boundary]:
        """Take the next frames; return the boundaries it has become sure of, in order."""
        self._remember(strip)
        found: list[Boundary] = []
        while self._num_seen >= self._judged + self._block_frames + MARGIN_FRAMES:
            found += self._judge(self._judged + self._block_frames)
        return found

    def finish(self) -> list[Boundary]:
        """Return the rest: no more frames will come."""
        found = self._judge(self._num_seen) if self._num_seen > self._judged else []
        last, self._last = self._last, None
        return [*found, last] if last else found

    @property
    def _num_seen(self) -> int:
        return self._first_frame + len(self._small)

    def _remember(self, strip: Strip) -> None:
        keep = max(0, self._judged - MARGIN_FRAMES - self._first_frame)
        self._small = np.concatenate([self._small[keep:], strip.small])
        self._tiny = np.concatenate([self._tiny[keep:], _tiny(strip.small)])
        self._change = np.concatenate([self._change[keep:], strip.change])
        self._first_frame += keep
        if len(strip) > 1 and strip.first_frame == 0:
            self._frame_s = float(np.median(np.diff(strip.time_s)))

    def _judge(self, end: int) -> list[Boundary]:
        """Return the boundaries of the frames up to `end`, from what lies around them alone."""
        first = max(0, self._judged - MARGIN_FRAMES)
        seen = slice(first - self._first_frame, end + MARGIN_FRAMES - self._first_frame)
        second = min(LONGEST_SECOND_FRAMES, round(1 / self._frame_s))
        scene = Scene(first, self._small[seen], self._tiny[seen], self._change[seen], second)
        here = range(max(1, self._judged), end)
        told = [b for b in self._boundaries(scene, here) if b.frame in here]
        self._judged = end
        return self._parted(told)

    def _parted(self, found: Sequence[Boundary]) -> list[Boundary]:
        """Return boundaries that are apart; the last waits, for a surer one may follow it."""
        told = []
        for boundary in found:
            last = self._last
            if last is None or boundary.frame - last.frame >= SHORTEST_SHOT_FRAMES:
                told += [last] if last else []
                self._last = boundary
            elif boundary.confidence > last.confidence:
                self._last = boundary
        if self._last and self._judged - self._last.frame > SHORTEST_SHOT_FRAMES:
            told.append(self._last)
            self._last = None
        return told

    def _boundaries(self, scene: Scene, here: range) -> list[Boundary]:
        """Return the boundaries in a scene, in order; doubts are looked into within `here`."""
        fades, flashes = fades_in(scene.tiny)
        blanks = [(f.start, f.end) for f in fades if f.end - f.start > 1]
        jumps = [
            jump
            for jump in jumps_in(scene.small, scene.change)
            if not _inside(jump.frame, [*flashes, *_short(fades, scene.frames_a_second)])
        ]
        sure = [jump for jump in jumps if jump.is_sure]
        mixtures = [
            mixture
            for mixture in mixtures_in(scene.tiny, [jump.frame for jump in sure])
            if not _touches(mixture, blanks)
        ]
        mixed = [_of_mixture(mixture) for mixture in mixtures]
        settled = [*blanks, *(_span(b) for b in mixed if b.kind == "dissolve")]
        doubts = [jump for jump in jumps if not jump.is_sure and not _inside(jump.frame, settled)]
        resolved = self._resolved(doubts, scene, here)
        found = [hard_cut(jump.frame, confidence=jump.confidence) for jump in sure]
        found += resolved
        found += [b for b in mixed if not any(_inside(cut.frame, [_span(b)]) for cut in resolved)]
        found += [b for fade in fades for b in _of_fade(fade, scene, jumps)]
        moved = [
            replace(
                b,
                frame=b.frame + scene.first_frame,
                start_frame=b.start_frame + scene.first_frame,
                end_frame=b.end_frame + scene.first_frame,
            )
            for b in found
        ]
        return sorted(moved, key=lambda b: b.frame)

    def _resolved(self, doubts: Sequence[Jump], scene: Scene, here: range) -> list[Boundary]:
        """Return the doubts that are cuts, as the network sees it."""
        found = []
        for jump in doubts:
            if jump.frame + scene.first_frame not in here:
                continue
            confidence = self._ask(jump, scene)
            if confidence > NETWORK_SAYS_YES:
                found.append(hard_cut(jump.frame, confidence=confidence))
        return found

    def _ask(self, jump: Jump, scene: Scene) -> float:
        """Return the probability that a jump is a cut."""
        if self.missing:
            return jump.confidence
        self._network = self._network or network.Network("int8")
        first = max(0, jump.frame - NETWORK_SEES_FRAMES)
        ends = self._network.ends_of_shots(scene.small[first : jump.frame + NETWORK_SEES_FRAMES])
        place = jump.frame - first
        return float(ends[max(0, place - 1) : place + 1, 0].max())


def _tiny(small: NDArray[np.uint8]) -> Pictures:
    """Return pictures averaged in boxes of three by three: sums by columns, then by rows."""
    columns = small[:, 0::3].astype(np.uint16) + small[:, 1::3] + small[:, 2::3]
    boxes = columns[:, :, 0::3] + columns[:, :, 1::3] + columns[:, :, 2::3]
    return np.asarray(boxes * np.float32(1 / (9 * 255)), np.float32)


def _inside(frame: int, spans: Sequence[tuple[int, int]]) -> bool:
    return any(start <= frame <= end for start, end in spans)


def _span(boundary: Boundary) -> tuple[int, int]:
    return boundary.start_frame, boundary.end_frame


def _short(fades: Sequence[Fade], frames: int) -> list[tuple[int, int]]:
    """Return where less black than this begins and ends: what jumps there is part of its fade."""
    return [(f.blank - 1, f.blank_end + 1) for f in fades if f.blank_end - f.blank < frames]


def _touches(mixture: Mixture, spans: Sequence[tuple[int, int]]) -> bool:
    """Whether a mixture is part of a fade: a fade mixes with black."""
    half = mixture.length // 2
    return any(a - half < mixture.frame < b + half for a, b in spans)


def _of_mixture(mixture: Mixture) -> Boundary:
    half = mixture.length // 2
    return Boundary(
        mixture.frame,
        mixture.kind,
        mixture.frame - half,
        mixture.frame + half,
        mixture.confidence,
    )


def _of_fade(fade: Fade, scene: Scene, jumps: Sequence[Jump]) -> list[Boundary]:
    """Return a fade's boundary; two where black lasts a second and so is a shot of its own."""
    begins = scene.first_frame == 0 and fade.blank == 0
    ends = fade.blank_end == len(scene.small)
    if fade.blank_end - fade.blank < scene.frames_a_second:
        if begins or ends:
            return []
        middle = (fade.blank + fade.blank_end) // 2
        return [Boundary(middle, "fade", fade.start, fade.end, 1.0)]
    found = []
    if fade.blank - fade.start > 1:
        found.append(_ramp(fade.start, fade.blank))
    if fade.end - fade.blank_end > 1:
        found.append(_ramp(fade.blank_end, fade.end))
    return found


def _ramp(start: int, end: int) -> Boundary:
    return Boundary((start + end) // 2, "fade", start, end, 1.0)
