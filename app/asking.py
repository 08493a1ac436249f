"""From a request to what the store is asked: each term becomes questions or conditions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from app import places, request
from app.fields import asks_for_tags, condition_of, untagged
from app.request import Clip, Field, Image, Like, Line, Sound, Step, Term, Words
from indexer.catalogue import Catalogue
from indexer.encoders.load import EncoderSet
from indexer.query import encode_line, encode_sound_words, encode_words, like_shots
from qdrant.errors import UsageError
from qdrant.language import Between, Condition, Equals, Not, Query, Question
from qdrant.schema import CONTEXT
from qdrant.sequences import WITHIN_S, Gap

NEAR = 3
"""Shots on either side of a line in which somebody may be listening to it."""
MOSTLY = 0.5
"""The share of a shot from which on it is one of speech, or of music."""
MEASURED_SOUNDS: dict[str, Condition] = {
    "silence": Equals("silent", True),
    "speech": Between("speech", MOSTLY),
    "music": Between("music", MOSTLY),
}
LEAST_CANDIDATES = 100
CANDIDATES_A_MOMENT = 3


@dataclass
class Asking:
    """One request being turned into queries, with what there is to say about it."""

    catalogue: Catalogue
    encoders: EncoderSet
    notes: list[str] = field(default_factory=list)
    examples: set[tuple[str, int]] = field(default_factory=set)  # shots that were shown, not sought

    def query_of(self, step: Step, *, top: int) -> Query:
        """Return what the store is asked for one step.

        Raises `UsageError` for what is not here: a field, a title, a time; and where there is
        nothing to look for but what to keep away from.
        """
        wanted = [q for part in step.parts for q in self._wanted(part)]
        unwanted = [q for term in step.terms if term.is_unwanted for q in self._questions(term)]
        conditions = tuple(c for term in step.terms for c in self._conditions(term))
        if not wanted and not conditions and unwanted:
            raise UsageError(
                "That says only what to keep away from; say what to look for, or a field."
            )
        return Query(
            wanted=tuple(wanted),
            unwanted=tuple(unwanted),
            conditions=conditions,
            candidates=max(LEAST_CANDIDATES, CANDIDATES_A_MOMENT * top),
            reach=NEAR,
        )

    def _wanted(self, part: Sequence[Term]) -> list[Question]:
        """Return the questions of a part; places that are to be like it make one together."""
        terms = [term for term in part if not term.is_unwanted]
        places_ = [term.what.place for term in terms if isinstance(term.what, Like)]
        alike = [self._like(places_)] if places_ else []
        rest = [term for term in terms if not isinstance(term.what, Like)]
        return [q for term in rest for q in self._questions(term)] + alike

    def _questions(self, term: Term) -> list[Question]:
        match term.what:
            case Words(text):
                return [self._words(text)]
            case Line(text):
                return [self._line(text)]
            case Like(place):
                return [self._like([place])]
            case Clip(path, start, end):
                return [self._clip(path, start, end)]
            case Image(path):
                from indexer.image import encode_image

                return [encode_image(Path(path).expanduser(), self.encoders)]
            case Sound(what, is_measured):
                return [] if is_measured else [self._sound(what)]
            case Field():
                return []

    def _conditions(self, term: Term) -> list[Condition]:
        match term.what:
            case Field() as asked:
                condition = condition_of(asked, self.catalogue.library)
                if asks_for_tags(asked, self.catalogue.library):
                    self._note_untagged(asked)
            case Sound(what, is_measured) if is_measured:
                condition = MEASURED_SOUNDS[what]
            case _:
                return []
        if not term.is_unwanted:
            return [condition]
        assert not isinstance(condition, Not)
        return [Not(condition)]

    def _note_untagged(self, field: Field) -> None:
        """Say how many titles have no such tags yet: their shots are as those that carry none."""
        library = self.catalogue.library
        if without := len(untagged(field, library)):
            told = f"{field.name}:{','.join(field.values)}"
            of_all = f"{without} of {len(library.in_use())} titles"
            self._note(f"tags: {of_all} not yet asked for {told}; `trimbin tag` does it")

    def _words(self, text: str) -> Question:
        question, notes = encode_words(text, self.encoders, tower=self.catalogue.asker)
        self._note(*notes)
        return question

    def _line(self, text: str) -> Question:
        known = self.catalogue
        return encode_line(text, vocabulary=known.vocabulary, languages=known.languages)

    def _sound(self, what: str) -> Question:
        """Return the question for a sound: as it is heard, and as its captions name it."""
        question, notes = encode_sound_words(what, self.encoders)
        self._note(*notes)
        return question

    def _like(self, asked: Sequence[request.Place]) -> Question:
        spans = [places.span_of(place, self.catalogue.library) for place in asked]
        seconds = {(s.title_id, shot): meant for s in spans for shot, meant in s.seconds.items()}
        self.examples |= seconds.keys()
        vectors = self.catalogue.vectors_of([*seconds])
        return self.worthy(like_shots(list(zip(vectors, seconds.values(), strict=True))))

    def worthy(self, question: Question) -> Question:
        """Return the question without context, where the library's model is not worth asking."""
        if CONTEXT not in question.vectors or self.catalogue.library.context_is_worthy():
            return question
        self._note(
            "context: the library's model guesses no better than a shot's neighbours, so it does "
            "not take part; `trimbin train` may make a better one"
        )
        rest = {space: v for space, v in question.vectors.items() if space != CONTEXT}
        return replace(question, vectors=rest)

    def _clip(self, path: str, start: str | None, end: str | None) -> Question:
        from indexer.clip import encode_clip

        clip = encode_clip(
            Path(path).expanduser(),
            self.encoders,
            in_s=places.seconds_of(start) if start else 0.0,
            out_s=places.seconds_of(end) if end else None,
        )
        self._note(*clip.notes)
        return like_shots([(shot.vectors, shot.seconds) for shot in clip.shots])

    def _note(self, *notes: str) -> None:
        self.notes += [note for note in notes if note not in self.notes]


def gap_of(step: Step) -> Gap:
    """Return how soon a step must follow the one before."""
    if step.gap is None:
        return Gap(WITHIN_S)
    if step.gap.unit == "s":
        return Gap(step.gap.most)
    return Gap(math.inf, step.gap.most)
