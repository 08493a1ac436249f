"""Shots that lie together get a group, and the group a name that can be checked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from indexer.encoders.protocol import Vectors
from qdrant.wording import words_in

MOST_GROUPS = 16
SHOTS_A_GROUP = 20
"""About so many shots per group at first; groups grow with the root of the map."""
FEWEST_TO_PART = 6
"""Fewer shots are one group."""
SEED = 0
WORDS_IN_A_NAME = 3
LEAST_SHOTS = 2
"""A word that names a group is told in so many of its shots."""
LEAST_TIMES = 2.0
"""And in so many times as large a share of them as of all shots."""
SHORTEST_WORD = 3
MOSTLY = 0.6
"""The share of its shots from which on a group is called after their title."""

Groups: TypeAlias = NDArray[np.int32]


def grouped(points: Vectors) -> Groups:
    """Return each point's group, (num_shots,), by k-means; the largest group is 0."""
    count = int(np.clip(round((len(points) / SHOTS_A_GROUP) ** 0.5), 1, MOST_GROUPS))
    count = min(max(count, 2 if len(points) >= FEWEST_TO_PART else 1), len(points))
    if count <= 1:
        return np.zeros(len(points), np.int32)
    from sklearn.cluster import KMeans

    found = KMeans(count, n_init=4, random_state=SEED).fit_predict(points)
    sizes = np.bincount(found, minlength=count)
    rank = np.empty(count, np.int32)
    rank[np.argsort(-sizes, kind="stable")] = np.arange(count)
    return np.asarray(rank[found], np.int32)


def names_of(groups: Groups, words: Sequence[str], titles: Sequence[str]) -> list[str]:
    """Return a name for each group.

    It is the words told in its shots (said, described, on screen) far more often than elsewhere;
    where there are none, the title that most of its shots are from; else its number.
    """
    told = [{w for w in words_in(text) if len(w) >= SHORTEST_WORD} for text in words]
    everywhere = Counter(word for said in told for word in said)
    names: list[str] = []
    for group in range(int(groups.max(initial=-1)) + 1):
        members = np.flatnonzero(groups == group).tolist()
        here = Counter(word for shot in members for word in told[shot])
        telling = _telling(here, len(members), everywhere, len(told))
        title, count = Counter(titles[shot] for shot in members).most_common(1)[0]
        if telling:
            names.append(", ".join(telling))
        elif count >= MOSTLY * len(members) and len(set(titles)) > 1:
            names.append(title)
        else:
            names.append(f"Group {group + 1}")
    return _apart(names)


def _telling(
    here: Counter[str], num_here: int, everywhere: Counter[str], num_all: int
) -> list[str]:
    """Return the words that tell a group from the others, the most telling first."""
    worth: dict[str, float] = {}
    for word, count in here.items():
        times = (count / num_here) / (everywhere[word] / num_all)
        if count >= LEAST_SHOTS and times >= LEAST_TIMES:
            worth[word] = count * float(np.log(times))
    return sorted(worth, key=lambda word: (-worth[word], word))[:WORDS_IN_A_NAME]


def _apart(names: list[str]) -> list[str]:
    """Return names that differ: the second of a kind gets a number."""
    seen: Counter[str] = Counter()
    apart = []
    for name in names:
        seen[name] += 1
        apart.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return apart
