"""What is stored of a shot: the named vectors, the sparse line, the indexed payload."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

VIDEO, AUDIO, TEXT, CONTEXT = "video", "audio", "text", "context"
SOUND = "sound"
"""What is heard, where words can name it: an explosion. `audio` knows sounds by sounds alone."""
DENSE_SPACES = (VIDEO, AUDIO, TEXT, CONTEXT, SOUND)
TOLD = "told"
"""A shot as its title lets words find it: the key of a tower that the library has learned."""
LINE = "line"
"""Sparse BM25 vector of what is said, told and written."""

REVISION = 3
"""Raised when the same shots come to be stored otherwise, their lines or their ids: what is in a
store is then of no use, and is published again."""

FieldKind = Literal["keyword", "integer", "float"]
"""How a payload field is indexed; the words are Qdrant's own."""

PAYLOAD_INDEXES: Mapping[str, FieldKind] = {
    "library_id": "keyword",
    "title_id": "keyword",
    "generation": "keyword",
    "title": "keyword",
    "kind": "keyword",
    "language": "keyword",
    "tags": "keyword",
    "genres": "keyword",
    "labels": "keyword",
    "tones": "keyword",
    "clip_genres": "keyword",
    "shot": "integer",
    "year": "integer",
    "start_s": "float",
    "length_s": "float",
    "position": "float",
    "loudness": "float",
    "speech": "float",
    "music": "float",
    "brightness": "float",
    "motion": "float",
    "sharpness": "float",
    "transition": "keyword",
}


@dataclass(frozen=True)
class Schema:
    """One model version's collection: its name and the length of each dense vector."""

    version: str  # e.g. "offline-3f9c01aa"; names the collection or the shard's folder
    dims: Mapping[str, int]  # space -> numbers in a vector; a space that is absent is not stored
