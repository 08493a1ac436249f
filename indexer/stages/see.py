"""Looking: the shots of a film, what each looks like, and what is written in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from indexer.choices import Choices
from indexer.identity import Identity
from indexer.media.decode import Decoding
from indexer.media.probe import Media
from indexer.shots.detect import detector_of
from indexer.shots.look import READING_SIDE_PX, SHORT_SIDE_PX
from indexer.shots.measures import Look
from indexer.shots.watch import WatchedShot, watch
from indexer.sound.recording import SAMPLE_RATE_HZ
from indexer.sound.segments import segments
from indexer.sound.waveform import waveform_jpeg
from indexer.stages.encoding import encoding
from indexer.stages.listening import Listening
from indexer.studio import Studio
from indexer.words.captions import CaptionDecoder
from indexer.workbench import Workbench, digest
from qdrant.errors import InputError
from qdrant.schema import VIDEO

if TYPE_CHECKING:
    import pandas as pd

    from indexer.words.screen import ScreenReader

ItemT = TypeVar("ItemT")

BATCH_SHOTS = 16
SAMPLES_A_MS = SAMPLE_RATE_HZ // 1000
PARTIAL_SHARE = 0.98
"""Fewer decoded frames than this share of what the container states: the title is partial."""


def see(
    media: Media,
    identity: Identity,
    sound: Listening,
    bench: Workbench,
    studio: Studio,
    *,
    choices: Choices,
) -> pd.DataFrame:
    """Find the shots and what each looks like; return their table, a row a shot."""
    inputs = inputs_of_seeing(identity, choices, studio)
    if not bench.is_done("see", inputs):
        with bench.doing("see", inputs) as notes:
            bench.spaces.pop(VIDEO, None)
            sound.begin()
            if media.picture:
                _watch_film(media, bench, studio, choices, notes)
            else:
                _cut_sound(media, sound, bench)
                notes.append("It has no picture: its segments run from pause to pause.")
            notes += media.notes
    return bench.table("pictures")


def inputs_of_seeing(identity: Identity, choices: Choices, studio: Studio) -> str:
    """Return the hash of all that decides what is seen."""
    how = [choices.detector, choices.ocr, choices.stream]
    return digest("see", identity.content_hash, studio.makes(VIDEO), how)


def _watch_film(
    media: Media, bench: Workbench, studio: Studio, choices: Choices, notes: list[str]
) -> None:
    import pandas as pd

    report, captions = Decoding(), CaptionDecoder()
    detector = detector_of(choices.detector)
    reader = _screen_reader(choices, notes)
    total = media.expected_frames
    shots = watch(
        media,
        detector=detector,
        report=report,
        progress=lambda num_frames: studio.progress("Looking", num_frames, total),
        captions=captions.see,
        short_side_px=READING_SIDE_PX if reader else SHORT_SIDE_PX,
    )
    rows = []
    with closing(shots), encoding(lambda: studio.encoders.video) as encode:
        for batch in batches(shots):
            encode([shot.samples for shot in batch])
            for shot in batch:
                write_look(bench, shot.number, shot.look)
                rows.append({**row_of(shot), "screen_text": _written(shot, reader)})
        vectors = encode.vectors()
    bench.save_table("pictures", pd.DataFrame(rows))
    bench.save_cues("captions", captions.cues())
    if studio.encoders.video:
        bench.save_vectors(VIDEO, studio.encoders.video.version, shots=vectors)
    bench.facts["partial"] = report.num_frames < PARTIAL_SHARE * total
    notes += what_is_missing(report, total)
    notes += [detector.missing] if detector.missing else []


def write_look(bench: Workbench, number: int, look: Look) -> None:
    """Keep the pictures that stand for a shot: one of it, and its sheet."""
    bench.write(f"thumbs/{number:05d}.jpg", look.thumbnail)
    bench.write(f"sheets/{number:05d}.jpg", look.sheet)


def what_is_missing(report: Decoding, expected: int) -> Iterator[str]:
    """Say in sentences what the file should have had and did not."""
    if report.num_frames < PARTIAL_SHARE * expected:
        why = report.ended_early or "it was cut off"
        yield f"Only {report.num_frames} of {expected} frames could be decoded ({why})."
    if report.damaged_packets:
        yield f"{report.damaged_packets} damaged places were passed over."


def row_of(shot: WatchedShot) -> dict[str, Any]:
    """Return a shot's row of the table of pictures."""
    opening = shot.opening
    return {
        "shot": shot.number,
        "start_frame": shot.start_frame,
        "end_frame": shot.end_frame,
        "start_s": shot.start_s,
        "end_s": shot.end_s,
        "brightness": shot.brightness,
        "motion": shot.motion,
        "sharpness": shot.look.sharpness,
        "colour": shot.look.colour,
        "saturation": shot.look.saturation,
        "fingerprint": shot.look.fingerprint,
        "transition": opening.kind if opening else None,
        "transition_start_frame": opening.start_frame if opening else shot.start_frame,
        "transition_end_frame": opening.end_frame if opening else shot.start_frame,
        "cut_confidence": opening.confidence if opening else 1.0,
    }


def _screen_reader(choices: Choices, notes: list[str]) -> ScreenReader | None:
    if not choices.ocr:
        return None
    from indexer.words.screen import ScreenReader, obstacle

    why_not = obstacle()
    if why_not is None:
        return ScreenReader()
    notes.append(f"What is written in its pictures was not read: {why_not}.")
    return None


def _written(shot: WatchedShot, reader: ScreenReader | None) -> str:
    if reader is None:
        return ""
    from indexer.words.screen import text_of_shot

    return "\n".join(line.text for line in text_of_shot(shot.samples, reader))


def _cut_sound(media: Media, sound: Listening, bench: Workbench) -> None:
    """Make the table of a title that is sound alone; its frames are milliseconds."""
    import pandas as pd

    heard = sound.heard()
    spans = segments(heard.recording, heard.speech or ())
    if not spans or spans[-1][1] == 0:
        raise InputError(f"No sound of {media.path} can be decoded. Re-export it.")
    for number, (start_ms, end_ms) in enumerate(spans):
        samples = heard.recording.samples[start_ms * SAMPLES_A_MS : end_ms * SAMPLES_A_MS]
        bench.write(f"thumbs/{number:05d}.jpg", waveform_jpeg(samples))
    starts, ends = zip(*spans, strict=True)
    seconds = {"start_s": np.array(starts) / 1000, "end_s": np.array(ends) / 1000}
    frames = {"shot": range(len(spans)), "start_frame": starts, "end_frame": ends}
    bench.save_table("pictures", pd.DataFrame({**frames, **seconds}))


def batches(items: Iterable[ItemT]) -> Iterator[list[ItemT]]:
    """Yield items in lists of a size that encoders like."""
    rest = iter(items)
    while batch := list(islice(rest, BATCH_SHOTS)):
        yield batch
