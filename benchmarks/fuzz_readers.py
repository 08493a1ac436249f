"""Damaged files given to the readers of subtitles, captions and media headers.

Valid seeds are damaged by chance, the same each time. A reader may give a result that makes sense
or raise a `TrimbinError`; a crash, another error, five seconds of the processor or a gigabyte is a
finding. Readers run in a child process, which a segmentation fault takes down alone.
Usage: fuzz_readers.py [--quick] [--keep FOLDER]
"""

from __future__ import annotations

import argparse
import faulthandler
import json
import math
import random
import re
import resource
import select
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import imageio_ffmpeg
from figures import report

from indexer.media.probe import probe
from indexer.words.captions import CaptionDecoder
from indexer.words.cues import Cue
from indexer.words.markup import NOT_WRITTEN
from indexer.words.subtitles import read_subtitles
from indexer.words.tracks import read_all, tracks_of
from qdrant.errors import TrimbinError

SEED = 20_261_124
SUBTITLES, QUICK_SUBTITLES = 40_000, 4_000
CAPTIONS, QUICK_CAPTIONS = 4_000, 400
MEDIA, QUICK_MEDIA = 12_000, 1_200
MOST_CPU_S = 5.0
MOST_WAIT_S = 30.0
"""A reader that neither answers nor works for so long is stuck."""
MOST_BYTES = 1_000_000_000
RUNAWAY_BYTES = 6 * 2**30
"""The child gets no more address space than this: the machine is not to suffer."""
ENDS_BYTES = 4096
"""Media are damaged in their first and last bytes mostly: there the headers are."""
AMPLIFIED_BYTES = 300_000

CUES = (
    ("1.00", "2.50", "Where is\nthe boat?"),
    ("3.00", "4.00", "ANN: [door slams] Run!"),
    ("4.00", "6.25", "- Salt &amp; bread\n- ♪ la la ♪"),
)  # seconds, seconds, text
SUBTITLE_SEEDS = {
    "srt": "\n".join(
        f"{number}\n00:00:0{start}0 --> 00:00:0{end}0\n<i>{text}</i>\n".replace(".", ",")
        for number, (start, end, text) in enumerate(CUES, 1)
    ),
    "vtt": "WEBVTT\nKind: captions\nLanguage: en\n\nSTYLE\n::cue { color: red }\n\nNOTE no\n\n"
    + "\n".join(
        f"id\n00:0{start}0 --> 00:0{end}0 align:start\n<v Ann>{text}<00:01.500>\n"
        for start, end, text in CUES
    ),
    "ass": "[Script Info]\nScriptType: v4.00+\nTimer: 100.0000\n\n[V4+ Styles]\n"
    "Format: Name, Fontname, Fontsize, PrimaryColour\nStyle: Default,Arial,20,&H00FFFFFF\n\n"
    "[Fonts]\nfontname: a.ttf\n!!!!\n\n[Events]\n"
    "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
    + "\n".join(
        f"Dialogue: 0,0:00:0{start},0:00:0{end},Default,Ann,0,0,0,,{{\\an8\\k20}}"
        + text.replace("\n", "\\N")
        + "{\\p1}m 0 0{\\p0}"
        for start, end, text in CUES
    ),
    "ttml": '<?xml version="1.0" encoding="UTF-8"?>\n<tt xmlns="http://www.w3.org/ns/ttml" '
    'xmlns:ttp="http://www.w3.org/ns/ttml#parameter" ttp:tickRate="10000000" '
    'xmlns:ttm="http://www.w3.org/ns/ttml#metadata" xml:lang="en" ttp:frameRate="30" '
    'ttp:frameRateMultiplier="1000 1001" ttp:timeBase="smpte" ttp:dropMode="dropNTSC"><head>'
    '<ttm:agent xml:id="a"><ttm:name>Ann</ttm:name></ttm:agent></head>'
    '<body><div begin="1s" timeContainer="seq">'
    + "".join(
        f'<p begin="00:00:0{start}" end="00:00:0{end}" ttm:agent="a">{text}</p>'
        '<p dur="24000000t" ttm:role="sound"><span begin="12f" end="00:00:01:12">x</span></p>'
        for start, end, text in CUES
    ).replace("\n", "<br/>")
    + "</div></body></tt>",
    "scc": "Scenarist_SCC V1.0\n\n"
    "00:00:01:00\t9420 9420 94f2 94f2 c8e5 ecec ef80 942f 942f\n\n00:00:03;00\t942c 942c\n\n"
    "00:00:04;00\t9425 9425 94ad 94ad 9470 9470 c8e5 ecec ef80\n\n"
    "00:00:05:10\t9429 9429 94f4 94f4 4c6f ef6b 942c 942c\n",
}
TOKENS = (
    "-->", "\n\n", "\x00", "\ufeff", "\u202b", "\x1c", "<v ", "<rt>", "{\\p1}", "{\\p9999999999}",
    "\\N", "&#xD800;", "&#xE000;", "&#99999999999999999999;", "<![CDATA[", "<tt ", "<span>",
    "<!DOCTYPE tt [<!ENTITY a 'b'>]>", "<div><p>", "[Events]\n", "Format: ", "Dialogue: 0,",
    "WEBVTT\n", "STYLE\n", "99:59:59,999", "0:00:00.00,", "00:00:00:00\t", "9420 ", "♪", "[", "(",
    "A: ", "- ", "{1}{2}", "begin='1e9999h' ", "end='999999999999h' ", "ttp:tickRate='0' ",
    "ttp:frameRateMultiplier='1 999999' ", "xml:id='a' ", "xmlns:ttm='' ", "nan", "inf", "\ud800",
)  # fmt: skip
NUMBERS = ("0", "-1", "9" * 3, "9" * 12, "9" * 20, "9" * 400, "9" * 5000, "1e999", "0x10", "\u0661",
           "\uff11", "\u00b2")  # fmt: skip
"""Small, huge, and digits of other scripts: Arabic-Indic, of full width, raised."""
ENCODINGS = ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-7", "utf-8-sig", "cp1251", "cp037",
             "shift_jis", "gb18030", "koi8_r", "iso2022_jp")  # fmt: skip

FIRST_TIMES_S = (0.0, 0.0, 0.0, 0.0, 0.0, -5.0, 3600.0, 999_999.0, 1e12, 9e15, 9e18)

PICTURES = ("-f", "lavfi", "-i", "testsrc2=size=64x48:rate=24:duration=1")
SOUND = ("-f", "lavfi", "-i", "sine=duration=1")
H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac")
VP8 = ("-c:v", "libvpx", "-c:a", "libopus")
MEDIA_SEEDS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "mp4": (("en.srt", "en.srt"), (*H264, "-c:s", "mov_text", "-metadata:s:s:0", "language=eng",
                                   "-timecode", "01:00:00:00")),
    "mkv": (("en.srt", "en.ass"), (*H264, "-c:s:0", "srt", "-c:s:1", "ass",
                                   "-metadata:s:s:1", "title=SDH")),
    "mov": (("en.scc",), (*H264, "-c:s", "copy")),
    "webm": (("en.vtt",), (*VP8, "-c:s", "webvtt")),
    "ts": ((), H264),
    "avi": ((), ("-c:v", "mpeg4", "-c:a", "libmp3lame")),
    "wav": ((), ("-vn",)),
}  # fmt: skip
"""Containers: the words inside, and ffmpeg's options."""


@dataclass(frozen=True)
class Input:
    """A damaged file, and what is to read it."""

    reader: str
    seed: int
    suffix: str
    content: bytes


# The readers, in a child process.


def check_cues(cues: Iterable[Cue]) -> None:
    """Raise `ValueError` for cues that cannot be."""
    before = (0.0, 0.0)
    for cue in cues:
        times = (cue.start_s, cue.end_s)
        if not (
            all(map(math.isfinite, times)) and 0 <= cue.start_s < cue.end_s and before <= times
        ):
            raise ValueError(f"a cue's times cannot be: {cue} after {before}")
        before = times
        for text in (cue.text, cue.speaker or "", *cue.sounds):
            text.encode()
            if "\n" in text or NOT_WRITTEN.search(text) or text != text.strip():
                raise ValueError(f"a cue's text is no line: {cue}")


def subtitles_read(path: Path) -> None:
    check_cues(read_subtitles(path))


def captions_read(path: Path) -> None:
    """Read frames of a time and a screenful of cc_data, a line each."""
    decoder = CaptionDecoder()
    for line in path.read_text(encoding="ascii").splitlines():
        time_s, _, data = line.partition(" ")
        decoder.see(float(time_s), bytes.fromhex(data))
    check_cues(decoder.cues())


def media_read(path: Path) -> None:
    """Read a film's header, its tracks and their words; the tracks are asked for in any case."""
    tracks = tracks_of(path, languages=("en", "no"))
    for _, cues, _ in read_all(tracks):
        check_cues(cues)
    media = probe(path)
    json.dumps(repr(media)).encode()
    numbers = (media.duration_s, media.start_s, media.expected_frames, float(media.rate))
    if not all(map(math.isfinite, numbers)) or media.rate <= 0 or media.expected_frames < 0:
        raise ValueError(f"a film's times cannot be: {numbers}")


READERS: dict[str, Callable[[Path], None]] = {
    "subtitles": subtitles_read, "captions": captions_read, "media": media_read,
}  # fmt: skip


def read_what_is_asked() -> None:
    """Answer each line of stdin, a reader and a path, with a line of JSON."""
    faulthandler.enable()
    resource.setrlimit(resource.RLIMIT_AS, (RUNAWAY_BYTES, RUNAWAY_BYTES))
    at_rest = peak_bytes()
    for line in sys.stdin:
        reader, path = json.loads(line)
        started_s = time.process_time()
        faulthandler.dump_traceback_later(MOST_WAIT_S - 1)
        outcome, told = "read", ""
        try:
            READERS[reader](Path(path))
        except TrimbinError as error:
            str(error).encode()
            outcome = "refused"
        except BaseException:
            outcome, told = "error", traceback.format_exc()
        faulthandler.cancel_dump_traceback_later()
        took_s, took_bytes = time.process_time() - started_s, peak_bytes() - at_rest
        if took_s > MOST_CPU_S:
            outcome, told = "slow", f"{took_s:.1f} s"
        if took_bytes > MOST_BYTES:
            outcome, told = "large", f"{took_bytes / 1e9:.2f} GB"
        print(json.dumps([outcome, told]), flush=True)


def peak_bytes() -> int:
    """Return the most memory this process has had resident."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


class Child:
    """The process that reads; another one after it has died or was stuck."""

    def __init__(self, folder: Path) -> None:
        self._path, self._log = folder / "input", folder / "log"
        self._process: subprocess.Popen[str] | None = None

    def read(self, given: Input) -> tuple[str, str]:
        """Return the outcome of an input, and what is to be told of it."""
        path = self._path.with_suffix(f".{given.suffix}")
        path.write_bytes(given.content)
        process = self._process = self._process or self._started()
        assert process.stdin and process.stdout
        process.stdin.write(json.dumps([given.reader, str(path)]) + "\n")
        process.stdin.flush()
        ready, _, _ = select.select([process.stdout], [], [], MOST_WAIT_S)
        line = process.stdout.readline() if ready else ""
        path.unlink()
        if line:
            outcome, told = json.loads(line)
            if outcome == "large":  # its peak would hide the next one
                self.end()
            return outcome, told
        self.end()
        log = self._log.read_text(encoding="utf-8", errors="replace")[-3000:]
        return (f"died ({process.returncode})" if ready else "stuck"), log

    def end(self) -> None:
        if self._process:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def _started(self) -> subprocess.Popen[str]:
        with self._log.open("w") as log:
            return subprocess.Popen([sys.executable, __file__, "--child"], text=True, stderr=log,
                                    stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # fmt: skip


# What is given to them.


def damaged_text(dice: random.Random, text: str, others: list[str]) -> bytes:
    """Damage a subtitle file as text, then perhaps as bytes."""
    for _ in range(dice.choice((0, 1, 1, 2, 3, 6))):
        at, end = sorted(dice.randrange(len(text) + 1) for _ in range(2))
        kind = dice.randrange(8)
        if kind == 0:
            text = text[:at] + dice.choice(TOKENS) + text[at:]
        elif kind == 1:
            text = text[:at] + text[end:]
        elif kind == 2:
            text = text[:end] + text[at:]
        elif kind == 3:
            other = dice.choice(others)
            text = text[:at] + other[dice.randrange(len(other)) :]
        elif kind == 4:
            text = (
                text[:at]
                + chr(dice.choice((dice.randrange(128), dice.randrange(0x3000))))
                + text[at + 1 :]
            )
        elif kind == 5:
            text = damaged_number(dice, text)
        elif kind == 6:
            text = text[:at]
        elif dice.random() < 0.3:
            what = dice.choice((dice.choice(TOKENS), text[at:end][:200], text[at : at + 3]))
            text = text[:at] + what * (AMPLIFIED_BYTES // max(1, len(what))) + text[at:]
    encoding = dice.choice(ENCODINGS) if dice.random() < 0.2 else "utf-8"
    content = text.encode(encoding, "replace" if encoding != "utf-8" else "surrogatepass")
    return damaged_bytes(dice, content, len(content)) if dice.random() < 0.4 else content


def damaged_number(dice: random.Random, text: str) -> str:
    numbers = list(re.finditer(r"\d+", text))
    if not numbers:
        return text
    number = dice.choice(numbers)
    return text[: number.start()] + dice.choice(NUMBERS) + text[number.end() :]


def damaged_bytes(dice: random.Random, content: bytes, ends: int) -> bytes:
    """Damage bytes within the first and last `ends` mostly."""
    found = bytearray(content)
    for _ in range(dice.choice((1, 1, 2, 4, 16))):
        if not found:
            break
        near = dice.randrange(min(ends, len(found)))
        at = (
            dice.choice((near, len(found) - 1 - near))
            if dice.random() < 0.9
            else dice.randrange(len(found))
        )
        length = min(dice.choice((1, 2, 4, 8, 64)), len(found) - at)
        kind = dice.randrange(7)
        if kind == 0:
            found[at] ^= 1 << dice.randrange(8)
        elif kind == 1:
            found[at : at + length] = dice.randbytes(length)
        elif kind == 2:
            found[at : at + length] = dice.choice((b"\x00", b"\xff", b"\x7f", b"\x80")) * length
        elif kind == 3:
            del found[at : at + length]
        elif kind == 4:
            found[at:at] = found[at : at + length] * dice.choice((1, 1, 30))
        elif kind == 5:
            there = dice.randrange(min(ends, len(found)))
            found[at : at + length] = found[there : there + length]
        elif dice.random() < 0.3:
            del found[at:]
    return bytes(found)


def frames_of_captions(dice: random.Random) -> bytes:
    """Return frames of cc_data: noise, or commands and letters with and without their parity."""
    lines, time_s = [], dice.choice(FIRST_TIMES_S)
    for _ in range(dice.choice((0, 3, 100, 400))):
        time_s += dice.choice((1 / 30, 1 / 30, 0.0, -1.0, 10.0, 1e-9))
        data = dice.randbytes(dice.randrange(90))
        if dice.random() < 0.8:
            data = b"".join(pair_of_captions(dice) for _ in range(dice.randrange(4)))
        lines.append(f"{time_s!r} {data.hex()}")
    return "\n".join(lines).encode()


def pair_of_captions(dice: random.Random) -> bytes:
    """Return a command to the screen, a place on it, any control code, or two letters."""
    first, second = dice.choice(
        (
            (0x14, dice.randrange(0x20, 0x30)),
            (0x14, dice.randrange(0x40, 0x80)),
            (dice.randrange(0x10, 0x20), dice.randrange(128)),
            (dice.randrange(0x20, 128), dice.randrange(0x20, 128)),
        )
    )
    odd = [byte if byte.bit_count() % 2 else byte | 0x80 for byte in (first, second)]
    marker = dice.choice((0xFC, 0xFC, 0xFC, 0xFD, 0xF8))
    return bytes([marker, odd[0], odd[1] ^ (dice.random() < 0.05)])


def make_media(folder: Path) -> dict[str, bytes]:
    """Make a film a second long for each container."""
    for suffix, text in SUBTITLE_SEEDS.items():
        (folder / f"en.{suffix}").write_text(text, encoding="utf-8")
    found = {}
    for suffix, (words, options) in MEDIA_SEEDS.items():
        inputs = [part for name in words for part in ("-i", name)]
        maps = [part for number in range(len(words) + 2) for part in ("-map", str(number))]
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *PICTURES, *SOUND, *inputs,
                   *maps, *options, "-threads", "1", "-fflags", "+bitexact", "-flags", "+bitexact",
                   f"seed.{suffix}"]  # fmt: skip
        subprocess.run(command, check=True, cwd=folder, timeout=60, stdin=subprocess.DEVNULL)
        found[suffix] = (folder / f"seed.{suffix}").read_bytes()
    return found


def inputs(folder: Path, *, quick: bool) -> Iterator[Input]:
    """Yield the undamaged seeds, then what chance makes of them; an input's seed makes it again."""
    media = make_media(folder)
    texts = list(SUBTITLE_SEEDS.values())
    for suffix, text in SUBTITLE_SEEDS.items():
        yield Input("subtitles", 0, suffix, text.encode())
    for number in range(QUICK_SUBTITLES if quick else SUBTITLES):
        dice = random.Random(SEED + number)
        suffix, text = dice.choice(list(SUBTITLE_SEEDS.items()))
        yield Input("subtitles", SEED + number, suffix, damaged_text(dice, text, texts))
    for number in range(QUICK_CAPTIONS if quick else CAPTIONS):
        yield Input(
            "captions", SEED + number, "a53", frames_of_captions(random.Random(SEED + number))
        )
    for suffix, film in media.items():
        yield Input("media", 0, suffix, film)
    for number in range(QUICK_MEDIA if quick else MEDIA):
        dice = random.Random(SEED + number)
        suffix, film = dice.choice(list(media.items()))
        yield Input("media", SEED + number, suffix, damaged_bytes(dice, film, ENDS_BYTES))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--keep", type=Path, help="a folder for the inputs that led to findings")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        read_what_is_asked()
        return
    read, outcomes, findings = Counter[str](), Counter[str](), 0
    with tempfile.TemporaryDirectory(prefix="trimbin-bench-") as name:
        child = Child(Path(name))
        for given in inputs(Path(name), quick=options.quick):
            outcome, told = child.read(given)
            read[given.reader] += 1
            outcomes[outcome] += 1
            if outcome in ("read", "refused") and (given.seed or outcome == "read"):
                continue
            findings += 1
            print(
                f"{given.reader} .{given.suffix} seed {given.seed}: {outcome}\n{told}",
                file=sys.stderr,
            )
            if options.keep:
                options.keep.mkdir(parents=True, exist_ok=True)
                kept = options.keep / f"{given.reader}-{given.seed}.{given.suffix}"
                kept.write_bytes(given.content)
        child.end()
    print(dict(read), dict(outcomes), file=sys.stderr)
    figures = {
        "inputs": {"value": read.total(), "target": None, "ok": True},
        "findings": {"value": findings, "target": 0, "ok": findings == 0},
    }
    report("fuzz_readers", figures)


if __name__ == "__main__":
    main()
