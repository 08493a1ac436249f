"""When each word was said: a decoder asked how well it can write while the sound's end is hidden.

Moonshine's graph shows no attention. But with all sound after a moment hidden, what is said later
can no longer be written: words that could not be written at one moment and can be at the next were
said between the two. It is asked in every pause, so that words are known to lie before or after
it, and every few tenths of a second. In between words are spread by their letters over the sound
that is not quiet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE_HZ = 16_000

ASK_EVERY_S = 0.4
WINDOW_WORDS = 12
"""Words asked about at one moment: nobody says so many in the time, guessable ones included."""
UNHEARD = 2.0
"""A word whose log probability falls by more has not been heard, nor can it be guessed."""
HEARD_AT = 0.6
"""The share of a word's letters after which the decoder can write it."""
PUNCTUATION = ".,;:!?"
PAUSE_BONUS = 12.0
"""Letters by which a pause may miss the place where it is expected, to follow punctuation."""

FRAME_SAMPLES = SAMPLE_RATE_HZ // 100
LOUD_PERCENTILE = 90
QUIET_DB = 22.0
"""A frame so far below the loud ones is quiet: speech in a room falls no deeper."""
QUIET_SHARE = 0.02
"""Letters a quiet frame has room for, beside 1 for a loud one."""
SHORTEST_PAUSE_S = 0.1
INTO_PAUSE_S = 0.05
"""When a pause is asked in: late in a long one the encoder already tells of the next word."""

Span = tuple[float, float]
Loss = Callable[[int, int, float], NDArray[np.float32]]
"""(first word, last word, second) -> what each loses in log probability: (last - first,)."""


@dataclass(frozen=True)
class _Anchor:
    """So many letters have been said when so much of the room is gone."""

    letters: float
    room: float


def times_of(
    words: Sequence[str], sound: NDArray[np.float32], loss: Loss
) -> list[tuple[float, float]]:
    """Return each word's start and end in seconds of the sound, in order and without overlap."""
    lengths = np.array([len(word) + 1 for word in words])  # a letter for the space
    ends = np.cumsum(lengths)
    room = _Room(sound)
    anchors = [
        _Anchor(0.0, 0.0),
        *_anchors(words, ends - lengths, room, loss),
        _Anchor(float(ends[-1]), room.whole),
    ]
    letters, at = [a.letters for a in anchors], [a.room for a in anchors]
    starts_s = room.times_of(np.interp(ends - lengths, letters, at), after_pause=True)
    ends_s = room.times_of(np.interp(ends, letters, at), after_pause=False)
    return [(start, max(start, end)) for start, end in zip(starts_s, ends_s, strict=True)]


def _anchors(
    words: Sequence[str], starts: NDArray[np.int64], room: _Room, loss: Loss
) -> Iterator[_Anchor]:
    """Yield what asking tells, in order. `starts`: letters before each word, (num_words,)."""
    lengths = np.array([len(word) + 1 for word in words])
    letters_per_room = float(lengths.sum()) / room.whole
    was_missed = np.zeros(len(words), bool)
    first = 0  # all words before it have been heard
    before_s, sure = 0.0, _Anchor(0.0, 0.0)
    for time_s, is_pause in room.moments():
        last = min(first + WINDOW_WORDS, len(words))
        if first == last:
            return
        missed = loss(first, last, time_s) > UNHEARD
        heard_until = first + (int(missed.argmax()) if missed.any() else len(missed))
        new = first + np.flatnonzero(was_missed[first:heard_until])
        was_missed[first:last] = missed
        if len(new):
            first = int(new[-1]) + 1
            letters = (starts + HEARD_AT * lengths)[new[0] : first].mean()
            sure = _Anchor(float(letters), room.before((before_s + time_s) / 2))
            yield sure
        if is_pause:
            here = room.before(time_s)
            expected = sure.letters + (here - sure.room) * letters_per_room
            first = _word_after_pause(words, starts, range(first, heard_until + 1), expected)
            if first == len(words):
                return
            sure = _Anchor(float(starts[first]), here)
            yield sure
        before_s = time_s


def _word_after_pause(
    words: Sequence[str], starts: NDArray[np.int64], choices: range, expected: float
) -> int:
    """Return which word follows a pause: near where its letters would be, after punctuation."""

    def strangeness(word: int) -> float:
        letters = starts[word] if word < len(words) else starts[-1] + len(words[-1]) + 1
        follows = word > 0 and words[word - 1].endswith(tuple(PUNCTUATION))
        return abs(float(letters) - expected) - (PAUSE_BONUS if follows else 0.0)

    return min(choices, key=strangeness)


class _Room:
    """How much can have been said up to each moment: loud frames count, quiet ones hardly."""

    def __init__(self, sound: NDArray[np.float32]) -> None:
        num_frames = max(1, len(sound) // FRAME_SAMPLES)
        frames = sound[: num_frames * FRAME_SAMPLES].reshape(num_frames, -1)
        level_db = 10 * np.log10(np.mean(np.square(frames, dtype=np.float64), axis=1) + 1e-12)
        self._quiet = level_db < np.percentile(level_db, LOUD_PERCENTILE) - QUIET_DB
        self._edges_s = np.arange(num_frames + 1) * FRAME_SAMPLES / SAMPLE_RATE_HZ
        weights = np.where(self._quiet, QUIET_SHARE, 1.0)
        self._before = np.concatenate([[0.0], np.cumsum(weights)])

    @property
    def whole(self) -> float:
        return float(self._before[-1])

    def before(self, time_s: float) -> float:
        return float(np.interp(time_s, self._edges_s, self._before))

    def moments(self) -> list[tuple[float, bool]]:
        """Return when to ask, and whether that is in a pause, in order."""
        pauses = list(self._pauses())
        margin_s = ASK_EVERY_S / 2
        grid = np.arange(0.0, self._edges_s[-1] + ASK_EVERY_S, ASK_EVERY_S).tolist()
        free = [t for t in grid if all(not a - margin_s < t < b + margin_s for a, b in pauses)]
        return sorted([(t, False) for t in free] + [(a + INTO_PAUSE_S, True) for a, _ in pauses])

    def _pauses(self) -> Iterator[Span]:
        """Yield the pauses between words: quiet that neither begins nor ends the sound."""
        turns = np.flatnonzero(np.diff(self._quiet.astype(np.int8))) + 1
        begins = turns[self._quiet[turns]]
        ends = turns[~self._quiet[turns]]
        ends = ends[ends > begins[0]] if len(begins) else ends[:0]
        for begin, end in zip(begins, ends, strict=False):
            start_s, end_s = float(self._edges_s[begin]), float(self._edges_s[end])
            if end_s - start_s >= SHORTEST_PAUSE_S:
                yield start_s, end_s

    def times_of(self, room: NDArray[np.float64], *, after_pause: bool) -> list[float]:
        """Return seconds; one inside a pause moves to its end, or back to its start."""
        times = []
        for time_s in np.interp(room, self._before, self._edges_s).tolist():
            # A word that ends with a frame ends in it, one that begins with it too.
            frame = int(np.searchsorted(self._edges_s, time_s, "right" if after_pause else "left"))
            frame = min(max(frame - 1, 0), len(self._quiet) - 1)
            while 0 < frame < len(self._quiet) - 1 and self._quiet[frame]:
                frame += 1 if after_pause else -1
                time_s = float(self._edges_s[frame + (0 if after_pause else 1)])
            times.append(time_s)
        return times
