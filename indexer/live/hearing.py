"""A growing recording's sound: decoded in a thread of its own, and asked for while it grows."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryFile

from indexer.live.source import Source
from indexer.media.probe import Media
from indexer.sound import voice
from indexer.sound.music import music_spans
from indexer.sound.recording import SAMPLE_RATE_HZ, UNSTATED_S, Recording, Tape, timed_frames
from indexer.sound.spans import Span
from indexer.stages.listening import Heard, Listening
from qdrant.errors import TrimbinError

logger = logging.getLogger(__name__)

LOUDNESS_LAG_S = 1.2
"""Loudness is measured a second at a time: so far behind the sound it is sure to be there."""
MARGIN_S = 10.0
"""Heard on either side of a shot when it is told whether people speak and music plays there."""


class Hearing:
    """The sound of a recording so far, on the pictures' clock."""

    def __init__(self, media: Media, source: Source) -> None:
        self._media, self._source = media, source
        self._changed = threading.Condition()
        self._spool = TemporaryFile(prefix="trimbin-", suffix=".s16")  # noqa: SIM115
        self._tape = Tape(self._spool, limit_s=UNSTATED_S)
        self._has_ended = media.sound is None
        self._closed = False
        self._thread = threading.Thread(target=self._listen, name="hearing", daemon=True)
        self.trouble = ""  # a sentence, where the sound broke off
        if not self._has_ended:
            self._thread.start()

    @property
    def is_silent_film(self) -> bool:
        """Whether the recording has no sound at all."""
        return self._media.sound is None

    def has_reached(self, end_s: float) -> bool:
        """Whether the sound up to here is there, or never will be."""
        with self._changed:
            return self._has_ended or self._tape.duration_s >= end_s + LOUDNESS_LAG_S

    def around(self, span: Span) -> Heard:
        """Return what is there to hear; where people speak and music plays only near this span."""
        so_far = self._so_far()
        first_s = max(0, math.floor(span[0] - MARGIN_S))
        first, last = (round(s * SAMPLE_RATE_HZ) for s in (first_s, span[1] + MARGIN_S))
        near = so_far.samples[first:last]
        why_deaf = voice.obstacle() or ""
        speech = None if why_deaf else _moved(voice.speech_spans(near), first_s)
        return Heard(so_far, speech, _moved(music_spans(near), first_s), why_deaf)

    def everything(self) -> Heard:
        """Return all there was to hear, once it has ended."""
        self._thread.join()
        whole = self._so_far()
        why_deaf = voice.obstacle() or ""
        speech = None if why_deaf else voice.speech_spans(whole.samples)
        return Heard(whole, speech, music_spans(whole.samples), why_deaf)

    def close(self) -> None:
        """Forget the sound; the edge must have ended."""
        with self._changed:
            self._closed = True
        if self._thread.is_alive():
            self._thread.join()
        self._spool.close()

    def _so_far(self) -> Recording:
        with self._changed:
            return self._tape.so_far()

    def _listen(self) -> None:
        try:
            for frame, time_s in timed_frames(self._media, source=self._source.opened):
                with self._changed:
                    if self._closed:
                        return
                    # No hole is longer: a clock that leaps so far has been set anew.
                    self._tape.limit_s = self._tape.duration_s + UNSTATED_S
                    self._tape.take(frame, time_s=time_s)
            with self._changed:
                self._tape.played()
        except (TrimbinError, OSError) as error:
            self.trouble = f"Its sound broke off ({error})."
            logger.info("%s", self.trouble)
        finally:
            with self._changed:
                self._has_ended = True
                self._changed.notify_all()


class HeardAlready(Listening):
    """A title's sound, heard while it grew: it is not decoded again."""

    def __init__(self, media: Media, hearing: Hearing) -> None:
        super().__init__(media)
        self._hearing = hearing
        self._everything: Heard | None = None

    def begin(self) -> None:
        """Do nothing: it has been heard."""

    def heard(self) -> Heard:
        """Return what was heard."""
        if self._everything is None:
            self._everything = self._hearing.everything()
        return self._everything


@contextmanager
def hearing(media: Media, source: Source) -> Iterator[Hearing]:
    """Listen to a recording while it grows; what was heard goes when the block ends."""
    sound = Hearing(media, source)
    try:
        yield sound
    finally:
        sound.close()


def _moved(spans: list[Span], by_s: float) -> list[Span]:
    return [(start_s + by_s, end_s + by_s) for start_s, end_s in spans]
