"""Which titles a clip is cut from: a library made by hand, and a reel cut anew for real."""

from __future__ import annotations

import logging
import subprocess
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pandas as pd
import pytest
from reel import CAT, COFFEE, COINS, RATE, ROCKET, SHOT_FRAMES
from safetensors.numpy import save_file
from shelf import add_title, make_film, make_library

from indexer.aligning import titles
from indexer.aligning.shots import shots_of_clip
from indexer.aligning.titles import origins_of
from indexer.clip import Clip, ClipShot, encode_clip
from indexer.encoders.load import load_encoders
from indexer.encoders.protocol import unit
from indexer.library import Library
from qdrant.errors import UsageError
from qdrant.schema import AUDIO, VIDEO

DIM = 384
SHOT_S = SHOT_FRAMES / RATE
NUM_SHOTS = 40


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    """Three titles of shots that are like nothing else, the names of their seeds."""
    folder = tmp_path_factory.mktemp("three")
    library = make_library(folder / "library")
    for seed in range(3):
        film = make_film(folder / f"{seed}.mp4", seconds=1 + seed)
        spaces = {VIDEO: "video@made.safetensors"}
        manifest = add_title(library, film, spaces=spaces, num_shots=NUM_SHOTS)
        frames = np.arange(NUM_SHOTS + 1) * SHOT_FRAMES
        table = {"start_frame": frames[:-1], "end_frame": frames[1:],
                 "start_s": frames[:-1] / RATE, "end_s": frames[1:] / RATE}  # fmt: skip
        title = library.folder(manifest.title_id)
        pd.DataFrame(table).to_parquet(title / "shots.parquet")
        save_file({"shots": vectors_of(seed)}, title / spaces[VIDEO])
    return library


def vectors_of(seed: int) -> np.ndarray:
    return unit(np.random.default_rng(seed).standard_normal((NUM_SHOTS, DIM)))


def clip_of(*shots: tuple[int, int]) -> Clip:
    """Return a clip of (seed of a title, its shot), slightly worn."""
    generator = np.random.default_rng(99)
    made = []
    for place, (seed, shot) in enumerate(shots):
        noise = unit(generator.standard_normal(DIM))
        vector = unit(vectors_of(seed)[shot] + 0.4 * noise)
        made.append(ClipShot(place * SHOT_S, (place + 1) * SHOT_S, {VIDEO: vector}))
    return Clip(Path("clip.mp4"), tuple(made), {}, np.zeros((len(made), 1), np.float32))


def test_the_title_a_clip_is_cut_from_comes_first(library: Library) -> None:
    clip = clip_of((1, 4), (1, 5), (1, 6), (1, 20), (2, 30))
    first, second = origins_of(clip, library)
    assert (first.manifest.title, second.manifest.title) == ("1", "2")
    assert first.is_likely and not second.is_likely
    assert [stretch.title_frames for stretch in first.alignment.stretches] == [
        (4 * SHOT_FRAMES, 7 * SHOT_FRAMES),
        (20 * SHOT_FRAMES, 21 * SHOT_FRAMES),
    ]
    assert [stretch.title_shots for stretch in second.alignment.stretches] == [(30, 31)]
    assert [origin.manifest.title for origin in origins_of(clip, library, top=1)] == ["1"]


def test_every_title_is_looked_at_and_told(library: Library) -> None:
    told: list[tuple[str, float, float]] = []
    origins_of(clip_of((0, 1)), library, progress=lambda *report: told.append(report))
    assert told == [("comparing", n, 3) for n in range(4)]


def test_the_first_look_already_finds_it_among_many(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(titles, "LOOKED_AT", 1)
    for seed in range(3):
        other = (seed + 1) % 3
        clip = clip_of((seed, 8), (seed, 9), (other, 30), (seed, 3))
        assert [o.manifest.title for o in origins_of(clip, library, top=1)] == [str(seed)]


def test_a_clip_of_nothing_here_has_no_origin(library: Library) -> None:
    assert origins_of(clip_of((7, 1), (7, 2)), library) == []


def test_a_clip_of_another_profile_is_refused(library: Library) -> None:
    shot = ClipShot(0.0, 1.0, {VIDEO: np.ones(7, np.float32)})
    clip = Clip(Path("clip.mp4"), (shot,), {}, np.zeros((1, 1), np.float32))
    with pytest.raises(UsageError, match="library's own profile"):
        origins_of(clip, library)


def test_a_damaged_title_is_passed_over_and_told(
    library: Library, caplog: pytest.LogCaptureFixture
) -> None:
    [damaged] = [m for m in library.titles() if m.title == "0"]
    vectors = library.folder(damaged.title_id) / damaged.spaces[VIDEO]
    content = vectors.read_bytes()
    vectors.write_bytes(content[:-1000])
    try:
        with caplog.at_level(logging.WARNING):
            [origin] = origins_of(clip_of((0, 1), (1, 1), (1, 2)), library)
    finally:
        vectors.write_bytes(content)
    assert origin.manifest.title == "1"
    assert "0 cannot be compared: its folder" in caplog.text


def test_a_reel_cut_anew_is_found_shot_by_shot(reel_library: Path, tmp_path: Path) -> None:
    library = Library.open(reel_library)
    [manifest] = library.titles()
    order = [ROCKET, COINS, CAT, COFFEE]
    path = cut_anew(Path(manifest.path), order, tmp_path / "recut.mp4")
    encoders = load_encoders(library.profile, cache_dir=tmp_path)
    clip = encode_clip(path, encoders)
    assert {VIDEO, AUDIO} <= shots_of_clip(clip).vectors.keys()
    [origin] = origins_of(clip, library)
    assert origin.is_likely
    assert [match.title_shots for match in origin.alignment.matches] == [
        (shot, shot + 1) for shot in order
    ]
    assert [stretch.title_frames for stretch in origin.alignment.stretches] == [
        (ROCKET * SHOT_FRAMES, (COINS + 1) * SHOT_FRAMES),
        (CAT * SHOT_FRAMES, (COFFEE + 1) * SHOT_FRAMES),
    ]


def cut_anew(film: Path, shots: list[int], path: Path) -> Path:
    """Write shots of the reel in another order, smaller and encoded anew."""
    inputs, graph = [], ""
    for number, shot in enumerate(shots):
        inputs += ["-ss", str(shot * SHOT_S), "-t", str(SHOT_S), "-i", str(film)]
        graph += f"[{number}:v]scale=320:-2[v{number}];"
    graph += "".join(f"[v{n}][{n}:a]" for n in range(len(shots)))
    graph += f"concat=n={len(shots)}:v=1:a=1[v][a]"
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", *inputs, "-filter_complex",
               graph, "-map", "[v]", "-map", "[a]", "-crf", "28", str(path)]  # fmt: skip
    subprocess.run(command, check=True)
    return path
