"""A title's sound, decoded and measured in a thread of its own while its pictures are looked at."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass

from indexer.media.probe import Media
from indexer.sound import voice
from indexer.sound.music import music_spans
from indexer.sound.recording import SAMPLE_RATE_HZ, Recording, recording
from indexer.sound.spans import Span

EVERYTHING: Span = (0.0, math.inf)


@dataclass(frozen=True)
class Heard:
    """What there is to hear, before anybody asks where the shots begin."""

    recording: Recording
    speech: Sequence[Span] | None  # None: nobody can tell here
    music: Sequence[Span]
    deaf_to_speech: str = ""  # why, where nobody can tell


class Listening:
    """Listens when told to begin, and keeps the recording until it is released.

    Of a clip, `within` is the span: what follows is not decoded, what precedes is not listened to.
    """

    def __init__(self, media: Media, *, within: Span = EVERYTHING) -> None:
        self._media, self._within = media, within
        self._heard: Future[Heard] = Future()
        self._released = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def is_silent_film(self) -> bool:
        """Whether the title has no sound at all."""
        return self._media.sound is None

    def begin(self) -> None:
        """Begin to listen, unless this has begun or there is nothing to hear."""
        if self._thread is None and not self.is_silent_film:
            self._thread = threading.Thread(target=self._listen, name="listening", daemon=True)
            self._thread.start()

    def heard(self) -> Heard:
        """Return what was heard, as soon as that is everything; raises what went wrong."""
        self.begin()
        return self._heard.result()

    def release(self) -> None:
        """Let the recording go; listening that is still under way ends by itself."""
        self._released.set()
        if self._thread is not None and self._heard.done():
            self._thread.join()

    def _listen(self) -> None:
        until_s = self._within[1]
        try:
            with recording(
                self._media, wanted=lambda: not self._released.is_set(), until_s=until_s
            ) as sound:
                self._heard.set_result(_measured(sound, self._within))
                self._released.wait()
        except BaseException as error:
            if not self._heard.done():
                self._heard.set_exception(error)


def _measured(sound: Recording, within: Span) -> Heard:
    """Find the voices and the music of a span; their times count from the beginning."""
    start_s, end_s = within
    first = round(start_s * SAMPLE_RATE_HZ)
    last = len(sound.samples) if math.isinf(end_s) else round(end_s * SAMPLE_RATE_HZ)
    samples = sound.samples[first:last]

    def later(spans: Sequence[Span]) -> list[Span]:
        return [(begin_s + start_s, close_s + start_s) for begin_s, close_s in spans]

    why_deaf = voice.obstacle() or ""
    speech = None if why_deaf else later(voice.speech_spans(samples))
    return Heard(sound, speech, later(music_spans(samples)), why_deaf)


@contextmanager
def listening(media: Media, *, within: Span = EVERYTHING) -> Iterator[Listening]:
    """Open a title's ears; what they recorded goes when the block ends."""
    sound = Listening(media, within=within)
    try:
        yield sound
    finally:
        sound.release()
