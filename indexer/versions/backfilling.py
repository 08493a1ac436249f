"""Backfilling: every title of the library encoded into a version beside the one in use.

Shots, pictures, words and measures stay as they were indexed and are shared on disk (hard links);
what an encoder that both versions have has made is shared too. All else is encoded anew from the
file. A title is there whole or not at all, and each of its stages is recorded, so that a run that
was killed goes on where it stopped.
"""

from __future__ import annotations

import logging
import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from indexer.assembly import contextualise_title, reassemble
from indexer.choices import Choices, choices_of
from indexer.disk import explained
from indexer.encoders.kinds import ENCODED_SPACES, HEARD_SPACES
from indexer.identity import Identity
from indexer.learning import bring_into_context, context_due, learn_context
from indexer.library import Library
from indexer.manifest import MANIFEST_FILE, Manifest
from indexer.media.probe import Media, probe
from indexer.stages.see import inputs_of_seeing
from indexer.studio import Studio
from indexer.tagging.tags import carried_over
from indexer.versions.again import listen_again, look_again, read_again
from indexer.versions.ledger import CARRIED, carried_from, elsewhere, lacking, state_of
from indexer.workbench import STAGES_FILE, Workbench, digest, workbench
from qdrant.errors import CannotRunNow, InputError, TrimbinError
from qdrant.schema import AUDIO, TEXT, VIDEO

logger = logging.getLogger(__name__)

OWN_FILES = (MANIFEST_FILE, STAGES_FILE, ".lock")
"""What every version has of its own in a title's folder, beside its vectors."""
UNFINISHED = ""
"""Where a title comes from while it is still being carried: no state of any title."""


@dataclass(frozen=True)
class Backfilled:
    """What became of one title."""

    title_id: str
    title: str
    path: str
    shots: int
    status: Literal["backfilled", "failed"]
    reason: str = ""  # a sentence: why it failed
    took_s: float = 0.0


def backfill(studio: Studio, source: Library) -> Iterator[Backfilled]:
    """Give the studio's version every title that it lacks; one that fails stops no other.

    `source` is the library in the version in use. Then the version's own context model is learned,
    where it has none and the library is large enough. Searching and the other versions are not
    touched. Raises `CannotRunNow` where the library cannot be written.
    """
    version = studio.library
    _forget_removed(version, source)
    origins = {m.title_id: other for other, m in elsewhere(version)}
    for title_id, manifest in lacking(version, source).items():
        started = time.perf_counter()
        origin = source if version.beside != source.beside else origins[title_id]
        done = _backfill_one(manifest, origin, studio)
        studio.published()
        yield replace(done, took_s=round(time.perf_counter() - started, 2))
    if context_due(version) == "first":
        learn_context(studio, seconds=None)
    bring_into_context(studio)
    studio.published()


def _backfill_one(manifest: Manifest, origin: Library, studio: Studio) -> Backfilled:
    done = Backfilled(manifest.title_id, manifest.title, manifest.path, 0, "backfilled")
    try:
        return replace(done, shots=backfill_title(manifest, origin, studio).num_shots)
    except CannotRunNow:
        raise
    except Exception as error:
        return replace(done, status="failed", reason=_reason(manifest, error))


def _reason(manifest: Manifest, error: Exception) -> str:
    """Say why a title failed. What we did not foresee is told too, and logged in full."""
    if isinstance(error, TrimbinError):
        return str(error)
    logger.info("%s failed", manifest.path, exc_info=error)
    return (
        f"{manifest.title} cannot be encoded again ({type(error).__name__}: {error}). Run "
        "`trimbin index` on it, then backfill again."
    )


def backfill_title(manifest: Manifest, origin: Library, studio: Studio) -> Manifest:
    """Encode one title into the studio's version, as it was cut and read in its origin.

    Raises `InputError` where its file is gone or has changed, or somebody else works on it.
    """
    with workbench(studio.library, manifest.title_id) as bench:
        with workbench(origin, manifest.title_id) as made:  # nobody changes it while it is shared
            now = origin.find(manifest.title_id)
            if now is None:
                raise InputError(f"{manifest.title} has gone from the library.")
            if now.live:
                raise InputError(f"{now.title} is still being recorded; backfill again afterwards.")
            shared = _shared_spaces(now, origin, studio)
            with explained(origin.root):
                _share(made.folder, bench.folder, vectors=shared.values())
            done, state = dict(made.done), state_of(origin, now)
            bench.facts.update({**made.facts, CARRIED: UNFINISHED})
        _encode(now, bench, studio, done=done, shared=shared)
        contextualise_title(bench, studio)
        library = studio.library
        tagged = carried_over(
            _of_version(now, studio),
            library.find(manifest.title_id),
            library.shots(manifest.title_id),
            bench.folder,
        )
        finished = reassemble(tagged, bench, studio)
        bench.facts[CARRIED] = state
        with bench.doing("carry", state):
            return finished


def _encode(
    manifest: Manifest,
    bench: Workbench,
    studio: Studio,
    *,
    done: Mapping[str, str],
    shared: Mapping[str, str],
) -> None:
    """Do the stages that make vectors, each unless it is done; record the others as done."""
    choices = choices_of(manifest.choices, {})

    def look(_: Sequence[str]) -> None:
        if manifest.width:
            look_again(_media(manifest, choices), bench, studio, choices=choices)

    def listen(spaces: Sequence[str]) -> None:
        if manifest.audio_codec:
            listen_again(_media(manifest, choices), bench, studio, spaces=spaces)

    def read_on(_: Sequence[str]) -> None:
        read_again(manifest.metadata, bench, studio)

    seen = inputs_of_seeing(_identity(manifest), choices, studio)
    heard = digest("hear", seen, studio.makes(AUDIO))
    said = digest("carried", done.get("transcribe"))
    read = digest("carried", done.get("read"), manifest.metadata, studio.makes(TEXT))
    stages: list[tuple[str, str, tuple[str, ...], Callable[[Sequence[str]], None]]] = [
        ("see", seen, (VIDEO,), look),
        ("hear", heard, HEARD_SPACES, listen),
        ("transcribe", said, (), lambda _: None),
        ("read", read, (TEXT,), read_on),
    ]
    for stage, inputs, spaces, make in stages:
        if not bench.is_done(stage, inputs):
            with bench.doing(stage, inputs):
                bench.spaces.update({space: shared[space] for space in spaces if space in shared})
                ours = [space for space in spaces if space in studio.encoders.profile.encoders]
                anew = [space for space in ours if space not in shared]
                for space in anew:
                    bench.spaces.pop(space, None)
                if to_make := [space for space in anew if space not in studio.encoders.missing]:
                    make(to_make)


def _media(manifest: Manifest, choices: Choices) -> Media:
    if not manifest.is_online:
        raise InputError(
            f"{manifest.title} cannot be encoded again: {manifest.path} is not there, or not as it "
            "was. Put it back, or run `trimbin index` on it; then backfill again."
        )
    return probe(Path(manifest.path), stream=choices.stream)


def _identity(manifest: Manifest) -> Identity:
    return Identity(
        title_id=manifest.title_id,
        path=Path(manifest.path),
        content_hash=manifest.content_hash,
        size=manifest.size,
        mtime_ns=manifest.mtime_ns,
        known=manifest,
    )


def _of_version(manifest: Manifest, studio: Studio) -> Manifest:
    """Return the manifest as the studio's version has it, but for what its vectors decide."""
    missing = studio.encoders.missing
    notes = [
        note
        for note in manifest.notes
        if not note.startswith(tuple(map(_left_out, ENCODED_SPACES)))
    ]
    notes += [f"{_left_out(space)}: {reason}." for space, reason in missing.items()]
    return replace(
        manifest,
        version=studio.library.version,
        inputs={**manifest.inputs, "missing": digest(sorted(missing))},
        notes=tuple(notes),
        tags=None,  # they were told by the other version's vectors
        tag_names={},
    )


def _left_out(space: str) -> str:
    return f"The {space} space is left out"


def _shared_spaces(manifest: Manifest, origin: Library, studio: Studio) -> dict[str, str]:
    """Return the vector files of the encoders that both versions have: space -> file."""
    theirs, ours = origin.profile.encoders, studio.library.profile.encoders

    def is_same(space: str) -> bool:
        if space not in theirs or space not in ours:
            return False
        a, b = theirs[space], ours[space]
        is_there = (origin.folder(manifest.title_id) / manifest.spaces[space]).is_file()
        return is_there and (a.kind, a.dim, a.settings) == (b.kind, b.dim, b.settings)

    return {space: file for space, file in manifest.spaces.items() if is_same(space)}


def _share(made: Path, folder: Path, *, vectors: Iterable[str]) -> None:
    """Let a title's folder have the files of another version's, those of its own left out."""
    names = [path.relative_to(made) for path in made.rglob("*") if path.is_file()]
    for name in names:
        is_own = name.name in OWN_FILES or name.name.startswith("tags@") or name.suffix == ".part"
        is_vectors = name.suffix == ".safetensors"
        if not is_own and (not is_vectors or name.name in vectors):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            _link(made / name, folder / name)


def _link(source: Path, target: Path) -> None:
    """Make `target` the same file as `source`, or a copy where the disk knows no links."""
    if target.exists() and target.samefile(source):
        return
    part = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        try:
            os.link(source, part)
        except OSError:
            shutil.copy2(source, part)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _forget_removed(version: Library, source: Library) -> None:
    """Take titles out that were carried here and have been removed where they came from."""
    if version.beside == source.beside:
        return
    for manifest in version.titles():
        title_id = manifest.title_id
        if not source.has_folder(title_id) and carried_from(version, title_id) is not None:
            with explained(version.root):
                (version.folder(title_id) / MANIFEST_FILE).unlink(missing_ok=True)
                shutil.rmtree(version.folder(title_id))
