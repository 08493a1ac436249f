"""Real files, made here: what is found in them, and what is said of those that are none."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from reel import PHOTOGRAPHS, SHOT_FRAMES, SILENT_SHOTS, Reel, make_reel

from indexer.media.decode import Decoding
from indexer.media.probe import media_files, probe
from indexer.shots.adaptive import AdaptiveBoundaries
from indexer.shots.measures import num_bits_apart
from indexer.shots.watch import MAX_SAMPLES, WatchedShot, watch
from indexer.sound.recording import recording
from qdrant.errors import InputError


def watched(path: Path, report: Decoding | None = None) -> list[WatchedShot]:
    detector = AdaptiveBoundaries()
    return list(watch(probe(path), detector=detector, report=report or Decoding()))


@pytest.fixture(scope="module")
def reel(tmp_path_factory: pytest.TempPathFactory) -> Reel:
    return make_reel(tmp_path_factory.mktemp("media"))


def test_probe_tells_rate_size_and_tracks(reel: Reel) -> None:
    media = probe(reel.path)
    assert media.picture is not None
    assert media.sound is not None
    assert (media.rate, media.picture.width, media.picture.height) == (Fraction(24), 480, 270)
    assert (media.picture.codec, media.sound.codec) == ("h264", "aac")


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("words.mp4", b"just a text file\n" * 50, "not a film or sound"),
        ("empty.mov", b"", r"is empty \(0 bytes\)"),
    ],
)
def test_what_is_no_film_is_named(tmp_path: Path, name: str, content: bytes, told: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=told) as error:
        probe(tmp_path / name)
    assert name in str(error.value)


def test_shots_cover_the_reel_and_begin_at_its_cuts(reel: Reel) -> None:
    report = Decoding()
    shots = watched(reel.path, report)
    edges = [shot.start_frame for shot in shots]
    assert edges == [0, *[shot.end_frame for shot in shots[:-1]]]
    assert shots[-1].end_frame == report.num_frames == reel.num_frames
    assert set(reel.cuts) <= set(edges)
    assert all(1 <= len(shot.samples) <= MAX_SAMPLES for shot in shots)
    assert shots[1].start_s == pytest.approx(SHOT_FRAMES / 24)


def test_cuts_are_those_of_pyscenedetect(reel: Reel) -> None:
    from scenedetect import AdaptiveDetector, detect

    reference = [start.frame_num for start, _ in detect(str(reel.path), AdaptiveDetector())]
    ours = [shot.start_frame for shot in watched(reel.path)]
    assert ours == reference


def test_a_thumbnail_shows_its_own_shot(reel: Reel) -> None:
    """The picture of the second shot is nearer to the coffee than to the cat before it."""
    import cv2
    from reel import photograph

    shots = watched(reel.path)
    image = cv2.imdecode(np.frombuffer(shots[1].look.thumbnail, np.uint8), cv2.IMREAD_COLOR_RGB)
    colour = image.reshape(-1, 3).mean(axis=0)
    cat, coffee = (photograph(name).reshape(-1, 3).mean(axis=0) for name in PHOTOGRAPHS[:2])
    assert np.linalg.norm(colour - coffee) < np.linalg.norm(colour - cat)


def test_a_truncated_film_keeps_what_decodes_and_says_so(tmp_path: Path) -> None:
    whole = make_reel(tmp_path / "whole", name="whole.mkv", subtitles=False).path
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    report = Decoding()
    shots = watched(cut, report)
    assert 0 < shots[-1].end_frame == report.num_frames < SHOT_FRAMES * len(PHOTOGRAPHS)


def test_sound_is_on_the_pictures_clock(reel: Reel) -> None:
    with recording(probe(reel.path)) as sound:
        assert sound.duration_s == pytest.approx(reel.num_frames / 24, abs=0.1)
        spans = [reel.seconds_of(shot) for shot in range(len(PHOTOGRAPHS))]
        silent = {i for i, (a, b) in enumerate(spans) if sound.is_silent(a + 0.2, b - 0.2)}
        assert silent == set(SILENT_SHOTS)
        # A sine of amplitude 0.3: its mean square, and BS.1770's -0.691 dB; near 220 Hz, K is flat.
        expected_lufs = 20 * np.log10(0.3 / np.sqrt(2)) - 0.691
        assert sound.loudness_between(0.2, 1.8) == pytest.approx(expected_lufs, abs=0.5)


def test_a_shot_is_measured(reel: Reel) -> None:
    shots = watched(reel.path)
    coins, camera = shots[3].look, shots[4].look
    assert (coins.saturation, camera.saturation) == (0.0, 0.0), "two photographs in grey"
    assert coins.colour[1:3] == coins.colour[3:5] == coins.colour[5:7]
    assert shots[0].look.saturation > 0.2
    assert 0 < shots[0].motion < 0.02, "a slow pan"
    assert shots[5].brightness < 0.1 < shots[0].brightness, "stars in the dark, a cat by day"


def test_near_duplicates_have_near_fingerprints(reel: Reel) -> None:
    marks = [shot.look.fingerprint for shot in watched(reel.path)]
    again = [shot.look.fingerprint for shot in watched(reel.path)]
    assert marks == again
    assert all(num_bits_apart(a, b) > 10 for i, a in enumerate(marks) for b in marks[:i])


def test_a_folder_gives_its_media_files_and_a_named_file_is_tried(tmp_path: Path) -> None:
    for name in ("b.mp4", "a.mkv", "notes.txt", ".hidden.mp4", "deep/c.mov"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = [p.name for p in media_files([tmp_path, tmp_path / "notes.txt"])]
    assert found == ["a.mkv", "b.mp4", "c.mov", "notes.txt"]
