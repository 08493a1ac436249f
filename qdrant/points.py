"""Records -> points, all of them checked before any is written."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from qdrant_client import models

from qdrant import lines
from qdrant.errors import InputError
from qdrant.record import ShotRecord, Vector
from qdrant.schema import LINE, Schema

UNIT_TOLERANCE = 1e-3
"""How far from 1 a vector's length may be: half precision is taken, a forgotten norm is not."""


def shot_points(
    records: Sequence[ShotRecord],
    *,
    title_id: str,
    generation: str,
    library_id: str,
    schema: Schema,
) -> list[models.PointStruct]:
    """Return the point of every record, or raise before anything is written.

    The stores themselves take a NaN without complaint, and find a wrong length only halfway
    through a batch. Raises InputError naming the title and the first shot that cannot be stored.
    """
    points, shots = [], set[int]()
    for record in records:
        where = f"Shot {record.shot} of title {title_id}"
        if (record.title_id, record.generation) != (title_id, generation):
            raise InputError(
                f"{where} belongs to {record.title_id}, generation {record.generation}, not to "
                f"generation {generation}; publish each title by itself."
            )
        if record.shot in shots:
            raise InputError(f"{where} comes twice; number the shots of a title without repeats.")
        shots.add(record.shot)
        payload = {
            **_json(record.payload, where),
            "library_id": library_id,
            "title_id": title_id,
            "generation": generation,
            "shot": record.shot,
        }
        point_id = record.point_id(schema.version, library_id=library_id)
        vectors = _vectors(record, schema, where)
        points.append(models.PointStruct(id=point_id, vector=vectors, payload=payload))
    return points


def _vectors(record: ShotRecord, schema: Schema, where: str) -> dict[str, Any]:
    vectors: dict[str, Any] = {
        space: _checked(vector, space, schema, where) for space, vector in record.vectors.items()
    }
    language = record.payload.get("language")
    line = lines.document(record.words, language if isinstance(language, str) else None)
    if line is not None:
        vectors[LINE] = line
    return vectors


def _checked(vector: Vector, space: str, schema: Schema, where: str) -> list[float]:
    if space not in schema.dims:
        known = ", ".join(schema.dims)
        raise InputError(f"{where} has a `{space}` vector, and {schema.version} stores {known}.")
    dim = schema.dims[space]
    if vector.shape != (dim,):
        raise InputError(
            f"{where} has a `{space}` vector of shape {vector.shape} where {schema.version} "
            f"stores ({dim},); index the title again with the library's profile."
        )
    length = float(np.linalg.norm(vector.astype(np.float64)))
    if not abs(length - 1) <= UNIT_TOLERANCE:  # also true of a NaN
        raise InputError(
            f"{where} has a `{space}` vector of length {length:.4g}, which must be 1 within "
            f"{UNIT_TOLERANCE}; leave out a space the shot does not have."
        )
    numbers: list[float] = vector.astype(np.float32).tolist()
    return numbers


def _json(payload: Any, where: str) -> dict[str, Any]:
    try:
        json.dumps(dict(payload), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"{where} has a payload that is not JSON ({error}); store only text, finite numbers, "
            f"true, false, null, lists and objects."
        ) from error
    return dict(payload)
