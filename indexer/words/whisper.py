"""Speech to words in many languages: Whisper (arXiv 2212.04356), run by faster-whisper.

Its weights come from the hub at first use. Nobody has run them on the machines Trimbin is developed
on: what is tested is that they cannot be had, and what becomes of the segments.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from indexer.encoders.weights import absent_wheels, from_hub, missing_on_disk
from indexer.words.transcribe import Word
from qdrant.errors import WeightsUnavailable

if TYPE_CHECKING:
    from faster_whisper.transcribe import Segment

MODEL = "Systran/faster-whisper-small"
WEIGHTS = "model.bin"
EXTRA = "pip install 'trimbin[transcribe]'"
WAY_OUT = "Or index with `--transcribe never`."

BEAM_SIZE = 5
COMPUTE_TYPE = "auto"  # the fastest that the device has: int8 on a CPU, float16 on a GPU


class WhisperTranscriber:
    """A Whisper model in CTranslate2's format, by its name on the hub or a folder."""

    longest_s = 30.0

    def __init__(
        self, model: str = MODEL, *, language: str | None = None, device: str = "auto"
    ) -> None:
        """Load the weights, from the hub where they are not here.

        `language` (ISO 639-1) is what is spoken; without it each stretch is listened to for it.
        Raises `WeightsUnavailable` where the weights or the package cannot be had.
        """
        absent = _absent()
        if absent is not None:
            raise WeightsUnavailable(f"Speech cannot be transcribed: {absent}. {WAY_OUT}")
        try:
            with from_hub(model):
                from faster_whisper import WhisperModel
                from faster_whisper.tokenizer import _LANGUAGE_CODES

                self._model = WhisperModel(model, device=device, compute_type=COMPUTE_TYPE)
        except WeightsUnavailable as error:
            raise WeightsUnavailable(f"{error} {WAY_OUT}") from error
        self.name = f"Whisper ({model.split('/')[-1]})"
        self.version = f"whisper-{model.split('/')[-1]}-1"
        self.languages = tuple(_LANGUAGE_CODES) if self._model.model.is_multilingual else ("en",)
        self._language = language if language in self.languages else None

    @staticmethod
    def obstacle(model: str = MODEL) -> str | None:
        """Return why it cannot run here without network, or None. Loads nothing."""
        return _absent() or missing_on_disk(model, files=(WEIGHTS,))

    def transcribe(self, sound: NDArray[np.float32], *, start_s: float) -> list[Word]:
        """Return the words of one stretch of speech, on the title's clock.

        `sound` is (num_samples,) -1..1 at 16 kHz, at most 30 s, and begins at `start_s`. Voice
        activity is found before; nothing is drawn at random, nor taken over from what was said
        earlier.
        """
        segments, _ = self._model.transcribe(
            sound,
            language=self._language,
            beam_size=BEAM_SIZE,
            temperature=0.0,
            condition_on_previous_text=False,
            vad_filter=False,
            word_timestamps=True,
        )
        return words_of(segments, start_s=start_s)


def words_of(segments: Iterable[Segment], *, start_s: float) -> list[Word]:
    """Return the words of faster-whisper's segments; a segment without any is one word."""
    words = []
    for segment in segments:
        spoken = [(word.start, word.end, word.word) for word in segment.words or ()]
        for first_s, last_s, text in spoken or [(segment.start, segment.end, segment.text)]:
            if text.strip():
                words.append(Word(float(start_s + first_s), float(start_s + last_s), text.strip()))
    return words


def _absent() -> str | None:
    absent = absent_wheels("faster_whisper")
    return None if absent is None else f"faster-whisper is not installed; {EXTRA}"
