"""The table of odd inputs: a row each, with what must come out stated by hand."""

from __future__ import annotations

import os
import struct
from fractions import Fraction
from pathlib import Path

from odd_media import (
    AAC,
    MILLISECONDS,
    X264,
    Row,
    a_socket,
    copied,
    cut_off,
    ffmpeg,
    film,
    from_film,
    moving,
    pattern,
    reference_movie,
    spoilt,
    tone,
    written,
)

FILM, NTSC, NTSC_60 = Fraction(24000, 1001), Fraction(30000, 1001), Fraction(60000, 1001)
NONE = ("-an",)
MPEG2 = ("-c:v", "mpeg2video", "-b:v", "1M")
LOSSLESS = ("-c:v", "ffv1")
BFRAMES = ("-bf", "2", "-g", "12")


def paced(name: str, what: str, given: str, rate: Fraction, **more: object) -> Row:
    """Return a row for a plain film of 48 frames at a rate, its cut in the middle."""
    timecode = more.get("timecode")
    options = ("-timecode", str(timecode)) if timecode else ()
    codec = (*X264, *BFRAMES)
    return Row(name, what, film(*options, source=pattern(given), codec=codec), rate=rate,
               cut=24, seconds=float(48 / rate), **more)  # type: ignore[arg-type]  # fmt: skip


RATES = (
    paced("film.mp4", "23.976", "24000/1001", FILM),
    paced("film_ms.mkv", "23.976 on Matroska's clock of milliseconds", "24000/1001", FILM),
    paced("cinema.mp4", "24", "24", Fraction(24)),
    paced("pal.mov", "25, from 10:00:00:00", "25", Fraction(25), timecode="10:00:00:00"),
    paced("drop.mov", "29.97 drop-frame", "30000/1001", NTSC, timecode="00:59:58;00"),
    paced("nondrop.mov", "29.97 non-drop", "30000/1001", NTSC, timecode="01:00:00:00"),
    paced("drop.mkv", "29.97 drop-frame, in a tag", "30000/1001", NTSC, timecode="01:00:00;02"),
    paced("thirty.mp4", "30", "30", Fraction(30)),
    paced("hfr47.mp4", "47.952", "48000/1001", Fraction(48000, 1001)),
    paced("fifty.ts", "50, MPEG-TS", "50", Fraction(50)),
    paced("sixty.mov", "59.94 drop-frame", "60000/1001", NTSC_60, timecode="00:09:59;56"),
    paced("half.mp4", "12.5", "25/2", Fraction(25, 2)),
    paced("action.mp4", "120", "120", Fraction(120)),
    paced("rounded.mov", "29.97 stored as 2997/100", "2997/100", NTSC),
    Row("super8.mkv", "18, no standard rate", film(source=pattern("18")), rate=Fraction(18)),
    Row("wrong_tc.mkv", "a timecode that 25 does not have",
        film("-metadata", "timecode=01:00:00:29"), picture={}),
    Row("vfr.mp4", "variable: 30, then every third frame",
        film("-fps_mode", "vfr", source=("-f", "lavfi", "-i", "testsrc2=size=160x90:rate=30,"
             "trim=end_frame=60,select='lt(n,30)+not(mod(n,3))'")),
        frames=40, rate=Fraction(40 * 30, 58), seconds=58 / 30, picture={"pace": "uneven"}),
    Row("hole.mkv", "a hole of 60 s after one second",
        film("-fps_mode", "passthrough", source=("-f", "lavfi", "-i", "testsrc2=size=160x90:"
             "rate=25,trim=end_frame=48,setpts='if(gte(N,25),PTS+60/TB,PTS)'")),
        seconds=61.92, partial=True, picture={"pace": "gaps"}),
)  # fmt: skip

SHAPES = (
    *(
        Row(f"turned{angle}.mp4", f"a phone's film, turned by {angle} degrees",
            from_film(copied(before=("-display_rotation", str(angle)))),
            cut=24, picture={"rotation": turned})
        for angle, turned in ((90, 90), (180, -180), (270, -90))
    ),
    Row("sar.mp4", "pixels of 16:11", film("-vf", "setsar=16/11"),
        picture={"pixel_aspect": Fraction(16, 11)}),
    Row("sar64.mpg", "pixels of 64:45, MPEG-2 programme stream",
        film(source=pattern(size="720x576"), codec=(*MPEG2, "-aspect", "16/9")),
        picture={"pixel_aspect": Fraction(64, 45), "width": 720}),
    Row("interlaced.mpg", "interlaced MPEG-2, top field first",
        film("-vf", "setfield=tff", codec=(*MPEG2, "-flags", "+ildct+ilme")),
        picture={"is_interlaced": True, "field_order": "top"}),
    Row("mbaff.mp4", "interlaced H.264 (MBAFF), bottom field first",
        film("-vf", "setfield=bff", "-flags", "+ildct+ilme", "-x264-params", "bff=1",
        source=pattern(size="160x96")),
        picture={"is_interlaced": True, "field_order": "bottom"}),
    Row("odd.webm", "161x91", film("-deadline", "realtime", "-pix_fmt", "yuv420p",
        source=("-f", "lavfi", "-i",
        "testsrc=size=161x91:rate=25,trim=end_frame=48"), codec=("-c:v", "libvpx-vp9")),
        picture={"width": 161, "height": 91}),
    Row("two.mkv", "2x2", film(source=moving(size="2x2"), codec=LOSSLESS), picture={"width": 2}),
    Row("icon.mp4", "16x16", film(source=moving(size="16x16")), picture={"width": 16}),
    Row("ribbon.mp4", "4096x64", film(source=moving(size="4096x64", frames=12)), frames=12,
        picture={"width": 4096}),
    Row("resized.ts", "the size changes midway", lambda path: two_sizes(path), frames=48),
)  # fmt: skip

CODECS = (
    Row("ten.mp4", "10-bit HEVC", film("-x265-params", "log-level=none:pools=1", codec=(
        "-c:v", "libx265", "-preset", "ultrafast", "-pix_fmt", "yuv420p10le")), cut=24,
        picture={"bit_depth": 10}),
    Row("alpha.mov", "ProRes 4444 with alpha", film(codec=(
        "-c:v", "prores_ks", "-profile:v", "4444", "-pix_fmt", "yuva444p10le")), cut=24,
        picture={"bit_depth": 12}),
    Row("dnx.mxf", "DNxHR in MXF, with its timecode", film(
        "-timecode", "09:58:30:00", source=pattern(size="256x144"),
        codec=("-c:v", "dnxhd", "-profile:v", "dnxhr_lb", "-pix_fmt", "yuv422p")),
        cut=24, timecode="09:58:30:00"),
    Row("four22.mp4", "4:2:2", film("-pix_fmt", "yuv422p"), cut=24),
    Row("four44.mp4", "4:4:4", film("-pix_fmt", "yuv444p"), cut=24),
    Row("gray.mp4", "gray", film("-pix_fmt", "gray"), cut=24),
    Row("png.mov", "RGB PNG", film(codec=("-c:v", "png", "-pix_fmt", "rgb24")), cut=24),
    Row("rgb.mkv", "RGB FFV1", film(codec=(*LOSSLESS, "-pix_fmt", "bgr0")), cut=24),
    Row("sixteen.mkv", "16-bit gray FFV1", film(codec=(*LOSSLESS, "-pix_fmt", "gray16le")),
        cut=24, picture={"bit_depth": 16}),
    Row("moving.gif", "a GIF", film(codec=()), cut=24),
    Row("camera.avi", "Motion JPEG", film(codec=("-c:v", "mjpeg", "-pix_fmt", "yuvj422p")), cut=24),
    Row("divx.avi", "MPEG-4 with B-frames in AVI", film(codec=("-c:v", "mpeg4", "-bf", "2")),
        cut=24),
    Row("vp9.webm", "VP9", film(codec=("-c:v", "libvpx-vp9", "-deadline", "realtime",
        "-pix_fmt", "yuv420p")), cut=24),
    Row("av1.webm", "AV1", film(codec=("-c:v", "libaom-av1", "-usage", "realtime", "-cpu-used",
        "8", "-pix_fmt", "yuv420p")), cut=24),
    Row("old.flv", "FLV", film(codec=("-c:v", "flv1")), cut=24),
    Row("windows.wmv", "WMV", film(codec=("-c:v", "wmv2")), cut=24),
    Row("bare.h264", "raw H.264, no timestamps at all", film(codec=(*X264, *BFRAMES)), cut=24,
        seconds=1.92),
    Row("open_gop.ts", "open GOPs in MPEG-TS", film("-x264-params", "open-gop=1", codec=(
        *X264, *BFRAMES)), cut=24, seconds=1.92),
    Row("fragments.mp4", "fragmented MP4", film("-movflags", "frag_keyframe+empty_moov", codec=(
        *X264, *BFRAMES)), cut=24, seconds=1.92),
)  # fmt: skip

CLOCKS = (
    Row("ten_hours.ts", "MPEG-TS whose clock begins at 10 h",
        film("-output_ts_offset", "36000", codec=(*X264, *BFRAMES)), cut=24, seconds=1.92),
    Row("wrap.ts", "MPEG-TS whose clock goes round (2^33 ticks) in the midst",
        film("-output_ts_offset", "95441.4", codec=(*X264, *BFRAMES)), cut=24, seconds=1.92),
    Row("edit.mp4", "an edit list that hides 13 frames", from_film(
        copied("-an", before=("-ss", "1.5")), source=moving(frames=100),
        codec=(*X264, "-bf", "2", "-g", "25")), frames=62, seconds=2.48),
    Row("long_sound.mp4", "sound longer than the pictures",
        film(source=(*pattern(), *tone(5)), codec=(*X264, *AAC)), cut=24, sound=True,
        seconds=1.92),
    Row("long_picture.mkv", "pictures longer than the sound",
        film(source=(*pattern(), *tone(0.5)), codec=(*X264, *AAC)), cut=24, sound=True,
        seconds=1.92),
    Row("late.mkv", "pictures that begin two seconds after the sound", from_film(
        lambda whole, path: ffmpeg("-itsoffset", "2", "-i", whole, *tone(5), "-c:v", "copy",
                                   *AAC, path)), cut=24, sound=True, seconds=1.92),
    Row("late.mp4", "pictures that begin two seconds after the sound, by edit list", from_film(
        lambda whole, path: ffmpeg("-itsoffset", "2", "-i", whole, *tone(5), "-c:v", "copy",
                                   *AAC, path)), cut=24, sound=True, seconds=1.92),
    Row("one.mp4", "one frame", film(source=moving(frames=1)), frames=1, seconds=0.04),
    Row("black.mp4", "all black", film(source=("-f", "lavfi", "-i",
        "color=c=black:size=160x90:rate=25,trim=end_frame=48"))),
    Row("one_gop.mp4", "one keyframe in 20 s", film("-g", "9999", "-sc_threshold", "0",
        source=pattern(frames=500)), frames=500, cut=250, seconds=20.0),
)  # fmt: skip

STREAMS = (
    Row("silent.mp4", "no sound", film(*NONE)),
    Row("two.mp4", "two pictures: the larger is the film", film(
        "-map", "0:v", "-map", "1:v", source=(*moving(size="64x36", frames=12), *pattern())),
        cut=24, picture={"width": 160}),
    Row("cover.m4a", "sound with cover art", from_film(
        lambda whole, path: ffmpeg("-i", whole, *tone(2), "-map", "1:a", "-map", "0:v", *AAC,
                                   "-c:v", "copy", "-disposition:v:0", "attached_pic", path),
        name="cover.png", source=moving(frames=1), codec=()),
        frames=0, rate=MILLISECONDS, sound=True, seconds=2.0),
    *(
        Row(name, what, film(*options, source=tone(2, rate=rate), codec=()), frames=0,
            rate=MILLISECONDS, sound=True, seconds=2.0)
        for name, what, rate, options in (
            ("sound.mp3", "MP3", 44_100, ()),
            ("sound.flac", "FLAC, 24 bit", 48_000, ("-sample_fmt", "s32")),
            ("sound.opus", "Opus", 48_000, ()),
            ("phone.wav", "8 kHz, A-law", 8_000, ("-c:a", "pcm_alaw")),
            ("studio.wav", "96 kHz, floating point", 96_000, ("-c:a", "pcm_f32le")),
            ("eight.wav", "eight channels", 48_000, ("-af", "pan=7.1|" + "|".join(
                f"c{i}=c0" for i in range(8)))),
            ("surround.ac3", "5.1 AC-3", 48_000, ("-af", "pan=5.1|" + "|".join(
                f"c{i}=c0" for i in range(6)))),
            ("late_radio.ts", "MPEG-TS of sound alone, its clock at 10 h", 48_000,
             ("-c:a", "aac", "-output_ts_offset", "36000")),
        )
    ),
)  # fmt: skip

DAMAGE = (
    Row("no_moov.mp4", "MP4 cut off before its index", from_film(cut_off(0.9)),
        refused="not a film or sound"),
    Row("half.mkv", "half of a Matroska file", from_film(cut_off(0.5), name="whole.mkv",
        source=moving(frames=100)), frames=(30, 70), partial=True),
    Row("half_front.mp4", "MP4 with its index in front, cut in half", from_film(
        cut_off(0.5), "-movflags", "+faststart", source=moving(frames=100)),
        frames=(30, 70), partial=True),
    Row("half.ts", "half of an MPEG-TS file", from_film(cut_off(0.5), name="whole.ts",
        source=moving(frames=100)), frames=(30, 70)),
    Row("spoilt.mp4", "noise over a tenth of an MP4", from_film(spoilt, source=moving(frames=100)),
        frames=(80, 100), partial=True),
    Row("spoilt.ts", "noise over a tenth of an MPEG-TS", from_film(
        spoilt, name="whole.ts", source=moving(frames=100)), frames=(80, 100), partial=True),
    Row("spoilt.mkv", "noise over a tenth of a Matroska file", from_film(
        spoilt, "-g", "12", "-cluster_time_limit", "480", name="whole.mkv",
        source=moving(frames=100)), frames=(70, 100), partial=True),
    Row("really_mkv.mp4", "Matroska named .mp4", from_film(
        lambda whole, path: path.write_bytes(whole.read_bytes()), name="whole.mkv"),
        cut=24),
    Row("lying.mkv", "a duration of an hour that is not there", from_film(
        lambda whole, path: an_hour(whole, path), name="whole.mkv"), cut=24, seconds=1.92),
    Row("empty.mp4", "0 bytes", written(b""), refused="is empty"),
    Row("text.mp4", "a text file", written("just a text file\n" * 50),
        refused="not a film or sound"),
    Row("picture.mp4", "a still picture", lambda path: ffmpeg(
        *moving(frames=1), "-frames:v", "1", "-c:v", "png", "-f", "image2", path),
        refused="not a film or sound"),
)  # fmt: skip

LEADS_ELSEWHERE = (
    Row("hls.mp4", "an HLS playlist", lambda path: naming(
        path, "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{}\n#EXT-X-ENDLIST\n"),
        refused="is an HLS playlist"),
    Row("concat.mp4", "an ffconcat list", lambda path: naming(
        path, "ffconcat version 1.0\nfile {}\n"), refused="is an ffconcat list"),
    Row("sdp.mp4", "a session description", written(
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\n"
        "m=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n"), refused="session description"),
    Row("dash.mp4", "a DASH manifest", written(
        '<?xml version="1.0"?>\n<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static">'
        '<Period/></MPD>\n'), refused="is an XML file"),
    Row("dref.mov", "a QuickTime film whose pictures lie in another file", reference_movie,
        refused="No picture of"),
    Row("folder.mp4", "a folder", lambda path: path.mkdir(), refused="is a folder"),
    Row("pipe.mp4", "a pipe", lambda path: os.mkfifo(path), refused="is a pipe"),
    Row("socket.mp4", "a socket", a_socket, refused="is a socket"),
    Row("device.mp4", "a device", lambda path: path.symlink_to("/dev/zero"),
        refused="is a device"),
    Row("loop.mp4", "a link to itself", lambda path: path.symlink_to(path.name),
        refused="cannot be opened"),
    Row("gone.mp4", "no file", lambda path: None, refused="No such file"),
    Row("-i\n%03d.mp4", "a film whose name looks like an option and a pattern", film(), cut=24),
)  # fmt: skip

ROWS = (*RATES, *SHAPES, *CODECS, *CLOCKS, *STREAMS, *DAMAGE, *LEADS_ELSEWHERE)


def two_sizes(path: Path) -> None:
    """Join two MPEG-TS films of different sizes."""
    parts = []
    for size in ("160x90", "96x64"):
        part = path.parent / f"{size}.part"
        ffmpeg(*moving(size=size, frames=24), *X264, "-f", "mpegts", part)
        parts.append(part.read_bytes())
    path.write_bytes(b"".join(parts))


def an_hour(whole: Path, path: Path) -> None:
    """Make a Matroska file say that it lasts an hour (element 0x4489, eight bytes)."""
    content = bytearray(whole.read_bytes())
    place = content.index(b"\x44\x89\x88") + 3
    content[place : place + 8] = struct.pack(">d", 3_600_000.0)
    path.write_bytes(content)


def naming(path: Path, text: str) -> None:
    """Write a list that names a real film beside it."""
    beside = path.parent / "beside.ts"
    ffmpeg(*moving(frames=12), *X264, beside)
    path.write_text(text.format(beside.name))
