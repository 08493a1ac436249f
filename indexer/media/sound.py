"""A film's sound as encoders want it: 16 kHz, mono, on the pictures' clock."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, groupby
from tempfile import TemporaryFile
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from indexer.media.probe import Media, opened

if TYPE_CHECKING:
    import av
    import av.container

logger = logging.getLogger(__name__)

SAMPLE_RATE_HZ = 16_000
SILENCE_DBFS = -60.0
"""Below this a shot counts as silent: it gets no audio vector."""
FULL_SCALE = 32_768.0


@dataclass(frozen=True)
class Recording:
    """A title's whole sound, on disk and not in memory: int16 samples at 16 kHz."""

    samples: NDArray[np.int16]

    @property
    def duration_s(self) -> float:
        """How long the sound lasts."""
        return len(self.samples) / SAMPLE_RATE_HZ

    def between(self, start_s: float, end_s: float) -> NDArray[np.float32]:
        """Return the sound of `[start_s, end_s)`: (num_samples,) float32, -1..1."""
        first, last = (max(0, round(t * SAMPLE_RATE_HZ)) for t in (start_s, end_s))
        return self.samples[first:last].astype(np.float32) / FULL_SCALE


@contextmanager
def recording(media: Media) -> Iterator[Recording]:
    """Decode a file's main sound into a temporary file that goes when the block ends."""
    with TemporaryFile(prefix="trimbin-", suffix=".s16") as spool:
        for block in _blocks(media):
            spool.write(block.tobytes())
        spool.flush()
        empty = spool.tell() == 0
        samples = np.zeros(0, np.int16) if empty else np.memmap(spool, np.int16, mode="r")
        yield Recording(samples)


def loudness_dbfs(sound: NDArray[np.float32]) -> float:
    """Return the root-mean-square level in dB of full scale; -120 for digital silence."""
    if not len(sound):
        return -120.0
    power = float(np.mean(np.square(sound, dtype=np.float64)))
    return float(max(-120.0, 10 * np.log10(max(power, 1e-12))))


def _blocks(media: Media) -> Iterator[NDArray[np.int16]]:
    """Decode, resample and place the sound: silence before a late start, an early one cut."""
    import av

    assert media.sound is not None
    with opened(media.path) as container:
        stream = container.streams[media.sound.index]
        assert isinstance(stream, av.AudioStream)
        zero_s = _first_picture_s(container, media)
        frames = _decoded(container, stream)
        first = next(frames, None)
        if first is None:
            return
        start_s = first.time or 0.0
        # Sound alone starts at its own beginning, whatever its clock says there.
        late = 0 if zero_s is None else round((start_s - zero_s) * SAMPLE_RATE_HZ)
        early = max(0, -late)
        if late > 0:
            yield np.zeros(late, np.int16)
        for samples in _resampled(chain([first], frames)):
            yield samples[early:]
            early = max(0, early - len(samples))


def _resampled(frames: Iterator[av.AudioFrame]) -> Iterator[NDArray[np.int16]]:
    """Bring frames to 16 kHz mono; a resampler serves while their parameters stay the same."""
    import av

    for _, alike in groupby(frames, key=lambda f: (f.format.name, f.layout.name, f.sample_rate)):
        resampler = av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE_HZ)
        for frame in chain(alike, [None]):  # None flushes the resampler
            try:
                blocks = resampler.resample(frame)
            except av.error.FFmpegError as error:
                logger.debug("sound that cannot be resampled: %s", error)
                continue
            for block in blocks:
                yield block.to_ndarray().ravel().astype(np.int16, copy=False)


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
        except av.error.FFmpegError as error:
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
    return float((stream.start_time or 0) * stream.time_base) if stream.time_base else 0.0
