"""The timeline that a cut list becomes, written as OTIO and read back."""

from __future__ import annotations

from fractions import Fraction

import opentimelineio as otio
import pytest
from xml_lists import EIGHT_MONO, RATES, STEREO, make_list, make_source, noted, random_list

from app.export.otio_timeline import timeline_of


@pytest.mark.parametrize("rate_name", RATES)
def test_random_lists_come_back_to_the_frame(rate_name: str) -> None:
    rate, _ = RATES[rate_name]
    for seed in range(200):
        cuts = random_list(seed, rate_name)
        text = otio.adapters.write_to_string(timeline_of(cuts), "otio_json")
        timeline = otio.adapters.read_from_string(text, "otio_json")
        assert timeline.global_start_time == otio.opentime.RationalTime(
            cuts.record_start, float(rate)
        )
        (track,) = timeline.video_tracks()
        for clip, cut in zip(track, cuts.cuts, strict=True):
            first = cut.source.start_count
            assert clip.source_range.start_time.value == first + cut.start_frame
            assert clip.source_range.duration.value == cut.num_frames
            assert clip.media_reference.available_range.start_time.value == first
            record = clip.range_in_parent().start_time.value
            assert record == pytest.approx(cut.record_start - cuts.record_start, abs=1e-6)


def test_sounds_have_tracks_of_their_own_and_gaps_keep_them_in_step() -> None:
    stereo = make_source(1, Fraction(24), sounds=STEREO)
    mono = make_source(2, Fraction(24), sounds=EIGHT_MONO)
    timeline = timeline_of(make_list([(stereo, 0, 10), (mono, 5, 25)], Fraction(24)))
    tracks = timeline.audio_tracks()
    assert len(tracks) == 8
    assert [isinstance(part, otio.schema.Gap) for part in tracks[0]] == [False, False]
    assert [isinstance(part, otio.schema.Gap) for part in tracks[1]] == [True, False]
    assert {track.duration().value for track in timeline.tracks} == {30}


def test_another_rate_lasts_whole_frames_of_the_timeline() -> None:
    """50 frames at 25 are 48 at 24."""
    source = make_source(1, Fraction(25))
    timeline = timeline_of(make_list([(source, 100, 150)], Fraction(24)))
    clip = timeline.video_tracks()[0][0]
    assert clip.source_range.start_time == otio.opentime.RationalTime(3600 * 25 + 100, 25)
    assert clip.source_range.duration == otio.opentime.RationalTime(48, 24)


def test_a_marker_covers_the_kept_moment_without_its_handles() -> None:
    source = make_source(1, Fraction(24), title="Rain")
    cuts = make_list([(source, 10, 40)], Fraction(24), handles=(5, 7))
    (marker,) = (
        timeline_of(noted(cuts, note="use it", stars=2, colour="red")).video_tracks()[0][0].markers
    )
    assert marker.name == "★★ Rain" and marker.color == "RED"
    assert marker.marked_range.start_time.value == 3600 * 24 + 15
    assert marker.marked_range.duration.value == 18
    assert len(timeline_of(cuts).video_tracks()[0][0].markers) == 0
