"""Libraries made by hand, for what needs titles but no models: films, folders, manifests."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import av
import imageio_ffmpeg
import pandas as pd

from indexer.library import Library
from indexer.manifest import Manifest, title_id_of
from indexer.media.probe import probe

RATE = 24
SHOT_FRAMES = 48
PICTURE = b"\xff\xd8\xff\xe0 not a real picture \xff\xd9"


def make_library(root: Path) -> Library:
    """Make an empty library with the offline profile."""
    return Library.open(root, create=True, profile="offline")


def make_film(
    path: Path, *codec: str, seconds: float = 12, rate: int = RATE, size: str = "320x180"
) -> Path:
    """Write a test pattern with a tone, its frames counted; `codec` is ffmpeg's output options."""
    path.parent.mkdir(parents=True, exist_ok=True)
    ffmpeg = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-loglevel", "error", "-y"]
    picture = ["-f", "lavfi", "-i", f"testsrc2=size={size}:rate={rate}:duration={seconds}"]
    sound = ["-f", "lavfi", "-i", f"sine=frequency=440:sample_rate=48000:duration={seconds}"]
    options = codec or (
        "-c:v",
        "libx264",
        "-preset",
        "ultrafast",
        "-pix_fmt",
        "yuv420p",
        "-c:a",
        "aac",
    )
    subprocess.run([*ffmpeg, *picture, *sound, *options, str(path)], check=True, timeout=120)
    return path


def add_title(
    library: Library,
    path: Path,
    *,
    title: str | None = None,
    dialogue: Sequence[str] = (),
    **changes: Any,
) -> Manifest:
    """Put a film into the library as if it had been indexed: two seconds a shot."""
    media = probe(path)
    num_frames = round(media.duration_s * media.rate)
    starts = list(range(0, num_frames, SHOT_FRAMES))
    title_id = title_id_of(hashlib.sha256(path.read_bytes()).hexdigest())
    folder = library.folder(title_id)
    (folder / "thumbs").mkdir(parents=True)
    shots = pd.DataFrame(
        {
            "shot": range(len(starts)),
            "start_frame": starts,
            "end_frame": [*starts[1:], num_frames],
            "start_s": [float(start / media.rate) for start in starts],
            "end_s": [float(end / media.rate) for end in [*starts[1:], num_frames]],
            "dialogue": [*dialogue, *[""] * len(starts)][: len(starts)],
        }
    )
    shots.to_parquet(folder / "shots.parquet")
    for shot in range(len(starts)):
        library.thumbnail(title_id, shot).write_bytes(PICTURE)
    picture, sound, stat = media.picture, media.sound, path.stat()
    fields: dict[str, Any] = {
        "title_id": title_id,
        "path": str(path),
        "content_hash": hashlib.sha256(path.read_bytes()).hexdigest(),
        "size": stat.st_size,
        "mtime_ns": stat.st_mtime_ns,
        "title": title or path.stem,
        "kind": "film",
        "metadata": {},
        "inputs": {},
        "rate": f"{media.rate.numerator}/{media.rate.denominator}",
        "drop_frame": media.drop_frame,
        "start_timecode": media.start_timecode,
        "num_frames": num_frames,
        "duration_s": media.duration_s,
        "width": picture.width if picture else 0,
        "height": picture.height if picture else 0,
        "container": media.container,
        "video_codec": picture.codec if picture else None,
        "pixel_format": picture.pixel_format if picture else None,
        "audio_codec": sound.codec if sound else None,
        "language": "en",
        "num_shots": len(starts),
        "spaces": {},
        "checkpoint": None,
        "version": library.version,
        "generation": "by-hand",
    }
    return library.finish(Manifest(**{**fields, **changes}))


def streams_of(path: Path) -> dict[str, str]:
    """Decode a file to its end and say what was in it."""
    with av.open(str(path)) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        found = {
            "video": video.codec_context.name,
            "pixels": str(video.codec_context.pix_fmt),
            "audio": audio.codec_context.name,
        }
        times = [frame.time for frame in container.decode(video)]
    return {**found, "frames": str(len(times)), "last_s": f"{times[-1]:.2f}"}
