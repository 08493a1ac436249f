"""Loudness as broadcasters measure it (EBU R128), by libavfilter's `ebur128`."""

from __future__ import annotations

import logging
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import av

logger = logging.getLogger(__name__)

# EBU Tech 3341 (momentary 400 ms, short-term 3 s), ITU-R BS.1770 (gates), EBU Tech 3342 (range).
BLOCK_S = 0.4
SHORT_TERM_S = 3.0
ABSOLUTE_GATE_LUFS = -70.0
RELATIVE_GATE_LU = -10.0
RANGE_GATE_LU = -20.0
RANGE_PERCENTILES = (10, 95)

PULL_EVERY_S = 1.0
"""Asking the filter after every frame whether it has something costs as much as its work."""
DAMAGE_LUFS = 40.0
"""Nothing that is sound is as loud: damaged floats are, or they are no numbers at all."""
EDGE_S = 0.001
"""A block may stand out of a shot by this: their edges are rounded apart."""

Block = tuple[float, float, float]
"""When it ends in seconds; momentary and short-term loudness in LUFS."""


@dataclass(frozen=True)
class Loudness:
    """A title's loudness over time, on the clock of its recording.

    Each block lasts 400 ms and follows its neighbour at 100 ms, through all of the sound. Where
    there is none (before a late start, in a hole) there are no blocks.
    """

    block_ends_s: NDArray[np.float64]  # (num_blocks,) ascending
    momentary_lufs: NDArray[np.float32]  # (num_blocks,) of the 400 ms before; -120 is silence
    short_term_lufs: NDArray[np.float32]  # (num_blocks,) of the 3 s before; NaN where less is

    @property
    def integrated_lufs(self) -> float | None:
        """The whole title's; -70, the gate itself, for silence; None for less than 400 ms."""
        return gated_lufs(self.momentary_lufs) if len(self.momentary_lufs) else None

    @property
    def range_lu(self) -> float | None:
        """The loudness range of EBU Tech 3342; None for less than three seconds of sound."""
        levels = self.short_term_lufs
        levels = levels[levels > ABSOLUTE_GATE_LUFS]
        if not len(levels):
            return None
        levels = levels[levels > _mean_lufs(levels) + RANGE_GATE_LU]
        low, high = np.percentile(levels, RANGE_PERCENTILES)
        return float(high - low)

    def inside(self, start_s: float, end_s: float) -> NDArray[np.float32]:
        """Return the momentary loudness of the blocks that lie wholly in `[start_s, end_s)`."""
        ends = [start_s + BLOCK_S - EDGE_S, end_s + EDGE_S]
        first, last = np.searchsorted(self.block_ends_s, ends)
        return self.momentary_lufs[first:last]

    def between(self, start_s: float, end_s: float) -> float | None:
        """Return the integrated loudness of `[start_s, end_s)` in LUFS, gated as a title's is.

        A shot in which no block has room has the momentary value nearest to its middle. Silence
        and a place without sound are -70, the gate itself. None where the title has no block.
        """
        if not len(self.block_ends_s):
            return None
        blocks = self.inside(start_s, end_s)
        if not len(blocks):
            away = np.abs(self.block_ends_s - BLOCK_S / 2 - (start_s + end_s) / 2)
            nearest = int(away.argmin())
            blocks = self.momentary_lufs[nearest : nearest + int(away[nearest] < BLOCK_S)]
        return gated_lufs(blocks)


def gated_lufs(momentary_lufs: NDArray[np.float32]) -> float:
    """Return the mean of blocks above -70 LUFS and above 10 LU below those; -70 for none."""
    heard = momentary_lufs[momentary_lufs > ABSOLUTE_GATE_LUFS]
    if not len(heard):
        return ABSOLUTE_GATE_LUFS
    return _mean_lufs(heard[heard > _mean_lufs(heard) + RELATIVE_GATE_LU])


def _mean_lufs(lufs: NDArray[np.float32]) -> float:
    """Return the level of the mean power."""
    return float(10 * np.log10(np.mean(10 ** (lufs.astype(np.float64) / 10))))


class LoudnessMeter:
    """Hears a title's frames in order, at their own rate and layout; keeps two numbers a block.

    `begin` starts a new stretch, wherever the sound's parameters or its clock change: no block
    spans two of them.
    """

    def __init__(self) -> None:
        self._numbers = array("d")  # of each block in turn: flat, for a title may last a day
        self._filter: _Ebur128 | None = None
        self._is_deaf = False  # to this stretch's layout or rate
        self._start_s = 0.0

    def begin(self, start_s: float) -> None:
        """Start a stretch whose first sample lies at `start_s` of the recording."""
        if self._filter is not None:
            self._keep(self._filter.blocks(None))
        self._filter = None
        self._is_deaf = False
        self._start_s = start_s

    def hear(self, frame: av.AudioFrame) -> None:
        """Take the next frame of the stretch."""
        import av

        if self._is_deaf:
            return
        try:
            self._filter = self._filter or _Ebur128(frame)
        except av.error.FFmpegError as error:
            logger.debug("sound whose loudness cannot be measured: %s", error)
            self._is_deaf = True
            return
        if not self._keep(self._filter.blocks(frame)):
            # Numbers that are none would stay in the filter's memory to the end.
            self._start_s += self._filter.heard_s
            self._filter = None

    def loudness(self) -> Loudness:
        """Return what was measured, once everything has been heard."""
        self.begin(0.0)
        return self.so_far()

    def so_far(self) -> Loudness:
        """Return what has been measured until now: the last second may be missing."""
        table = np.array(self._numbers, np.float64).reshape(-1, 3)
        momentary, short_term = table[:, 1:].astype(np.float32).T
        return Loudness(table[:, 0], momentary, short_term)

    def _keep(self, blocks: Iterator[Block]) -> bool:
        """Put blocks on the recording's clock; false where damage was among them.

        What came before the clock starts, and what comes twice, is left out.
        """
        whole = True
        for end_s, momentary, short_term in blocks:
            last_s = self._numbers[-3] if self._numbers else BLOCK_S - EDGE_S
            if not momentary < DAMAGE_LUFS:
                whole = False
            elif self._start_s + end_s > last_s:
                self._numbers.extend((self._start_s + end_s, momentary, short_term))
        return whole


class _Ebur128:
    """The filter, for one rate and layout."""

    def __init__(self, frame: av.AudioFrame) -> None:
        from av.filter import Graph

        self._graph = graph = Graph()  # it owns the others
        self._source = graph.add_abuffer(
            sample_rate=frame.sample_rate,
            format=frame.format,
            layout=frame.layout,
            time_base=frame.time_base,
        )
        self._sink = graph.add("abuffersink")
        graph.link_nodes(self._source, graph.add("ebur128", "metadata=1"), self._sink).configure()
        self._sample_rate_hz = frame.sample_rate
        self._waiting_s = 0.0
        self.heard_s = 0.0

    def blocks(self, frame: av.AudioFrame | None) -> Iterator[Block]:
        """Yield the blocks that are complete, once a second; None flushes.

        A window not yet full is none.
        """
        import av

        try:
            self._source.push(frame)
            self._waiting_s += frame.samples / self._sample_rate_hz if frame is not None else 0.0
            if frame is not None and self._waiting_s < PULL_EVERY_S:
                return
            self._waiting_s = 0.0
            while True:
                heard = self._sink.pull()
                assert isinstance(heard, av.AudioFrame)
                self.heard_s += heard.samples / self._sample_rate_hz
                found = heard.metadata
                if "lavfi.r128.M" in found and self.heard_s > BLOCK_S - EDGE_S:
                    is_full = self.heard_s > SHORT_TERM_S - EDGE_S
                    short_term = float(found["lavfi.r128.S"]) if is_full else np.nan
                    yield self.heard_s, float(found["lavfi.r128.M"]), short_term
        except (av.error.BlockingIOError, av.error.EOFError):
            return
        except av.error.FFmpegError as error:
            logger.debug("sound whose loudness cannot be measured: %s", error)
