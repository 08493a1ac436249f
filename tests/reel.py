"""A short film made from the photographs that scikit-image ships: the truth is known by hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

RATE = 24
WIDTH, HEIGHT = 480, 270
SHOT_FRAMES = 48
DISSOLVE_FRAMES = 12
SAMPLE_RATE_HZ = 48_000

PHOTOGRAPHS = ("chelsea", "coffee", "rocket", "coins", "camera", "hubble_deep_field")
CAT, COFFEE, ROCKET, COINS, CAMERA, STARS = range(len(PHOTOGRAPHS))
SILENT_SHOTS = (COFFEE, STARS)
LINE = "The lighthouse keeper never came home."
LINE_SHOT = COINS
OTHER_LINE = "Count them again, slowly."
OTHER_LINE_SHOT = CAMERA


@dataclass(frozen=True)
class Reel:
    """A film and what is known of it."""

    path: Path
    num_frames: int
    cuts: tuple[int, ...]  # first frames of the shots after the first; hard cuts only

    def seconds_of(self, shot: int) -> tuple[float, float]:
        """Return where a photograph is seen, the dissolve left out."""
        return shot * SHOT_FRAMES / RATE, (shot + 1) * SHOT_FRAMES / RATE


def make_reel(folder: Path, *, name: str = "reel.mp4", subtitles: bool = True, sound: bool = True,
              picture: bool = True) -> Reel:  # fmt: skip
    """Write the reel, and its subtitles beside it. The last two photographs dissolve."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    with av.open(str(path), "w") as container:
        video = _video_stream(container) if picture else None
        audio = container.add_stream("aac", rate=SAMPLE_RATE_HZ, layout="mono") if sound else None
        if video:
            for image in _frames():
                container.mux(video.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
            container.mux(video.encode())
        if audio:
            for block in _sound():
                container.mux(audio.encode(block))
            container.mux(audio.encode())
    if subtitles:
        (folder / f"{path.stem}.srt").write_text(_subtitles(), encoding="utf-8")
    hard = tuple(SHOT_FRAMES * shot for shot in range(1, len(PHOTOGRAPHS) - 1))
    return Reel(path, SHOT_FRAMES * len(PHOTOGRAPHS), hard)


def _video_stream(container: av.container.OutputContainer) -> av.VideoStream:
    stream = container.add_stream("libx264", rate=RATE, options={"crf": "20", "preset": "veryfast"})
    stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    return stream


def _frames() -> Iterator[NDArray[np.uint8]]:
    shots = [list(_pan(photograph(name))) for name in PHOTOGRAPHS]
    for number, shot in enumerate(shots):
        for i, image in enumerate(shot):
            left = SHOT_FRAMES - i
            if number == len(shots) - 2 and left <= DISSOLVE_FRAMES:
                share = 1 - left / (DISSOLVE_FRAMES + 1)
                image = cv2.addWeighted(image, 1 - share, shots[-1][0], share, 0)
            yield image


def photograph(name: str) -> NDArray[np.uint8]:
    """Return one of scikit-image's own photographs: (height, width, 3) uint8 RGB."""
    from skimage import data

    image = np.asarray(getattr(data, name)())
    return np.stack([image] * 3, axis=-1) if image.ndim == 2 else image[..., :3]


def _pan(image: NDArray[np.uint8]) -> Iterator[NDArray[np.uint8]]:
    """Move slowly over a photograph that is a little larger than the frame."""
    scale = max((WIDTH + 24) / image.shape[1], HEIGHT / image.shape[0])
    large = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    top = (large.shape[0] - HEIGHT) // 2
    for i in range(SHOT_FRAMES):
        left = (large.shape[1] - WIDTH - 24) // 2 + i // 2
        yield np.ascontiguousarray(large[top : top + HEIGHT, left : left + WIDTH])


def _sound() -> Iterator[av.AudioFrame]:
    """A tone under every shot but the silent ones."""
    seconds = SHOT_FRAMES / RATE
    time_s = np.arange(round(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    for shot in range(len(PHOTOGRAPHS)):
        loudness = 0.0 if shot in SILENT_SHOTS else 0.3
        tone = loudness * np.sin(2 * np.pi * (220 + 110 * shot) * time_s)
        frame = av.AudioFrame.from_ndarray(
            tone.astype(np.float32)[None], format="fltp", layout="mono"
        )
        frame.sample_rate = SAMPLE_RATE_HZ
        frame.pts = shot * len(time_s)
        yield frame


def _subtitles() -> str:
    def stamp(seconds: float) -> str:
        return f"00:00:{int(seconds):02},{round(seconds % 1 * 1000):03}"

    cues = []
    for number, (shot, line) in enumerate(((LINE_SHOT, LINE), (OTHER_LINE_SHOT, OTHER_LINE)), 1):
        start = shot * SHOT_FRAMES / RATE + 0.3
        cues.append(f"{number}\n{stamp(start)} --> {stamp(start + 1.2)}\n<i>{line}</i>\n")
    return "\n".join(cues)
