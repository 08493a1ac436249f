"""The write story: a file becomes shots in context, ready to be searched.

A film is looked at, listened to and read; each shot gets a vector of each; the three are put into
the context of the whole title; and the finished folder is published by whoever owns the store.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from indexer.assembly import assemble, contextualise_title
from indexer.beside import gather
from indexer.choices import choices_of
from indexer.identity import Identity, identify
from indexer.learning import bring_into_context, context_due, learn_context
from indexer.manifest import Manifest
from indexer.media.probe import media_files, printable, probe
from indexer.stages.hear import hear
from indexer.stages.listening import listening
from indexer.stages.read import read
from indexer.stages.see import see
from indexer.stages.transcribe import transcribe
from indexer.studio import Studio
from indexer.words.tracks import tracks_of
from indexer.workbench import workbench
from qdrant.errors import CannotRunNow, TrimbinError, UsageError

logger = logging.getLogger(__name__)

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
        except CannotRunNow:
            raise
        except Exception as error:
            result = TitleResult(None, printable(path), 0, 0.0, "failed", _reason(error, path))
        studio.published()
        yield replace(result, took_s=round(time.perf_counter() - started, 2))
    if not found:
        names = ", ".join(str(path) for path in paths)
        raise UsageError(f"There is no film or sound to index in {names}.")
    if context_due(studio.library) == "first":
        try:
            learn_context(studio)
        except CannotRunNow as error:
            studio.say(f"The context model is still to be learned: {error}")
    bring_into_context(studio)
    studio.published()


def index_title(path: Path, studio: Studio) -> TitleResult:
    """Index one file: nothing is done twice, and a title appears whole or not at all."""
    identity = identify(path, studio.library)
    if identity.original:
        return _copy(identity.original, path)
    choices = choices_of(identity.known.choices if identity.known else {}, studio.chosen)
    beside = gather(identity, studio, choices=choices)
    if identity.is_settled(beside.inputs, studio.library):
        return _told(identity.known, path, "unchanged")

    media = probe(path, stream=choices.stream)
    tracks = tracks_of(path, languages=studio.library.profile.text_languages)
    with workbench(studio.library, identity.title_id) as bench, listening(media) as sound:
        shots = see(media, identity, sound, bench, studio, choices=choices)
        hear(sound, shots, bench, studio)
        transcribe(sound, beside, tracks, bench, studio, choices=choices)
        read(tracks, beside, shots, bench, studio)
        contextualise_title(bench, studio)
        manifest = assemble(media, identity, beside, bench, studio, choices=choices)
    return _told(manifest, path, _status(identity, manifest))


def _reason(error: Exception, path: Path) -> str:
    """Say why a file failed. What we did not foresee is told too, and logged in full."""
    if isinstance(error, TrimbinError):
        return str(error)
    logger.info("%s failed", printable(path), exc_info=error)
    return (
        f"{printable(path)} cannot be indexed ({type(error).__name__}: {error}). "
        "Re-export it, or report it with the log of `trimbin -v index`."
    )


def _status(identity: Identity, manifest: Manifest) -> Status:
    if identity.known is None:
        return "indexed"
    if identity.known.generation != manifest.generation:
        return "updated"
    return "unchanged" if identity.known.path == manifest.path else "moved"


def _copy(original: Manifest, path: Path) -> TitleResult:
    reason = f"It is a copy of {original.path}, which is indexed."
    return replace(_told(original, path, "unchanged"), reason=reason)


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
