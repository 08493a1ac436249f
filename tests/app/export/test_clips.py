"""A clip holds exactly its frames and its sound, whatever the source; and is there whole or not."""

from __future__ import annotations

import subprocess
import threading
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import imageio_ffmpeg
import numpy as np
import pandas as pd
import pytest
from counted import (
    AAC,
    X264,
    clicks_in,
    cut_list,
    hashes_of,
    make_counted,
    numbers_in,
)
from shelf import add_title, make_library

from app.export import clips, program
from app.export.assembling import Settings
from app.export.cutlist import CutList
from app.export.formats import Options
from indexer.library import Library
from indexer.media.probe import probe
from indexer.progress import silent
from qdrant.errors import CannotRunNow, InputError

FRAMES = 100
RATES = [Fraction(24000, 1001), Fraction(25), Fraction(30000, 1001), Fraction(60000, 1001)]
CLOSED_12 = ("-g", "12", "-bf", "2", "-sc_threshold", "0", "-x264-params", "b-adapt=0")
OPEN_12 = (*CLOSED_12[:-1], "b-adapt=0:open-gop=1")
LONG = ("-g", "250", "-bf", "3", "-sc_threshold", "0")
PCM = ("-c:a", "pcm_s16le")
A_MILLISECOND = 0.001


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return make_library(tmp_path / "library")


def add(library: Library, path: Path, *spans: tuple[int, int], settings: Settings | None = None,
        name: str = "Selects") -> CutList:  # fmt: skip
    manifest = add_title(library, path, num_frames=FRAMES)
    return cut_list(library, *((manifest, *span) for span in spans), settings=settings, name=name)


def render(cuts: CutList, folder: Path, **options: bool | int) -> list[Path]:
    folder.mkdir(exist_ok=True)
    return clips.write(cuts, folder, options=Options(**options), progress=silent)


def facts(path: Path) -> dict[str, object]:
    with av.open(str(path)) as container:
        video = container.streams.video[0]
        frame = next(container.decode(video))
        return {
            "codec": video.codec_context.name,
            "pixels": frame.format.name,
            "size": (frame.width, frame.height),
            "aspect": video.sample_aspect_ratio or Fraction(1),
            "colour": (int(frame.color_primaries), int(frame.color_trc), int(frame.colorspace)),
            "range": int(frame.color_range),
            "fields": (frame.interlaced_frame, video.codec_context.field_order),
            "rotation": frame.rotation,
        }


@pytest.mark.parametrize("rate", RATES, ids=lambda rate: f"{float(rate):.3f}")
@pytest.mark.parametrize("gop", [CLOSED_12, OPEN_12, LONG], ids=["closed", "open", "long"])
def test_a_clip_holds_exactly_its_frames(
    gop: tuple[str, ...], rate: Fraction, library: Library, tmp_path: Path
) -> None:
    film = make_counted(tmp_path / "film.mp4", *X264, *gop, *AAC, frames=FRAMES, rate=rate,
                        clicks=[30, 49])  # fmt: skip
    spans = [(0, 12), (24, 48), (23, 61), (49, 100)]
    cuts = add(library, film, *spans)
    for cut, path in zip(cuts.cuts, render(cuts, tmp_path / "out"), strict=True):
        assert numbers_in(path) == list(range(cut.start_frame, cut.end_frame))
        with av.open(str(path)) as clip:
            picture, sound = clip.streams.video[0], clip.streams.audio[0]
            assert picture.average_rate == rate
            assert picture.start_time == 0 == sound.start_time
            assert sound.duration == pytest.approx(cut.num_frames / rate * 48_000, abs=1)
        heard = [float((click - cut.start_frame) / rate) for click in (30, 49)]
        within = [second for second in heard if 0 <= second < float(cut.num_frames / rate)]
        assert clicks_in(path) == pytest.approx(within, abs=A_MILLISECOND)


@pytest.mark.parametrize("container", ["mp4", "mkv", "ts"])
def test_a_closed_group_is_copied_bit_for_bit_and_nothing_else_is(
    container: str, library: Library, tmp_path: Path
) -> None:
    film = make_counted(tmp_path / f"film.{container}", *X264, *CLOSED_12, *AAC, frames=FRAMES)
    cuts = add(library, film, (24, 48), (24, 47), (25, 48))
    whole, *others = render(cuts, tmp_path / "out")
    assert hashes_of(whole) == hashes_of(film, 24, 48)
    for cut, other in zip(cuts.cuts[1:], others, strict=True):
        assert hashes_of(other) != hashes_of(film, cut.start_frame, cut.end_frame)
    (anew,) = render(replace(cuts, cuts=cuts.cuts[:1]), tmp_path / "anew", reencode=True)
    assert hashes_of(anew) != hashes_of(film, 24, 48)
    assert numbers_in(anew) == list(range(24, 48))


def test_an_open_group_is_not_copied(library: Library, tmp_path: Path) -> None:
    """Its first pictures in the file's order are shown before the keyframe and lean on others."""
    film = make_counted(tmp_path / "film.mp4", *X264, *OPEN_12, frames=FRAMES, tracks=0)
    with av.open(str(film)) as container:
        keys = [p for p in container.demux(video=0) if p.is_keyframe and p.pts is not None]
        start = round(keys[2].pts * keys[2].time_base * 25)
    cuts = add(library, film, (start, FRAMES))
    (clip,) = render(cuts, tmp_path / "out")
    assert numbers_in(clip) == list(range(start, FRAMES))
    assert hashes_of(clip) != hashes_of(film, start, FRAMES)


def test_a_clip_encoded_anew_looks_like_its_source(library: Library, tmp_path: Path) -> None:
    film = make_counted(tmp_path / "film.mp4", *X264, *LONG, frames=FRAMES, tracks=0)
    (clip,) = render(add(library, film, (31, 71)), tmp_path / "out")
    with av.open(str(film)) as source, av.open(str(clip)) as made:
        wanted = [f.to_ndarray(format="gray") for f in source.decode(video=0)][31:71]
        found = [f.to_ndarray(format="gray") for f in made.decode(video=0)]
    for one, other in zip(wanted, found, strict=True):
        error = np.mean((one.astype(float) - other) ** 2)
        assert error == 0 or 10 * np.log10(255**2 / error) > 40


@pytest.mark.parametrize("container", ["mkv", "ts"])
def test_files_without_an_index_or_with_rounded_times(
    container: str, library: Library, tmp_path: Path
) -> None:
    rate = Fraction(30000, 1001)
    film = make_counted(tmp_path / f"film.{container}", *X264, *LONG, *AAC, frames=FRAMES,
                        rate=rate, clicks=[85])  # fmt: skip
    (clip,) = render(add(library, film, (80, 95)), tmp_path / "out")
    assert numbers_in(clip) == list(range(80, 95))
    with av.open(str(clip)) as made:
        assert made.streams.video[0].average_rate == rate
    with_source = clicks_in(film)[0] - clicks_in(clip)[0]
    first = probe(film)
    assert first.sound is not None
    assert with_source == pytest.approx(float(80 / rate), abs=0.025)  # the file's own offset


def test_a_clock_that_ticks_once_a_frame(library: Library, tmp_path: Path) -> None:
    film = make_counted(tmp_path / "film.mp4", *X264, "-video_track_timescale", "24", *AAC,
                        frames=FRAMES, rate=24)  # fmt: skip
    spans = [(start, start + 9) for start in range(50, 56)]
    for (start, end), clip in zip(
        spans, render(add(library, film, *spans), tmp_path / "out", reencode=True), strict=True
    ):
        assert numbers_in(clip) == list(range(start, end))


def test_pictures_of_no_even_pace_keep_their_times(library: Library, tmp_path: Path) -> None:
    even = make_counted(tmp_path / "even.mp4", *X264, "-bf", "0", *AAC, frames=FRAMES)
    film = tmp_path / "film.mkv"
    wobble = "setpts='(N*40+if(gt(mod(N,7),3),13,0))/1000/TB'"
    ffmpeg = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-i", str(even)]
    subprocess.run(
        [*ffmpeg, "-vf", wobble, "-fps_mode", "vfr", *X264, "-enc_time_base", "1/1000", str(film)],
        check=True,
    )
    with av.open(str(film)) as container:
        times = [frame.time for frame in container.decode(video=0)]
    assert probe(film).picture.pace == "uneven"
    manifest = add_title(library, film, num_frames=FRAMES)
    edges = [0, 33, 60, FRAMES]
    seen = pd.DataFrame({
        "shot": range(3), "start_frame": edges[:-1], "end_frame": edges[1:],
        "start_s": [times[edge] for edge in edges[:-1]],
        "end_s": [*(times[edge] for edge in edges[1:-1]), times[-1] + 0.04],
        "dialogue": [""] * 3,
    })  # fmt: skip
    seen.to_parquet(library.folder(manifest.title_id) / "shots.parquet")
    cuts = cut_list(library, (manifest, 33, 60), (manifest, 35, 50))
    for cut, path in zip(cuts.cuts, render(cuts, tmp_path / "out"), strict=True):
        assert numbers_in(path) == list(range(cut.start_frame, cut.end_frame))
        with av.open(str(path)) as made:
            shown = [frame.time for frame in made.decode(video=0)]
        wanted = [time - times[cut.start_frame] for time in times[cut.start_frame : cut.end_frame]]
        assert shown == pytest.approx(wanted, abs=A_MILLISECOND)


def test_every_track_of_sound_comes_along(library: Library, tmp_path: Path) -> None:
    eight = make_counted(tmp_path / "eight.mov", *X264, *PCM, frames=FRAMES, tracks=8, clicks=[40])
    surround = make_counted(tmp_path / "five.mp4", *X264, *AAC, frames=FRAMES, channels=6,
                            clicks=[40])  # fmt: skip
    first = render(add(library, eight, (35, 60)), tmp_path / "out")[0]
    second = render(add(library, surround, (35, 60), name="5.1"), tmp_path / "out2")[0]
    with av.open(str(first)) as made:
        assert [(s.codec_context.name, s.channels) for s in made.streams.audio] == [
            ("pcm_s16le", 1)
        ] * 8
    for track in range(8):
        assert clicks_in(first, track) == pytest.approx([5 / 25], abs=A_MILLISECOND)
    with av.open(str(second)) as made:
        (sound,) = made.streams.audio
        assert (sound.channels, sound.layout.name) == (6, "5.1")
    assert clicks_in(second) == pytest.approx([5 / 25], abs=A_MILLISECOND)


ODD = {
    "interlaced.mov": (*X264, "-flags", "+ildct+ilme", "-x264opts", "tff=1", *PCM),
    "anamorphic.mkv": (*X264, "-aspect", "16:9", *PCM),
    "hdr.mp4": (
        "-c:v", "libx265", "-preset", "ultrafast", "-pix_fmt", "yuv420p10le", *AAC, "-x265-params",
        "log-level=none:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc",
    ),
    "full_range.mp4": ("-vf", "scale=out_range=full", *X264, "-color_range", "pc", *AAC),
    "alpha.mov": ("-c:v", "prores_ks", "-profile:v", "4444", "-pix_fmt", "yuva444p10le", *PCM),
}  # fmt: skip


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("reencode", [False, True], ids=["as it may", "anew"])
def test_what_the_picture_is_stays(
    name: str, reencode: bool, library: Library, tmp_path: Path
) -> None:
    film = make_counted(tmp_path / name, *ODD[name], frames=FRAMES)
    (clip,) = render(add(library, film, (30, 50)), tmp_path / "out", reencode=reencode)
    assert numbers_in(clip) == list(range(30, 50))
    wanted, found = facts(film), facts(clip)
    if found["range"] == 0 and wanted["range"] == 1:  # studio range is what no tag means
        wanted["range"] = 0
    assert found == wanted


def test_a_turned_picture_is_upright_and_an_odd_size_even(library: Library, tmp_path: Path) -> None:
    flat = make_counted(tmp_path / "flat.mp4", *X264, "-g", "30", "-bf", "0", frames=FRAMES)
    turned = tmp_path / "turned.mp4"
    ffmpeg = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error"]
    subprocess.run([*ffmpeg, "-display_rotation", "90", "-i", str(flat), "-c", "copy", str(turned)],
                   check=True)  # fmt: skip
    copied, anew = render(add(library, turned, (30, 60), (31, 61)), tmp_path / "out")
    assert (facts(copied)["size"], facts(copied)["rotation"]) == ((160, 96), 90)
    assert (facts(anew)["size"], facts(anew)["rotation"]) == ((96, 160), 0)
    odd = make_counted(tmp_path / "odd.mkv", "-vf", "crop=159:95:0:0,format=yuv420p", "-c:v",
                       "ffv1", *PCM, frames=FRAMES)  # fmt: skip
    (even,) = render(add(library, odd, (3, 9), name="odd"), tmp_path / "even")
    assert facts(even)["size"] == (160, 96)
    assert numbers_in(even) == list(range(3, 9))


def test_timecode_reel_and_handles(library: Library, tmp_path: Path) -> None:
    rate = Fraction(30000, 1001)
    film = make_counted(tmp_path / "film.mov", *X264, *AAC, "-timecode", "00:59:58;00",
                        frames=FRAMES, rate=rate)  # fmt: skip
    cuts = add(library, film, (35, 50), settings=Settings(handles=5))
    (clip,) = render(cuts, tmp_path / "out")
    assert numbers_in(clip) == list(range(30, 55))
    with av.open(str(clip)) as made:
        told = [dict(stream.metadata) for stream in made.streams]
    assert {tags["timecode"] for tags in told if "timecode" in tags} == {"00:59:59;00"}
    assert [tags["reel_name"] for tags in told if "reel_name" in tags] == ["film"]
    assert probe(clip).start_timecode == "00:59:59;00"


def test_burnt_in_timecode_is_seen_and_changes_from_frame_to_frame(
    library: Library, tmp_path: Path
) -> None:
    film = make_counted(tmp_path / "film.mp4", "-vf", "scale=640:384:flags=neighbor", *X264,
                        *CLOSED_12, frames=FRAMES, tracks=0)  # fmt: skip
    cuts = add(library, film, (24, 48))
    (plain,) = render(cuts, tmp_path / "plain")
    (burnt,) = render(cuts, tmp_path / "burnt", burn_timecode=True)
    shown = []
    for path in (plain, burnt):
        with av.open(str(path)) as made:
            shown.append([f.to_ndarray(format="gray")[320:384] for f in made.decode(video=0)])
    assert len(shown[1]) == 24
    drawn = [np.abs(a.astype(int) - b) > 60 for a, b in zip(*shown, strict=True)]
    assert all(0.01 < share.mean() < 0.5 for share in drawn)


def test_sound_alone_becomes_a_wave_file(library: Library, tmp_path: Path) -> None:
    film = make_counted(tmp_path / "film.mp4", *X264, *AAC, frames=FRAMES, clicks=[35, 50])
    ffmpeg = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-i", str(film), "-vn"]
    for name in ("podcast.mp3", "podcast.m4a", "podcast.wav"):
        path = tmp_path / name
        subprocess.run([*ffmpeg, str(path)], check=True)
        manifest = add_title(library, path)
        cuts = cut_list(library, (manifest, 1_000, 2_500), name=name)
        (clip,) = render(cuts, tmp_path / name.replace(".", "_"))
        assert clip.name == "001_podcast.wav"
        assert clicks_in(clip) == pytest.approx([0.4, 1.0], abs=A_MILLISECOND)
        with av.open(str(clip)) as made:
            assert made.duration == 1_500_000


def test_what_is_finished_is_not_rendered_again(library: Library, tmp_path: Path) -> None:
    film = make_counted(tmp_path / "film.mp4", *X264, *AAC, frames=FRAMES)
    cuts = add(library, film, (10, 20), (30, 40))
    out = tmp_path / "out"
    first, second = render(cuts, out)
    made = [path.stat().st_mtime_ns for path in (first, second)]
    second.write_bytes(second.read_bytes()[:2000])
    assert render(cuts, out) == [first, second]
    assert first.stat().st_mtime_ns == made[0]
    assert numbers_in(second) == list(range(30, 40))
    render(cuts, out, burn_timecode=True)
    assert first.stat().st_mtime_ns != made[0]
    assert sorted(path.name for path in out.iterdir()) == ["001_film.mov", "002_film.mov"]


def test_a_killed_child_leaves_nothing_half_made(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    film = make_counted(tmp_path / "film.mp4", "-vf", "pad=1280:768", *X264, *AAC, frames=FRAMES)
    cuts = add(library, film, (3, 97), (5, 20))
    out = tmp_path / "out"
    started, popen = threading.Event(), subprocess.Popen

    class Killed(popen):  # type: ignore[misc,valid-type]
        """The first child is killed as soon as it has written something."""

        def __init__(self, *arguments: object, **options: object) -> None:
            super().__init__(*arguments, **options)
            if not started.is_set():
                started.set()
                threading.Thread(target=self.kill_when_writing, daemon=True).start()

        def kill_when_writing(self) -> None:
            while not any(part.stat().st_size for part in out.glob(".*.part")):
                pass
            self.kill()

    monkeypatch.setattr(program.subprocess, "Popen", Killed)
    with pytest.raises(InputError, match=r"1 of 2 clips .*001_film was not finished.*signal 9"):
        render(cuts, out, workers=1, reencode=True)
    monkeypatch.undo()
    assert [path.name for path in out.iterdir()] == ["002_film.mov"]
    one, other = render(cuts, out, reencode=True)
    assert numbers_in(other) == list(range(5, 20))
    assert numbers_in(one) == list(range(3, 97))


def test_one_that_is_off_line_is_named_in_the_end_and_the_others_are_there(
    library: Library, tmp_path: Path
) -> None:
    gone = make_counted(tmp_path / "gone.mp4", *X264, *AAC, frames=FRAMES, rate=24)
    film = make_counted(tmp_path / "film.mp4", *X264, frames=FRAMES, rate=24, tracks=0)
    titles = [add_title(library, path, num_frames=FRAMES) for path in (gone, film)]
    gone.unlink()
    cuts = cut_list(library, *((manifest, 10, 20) for manifest in titles))
    out = tmp_path / "out"
    with pytest.raises(InputError, match=r"1 of 2 clips could not be made.*001_gone is left out"):
        render(cuts, out)
    assert [path.name for path in out.iterdir()] == ["002_film.mov"]


def test_a_full_disk_and_a_folder_that_cannot_be_written_are_told_in_one_sentence(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    film = make_counted(tmp_path / "film.mp4", *X264, frames=FRAMES, tracks=0)
    cuts = add(library, film, (10, 20))
    full = tmp_path / "ffmpeg"
    full.write_text("#!/bin/sh\necho 'av_interleaved_write_frame(): No space left on device' >&2\n"
                    "exit 228\n")  # fmt: skip
    full.chmod(0o755)
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(full))
    with pytest.raises(CannotRunNow, match="disk is full: 001_film"):
        render(cuts, tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())
    with pytest.raises(CannotRunNow, match="cannot be written"):
        clips.write(cuts, tmp_path / "nowhere", options=Options(), progress=silent)


def test_progress_reaches_the_end_and_never_goes_back(library: Library, tmp_path: Path) -> None:
    film = make_counted(tmp_path / "film.mp4", *X264, frames=FRAMES, tracks=0)
    cuts = add(library, film, (10, 35), (40, 90))
    reports: list[tuple[str, float, float]] = []
    tellers: set[int] = set()  # threads

    def progress(stage: str, done: float, total: float) -> None:
        reports.append((stage, done, total))
        tellers.add(threading.get_ident())

    (tmp_path / "out").mkdir()
    clips.write(cuts, tmp_path / "out", options=Options(), progress=progress)
    assert tellers == {threading.get_ident()}
    assert [stage for stage, *_ in reports] == ["clips"] * len(reports)
    done = [report[1] for report in reports]
    assert done == sorted(done)
    assert reports[-1][1:] == (pytest.approx(3.0), pytest.approx(3.0))
