"""The stretches of a film that a trailer may be from, decoded once and kept small."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer.conforming.blocks import Blocks, blocks_of
from indexer.conforming.candidates import Candidate
from indexer.conforming.framing import Box, as_compared
from indexer.conforming.small import Pictures, pictures_between
from indexer.library import Library
from indexer.manifest import Manifest
from indexer.media.probe import probe
from indexer.progress import Progress, silent

AROUND_S = 1.5
"""How much of the film on either side of a shot is looked at, too."""


@dataclass
class Footage:
    """Consecutive frames of a film."""

    title_id: str
    first_frame: int
    rate: float  # frames a second
    pictures: Pictures
    _blocks: dict[Box, Blocks] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self.pictures)

    @property
    def end_frame(self) -> int:
        """The frame after the last."""
        return self.first_frame + len(self)

    def blocks(self, framing: Box) -> Blocks:
        """Return all frames as blocks, of the part that is shown."""
        if framing not in self._blocks:
            self._blocks[framing] = blocks_of(as_compared(self.pictures, framing))
        return self._blocks[framing]

    def holds(self, frames: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return which of these frames are among them."""
        return np.asarray((frames >= self.first_frame) & (frames < self.end_frame))


def footage_of(
    library: Library,
    manifest: Manifest,
    candidates: Iterable[Candidate],
    *,
    progress: Progress = silent,
) -> dict[int, Footage]:
    """Decode the film around its shots that are candidates: film shot -> its footage.

    Shots that lie near each other share one. Raises `InputError` where the file cannot be opened;
    what cannot be decoded is left out.
    """
    table = library.shots(manifest.title_id)[: manifest.num_shots]
    starts, ends = table["start_s"].to_numpy(), table["end_s"].to_numpy()
    frames = np.append(table["start_frame"].to_numpy(), manifest.num_frames)
    seen_s = np.append(starts, ends[-1])
    wanted = sorted({candidate.film_shot for candidate in candidates})
    media = probe(Path(manifest.path), stream=manifest.choices.get("stream"))
    found: dict[int, Footage] = {}
    for number, group in enumerate(_together(wanted, starts, ends)):
        progress("Comparing", number, len(wanted))
        start_s, end_s = starts[group[0]] - AROUND_S, ends[group[-1]] + AROUND_S
        pictures, times = pictures_between(media, start_s, min(end_s, float(ends[-1])))
        if not len(pictures):
            continue
        first = round(float(np.interp(times[0], seen_s, frames)))
        footage = Footage(manifest.title_id, first, float(manifest.frame_rate), pictures)
        found |= dict.fromkeys(group, footage)
    return found


def _together(
    shots: list[int], starts: NDArray[np.float64], ends: NDArray[np.float64]
) -> list[list[int]]:
    """Return shots in groups: those whose surroundings touch."""
    groups: list[list[int]] = []
    for shot in shots:
        if groups and starts[shot] - AROUND_S <= ends[groups[-1][-1]] + AROUND_S:
            groups[-1].append(shot)
        else:
            groups.append([shot])
    return groups
