"""FCPXML, read back by lxml, its DTD and timecode reckoned here, and OpenTimelineIO's adapter."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from urllib.parse import unquote

import opentimelineio as otio
import pytest
from lxml import etree
from xml_lists import (
    EIGHT_MONO,
    HOSTILE,
    RATES,
    SURROUND,
    make_list,
    make_source,
    noted,
    random_list,
)

from app.export import fcpxml
from app.export.cutlist import CutList
from app.export.formats import FORMATS, Options
from indexer.media.timecode import timecode_of
from indexer.progress import silent
from qdrant.errors import CannotRunNow

LISTS = 200
DTD = etree.DTD(str(Path(__file__).with_name("fcpxml.dtd")))
NTSC_FILM = Fraction(24000, 1001)


def parsed(cuts: CutList) -> etree._Element:
    root = etree.fromstring(fcpxml.document(cuts), etree.XMLParser(resolve_entities=False))
    assert DTD.validate(root), DTD.error_log.filter_from_errors()
    return root


def second(told: str) -> Fraction:
    assert told.endswith("s")
    return Fraction(told[:-1])


def frames(told: str, rate: Fraction) -> int:
    """Return a time as frames; a time that is not on a frame's edge fails."""
    count = second(told) * rate
    assert count.denominator == 1, f"{told} is not on an edit frame boundary at {rate}"
    return int(count)


@pytest.mark.parametrize("rate_name", RATES)
def test_random_lists_come_back_to_the_frame(rate_name: str) -> None:
    rate, drop_frame = RATES[rate_name]
    for seed in range(LISTS):
        cuts = random_list(seed, rate_name)
        root = parsed(cuts)
        sequence = root.find(".//sequence")
        assert frames(sequence.get("tcStart"), rate) == cuts.record_start
        assert frames(sequence.get("duration"), rate) == cuts.num_frames
        assert sequence.get("tcFormat") == ("DF" if drop_frame else "NDF")
        by_id = {element.get("id"): element for element in root.find("resources")}
        read = list(root.iter("asset-clip"))
        assert len(read) == len(cuts.cuts)
        for clip, cut in zip(read, cuts.cuts, strict=True):
            start, length = frames(clip.get("start"), rate), frames(clip.get("duration"), rate)
            record = frames(clip.get("offset"), rate)
            assert _tc(start, rate, drop_frame) == cut.source_in
            assert _tc(start + length, rate, drop_frame) == cut.source_out
            assert _tc(record, rate, drop_frame) == cuts.record_in(cut)
            assert _tc(record + length, rate, drop_frame) == cuts.record_out(cut)
            asset = by_id[clip.get("ref")]
            assert start - frames(asset.get("start"), rate) == cut.start_frame
            assert frames(asset.get("duration"), rate) == cut.source.num_frames
            assert second(by_id[clip.get("format")].get("frameDuration")) == 1 / rate
            for note in clip.iter("marker", "keyword"):
                frames(note.get("start"), rate)
                frames(note.get("duration"), rate)


def _tc(count: int, rate: Fraction, drop_frame: bool) -> str:
    return timecode_of(count, rate=rate, drop_frame=drop_frame)


def test_opentimelineio_reads_the_same_frames_at_24() -> None:
    """At other rates its reader is wrong: 24000/1001 is 23 to it, and 853/50 s are 852 frames."""
    rate, _ = RATES["24"]
    for seed in range(LISTS):
        cuts = random_list(seed, "24")
        text = fcpxml.document(cuts).decode()
        clips = list(otio.adapters.read_from_string(text, "fcpx_xml").find_clips())
        spans = {
            (clip.source_range.start_time.value, clip.source_range.duration.value) for clip in clips
        }
        assert {clip.source_range.start_time.rate for clip in clips} == {float(rate)}
        expected = {(cut.source.start_count + cut.start_frame, cut.num_frames) for cut in cuts.cuts}
        assert spans == expected


def test_frame_durations_of_ntsc_rates_are_not_empty() -> None:
    for rate_name, told in {
        "23.976": "1001/24000s",
        "29.97 DF": "1001/30000s",
        "24": "1/24s",
    }.items():
        rate, drop_frame = RATES[rate_name]
        source = make_source(1, rate, drop_frame=drop_frame)
        root = parsed(make_list([(source, 0, 10)], rate, drop_frame=drop_frame))
        assert [f.get("frameDuration") for f in root.iter("format")] == [told]


def test_times_lie_on_an_edit_frame_boundary() -> None:
    """10 hours at 29.97 drop-frame: 1,078,920 frames, 35,999.964 seconds."""
    rate, _ = RATES["29.97 DF"]
    source = make_source(1, rate, drop_frame=True, start="10:00:00:00")
    root = parsed(make_list([(source, 1, 3)], rate, drop_frame=True))
    clip = root.find(".//asset-clip")
    assert second(root.find(".//asset").get("start")) == Fraction(1078920 * 1001, 30000)
    assert second(clip.get("start")) == Fraction(1078921 * 1001, 30000)
    assert clip.get("duration") == "2002/30000s"


def test_a_quarter_of_an_hour_of_ntsc_film_does_not_drift() -> None:
    """At a 25 fps default, the frame at 15 minutes of 23.976 film would be 37 seconds early."""
    source = make_source(1, NTSC_FILM, start=None, num_frames=100_000)
    at = 15 * 60 * 24
    root = parsed(make_list([(source, at, at + 24)], NTSC_FILM))
    assert second(root.find(".//asset-clip").get("start")) == Fraction(at * 1001, 24000)


def test_another_rate_is_conformed_as_final_cut_does_it() -> None:
    """50 frames at 25 are two seconds: 48 frames at 24."""
    source = make_source(1, Fraction(25), start="02:00:00:00")
    root = parsed(make_list([(source, 100, 150), (source, 0, 25)], Fraction(24)))
    first, second_clip = root.iter("asset-clip")
    conform = first.find("conform-rate")
    assert dict(conform.attrib) == {"scaleEnabled": "0", "srcFrameRate": "25"}
    assert frames(first.get("start"), Fraction(25)) == 2 * 3600 * 25 + 100
    assert frames(first.get("duration"), Fraction(24)) == 48
    assert frames(second_clip.get("offset"), Fraction(24)) == 3600 * 24 + 48
    durations = {f.get("id"): f.get("frameDuration") for f in root.iter("format")}
    assert durations[root.find(".//sequence").get("format")] == "1/24s"
    assert durations[first.get("format")] == "1/25s"


def test_a_rate_that_final_cut_has_no_word_for_is_not_named() -> None:
    source = make_source(1, Fraction(15))
    root = parsed(make_list([(source, 0, 30)], Fraction(24)))
    assert root.find(".//conform-rate") is None


def test_sound_alone_starts_on_its_millisecond_and_lasts_whole_frames() -> None:
    source = make_source(1, Fraction(1000), start=None, sounds=EIGHT_MONO, size=(0, 0))
    root = parsed(make_list([(source, 1234, 3234)], Fraction(25)))
    asset, clip = root.find(".//asset"), root.find(".//asset-clip")
    assert asset.get("hasVideo") is None and asset.get("hasAudio") == "1"
    formats = {f.get("id"): f for f in root.iter("format")}
    assert formats[asset.get("format")].get("name") == "FFFrameRateUndefined"
    assert second(clip.get("start")) == Fraction(1234, 1000)
    assert frames(clip.get("duration"), Fraction(25)) == 50
    assert clip.find("conform-rate") is None


@pytest.mark.parametrize(
    "sounds, told", [((), None), (SURROUND, ("1", "6")), (EIGHT_MONO, ("8", "8"))]
)
def test_assets_say_how_many_sounds_they_have(sounds: tuple, told: tuple | None) -> None:  # type: ignore[type-arg]
    source = make_source(1, Fraction(24), sounds=sounds)
    asset = parsed(make_list([(source, 0, 10)], Fraction(24))).find(".//asset")
    if told is None:
        assert asset.get("hasAudio") is None
    else:
        assert (asset.get("audioSources"), asset.get("audioChannels")) == told
        assert asset.get("audioRate") == "48000"


def test_marker_keywords_reel_and_notes() -> None:
    source = make_source(1, Fraction(24), title="Rain")
    cuts = make_list([(source, 10, 40)], Fraction(24), handles=(5, 5))
    cuts = replace(noted(cuts, note="use it", stars=3, colour="red"), notes=("Clamped.",))
    root = parsed(cuts)
    marker, keyword = root.find(".//marker"), root.find(".//keyword")
    assert marker.get("value") == "★★★ Rain" and marker.get("note") == "use it"
    assert frames(marker.get("start"), Fraction(24)) == 3600 * 24 + 15
    assert frames(keyword.get("duration"), Fraction(24)) == 20
    assert keyword.get("value") == "Selects, red, 3 stars"
    assert root.find(".//asset-clip/note").text == "use it"
    assert root.find(".//sequence/note").text == "Clamped."
    assert root.find(".//asset-clip/metadata/md").get("value") == source.reel


@pytest.mark.parametrize("words", HOSTILE)
def test_hostile_words_stay_words(words: str) -> None:
    source = replace(make_source(1, Fraction(24), title=words), reel=words)
    cuts = noted(make_list([(source, 0, 10)], Fraction(24), name=words), note=words, stars=1)
    root = parsed(cuts)
    kept = "".join(c for c in words.replace("\r\n", "\n") if c in "\t\n" or c >= " ")
    kept = "".join(c for c in kept if c not in "\ufffe\uffff\ud83d")
    assert root.find(".//marker").get("note") == kept
    assert root.find(".//project").get("name") == kept


@pytest.mark.parametrize(
    "path, url",
    [
        (r"S:\Films\a b#%.mov", "file:///S:/Films/a%20b%23%25.mov"),
        ("/Volumes/A B/ü?.mov", "file:///Volumes/A%20B/%C3%BC%3F.mov"),
        (r"\\server\share\a.mov", "file://server/share/a.mov"),
    ],
)
def test_paths_are_file_urls(path: str, url: str) -> None:
    source = make_source(1, Fraction(24), path=path)
    read = parsed(make_list([(source, 0, 10)], Fraction(24))).find(".//media-rep").get("src")
    assert read == url
    assert unquote(read).endswith(path.replace("\\", "/").rsplit("/", 1)[1])


def test_one_file_is_written_and_a_folder_that_refuses_is_told(tmp_path: Path) -> None:
    cuts = random_list(1, "24")
    write = FORMATS["fcpxml"].writer()
    (path,) = write(cuts, tmp_path, options=Options(), progress=silent)
    assert path.parent == tmp_path and path.suffix == ".fcpxml"
    with pytest.raises(CannotRunNow, match="cannot be written"):
        write(cuts, tmp_path / "gone", options=Options(), progress=silent)
