"""What lies around a moment in its title: the shots before and after, and those of its scene."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from app.moment import Moment
from indexer.catalogue import Catalogue
from qdrant.record import Vector
from qdrant.schema import CONTEXT, VIDEO

NEIGHBOURS = 6
"""How many shots before and after a moment are shown."""
SCENE_SHOTS = 40
"""How far a scene may reach on either side."""
SCENE_S = 120.0
ALIKE = 0.35
"""The evidence from which on two shots may be of one scene. A guess, looked at on one trailer."""
STRANGERS = 1
"""How many shots that are not alike may lie between: the other side of a conversation."""


def neighbours(moment: Moment, num_shots: int) -> range:
    """Return the shots before a moment, the moment's, and those after it."""
    first, end = moment.shots
    return range(max(0, first - NEIGHBOURS), min(num_shots, end + NEIGHBOURS))


def scene(moment: Moment, catalogue: Catalogue) -> range:
    """Return the shots around a moment that are of its scene.

    A shot is, if it is like the moment's best shot or like the scene's shot nearest to it: by
    context where the library's model is worth asking, else by pictures. At most `STRANGERS` others
    may lie between, and nothing is of the scene that is further away than `SCENE_S` seconds.
    """
    shots = catalogue.library.shots(moment.title_id)
    starts, ends = shots["start_s"].tolist(), shots["end_s"].tolist()
    first = max(0, moment.shots[0] - SCENE_SHOTS)
    end = min(len(shots), moment.shots[1] + SCENE_SHOTS)
    found = catalogue.vectors_of([(moment.title_id, shot) for shot in range(first, end)])
    vectors = dict(zip(range(first, end), found, strict=True))
    before = [n for n in range(moment.shots[0] - 1, first - 1, -1)
              if moment.start_s - ends[n] <= SCENE_S]  # fmt: skip
    after = [n for n in range(moment.shots[1], end) if starts[n] - moment.end_s <= SCENE_S]
    is_alike = _Likeness(catalogue, vectors)
    begin = _reach(moment.shots[0], moment.best_shot, before, is_alike)
    last = _reach(moment.shots[1] - 1, moment.best_shot, after, is_alike)
    return range(begin, last + 1)


def _reach(edge: int, best: int, candidates: list[int], is_alike: _Likeness) -> int:
    """Return the last shot of the scene, going one way from its edge."""
    strangers = 0
    for shot in candidates:
        if is_alike(shot, best) or is_alike(shot, edge):
            edge, strangers = shot, 0
        elif (strangers := strangers + 1) > STRANGERS:
            break
    return edge


class _Likeness:
    """Tells whether two shots are alike, from their vectors."""

    def __init__(self, catalogue: Catalogue, vectors: Mapping[int, Mapping[str, Vector]]) -> None:
        bands = catalogue.calibrations["likeness"]
        has_context = catalogue.library.context_is_worthy() and CONTEXT in bands
        self._space = CONTEXT if has_context else VIDEO
        self._band = bands.get(self._space)
        self._vectors = vectors

    def __call__(self, one: int, other: int) -> bool:
        a, b = (self._vectors.get(shot, {}).get(self._space) for shot in (one, other))
        if a is None or b is None or self._band is None:
            return False
        return bool(self._band.evidence(float(np.dot(a, b))) >= ALIKE)
