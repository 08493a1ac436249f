"""What browsers cannot play gets a stand-in that they can, of the right span, within a budget."""

import os
import re
import subprocess
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from shelf import add_title, make_film, make_library, streams_of

from app import proxy
from app.playable import needs_proxy
from app.proxy import proxy_for, proxy_span
from indexer.library import Library
from indexer.manifest import Manifest
from indexer.media.probe import probe
from qdrant.errors import InputError

PRORES = ("-c:v", "prores_ks", "-profile:v", "1", "-pix_fmt", "yuv422p10le", "-c:a", "pcm_s16le")
HEVC_10 = ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none", "-pix_fmt",
           "yuv420p10le", "-c:a", "aac")  # fmt: skip
PCM_SOUND = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "pcm_s24le")
DNXHD = ("-c:v", "dnxhd", "-profile:v", "dnxhr_sq", "-pix_fmt", "yuv422p", "-c:a", "pcm_s16le")
VP9 = ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-c:a", "libopus")
H264_422 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv422p", "-c:a", "aac")

FOREIGN = {
    "prores.mov": PRORES,
    "hevc10.mp4": HEVC_10,
    "pcm.mov": PCM_SOUND,
    "dnxhr.mxf": DNXHD,
    "four22.mp4": H264_422,
    "wrapped.mkv": (
        "-c:v",
        "libx264",
        "-preset",
        "ultrafast",
        "-pix_fmt",
        "yuv420p",
        "-c:a",
        "aac",
    ),
}


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return make_library(tmp_path / "library")


@pytest.fixture
def film(library: Library, tmp_path: Path) -> Manifest:
    return add_title(library, make_film(tmp_path / "film.mp4"))


@pytest.mark.parametrize("name", FOREIGN)
def test_what_browsers_cannot_play_becomes_h264_and_aac_of_the_right_span(
    name: str, library: Library, tmp_path: Path
) -> None:
    manifest = add_title(library, make_film(tmp_path / name, *FOREIGN[name], size="640x600"))
    assert needs_proxy(manifest)
    made = proxy_for(library, manifest, 6.0, 6.5)
    assert (made.start_s, made.end_s) == (1.0, 11.5)
    found = streams_of(made.path)
    assert (found["video"], found["pixels"], found["audio"]) == ("h264", "yuv420p", "aac")
    assert int(found["frames"]) == pytest.approx(10.5 * 24, abs=1)
    assert float(found["last_s"]) == pytest.approx(10.5, abs=0.1)
    height = subprocess.run(
        [proxy._ffmpeg(), "-hide_banner", "-i", made.path], capture_output=True, check=False
    ).stderr.decode()
    assert "512x480" in height


@pytest.mark.parametrize(
    "name, options",
    [("plain.mp4", ()), ("plain.mov", ()), ("plain.webm", VP9)],
    ids=["mp4", "mov", "webm"],
)
def test_what_browsers_play_is_left_alone(
    name: str, options: tuple[str, ...], library: Library, tmp_path: Path
) -> None:
    manifest = add_title(library, make_film(tmp_path / name, *options, seconds=1))
    assert not needs_proxy(manifest)


def test_sound_alone_plays_as_it_is_unless_browsers_do_not_know_it(film: Manifest) -> None:
    sound = replace(film, width=0, height=0, video_codec=None, pixel_format=None)
    assert not needs_proxy(replace(sound, container="mp3", audio_codec="mp3float"))
    assert not needs_proxy(replace(sound, container="wav", audio_codec="pcm_s16le"))
    assert needs_proxy(replace(sound, container="aiff", audio_codec="pcm_s16be"))


def test_a_proxy_starts_on_the_frame_it_says(library: Library, film: Manifest) -> None:
    """Every frame of the test pattern differs from the next: compare pictures, not times."""
    made = proxy_for(library, film, 8.0, 8.5)

    def gray(path: Path, second: float) -> bytes:
        command = [proxy._ffmpeg(), "-loglevel", "error", "-ss", str(second), "-i", str(path)]
        command += ["-frames:v", "1", "-vf", "scale=64:36,format=gray", "-f", "rawvideo", "-"]
        return subprocess.run(command, capture_output=True, check=True).stdout

    def apart(one: bytes, other: bytes) -> float:
        return sum(abs(a - b) for a, b in zip(one, other, strict=True)) / len(one)

    shown = gray(made.path, 8.0 - made.start_s)
    beside = [apart(shown, gray(Path(film.path), 8.0 + n / 24)) for n in (-1, 0, 1)]
    assert beside[1] == min(beside)
    assert beside[1] < 2


def test_the_span_stays_in_the_film_and_is_bounded(film: Manifest) -> None:
    assert proxy_span(film, 1.0, 2.0) == (0.0, 7.0)
    assert proxy_span(film, 11.0, 11.5) == (6.0, 12.0)
    assert proxy_span(replace(film, duration_s=9000.0), 100.0, 8000.0) == (95.0, 395.0)


@pytest.mark.parametrize("start_s, end_s", [(-1, 2), (3, 3), (12.5, 13), (float("nan"), 1)])
def test_a_span_that_is_not_in_the_film_is_refused(
    start_s: float, end_s: float, film: Manifest
) -> None:
    with pytest.raises(InputError, match=r"nothing between .* 12\.000 seconds long"):
        proxy_span(film, start_s, end_s)


def test_the_same_moment_is_made_once_and_a_changed_file_anew(
    library: Library, film: Manifest
) -> None:
    first = proxy_for(library, film, 3.0, 4.0).path
    written = first.stat().st_ino
    assert proxy_for(library, film, 3.0, 4.0).path.stat().st_ino == written
    assert proxy_for(library, replace(film, content_hash="other"), 3.0, 4.0).path != first


def test_many_who_ask_at_once_share_one_build(
    library: Library, film: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    builds = []
    encode = proxy._encode

    def counted(*args: object) -> None:
        builds.append(args)
        encode(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(proxy, "_encode", counted)
    threads = [threading.Thread(target=proxy_for, args=(library, film, 3.0, 4.0)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(builds) == 1


def test_the_least_recently_used_go_when_the_disk_budget_is_spent(
    library: Library, film: Manifest
) -> None:
    def age(path: Path, seconds: float) -> None:
        os.utime(path, (path.stat().st_atime, path.stat().st_mtime - seconds))

    old, used, new = (proxy_for(library, film, at, at + 0.5).path for at in (0.0, 2.0, 4.0))
    budget = used.stat().st_size + new.stat().st_size
    new.unlink()
    age(old, 200)
    age(used, 300)
    proxy_for(library, film, 2.0, 2.5)  # used again: now `old` is the one to go
    left = library.cache_folder / "proxies" / ".left.1.part"
    left.write_bytes(b"half")
    age(left, 2 * proxy.STALE_PART_S)
    proxy_for(library, film, 4.0, 4.5, budget_bytes=budget)
    assert not old.exists()
    assert used.exists()
    assert new.exists()
    assert not left.exists()


def test_a_lock_outlives_its_proxy_so_that_two_never_hold_it(
    library: Library, film: Manifest
) -> None:
    old = proxy_for(library, film, 0.0, 0.5).path
    lock = old.with_suffix(".lock")
    with proxy._one_at_a_time(old):
        held = lock.stat().st_ino
        proxy_for(library, film, 4.0, 4.5, budget_bytes=1)
        assert not old.exists()
        assert lock.stat().st_ino == held


def test_the_streams_that_were_indexed_are_shown(library: Library, tmp_path: Path) -> None:
    """ffmpeg alone takes the sound that says it is the default one."""
    ffmpeg = [proxy._ffmpeg(), "-loglevel", "error", "-y"]
    tones = ["-f", "lavfi", "-i", "sine=frequency=440:duration=4"]
    tones += ["-f", "lavfi", "-i", "aevalsrc=0|0|0|0|0|0:channel_layout=5.1:duration=4"]
    path = tmp_path / "two-sounds.mkv"
    film = make_film(tmp_path / "film.mp4", seconds=4)
    streams = ["-map", "0:v", "-map", "1:a", "-map", "2:a", "-c:v", "copy", "-c:a", "pcm_s16le"]
    streams += ["-disposition:a:0", "0", "-disposition:a:1", "default"]
    subprocess.run([*ffmpeg, "-i", film, *tones, *streams, path], check=True)
    manifest = add_title(library, path, choices={"stream": "a:0"})
    made = proxy_for(library, manifest, 0.0, 4.0).path
    measure = ["-i", made, "-af", "volumedetect", "-f", "null", "-"]
    told = subprocess.run([ffmpeg[0], *measure], capture_output=True, check=True).stderr.decode()
    loudest = re.search(r"max_volume: (-?[\d.]+) dB", told)
    assert loudest is not None
    assert float(loudest[1]) > -30


def test_a_cover_is_no_film(library: Library, tmp_path: Path) -> None:
    ffmpeg = [proxy._ffmpeg(), "-loglevel", "error", "-y"]
    path = tmp_path / "song.m4a"
    cover = ["-f", "lavfi", "-i", "testsrc2=size=64x64:rate=1:duration=1"]
    tone = ["-f", "lavfi", "-i", "sine=duration=4"]
    attached = ["-map", "1:a", "-map", "0:v", "-c:a", "alac", "-c:v", "mjpeg", "-frames:v", "1"]
    attached += ["-pix_fmt", "yuvj420p", "-disposition:v:0", "attached_pic", "-f", "mp4"]
    subprocess.run([*ffmpeg, *cover, *tone, *attached, path], check=True)
    manifest = add_title(library, path)
    assert manifest.width == 0
    made = probe(proxy_for(library, manifest, 0.0, 4.0).path)
    assert made.picture is None
    assert made.sound is not None


def test_a_proxy_larger_than_the_budget_is_still_shown(library: Library, film: Manifest) -> None:
    assert proxy_for(library, film, 1.0, 2.0, budget_bytes=1).path.is_file()


def test_a_file_that_has_gone_is_a_sentence(library: Library, film: Manifest) -> None:
    Path(film.path).unlink()
    with pytest.raises(InputError, match=r"The file of 'film' is not at .*film\.mp4 any more"):
        proxy_for(library, film, 1.0, 2.0)


def test_a_file_that_cannot_be_decoded_is_a_sentence_and_leaves_nothing(
    library: Library, film: Manifest
) -> None:
    Path(film.path).write_bytes((b"no film at all " * film.size)[: film.size])
    with pytest.raises(InputError, match=r"No preview can be made of .*film\.mp4 at 0\.0 s"):
        proxy_for(library, film, 1.0, 2.0)
    assert not [p for p in (library.cache_folder / "proxies").iterdir() if p.suffix != ".lock"]


def test_a_playlist_in_a_films_clothes_reads_no_other_file(
    library: Library, film: Manifest, tmp_path: Path
) -> None:
    secret = make_film(tmp_path / "elsewhere" / "secret.ts", seconds=2)
    playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nfile://{secret}\n#EXT-X-ENDLIST\n"
    Path(film.path).write_text(playlist.ljust(film.size, "\n"))
    with pytest.raises(InputError, match="No preview can be made"):
        proxy_for(library, film, 0.0, 1.0)


def test_a_name_is_a_name_whatever_it_looks_like(library: Library, tmp_path: Path) -> None:
    path = make_film(tmp_path / "x.mp4", seconds=2).rename(tmp_path / "-y; echo $(id) 'a' %d.mp4")
    manifest = add_title(library, path)
    assert int(streams_of(proxy_for(library, manifest, 0.0, 1.0).path)["frames"]) == 48


def test_the_time_limit_is_a_sentence(
    library: Library, film: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proxy, "BUILD_TIMEOUT_S", 0.01)
    with pytest.raises(InputError, match="was given up after 0 seconds"):
        proxy_for(library, film, 1.0, 2.0)
