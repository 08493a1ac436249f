"""Loudness against EBU Tech 3341's own signals and against ffmpeg's program."""

from __future__ import annotations

import re
import subprocess
import wave
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
from numpy.typing import NDArray

from indexer.media.probe import probe
from indexer.sound.loudness import ABSOLUTE_GATE_LUFS, Loudness, gated_lufs
from indexer.sound.recording import recording

RATE_HZ = 48_000


def tones(*parts: tuple[float, float]) -> NDArray[np.float64]:
    """A sine of 1 kHz in (peak in dBFS, seconds) after one another."""
    levels = np.concatenate([np.full(round(s * RATE_HZ), 10 ** (db / 20)) for db, s in parts])
    return levels * np.sin(2 * np.pi * 1000 * np.arange(len(levels)) / RATE_HZ)


def write_wav(path: Path, *channels: NDArray[np.float64]) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(len(channels))
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(np.rint(np.stack(channels, 1) * 32_767).astype("<i2").tobytes())
    return path


def measured_by_ffmpeg(*source: str | Path) -> tuple[float, float]:
    """Return integrated loudness and loudness range as the program prints them."""
    program = imageio_ffmpeg.get_ffmpeg_exe()
    options = ("-vn", "-af", "ebur128=framelog=quiet", "-f", "null", "-")
    command = [program, "-hide_banner", "-nostats", *map(str, source), *options]
    printed = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    integrated, spread = re.findall(r"(?:I|LRA):\s+(-?[\d.]+) LUF?S?", printed.stderr)
    return float(integrated), float(spread)


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([(-23, 4)], -23.0),  # Tech 3341, case 1: both channels
        ([(-33, 4)], -33.0),  # case 2
        ([(-36, 2), (-23, 12), (-36, 2)], -23.0),  # case 3: the quiet parts are gated
        ([(-72, 2), (-36, 2), (-23, 12), (-36, 2), (-72, 2)], -23.0),  # case 4
        ([(-26, 4), (-20, 4.02), (-26, 4)], -23.0),  # case 5: nothing is gated
    ],
)
def test_signals_of_tech_3341(
    tmp_path: Path, parts: list[tuple[float, float]], expected: float
) -> None:
    sound = tones(*parts)
    with recording(probe(write_wav(tmp_path / "t.wav", sound, sound))) as heard:
        # The standard's parts are five times as long: its edges weigh less.
        assert heard.integrated_lufs == pytest.approx(expected, abs=0.1 if len(parts) < 3 else 0.3)


def test_a_shot_is_as_loud_as_it_is_alone(tmp_path: Path) -> None:
    sound = tones((-36, 2), (-23, 2), (-30, 2))
    with recording(probe(write_wav(tmp_path / "t.wav", sound, sound))) as heard:
        for shot, expected in enumerate([-36, -23, -30]):
            found = heard.loudness_between(2 * shot, 2 * shot + 2)
            assert found == pytest.approx(expected, abs=0.1)
        assert heard.loudness_between(2.9, 3.1) == pytest.approx(-23, abs=0.1)  # too short


@pytest.fixture(scope="module")
def surround(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve seconds of 5.1: tones and noise that come and go, each channel its own."""
    rng = np.random.default_rng(3)
    swells = np.repeat(10 ** (rng.uniform(-45, -12, (6, 24)) / 20), RATE_HZ // 2, axis=1)
    plain = write_wav(
        tmp_path_factory.mktemp("surround") / "plain.wav",
        *(swells * rng.uniform(-1, 1, swells.shape)),
    )
    path = plain.with_name("surround.flac")
    program = imageio_ffmpeg.get_ffmpeg_exe()
    relay = ["-af", "aformat=channel_layouts=5.1"]
    subprocess.run([program, "-loglevel", "error", "-i", plain, *relay, path], check=True)
    return path


def test_a_title_measures_as_ffmpeg_measures_it(surround: Path) -> None:
    with recording(probe(surround)) as heard:
        integrated, spread = measured_by_ffmpeg("-i", surround)
        assert heard.integrated_lufs == pytest.approx(integrated, abs=0.1)
        assert heard.loudness.range_lu == pytest.approx(spread, abs=0.2)
        assert len(heard.loudness.block_ends_s) == 117


@pytest.mark.parametrize(("start_s", "end_s"), [(2.0, 5.0), (6.5, 8.1), (0.0, 0.4)])
def test_a_shot_measures_as_ffmpeg_measures_its_piece(
    surround: Path, start_s: float, end_s: float
) -> None:
    piece = ("-ss", str(start_s), "-t", str(end_s - start_s), "-i", surround)
    with recording(probe(surround)) as heard:
        found = heard.loudness_between(start_s, end_s)
        assert found == pytest.approx(measured_by_ffmpeg(*piece)[0], abs=0.1)


def test_the_gates_by_hand() -> None:
    """-20 and -10 make 10*log10(0.055) = -12.6 together; below -22.6 and -70 nothing counts."""
    loud = np.array([-20, -10], np.float32)
    assert gated_lufs(loud) == pytest.approx(10 * np.log10(0.055))
    assert gated_lufs(np.array([*loud, -71], np.float32)) == pytest.approx(gated_lufs(loud))
    assert gated_lufs(np.array([*loud, -24.5], np.float32)) == pytest.approx(gated_lufs(loud))
    assert gated_lufs(np.array([-71, -120], np.float32)) == ABSOLUTE_GATE_LUFS


def test_blocks_count_for_the_shot_they_lie_in() -> None:
    ends = np.array([0.4, 0.5, 0.6, 2.0])
    levels = np.array([-10, -20, -30, -40], np.float32)
    loudness = Loudness(ends, levels, np.full(4, np.nan, np.float32))
    assert loudness.inside(0.0, 0.5).tolist() == [-10, -20]
    assert loudness.inside(0.05, 0.6).tolist() == [-20, -30]
    assert loudness.between(0.15, 0.25) == pytest.approx(-10)  # the block of [0, 0.4)
    assert loudness.between(1.0, 1.1) == ABSOLUTE_GATE_LUFS  # in a hole
    assert loudness.range_lu is None
