"""Shots in a row as they are compared: vectors by space, lengths, seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError

from indexer.clip import Clip
from indexer.encoders.protocol import Vectors
from indexer.library import Library
from indexer.manifest import Manifest
from indexer.workbench import load_vectors
from qdrant.errors import InputError, UsageError
from qdrant.schema import AUDIO, TEXT, VIDEO

SPACES = (VIDEO, AUDIO, TEXT)
"""What is of the shot itself. Its context is of another title, and says nothing here."""

Seconds = NDArray[np.float64]


@dataclass(frozen=True)
class ShotRow:
    """The shots of a clip or of a title, in order."""

    start_s: Seconds  # (num_shots,)
    end_s: Seconds  # (num_shots,) half-open
    vectors: Mapping[str, Vectors]  # space -> (num_shots, dim) unit length; zeros: it lacks it
    frames: NDArray[np.int64] | None = None  # (num_shots, 2) `[start, end)` of `rate`
    rate: Fraction | None = None  # frames a second, where frames are known

    def __post_init__(self) -> None:
        wrong = [space for space, rows in self.vectors.items() if len(rows) != len(self)]
        if len(self.end_s) != len(self) or wrong:
            raise UsageError(
                f"{len(self)} shots need as many ends, and a row each in every space; "
                f"{', '.join(wrong) or 'the ends'} have not: give one for each shot."
            )
        if (self.seconds <= 0).any():
            shot = int(np.argmin(self.seconds))
            raise UsageError(f"Shot {shot} ends before it has begun; give its end after its start.")

    def __len__(self) -> int:
        return len(self.start_s)

    @property
    def seconds(self) -> Seconds:
        """(num_shots,) how long each is."""
        return self.end_s - self.start_s


def shots_of_clip(clip: Clip) -> ShotRow:
    """Return a clip's shots, in the spaces that one of them has."""
    spaces = [space for space in SPACES if any(space in shot.vectors for shot in clip.shots)]
    rows = {}
    for space in spaces:
        dim = next(len(shot.vectors[space]) for shot in clip.shots if space in shot.vectors)
        absent = np.zeros(dim, np.float32)
        rows[space] = np.stack([shot.vectors.get(space, absent) for shot in clip.shots])
    starts = np.array([shot.start_s for shot in clip.shots], np.float64)
    ends = np.array([shot.end_s for shot in clip.shots], np.float64)
    return ShotRow(starts, ends, rows)


def shots_of_title(library: Library, manifest: Manifest) -> ShotRow:
    """Return a title's shots as its folder keeps them.

    Raises `InputError` for a folder that is damaged.
    """
    folder = library.folder(manifest.title_id)
    try:
        # A title that grows may have more by now.
        table = library.shots(manifest.title_id)[: manifest.num_shots]
        rows = {
            space: load_vectors(folder / manifest.spaces[space])["shots"][: manifest.num_shots]
            for space in SPACES
            if space in manifest.spaces
        }
        starts, ends = (
            table[column].to_numpy(np.float64, copy=True) for column in ("start_s", "end_s")
        )
        frames = table[["start_frame", "end_frame"]].to_numpy(np.int64, copy=True)
        return ShotRow(starts, ends, rows, frames, manifest.frame_rate)
    except (OSError, ValueError, KeyError, SafetensorError, UsageError) as error:
        raise InputError(
            f"{manifest.title} cannot be compared: its folder {folder} is damaged ({error}). "
            "Index it again."
        ) from error
