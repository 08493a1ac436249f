"""The write story: a file becomes shots in context, ready to be searched.

A film is looked at, listened to and read; each shot gets a vector of each; the three are put into
the context of the whole title; and the finished folder is published by whoever owns the store.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from indexer.assembly import assemble, contextualise_title
from indexer.identity import Identity, identify
from indexer.learning import context_due, learn_context
from indexer.manifest import Manifest
from indexer.media.probe import media_files, probe
from indexer.media.timed_text import sidecar_of
from indexer.metadata import metadata_of
from indexer.stages import hear, read, see
from indexer.studio import Studio
from indexer.workbench import workbench
from qdrant.errors import InputError, UsageError

Status = Literal["indexed", "updated", "unchanged", "moved", "failed"]


@dataclass(frozen=True)
class TitleResult:
    """What became of one file."""

    title_id: str | None
    path: str
    shots: int
    seconds: float  # of film
    status: Status
    reason: str  # a sentence: why it failed, or what is missing; empty otherwise
    took_s: float = 0.0


def index(paths: Sequence[Path], studio: Studio) -> Iterator[TitleResult]:
    """Index files and folders of files, one after another; a bad file never stops the rest.

    Where the library has no context model yet, one is learned after the titles are published, and
    their contextual vectors follow.
    """
    found = False
    for path in media_files(list(paths)):
        found = True
        started = time.perf_counter()
        try:
            result = index_title(path, studio)
        except InputError as error:
            result = TitleResult(None, str(path), 0, 0.0, "failed", str(error))
        studio.published()
        yield replace(result, took_s=round(time.perf_counter() - started, 2))
    if not found:
        names = ", ".join(str(path) for path in paths)
        raise UsageError(f"There is no film or sound to index in {names}.")
    if context_due(studio.library) == "first":
        learn_context(studio)
        studio.published()


def index_title(path: Path, studio: Studio) -> TitleResult:
    """Index one file: nothing is done twice, and a title appears whole or not at all."""
    identity = identify(path, studio.library)
    sidecar = sidecar_of(path, languages=studio.library.profile.text_languages)
    metadata = metadata_of(path, title_id=identity.title_id, library_root=studio.library.root)
    version, checkpoint = studio.library.version, studio.library.checkpoint_id()
    if identity.is_settled(sidecar, metadata, version=version, checkpoint=checkpoint):
        return _told(identity.known, path, "unchanged")

    media = probe(path)
    with workbench(studio.library, identity.title_id) as bench:
        shots = see(media, identity, bench, studio)
        hear(media, identity, shots, bench, studio)
        read(sidecar, metadata, shots, bench, studio)
        contextualise_title(bench, studio)
        manifest = assemble(media, identity, sidecar, metadata, bench, studio)
    return _told(manifest, path, _status(identity, manifest))


def _status(identity: Identity, manifest: Manifest) -> Status:
    if identity.known is None:
        return "indexed"
    if identity.known.generation != manifest.generation:
        return "updated"
    return "unchanged" if identity.known.path == manifest.path else "moved"


def _told(manifest: Manifest | None, path: Path, status: Status) -> TitleResult:
    assert manifest is not None
    return TitleResult(
        title_id=manifest.title_id,
        path=str(path),
        shots=manifest.num_shots,
        seconds=round(manifest.duration_s, 3),
        status=status,
        reason=" ".join(manifest.notes),
    )
