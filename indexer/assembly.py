"""From finished stages to a finished title: context, one table of shots, the manifest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from indexer.beside import Beside
from indexer.choices import Choices
from indexer.encoders.fuse import fuse
from indexer.encoders.protocol import Vectors, unit
from indexer.identity import Identity
from indexer.library import SHOTS_FILE, Library
from indexer.manifest import Manifest
from indexer.media.probe import Media
from indexer.studio import Studio
from indexer.tagging.tags import carried_over, tidy_tags
from indexer.workbench import Workbench, digest, load_vectors
from qdrant.schema import AUDIO, CONTEXT, TEXT, TOLD, VIDEO

if TYPE_CHECKING:
    from indexer.context.reader import ReadyCheckpoint
    from indexer.context.sequence import TitleSequence

STAGES = ("see", "hear", "transcribe", "read")


def contextualise_title(bench: Workbench, studio: Studio) -> None:
    """Put every shot into the context of its title, where the library has a context model."""
    checkpoint = studio.checkpoint
    if checkpoint is None:
        for space in (CONTEXT, TOLD):
            bench.spaces.pop(space, None)
        return
    inputs = digest("context", checkpoint.id, [bench.done[stage] for stage in STAGES])
    if bench.is_done("context", inputs):
        return
    from indexer.context.vectors import contextualise

    with bench.doing("context", inputs):
        sequence = title_sequence(
            studio.library,
            bench.folder.name,
            bench.spaces,
            num_shots=len(bench.table("pictures")),
        )
        vectors = contextualise(checkpoint.model, sequence)
        bench.save_vectors(CONTEXT, checkpoint.id, shots=vectors.shots, title=vectors.title[None])
        key_shots(bench, checkpoint, vectors.shots)


def key_shots(bench: Workbench, checkpoint: ReadyCheckpoint, shots: Vectors) -> None:
    """Give shots the keys by which words find them, where the library has a tower for words.

    `shots` (num_shots, context_dim) are as they are in context: a tower reads both halves.
    """
    bench.spaces.pop(TOLD, None)
    if checkpoint.tower is None:
        return
    from indexer.tower.train import keys_of

    fused, expected = (unit(half) for half in np.split(shots, 2, axis=1))
    bench.save_vectors(
        TOLD, checkpoint.id, shots=keys_of(checkpoint.tower.restore(), fused, expected)
    )


def title_sequence(
    library: Library, title_id: str, spaces: Mapping[str, str], *, num_shots: int
) -> TitleSequence:
    """Return a title's shots as the context model takes them, fused, with its [GLOBAL]."""
    from indexer.context.sequence import TitleSequence

    folder = library.folder(title_id)
    loaded = {
        space: load_vectors(folder / spaces[space])
        for space in (VIDEO, AUDIO, TEXT)
        if space in spaces
    }
    dims = library.profile.dims
    absent = {space: np.zeros((num_shots, dim), np.float32) for space, dim in dims.items()}
    parts = [loaded[space]["shots"] if space in loaded else absent[space] for space in dims]
    described = loaded.get(TEXT, {}).get("title")
    about = described[0] if described is not None and np.any(described) else None
    return TitleSequence(title_id, fuse(parts), about)


def assemble(
    media: Media,
    identity: Identity,
    beside: Beside,
    bench: Workbench,
    studio: Studio,
    *,
    choices: Choices,
) -> Manifest:
    """Join the stages' tables, write the manifest, and so finish the title."""
    import pandas as pd

    metadata = beside.metadata
    tables = [bench.table(name) for name in ("pictures", "sound", "words")]
    shots = pd.concat(tables, axis="columns")
    bench.save_table(SHOTS_FILE.removesuffix(".parquet"), shots)
    picture, last = media.picture, shots.iloc[-1]
    title = str(metadata.get("title") or identity.path.stem)
    notes = [note for stage in STAGES for note in bench.notes.get(stage, ())]
    for space, reason in studio.encoders.missing.items():
        notes.append(f"The {space} space is left out: {reason}.")
    finished = Manifest(
        title_id=identity.title_id,
        path=str(identity.path),
        content_hash=identity.content_hash,
        size=identity.size,
        mtime_ns=identity.mtime_ns,
        title=title,
        kind=str(metadata.get("kind") or ("film" if picture else "podcast")),
        metadata=dict(metadata),
        inputs=beside.inputs,
        choices=choices.kept(),
        rate=f"{media.rate.numerator}/{media.rate.denominator}",
        drop_frame=media.drop_frame,
        start_timecode=media.start_timecode,
        num_frames=int(last["end_frame"]),
        duration_s=float(last["end_s"]),
        width=picture.width if picture else 0,
        height=picture.height if picture else 0,
        container=media.container,
        video_codec=picture.codec if picture else None,
        pixel_format=picture.pixel_format if picture else None,
        audio_codec=media.sound.codec if media.sound else None,
        is_interlaced=bool(picture and picture.is_interlaced),
        is_variable_rate=bool(picture and picture.is_variable_rate),
        loudness_lufs=bench.facts.get("loudness_lufs"),
        language=bench.facts.get("language") or metadata.get("language"),
        num_shots=len(shots),
        spaces=dict(bench.spaces),
        checkpoint=studio.checkpoint.id if studio.checkpoint else None,
        version=studio.library.version,
        generation=_generation(bench, title, metadata),
        partial=bool(bench.facts.get("partial")),
        notes=tuple(notes),
    )
    known = identity.known
    tagged = carried_over(finished, known, shots, bench.folder)
    if known is not None and known.tags and not tagged.tags:
        studio.say(f"{title}: its tags were of other shots and are gone. Run `trimbin tag`.")
    return _finished(studio, bench, tagged)


def reassemble(manifest: Manifest, bench: Workbench, studio: Studio) -> Manifest:
    """Finish a title anew after its context alone has changed."""
    return _finished(
        studio,
        bench,
        replace(
            manifest,
            spaces=dict(bench.spaces),
            checkpoint=studio.checkpoint.id if studio.checkpoint else None,
            generation=_generation(bench, manifest.title, manifest.metadata),
        ),
    )


def _generation(bench: Workbench, title: str, metadata: Mapping[str, Any]) -> str:
    """Return the hash of all that goes into a title's points."""
    done = {stage: bench.done.get(stage) for stage in (*STAGES, "context")}
    return digest(bench.folder.name, done, bench.spaces, title, metadata)


def _finished(studio: Studio, bench: Workbench, manifest: Manifest) -> Manifest:
    finished = studio.library.finish(manifest)
    bench.tidy(num_shots=finished.num_shots)
    tidy_tags(bench.folder, finished)
    return finished
