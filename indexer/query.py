"""From what an editor gives to a question: a vector in every space that it can reach."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from indexer.encoders.kinds import KINDS
from indexer.encoders.load import EncoderSet
from indexer.encoders.protocol import ReadsWords, unit
from indexer.profiles import BUILT_IN, load_profile
from qdrant.errors import UsageError
from qdrant.language import Question
from qdrant.phrases import Phrase
from qdrant.record import Vector
from qdrant.schema import AUDIO, DENSE_SPACES, SOUND, TEXT, TOLD, VIDEO
from qdrant.spelling import Vocabulary, respelled
from qdrant.stems import is_stop_word
from qdrant.wording import words_in

if TYPE_CHECKING:
    from indexer.tower.keep import Asker

MAX_CHARACTERS = 1000
"""More than any of the models reads of a text, and less than would make a search slow."""
SPOKEN_OF_AS = {VIDEO: "pictures", AUDIO: "sound", TEXT: "words"}
ENGLISH_ONLY = ("en",)
OTHER_LATIN = (
    "de", "fr", "es", "it", "pt", "nl", "sv", "da", "no", "fi", "hu", "ro", "tr", "ca", "id",
)  # fmt: skip
"""Languages in Latin script whose stop words tell them from English."""


def encode_words(
    words: str, encoders: EncoderSet, *, tower: Asker | None = None
) -> tuple[Question, list[str]]:
    """Return the question that words make, and a sentence for each thing it cannot do.

    Words go into every fused space whose encoder reads them, through the library's `tower`, if it
    has one, into what titles tell of their shots, and into the dialogue as they are. Raises
    `UsageError` where there are none, `WeightsUnavailable` where an encoder cannot be loaded.
    """
    asked = " ".join(words.split())
    if not asked:
        raise UsageError("There is nothing to look for; say in a few words what is seen or said.")
    notes = []
    if len(asked) > MAX_CHARACTERS:
        asked = asked[:MAX_CHARACTERS].rsplit(" ", 1)[0]
        notes.append(f"Only the first {len(asked)} characters of the question were used.")
    vectors: dict[str, Vector] = {}
    for space in encoders.profile.fused:
        obstacle = _obstacle(space, encoders)
        encoder = None if obstacle else encoders.of(space)
        if isinstance(encoder, ReadsWords):
            vectors[space] = encoder.encode_words([asked])[0]
        else:
            notes.append(f"{SPOKEN_OF_AS[space]}: {obstacle}")
    if tower is not None and vectors:
        vectors[TOLD] = tower.ask(vectors)
    notes += _strange_language(asked, encoders)
    return Question(vectors, asked), notes


def encode_line(
    line: str, *, vocabulary: Vocabulary, languages: tuple[str | None, ...]
) -> Question:
    """Return the question that a line makes: said in this order, but for a slip or an ending.

    Words that the library does not have are asked for as those that they may have been meant to be.
    """
    return Question(line=respelled(line, vocabulary), phrase=Phrase(line), languages=languages)


def encode_sound_words(words: str, encoders: EncoderSet) -> tuple[Question, list[str]]:
    """Return the question for a sound by its name, and a sentence for each thing it cannot do.

    It goes into the space `sound`, where the profile has one, and into the captions of sounds,
    `[door slams]`, as it is. Raises `WeightsUnavailable` where the encoder cannot be loaded.
    """
    profile = encoders.profile
    if SOUND not in profile.encoders:
        able = [name for name in BUILT_IN if SOUND in load_profile(name).encoders]
        note = (
            f"sound: no encoder of profile {profile.name!r} hears words, so only captions of "
            f"sounds are searched; {' and '.join(able)} have one"
        )
        return Question(line=words), [note]
    encoder = encoders.of(SOUND)
    if not isinstance(encoder, ReadsWords):
        return Question(line=words), [f"sound: {_obstacle(SOUND, encoders)}"]
    notes = []
    knows_english_only = profile.encoders[SOUND].languages == ENGLISH_ONLY
    if knows_english_only and not _is_all_latin(words):
        notes.append(
            f"language: what hears words in profile {profile.name!r} knows English only, so a "
            "sound named in another script is found by its captions at best"
        )
    return Question({SOUND: encoder.encode_words([words])[0]}, words), notes


def like_shots(shots: Sequence[tuple[Mapping[str, Vector], float]]) -> Question:
    """Return the question that shots make: their vectors and how many seconds of each are meant.

    In each space the mean of those that have it, weighed by length, (dim,) float32, unit length.
    Raises `UsageError` where none of them has a vector.
    """
    vectors: dict[str, Vector] = {}
    for space in DENSE_SPACES:
        rows = [vectors_[space] * seconds for vectors_, seconds in shots if space in vectors_]
        mean = unit(np.sum(rows, axis=0)) if rows else np.zeros(0, np.float32)
        if mean.any():
            vectors[space] = mean
    if not vectors:
        raise UsageError("There is nothing to compare with: no picture, no sound, no words.")
    return Question(vectors, band="likeness")


def _obstacle(space: str, encoders: EncoderSet) -> str | None:
    """Say why words cannot reach a space, without loading an encoder to find out."""
    profile = encoders.profile
    if space in encoders.missing:
        return f"the {space} space is left out here ({encoders.missing[space]})"
    if not KINDS[profile.encoders[space].kind].reads_words:
        return f"words cannot reach the {space} space of profile {profile.name!r}"
    return None


def _strange_language(asked: str, encoders: EncoderSet) -> Iterator[str]:
    profile = encoders.profile
    reading = [spec for spec in profile.fused.values() if KINDS[spec.kind].reads_words]
    if not all(spec.languages == ENGLISH_ONLY for spec in reading):
        return
    if not _is_all_latin(asked):
        yield (
            f"language: profile {profile.name!r} knows English only, so a question in another "
            "script finds little but the line itself"
        )
    elif _reads_foreign(asked):
        yield (
            f"language: profile {profile.name!r} knows English only, and the question does not "
            "read like it, so it finds little but the line itself"
        )


def _reads_foreign(text: str) -> bool:
    """Whether more of the words are another language's stop words than are English ones.

    By two at least: names have a `de` or a `la` too, and languages share words.
    """
    words = {*words_in(text)}
    counts = {
        language: sum(is_stop_word(word, language) for word in words)
        for language in ("en", *OTHER_LATIN)
    }
    return max(counts.values()) >= counts["en"] + 2


def _is_all_latin(text: str) -> bool:
    return all(_is_latin(letter) for letter in text if letter.isalpha())


def _is_latin(letter: str) -> bool:
    return unicodedata.name(letter, "").startswith(("LATIN", "FEMININE", "MASCULINE", "MICRO"))
