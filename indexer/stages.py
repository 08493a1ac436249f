"""The stages a title goes through, each recorded with the hash of its inputs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from indexer.beside import Beside
from indexer.encoders.protocol import Vectors
from indexer.identity import Identity
from indexer.media.decode import Decoding
from indexer.media.probe import Media
from indexer.media.sound import SILENCE_DBFS, loudness_dbfs, recording
from indexer.media.timed_text import Cue, Sidecar, dialogue_of, read_cues
from indexer.metadata import description_of
from indexer.shots.segments import segments
from indexer.shots.watch import WatchedShot, watch
from indexer.studio import Studio
from indexer.workbench import Workbench, digest
from qdrant.errors import InputError
from qdrant.schema import AUDIO, TEXT, VIDEO

if TYPE_CHECKING:
    import pandas as pd

ItemT = TypeVar("ItemT")

BATCH_SHOTS = 16
PARTIAL_SHARE = 0.98
"""Fewer decoded frames than this share of what the container states: the title is partial."""


def see(media: Media, identity: Identity, bench: Workbench, studio: Studio) -> pd.DataFrame:
    """Find the shots and what each looks like; return their table, a row a shot."""
    inputs = digest("see", identity.content_hash, studio.makes(VIDEO))
    if not bench.is_done("see", inputs):
        with bench.doing("see", inputs) as notes:
            if media.picture:
                _watch_film(media, bench, studio, notes)
            else:
                _cut_sound(media, bench)
                notes.append("It has no picture: its segments run from pause to pause.")
    return bench.table("pictures")


def _watch_film(media: Media, bench: Workbench, studio: Studio, notes: list[str]) -> None:
    import pandas as pd

    assert media.picture is not None
    report = Decoding()
    total = media.expected_frames
    shots = watch(
        media,
        report=report,
        progress=lambda frame: studio.progress("Looking", frame + 1, total),
    )
    rows, vectors = [], []
    for batch in _batches(shots):
        if studio.encoders.video:
            vectors.append(studio.encoders.video.encode([shot.samples for shot in batch]))
        for shot in batch:
            bench.write(f"thumbs/{shot.number:05d}.jpg", shot.thumbnail)
            rows.append(_row(shot))
    bench.save_table("pictures", pd.DataFrame(rows))
    if vectors and studio.encoders.video:
        bench.save_vectors(VIDEO, studio.encoders.video.version, shots=np.concatenate(vectors))
    bench.facts["partial"] = report.num_frames < PARTIAL_SHARE * total
    notes += _what_is_missing(report, total)


def _what_is_missing(report: Decoding, expected: int) -> Iterator[str]:
    """Say in sentences what the file should have had and did not."""
    if report.num_frames < PARTIAL_SHARE * expected:
        why = report.ended_early or "it was cut off"
        yield f"Only {report.num_frames} of {expected} frames could be decoded ({why})."
    if report.damaged_packets:
        yield f"{report.damaged_packets} damaged places were passed over."


def _row(shot: WatchedShot) -> dict[str, Any]:
    return {
        "shot": shot.number,
        "start_frame": shot.start_frame,
        "end_frame": shot.end_frame,
        "start_s": shot.start_s,
        "end_s": shot.end_s,
        "brightness": shot.brightness,
        "motion": shot.motion,
    }


def _cut_sound(media: Media, bench: Workbench) -> None:
    """Make the table of a title that is sound alone; its frames are milliseconds."""
    import pandas as pd

    with recording(media) as sound:
        spans = segments(sound)
    if not spans or spans[-1][1] == 0:
        raise InputError(f"No sound of {media.path} can be decoded. Re-export it.")
    starts, ends = zip(*spans, strict=True)
    seconds = {"start_s": np.array(starts) / 1000, "end_s": np.array(ends) / 1000}
    frames = {"shot": range(len(spans)), "start_frame": starts, "end_frame": ends}
    bench.save_table("pictures", pd.DataFrame({**frames, **seconds}))


def hear(media: Media, shots: pd.DataFrame, bench: Workbench, studio: Studio) -> None:
    """Measure and encode what each shot sounds like; a silent shot has no audio vector."""
    import pandas as pd

    inputs = digest("hear", bench.done["see"], studio.makes(AUDIO))
    if bench.is_done("hear", inputs):
        return
    with bench.doing("hear", inputs) as notes:
        bench.spaces.pop(AUDIO, None)
        if media.sound is None:
            bench.save_table("sound", pd.DataFrame({"loudness": [None] * len(shots)}))
            notes.append("It has no sound.")
            return
        levels: list[float] = []
        vectors: list[Vectors] = []
        with recording(media) as sound:
            spans = zip(shots["start_s"], shots["end_s"], strict=True)
            for batch in _batches(spans):
                sounds = [sound.between(*span) for span in batch]
                loud = [loudness_dbfs(samples) for samples in sounds]
                levels += loud
                if studio.encoders.audio:
                    heard = [
                        s if db > SILENCE_DBFS else None for s, db in zip(sounds, loud, strict=True)
                    ]
                    vectors.append(studio.encoders.audio.encode(heard))
                studio.progress("Listening", len(levels), len(shots))
        bench.save_table("sound", pd.DataFrame({"loudness": levels}))
        if studio.encoders.audio:
            bench.save_vectors(AUDIO, studio.encoders.audio.version, shots=np.concatenate(vectors))


def read(beside: Beside, shots: pd.DataFrame, bench: Workbench, studio: Studio) -> None:
    """Lay the subtitles over the shots and encode what is said, and what the title is about."""
    import pandas as pd

    sidecar, description = beside.sidecar, description_of(beside.metadata)
    words = sidecar.content_hash if sidecar else None
    inputs = digest("read", words, description, bench.done["see"], studio.makes(TEXT))
    if bench.is_done("read", inputs):
        return
    with bench.doing("read", inputs) as notes:
        bench.spaces.pop(TEXT, None)
        cues = _cues(sidecar, notes)
        spans = list(zip(shots["start_s"], shots["end_s"], strict=True))
        spoken = dialogue_of(spans, cues)
        bench.save_table("words", pd.DataFrame({"dialogue": ["\n".join(s) for s in spoken]}))
        if not studio.encoders.text:
            return
        items = [" ".join(lines) or None for lines in spoken]
        studio.tell_cost([item for item in [*items, description] if item])
        studio.progress("Reading", 0, len(items))
        encoded = studio.encoders.text.encode([*items, description or None])
        studio.progress("Reading", len(items), len(items))
        bench.save_vectors(
            TEXT, studio.encoders.text.version, shots=encoded[:-1], title=encoded[-1:]
        )


def _cues(sidecar: Sidecar | None, notes: list[str]) -> Sequence[Cue]:
    """Return what is said; bad subtitles cost a film its words and nothing more."""
    if sidecar is None:
        return ()
    try:
        return read_cues(sidecar)
    except InputError as error:
        notes.append(f"Its dialogue is left out: {error}")
        return ()


def _batches(items: Iterable[ItemT]) -> Iterator[list[ItemT]]:
    rest = iter(items)
    while batch := list(islice(rest, BATCH_SHOTS)):
        yield batch
