"""Films in which every frame says which it is, and clicks say when: the truth by hand.

The picture is a row of blocks, black or white, the frame's number in binary; blocks of 16 pixels
survive any encoder. A click, one sample of full scale and then silence, stands at the beginning of
each frame named.
"""

from __future__ import annotations

import hashlib
import subprocess
import wave
from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from pathlib import Path

import av
import imageio_ffmpeg
import numpy as np
from numpy.typing import NDArray
from shelf import add_title, make_library

from app.export.assembling import Settings, assemble
from app.export.cutlist import CutList
from app.shortlist import Pick, Shortlists
from indexer.library import Library
from indexer.manifest import Manifest

BITS, BLOCK = 10, 16
WIDTH, HEIGHT = BITS * BLOCK, 96
HERTZ = 48_000
X264 = ("-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-crf", "18")
AAC = ("-c:a", "aac", "-b:a", "128k")


def numbered(number: int, *, width: int = WIDTH, height: int = HEIGHT) -> NDArray[np.uint8]:
    """Return a frame that says its number: (height, width) uint8, over a texture that moves."""
    image = np.full((height, width), 60, np.uint8)
    for bit in range(BITS):
        image[: height // 2, bit * BLOCK : (bit + 1) * BLOCK] = 235 if number >> bit & 1 else 16
    across = (np.arange(width) * 3 + number * 5) % 160 + 40
    image[height // 2 :] = across[None].astype(np.uint8)
    return image


def make_counted(
    path: Path,
    *codec: str,
    frames: int,
    rate: Fraction | int = 25,
    clicks: Sequence[int] = (),
    tracks: int = 1,
    channels: int = 1,
    before: Sequence[str] = (),
) -> Path:
    """Write a counted film with `tracks` of sound of so many channels; 0: none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    sound = path.with_suffix(".clicks.wav")
    _write_clicks(sound, frames, Fraction(rate), clicks, channels)
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-loglevel", "error", "-y"]
    command += ["-f", "rawvideo", "-pix_fmt", "gray", "-s", f"{WIDTH}x{HEIGHT}", "-r", str(rate)]
    command += ["-i", "-", *("-i", str(sound)) * bool(tracks), *before, "-map", "0:v"]
    command += ["-map", "1:a"] * tracks
    pictures = b"".join(numbered(number).tobytes() for number in range(frames))
    subprocess.run([*command, *codec, str(path)], input=pictures, check=True, timeout=120)
    sound.unlink()
    return path


def _write_clicks(
    path: Path, frames: int, rate: Fraction, clicks: Sequence[int], channels: int
) -> None:
    samples = np.zeros((int(frames / rate * HERTZ), channels), np.int16)
    for frame in clicks:
        samples[round(frame / rate * HERTZ)] = 30_000
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(HERTZ)
        file.writeframes(samples.tobytes())


def numbers_in(path: Path) -> list[int]:
    """Decode a film and return which frames it shows."""
    with av.open(str(path)) as container:
        return [_number(f.to_ndarray(format="gray")) for f in container.decode(video=0)]


def _number(image: NDArray[np.uint8]) -> int:
    row = image[HEIGHT // 8 : HEIGHT * 3 // 8].mean(axis=0)
    bits = row[: BITS * BLOCK].reshape(BITS, BLOCK)[:, 4:12].mean(axis=1) > 128
    return int(sum(1 << bit for bit, is_set in enumerate(bits) if is_set))


def hashes_of(path: Path, start: int = 0, end: int | None = None) -> list[str]:
    """Decode a film's frames [start, end) and return a hash of each one's planes."""
    found = []
    with av.open(str(path)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            if number >= start and (end is None or number < end):
                found.append(hashlib.sha256(frame.to_ndarray().tobytes()).hexdigest())
    return found


def clicks_in(path: Path, track: int = 0) -> list[float]:
    """Decode a track of sound and return when its clicks are heard, in seconds from its start."""
    with av.open(str(path)) as container:
        stream = container.streams.audio[track]
        rate = stream.rate
        resampler = av.AudioResampler(format="fltp", layout="mono", rate=rate)
        blocks = [
            part.to_ndarray()[0]
            for frame in container.decode(stream)
            for part in resampler.resample(frame)
        ]
    sound = np.abs(np.concatenate(blocks))
    loud = np.flatnonzero(sound > 0.25 * max(sound.max(), 0.05))
    groups = np.split(loud, np.flatnonzero(np.diff(loud) > rate // 50) + 1) if len(loud) else []
    return [float(group[sound[group].argmax()]) / rate for group in groups]


def add_counted(library: Library, path: Path, *, frames: int, **changes: object) -> Manifest:
    """Put a counted film into a library, its frames counted and not guessed from its length."""
    return add_title(library, path, num_frames=frames, **changes)


def cut_list(
    library: Library,
    *spans: tuple[Manifest, int, int],
    name: str = "Selects",
    settings: Settings | None = None,
    note: str = "",
) -> CutList:
    """Keep these spans and return them as cuts."""
    lists = Shortlists.of(library)
    for manifest, start, end in spans:
        lists.add(name, Pick.of(manifest, start, end, note=note))
    return assemble(name, lists.items(name), library, settings or Settings(today=date(2026, 1, 1)))


def counted_library(root: Path) -> Library:
    """Make an empty library."""
    return make_library(root)
