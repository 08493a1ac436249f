"""The sound of real films: what is known of them is found. Opt-in: `TRIMBIN_MEDIA=folder`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from indexer.media.probe import probe
from indexer.sound.music import music_spans
from indexer.sound.recording import Recording, recording
from indexer.sound.spans import share
from indexer.sound.voice import speech_spans

pytestmark = pytest.mark.media


@pytest.fixture
def sound(request: pytest.FixtureRequest) -> Iterator[Recording]:
    folder = os.environ.get("TRIMBIN_MEDIA")
    if folder is None or not (Path(folder) / request.param).is_file():
        pytest.skip(f"set TRIMBIN_MEDIA to a folder with {request.param}")
    with recording(probe(Path(folder) / request.param)) as found:
        yield found


@pytest.mark.parametrize("sound", ["nasa_13013.mp4"], indirect=True)
def test_a_narration_is_speech_and_no_music(sound: Recording) -> None:
    assert share(speech_spans(sound.samples), 0, 12.5) > 0.8
    assert share(music_spans(sound.samples), 0, 12.5) == 0.0
    assert sound.integrated_lufs == pytest.approx(-19.1, abs=0.1)  # as ffmpeg's program says


@pytest.mark.parametrize("sound", ["sintel_trailer_720p.mp4"], indirect=True)
def test_lines_of_a_trailer_are_found_under_its_music(sound: Recording) -> None:
    """Three of the four lines of its subtitles; "A dangerous quest ..." (36.5-39 s) is missed."""
    spans = speech_spans(sound.samples)
    for start_s, end_s in ((12, 15), (18.5, 20.5), (41.5, 44)):
        assert share(spans, start_s, end_s) > 0.5
    assert share(spans, 0, 11) == share(spans, 24, 35) == share(spans, 45, 52) == 0.0
    assert share(music_spans(sound.samples), 30, 44) > 0.9
    assert sound.integrated_lufs == pytest.approx(-12.8, abs=0.1)
