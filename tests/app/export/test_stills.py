"""A still is the middle frame of the kept moment, at full size and as it is seen."""

from __future__ import annotations

import subprocess
from fractions import Fraction
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
from counted import AAC, BITS, BLOCK, X264, cut_list, make_counted
from PIL import Image
from shelf import add_title, make_library

from app.export import stills
from app.export.assembling import Settings
from app.export.cutlist import CutList
from app.export.formats import Options
from indexer.library import Library
from indexer.progress import silent
from qdrant.errors import InputError, UsageError

FRAMES = 100
FFMPEG = (imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-y")


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return make_library(tmp_path / "library")


def stills_of(cuts: CutList, folder: Path) -> list[Path]:
    folder.mkdir(exist_ok=True)
    return stills.write(cuts, folder, options=Options(), progress=silent)


def seen(path: Path) -> Image.Image:
    with Image.open(path) as image:
        return image.convert("RGB")


def number_on(path: Path) -> int:
    row = np.asarray(seen(path).convert("L"), float)[20]
    bits = row.reshape(BITS, -1).mean(axis=1) > 128
    return int(sum(1 << bit for bit, is_set in enumerate(bits) if is_set))


@pytest.mark.parametrize("container", ["mp4", "ts", "mkv"])
def test_the_middle_of_the_moment_without_its_handles(
    container: str, library: Library, tmp_path: Path
) -> None:
    film = make_counted(tmp_path / f"film.{container}", *X264, "-g", "250", "-bf", "3", *AAC,
                        frames=FRAMES, rate=Fraction(24000, 1001))  # fmt: skip
    manifest = add_title(library, film, num_frames=FRAMES)
    cuts = cut_list(library, (manifest, 60, 81), (manifest, 0, 1), (manifest, 99, 100),
                    settings=Settings(handles=7))  # fmt: skip
    paths = stills_of(cuts, tmp_path / "out")
    assert [path.name for path in paths] == ["001_film.png", "002_film.png", "003_film.png"]
    assert [number_on(path) for path in paths] == [70, 0, 99]
    assert seen(paths[0]).size == (BITS * BLOCK, 96)


def test_square_pixels_and_upright(library: Library, tmp_path: Path) -> None:
    flat = make_counted(tmp_path / "flat.mp4", *X264, "-aspect", "2:1", frames=10, tracks=0)
    turned = tmp_path / "turned.mp4"
    subprocess.run([*FFMPEG, "-display_rotation", "90", "-i", str(flat), "-c", "copy",
                    str(turned)], check=True)  # fmt: skip
    manifests = [add_title(library, path, num_frames=10) for path in (flat, turned)]
    wide, tall = stills_of(cut_list(library, *((m, 4, 7) for m in manifests)), tmp_path / "out")
    assert seen(wide).size == (192, 96)
    assert seen(tall).size == (96, 192)
    upright = np.asarray(seen(wide), int)
    assert np.abs(np.rot90(upright) - np.asarray(seen(tall), int)).mean() < 1


@pytest.mark.parametrize("span", ["tv", "pc"])
def test_black_and_white_are_black_and_white_in_either_range(
    span: str, library: Library, tmp_path: Path
) -> None:
    source = "color=black:s=160x90:r=25:d=1,drawbox=w=80:c=white:t=fill"
    film = tmp_path / f"{span}.mp4"
    subprocess.run([*FFMPEG, "-f", "lavfi", "-i", source, "-vf", f"scale=out_range={span}", *X264,
                    "-color_range", span, str(film)], check=True)  # fmt: skip
    manifest = add_title(library, film, num_frames=25)
    (still,) = stills_of(cut_list(library, (manifest, 5, 10)), tmp_path / "out")
    image = np.asarray(seen(still))
    assert image[45, 20] == pytest.approx([255] * 3, abs=2)
    assert image[45, 140] == pytest.approx([0] * 3, abs=2)


def test_sound_alone_has_no_still_and_what_is_off_line_is_named(
    library: Library, tmp_path: Path
) -> None:
    film = make_counted(tmp_path / "film.mp4", *X264, *AAC, frames=FRAMES)
    gone = make_counted(tmp_path / "gone.mp4", *X264, *AAC, frames=50)
    sound = tmp_path / "sound.wav"
    subprocess.run([*FFMPEG, "-i", str(film), "-vn", str(sound)], check=True)
    titles = {path.stem: add_title(library, path) for path in (film, gone, sound)}
    gone.unlink()
    alone = cut_list(library, (titles["sound"], 100, 900), name="sound")
    with pytest.raises(UsageError, match="sound alone"):
        stills_of(alone, tmp_path / "out")
    cuts = cut_list(library, *((titles[name], 10, 20) for name in ("sound", "gone", "film")))
    with pytest.raises(InputError, match=r"1 of 2 stills could not be made.*002_gone is left out"):
        stills_of(cuts, tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["003_film.png"]
