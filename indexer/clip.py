"""A clip as a question: a file, or a span of it, becomes vectors in every space it can reach.

The span is looked at, listened to and read by the stages that index a film, with its in and out for
cuts: a shot that is only partly in it gives what lies in it. All is done in a folder that goes
afterwards; no library and no store is touched.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np

from indexer.beside import Beside
from indexer.choices import Choices
from indexer.encoders.fuse import fuse
from indexer.encoders.load import EncoderSet
from indexer.encoders.protocol import Vectors, unit
from indexer.library import Library
from indexer.media.probe import probe
from indexer.progress import Progress, silent
from indexer.sound.spans import Span
from indexer.stages.hear import hear
from indexer.stages.listening import listening
from indexer.stages.read import read
from indexer.stages.see_clip import see_clip
from indexer.stages.transcribe import transcribe
from indexer.studio import Studio
from indexer.words.tracks import tracks_of
from indexer.workbench import workbench
from qdrant.errors import InputError, UsageError
from qdrant.record import Vector

if TYPE_CHECKING:
    import pandas as pd

SCRATCH = "clip"
"""The name of the library and of the title in it, in a folder that goes."""


@dataclass(frozen=True)
class ClipShot:
    """What lies between two cuts of a clip, `[start_s, end_s)` of its file."""

    start_s: float
    end_s: float
    vectors: Mapping[str, Vector]  # space -> (dim,) float32, unit length; what it lacks left out

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self.end_s - self.start_s


@dataclass(frozen=True)
class Clip:
    """A clip as it is asked with: whole, or shot by shot."""

    path: Path
    shots: tuple[ClipShot, ...]  # in order; without gap or overlap they make the clip
    vectors: Mapping[str, Vector]  # of the whole clip, as those of a shot
    fused: Vectors  # (num_shots, fused_dim) float32, unit length: as the context model takes them
    notes: tuple[str, ...] = ()  # sentences: what could not be made of it, and why

    @property
    def start_s(self) -> float:
        """When its first frame is shown, in seconds of the file."""
        return self.shots[0].start_s

    @property
    def end_s(self) -> float:
        """When the first frame after it is shown."""
        return self.shots[-1].end_s

    def pooled(self, rows: Vectors) -> Vector:
        """Return (dim,) float32, unit length: a row a shot, (num_shots, dim), weighed by length.

        As a shot's frames at uniform intervals are: a long shot has more to say. The published
        recipe takes the plain mean over a clip's shots.
        """
        seconds = np.array([shot.seconds for shot in self.shots], np.float32)
        return np.asarray(unit(seconds @ rows))


def encode_clip(
    path: Path,
    encoders: EncoderSet,
    *,
    in_s: float = 0.0,
    out_s: float | None = None,
    choices: Choices | None = None,
    progress: Progress = silent,
) -> Clip:
    """Return the vectors of `[in_s, out_s)` of a file; no `out_s`: to its end.

    Seconds count from the file's first frame. Pictures before `in_s` are decoded too, those well
    after `out_s` are not. Raises `UsageError` for a span that is none, `InputError` for a file that
    is no film or sound, that has no frame in the span, or nothing that could be compared.
    """
    span = _span(in_s, out_s)
    choices = choices or Choices()
    media = probe(path, stream=choices.stream)
    notes: list[str] = []
    with TemporaryDirectory(prefix="trimbin-clip-") as folder:
        library = Library(Path(folder), SCRATCH, encoders.profile)
        studio = Studio(library, encoders, progress=progress, say=notes.append)
        tracks = tracks_of(path, languages=encoders.profile.text_languages)
        beside = Beside(metadata={}, inputs={"words": ""})
        with workbench(library, SCRATCH) as bench, listening(media, within=span) as sound:
            shots = see_clip(media, sound, bench, studio, span=span, choices=choices)
            hear(sound, shots, bench, studio)
            transcribe(sound, beside, tracks, bench, studio, choices=choices)
            read(tracks, beside, shots, bench, studio)
            made = {space: bench.vectors(space)["shots"] for space in bench.spaces}
            notes += [note for told in bench.notes.values() for note in told]
    return _clip(path, shots, made, encoders, notes)


def _span(in_s: float, out_s: float | None) -> Span:
    end_s = math.inf if out_s is None else out_s
    if not (math.isfinite(in_s) and in_s >= 0) or math.isnan(end_s):
        raise UsageError(
            f"A clip's in and out are seconds from 0 on, and not {in_s} and {out_s}; give both."
        )
    if end_s == in_s:
        raise UsageError(f"A clip from {in_s} s to {end_s} s is empty; give a later out.")
    if end_s < in_s:
        raise UsageError(f"A clip cannot run from {in_s} s back to {end_s} s; swap its in and out.")
    return in_s, end_s


def _clip(
    path: Path,
    table: pd.DataFrame,
    made: Mapping[str, Vectors],
    encoders: EncoderSet,
    notes: Iterable[str],
) -> Clip:
    spans = list(zip(table["start_s"].tolist(), table["end_s"].tolist(), strict=True))
    shots = [
        ClipShot(*span, {space: rows[i] for space, rows in made.items() if rows[i].any()})
        for i, span in enumerate(spans)
    ]
    dims = encoders.profile.dims
    parts = [
        made.get(space, np.zeros((len(shots), dim), np.float32)) for space, dim in dims.items()
    ]
    clip = Clip(path, tuple(shots), {}, fuse(parts), tuple(notes))
    vectors = {space: clip.pooled(rows) for space, rows in made.items() if rows.any()}
    if not vectors:
        raise InputError(
            f"{path} has nothing to ask with from {clip.start_s:g} s to {clip.end_s:g} s: neither "
            "picture, nor sound that can be heard, nor words; give another in and out."
        )
    return Clip(path, clip.shots, vectors, clip.fused, clip.notes)
