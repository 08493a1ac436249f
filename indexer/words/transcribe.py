"""Speech to cues: voice activity says where, a transcriber says what, pauses and sentences part.

with recording(media) as heard:
    spans = speech_spans(heard.samples)
    cues = transcript(heard, spans, transcriber_of(profile))
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from indexer.encoders.kinds import KINDS
from indexer.progress import Progress, silent
from indexer.words.cues import Cue, in_order

if TYPE_CHECKING:
    from indexer.profiles import Profile
    from indexer.sound.recording import Recording

SAMPLE_RATE_HZ = 16_000
Span = tuple[float, float]

JOIN_S = 1.0
"""Utterances nearer than this are heard together: alone, "Try again" became "Five, again"."""
MARGIN_S = 0.25
"""Heard on either side of a stretch, where nobody else speaks: it saves soft first words."""
QUIET_S = 0.05
"""The width of the quietest place at which a stretch that is too long is cut."""

LONGEST_CUE_S = 7.0  # what subtitlers allow
LONGEST_CUE = 84  # characters: two lines of 42
SENTENCE_ENDS = (".", "?", "!", "…", "\u3002", "\uff1f", "\uff01")  # and their fullwidth forms
CLAUSE_ENDS = (",", ";", ":", "\u3001", "\uff0c")
SHORTEST_WORD_S = 0.02


@dataclass(frozen=True)
class Word:
    """One word as it was said, with its punctuation; half-open, on its title's clock."""

    start_s: float
    end_s: float
    text: str


class Transcriber(Protocol):
    """Writes down what is said."""

    name: str
    version: str  # changes whenever the same sound may give other words
    languages: tuple[str, ...]  # ISO 639-1 codes it knows
    longest_s: float  # the longest stretch it takes, at most 30

    def transcribe(self, sound: NDArray[np.float32], *, start_s: float) -> list[Word]:
        """Return the words of one stretch, in order, on the title's clock.

        `sound` is (num_samples,) -1..1 at 16 kHz mono and begins at `start_s`.
        """
        ...


def transcriber_of(profile: Profile, *, language: str | None = None) -> Transcriber:
    """Return a profile's transcriber: Moonshine where all its weights come in wheels, or Whisper.

    `language` is the title's, where it is known (ISO 639-1). Raises `WeightsUnavailable`.
    """
    if _comes_in_wheels(profile):
        from indexer.words.moonshine import MoonshineTranscriber

        return MoonshineTranscriber()
    from indexer.words.whisper import WhisperTranscriber

    return WhisperTranscriber(language=language)


def obstacle(profile: Profile, *, language: str | None = None) -> str | None:
    """Return why a title cannot be transcribed here, in a clause, or None. Loads nothing."""
    if not _comes_in_wheels(profile):
        from indexer.words.whisper import WhisperTranscriber

        return WhisperTranscriber.obstacle()
    from indexer.words.moonshine import MoonshineTranscriber

    knows = MoonshineTranscriber.languages
    if language is not None and language.split("-")[0].lower() not in knows:
        return f"{MoonshineTranscriber.name} knows {', '.join(knows)}, and this is in {language}"
    return MoonshineTranscriber.obstacle()


def transcript(
    recording: Recording,
    spans: Sequence[Span],
    transcriber: Transcriber,
    *,
    progress: Progress = silent,
) -> tuple[Cue, ...]:
    """Return what is said in a recording as cues, in order.

    `spans` are those of `voice.speech_spans`: in order and apart, in seconds. No cue reaches out
    of its span, over the end of a sentence, 7 s or 84 characters. Reports the stage `transcribe`
    in seconds of the recording.
    """
    stretches = _stretches(recording, spans, longest_s=transcriber.longest_s - 2 * MARGIN_S)
    cues: list[Cue] = []
    for number, stretch in enumerate(stretches):
        progress("transcribe", stretch[0][0], recording.duration_s)
        start_s, end_s = _with_margins(stretches, number, recording.duration_s)
        words = transcriber.transcribe(recording.between(start_s, end_s), start_s=start_s)
        for said in _by_span(words, stretch):
            cues.extend(_cue(part) for sentence in _sentences(said) for part in _parts(sentence))
    progress("transcribe", recording.duration_s, recording.duration_s)
    return in_order(cues)


def _stretches(
    recording: Recording, spans: Iterable[Span], *, longest_s: float
) -> list[list[Span]]:
    """Return spans in groups that are heard together; one that is too long is cut."""
    stretches: list[list[Span]] = []
    for span in spans:
        for start_s, end_s in _cut(recording, span, longest_s=longest_s):
            before = stretches[-1] if stretches else None
            near = before is not None and start_s - before[-1][1] < JOIN_S
            if before is not None and near and end_s - before[0][0] <= longest_s:
                before.append((start_s, end_s))
            else:
                stretches.append([(start_s, end_s)])
    return stretches


def _cut(recording: Recording, span: Span, *, longest_s: float) -> Iterator[Span]:
    """Yield a span in pieces that are short enough, cut where the second half is quietest."""
    start_s, end_s = span
    width = round(QUIET_S * SAMPLE_RATE_HZ)
    while end_s - start_s > longest_s:
        middle_s = start_s + longest_s / 2
        sound = recording.between(middle_s, start_s + longest_s)
        blocks = sound[: len(sound) // width * width].reshape(-1, width)
        quietest = int(np.square(blocks).mean(axis=1).argmin())
        cut_s = middle_s + (quietest + 0.5) * QUIET_S
        yield start_s, cut_s
        start_s = cut_s
    yield start_s, end_s


def _with_margins(stretches: Sequence[list[Span]], number: int, duration_s: float) -> Span:
    """Return what is heard of a stretch: a little more, and never of its neighbours."""
    start_s, end_s = stretches[number][0][0], stretches[number][-1][1]
    before_s = stretches[number - 1][-1][1] if number else 0.0
    after_s = stretches[number + 1][0][0] if number + 1 < len(stretches) else duration_s
    earlier_s = min(MARGIN_S, max(0.0, start_s - before_s) / 2)
    later_s = min(MARGIN_S, max(0.0, after_s - end_s) / 2)
    return start_s - earlier_s, end_s + later_s


def _by_span(words: Iterable[Word], spans: Sequence[Span]) -> Iterator[list[Word]]:
    """Yield the words of each span, within it; a word between two belongs to the nearer."""
    said: list[list[Word]] = [[] for _ in spans]
    at = 0  # words are in order, so they never go back to an earlier span
    for word in words:
        middle_s = (word.start_s + word.end_s) / 2
        while at + 1 < len(spans) and middle_s - spans[at][1] > spans[at + 1][0] - middle_s:
            at += 1
        said[at].append(_within(word, spans[at]))
    return (inside for inside in said if inside)


def _within(word: Word, span: Span) -> Word:
    start_s = min(max(word.start_s, span[0]), span[1] - SHORTEST_WORD_S)
    return replace(
        word, start_s=start_s, end_s=min(max(word.end_s, start_s + SHORTEST_WORD_S), span[1])
    )


def _sentences(words: Iterable[Word]) -> Iterator[list[Word]]:
    sentence: list[Word] = []
    for word in words:
        sentence.append(word)
        if word.text.endswith(SENTENCE_ENDS):
            yield sentence
            sentence = []
    if sentence:
        yield sentence


def _parts(words: list[Word]) -> Iterator[list[Word]]:
    """Yield a sentence in parts that fit a cue, parted after a comma where there is one late."""
    while len(words) > 1 and not _fits(words):
        most = next(n for n in range(len(words) - 1, 0, -1) if n == 1 or _fits(words[:n]))
        late = range(most, most // 2, -1)
        cut = next((n for n in late if words[n - 1].text.endswith(CLAUSE_ENDS)), most)
        yield words[:cut]
        words = words[cut:]
    yield words


def _fits(words: Sequence[Word]) -> bool:
    is_short = words[-1].end_s - words[0].start_s <= LONGEST_CUE_S
    return is_short and len(" ".join(word.text for word in words)) <= LONGEST_CUE


def _cue(words: Sequence[Word]) -> Cue:
    return Cue(words[0].start_s, words[-1].end_s, " ".join(word.text for word in words))


def _comes_in_wheels(profile: Profile) -> bool:
    return all(KINDS[spec.kind].comes_in_wheels for spec in profile.encoders.values())
