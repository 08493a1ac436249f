"""The store's answer by NumPy alone: every shot compared, nothing left out. For comparing with."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.big_library import LANGUAGE, BigLibrary
from qdrant import lines
from qdrant.answer import SPEAKING
from qdrant.language import Between, Query, Question, ShotHit
from qdrant.schema import LINE, TEXT

Floats = NDArray[np.float32]


class BruteForce:
    """A library's vectors and words in memory."""

    def __init__(self, library: BigLibrary) -> None:
        self.vectors = {space: np.array(array) for space, array in library.vectors.items()}
        self._payloads = library.payloads
        self._has = {space: array.any(axis=1) for space, array in self.vectors.items()}
        self._fields = {
            name: np.array([payload[name] for payload in self._payloads], np.float32)
            for name in ("year",)
        }
        self._postings, self._speaking = _postings(library.words[: library.num_shots])
        shots = np.array([payload["shot"] for payload in self._payloads])
        self._title_starts = np.flatnonzero(shots == 0)
        self._title_ends = np.append(self._title_starts[1:], len(shots))

    def nearest(self, space: str, vector: Floats, allowed: NDArray[np.bool_], top: int) -> Any:
        """Return the numbers of the nearest shots, nearest first, and how near each shot is."""
        near = self.vectors[space] @ vector
        return _best(near, allowed & self._has[space], top), near

    def allowed(self, query: Query) -> NDArray[np.bool_]:
        """Return which shots meet the conditions, all of which must be `Between`."""
        kept = np.ones(len(self._payloads), bool)
        for condition in query.conditions:
            assert isinstance(condition, Between)
            values = self._fields[condition.name]
            kept &= values >= (-np.inf if condition.low is None else condition.low)
            kept &= values <= (np.inf if condition.high is None else condition.high)
        return kept

    def place(self, number: int) -> tuple[str, int]:
        """Return the (title_id, shot) of the library's shot with this number."""
        payload = self._payloads[number]
        return payload["title_id"], payload["shot"]

    def hits(self, query: Query) -> list[ShotHit]:
        """Return what the store would: see `qdrant.answer`."""
        [question] = query.wanted
        allowed = self.allowed(query)
        near: dict[str, Floats] = {}
        best: dict[str, NDArray[Any]] = {}
        for space, vector in question.vectors.items():
            best[space], near[space] = self.nearest(space, vector, allowed, query.candidates)
        near[LINE] = self._bm25(question)
        said = allowed & self._speaking & (near[LINE] > 0)
        best[LINE] = _best(near[LINE], said, query.candidates)
        found = set(np.concatenate(list(best.values())).tolist())
        for space in (LINE, TEXT):
            for shot in best[space][:SPEAKING].tolist():
                found |= self._around(shot, query.reach, allowed)
        has = {**self._has, LINE: self._speaking}
        return [
            ShotHit(
                title_id=self._payloads[i]["title_id"],
                shot=self._payloads[i]["shot"],
                answers=({space: float(n[i]) for space, n in near.items() if has[space][i]},),
                payload=self._payloads[i],
            )
            for i in sorted(found)
        ]

    def _around(self, shot: int, reach: int, allowed: NDArray[np.bool_]) -> set[int]:
        title = int(np.searchsorted(self._title_starts, shot, side="right")) - 1
        first = max(shot - reach, int(self._title_starts[title]))
        last = min(shot + reach + 1, int(self._title_ends[title]))
        return {i for i in range(first, last) if allowed[i]}

    def _bm25(self, question: Question) -> Floats:
        scores = np.zeros(len(self._payloads), np.float32)
        words = lines.question(question.line, question.languages)
        spoken = int(self._speaking.sum())
        for token in [] if words is None else words.indices:
            if token in self._postings:
                shots, weights = self._postings[token]
                idf = np.log((spoken - len(shots) + 0.5) / (len(shots) + 0.5) + 1)
                scores[shots] += np.float32(idf) * weights
        return scores


def _postings(
    words: list[str],
) -> tuple[Mapping[int, tuple[NDArray[Any], Floats]], NDArray[np.bool_]]:
    """Return token -> (shots that say it, how much), and which shots say anything."""
    shots, weights = defaultdict[int, list[int]](list), defaultdict[int, list[float]](list)
    speaking = np.zeros(len(words), bool)
    for number, said in enumerate(words):
        document = lines.document(said, LANGUAGE) if said else None
        if document is not None:
            speaking[number] = True
            for token, weight in zip(document.indices, document.values, strict=True):
                shots[token].append(number)
                weights[token].append(weight)
    postings = {t: (np.array(s), np.array(weights[t], np.float32)) for t, s in shots.items()}
    return postings, speaking


def _best(near: Floats, allowed: NDArray[np.bool_], top: int) -> NDArray[Any]:
    """Return the numbers of the highest that are allowed, highest first."""
    kept = np.where(allowed, near, -np.inf)
    top = min(top, int(allowed.sum()))
    best = np.argpartition(-kept, top - 1)[:top] if top else np.empty(0, int)
    return best[np.argsort(-kept[best], kind="stable")]
