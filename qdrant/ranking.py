"""From raw similarities to one score: how much each space says, and how it all adds up. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qdrant.calibration import Calibration
from qdrant.errors import UsageError
from qdrant.language import Band, Floats, Near, Query, Question, Scoring, ShotHit, Similarities
from qdrant.phrases import Phrase, closeness
from qdrant.record import steps_within
from qdrant.schema import AUDIO, CONTEXT, LINE, SOUND, TEXT, VIDEO
from qdrant.wording import words_told

WORDS = (LINE, TEXT)
"""The spaces in which a shot answers by what is said, told or written in it."""

MODALITIES = ((VIDEO,), (AUDIO, SOUND), WORDS)
"""What is seen, what is heard, what is said, told or written."""

SAID = 0.95
"""The evidence of a line that is said word for word."""

LITTLE_ELSE = 0.02
"""What may be taken off that for all else that the shot says."""

PASSED_ON = 0.5
"""Share of a line's evidence that counts for a wordless shot near by. Not learned: it puts a shot
that answers in pictures too above the line's own, and leaves others below it."""

Calibrations = Mapping[Band, Mapping[str, Calibration]]
"""band -> space -> what a similarity is worth there"""

Weights = Mapping[str, Floats]
"""space -> (num_shots,) `-log(1 - evidence)`, which add up; NaN where a shot lacks it"""


@dataclass(frozen=True)
class ScoredShot:
    """A shot the store found, and how well it answers."""

    title_id: str
    shot: int
    score: float  # 0..1, comparable within one answer only
    shares: Mapping[str, float]  # space -> its part in the score; sums to 1, empty at score 0
    hit: ShotHit
    heard_near: ShotHit | None = None  # the shot near by whose words count here, under `context`


def score_shots(
    hits: Iterable[ShotHit],
    calibrations: Calibrations,
    query: Query,
    *,
    all_modalities: bool = False,
) -> list[ScoredShot]:
    """Return the hits scored, best first, ties by title and shot.

    Within a question evidence combines by noisy-or, `1 - prod(1 - e)` (Pearl, Probabilistic
    Reasoning in Intelligent Systems, 1988, section 4.3.2): a space the shot lacks says nothing
    instead of saying no, so that a shot without words is not buried. With `all_modalities` it must
    answer in every modality that was asked: the geometric mean of theirs. Shares go by
    `-log(1 - e)`, the amounts that add up under noisy-or.

    Wanted questions must all be answered: the score is the geometric mean of theirs, and 1 where
    conditions are all that is wanted. Each unwanted one takes its own score's share away: soft,
    for a shot that answers it a little is still there.

    With a `reach`, a shot without words of its own that answers in some other way is helped by the
    best line at most so many shots away: who listens is asked for together with what is said.

    Raises UsageError where a space was asked that has no calibration.
    """
    found = list(hits)
    similarities = [
        _columns([hit.answers[number] for hit in found]) for number in range(len(query.questions))
    ]
    weights = [
        _weights(of_shots, calibrations.get(question.band, {}))
        if question.phrase is None
        else _said(question.phrase, found, number)
        for number, (question, of_shots) in enumerate(
            zip(query.questions, similarities, strict=True)
        )
    ]
    near = _within_reach(found, query.reach)
    answered = _answered(query, weights, similarities, near, all_modalities, num_shots=len(found))
    scores = _scores(answered, query, len(found))
    wanted = answered[: len(query.wanted)]
    scored = [
        _scored(hit, float(score), row, wanted, found)
        for row, (hit, score) in enumerate(zip(found, scores, strict=True))
    ]
    return sorted(scored, key=lambda shot: (-shot.score, shot.title_id, shot.shot))


def scoring(
    calibrations: Calibrations, query: Query, *, all_modalities: bool = False
) -> Scoring | None:
    """Return what gives shots their scores by their similarities alone; see `score_shots`.

    None where more must be known, how nearly a line is said, and where nothing is wanted, so that
    all are as good.
    """
    if not query.wanted or any(question.phrase is not None for question in query.questions):
        return None
    bands = [calibrations.get(question.band, {}) for question in query.questions]

    def of(similarities: Similarities, near: Near) -> Floats:
        weights = [_weights(s, b) for s, b in zip(similarities, bands, strict=True)]
        num_shots = max((len(of) for each in similarities for of in each.values()), default=0)
        answered = _answered(
            query, weights, similarities, near, all_modalities, num_shots=num_shots
        )
        return _scores(answered, query, num_shots)

    return of


@dataclass(frozen=True)
class _Answered:
    """How shots answer one question."""

    scores: Floats  # (num_shots,)
    weights: Weights
    heard: NDArray[np.intp]  # (num_shots,): the row of the shot whose words help; -1 for none

    def shares(self, row: int) -> dict[str, float]:
        weights = {s: float(of[row]) for s, of in self.weights.items() if not np.isnan(of[row])}
        total = sum(weights.values())
        return {space: weight / total for space, weight in weights.items()} if total else {}


def _answered(
    query: Query,
    weights: Sequence[Weights],
    similarities: Similarities,
    near: Near,
    all_modalities: bool,
    *,
    num_shots: int,
) -> list[_Answered]:
    """Return how the shots answer each question, what is said near by included."""
    answered = []
    for question, of, spoken in zip(query.questions, weights, similarities, strict=True):
        heard, evidence = _heard_near(of, spoken, near, num_shots)
        listens = heard >= 0
        if listens.any():
            passed_on = np.where(listens, -np.log1p(-PASSED_ON * evidence), np.nan)
            of = {**of, CONTEXT: _sum(passed_on, of.get(CONTEXT))}
        scores = _in_all(of, question) if all_modalities else _evidence(of.values())
        answered.append(_Answered(scores, of, heard))
    return answered


def _scores(answered: Sequence[_Answered], query: Query, num_shots: int) -> Floats:
    wanted = _geometric_mean([each.scores for each in answered[: len(query.wanted)]])
    scores: Floats = np.broadcast_to(wanted, num_shots)
    for unwanted in answered[len(query.wanted) :]:
        scores = scores * (1 - unwanted.scores)
    return scores


def _scored(
    hit: ShotHit, score: float, row: int, wanted: Sequence[_Answered], hits: Sequence[ShotHit]
) -> ScoredShot:
    shares: dict[str, float] = {}
    for answered in wanted if score > 0 else ():
        for space, share in answered.shares(row).items():
            shares[space] = shares.get(space, 0.0) + share / len(wanted)
    heard = next((answered.heard[row] for answered in wanted if answered.heard[row] >= 0), None)
    near = None if heard is None else hits[heard]
    return ScoredShot(hit.title_id, hit.shot, score, shares, hit, near)


def _columns(answers: Sequence[Mapping[str, float]]) -> dict[str, Floats]:
    """Return shots' similarities by space, NaN where a shot lacks it."""
    spaces = dict.fromkeys(space for answer in answers for space in answer)
    return {space: np.array([a.get(space, np.nan) for a in answers]) for space in spaces}


def _weights(similarities: Mapping[str, Floats], bands: Mapping[str, Calibration]) -> Weights:
    """Return `-log(1 - evidence)` of shots in each space."""
    for space in similarities:
        if space not in bands:
            raise UsageError(
                f"The profile has no calibration for `{space}`; give it a floor, a ceiling and a "
                f"weight beside those of {', '.join(bands) or 'no other space'}."
            )
    return {space: -np.log1p(-bands[space].evidence(of)) for space, of in similarities.items()}


def _said(phrase: Phrase, hits: Sequence[ShotHit], number: int) -> Weights:
    """Return the weight of a line by how nearly it is said, not by which of its words are.

    Of shots that say it alike, the one that says little else comes first, as BM25 has it.
    """
    said = np.full(len(hits), np.nan)
    for row, hit in enumerate(hits):
        bm25 = hit.answers[number].get(LINE)
        if not bm25:
            continue
        near = (1 - LITTLE_ELSE / (1 + bm25)) * closeness(
            phrase, words_told(hit.payload), language=hit.payload.get("language")
        )
        if near:
            said[row] = -math.log1p(-SAID * near)
    return {LINE: said}


def _sum(*weights: Floats | None) -> Floats:
    """Return the sum of what there is; NaN where there is nothing."""
    there = np.stack([of for of in weights if of is not None])
    return np.where(np.isnan(there).all(axis=0), np.nan, np.nansum(there, axis=0))


def _evidence(weights: Iterable[Floats]) -> Floats:
    there = list(weights)
    return -np.expm1(-np.nansum(np.stack(there), axis=0)) if there else np.zeros(1)


def _in_all(weights: Weights, question: Question) -> Floats:
    """Return how well shots answer in every modality that was asked, a line near by included.

    A sound that is asked for by its name alone may be heard or told in a caption: one is enough.
    """
    if question.vectors.keys() == {SOUND}:
        return _evidence(weights.values())
    asked = {*question.vectors, *([LINE] if question.line else [])}
    return _geometric_mean(
        [
            _evidence(weights[space] for space in modality if space in weights)
            for modality in MODALITIES
            if asked & set(modality)
        ]
    )


def _geometric_mean(scores: Sequence[Floats]) -> Floats:
    if not scores:
        return np.ones(1)
    with np.errstate(divide="ignore"):
        logs = np.log(np.stack(np.broadcast_arrays(*scores)))
    mean: Floats = np.exp(np.mean(logs, axis=0))
    return mean


def _heard_near(
    weights: Weights, similarities: Mapping[str, Floats], near: Near, num_shots: int
) -> tuple[NDArray[np.intp], Floats]:
    """Return the shots whose words help wordless ones, the nearest of equals, and their evidence.

    None helps a shot that has words, or that answers in no other way: the line's own moment is
    there.
    """
    heard, best = np.full(num_shots, -1), np.zeros(num_shots)
    if len(near):
        words = np.broadcast_to(_evidence(weights[s] for s in WORDS if s in weights), num_shots)
        speaks = np.zeros(num_shots, bool)
        for space in similarities.keys() & set(WORDS):
            speaks |= ~np.isnan(similarities[space])
        listens = ~speaks & (_evidence(weights.values()) > 0)
        for listener, speaker in near[listens[near[:, 0]] & (words[near[:, 1]] > 0)]:
            if words[speaker] > best[listener]:
                heard[listener], best[listener] = speaker, words[speaker]
    return heard, best


def _within_reach(hits: Sequence[ShotHit], reach: int) -> Near:
    """Return the pairs of shots of one title at most so many apart, the nearest first."""
    rows = {(hit.title_id, hit.shot): row for row, hit in enumerate(hits)}
    pairs = [
        (row, rows[place])
        for step in steps_within(reach)
        for row, hit in enumerate(hits)
        if (place := (hit.title_id, hit.shot + step)) in rows
    ]
    return np.array(pairs, np.intp).reshape(-1, 2)
