"""A library whose clips are labelled, its vectors made by hand so that what is learned is known.

A clip is one shot of two seconds. `creepy` holds where the first number of its picture is high,
which the sound does not tell; the more of it, the more it is clicked.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from safetensors.numpy import save_file

from indexer.library import Library
from indexer.manifest import Manifest
from indexer.probes.label import Label

RATE, SHOT_FRAMES, NUM_SHOTS, DIM = 24, 48, 12, 16
PROFILE = """
name = "tiny"
description = "Vectors made by hand; nothing encodes them."
confidence_floor = 0.0
[encoders.video]
kind = "open_clip"
dim = 16
[encoders.video.settings]
model = "none"
pretrained = "none"
[encoders.audio]
kind = "wav2vec2"
dim = 16
[encoders.audio.settings]
model = "none"
[encoders.text]
kind = "sentence"
dim = 16
languages = ["en"]
[encoders.text.settings]
model = "none"
[ranking]
video = { floor = -1.0, ceiling = 1.0 }
audio = { floor = -1.0, ceiling = 1.0 }
text = { floor = -1.0, ceiling = 1.0 }
line = { floor = 0.0, ceiling = 1.0, half = 5.0 }
context = { floor = -1.0, ceiling = 1.0 }
"""


def make_labelled(folder: Path, num_titles: int = 8) -> Library:
    """Make a library of titles "Film 0" and on, with pictures and sound and no words."""
    (folder / "tiny.toml").write_text(PROFILE)
    library = Library.open(folder / "library", create=True, profile=str(folder / "tiny.toml"))
    for number in range(num_titles):
        write_title(library, number, vectors_of(number))
    return library


def vectors_of(number: int) -> dict[str, np.ndarray]:
    """Return a title's vectors: space -> (NUM_SHOTS, DIM) float32, unit length."""
    random = np.random.default_rng(number)
    made = {}
    for space in ("video", "audio"):
        rows = random.standard_normal((NUM_SHOTS, DIM)).astype(np.float32)
        if space == "video":
            rows[:, 0] = 3 * eerie(number)
        made[space] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return made


def eerie(number: int) -> np.ndarray:
    """Return how eerie each shot of a title is, -1..1: no two alike."""
    return np.random.default_rng(100 + number).permutation(np.linspace(-1, 1, NUM_SHOTS))


def write_title(library: Library, number: int, vectors: dict[str, np.ndarray]) -> Manifest:
    """Put a title into a version of the library, in place of what it was."""
    title_id = f"film-{number}"
    folder = library.folder(title_id)
    folder.mkdir(parents=True, exist_ok=True)
    for space, rows in vectors.items():
        save_file({"shots": np.ascontiguousarray(rows)}, folder / f"{space}@1.safetensors")
    starts = SHOT_FRAMES * np.arange(NUM_SHOTS)
    pd.DataFrame(
        {
            "start_frame": starts,
            "end_frame": starts + SHOT_FRAMES,
            "start_s": starts / RATE,
            "end_s": (starts + SHOT_FRAMES) / RATE,
        }
    ).to_parquet(folder / "shots.parquet")
    frames = SHOT_FRAMES * NUM_SHOTS
    return library.finish(
        Manifest(
            title_id=title_id, path=title_id, content_hash=title_id, size=0, mtime_ns=0,
            title=f"Film {number}", kind="film", metadata={}, inputs={}, rate=f"{RATE}/1",
            drop_frame=False, start_timecode=None, num_frames=frames, duration_s=frames / RATE,
            width=16, height=9, container="mp4", video_codec="h264", pixel_format="yuv420p",
            audio_codec="aac", language="en", num_shots=NUM_SHOTS,
            spaces={space: f"{space}@1.safetensors" for space in vectors},
            checkpoint=library.checkpoint_id(), version=library.version, generation="by-hand",
        )
    )  # fmt: skip


def creepy_labels(num_titles: int = 8) -> list[Label]:
    """Return, for each shot, that it is creepy, or that nothing fits."""
    return [
        Label(f"film-{n}", SHOT_FRAMES * s, SHOT_FRAMES * (s + 1), "creepy" if high > 0.3 else "")
        for n in range(num_titles)
        for s, high in enumerate(eerie(n).tolist())
    ]


def popularity_labels(num_titles: int = 8) -> list[Label]:
    """Return, for each shot, how much it was clicked."""
    return [
        Label(f"film-{n}", SHOT_FRAMES * s, SHOT_FRAMES * (s + 1), "popularity", 2 + high)
        for n in range(num_titles)
        for s, high in enumerate(eerie(n).tolist())
    ]
