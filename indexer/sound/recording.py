"""A title's sound as encoders want it: 16 kHz, mono, on the pictures' clock; and how loud it is."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from indexer.media.probe import Media, opened
from indexer.sound.loudness import Loudness, LoudnessMeter

if TYPE_CHECKING:
    import av
    import av.container

    from indexer.media.decode import Opener

logger = logging.getLogger(__name__)

SAMPLE_RATE_HZ = 16_000
FULL_SCALE = 32_768.0
SILENCE_LUFS = -60.0
"""A shot whose every 400 ms are below this is silent: it gets no audio vector."""

HOLE_S = 0.1
"""Timestamps that stray by more from the samples counted are believed, as ffmpeg's `aresample`."""
MAX_OVERLAP_S = 1.0
"""A clock that goes further back has been set anew: two recordings joined in one file."""
UNSTATED_S = 60.0
"""Holes are filled up to the length the file states, and this much further."""
SILENCE_BLOCK = 2**20  # samples


@dataclass(frozen=True)
class Recording:
    """A title's whole sound: int16 samples at 16 kHz on disk, and its loudness in memory."""

    samples: NDArray[np.int16]
    loudness: Loudness

    @property
    def duration_s(self) -> float:
        """How long the sound lasts."""
        return len(self.samples) / SAMPLE_RATE_HZ

    @property
    def integrated_lufs(self) -> float | None:
        """The title's EBU R128 loudness; None for less than 400 ms of sound."""
        return self.loudness.integrated_lufs

    def between(self, start_s: float, end_s: float) -> NDArray[np.float32]:
        """Return the sound of `[start_s, end_s)`: (num_samples,) float32, -1..1."""
        first, last = (max(0, round(t * SAMPLE_RATE_HZ)) for t in (start_s, end_s))
        return self.samples[first:last].astype(np.float32) / FULL_SCALE

    def loudness_between(self, start_s: float, end_s: float) -> float | None:
        """Return the EBU R128 loudness of `[start_s, end_s)` in LUFS, as `Loudness.between`."""
        return self.loudness.between(start_s, end_s)

    def is_silent(self, start_s: float, end_s: float) -> bool:
        """Whether nothing can be heard in `[start_s, end_s)`.

        That is: no block of 400 ms reaches -60 LUFS; where no block has room, the samples stay
        below -60 dB of full scale (root mean square), which is the same for a tone of 1 kHz.
        """
        blocks = self.loudness.inside(start_s, end_s)
        if len(blocks):
            return bool(blocks.max() < SILENCE_LUFS)
        sound = self.between(start_s, end_s)
        power = np.mean(np.square(sound, dtype=np.float64)) if len(sound) else 0.0
        return bool(power < 10 ** (SILENCE_LUFS / 10))


@contextmanager
def recording(
    media: Media, *, wanted: Callable[[], bool] = lambda: True, until_s: float = math.inf
) -> Iterator[Recording]:
    """Decode a file's main sound once, into a temporary file that goes when the block ends.

    Any rate, layout and sample format will do, and they may change on the way. A late start and
    holes in the timestamps are silence, what sounds before the first picture is cut, damaged
    packets are passed over; once it is no longer `wanted`, or has got as far as `until_s`, decoding
    ends. Raises `InputError` for a file that cannot be opened.
    """
    with TemporaryFile(prefix="trimbin-", suffix=".s16") as spool:
        tape = Tape(spool, limit_s=media.duration_s + UNSTATED_S)
        for frame, time_s in timed_frames(media):
            if not wanted() or tape.duration_s >= until_s:
                break
            tape.take(frame, time_s=time_s)
        yield tape.played()


class Tape:
    """What is being recorded: each frame goes where its timestamp says, never backwards."""

    def __init__(self, spool: IO[bytes], *, limit_s: float) -> None:
        self.limit_s = limit_s  # what lies further ahead is a clock that lies
        self._spool = spool
        self._meter = LoudnessMeter()
        self._resampler: av.AudioResampler | None = None
        self._mixes = False  # the channels ourselves
        self._kind: tuple[str, str, int] | None = None
        self._num_samples = 0  # written, at 16 kHz
        self._num_cut = 0  # still to be dropped of what comes
        self._next_s = 0.0  # where the next frame begins, if it follows the last
        self._clock_s = 0.0  # what the file's clock says at the tape's beginning

    def take(self, frame: av.AudioFrame, *, time_s: float | None) -> None:
        """Record a frame; `time_s` counts from the title's beginning, None: it just follows."""
        kind = (frame.format.name, frame.layout.name, frame.sample_rate)
        strays = self._stray_s(time_s)
        if kind != self._kind or strays:
            self._begin(strays)
            self._kind = kind
        self._next_s += frame.samples / frame.sample_rate
        self._meter.hear(frame)
        self._resample(_mixed(frame) if self._mixes else frame)

    @property
    def duration_s(self) -> float:
        """How much has been recorded."""
        return self._num_samples / SAMPLE_RATE_HZ

    def played(self) -> Recording:
        """Return the recording, once all frames have been taken."""
        self._begin(0.0)
        return self.so_far()

    def so_far(self) -> Recording:
        """Return what has been recorded until now; its loudness lacks the last second or so."""
        self._spool.flush()
        empty = self._num_samples == 0
        samples = np.zeros(0, np.int16) if empty else np.memmap(self._spool, np.int16, mode="r")
        return Recording(samples, self._meter.so_far())

    def _stray_s(self, time_s: float | None) -> float:
        """Return by how much a frame lies ahead (a hole) or back; 0.0 where it just follows."""
        if time_s is None:
            return 0.0
        strays = time_s - self._clock_s - self._next_s
        if self._kind is None:  # the first frame, late or early
            return strays if self._next_s + strays <= self.limit_s else 0.0
        if abs(strays) <= HOLE_S:
            return 0.0
        if strays < -MAX_OVERLAP_S or self._next_s + strays > self.limit_s:
            self._clock_s += strays  # the clock was set anew, or lies
            return 0.0
        return strays

    def _begin(self, strays_s: float) -> None:
        """Start a stretch with a new meter and resampler, so much ahead or back."""
        if self._resampler is not None:
            self._resample(None)
        self._resampler, self._mixes = None, False
        self._next_s += strays_s
        self._meter.begin(self._next_s)
        ahead = round(self._next_s * SAMPLE_RATE_HZ) - self._num_samples
        self._num_cut = max(0, -ahead)
        while ahead > 0:
            self._write(np.zeros(min(ahead, SILENCE_BLOCK), np.int16))
            ahead -= SILENCE_BLOCK

    def _resample(self, frame: av.AudioFrame | None) -> None:
        """Write a frame at 16 kHz mono; None flushes."""
        import av

        if self._resampler is None:
            self._resampler = av.AudioResampler(
                format="s16", layout="mono", rate=SAMPLE_RATE_HZ, frame_size=SAMPLE_RATE_HZ
            )
        try:
            blocks = self._resampler.resample(frame)
        except av.error.FFmpegError as error:
            logger.debug("sound that cannot be resampled: %s", error)
            if frame is not None and frame.layout.nb_channels > 1:
                self._resampler, self._mixes = None, True
                self._resample(_mixed(frame))
            return
        for block in blocks:
            samples = block.to_ndarray()[0].astype(np.int16, copy=False)
            self._write(samples[self._num_cut :])
            self._num_cut = max(0, self._num_cut - len(samples))

    def _write(self, samples: NDArray[np.int16]) -> None:
        self._spool.write(samples.tobytes())
        self._num_samples += len(samples)


def _mixed(frame: av.AudioFrame) -> av.AudioFrame:
    """Return the mean of a frame's channels: for layouts of which ffmpeg knows no mix to mono."""
    import av

    sound = frame.to_ndarray()
    channels = sound if frame.format.is_planar else sound.reshape(-1, frame.layout.nb_channels).T
    mono = channels.mean(axis=0, dtype=np.float64)
    if sound.dtype.kind != "f":
        scale = 2.0 ** (8 * sound.itemsize - 1)
        mono = mono / scale - (1.0 if sound.dtype.kind == "u" else 0.0)
    mixed = av.AudioFrame.from_ndarray(mono[None].astype(np.float32), format="flt", layout="mono")
    mixed.sample_rate = frame.sample_rate
    return mixed


def timed_frames(
    media: Media, *, source: Opener | None = None
) -> Iterator[tuple[av.AudioFrame, float | None]]:
    """Decode the main sound: each frame, and when it begins, counted from the first picture.

    Sound alone starts at its own beginning, whatever its clock says there. `source` opens the file
    in another way: one that follows it while it grows, say.
    """
    import av

    assert media.sound is not None
    with (source or partial(opened, media.path))() as container:
        stream = container.streams[media.sound.index]
        assert isinstance(stream, av.AudioStream)
        zero_s = _first_picture_s(container, media)
        for frame in _decoded(container, stream):
            if frame.samples == 0 or frame.sample_rate <= 0:
                continue
            time_s = frame.time
            if zero_s is None and time_s is not None:
                zero_s = time_s
            yield frame, None if time_s is None or zero_s is None else time_s - zero_s


def _decoded(
    container: av.container.InputContainer, stream: av.AudioStream
) -> Iterator[av.AudioFrame]:
    """Decode every frame that can be; damaged packets are passed over, a broken file just ends."""
    import av

    packets = container.demux(stream)  # its last packet flushes the decoder
    while True:
        try:
            packet = next(packets, None)  # after an error in reading there is no next
            frames = packet.decode() if packet is not None else None
        except (av.error.FFmpegError, IndexError) as error:  # the latter PyAV's, at the end
            logger.debug("damaged sound: %s", error)
            continue
        if frames is None:
            return
        yield from frames


def _first_picture_s(container: av.container.InputContainer, media: Media) -> float | None:
    """Return when the pictures start on the container's clock; None where there are none."""
    if media.picture is None:
        return None
    stream = container.streams[media.picture.index]
    if stream.start_time is None or not stream.time_base:
        return media.start_s
    return float(stream.start_time * stream.time_base)
