"""How much each shot of a title is worth showing: by a probe that labels taught, else by measures.

The measures know nothing of what makes people watch. They say which shots stand out in their
title: unlike what the others let one expect, lively, loud, sharp, spoken. What they are worth
against chance stands in docs/promotion.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from indexer.encoders.protocol import Vectors, unit
from indexer.library import Library
from indexer.manifest import Manifest
from indexer.probes.kept import KeptProbe, kept_probe
from indexer.probes.rows import shot_vectors
from qdrant.schema import CONTEXT

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]
By = Literal["probe", "measures"]

TASK: Literal["retrieval"] = "retrieval"
WEIGHTS: Mapping[str, float] = {
    "surprise": 1.0,
    "motion": 1.0,
    "loudness": 1.0,
    "sharpness": 0.5,
    "speech": 0.5,
}
"""What each measure counts for. Set down before anything was measured, and left there."""
AROUND = 5
"""Shots on either side that a shot's loudness is told against: a peak, not a loud film."""
BLACK = 0.06
"""Mean brightness, 0..1, below which a picture is black."""
FLAT = 0.02
"""Sharpness, 0..1, below which there is nothing in a picture: one colour, or a gradient."""


@dataclass(frozen=True)
class Worth:
    """A title's shots and what each is worth, comparable within the title only."""

    scores: Floats  # (num_shots,) 0..1
    showable: NDArray[np.bool_]  # (num_shots,) neither black nor flat
    by: By
    told: Mapping[str, Floats]  # measure -> (num_shots,) rank in the title 0..1, NaN: not measured

    def why(self, shot: int) -> dict[str, float]:
        """Return what is known of a shot, the measure in which it stands out most first."""
        known = {name: float(of[shot]) for name, of in self.told.items() if not np.isnan(of[shot])}
        return dict(sorted(known.items(), key=lambda told: -WEIGHTS[told[0]] * told[1]))


def worth_of(library: Library, manifest: Manifest) -> Worth:
    """Return what a title's shots are worth: by the kept probe, where its vectors are there."""
    shots = library.shots(manifest.title_id).iloc[: manifest.num_shots]
    told = measures_of(shots, surprise_of(library, manifest))
    probe = kept_probe(library, TASK)
    if probe is not None and _reads(probe, manifest):
        vectors = shot_vectors(library, manifest, probe.row)
        scores = probe.scores(vectors)[:, 0].astype(np.float64)
        return Worth(scores, showable(shots), "probe", told)
    return Worth(stands_out(told), showable(shots), "measures", told)


def _reads(probe: KeptProbe, manifest: Manifest) -> bool:
    """Whether a title has the vectors that a probe was learned on."""
    if probe.row == CONTEXT:
        return CONTEXT in manifest.spaces and manifest.checkpoint == probe.checkpoint
    return probe.row == "fused" or probe.row in manifest.spaces


def surprise_of(library: Library, manifest: Manifest) -> Floats:
    """Return how far the model's expectation misses each shot: (num_shots,), 0..2; NaN: unknown.

    A contextual vector is the shot beside what the others let one expect of it: one less the
    cosine of its halves.
    """
    if CONTEXT not in manifest.spaces:
        return np.full(manifest.num_shots, np.nan)
    in_context = shot_vectors(library, manifest, "context")
    seen, expected = np.split(in_context, 2, axis=1)
    return surprise(seen, expected)


def surprise(seen: Vectors, expected: Vectors) -> Floats:
    """Return one less the cosine of each row with its expectation; NaN where either is nothing."""
    missed = 1 - np.sum(unit(seen) * unit(expected), axis=1, dtype=np.float64)
    return np.where(seen.any(axis=1) & expected.any(axis=1), missed, np.nan)


def measures_of(shots: pd.DataFrame, surprise: Floats) -> dict[str, Floats]:
    """Return each measure as a rank within the title, (num_shots,) 0..1, NaN: not measured."""
    measured = {"surprise": surprise, "loudness": _peaks(column(shots, "loudness"))}
    for name in ("motion", "sharpness", "speech"):
        measured[name] = column(shots, name)
    return {name: ranks(measured[name]) for name in WEIGHTS}


def stands_out(told: Mapping[str, Floats]) -> Floats:
    """Return the weighted mean of a shot's measures, of those that it has: (num_shots,) 0..1."""
    ranked = np.stack([told[name] for name in WEIGHTS])
    weights = np.array([*WEIGHTS.values()])[:, None] * ~np.isnan(ranked)
    total = weights.sum(axis=0)
    summed: Floats = np.nansum(ranked * weights, axis=0)
    return summed / np.where(total > 0, total, 1.0)


def showable(shots: pd.DataFrame) -> NDArray[np.bool_]:
    """Return which shots show something; sound alone always does."""
    brightness, sharpness = column(shots, "brightness"), column(shots, "sharpness")
    hidden: NDArray[np.bool_] = (brightness < BLACK) | (sharpness < FLAT)
    return ~hidden


def column(shots: pd.DataFrame, name: str) -> Floats:
    """Return a column of shots.parquet as numbers, (num_shots,); NaN where it was not measured."""
    if name not in shots:
        return np.full(len(shots), np.nan)
    return np.asarray(shots[name].astype(float), np.float64)


def _peaks(loudness: Floats) -> Floats:
    """Return by how much each shot is louder than the middle one of those around it, in LU."""
    around = [loudness[max(0, shot - AROUND) : shot + AROUND + 1] for shot in range(len(loudness))]
    return np.array(
        [
            np.nan if np.isnan(here) else here - np.nanmedian(there)
            for here, there in zip(loudness, around, strict=True)
        ]
    )


def ranks(values: Floats) -> Floats:
    """Return the share of the others that each lies above, 0..1, of equals half; NaN stays."""
    known = ~np.isnan(values)
    there = np.sort(values[known])
    ranked = np.full(len(values), np.nan)
    if len(there):
        below = np.searchsorted(there, values[known], "left")
        not_above = np.searchsorted(there, values[known], "right")
        others = len(there) - 1
        ranked[known] = (below + not_above - 1) / (2 * others) if others else 0.5
    return ranked
