"""Final Cut Pro 7 XML, read back by lxml and by OpenTimelineIO's adapter."""

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
    STEREO,
    SURROUND,
    make_list,
    make_source,
    noted,
    random_list,
)

from app.export import fcp7
from app.export.cutlist import CutList
from app.export.formats import FORMATS, Options
from app.export.otio_timeline import timeline_of
from indexer.media.timecode import timecode_of
from indexer.media.tracks import SoundTrack
from indexer.progress import silent

LISTS = 200
LISTS_OF_A_SLOW_READER = 25
"""OpenTimelineIO takes a tenth of a second for a list with many links: 200 over all rates."""


def parsed(cuts: CutList) -> etree._Element:
    return etree.fromstring(fcp7.document(cuts), etree.XMLParser(resolve_entities=False))


def number(element: etree._Element, tag: str) -> int:
    return int(element.findtext(tag))


def rate_told(element: etree._Element) -> Fraction:
    timebase = number(element, "rate/timebase")
    is_ntsc = element.findtext("rate/ntsc") == "TRUE"
    return Fraction(timebase * 1000, 1001) if is_ntsc else Fraction(timebase)


@pytest.mark.parametrize("rate_name", RATES)
def test_random_lists_come_back_to_the_frame(rate_name: str) -> None:
    rate, drop_frame = RATES[rate_name]
    for seed in range(LISTS):
        cuts = random_list(seed, rate_name)
        root = parsed(cuts)
        sequence = root.find("sequence")
        assert rate_told(sequence) == rate
        assert number(sequence, "duration") == cuts.num_frames
        begins = sequence.find("timecode")
        assert begins.findtext("string") == cuts.record_timecode(cuts.record_start)
        assert number(begins, "frame") == cuts.record_start
        assert begins.findtext("displayformat") == ("DF" if drop_frame else "NDF")
        files = {file.get("id"): file for file in root.iter("file") if len(file)}
        for item in root.iter("clipitem"):
            cut = cuts.cuts[int(item.get("id").split("-")[1]) - 1]
            file = files[item.find("file").get("id")]
            first = number(file, "timecode/frame")
            assert file.findtext("timecode/displayformat") == ("DF" if drop_frame else "NDF")
            assert file.findtext("timecode/reel/name") == cut.source.reel
            assert number(file, "duration") == cut.source.num_frames
            assert rate_told(item) == rate_told(file) == rate
            told = [
                timecode_of(count, rate=rate, drop_frame=drop_frame)
                for count in (
                    first + number(item, "in"),
                    first + number(item, "out"),
                    cuts.record_start + number(item, "start"),
                    cuts.record_start + number(item, "end"),
                )
            ]
            assert told == [
                cut.source_in, cut.source_out, cuts.record_in(cut), cuts.record_out(cut)
            ]  # fmt: skip
        assert len(root.findall(".//video/track/clipitem")) == len(cuts.cuts)
        num_channels = sum(cut.source.channels for cut in cuts.cuts)
        assert len(root.findall(".//audio/track/clipitem")) == num_channels


@pytest.mark.parametrize("rate_name", RATES)
def test_opentimelineio_reads_the_same_frames(rate_name: str) -> None:
    for seed in range(LISTS_OF_A_SLOW_READER):
        cuts = random_list(seed, rate_name)
        text = fcp7.document(cuts).decode()
        timeline = otio.adapters.read_from_string(text, "fcp_xml")
        assert timeline.global_start_time.value == cuts.record_start
        (track,) = timeline.video_tracks()
        for clip, cut in zip(track.find_clips(), cuts.cuts, strict=True):
            first = cut.source.start_count
            assert clip.source_range.start_time.value == first + cut.start_frame
            assert clip.source_range.duration.value == cut.num_frames
            assert clip.media_reference.available_range.start_time.value == first
            record = clip.range_in_parent()
            assert cuts.record_start + record.start_time.value == cut.record_start
        assert len(timeline.audio_tracks()) == max(s.channels for s in cuts.sources) or (
            not any(s.sounds for s in cuts.sources)
        )


@pytest.mark.parametrize(
    "sounds, channel_counts",
    [((), []), (STEREO, [2]), (SURROUND, [6]), (EIGHT_MONO, [1] * 8)],
)
def test_sound_is_linked_channel_by_channel(
    sounds: tuple[SoundTrack, ...], channel_counts: list[int]
) -> None:
    source = make_source(1, Fraction(24), sounds=sounds)
    root = parsed(make_list([(source, 10, 20), (source, 40, 50)], Fraction(24)))
    tracks = root.findall(".//sequence/media/audio/track")
    channels = sum(channel_counts)
    assert len(tracks) == channels
    assert [int(c.text) for c in root.iterfind(".//file/media/audio/channelcount")] == (
        channel_counts
    )
    for channel, track in enumerate(tracks, start=1):
        items = track.findall("clipitem")
        assert [number(item, "sourcetrack/trackindex") for item in items] == [channel, channel]
    by_id = {item.get("id"): item for item in root.iter("clipitem")}
    for item in by_id.values():
        links = item.findall("link")
        assert len(links) == (channels + 1 if channels else 0)
        for link in links:
            other = by_id[link.findtext("linkclipref")]
            track = other.getparent()
            assert track.getparent().tag == link.findtext("mediatype")
            siblings = track.getparent().findall("track")
            assert siblings.index(track) + 1 == number(link, "trackindex")
            assert track.findall("clipitem").index(other) + 1 == number(link, "clipindex")
            assert number(other, "start") == number(item, "start")


def test_what_the_adapter_alone_leaves_out() -> None:
    """Why the writer is ours: the adapter links nothing and does not say which channels a clip has.

    Where this fails, the adapter has learned it: look at it again.
    """
    source = make_source(1, Fraction(24), sounds=SURROUND)
    cuts = make_list([(source, 10, 20)], Fraction(24))
    told = otio.adapters.write_to_string(timeline_of(cuts), "fcp_xml")
    root = etree.fromstring(told.encode())
    assert root.findall(".//link") == []
    assert root.findall(".//sourcetrack") == []
    assert root.findall(".//channelcount") == []
    assert root.findall(".//file/timecode/reel") == []
    assert number(root.find(".//clipitem"), "in") == 10  # in this it is right


def test_the_adapter_alone_takes_drop_frame_for_non_drop() -> None:
    rate, _ = RATES["29.97 DF"]
    source = make_source(1, rate, drop_frame=True)
    cuts = make_list([(source, 10, 20)], rate, drop_frame=True)
    told = etree.fromstring(otio.adapters.write_to_string(timeline_of(cuts), "fcp_xml").encode())
    assert told.findtext(".//sequence/timecode/displayformat") == "NDF"
    ours = parsed(cuts)
    assert ours.findtext(".//sequence/timecode/displayformat") == "DF"
    assert ours.findtext(".//sequence/timecode/string") == "01:00:00;00"


def test_start_timecode_is_not_ignored_and_reels_are_not_lost() -> None:
    """A film that begins at 10:00:00:00 at 23.976: 864,000 frames."""
    rate, _ = RATES["23.976"]
    source = make_source(1, rate, start="10:00:00:00")
    file = parsed(make_list([(source, 0, 24)], rate)).find(".//file")
    assert file.findtext("timecode/string") == "10:00:00:00"
    assert number(file, "timecode/frame") == 864_000
    assert rate_told(file.find("timecode")) == rate
    assert file.findtext("timecode/reel/name") == "REEL_001_A long one"


def test_another_rate_keeps_its_own_and_frames_match_on_both_sides() -> None:
    """50 frames at 25 are 48 at 24: in and out are the file's frames, start and end ours."""
    source = make_source(1, Fraction(25))
    cuts = make_list([(source, 100, 150), (source, 0, 25)], Fraction(24))
    first, second = parsed(cuts).findall(".//video/track/clipitem")
    assert rate_told(first) == Fraction(25)
    spans = [
        [number(item, tag) for tag in ("in", "out", "start", "end")] for item in (first, second)
    ]
    assert spans == [[100, 150, 0, 48], [0, 25, 48, 72]]


def test_ntsc_does_not_become_25() -> None:
    rate, _ = RATES["23.976"]
    source = make_source(1, rate, num_frames=100_000)
    root = parsed(make_list([(source, 21_600, 21_624)], rate))
    assert {rate_told(element.getparent()) for element in root.iter("rate")} == {rate}


def test_sound_alone_is_counted_in_frames_of_the_sequence() -> None:
    source = make_source(1, Fraction(1000), start=None, size=(0, 0), num_frames=60_000)
    root = parsed(make_list([(source, 1240, 3240)], Fraction(25)))
    assert root.findall(".//video/track/clipitem") == []
    item = root.find(".//audio/track/clipitem")
    assert [number(item, tag) for tag in ("in", "out", "start", "end")] == [31, 81, 0, 50]
    file = root.find(".//file")
    assert (number(file, "duration"), rate_told(file)) == (1500, Fraction(25))
    assert file.find("media/video") is None


def test_labels_comments_and_markers() -> None:
    source = make_source(1, Fraction(24), title="Rain")
    cuts = make_list([(source, 10, 40), (source, 50, 80)], Fraction(24), handles=(5, 7))
    root = parsed(noted(cuts, note="use it", stars=2, colour="red"))
    item = root.find(".//video/track/clipitem")
    assert item.findtext("labels/label2") == "Rose"
    assert item.findtext("logginginfo/lognote") == "use it"
    marker = root.findall("sequence/marker")[1]
    assert marker.findtext("name") == "★★ Rain" and marker.findtext("comment") == "use it"
    assert (number(marker, "in"), number(marker, "out")) == (35, 53)
    assert number(marker, "color/red") == 209


@pytest.mark.parametrize("words", HOSTILE)
def test_hostile_words_stay_words(words: str) -> None:
    source = replace(make_source(1, Fraction(24), title=words), reel=words or "R")
    cuts = noted(make_list([(source, 0, 10)], Fraction(24), name=words), note=words)
    root = parsed(noted(cuts, note=words, stars=1))
    kept = "".join(c for c in words.replace("\r\n", "\n") if c in "\t\n" or c >= " ")
    kept = "".join(c for c in kept if c not in "\ufffe\uffff\ud83d")
    assert (root.findtext("sequence/marker/comment") or "") == kept
    assert (root.findtext("sequence/name") or "") == kept


@pytest.mark.parametrize(
    "path, url",
    [
        (r"S:\Films\a b#%.mov", "file://localhost/S%3a/Films/a%20b%23%25.mov"),
        ("/Volumes/A B/ü?.mov", "file://localhost/Volumes/A%20B/%C3%BC%3F.mov"),
        (r"\\server\share\a.mov", "file://localhost//server/share/a.mov"),
    ],
)
def test_paths_are_as_premiere_writes_them(path: str, url: str) -> None:
    source = make_source(1, Fraction(24), path=path)
    root = parsed(make_list([(source, 0, 10)], Fraction(24)))
    assert root.findtext(".//pathurl") == url
    name = path.replace("\\", "/").rsplit("/", 1)[1]
    assert root.findtext(".//file/name") == name and unquote(url).endswith(name)


def test_one_file_is_written(tmp_path: Path) -> None:
    write = FORMATS["xml"].writer()
    (path,) = write(random_list(1, "24"), tmp_path, options=Options(), progress=silent)
    assert path.parent == tmp_path and path.suffix == ".xml"
