"""Which of the found moments are shown: not the same picture twice, not one title alone. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from qdrant.moments import Moment
from qdrant.record import Vector

SAME_BITS = 6
"""Perceptual hashes of 64 bits that differ in fewer are of one picture: a flashback, a recap."""

Vectors = Mapping[str, Vector]
"""space -> (dim,) float32, unit length"""


def fold_repeats(moments: Iterable[Moment]) -> list[Moment]:
    """Return the moments without those that repeat another's picture and words, best first.

    What is kept is the earliest of a title, in the place, with the score of the best; `repeats`
    counts the others. Titles come in the order of their best moment.
    """
    kept: list[Moment] = []
    for moment in moments:
        alike = next((i for i, other in enumerate(kept) if _is_repeat(moment, other)), None)
        if alike is None:
            kept.append(moment)
            continue
        other = kept[alike]
        is_earlier = moment.title_id == other.title_id and moment.first < other.first
        shown = replace(moment, score=other.score) if is_earlier else other
        kept[alike] = replace(shown, repeats=other.repeats + 1)
    return kept


def at_most(moments: Iterable[Moment], per_title: int | None) -> list[Moment]:
    """Return the moments, in their order, with no more than so many of a title."""
    if per_title is None:
        return list(moments)
    shown: Counter[str] = Counter()
    result = []
    for moment in moments:
        shown[moment.title_id] += 1
        if shown[moment.title_id] <= per_title:
            result.append(moment)
    return result


def varied(moments: Sequence[Moment], vectors: Sequence[Vectors], variety: float) -> list[Moment]:
    """Return the moments in an order that trades their scores against likeness to those before.

    Maximal marginal relevance (Carbonell and Goldstein, 1998): next comes the one with the highest
    `(1 - variety) * score - variety * likeness`, likeness being the mean cosine, over the spaces
    both have, with the most alike of those chosen. `vectors` are of each moment's best shot.
    """
    left = list(range(len(moments)))
    likeness = np.zeros(len(moments))
    order: list[int] = []
    while left:
        best = max(left, key=lambda i: (1 - variety) * moments[i].score - variety * likeness[i])
        order.append(best)
        left.remove(best)
        for i in left:
            likeness[i] = max(likeness[i], _likeness(vectors[i], vectors[best]))
    return [moments[i] for i in order]


def _likeness(one: Vectors, other: Vectors) -> float:
    both = one.keys() & other.keys()
    return float(np.mean([one[space] @ other[space] for space in both])) if both else 0.0


def _is_repeat(one: Moment, other: Moment) -> bool:
    if one.steps or other.steps:
        return False
    ours, theirs = one.best.hit.payload, other.best.hit.payload
    prints = ours.get("fingerprint"), theirs.get("fingerprint")
    if None in prints or (ours.get("dialogue") or "") != (theirs.get("dialogue") or ""):
        return False
    return (int(str(prints[0]), 16) ^ int(str(prints[1]), 16)).bit_count() < SAME_BITS
