"""Where a title may be interrupted: between scenes, in black or silence, never in a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from indexer.encoders.protocol import Vectors, unit
from indexer.library import Library
from indexer.manifest import Manifest
from indexer.probes.rows import Row, shot_vectors
from indexer.promotion.scenes import scenes_of
from indexer.promotion.worth import BLACK, column, ranks
from qdrant.schema import CONTEXT

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]

MARGIN_S, MARGIN = 30.0, 0.1
"""No break this near to either end of a title: so many seconds, or so much of a short one."""
BESIDE = 3
"""Shots on either side of a cut whose context is compared."""
MUCH = 0.8
"""Where context turns more than at this share of the title's cuts, it may be interrupted too."""
TALKING = 0.5
"""Where no lines are known: a cut between two shots that are spoken for so much is in a talk."""
APART_S = 10.0
"""Of breaks nearer to one another than this, or `MARGIN` of a short title, only the best is one."""
TURN, SILENT, BLACKED = 0.6, 0.2, 0.2
"""What a break is worth by how far context turns there, by silence beside it, and by black."""


@dataclass(frozen=True)
class Break:
    """A cut at which a title may be interrupted."""

    shot: int  # the first after it
    frame: int
    at_s: float
    turn: float  # 0..1: of the title's cuts, the share at which context turns less
    signs: tuple[str, ...]  # "scene" or "turn", "silence", "black"
    quality: float  # 0..1


def breaks_of(library: Library, manifest: Manifest) -> list[Break]:
    """Return a title's possible breaks in its order; none where it has no cut that would do."""
    shots = library.shots(manifest.title_id).iloc[: manifest.num_shots]
    row: Row = "context" if CONTEXT in manifest.spaces else "fused"
    scenes = [first for first, _ in scenes_of(library, manifest)]
    return breaks_between(shots, shot_vectors(library, manifest, row), scenes)


def breaks_between(shots: pd.DataFrame, vectors: Vectors, scenes: Sequence[int]) -> list[Break]:
    """Return the breaks of shots, a row each, with their vectors in context (num_shots, dim).

    `scenes` are the shots with which scenes begin.
    """
    starts, ends = column(shots, "start_s"), column(shots, "end_s")
    black = column(shots, "brightness") < BLACK
    silent = column(shots, "silent") > 0
    turns = _turns(np.where(black[:, None], 0, vectors))
    new_scene = {*scenes}
    margin_s = min(MARGIN_S, MARGIN * float(ends[-1]))
    found = []
    for shot in range(1, len(shots)):
        beside = slice(shot - 1, shot + 1)
        told = {
            "scene": shot in new_scene,
            "turn": shot not in new_scene and _is_peak(turns, shot - 1),
            "silence": silent[beside].any(),
            "black": black[shot],
        }
        signs = tuple(sign for sign, holds in told.items() if holds)
        is_inside = margin_s <= starts[shot] <= ends[-1] - margin_s
        if not signs or not is_inside or black[shot - 1] or _is_spoken_over(shots, shot):
            continue  # after black: the break was where it began
        quality = TURN * turns[shot - 1] + SILENT * told["silence"] + BLACKED * told["black"]
        frame = int(shots["start_frame"].iloc[shot])
        at_s, turn = float(starts[shot]), float(turns[shot - 1])
        found.append(Break(shot, frame, at_s, turn, signs, float(quality)))
    return _apart(found, min(APART_S, MARGIN * float(ends[-1])))


def _apart(breaks: Sequence[Break], apart_s: float) -> list[Break]:
    """Return breaks in their order, the best of those that are near to one another."""
    kept: list[Break] = []
    for one in sorted(breaks, key=lambda one: -one.quality):
        if all(abs(one.at_s - other.at_s) >= apart_s for other in kept):
            kept.append(one)
    return sorted(kept, key=lambda one: one.shot)


def _turns(vectors: Vectors) -> Floats:
    """Return how far context turns at each cut: (num_shots - 1,) rank among them, 0..1."""
    summed = np.vstack([np.zeros((1, vectors.shape[1])), np.cumsum(vectors, axis=0)])
    cuts = np.arange(1, len(vectors))
    before = unit(summed[cuts] - summed[np.maximum(cuts - BESIDE, 0)])
    after = unit(summed[np.minimum(cuts + BESIDE, len(vectors))] - summed[cuts])
    alike = np.einsum("sd,sd->s", before, after, dtype=np.float64)
    return ranks(np.asarray(1 - alike, np.float64))


def _is_peak(turns: Floats, cut: int) -> bool:
    """Whether context turns at a cut as it does at few, and more than at those beside it."""
    around = turns[max(0, cut - BESIDE) : cut + BESIDE + 1]
    return bool(turns[cut] >= MUCH and turns[cut] == around.max())


def _is_spoken_over(shots: pd.DataFrame, shot: int) -> bool:
    """Whether a line runs over the cut before a shot: it is in both, at one time."""
    if "dialogue_at_s" in shots and any(map(len, shots["dialogue_at_s"])):
        before, after = (shots["dialogue_at_s"].iloc[n] for n in (shot - 1, shot))
        return bool(len(before) and len(after) and before[-1] >= after[0])
    return bool((column(shots, "speech")[shot - 1 : shot + 1] >= TALKING).all())
