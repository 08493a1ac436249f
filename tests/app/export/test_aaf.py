"""AAF, read back by pyaaf2's own objects and by OpenTimelineIO's adapter."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import aaf2
import opentimelineio as otio
import pytest
from xml_lists import (
    EIGHT_MONO,
    HOSTILE,
    PATHS,
    RATES,
    STEREO,
    SURROUND,
    make_list,
    make_source,
    noted,
    random_list,
)

from app.export import aaf
from app.export.cutlist import CutList
from app.export.file_urls import file_url
from app.export.formats import FORMATS, Options
from app.export.otio_timeline import timeline_of
from indexer.media.timecode import timecode_of
from indexer.media.tracks import SoundTrack
from indexer.progress import silent
from qdrant.errors import CannotRunNow, UsageError

LISTS = 4
"""Of each rate, 32 in all: an AAF takes half a second to write and as long to read."""


@contextmanager
def opened(cuts: CutList, folder: Path) -> Iterator[Any]:
    path = folder / "list.aaf"
    path.write_bytes(aaf.document(cuts))
    with aaf2.open(str(path)) as file:
        yield file


def composition(file: Any) -> Any:
    (mob,) = file.content.compositionmobs()
    return mob


def tracks(mob: Any, kind: str) -> list[Any]:
    return [slot for slot in mob.slots if slot.segment.media_kind == kind]


def timecode(mob: Any) -> Any:
    (slot,) = tracks(mob, "Timecode")
    return slot.segment


def chain(clip: Any) -> list[Any]:
    """Return the mobs under a clip of the sequence: master, file, tape."""
    mobs = [clip.mob]
    below = clip.slot.segment
    while below.mob is not None:
        mobs.append(below.mob)
        below = below.slot.segment
    return mobs


@pytest.mark.parametrize("rate_name", RATES)
def test_random_lists_come_back_to_the_frame(rate_name: str, tmp_path: Path) -> None:
    rate, drop_frame = RATES[rate_name]
    for seed in range(LISTS):
        cuts = random_list(seed, rate_name)
        with opened(cuts, tmp_path) as file:
            mob = composition(file)
            begins = timecode(mob)
            assert (begins.start, begins.fps, begins.drop) == (
                cuts.record_start, round(rate), drop_frame
            )  # fmt: skip
            (picture,) = tracks(mob, "Picture")
            sounds = tracks(mob, "Sound")
            assert len(sounds) == max(source.channels for source in cuts.sources)
            for slot in (picture, *sounds):
                assert slot.edit_rate == rate and slot.segment.length == cuts.num_frames
                at = cuts.record_start
                for part, cut in zip(slot.segment.components, cuts.cuts, strict=True):
                    assert _tc(at, cuts) == cuts.record_in(cut)
                    at += part.length
                    assert _tc(at, cuts) == cuts.record_out(cut)
                    if isinstance(part, aaf2.components.Filler):
                        assert cut.source.channels < int(slot.name[1:])
                        continue
                    _master, _file, tape = chain(part)
                    told = timecode(tape)
                    assert (told.fps, told.drop) == (round(rate), drop_frame)
                    first = told.start + part.start
                    assert _tc(first, cuts) == cut.source_in
                    assert _tc(first + part.length, cuts) == cut.source_out


def _tc(count: int, cuts: CutList) -> str:
    return timecode_of(count, rate=cuts.rate, drop_frame=cuts.drop_frame)


@pytest.mark.parametrize("rate_name", RATES)
def test_opentimelineio_reads_the_same_frames(rate_name: str, tmp_path: Path) -> None:
    for seed in range(LISTS // 2):
        cuts = random_list(seed, rate_name)
        path = tmp_path / "list.aaf"
        path.write_bytes(aaf.document(cuts))
        timeline = otio.adapters.read_from_file(str(path))
        assert timeline.global_start_time.value == cuts.record_start
        (track,) = timeline.video_tracks()
        for clip, cut in zip(track.find_clips(), cuts.cuts, strict=True):
            first = cut.source.start_count
            assert clip.source_range.start_time.value == first + cut.start_frame
            assert clip.source_range.duration.value == cut.num_frames
            assert clip.media_reference.available_range.start_time.value == first
            assert clip.media_reference.target_url == file_url(cut.source.path)
            record = clip.range_in_parent().start_time.value
            assert cuts.record_start + record == cut.record_start


def test_what_the_adapter_alone_takes_wrongly(tmp_path: Path) -> None:
    """Why the writer is ours. Where this fails, the adapter has learned it: look at it again."""
    path = str(tmp_path / "theirs.aaf")
    film, _ = RATES["23.976"]
    source = make_source(1, film)
    cuts = make_list([(source, 0, 10), (source, 20, 30)], film)
    otio.adapters.write_to_file(timeline_of(cuts), path, use_empty_mob_ids=True)
    with aaf2.open(path) as file:
        tapes = [mob for mob in file.content.sourcemobs() if tracks(mob, "Timecode")]
        assert {timecode(tape).drop for tape in tapes} == {True}  # 23.976 knows no drop-frame
        assert len(tapes) == 4  # one source, two cuts, two tracks
        assert not any(source.reel == tape.name for tape in tapes)
    fifty = make_list([(make_source(1, Fraction(50)), 0, 10)], Fraction(50))
    otio.adapters.write_to_file(timeline_of(fifty), path, use_empty_mob_ids=True)
    with aaf2.open(path) as file:
        assert timecode(composition(file)).fps == 60


def test_start_timecode_is_not_ignored_and_reels_are_not_lost(tmp_path: Path) -> None:
    rate, _ = RATES["29.97 DF"]
    source = make_source(1, rate, drop_frame=True, start="10:00:00:00")
    cuts = make_list([(source, 7, 17), (source, 30, 40)], rate, drop_frame=True)
    with opened(cuts, tmp_path) as file:
        (picture,) = tracks(composition(file), "Picture")
        first, second = picture.segment.components
        master, _, tape = chain(first)
        assert tape.name == "REEL_001_A long one"
        assert isinstance(tape.descriptor, aaf2.essence.TapeDescriptor)
        assert (timecode(tape).start, timecode(tape).drop) == (1_078_920, True)
        assert second.mob.mob_id == master.mob_id  # one source, one master clip
        assert len(list(file.content.mastermobs())) == 1


@pytest.mark.parametrize(
    "sounds, channels", [((), []), (STEREO, [2]), (SURROUND, [6]), (EIGHT_MONO, [1] * 8)]
)
def test_sound_is_of_the_same_master_clip_channel_by_channel(
    sounds: tuple[SoundTrack, ...], channels: list[int], tmp_path: Path
) -> None:
    source = make_source(1, Fraction(24), sounds=sounds)
    with opened(make_list([(source, 10, 20)], Fraction(24)), tmp_path) as file:
        mob = composition(file)
        (picture,) = tracks(mob, "Picture")
        clips = [slot.segment.components.value[0] for slot in tracks(mob, "Sound")]
        assert len(clips) == sum(channels)
        files = {}
        for number, clip in enumerate(clips, start=1):
            assert clip.mob.mob_id == picture.segment.components.value[0].mob.mob_id
            assert clip.slot["PhysicalTrackNumber"].value == number
            assert (clip.start, clip.length) == (10, 10)
            under = chain(clip)[1]
            files[under.mob_id] = under.descriptor["Channels"].value
        assert list(files.values()) == channels


def test_sound_alone_is_counted_in_frames_of_the_sequence(tmp_path: Path) -> None:
    source = make_source(1, Fraction(1000), start=None, size=(0, 0), num_frames=60_000)
    with opened(make_list([(source, 1240, 3240)], Fraction(25)), tmp_path) as file:
        mob = composition(file)
        assert tracks(mob, "Picture") == []
        clip = tracks(mob, "Sound")[0].segment.components.value[0]
        assert (clip.start, clip.length) == (31, 50)
        assert len(chain(clip)) == 2  # no tape: sound alone has no timecode


def test_another_rate_is_counted_in_frames_of_the_sequence(tmp_path: Path) -> None:
    """Frame 100 at 25 is second 4: frame 96 at 24. The source keeps its own rate and timecode."""
    source = make_source(1, Fraction(25), start="02:00:00:00")
    with opened(make_list([(source, 100, 150)], Fraction(24)), tmp_path) as file:
        (picture,) = tracks(composition(file), "Picture")
        clip = picture.segment.components.value[0]
        assert (clip.start, clip.length) == (96, 48)
        assert clip.slot.edit_rate == 25
        assert timecode(chain(clip)[2]).start == 2 * 3600 * 25


def test_markers_have_place_words_and_colour(tmp_path: Path) -> None:
    source = make_source(1, Fraction(24), title="Rain")
    cuts = make_list([(source, 10, 40), (source, 50, 80)], Fraction(24), handles=(5, 7))
    with opened(noted(cuts, note="use it", stars=2, colour="blue"), tmp_path) as file:
        mob = composition(file)
        (slot,) = tracks(mob, "DescriptiveMetadata")
        markers = list(slot.segment.components)
        assert [marker["Position"].value for marker in markers] == [5, 35]
        assert markers[0]["Comment"].value == "★★ Rain\nuse it"
        assert markers[0]["CommentMarkerColor"].value == {"red": 0, "green": 0, "blue": 65535}
        (described,) = markers[0]["DescribedSlots"].value
        assert mob.slot_at(described).name == "V1"


@pytest.mark.parametrize("words", HOSTILE)
def test_hostile_words_stay_words(words: str, tmp_path: Path) -> None:
    source = replace(make_source(1, Fraction(24), title=words, path=PATHS[1]), reel=words)
    cuts = noted(make_list([(source, 0, 10)], Fraction(24), name=words), note=words, stars=1)
    with opened(cuts, tmp_path) as file:
        kept = "".join(c for c in words.replace("\r\n", "\n") if c in "\t\n" or c >= " ")
        kept = "".join(c for c in kept if c not in "\ufffe\uffff\ud83d")
        assert composition(file).name == (kept or "untitled")
        (master,) = file.content.mastermobs()
        assert master.name == (kept or "Film 1")
        assert dict(master.comments.items()) == ({"Reel": kept} if kept else {})
        locators = [
            locator["URLString"].value
            for mob in file.content.sourcemobs()
            if "Locator" in mob.descriptor
            for locator in mob.descriptor["Locator"].value
        ]
        assert set(locators) == {"file:///S:/Films/a%20b%23%25.mov"}


def test_one_file_is_written_and_refusals_are_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = FORMATS["aaf"].writer()
    cuts = random_list(1, "24")
    (path,) = write(cuts, tmp_path, options=Options(), progress=silent)
    assert path.parent == tmp_path and path.suffix == ".aaf"
    with pytest.raises(CannotRunNow, match="cannot be written"):
        write(cuts, tmp_path / "gone", options=Options(), progress=silent)
    source = make_source(1, Fraction(24), num_frames=2**70)
    with pytest.raises(UsageError, match="Export `xml` or `edl`"):
        too_long = make_list([(source, 0, 10)], Fraction(24))
        write(too_long, tmp_path, options=Options(), progress=silent)
