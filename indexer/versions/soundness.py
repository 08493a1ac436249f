"""Whether a version is whole: every title there, every vector of it as it should be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from indexer.context.config import KEY_DIM, context_dim
from indexer.encoders.kinds import HEARD_SPACES
from indexer.encoders.protocol import Vectors
from indexer.library import Library
from indexer.manifest import Manifest
from indexer.progress import Progress
from indexer.versions.gate import Finding
from indexer.versions.ledger import lacking
from indexer.workbench import load_vectors
from qdrant.points import UNIT_TOLERANCE
from qdrant.schema import CONTEXT, TOLD, VIDEO

COLLAPSED = 0.9999
"""Mean cosine between shots of the whole library above which a space says the same of all of them.
Speech alone crowds at .97."""
SHOTS_COMPARED = 2000
"""As many shots as are compared for that, spread over the library."""
FEWEST_COMPARED = 8


def every_title_is_there(
    version: Library, in_use: Library, *, progress: Progress
) -> Iterator[Finding]:
    """Fail for each title of the version in use that this one has not, or in an older state."""
    for manifest in lacking(version, in_use).values():
        yield Finding("titles", "fail", f"{manifest.title} is lacking or older than in use.")
    for path in version.damaged():
        yield Finding("titles", "fail", f"{path} cannot be read.")
    yield Finding("titles", "ok", f"{len(version.in_use())} titles.")


def vectors_are_sound(
    version: Library, in_use: Library, *, progress: Progress
) -> Iterator[Finding]:
    """Fail for vectors that are lacking, of another size, not finite or not of unit length.

    A shot must have a vector of every space in which the version in use has one too, as far as
    this one's profile knows the space; and no space may say the same of all shots.
    """
    titles = version.in_use()
    seen: dict[str, list[Vectors]] = {}
    each = max(1, SHOTS_COMPARED // max(1, len(titles)))
    for number, manifest in enumerate(titles):
        progress("Validating", number, len(titles))
        found, trouble = _vectors_of(version, manifest)
        yield from (_failed(manifest, sentence) for sentence in trouble)
        yield from (
            _failed(manifest, sentence) for sentence in _lost(found, in_use, manifest, version)
        )
        for space, rows in found.items():
            filled = rows[_filled(rows)]
            places = np.linspace(0, len(filled) - 1, min(each, len(filled))).astype(int)
            seen.setdefault(space, []).append(filled[places])
    progress("Validating", len(titles), len(titles))
    for space, parts in seen.items():
        yield _spread(space, np.concatenate(parts))


def _vectors_of(version: Library, manifest: Manifest) -> tuple[dict[str, Vectors], list[str]]:
    """Return a title's vectors, space -> (num_shots, dim), and what is wrong with them."""
    stored = version.profile.stored_dims
    must_have = {space for space in stored if _can_have(manifest, space)}
    dims = {**stored, CONTEXT: context_dim(version.profile.dims), TOLD: KEY_DIM}
    found: dict[str, Vectors] = {}
    trouble = [f"it has no {space} vectors" for space in sorted(must_have - {*manifest.spaces})]
    for space, file in manifest.spaces.items():
        try:
            rows = load_vectors(version.folder(manifest.title_id) / file)["shots"]
        except Exception as error:  # whatever a damaged file makes its reader raise
            trouble.append(f"{file} cannot be read ({type(error).__name__}: {error})")
            continue
        wanted = (manifest.num_shots, dims.get(space, 0))
        if rows.shape != wanted:
            trouble.append(f"{space} is {rows.shape} where {wanted} belongs")
        elif not np.isfinite(rows).all():
            trouble.append(f"{space} holds numbers that are not finite")
        elif wrong := _not_unit(rows):
            trouble.append(f"{space} of shot {wrong[0]} is not of unit length, nor absent")
        else:
            found[space] = rows
    if version.checkpoint_id() and manifest.checkpoint != version.checkpoint_id():
        trouble.append("its context is not of the version's context model")
    elif version.checkpoint_id() and CONTEXT not in manifest.spaces:
        trouble.append("it has no context")
    return found, trouble


def _can_have(manifest: Manifest, space: str) -> bool:
    """Whether a title has what a space is made of, as far as its manifest tells."""
    if space in HEARD_SPACES:
        return bool(manifest.audio_codec)
    return space == VIDEO and bool(manifest.width)


def _not_unit(rows: Vectors) -> list[int]:
    norms = np.linalg.norm(rows.astype(np.float64), axis=1)
    wrong: list[int] = np.flatnonzero((norms > 0) & (abs(norms - 1) > UNIT_TOLERANCE)).tolist()
    return wrong


def _lost(
    found: Mapping[str, Vectors], in_use: Library, manifest: Manifest, version: Library
) -> Iterator[str]:
    """Say in which spaces shots have a vector in use and none here."""
    known = in_use.find(manifest.title_id)
    if known is None or in_use.beside == version.beside:
        return
    for space in version.profile.encoders:
        if space not in known.spaces:
            continue
        try:
            rows = load_vectors(in_use.folder(manifest.title_id) / known.spaces[space])["shots"]
        except Exception:  # what is damaged in use is no fault of this version
            continue
        theirs = _filled(rows)[: manifest.num_shots]
        ours = _filled(found[space]) if space in found else np.zeros(len(theirs), bool)
        if len(ours) == len(theirs) and (lost := int((theirs & ~ours).sum())):
            yield f"{lost} of {len(theirs)} shots have no {space} vector, and have one in use"


def _filled(rows: Vectors) -> NDArray[np.bool_]:
    """Return which shots have a vector at all: (num_shots,)."""
    return np.asarray(rows.any(axis=1), np.bool_)


def _spread(space: str, rows: Vectors) -> Finding:
    num = len(rows)
    if num < FEWEST_COMPARED:
        return Finding("vectors", "ok", f"{space}: {num} vectors looked at.")
    total = rows.sum(axis=0, dtype=np.float64)
    cosine = float((total @ total - num) / (num * (num - 1)))
    told = f"{space}: {num} vectors looked at, mean cosine between them {cosine:.3f}"
    if cosine > COLLAPSED:
        return Finding("vectors", "fail", f"{told}: they say the same of everything.")
    return Finding("vectors", "ok", f"{told}.")


def _failed(manifest: Manifest, sentence: str) -> Finding:
    return Finding("vectors", "fail", f"{manifest.title}: {sentence}.")
