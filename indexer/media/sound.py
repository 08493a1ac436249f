"""A film's sound as encoders want it: 16 kHz, mono, on the pictures' clock."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
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
    resampler = av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE_HZ)
    with opened(media.path) as container:
        stream = container.streams[media.sound.index]
        assert isinstance(stream, av.AudioStream)
        zero_s = _first_picture_s(container, media)
        placed = False
        for frame in chain(_decoded(container, stream), [None]):  # None flushes the resampler
            if frame is not None and not placed:
                late = round(((frame.time or 0.0) - zero_s) * SAMPLE_RATE_HZ)
                placed = True
                early = max(0, -late)
                if late > 0:
                    yield np.zeros(late, np.int16)
            for block in resampler.resample(frame):
                samples = block.to_ndarray().ravel().astype(np.int16, copy=False)
                yield samples[early:]
                early = max(0, early - len(samples))


def _decoded(
    container: av.container.InputContainer, stream: av.AudioStream
) -> Iterator[av.AudioFrame]:
    import av

    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
            if packet is None:
                return
            yield from packet.decode()
        except av.error.EOFError:
            return
        except av.error.InvalidDataError as error:
            logger.debug("damaged sound: %s", error)


def _first_picture_s(container: av.container.InputContainer, media: Media) -> float:
    """Return when the pictures start on the container's clock; 0 where there are none."""
    if media.picture is None:
        return 0.0
    stream = container.streams[media.picture.index]
    return float((stream.start_time or 0) * stream.time_base) if stream.time_base else 0.0
