"""Ad moments: breaks whose surroundings fit a brief, and those to keep away from, told apart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from app.places import find_title
from indexer.catalogue import Catalogue
from indexer.encoders.load import EncoderSet
from indexer.manifest import Manifest
from indexer.media.timecode import Clock
from indexer.promotion.breaks import Break, breaks_of
from indexer.query import encode_words
from indexer.tagging.tags import known_names
from indexer.tagging.vocabulary import GROUPS, PAYLOAD, read_vocabulary
from qdrant.errors import UsageError
from qdrant.language import AnyOf, Query, Question
from qdrant.ranking import ScoredShot, score_shots, scoring
from qdrant.schema import CONTEXT

TOP = 10
WINDOW_S = 60.0
"""How far back a break's surroundings reach; what is nearer counts for more."""
AFTER_S = 30.0
"""And how far on, where it is about what to keep away from."""
LEAST_FIT = 0.02
"""Below, what is before a break has nothing of the brief."""
MOST_TITLES = 20
"""Of the titles that answer the brief best, so many are looked at."""
MOST_SHOTS = 500
"""So many shots are asked about what to keep away from, the likeliest."""
NO_BREAK = "No break would do: it takes a cut between scenes, away from a title's ends."
NOTHING_GOOD = "Nothing here fits the brief well; these are the nearest."
BRAND_SAFETY = "brand-safety"
"""Names at once whatever the vocabulary of tags marks as something to keep away from."""
DEFAULT_AVOID = ("violence", "gore", "drugs", "nudity")


@dataclass(frozen=True)
class Reason:
    """Why a break is to be kept away from."""

    label: str
    at_tc: str  # where the shot begins that shows it
    by: str  # "tag", or "words"
    score: float  # 0..1, how well the shot answers the words; 1 for a tag

    def __str__(self) -> str:
        told = "tagged" if self.by == "tag" else f"{self.score:.2f} by words"
        return f"{self.label} at {self.at_tc} ({told})"


@dataclass(frozen=True)
class AdBreak:
    """A break, and how well what is shown before it fits the brief."""

    title_id: str
    title: str
    frame: int  # the first after the break
    rate: str
    at_s: float
    tc: str  # timecode; seconds where the title has none
    score: float  # 0..1, comparable within one answer
    fit: float  # 0..1: how well what is before it answers the brief, its best shot and the whole
    quality: float  # 0..1: how good a place to interrupt
    signs: tuple[str, ...]  # "scene" or "turn", "silence", "black"
    best_tc: str  # where the shot begins that answers the brief best
    best_shot: int
    confident: bool  # that shot answers above the profile's confidence floor
    reasons: tuple[Reason, ...] = ()  # to keep away from it


@dataclass(frozen=True)
class AdBreaks:
    """Breaks that fit a brief, best first, apart from those to keep away from."""

    brief: str
    breaks: tuple[AdBreak, ...]
    avoid: tuple[AdBreak, ...]
    notes: tuple[str, ...]

    def to_json(self) -> Mapping[str, Any]:
        """Return it as the documented JSON."""
        return asdict(self)


def ad_breaks(
    catalogue: Catalogue,
    encoders: EncoderSet,
    brief: str,
    *,
    avoid: Sequence[str] = DEFAULT_AVOID,
    title: str | None = None,
    top: int = TOP,
) -> AdBreaks:
    """Return the breaks whose surroundings fit a brief in words, at most `top` of either kind.

    Raises `UsageError` for an empty brief or label and for a title that is not there.
    """
    asking = _Asking(catalogue, encoders)
    wanted = asking.words(brief)
    if title is not None:
        titles = [find_title(title, catalogue.library)]
    else:
        titles = _answering(asking.best(wanted, ()), catalogue)
    ids = tuple(manifest.title_id for manifest in titles)
    shunned = [(label, asking.to_shun(label, ids)) for label in _named(avoid)] if ids else []
    found = [
        one
        for manifest in titles
        for one in _of_title(manifest, asking.all_of(wanted, manifest), shunned, catalogue)
    ]
    ranked = sorted(found, key=lambda one: (-one.score, one.title_id, one.frame))
    good = [one for one in ranked if not one.reasons]
    if not ranked:
        asking.note(NO_BREAK)
    elif not any(one.confident for one in ranked):
        asking.note(NOTHING_GOOD)
    if any(CONTEXT not in manifest.spaces for manifest in titles):
        asking.note("context: no model has read some of these titles; `trimbin train` learns one")
    return AdBreaks(
        " ".join(brief.split()),
        tuple(good[:top]),
        tuple([one for one in ranked if one.reasons][:top]),
        tuple(asking.notes),
    )


@dataclass
class _Asking:
    """What the store is asked, in words, and what there is to say about it."""

    catalogue: Catalogue
    encoders: EncoderSet
    notes: list[str] = field(default_factory=list)

    def note(self, *notes: str) -> None:
        self.notes += [note for note in notes if note not in self.notes]

    def words(self, words: str) -> Question:
        question, notes = encode_words(words, self.encoders, tower=self.catalogue.asker)
        self.note(*notes)
        return question

    def best(self, question: Question, title_ids: tuple[str, ...]) -> list[ScoredShot]:
        """Return the shots that answer best, of these titles or of all."""
        where = (AnyOf("title_id", title_ids),) if title_ids else ()
        return self._scored(Query((question,), conditions=where, candidates=MOST_SHOTS), keep=True)

    def all_of(self, question: Question, manifest: Manifest) -> list[ScoredShot]:
        """Return every shot of a title, scored."""
        where = (AnyOf("title_id", (manifest.title_id,)),)
        query = Query((question,), conditions=where, candidates=max(manifest.num_shots, 1))
        return self._scored(query, keep=False)

    def _scored(self, query: Query, *, keep: bool) -> list[ScoredShot]:
        bands = self.catalogue.calibrations
        found = self.catalogue.query(query, scoring=scoring(bands, query) if keep else None)
        return score_shots(found, bands, query)

    def to_shun(
        self, label: str, title_ids: tuple[str, ...]
    ) -> dict[tuple[str, int], tuple[str, float]]:
        """Return the shots that show what a label means, (title_id, shot): who says so, how surely.

        A tag says it; so do words, where a shot answers them above the confidence floor.
        """
        name = " ".join(label.split()).casefold()
        if not name:
            raise UsageError("A label to keep away from needs a name: `--avoid violence`.")
        floor = self.catalogue.library.profile.confidence_floor
        found: dict[tuple[str, int], tuple[str, float]] = {}
        for phrase in _phrases(name):
            for shot in self.best(self.words(phrase), title_ids):
                place = (shot.title_id, shot.shot)
                if shot.score >= max(floor, found.get(place, ("", 0.0))[1]):
                    found[place] = ("words", shot.score)
        return found | dict.fromkeys(self._tagged(name, title_ids), ("tag", 1.0))

    def _tagged(self, name: str, title_ids: tuple[str, ...]) -> set[tuple[str, int]]:
        """Return the shots that carry a tag of this name, of whatever group and spelling."""
        titles = [m for m in self.catalogue.library.in_use() if m.title_id in title_ids]
        most = max(1, sum(manifest.num_shots for manifest in titles))
        tagged: set[tuple[str, int]] = set()
        for group, field_name in PAYLOAD.items():
            spelled = [n for n in known_names(titles, group) if n.casefold() == name]
            if spelled:
                where = (AnyOf("title_id", title_ids), AnyOf(field_name, tuple(spelled)))
                found = self.catalogue.query(Query(conditions=where, candidates=most))
                tagged |= {(hit.title_id, hit.shot) for hit in found}
        return tagged


def _named(avoid: Sequence[str]) -> list[str]:
    """Return what to keep away from, each once; for `BRAND_SAFETY` all that it stands for."""
    marked = sorted(name for group in GROUPS for name in read_vocabulary().to_avoid(group))
    told = (marked if name.strip().casefold() == BRAND_SAFETY else [name] for name in avoid)
    return [*dict.fromkeys(name for names in told for name in names)]


def _phrases(name: str) -> tuple[str, ...]:
    """Return how words ask for what a label means: as tagging does, or as it is called."""
    known = (entry for entry in read_vocabulary().entries if entry.name.casefold() == name)
    entry = next(known, None)
    return entry.phrases if entry else (name.replace("-", " "),)


def _answering(shots: Iterable[ScoredShot], catalogue: Catalogue) -> list[Manifest]:
    """Return the titles of the shots that answer best, each once."""
    ids = dict.fromkeys(shot.title_id for shot in shots if shot.score > 0)
    return [catalogue.library.manifest(title_id) for title_id in [*ids][:MOST_TITLES]]


def _of_title(
    manifest: Manifest,
    scored: Sequence[ScoredShot],
    shunned: Sequence[tuple[str, Mapping[tuple[str, int], tuple[str, float]]]],
    catalogue: Catalogue,
) -> list[AdBreak]:
    """Return a title's breaks that anything before answers the brief, with their reasons."""
    library = catalogue.library
    shots = library.shots(manifest.title_id).iloc[: manifest.num_shots]
    starts, ends = shots["start_s"].to_numpy(), shots["end_s"].to_numpy()
    answers = np.zeros(len(shots))
    for shot in scored:
        if shot.shot < len(answers):
            answers[shot.shot] = shot.score

    def tc(shot: int) -> str:
        frame = int(shots["start_frame"].iloc[shot])
        return Clock.of(manifest).timecode(frame) or f"{starts[shot]:.2f} s"

    def reasons(at: Break) -> tuple[Reason, ...]:
        near = range(len(shots))
        near_s = [s for s in near if ends[s] > at.at_s - WINDOW_S and starts[s] < at.at_s + AFTER_S]
        told = []
        for label, shown in shunned:
            there = [
                (shown[place], s) for s in near_s if (place := (manifest.title_id, s)) in shown
            ]
            if there:
                (by, score), shot = max(there, key=lambda one: (one[0][1], -one[1]))
                told.append(Reason(label, tc(shot), by, round(score, 4)))
        return tuple(told)

    found = []
    for at in breaks_of(library, manifest):
        weights = _nearness(starts[: at.shot], ends[: at.shot], at.at_s)
        before = answers[: at.shot]
        best = int(np.argmax(np.where(weights > 0, before, -1)))
        fit = float(before[best] + np.average(before, weights=weights)) / 2
        if fit < LEAST_FIT:
            continue
        found.append(
            AdBreak(
                title_id=manifest.title_id,
                title=manifest.title,
                frame=at.frame,
                rate=manifest.rate,
                at_s=round(at.at_s, 3),
                tc=tc(at.shot),
                score=round(fit * (1 + at.quality) / 2, 4),
                fit=round(fit, 4),
                quality=round(at.quality, 4),
                signs=at.signs,
                best_tc=tc(best),
                best_shot=best,
                confident=bool(before[best] >= library.profile.confidence_floor),
                reasons=reasons(at),
            )
        )
    return found


def _nearness(starts: Any, ends: Any, at_s: float) -> Any:
    """Return what each shot before a break counts for: its seconds, less as they are further back.

    The weight of a second falls in a straight line, to nothing at `WINDOW_S`.
    """
    far, near = (np.clip(at_s - edge, 0, WINDOW_S) for edge in (starts, ends))
    return (far - near) * (1 - (far + near) / 2 / WINDOW_S)
