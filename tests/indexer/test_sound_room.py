"""A title's sound in one pass: every layout and rate, on the pictures' clock."""

from __future__ import annotations

import subprocess
import wave
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
from numpy.typing import NDArray
from shelf import make_film

from indexer.media.probe import probe
from indexer.sound.loudness import LoudnessMeter
from indexer.sound.recording import FULL_SCALE, SAMPLE_RATE_HZ, Recording, recording

PICTURES = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-an")


def ffmpeg(*options: str | Path) -> None:
    program = imageio_ffmpeg.get_ffmpeg_exe()
    command = [program, "-hide_banner", "-loglevel", "error", "-y", *map(str, options)]
    subprocess.run(command, check=True, timeout=60)


def tone(seconds: float, *, rate_hz: int = 48_000, peak: float = 0.1) -> NDArray[np.float64]:
    return peak * np.sin(2 * np.pi * 1000 * np.arange(round(seconds * rate_hz)) / rate_hz)


def write_wav(
    path: Path, sound: NDArray[np.float64], *, rate_hz: int = 48_000, channels: int = 1
) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes((np.repeat(sound, channels) * 32_767).astype("<i2").tobytes())
    return path


def of_samples(sound: NDArray[np.float64]) -> Recording:
    return Recording((sound * 32_767).astype(np.int16), LoudnessMeter().loudness())


@pytest.mark.parametrize(
    ("rate_hz", "channels"), [(8_000, 1), (11_025, 2), (48_000, 8), (48_000, 9), (192_000, 6)]
)
def test_any_rate_and_number_of_channels(tmp_path: Path, rate_hz: int, channels: int) -> None:
    """Nine channels have no layout, and ffmpeg no mix to mono for them."""
    path = write_wav(tmp_path / "t.wav", tone(2, rate_hz=rate_hz), rate_hz=rate_hz,
                     channels=channels)  # fmt: skip
    with recording(probe(path)) as sound:
        assert sound.samples.dtype == np.int16
        assert len(sound.samples) == 2 * SAMPLE_RATE_HZ
        expected = tone(2, rate_hz=SAMPLE_RATE_HZ)
        middle = slice(SAMPLE_RATE_HZ // 2, 3 * SAMPLE_RATE_HZ // 2)
        assert np.abs(sound.samples / FULL_SCALE - expected)[middle].max() < 0.002
        assert len(sound.loudness.block_ends_s) == 17


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("float.wav", ("-ar", "96000", "-c:a", "pcm_f32le")),
        ("wide.wav", ("-c:a", "pcm_s24le")),
        ("byte.wav", ("-c:a", "pcm_u8")),
        ("lossless.flac", ()),
        ("radio.mp3", ()),
        ("talk.opus", ("-c:a", "libopus")),
    ],
)
def test_any_codec(tmp_path: Path, name: str, options: tuple[str, ...]) -> None:
    source = write_wav(tmp_path / "source.wav", tone(2))
    ffmpeg("-i", source, *options, tmp_path / name)
    with recording(probe(tmp_path / name)) as sound:
        assert sound.duration_s == pytest.approx(2, abs=0.1)
        assert np.abs(sound.between(0.5, 1.5)).max() == pytest.approx(0.1, rel=0.5)
        assert sound.integrated_lufs == pytest.approx(-23, abs=4)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("eight.m4a", ("-c:a", "aac", "-b:a", "512k", "-ac", "8")),
        ("ambisonic.mka", ("-c:a", "libopus", "-mapping_family", "2", "-ac", "4")),
    ],
)
def test_many_coded_channels(tmp_path: Path, name: str, options: tuple[str, ...]) -> None:
    """Ambisonic sound has no mix to mono either, and ffmpeg refuses to make one up."""
    channels = int(options[-1])
    source = write_wav(tmp_path / "source.wav", tone(2), channels=channels)
    ffmpeg("-i", source, *options, tmp_path / name)
    with recording(probe(tmp_path / name)) as sound:
        assert sound.duration_s == pytest.approx(2, abs=0.1)
        assert np.abs(sound.between(0.5, 1.5)).max() == pytest.approx(0.1, rel=0.2)
        assert sound.integrated_lufs == pytest.approx(-23 + 10 * np.log10(channels), abs=2)


def test_a_recording_goes_no_further_than_asked(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "long.wav", tone(30))
    with recording(probe(path), until_s=4.0) as part, recording(probe(path)) as whole:
        assert 4.0 <= part.duration_s < 6.0
        assert np.array_equal(part.between(0, 4), whole.between(0, 4))


def test_ten_milliseconds_and_no_samples_at_all(tmp_path: Path) -> None:
    with recording(probe(write_wav(tmp_path / "short.wav", tone(0.01)))) as sound:
        assert sound.duration_s == 0.01
        assert sound.integrated_lufs is None is sound.loudness_between(0, 0.01)
        assert not sound.is_silent(0, 0.01)
    with recording(probe(write_wav(tmp_path / "none.wav", tone(0)))) as sound:
        assert sound.duration_s == 0.0
        assert len(sound.between(0, 1)) == 0
        assert sound.integrated_lufs is None is sound.loudness_between(0, 1)
        assert sound.is_silent(0, 1)


def test_a_late_start_is_silence_and_an_early_one_is_cut(tmp_path: Path) -> None:
    pictures = make_film(tmp_path / "p.mp4", *PICTURES, seconds=4)
    source = write_wav(tmp_path / "t.wav", np.concatenate([tone(1), tone(1, peak=0.01)]))
    late, early = tmp_path / "late.mkv", tmp_path / "early.mkv"
    joins = ("-map", "0:v", "-map", "1:a", "-c:v", "copy", "-c:a", "pcm_s16le")
    ffmpeg("-i", pictures, "-itsoffset", "1.53", "-i", source, *joins, late)
    ffmpeg("-itsoffset", "0.5", "-i", pictures, "-i", source, *joins, early)
    with recording(probe(late)) as sound:
        assert np.abs(sound.between(0, 1.52)).max() == 0
        assert np.abs(sound.between(1.54, 2.5)).max() > 0.09
        assert sound.duration_s == pytest.approx(3.53, abs=0.01)
        assert sound.loudness.block_ends_s[0] == pytest.approx(1.53 + 0.4, abs=0.01)
        assert sound.is_silent(0, 1.5)
        assert sound.loudness_between(0, 1) == -70.0
        assert sound.loudness_between(1.53, 2.53) == pytest.approx(-23, abs=0.2)
    with recording(probe(early)) as sound:
        assert sound.duration_s == pytest.approx(1.5, abs=0.01)
        assert np.abs(sound.between(0, 0.48)).max() > 0.09
        assert np.abs(sound.between(0.52, 1.5)).max() < 0.011
        assert sound.loudness_between(0.5, 1.5) == pytest.approx(-43, abs=0.2)


def make_sound_with_a_hole(path: Path) -> Path:
    """Two seconds of tone whose timestamps leave out [0.8, 3.8)."""
    source = write_wav(path.with_suffix(".wav"), tone(2))
    shift = "asetpts='PTS+gte(T,0.75)*3/TB'"
    ffmpeg("-i", source, "-af", f"asetnsamples=n=4800,{shift}", "-c:a", "pcm_s16le", path)
    return path


def test_a_hole_in_the_timestamps_is_silence(tmp_path: Path) -> None:
    with recording(probe(make_sound_with_a_hole(tmp_path / "hole.mka"))) as sound:
        assert sound.duration_s == pytest.approx(5, abs=0.01)
        assert np.abs(sound.between(0.81, 3.79)).max() == 0
        for start_s, end_s in ((0.0, 0.8), (3.8, 5.0)):
            assert sound.loudness_between(start_s, end_s) == pytest.approx(-23, abs=0.1)
        assert sound.is_silent(1, 3.5)
        assert sound.integrated_lufs == pytest.approx(-23, abs=0.1)


def test_a_clock_that_lies_fills_no_disk(tmp_path: Path) -> None:
    source = write_wav(tmp_path / "t.wav", tone(2))
    film = tmp_path / "jump.ts"  # whose length is guessed from its last timestamp: bound it
    shift = "asetpts='PTS+gte(T,1)*7200/TB'"
    ffmpeg("-i", source, "-af", f"asetnsamples=n=4800,{shift}", "-c:a", "mp2", film)
    media = probe(film)
    with recording(type(media)(**{**vars(media), "duration_s": 2.0})) as sound:
        assert sound.duration_s == pytest.approx(2, abs=0.1)


def test_two_recordings_in_one_file_are_both_heard(tmp_path: Path) -> None:
    """The second begins at nought again, with another rate and layout."""
    first, second = tmp_path / "a.ts", tmp_path / "b.ts"
    ffmpeg("-i", write_wav(tmp_path / "a.wav", tone(3)), "-c:a", "aac", first)
    other = write_wav(tmp_path / "b.wav", tone(3, peak=0.02), channels=2)
    ffmpeg("-i", other, "-c:a", "aac", "-ar", "44100", second)
    both = tmp_path / "both.ts"
    both.write_bytes(first.read_bytes() + second.read_bytes())
    with recording(probe(both)) as sound:
        assert sound.duration_s == pytest.approx(6, abs=0.3)
        assert sound.loudness_between(0.5, 2.5) == pytest.approx(-23, abs=0.5)
        assert sound.loudness_between(3.5, 5.5) == pytest.approx(-34, abs=0.5)
        assert np.all(np.diff(sound.loudness.block_ends_s) > 0)


@pytest.mark.parametrize("name", ["tone.aac", "tone.mp3", "tone.ts", "tone.flac"])
def test_damaged_sound_is_read_to_its_end(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    ffmpeg("-i", write_wav(tmp_path / "t.wav", tone(6)), path)
    content = bytearray(path.read_bytes())
    rng = np.random.default_rng(0)
    for place in rng.integers(len(content) // 4, len(content), size=20):
        content[place : place + 16] = rng.bytes(16)
    path.write_bytes(content[: len(content) * 9 // 10])
    with recording(probe(path)) as sound:
        assert 1.0 < sound.duration_s < 8.0
        assert sound.loudness_between(0, 1) == pytest.approx(-23, abs=1)
        assert np.isfinite(sound.loudness.momentary_lufs).all()


def test_floats_that_are_no_numbers_spoil_only_their_place(tmp_path: Path) -> None:
    sound = tone(4).astype("<f4")
    sound[48_000:48_010] = np.nan
    sound[60_000] = 1e30
    (tmp_path / "raw.f32").write_bytes(sound.tobytes())
    path = tmp_path / "nan.wav"
    raw = ("-f", "f32le", "-ar", "48000", "-ac", "1")
    ffmpeg(*raw, "-i", tmp_path / "raw.f32", "-c:a", "pcm_f32le", path)
    with recording(probe(path)) as heard:
        assert heard.duration_s == 4.0
        assert heard.integrated_lufs == pytest.approx(-23, abs=0.1)
        assert len(heard.loudness.block_ends_s) >= 20


def test_silence_is_what_nobody_hears() -> None:
    second = SAMPLE_RATE_HZ
    silent = of_samples(np.zeros(second))
    assert silent.is_silent(0, 0.2)
    faint = of_samples(tone(1, rate_hz=second, peak=0.001))
    assert faint.is_silent(0, 0.2)
    assert not of_samples(tone(1, rate_hz=second, peak=0.01)).is_silent(0, 0.2)
    assert silent.is_silent(5, 6)


def test_a_quiet_shot_between_loud_ones_is_silent(tmp_path: Path) -> None:
    parts = [tone(1), np.zeros(48_000), tone(1)]
    with recording(probe(write_wav(tmp_path / "t.wav", np.concatenate(parts)))) as sound:
        assert [sound.is_silent(s, s + 1) for s in (0, 1, 2)] == [False, True, False]
        assert sound.loudness_between(1.02, 1.98) == -70.0
        assert sound.is_silent(1.3, 1.5)  # too short for a block: by its samples


def test_the_same_file_gives_the_same_recording(tmp_path: Path) -> None:
    path = make_sound_with_a_hole(tmp_path / "hole.mka")
    with recording(probe(path)) as first, recording(probe(path)) as second:
        assert np.array_equal(first.samples, second.samples)
        assert np.array_equal(first.loudness.momentary_lufs, second.loudness.momentary_lufs)
