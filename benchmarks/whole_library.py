"""A whole library of any size, for measuring the page: title folders, pictures, films, a store.

SIMULATION. The titles are those of `big_library`, with the offline profile's vectors. Every title
has the same film, a real one repeated to the length of a feature, and pictures out of it. Files are
hard links, so that 100,000 shots take little more than their vectors.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import imageio_ffmpeg
import numpy as np
import pandas as pd

from benchmarks.big_library import ASKED, titles
from indexer.catalogue import open_catalogue
from indexer.library import Library
from indexer.manifest import Manifest
from indexer.media.probe import Media, probe
from indexer.workbench import workbench
from qdrant.record import ShotRecord

NUM_PICTURES = 200
PICTURE_PX = 320
HOURS = 3  # the film's length: longer than the longest title made
NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "benchmark.trimbin")


def whole_library(folder: Path, num_shots: int, film: Path, say: Callable[[str], None]) -> Library:
    """Return the library of that size in `folder`; built and indexed first if it is not there."""
    root = folder / f"whole-{num_shots}"
    if not root.is_dir():
        unfinished = folder / f"unfinished-whole-{num_shots}"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        _build(unfinished, num_shots, film, say)
        unfinished.rename(root)
        _move_films(Library.open(root), root / "films")
    library = Library.open(root)
    with open_catalogue(library, command="page_speed.py") as catalogue:
        say("the store follows")
        catalogue.sync()
        catalogue.build_index(lambda *_: None)
    return library


def _build(root: Path, num_shots: int, film: Path, say: Callable[[str], None]) -> None:
    library = Library.open(root, create=True, profile="offline")
    (root / "films").mkdir()
    long_film = _repeated(film, root / "films" / "feature.mp4")
    pictures = _pictures(film, root / "pictures")
    media = probe(long_film)
    done = 0
    for number, records in enumerate(titles(num_shots, ASKED)):
        _title(library, number, records, media, pictures)
        done += len(records)
        say(f"{done} of {num_shots} shots")


def _title(
    library: Library, number: int, records: list[ShotRecord], media: Media, pictures: list[Path]
) -> None:
    title_id = str(uuid.uuid5(NAMESPACE, str(number)))
    film = media.path.with_name(f"Feature {number}.mp4")
    os.link(media.path, film)
    payload = records[0].payload
    rows = pd.DataFrame([_shot(record) for record in records])
    (library.folder(title_id) / "thumbs").mkdir(parents=True)
    for shot in range(len(records)):
        os.link(pictures[(shot + number) % len(pictures)], library.thumbnail(title_id, shot))
    with workbench(library, title_id) as bench:
        rows.to_parquet(bench.folder / "shots.parquet")
        for space, dim in ASKED.items():
            absent = np.zeros(dim, np.float32)
            vectors = np.stack([record.vectors.get(space, absent) for record in records])
            bench.save_vectors(space, "benchmark", shots=vectors)
        assert media.picture is not None
        assert media.sound is not None
        library.finish(
            Manifest(
                title_id=title_id,
                path=str(film),
                content_hash=uuid.uuid5(NAMESPACE, f"{number} content").hex,
                size=film.stat().st_size,
                mtime_ns=film.stat().st_mtime_ns,
                title=payload["title"],
                kind=payload["kind"],
                metadata={name: payload[name] for name in ("year", "genres", "tags", "synopsis")},
                inputs={},
                rate="24/1",
                drop_frame=False,
                start_timecode=None,
                num_frames=records[-1].payload["end_frame"],
                duration_s=records[-1].payload["end_s"],
                width=media.picture.width,
                height=media.picture.height,
                container=media.container,
                video_codec=media.picture.codec,
                pixel_format=media.picture.pixel_format,
                audio_codec=media.sound.codec,
                language="en",
                num_shots=len(records),
                spaces=dict(bench.spaces),
                checkpoint=None,
                version=library.version,
                generation=uuid.uuid5(NAMESPACE, f"{number} generation").hex[:16],
            )
        )


def _shot(record: ShotRecord) -> dict[str, object]:
    shared = ("title", "kind", "language", "rate", "model_version", "context_model", "year",
              "genres", "tags", "synopsis", "position", "length_s")  # fmt: skip
    row = {name: value for name, value in record.payload.items() if name not in shared}
    return {"dialogue": "", "dialogue_at_s": [], **row}


def _repeated(film: Path, made: Path) -> Path:
    """Write a film, its packets copied, again and again until it is long enough."""
    times = int(HOURS * 3600 / probe(film).duration_s) + 1
    ffmpeg = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-loglevel", "error", "-y"]
    again = ["-stream_loop", str(times), "-i", str(film), "-c", "copy"]
    subprocess.run([*ffmpeg, *again, "-movflags", "+faststart", str(made)], check=True)
    return made


def _pictures(film: Path, folder: Path) -> list[Path]:
    folder.mkdir()
    reader = cv2.VideoCapture(str(film))
    every = reader.get(cv2.CAP_PROP_FRAME_COUNT) / NUM_PICTURES
    made = []
    for number in range(NUM_PICTURES):
        reader.set(cv2.CAP_PROP_POS_FRAMES, int(number * every))
        _, image = reader.read()
        height = round(PICTURE_PX * image.shape[0] / image.shape[1])
        path = folder / f"{number}.jpg"
        cv2.imwrite(str(path), cv2.resize(image, (PICTURE_PX, height)))
        made.append(path)
    return made


def _move_films(library: Library, films: Path) -> None:
    """Write where the films lie, now that the folder has its name."""
    for manifest in library.titles():
        library.finish(replace(manifest, path=str(films / Path(manifest.path).name)))
