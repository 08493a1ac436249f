"""From raw similarities to one score: how much each space says, and how it all adds up. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from qdrant.calibration import Calibration
from qdrant.errors import UsageError
from qdrant.language import Answers, Band, Query, Question, ShotHit, Worth
from qdrant.phrases import Phrase, closeness
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

Weights = dict[str, float]
"""space -> `-log(1 - evidence)`, which add up"""

Place = tuple[str, int]
"""(title_id, shot)"""


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
    answers = [
        _answers(number, question, found, calibrations, query.reach, all_modalities)
        for number, question in enumerate(query.questions)
    ]
    wanted, unwanted = answers[: len(query.wanted)], answers[len(query.wanted) :]
    scored = [
        _score(hit, [answer[i] for answer in wanted], [answer[i] for answer in unwanted])
        for i, hit in enumerate(found)
    ]
    return sorted(scored, key=lambda shot: (-shot.score, shot.title_id, shot.shot))


def worth(
    calibrations: Calibrations, query: Query, *, all_modalities: bool = False
) -> Worth | None:
    """Return what a shot's answers score by themselves, without what is said near by.

    None where more than similarities must be known: how nearly a line is said.
    """
    if any(question.phrase is not None for question in query.questions):
        return None
    asked = [(q, calibrations.get(q.band, {})) for q in query.questions]

    def of(answers: Answers) -> float:
        scores = []
        for (question, bands), answer in zip(asked, answers, strict=True):
            weights = _weigh(answer, bands)
            alone = _in_all(weights, question) if all_modalities else _evidence(weights.values())
            scores.append(alone)
        unwanted = scores[len(query.wanted) :]
        return _geometric_mean(scores[: len(query.wanted)]) * math.prod(1 - u for u in unwanted)

    return of


@dataclass(frozen=True)
class _Answer:
    """How a shot answers one question."""

    score: float
    weights: Weights
    heard_near: ShotHit | None = None

    @property
    def shares(self) -> dict[str, float]:
        total = sum(self.weights.values())
        return {space: weight / total for space, weight in self.weights.items()} if total else {}


def _answers(
    number: int,
    question: Question,
    hits: Sequence[ShotHit],
    calibrations: Calibrations,
    reach: int,
    all_modalities: bool,
) -> list[_Answer]:
    """Return how each hit answers a question, in their order."""
    bands = calibrations.get(question.band, {})
    phrase = question.phrase
    weights = [
        _weigh(hit.answers[number], bands) if phrase is None else _said(phrase, hit, number)
        for hit in hits
    ]
    words = {
        _place(hit): (hit, _evidence_of_words(w)) for hit, w in zip(hits, weights, strict=True)
    }
    answers = []
    for hit, of_hit in zip(hits, weights, strict=True):
        near = _heard_near(hit, number, of_hit, words, reach)
        if near is not None:
            passed_on = -math.log1p(-PASSED_ON * near[1])
            of_hit = {**of_hit, CONTEXT: of_hit.get(CONTEXT, 0.0) + passed_on}
        score = _in_all(of_hit, question) if all_modalities else _evidence(of_hit.values())
        answers.append(_Answer(score, of_hit, near[0] if near else None))
    return answers


def _score(hit: ShotHit, wanted: Sequence[_Answer], unwanted: Sequence[_Answer]) -> ScoredShot:
    score = _geometric_mean([answer.score for answer in wanted])
    for answer in unwanted:
        score *= 1 - answer.score
    shares: dict[str, float] = {}
    for answer in wanted if score > 0 else ():
        for space, share in answer.shares.items():
            shares[space] = shares.get(space, 0.0) + share / len(wanted)
    near = next((answer.heard_near for answer in wanted if answer.heard_near), None)
    return ScoredShot(hit.title_id, hit.shot, score, shares, hit, near)


def _geometric_mean(scores: Sequence[float]) -> float:
    if min(scores, default=1.0) <= 0:
        return 0.0
    return math.exp(sum(map(math.log, scores)) / max(len(scores), 1))


def _weigh(similarities: Mapping[str, float], bands: Mapping[str, Calibration]) -> Weights:
    """Return `-log(1 - evidence)` of each space that the shot was found in."""
    weights: Weights = {}
    for space, similarity in similarities.items():
        if space not in bands:
            raise UsageError(
                f"The profile has no calibration for `{space}`; give it a floor, a ceiling and a "
                f"weight beside those of {', '.join(bands) or 'no other space'}."
            )
        weights[space] = -math.log1p(-bands[space].evidence(similarity))
    return weights


def _said(phrase: Phrase, hit: ShotHit, number: int) -> Weights:
    """Return the weight of a line by how nearly it is said, not by which of its words are.

    Of shots that say it alike, the one that says little else comes first, as BM25 has it.
    """
    bm25 = hit.answers[number].get(LINE)
    if not bm25:
        return {}
    near = (1 - LITTLE_ELSE / (1 + bm25)) * closeness(
        phrase, words_told(hit.payload), language=hit.payload.get("language")
    )
    return {LINE: -math.log1p(-SAID * near)} if near else {}


def _evidence(weights: Iterable[float]) -> float:
    return -math.expm1(-sum(weights))


def _evidence_of_words(weights: Mapping[str, float]) -> float:
    return _evidence(weights.get(space, 0.0) for space in WORDS)


def _in_all(weights: Weights, question: Question) -> float:
    """Return how well a shot answers in every modality that was asked, a line near by included.

    A sound that is asked for by its name alone may be heard or told in a caption: one is enough.
    """
    if question.vectors.keys() == {SOUND}:
        return _evidence(weights.values())
    asked = {*question.vectors, *([LINE] if question.line else [])}
    levels = [
        _evidence(weights.get(space, 0.0) for space in modality)
        for modality in MODALITIES
        if asked & set(modality)
    ]
    return _geometric_mean(levels)


def _heard_near(
    hit: ShotHit,
    number: int,
    weights: Mapping[str, float],
    words: Mapping[Place, tuple[ShotHit, float]],
    reach: int,
) -> tuple[ShotHit, float] | None:
    """Return the shot whose words help a wordless one, and their evidence; the nearest of equals.

    None for a shot that has words, or that answers in no other way: the line's own moment is there.
    """
    if not reach or hit.answers[number].keys() & set(WORDS) or not any(weights.values()):
        return None
    steps = (step for far in range(1, reach + 1) for step in (-far, far))
    near = [words[place] for step in steps if (place := (hit.title_id, hit.shot + step)) in words]
    best = max(near, key=lambda pair: pair[1], default=None)
    return best if best is not None and best[1] > 0 else None


def _place(hit: ShotHit) -> Place:
    return hit.title_id, hit.shot
