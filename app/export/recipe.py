"""How a clip is encoded where it cannot be copied: ffmpeg's arguments, nothing run.

Pictures keep their rate, size, pixel aspect, fields and colour tags. H.264 stays H.264 and so does
most else; HEVC stays HEVC, because HDR lives there, and takes what has more than ten bits; ProRes,
transparency and RGB become ProRes. A turned picture is turned upright; an odd size gains a line or
column of black where the colour has half the pixels. Sound is decoded to PCM, every track by
itself: compressed sound cannot be cut to the sample.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from app.export.cutlist import Cut
from app.export.footage import Footage
from indexer.media.probe import PictureTrack, SoundTrack

VERSION = "1"
"""Goes into a clip's mark: another recipe, another clip."""

CRF = 12
"""x264's and x265's constant rate factor: beyond what the eye tells from the source."""

X264_FORMATS = ("yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "yuv422p10le", "yuv444p10le")
X265_FORMATS = (*X264_FORMATS, "yuv420p12le", "yuv422p12le", "yuv444p12le")
FONT = "Vera.ttf"
"""Bitstream Vera, which may be passed on and comes inside reportlab's wheel."""


@dataclass(frozen=True)
class Encoding:
    """An encoder with its options, and what pixels it is given."""

    options: tuple[str, ...]
    pixel_format: str


def input_arguments(footage: Footage, seek_s: float | None) -> list[str]:
    """Return how a source is opened: it leads to no other file; times stay those of the file."""
    seek = () if seek_s is None else ("-noaccurate_seek", "-seek_timestamp", "1")
    at = () if seek_s is None else ("-ss", f"{seek_s:.6f}")
    return [
        *("-protocol_whitelist", "file", "-format_whitelist", footage.media.container),
        *(*seek, *at, "-i", f"file:{footage.media.path}"),
    ]


def picture_arguments(cut: Cut, footage: Footage, *, burn: bool, threads: int) -> list[str]:
    """Return how the picture of input 0 is cut and encoded."""
    picture = footage.media.picture
    assert picture is not None
    encoding = encoding_of(picture)
    filters = [*_span_filters(footage), *([_burnt(cut)] if burn else []), *_sized(picture)]
    filters.append(f"format={encoding.pixel_format}")
    fields = ("-flags:v", "+ildct+ilme") if picture.is_interlaced else ()
    pace: tuple[str, ...] = ("-fps_mode:v", "vfr", "-enc_time_base:v", "filter")
    if footage.is_even:
        pace = ("-fps_mode:v", "cfr", "-r:v", str(picture.rate))
    return [
        *("-map", f"0:{picture.index}", "-vf", ",".join(filters)),
        *(*encoding.options, *pace, *fields, "-threads:v", f"{threads}"),
    ]


def sound_arguments(cut: Cut, footage: Footage, *, source: int) -> list[str]:
    """Return how every sound track is cut to the sample; silence stands where a track has none."""
    length = f"{footage.length_s:.6f}"
    # A sample belongs to the cut from the first frame's time on: no slack here, it would be heard.
    filters = (
        f"atrim=start={footage.start_s:.6f}:end={footage.end_s:.6f},"
        f"asetpts=PTS-{footage.start_s:.9f}/TB,"
        f"aresample=async=1:first_pts=0,apad=whole_dur={length},atrim=end={length}"
    )
    arguments: list[str] = []
    for place, track in enumerate(cut.source.sounds):
        arguments += ["-map", f"{source}:{track.index}", f"-c:a:{place}", _pcm(track)]
        if track.language:
            arguments += [f"-metadata:s:a:{place}", f"language={track.language}"]
    return [*arguments, "-filter:a", filters] if arguments else []


def output_arguments(cut: Cut, mark: str, path: Path, *, container: str) -> list[str]:
    """Return how the file is written, with its timecode, its reel and its mark."""
    arguments = ["-map_metadata", "-1", "-map_chapters", "-1", "-metadata", f"comment={mark}"]
    if cut.source.has_picture:
        arguments += ["-timecode", cut.source_in, "-metadata:s:v:0", f"reel_name={cut.source.reel}"]
    return [*arguments, "-f", container, "-y", f"file:{path}"]


def encoding_of(picture: PictureTrack) -> Encoding:
    """Return how a kind of picture is encoded anew."""
    pixels = picture.pixel_format.replace("yuvj", "yuv").replace("be", "le")
    has_alpha = any(word in pixels for word in ("yuva", "rgba", "argb", "bgra", "abgr", "gbrap"))
    is_rgb = any(word in pixels for word in ("rgb", "bgr", "gbr", "pal8"))
    if has_alpha or is_rgb:
        return _prores("4444", "yuva444p10le" if has_alpha else "yuv444p10le")
    if picture.codec == "prores":
        is_444 = "444" in pixels
        return _prores("4444", "yuv444p10le") if is_444 else _prores("hq", "yuv422p10le")
    if picture.codec == "hevc" or picture.bit_depth > 10:
        quiet = ("-x265-params", "log-level=error", "-tag:v", "hvc1")
        options: tuple[str, ...] = ("-c:v", "libx265", "-preset", "fast", "-crf", f"{CRF}", *quiet)
        return Encoding((*options, *_keyframes(picture)), _nearest(pixels, picture, X265_FORMATS))
    options = ("-c:v", "libx264", "-preset", "faster", "-crf", f"{CRF}")
    return Encoding((*options, *_keyframes(picture)), _nearest(pixels, picture, X264_FORMATS))


def _prores(profile: str, pixel_format: str) -> Encoding:
    options = ("-c:v", "prores_ks", "-profile:v", profile, "-vendor", "apl0")
    return Encoding(options, pixel_format)


def _keyframes(picture: PictureTrack) -> tuple[str, str]:
    """A keyframe a second: an editor steps backwards."""
    return ("-g", f"{max(1, round(picture.rate))}")


def _nearest(pixels: str, picture: PictureTrack, formats: tuple[str, ...]) -> str:
    if pixels in formats:
        return pixels
    if pixels.startswith(("gray", "nv12", "yuv410", "p010")):
        return "yuv420p10le" if picture.bit_depth > 8 else "yuv420p"
    return "yuv422p10le" if picture.bit_depth > 8 else "yuv422p"


def _span_filters(footage: Footage) -> list[str]:
    """Keep the cut's frames, their times counted from the first: of even pace, one tick each."""
    start_s, end_s = footage.start_s - footage.slack_s, footage.end_s - footage.slack_s
    # trim rounds its edges to the clock's ticks, and some films tick once a frame: microseconds.
    kept = f"settb=AVTB,trim=start={start_s:.6f}:end={end_s:.6f}"
    if not footage.is_even:
        return [kept, "setpts=PTS-STARTPTS"]
    return [kept, f"settb={1 / footage.media.rate}", "setpts=N"]


def _sized(picture: PictureTrack) -> list[str]:
    halved = any(ratio in picture.pixel_format for ratio in ("420", "422", "411", "410", "nv"))
    if not halved or not (picture.width % 2 or picture.height % 2):
        return []
    return ["pad=ceil(iw/2)*2:ceil(ih/2)*2"]


def _burnt(cut: Cut) -> str:
    """Draw each frame's source timecode. The child runs in the font's folder: no path is told."""
    timecode = cut.source_in.replace(":", "\\:")
    return (
        f"drawtext=fontfile={FONT}:timecode='{timecode}':rate={cut.source.rate}:fontsize=h/16"
        ":fontcolor=white:box=1:boxcolor=black@0.6:boxborderw=8:x=(w-text_w)/2:y=h-2*text_h"
    )


def font_folder() -> Path:
    """Return where the font of burnt-in timecode lies."""
    import reportlab

    return Path(str(reportlab.__file__)).parent / "fonts"


def _pcm(track: SoundTrack) -> str:
    """Return the PCM that loses nothing of a track's codec; lossy ones are decoded to 24 bits."""
    codec = track.codec
    if codec.startswith(("pcm_s16", "pcm_u8", "pcm_s8", "pcm_alaw", "pcm_mulaw")):
        return "pcm_s16le"
    if codec.startswith(("pcm_f32", "pcm_f64")):
        return "pcm_f32le"
    return "pcm_s32le" if codec.startswith("pcm_s32") else "pcm_s24le"


def seconds_before(footage: Footage) -> float:
    """Return the earliest time a seek should aim at: sound decoders need a moment to settle."""
    return math.floor((footage.start_s - 1.0) * 1000) / 1000
