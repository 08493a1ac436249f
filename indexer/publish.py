"""From a finished title folder to the points that stand for its shots."""

from __future__ import annotations

import math
from typing import Any

from indexer.context.config import KEY_DIM, context_dim
from indexer.library import Library
from indexer.manifest import Manifest
from indexer.profiles import Profile
from indexer.tagging.tags import Tags, read_tags
from indexer.tagging.vocabulary import PAYLOAD
from indexer.workbench import load_vectors
from qdrant.record import ShotRecord
from qdrant.schema import CONTEXT, TOLD, Schema
from qdrant.wording import words_told


def library_schema(library: Library) -> Schema:
    """Return the library's collection."""
    return Schema(library.version, dims_of(library.profile))


def dims_of(profile: Profile) -> dict[str, int]:
    """Return the numbers in a vector of each space: the profile's, context, what words are told."""
    return {**profile.stored_dims, CONTEXT: context_dim(profile.dims), TOLD: KEY_DIM}


def records_of(library: Library, manifest: Manifest) -> list[ShotRecord]:
    """Return a finished title's shots as records, read from its folder alone.

    Contextual vectors that an earlier Trimbin made, of another length, are left out: the next
    training makes them anew.
    """
    folder = library.folder(manifest.title_id)
    vectors = {
        space: load_vectors(folder / file)["shots"] for space, file in manifest.spaces.items()
    }
    if CONTEXT in vectors and vectors[CONTEXT].shape[1] != context_dim(library.profile.dims):
        del vectors[CONTEXT]
    shared = _shared_payload(manifest)
    tags = read_tags(folder, manifest) or Tags("")
    rows = [
        {str(name): value for name, value in row.items()}
        for row in library.shots(manifest.title_id).to_dict("records")
    ][: manifest.num_shots]  # a title that grows may have more by now
    return [
        ShotRecord(
            title_id=manifest.title_id,
            generation=manifest.publication,
            shot=int(row["shot"]),
            vectors={s: rows_[i] for s, rows_ in vectors.items() if rows_[i].any()},
            words=words_told(row),
            payload={**shared, **_shot_payload(row, manifest), **tags.payload_of(int(row["shot"]))},
        )
        for i, row in enumerate(rows)
    ]


def _shared_payload(manifest: Manifest) -> dict[str, Any]:
    """Return what all shots of a title say: every column of titles.csv, and what we know."""
    known = {
        "title": manifest.title,
        "kind": manifest.kind,
        "language": manifest.language,
        "rate": manifest.rate,
        "model_version": manifest.version,
        "context_model": manifest.checkpoint,
        "live": True if manifest.live else None,
    }
    ours = {*known, *(PAYLOAD.values() if manifest.tags else ())}
    told = {name: value for name, value in manifest.metadata.items() if name not in ours}
    return {name: value for name, value in {**told, **known}.items() if value is not None}


def _shot_payload(row: dict[str, Any], manifest: Manifest) -> dict[str, Any]:
    middle_s = (row["start_s"] + row["end_s"]) / 2
    payload = {
        **row,
        "length_s": row["end_s"] - row["start_s"],
        "position": middle_s / manifest.duration_s if manifest.duration_s else 0.0,
    }
    plain = {name: _plain(value) for name, value in payload.items()}
    return {name: value for name, value in plain.items() if not _is_missing(value)}


def _is_missing(value: Any) -> bool:
    return value in (None, "", []) or (isinstance(value, float) and math.isnan(value))


def _plain(value: Any) -> Any:
    """Return a JSON value: pandas hands out numpy scalars."""
    plain = value.tolist() if hasattr(value, "tolist") else value
    return round(plain, 6) if isinstance(plain, float) else plain
