"""How a film's pictures follow one another: the exact rate, even or variable, from their times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from statistics import median
from typing import Literal, NamedTuple

Pace = Literal["even", "gaps", "uneven"]
"""Pictures at one rate throughout; at one rate, with leaps; or at no one rate."""

STANDARD_RATES = tuple(
    Fraction(*pair)
    for pair in (
        (12, 1), (25, 2), (15000, 1001), (15, 1), (24000, 1001), (24, 1), (25, 1), (30000, 1001),
        (30, 1), (48000, 1001), (48, 1), (50, 1), (60000, 1001), (60, 1), (96, 1), (100, 1),
        (120000, 1001), (120, 1),
    )
)  # fmt: skip
RATE_TOLERANCE = Fraction(2, 10_000)
"""A stated rate this near to a standard one is that; 24 and 24000/1001 differ by ten in 10,000."""
AVERAGE_TOLERANCE = Fraction(3, 1000)
"""The average of uneven pictures this near to a standard rate is that (25 and 24 differ by 40)."""
GUESS_TOLERANCE = Fraction(5, 1000)
"""What libavformat guesses from six pictures in milliseconds is this near to their rate."""
EVEN_SHARE = 0.9
"""This share of intervals alike: there is a rate, and what departs from it is an exception."""
SLACK_OF_PERIOD = 0.02
MAX_SLACK_OF_PERIOD = 0.25
"""How far a picture may stand from its place: a tick of the container's clock, or 2% of a period,
and never a quarter of it."""
ROUNDING_TICKS = 1.0 + 1e-6
"""Times written on a clock lie within half a tick either side of their true places."""
TRIES = 4
DEFAULT_RATE = Fraction(25)


@dataclass(frozen=True)
class Pacing:
    """The rate that frames are counted at, and how far the pictures keep to it."""

    rate: Fraction
    pace: Pace


class Fit(NamedTuple):
    """How the times of pictures fit a rate: the smaller, the better."""

    departures: int  # pictures that do not stand where the rate puts them
    is_loose: bool  # the others' places are not explained by the rounding of the clock


def pacing_of(
    times: Sequence[int], *, tick: Fraction, stated: Fraction | None, whole: Fraction | None
) -> Pacing:
    """Return the rate of pictures from the times of the first of them.

    `times` are in ticks of `tick` seconds, in order of presentation; `stated` is the container's
    rate, `whole` the number of frames over the duration where both are stated.

    Where nine intervals in ten are one period, the rate is that period's: the standard rate it
    fits without drift, so that milliseconds (Matroska) and rounded rates (2997/100) tell
    24000/1001 from 24 all the same. Else pictures are uneven, and the rate that exports conform
    to is their average: the nearest standard rate to it, or the average itself.

    In a file of a few pictures on a coarse clock several rates may fit. Then those are left that
    put every picture within the clock's rounding, of these the standard ones near what the
    container states; of 24 and 24000/1001 (30, 60 and theirs) the one next to that, or the whole
    number where no standard rate is stated: libavformat guesses ones like 287/12. What the times
    speak against is never taken for its roundness.
    """
    steps = [later - earlier for earlier, later in pairwise(times) if later > earlier]
    stated = stated or whole
    if len(steps) < 2:
        return Pacing(nearest_standard(stated or DEFAULT_RATE, RATE_TOLERANCE), "even")
    measured = 1 / (Fraction(median(steps)) * tick)
    average = stated or measured
    candidates = sorted(STANDARD_RATES, key=lambda rate: abs(rate / measured - 1))[:TRIES]
    candidates += [rate for rate in (stated, measured) if rate is not None]
    fits = {rate: _fit(times, period=1 / (rate * tick)) for rate in candidates}
    best = min(
        candidates,
        key=lambda rate: (
            fits[rate],
            not fits[rate].is_loose and _oddness(rate, stated=stated),
            abs(rate / average - 1),
        ),
    )
    departures = fits[best].departures
    if departures <= (1 - EVEN_SHARE) * len(steps):
        rate = nearest_standard(best, RATE_TOLERANCE)
        strays = whole is not None and abs(whole / rate - 1) > 1 / Fraction(100)
        return Pacing(rate, "gaps" if departures or strays else "even")
    return Pacing(nearest_standard(whole or average, AVERAGE_TOLERANCE), "uneven")


def nearest_standard(rate: Fraction, tolerance: Fraction) -> Fraction:
    """Return the standard rate within `tolerance` of a rate, else that rate as a plain fraction."""
    nearest = min(STANDARD_RATES, key=lambda standard: abs(rate / standard - 1))
    if abs(rate / nearest - 1) < tolerance:
        return nearest
    return Fraction(rate).limit_denominator(1001) or DEFAULT_RATE


def _is_standard(rate: Fraction) -> bool:
    return nearest_standard(rate, RATE_TOLERANCE) in STANDARD_RATES


def _oddness(rate: Fraction, *, stated: Fraction | None) -> int:
    """Rank a rate that fits: how little one would expect it where another fits as well."""
    if stated is not None and abs(rate / stated - 1) > GUESS_TOLERANCE:
        return 3
    if not _is_standard(rate):
        return 2
    is_told = stated is not None and _is_standard(stated)
    return int(not is_told and rate.denominator != 1)


def _fit(times: Sequence[int], *, period: Fraction) -> Fit:
    """Count the pictures that do not stand where a rate puts them; each begins a new count."""
    step = float(period)
    slack = min(max(1.0, SLACK_OF_PERIOD * step), MAX_SLACK_OF_PERIOD * step)
    departures, is_loose, origin, count, low, high = 0, False, times[0], 0, 0.0, 0.0
    for time in times[1:]:
        count += 1
        off = time - origin - count * step
        low, high = min(low, off), max(high, off)
        if abs(off) > slack:
            departures, origin, count, low, high = departures + 1, time, 0, 0.0, 0.0
        is_loose |= high - low > ROUNDING_TICKS
    return Fit(departures, is_loose)
