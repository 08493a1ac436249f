"""What is stored of a shot: the named vectors, the sparse line, the indexed payload."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from qdrant_client import models

VIDEO, AUDIO, TEXT, CONTEXT = "video", "audio", "text", "context"
DENSE_SPACES = (VIDEO, AUDIO, TEXT, CONTEXT)
LINE = "line"
"""Sparse BM25 vector of the dialogue."""

PAYLOAD_INDEXES: Mapping[str, models.PayloadSchemaType] = {
    "library_id": models.PayloadSchemaType.KEYWORD,
    "title_id": models.PayloadSchemaType.KEYWORD,
    "generation": models.PayloadSchemaType.KEYWORD,
    "title": models.PayloadSchemaType.KEYWORD,
    "kind": models.PayloadSchemaType.KEYWORD,
    "language": models.PayloadSchemaType.KEYWORD,
    "tags": models.PayloadSchemaType.KEYWORD,
    "genres": models.PayloadSchemaType.KEYWORD,
    "shot": models.PayloadSchemaType.INTEGER,
    "year": models.PayloadSchemaType.INTEGER,
    "start_s": models.PayloadSchemaType.FLOAT,
    "length_s": models.PayloadSchemaType.FLOAT,
    "position": models.PayloadSchemaType.FLOAT,
    "loudness": models.PayloadSchemaType.FLOAT,
    "brightness": models.PayloadSchemaType.FLOAT,
    "motion": models.PayloadSchemaType.FLOAT,
}


@dataclass(frozen=True)
class Schema:
    """One model version's collection: its name and the length of each dense vector."""

    version: str  # e.g. "offline-3f9c01aa"; names the collection or the shard's folder
    dims: Mapping[str, int]  # space -> numbers in a vector; a space that is absent is not stored
