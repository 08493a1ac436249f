"""A clip as a question: cut out of a film, it finds its own shot first."""

import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
from harness import need_offline_profile
from reel import (
    CAMERA,
    CAT,
    COFFEE,
    COINS,
    LINE_SHOT,
    PHOTOGRAPHS,
    ROCKET,
    SILENT_SHOTS,
    STARS,
    make_reel,
)

from indexer.catalogue import Catalogue, open_catalogue
from indexer.clip import Clip, ClipShot, encode_clip
from indexer.encoders.load import EncoderSet, load_encoders
from indexer.library import Library
from indexer.profiles import load_profile
from indexer.query import like_shots
from indexer.workbench import load_vectors
from qdrant.errors import InputError, UsageError
from qdrant.language import Query
from qdrant.ranking import score_shots
from qdrant.schema import AUDIO, TEXT, VIDEO

SHOT_S = 2.0


@pytest.fixture(scope="module")
def encoders(tmp_path_factory: pytest.TempPathFactory) -> EncoderSet:
    need_offline_profile()
    return load_encoders(load_profile("offline"), cache_dir=tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def library(reel_library: Path) -> Library:
    return Library.open(reel_library)


@pytest.fixture(scope="module")
def film(library: Library) -> Path:
    [manifest] = library.titles()
    return Path(manifest.path)


@pytest.fixture(scope="module")
def catalogue(library: Library) -> Iterator[Catalogue]:
    with open_catalogue(library, command="test") as opened:
        yield opened


def first_shot(clip: Clip, catalogue: Catalogue) -> int:
    query = Query((like_shots([(clip.vectors, 1.0)]),))
    return score_shots(catalogue.query(query), catalogue.calibrations, query)[0].shot


def cut_out(film: Path, path: Path, *, in_s: float, out_s: float) -> Path:
    """Write a span of a film as a file of its own, smaller and encoded anew; no sidecars."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-i", str(film),
               "-ss", str(in_s), "-to", str(out_s), "-vf", "scale=320:-2", "-crf", "28",
               str(path)]  # fmt: skip
    subprocess.run(command, check=True)
    return path


@pytest.mark.parametrize("shot", range(len(PHOTOGRAPHS)))
def test_a_span_of_an_indexed_film_finds_its_own_shot_first(
    shot: int, film: Path, encoders: EncoderSet, catalogue: Catalogue
) -> None:
    clip = encode_clip(film, encoders, in_s=shot * SHOT_S + 0.4, out_s=(shot + 1) * SHOT_S - 0.6)
    assert len(clip.shots) == 1
    assert (AUDIO in clip.vectors) == (shot not in SILENT_SHOTS)
    assert first_shot(clip, catalogue) == shot


@pytest.mark.parametrize("shot", [CAT, ROCKET, CAMERA])
def test_a_clip_cut_out_of_an_indexed_film_finds_its_own_shot_first(
    shot: int, film: Path, encoders: EncoderSet, catalogue: Catalogue, tmp_path: Path
) -> None:
    start_s = shot * SHOT_S
    path = cut_out(film, tmp_path / "clip.mp4", in_s=start_s + 0.25, out_s=start_s + 1.25)
    clip = encode_clip(path, encoders)
    assert clip.end_s == pytest.approx(1.0, abs=0.05)
    assert first_shot(clip, catalogue) == shot


def test_a_whole_file_is_what_indexing_makes_of_it(
    film: Path, encoders: EncoderSet, library: Library
) -> None:
    clip = encode_clip(film, encoders)
    [manifest] = library.titles()
    table = library.shots(manifest.title_id)
    assert [shot.start_s for shot in clip.shots] == table["start_s"].tolist()
    assert [shot.end_s for shot in clip.shots] == table["end_s"].tolist()
    for space in (VIDEO, AUDIO, TEXT):
        file = library.folder(manifest.title_id) / manifest.spaces[space]
        for shot, stored in zip(clip.shots, load_vectors(file)["shots"], strict=True):
            assert (space in shot.vectors) == stored.any()
            if space in shot.vectors:
                np.testing.assert_allclose(shot.vectors[space], stored, atol=1e-5)


def test_in_and_out_are_cuts(film: Path, encoders: EncoderSet) -> None:
    clip = encode_clip(film, encoders, in_s=3.0, out_s=4.5)  # half of the coffee, some rocket
    assert [(shot.start_s, shot.end_s) for shot in clip.shots] == [(3.0, 4.0), (4.0, 4.5)]
    coffee, rocket = (
        encode_clip(film, encoders, in_s=start_s, out_s=start_s + SHOT_S)
        for start_s in (COFFEE * SHOT_S, ROCKET * SHOT_S)
    )
    for shot, own, other in ((0, coffee, rocket), (1, rocket, coffee)):
        seen = clip.shots[shot].vectors[VIDEO]
        assert seen @ own.vectors[VIDEO] > 0.9 > seen @ other.vectors[VIDEO]


def test_a_span_is_half_open(film: Path, encoders: EncoderSet) -> None:
    clip = encode_clip(film, encoders, in_s=2.0, out_s=4.0)
    assert [(shot.start_s, shot.end_s) for shot in clip.shots] == [(2.0, 4.0)]


def test_an_in_one_frame_early_makes_no_shot_of_one_frame(film: Path, encoders: EncoderSet) -> None:
    clip = encode_clip(film, encoders, in_s=4.0 - 1 / 24, out_s=6.0)
    assert [shot.end_s for shot in clip.shots] == [6.0]


def test_one_frame_is_a_clip(film: Path, encoders: EncoderSet) -> None:
    clip = encode_clip(film, encoders, in_s=5.0, out_s=5.01)
    assert [(s.start_s, s.end_s) for s in clip.shots] == [(5.0, pytest.approx(5 + 1 / 24))]
    assert clip.vectors.keys() == {VIDEO, AUDIO}


def test_only_the_words_of_the_span_are_asked_with(film: Path, encoders: EncoderSet) -> None:
    said = LINE_SHOT * SHOT_S
    assert TEXT in encode_clip(film, encoders, in_s=said, out_s=said + 1).vectors
    assert TEXT not in encode_clip(film, encoders, in_s=0.0, out_s=1.0).vectors


def test_an_out_after_the_end_is_the_end(film: Path, encoders: EncoderSet) -> None:
    clip = encode_clip(film, encoders, in_s=STARS * SHOT_S, out_s=99.0)
    assert clip.end_s == pytest.approx(len(PHOTOGRAPHS) * SHOT_S)


@pytest.mark.parametrize(
    ("in_s", "out_s", "error", "words"),
    [
        (3.0, 2.0, UsageError, "swap its in and out"),
        (3.0, 3.0, UsageError, "is empty; give a later out"),
        (-1.0, 2.0, UsageError, "seconds from 0 on, and not -1.0 and 2.0"),
        (float("nan"), 2.0, UsageError, "seconds from 0 on, and not nan and 2.0"),
        (0.0, float("nan"), UsageError, "seconds from 0 on"),
        (30.0, 31.0, InputError, r"no frame in \[30 s, 31 s\): it ends at about 12.00 s"),
        (30.0, None, InputError, r"no frame in \[30 s, end\)"),
        (1.01, 1.02, InputError, r"no frame in .*: a frame lasts 0.042 s; give a later out"),
    ],
)
def test_a_span_that_is_none_is_told_in_a_sentence(
    in_s: float,
    out_s: float | None,
    error: type[Exception],
    words: str,
    film: Path,
    encoders: EncoderSet,
) -> None:
    with pytest.raises(error, match=words):
        encode_clip(film, encoders, in_s=in_s, out_s=out_s)


def test_what_is_no_media_is_told_in_a_sentence(tmp_path: Path, encoders: EncoderSet) -> None:
    path = tmp_path / "notes.mp4"
    path.write_text("no film at all")
    with pytest.raises(InputError, match=r"notes\.mp4"):
        encode_clip(path, encoders)


def test_sound_alone_is_a_clip_too(
    tmp_path: Path, encoders: EncoderSet, catalogue: Catalogue
) -> None:
    reel = make_reel(tmp_path, name="sound.m4a", picture=False, subtitles=False)
    clip = encode_clip(reel.path, encoders, in_s=COINS * SHOT_S, out_s=COINS * SHOT_S + 1.5)
    assert (clip.start_s, clip.end_s) == (6.0, 7.5)
    assert clip.vectors.keys() == {AUDIO}
    assert first_shot(clip, catalogue) == COINS
    with pytest.raises(InputError, match=r"nothing to ask with from 2\.5 s to 3\.5 s"):
        encode_clip(reel.path, encoders, in_s=2.5, out_s=3.5)  # silence
    with pytest.raises(InputError, match=r"has no sound in .*: it ends at 12"):
        encode_clip(reel.path, encoders, in_s=50.0)


def test_nothing_is_left_behind(
    film: Path,
    encoders: EncoderSet,
    library: Library,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = {path: path.stat().st_mtime_ns for path in library.root.rglob("*")}
    encode_clip(film, encoders, in_s=0.0, out_s=1.0)
    assert before == {path: path.stat().st_mtime_ns for path in library.root.rglob("*")}
    assert not list(tmp_path.iterdir())


def test_a_long_shot_weighs_more() -> None:
    shots = (ClipShot(0.0, 3.0, {}), ClipShot(3.0, 4.0, {}))
    clip = Clip(Path("clip.mp4"), shots, {}, np.zeros((2, 2), np.float32))
    pooled = clip.pooled(np.array([[1, 0], [0, 1]], np.float32))
    np.testing.assert_allclose(pooled, np.array([3, 1]) / np.sqrt(10), rtol=1e-6)
