"""From an editor's words to a query: a vector in every space that words can reach."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import TYPE_CHECKING

from indexer.encoders.kinds import KINDS
from indexer.encoders.load import EncoderSet
from indexer.encoders.protocol import ReadsWords
from qdrant.errors import UsageError
from qdrant.language import Condition, Query
from qdrant.record import Vector
from qdrant.schema import AUDIO, TEXT, TOLD, VIDEO

if TYPE_CHECKING:
    from indexer.tower.keep import Asker

MAX_CHARACTERS = 1000
"""More than any of the models reads of a text, and less than would make a search slow."""
NEAR = 3
"""Shots on either side of a line in which somebody may be listening to it."""
SPOKEN_OF_AS = {VIDEO: "pictures", AUDIO: "sound", TEXT: "words"}
ENGLISH_ONLY = ("en",)


def encode_words(
    words: str,
    encoders: EncoderSet,
    *,
    conditions: tuple[Condition, ...] = (),
    candidates: int = 200,
    tower: Asker | None = None,
) -> tuple[Query, list[str]]:
    """Return the query the words make, and a sentence for each thing it cannot do.

    Words go into every space whose encoder reads them, through the library's `tower`, if it has
    one, into what titles tell of their shots, and into the dialogue as they are. Raises
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
    for space in encoders.profile.encoders:
        obstacle = _obstacle(space, encoders)
        encoder = None if obstacle else encoders.of(space)
        if isinstance(encoder, ReadsWords):
            vectors[space] = encoder.encode_words([asked])[0]
        else:
            notes.append(f"{SPOKEN_OF_AS[space]}: {obstacle}")
    if tower is not None and vectors:
        vectors[TOLD] = tower.ask(vectors)
    notes += _strange_scripts(asked, encoders)
    query = Query(vectors, asked, conditions, candidates, reach=NEAR)
    return query, notes


def _obstacle(space: str, encoders: EncoderSet) -> str | None:
    """Say why words cannot reach a space, without loading an encoder to find out."""
    profile = encoders.profile
    if space in encoders.missing:
        return f"the {space} space is left out here ({encoders.missing[space]})"
    if not KINDS[profile.encoders[space].kind].reads_words:
        return f"words cannot reach the {space} space of profile {profile.name!r}"
    return None


def _strange_scripts(asked: str, encoders: EncoderSet) -> Iterator[str]:
    profile = encoders.profile
    reading = [spec for spec in profile.encoders.values() if KINDS[spec.kind].reads_words]
    knows_english_only = all(spec.languages == ENGLISH_ONLY for spec in reading)
    if knows_english_only and not all(_is_latin(letter) for letter in asked if letter.isalpha()):
        yield (
            f"language: profile {profile.name!r} knows English only, so a question in another "
            "script finds little but the line itself"
        )


def _is_latin(letter: str) -> bool:
    return unicodedata.name(letter, "").startswith(("LATIN", "FEMININE", "MASCULINE", "MICRO"))
