"""Listening: how loud each shot is, what is heard in it, and what it sounds like."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from indexer.encoders.kinds import HEARD_SPACES
from indexer.encoders.protocol import AnyEncoder, Vectors
from indexer.sound.spans import Span, share
from indexer.stages.listening import Heard, Listening
from indexer.stages.see import BATCH_SHOTS, batches
from indexer.studio import Studio
from indexer.workbench import Workbench, digest
from qdrant.schema import AUDIO

if TYPE_CHECKING:
    import pandas as pd


def hear(sound: Listening, shots: pd.DataFrame, bench: Workbench, studio: Studio) -> None:
    """Measure and encode what each shot sounds like; a silent shot has no vector of it."""
    import pandas as pd

    inputs = digest("hear", bench.done["see"], studio.makes(AUDIO))
    if bench.is_done("hear", inputs):
        return
    with bench.doing("hear", inputs) as notes:
        for space in HEARD_SPACES:
            bench.spaces.pop(space, None)
        if sound.is_silent_film:
            bench.save_table("sound", pd.DataFrame({"loudness": [None] * len(shots)}))
            notes.append("It has no sound.")
            return
        heard = sound.heard()
        spans = list(zip(shots["start_s"], shots["end_s"], strict=True))
        bench.save_table("sound", pd.DataFrame([measures_of(heard, span) for span in spans]))
        bench.facts["loudness_lufs"] = heard.recording.integrated_lufs
        if heard.deaf_to_speech:
            notes.append(f"Where people speak is not known: {heard.deaf_to_speech}.")
        for space in HEARD_SPACES:
            if encoder := studio.encoders.of(space):
                vectors = encode_sound(heard, spans, encoder, studio)
                bench.save_vectors(space, encoder.version, shots=vectors)


def measures_of(heard: Heard, span: Span) -> dict[str, Any]:
    """Return how loud a span is, its shares of speech and music: a row of the table of sound."""
    measures: dict[str, Any] = {
        "loudness": heard.recording.loudness_between(*span),
        "silent": heard.recording.is_silent(*span),
        "music": share(heard.music, *span),
    }
    if heard.speech is not None:
        measures["speech"] = share(heard.speech, *span)
    return measures


def encode_sound(
    heard: Heard, spans: Sequence[Span], encoder: AnyEncoder, studio: Studio
) -> Vectors:
    """Return (num_shots, dim) vectors."""
    recording = heard.recording
    vectors: list[Vectors] = []
    for number, batch in enumerate(batches(spans)):
        studio.progress("Listening", number * BATCH_SHOTS, len(spans))
        sounds = [
            None if recording.is_silent(*span) else recording.between(*span) for span in batch
        ]
        vectors.append(encoder.encode(sounds))
    studio.progress("Listening", len(spans), len(spans))
    return np.concatenate(vectors)
