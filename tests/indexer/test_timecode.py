from fractions import Fraction

import pytest

from indexer.media.timecode import Clock, frames_of, timecode_of, valid_timecode
from qdrant.errors import UsageError

NTSC_30, NTSC_60, FILM = Fraction(30000, 1001), Fraction(60000, 1001), Fraction(24000, 1001)


@pytest.mark.parametrize(
    ("frame", "timecode"),
    [
        (1799, "00:00:59;29"),
        (1800, "00:01:00;02"),  # two numbers are skipped at the first minute
        (3597, "00:01:59;29"),
        (3598, "00:02:00;02"),
        (17981, "00:09:59;29"),
        (17982, "00:10:00;00"),  # and none at the tenth
        (107892, "01:00:00;00"),
    ],
)
def test_drop_frame_at_29_97(frame: int, timecode: str) -> None:
    assert timecode_of(frame, rate=NTSC_30, drop_frame=True) == timecode
    assert frames_of(timecode, rate=NTSC_30) == frame


def test_drop_frame_at_59_94_skips_four() -> None:
    assert timecode_of(3599, rate=NTSC_60, drop_frame=True) == "00:00:59;59"
    assert timecode_of(3600, rate=NTSC_60, drop_frame=True) == "00:01:00;04"


def test_23_976_never_drops() -> None:
    assert timecode_of(24 * 3600, rate=FILM) == "01:00:00:00"


@pytest.mark.parametrize("rate", [FILM, Fraction(25), NTSC_30, Fraction(50), NTSC_60])
@pytest.mark.parametrize("drop_frame", [False, True])
def test_every_frame_has_one_timecode_and_comes_back(rate: Fraction, drop_frame: bool) -> None:
    drops = drop_frame and rate in (NTSC_30, NTSC_60)
    seen = set()
    for frame in (*range(20_000), *range(1_000_000, 1_001_000)):
        timecode = timecode_of(frame, rate=rate, drop_frame=drops)
        assert frames_of(timecode, rate=rate) == frame
        seen.add(timecode)
    assert len(seen) == 21_000


def test_a_title_counts_from_its_own_start_timecode() -> None:
    clock = Clock(Fraction(25), start_frame=frames_of("10:00:00:00", rate=Fraction(25)))
    assert clock.timecode(26) == "10:00:01:01"


@pytest.mark.parametrize("text", ["", "1:2:3", "00:00:61:00", "00:00:00:25", "aa:bb:cc:dd"])
def test_text_that_is_no_timecode_is_named(text: str) -> None:
    with pytest.raises(UsageError, match="no timecode"):
        frames_of(text, rate=Fraction(25))


def test_a_tag_is_a_timecode_or_none() -> None:
    assert valid_timecode(" 10:00:00:24 ", rate=Fraction(25)) == "10:00:00:24"
    assert valid_timecode("10:00:00:25", rate=Fraction(25)) is None
    assert valid_timecode("hello", rate=Fraction(25)) is None


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("00:01:00;00", NTSC_30),
        ("00:01:00;01", NTSC_30),
        ("23:59:00,01", NTSC_30),
        ("00:01:00;03", NTSC_60),
    ],
)
def test_numbers_that_drop_frame_skips_are_refused(text: str, rate: Fraction) -> None:
    with pytest.raises(UsageError, match=r"drop-frame, which skips the first [24] numbers"):
        frames_of(text, rate=rate)
    assert valid_timecode(text, rate=rate) is None


def test_the_number_to_use_instead_of_a_skipped_one_is_named() -> None:
    with pytest.raises(UsageError, match="begins with 10:01:00;02"):
        frames_of("10:01:00;00", rate=NTSC_30)


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("00:10:00;00", NTSC_30),  # nothing is skipped in a tenth minute
        ("00:01:00;02", NTSC_30),
        ("00:01:01;00", NTSC_30),
        ("00:01:00:00", NTSC_30),  # written without dropping
        ("00:01:00;04", NTSC_60),
    ],
)
def test_numbers_beside_the_skipped_ones_are_there(text: str, rate: Fraction) -> None:
    assert valid_timecode(text, rate=rate) == text
    assert timecode_of(frames_of(text, rate=rate), rate=rate, drop_frame=";" in text) == text


@pytest.mark.parametrize("text", ["24:00:00:00", "24:00:00;00", "99:59:59:24", "100:00:00:00"])
@pytest.mark.parametrize("rate", [Fraction(25), NTSC_30], ids=str)
def test_hours_above_23_are_refused(text: str, rate: Fraction) -> None:
    with pytest.raises(UsageError, match="no timecode at"):
        frames_of(text, rate=rate)
    assert valid_timecode(text, rate=rate) is None


def test_the_last_number_of_a_day_is_a_timecode() -> None:
    assert frames_of("23:59:59:24", rate=Fraction(25)) == 24 * 3600 * 25 - 1
    assert timecode_of(24 * 3600 * 25, rate=Fraction(25)) == "00:00:00:00"


@pytest.mark.parametrize(
    ("text", "rate", "spelt"),
    [
        ("01:00:00;00", Fraction(25), "01:00:00:00"),  # nothing drops at 25
        ("00:01:00;00", Fraction(25), "00:01:00:00"),
        ("01:00:00;00", FILM, "01:00:00:00"),
        ("01:00:00,10", NTSC_30, "01:00:00;10"),
        ("1:00:00:00", Fraction(25), "01:00:00:00"),
        ("00:01:00.02", NTSC_30, "00:01:00;02"),
        ("00:01:00.00", NTSC_30, None),
    ],
)
def test_a_tag_is_written_in_one_spelling(text: str, rate: Fraction, spelt: str | None) -> None:
    assert valid_timecode(text, rate=rate) == spelt


def test_a_clock_says_what_its_start_says() -> None:
    start = frames_of("00:00:59;28", rate=NTSC_30)
    clock = Clock(NTSC_30, drop_frame=True, start_frame=start)
    assert [clock.timecode(frame) for frame in range(4)] == [
        "00:00:59;28",
        "00:00:59;29",
        "00:01:00;02",
        "00:01:00;03",
    ]
