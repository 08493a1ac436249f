"""Looking at a clip: its in and out are cuts, and what lies outside them is not encoded."""

from __future__ import annotations

import math
from collections.abc import Iterable
from contextlib import closing
from typing import TYPE_CHECKING

import numpy as np

from indexer.choices import Choices
from indexer.media.decode import Decoding
from indexer.media.probe import Media
from indexer.shots.detect import detector_of
from indexer.shots.framed import FramedBoundaries
from indexer.shots.watch import WatchedShot, watch
from indexer.sound.recording import Recording
from indexer.sound.segments import segments
from indexer.sound.spans import Span
from indexer.stages.listening import Listening
from indexer.stages.see import SAMPLES_A_MS, batches, row_of
from indexer.studio import Studio
from indexer.words.captions import CaptionDecoder
from indexer.workbench import Workbench
from qdrant.errors import InputError
from qdrant.schema import VIDEO

if TYPE_CHECKING:
    import pandas as pd


def see_clip(
    media: Media,
    sound: Listening,
    bench: Workbench,
    studio: Studio,
    *,
    span: Span,
    choices: Choices,
) -> pd.DataFrame:
    """Find the shots in a span and what each looks like; return their table, a row a shot.

    Their times are those of the file. Raises `InputError` where nothing lies in the span.
    """
    import pandas as pd

    with bench.doing("see", _told(span)):
        sound.begin()
        if not media.picture:
            shots = pd.DataFrame(_segments(media, sound, span))
        else:
            shots = _watch(media, bench, studio, span=span, choices=choices)
        bench.save_table("pictures", shots)
    return shots


def _watch(
    media: Media, bench: Workbench, studio: Studio, *, span: Span, choices: Choices
) -> pd.DataFrame:
    import pandas as pd

    captions, report = CaptionDecoder(), Decoding()
    detector = FramedBoundaries(detector_of(choices.detector), start_s=span[0], end_s=span[1])
    watched = watch(
        media,
        detector=detector,
        report=report,
        progress=lambda num_frames: studio.progress("Looking", num_frames, media.expected_frames),
        captions=captions.see,
    )
    encoder, rows, vectors = studio.encoders.video, [], []
    with closing(watched):
        for batch in batches(_inside(watched, detector)):
            rows += [row_of(shot) for shot in batch]
            vectors += [encoder.encode([shot.samples for shot in batch])] if encoder else []
    if not rows:
        raise _no_frame(media, span, num_frames=report.num_frames, bounds=detector)
    bench.save_cues("captions", captions.cues())
    if encoder:
        bench.save_vectors(VIDEO, encoder.version, shots=np.concatenate(vectors))
    return pd.DataFrame(rows)


def _inside(shots: Iterable[WatchedShot], bounds: FramedBoundaries) -> Iterable[WatchedShot]:
    """Yield the shots between the bounds, and look no further."""
    for shot in shots:
        if bounds.end_frame is not None and shot.start_frame >= bounds.end_frame:
            return
        if bounds.start_frame is not None and shot.start_frame >= bounds.start_frame:
            yield shot


def _no_frame(media: Media, span: Span, *, num_frames: int, bounds: FramedBoundaries) -> InputError:
    """Say why there is no frame: the file ends before, or none begins between in and out."""
    frame_s = float(1 / media.rate)
    if bounds.start_frame is None:
        why = f"it ends at about {num_frames * frame_s:.2f} s; give another in and out"
    else:
        why = f"a frame lasts {frame_s:.3f} s; give a later out"
    return InputError(f"{media.path} has no frame in {_told(span)}: {why}.")


def _segments(media: Media, sound: Listening, span: Span) -> list[dict[str, float]]:
    """Return the segments of a clip that is sound alone; its frames are milliseconds."""
    heard = sound.heard()
    start_ms = round(span[0] * 1000)
    end_ms = round(min(span[1], heard.recording.duration_s) * 1000)
    samples = heard.recording.samples[start_ms * SAMPLES_A_MS : end_ms * SAMPLES_A_MS]
    if not len(samples):
        raise InputError(
            f"{media.path} has no sound in {_told(span)}: it ends at "
            f"{heard.recording.duration_s:.2f} s; give another in and out."
        )
    speech = [(a - span[0], b - span[0]) for a, b in heard.speech or ()]
    return [
        {
            "start_frame": start_ms + first,
            "end_frame": start_ms + last,
            "start_s": (start_ms + first) / 1000,
            "end_s": (start_ms + last) / 1000,
        }
        for first, last in segments(Recording(samples, heard.recording.loudness), speech)
    ]


def _told(span: Span) -> str:
    return f"[{span[0]:g} s, {'end' if math.isinf(span[1]) else f'{span[1]:g} s'})"
