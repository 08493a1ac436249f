"""Captions made by hand: bytes from the tables of CTA-608-E."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import av
import imageio_ffmpeg
import pytest
from av.sidedata.sidedata import Type

from indexer.words.captions import CaptionDecoder
from indexer.words.cues import Cue
from indexer.words.scenarist import read_scc

FRAME_S = 1 / 30
LOAD, ROLL_UP_2, DIRECT, ERASE, NEW_LINE, SHOW = 0x20, 0x25, 0x29, 0x2C, 0x2D, 0x2F
ROW_14, ROW_15 = 0x50, 0x70
FIRST_FIELD, SECOND_FIELD = 0xFC, 0xFD
FIRST_CHANNEL, SECOND_CHANNEL = 0x14, 0x1C
ELSE = b"\xf8\x80\x80\xfe\x41\x42\xfa\x00\x00"
"""Padding that is not valid, and two pairs of EIA-708: they say nothing here."""


def odd(byte: int) -> int:
    return byte if byte.bit_count() % 2 else byte | 0x80


def pair(first: int, second: int, *, field: int = FIRST_FIELD) -> bytes:
    return bytes([field, odd(first), odd(second)])


def commands(*codes: int, channel: int = FIRST_CHANNEL) -> list[bytes]:
    return [pair(channel, code) for code in codes for _ in range(2)]  # each is sent twice


def typed(text: str) -> list[bytes]:
    content = text.encode("ascii") + b"\x00" * (len(text) % 2)
    return [pair(content[at], content[at + 1]) for at in range(0, len(content), 2)]


def sent(decoder: CaptionDecoder, start_s: float, pairs: list[bytes]) -> float:
    """Send a pair a frame; return the time of the frame after."""
    for number, each in enumerate(pairs):
        decoder.see(start_s + number * FRAME_S, ELSE + each)
    return start_s + len(pairs) * FRAME_S


def pop_on(*lines: str, channel: int = FIRST_CHANNEL) -> list[bytes]:
    pairs = commands(LOAD, channel=channel)
    for row, line in zip((ROW_14, ROW_15), lines, strict=False):
        pairs += commands(row, channel=channel) + typed(line)
    return pairs + commands(SHOW, channel=channel)


def close(seconds: float) -> float:
    return pytest.approx(seconds, abs=2 * FRAME_S)  # type: ignore[no-any-return]


def test_a_caption_popped_on_stands_from_its_showing_to_its_erasure() -> None:
    decoder = CaptionDecoder()
    shown_s = sent(decoder, 1.0, pop_on("JOHN: Hello,", "world."))
    sent(decoder, 3.0, commands(ERASE))
    (cue,) = decoder.cues()
    assert cue == Cue(close(shown_s), close(3.0), "Hello, world.", "JOHN")


def test_the_same_words_popped_on_again_are_said_again() -> None:
    decoder = CaptionDecoder()
    sent(decoder, 1.0, pop_on("No."))
    sent(decoder, 3.0, pop_on("No."))
    decoder.see(5.0, ELSE)
    assert [(c.text, c.start_s, c.end_s) for c in decoder.cues()] == [
        ("No.", close(1.26), close(3.26)), ("No.", close(3.26), close(5.04)),
    ]  # fmt: skip


def test_lines_that_roll_up_come_once() -> None:
    decoder = CaptionDecoder()
    for second, line in enumerate(["one", "two", "three", "three", "four"]):
        sent(decoder, float(second), commands(ROLL_UP_2, NEW_LINE, ROW_15) + typed(line))
    sent(decoder, 6.0, commands(ERASE))
    cues = decoder.cues()
    assert [cue.text for cue in cues] == ["one", "two", "three", "three", "four"]
    assert [round(cue.end_s) for cue in cues] == [1, 2, 3, 4, 6]


def test_painted_captions_follow_one_another_though_nothing_is_erased() -> None:
    decoder = CaptionDecoder()
    sent(decoder, 1.0, commands(DIRECT, ROW_15) + typed("one"))
    sent(decoder, 2.0, commands(DIRECT, ROW_14) + typed("[door slams]"))
    assert [(c.text, c.sounds, round(c.start_s)) for c in decoder.cues()] == [
        ("one", (), 1), ("", ("door slams",), 2),
    ]  # fmt: skip


def test_only_the_first_service_is_read() -> None:
    decoder = CaptionDecoder()
    sent(decoder, 1.0, pop_on("Hello."))
    sent(decoder, 2.0, pop_on("Hola.", channel=SECOND_CHANNEL))
    for number, each in enumerate(pop_on("Data.")):
        decoder.see(3.0 + number * FRAME_S, bytes([SECOND_FIELD]) + each[1:])
    assert [cue.text for cue in decoder.cues()] == ["Hello."]


def test_frames_may_be_seen_in_any_order() -> None:
    seen = list(enumerate(pop_on("Hello, there.") + commands(ERASE)))
    forwards, backwards = CaptionDecoder(), CaptionDecoder()
    for number, each in seen:
        forwards.see(number * FRAME_S, each)
    for number, each in reversed(seen):
        backwards.see(number * FRAME_S, each)
    assert forwards.cues() == backwards.cues() != ()


def test_damaged_pairs_are_passed_over() -> None:
    decoder = CaptionDecoder()
    sent(decoder, 1.0, [b"\xfc\x14", b"\xfc\x00\x01", b"\xff\xff\xff", *pop_on("Hello.")])
    assert [cue.text for cue in decoder.cues()] == ["Hello."]


def test_a_film_without_captions_has_none() -> None:
    decoder = CaptionDecoder()
    decoder.see(1.0, ELSE)
    assert decoder.cues() == ()


SCC = (
    "Scenarist_SCC V1.0\n\n"
    "00:00:01:00\t9420 9420 94f2 94f2 c8e5 ecec ef80 942f 942f\n\n"
    "00:00:03:00\t942c 942c\n"
)


def test_a_scenarist_file_is_read_by_its_timecode() -> None:
    # Seven pairs of a frame each come before the caption is shown.
    start_s, end_s = (30 + 7) * 1001 / 30000, 90 * 1001 / 30000
    (cue,) = read_scc(SCC)
    assert cue.text == "Hello"
    assert (cue.start_s, cue.end_s) == pytest.approx((start_s, end_s), abs=1e-3)


def test_drop_frame_is_told_by_the_semicolon() -> None:
    at_ten = SCC.replace("00:00:01:00", "00:10:00;00").replace("00:00:03:00", "00:10:02;00")
    (cue,) = read_scc(at_ten)
    assert cue.start_s == pytest.approx((17982 + 7) * 1001 / 30000, abs=1e-3)


def h264_with_captions(folder: Path, captions: dict[int, bytes]) -> Path:
    """Make a film of 60 frames with A/53 captions in its H.264, as broadcasters send it."""
    ffmpeg = imageio_ffmpeg.get_ffmpeg_exe()
    plain, captioned, film = folder / "plain.h264", folder / "cc.h264", folder / "film.mp4"
    run = [ffmpeg, "-v", "error", "-f", "lavfi", "-i", "testsrc=s=64x64:r=30:d=2", "-bf", "0",
           "-x264-params", "slices=1:threads=1:aud=0", "-pix_fmt", "yuv420p", plain]  # fmt: skip
    subprocess.run(run, check=True)
    captioned.write_bytes(b"".join(with_sei(plain.read_bytes(), captions)))
    wrap = [ffmpeg, "-v", "error", "-r", "30", "-i", captioned, "-c", "copy", film]
    subprocess.run(wrap, check=True)
    return film


def with_sei(stream: bytes, captions: dict[int, bytes]) -> Iterator[bytes]:
    """Put an SEI message (ITU-T T.35, ATSC, GA94, cc_data) before each frame that has captions."""
    frame = 0
    for unit in stream.split(b"\x00\x00\x01")[1:]:
        if unit[0] & 0x1F in (1, 5):  # a slice: one a frame
            if cc_data := captions.get(frame):
                count = len(cc_data) // 3
                payload = b"\xb5\x00\x31GA94\x03" + bytes([0xC0 | count, 0xFF]) + cc_data + b"\xff"
                yield b"\x00\x00\x01\x06" + bytes([4, len(payload)]) + payload + b"\x80"
            frame += 1
        yield b"\x00\x00\x01" + unit.rstrip(b"\x00")


def test_captions_in_a_films_pictures_are_read_from_its_frames(tmp_path: Path) -> None:
    pairs = pop_on("HELLO, WORLD.") + [b"\xfc\x80\x80"] * 10 + commands(ERASE)
    film = h264_with_captions(tmp_path, dict(enumerate(pairs)))
    decoder = CaptionDecoder()
    with av.open(str(film)) as container:
        for frame in container.decode(video=0):
            if data := frame.side_data.get(Type.A53_CC):
                decoder.see(frame.time, bytes(data))
    (cue,) = decoder.cues()
    shown, erased = len(pop_on("HELLO, WORLD.")) - 2, len(pairs) - 2
    assert cue == Cue(close(shown * FRAME_S), close(erased * FRAME_S), "HELLO, WORLD.")
