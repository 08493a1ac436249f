"""The rate of pictures told from their times, where clocks are coarse and files are short."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from odd_media import ffmpeg, moving

from indexer.media.pacing import pacing_of
from indexer.media.probe import probe

MS, MPEG = Fraction(1, 1000), Fraction(1, 90_000)
FILM, NTSC, NTSC_60 = Fraction(24000, 1001), Fraction(30000, 1001), Fraction(60000, 1001)
RATES = [FILM, Fraction(24), Fraction(25), NTSC, Fraction(30), Fraction(50), NTSC_60, Fraction(60),
         Fraction(120)]  # fmt: skip
TIMES_24 = [0, 42, 83, 125, 167]
"""24 pictures a second in milliseconds, rounded; 23.976 are written the same."""
DEFAULT_DURATION = bytes.fromhex("23e38384")
"""The element of a Matroska track in which it states its rate, with its length of four bytes."""
VOID = bytes.fromhex("ec86000000000000")


def times_at(rate: Fraction, count: int, *, tick: Fraction = MS) -> list[int]:
    return [round(number / (rate * tick)) for number in range(count)]


def rate_of(times: list[int], *, tick: Fraction = MS, stated: Fraction | None = None) -> Fraction:
    pacing = pacing_of(times, tick=tick, stated=stated, whole=None)
    assert pacing.pace == "even"
    return pacing.rate


@pytest.mark.parametrize("rate", RATES, ids=str)
@pytest.mark.parametrize("count", [120, 300])
def test_milliseconds_tell_the_rate_of_five_seconds(rate: Fraction, count: int) -> None:
    assert rate_of(times_at(rate, count)) == rate


@pytest.mark.parametrize("rate", RATES, ids=str)
def test_a_fine_clock_tells_the_rate_of_four_pictures(rate: Fraction) -> None:
    assert rate_of(times_at(rate, 4, tick=MPEG), tick=MPEG) == rate


def test_rates_that_cannot_be_told_apart_are_the_whole_number() -> None:
    assert times_at(Fraction(24), 5) == times_at(FILM, 5) == TIMES_24
    assert rate_of(TIMES_24) == 24
    for rate in (Fraction(30), Fraction(60)):
        for count in (3, 6, 12):
            assert rate_of(times_at(rate, count)) == rate


def test_a_whole_number_that_the_times_speak_against_is_not_taken() -> None:
    # After 48 pictures 23.976 is two milliseconds behind 24, and 59.94 less than one behind 60.
    assert rate_of(times_at(FILM, 48)) == FILM
    assert rate_of(times_at(NTSC, 48)) == NTSC
    assert rate_of(times_at(NTSC_60, 120)) == NTSC_60


@pytest.mark.parametrize("stated", [FILM, Fraction(2398, 100), Fraction(24)], ids=str)
def test_a_standard_rate_that_is_stated_decides_where_the_times_do_not(stated: Fraction) -> None:
    assert rate_of(TIMES_24, stated=stated) == (24 if stated == 24 else FILM)


def test_a_stated_rate_is_overruled_by_the_times() -> None:
    assert rate_of(times_at(FILM, 300), stated=Fraction(24)) == FILM
    assert rate_of(times_at(Fraction(25), 300), stated=Fraction(30)) == 25


def test_no_odd_rate_is_guessed_where_a_standard_one_fits() -> None:
    assert rate_of(TIMES_24, stated=Fraction(287, 12)) == 24
    assert rate_of(times_at(Fraction(18), 48), stated=Fraction(18)) == 18
    # Four pictures of an animation in hundredths of a second: 15 would fit as well.
    hundredth = Fraction(1, 100)
    assert rate_of([0, 7, 14, 21], tick=hundredth, stated=Fraction(100, 7)) == Fraction(100, 7)


@pytest.mark.parametrize("stated", [FILM, Fraction(24)], ids=str)
def test_pictures_that_tremble_keep_to_the_stated_rate(stated: Fraction) -> None:
    trembling = [3750 * number + 60 * (number % 2) for number in range(12)]
    assert rate_of(trembling, tick=MPEG, stated=stated) == stated


@pytest.mark.parametrize("rate", [FILM, Fraction(24)], ids=str)
def test_pictures_that_tremble_keep_to_their_usual_interval(rate: Fraction) -> None:
    places = times_at(rate, 13, tick=MPEG)
    trembling = [time + 20 * (number % 2) for number, time in enumerate(places)]
    assert rate_of(trembling, tick=MPEG) == rate


def test_a_hole_makes_no_other_rate() -> None:
    times = times_at(NTSC, 150)
    holed = times[:60] + [time + 60_000 for time in times[60:]]
    pacing = pacing_of(holed, tick=MS, stated=None, whole=None)
    assert (pacing.rate, pacing.pace) == (NTSC, "gaps")


def test_uneven_pictures_conform_to_their_average() -> None:
    times = [t for n, t in enumerate(times_at(Fraction(30), 120)) if n < 60 or n % 3 == 0]
    pacing = pacing_of(times, tick=MS, stated=Fraction(20), whole=None)
    assert (pacing.rate, pacing.pace) == (Fraction(20), "uneven")


def test_one_picture_has_the_stated_rate_or_25() -> None:
    assert rate_of([0], stated=Fraction(2997, 100)) == NTSC
    assert rate_of([0]) == rate_of([]) == 25


@pytest.mark.parametrize(
    ("rate", "count", "found"),
    [
        (FILM, 6, Fraction(24)),  # nothing tells them apart
        (Fraction(24), 6, Fraction(24)),
        (Fraction(30), 6, Fraction(30)),
        (FILM, 48, FILM),
        (NTSC, 48, NTSC),
        (Fraction(30), 48, Fraction(30)),
        (Fraction(18), 24, Fraction(18)),
    ],
)
def test_matroska_that_does_not_state_its_rate(
    tmp_path: Path, rate: Fraction, count: int, found: Fraction
) -> None:
    path = tmp_path / "film.mkv"
    ffmpeg(*moving(str(rate), size="32x32", frames=count), "-c:v", "ffv1", path)
    content = path.read_bytes()
    assert content.count(DEFAULT_DURATION) == 1
    place = content.index(DEFAULT_DURATION)
    path.write_bytes(content[:place] + VOID + content[place + len(VOID) :])
    picture = probe(path).picture
    assert picture
    assert (picture.rate, picture.pace) == (found, "even")
