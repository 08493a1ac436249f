"""Which pairs training never sees: whole clips, for neighbouring shots of a film resemble."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from indexer.finetune.pairs import Pair
from qdrant.errors import UsageError

FEWEST_PAIRS = 2
"""A contrast needs another."""


@dataclass(frozen=True)
class Split:
    """Places of the pairs to train on, and of those held out."""

    training: tuple[int, ...]
    held_out: tuple[int, ...]
    by: str  # a phrase for people: what was held out


def hold_out(pairs: Sequence[Pair], *, share: float, seed: int) -> Split:
    """Return a split with at least `share` of the pairs held out, clip by clip.

    Where all pairs come from one clip its last part is held out. Raises `UsageError` where either
    side would have fewer than two pairs.
    """
    clips = sorted({pair.clip for pair in pairs})
    if len(clips) > 1:
        random.Random(seed).shuffle(clips)
        wanted, chosen, num_chosen = share * len(pairs), set(), 0
        for clip in clips[:-1]:
            if num_chosen >= max(wanted, FEWEST_PAIRS):
                break
            chosen.add(clip)
            num_chosen += sum(pair.clip == clip for pair in pairs)
        held_out = [place for place, pair in enumerate(pairs) if pair.clip in chosen]
        by = f"{len(chosen)} of {len(clips)} clips"
    else:
        first = len(pairs) - max(FEWEST_PAIRS, round(share * len(pairs)))
        held_out = list(range(max(0, first), len(pairs)))
        by = "the last part of the only clip, which says less of other films"
    training = sorted(set(range(len(pairs))) - set(held_out))
    if min(len(training), len(held_out)) < FEWEST_PAIRS:
        raise UsageError(
            f"{len(pairs)} pairs from {len(clips)} clips leave {len(training)} to train on and "
            f"{len(held_out)} to hold out; each needs {FEWEST_PAIRS}. Give more pairs or clips."
        )
    return Split(tuple(training), tuple(held_out), by)
