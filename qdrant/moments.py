"""Neighbouring shots that match together become one moment. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from qdrant.ranking import WORDS, ScoredShot

JOIN_FRACTION = 0.75
"""A neighbour joins a moment when it scores at least this much of the moment's best shot."""

ENDS = (".", "!", "?", "…", "\u3002", "\uff01", "\uff1f", "\u0964", "\u061f")
CLOSING = " \"'\u201d\u2019\xbb)]\u266a"
"""What may stand after the end of a sentence."""

MAX_MOMENT_S = 30.0
"""A moment grows no longer than this: what an editor watches before deciding. A single shot may."""


@dataclass(frozen=True)
class Moment:
    """One shot, or neighbours that match together: `[first, end)` in shot numbers."""

    title_id: str
    first: int
    end: int
    score: float  # its best shot's
    shares: Mapping[str, float]  # its best shot's
    shots: tuple[ScoredShot, ...]  # in the order of the film
    best: ScoredShot
    steps: tuple[ScoredShot, ...] = ()  # where one thing is to follow another: a shot each
    repeats: int = 0  # how many found moments show the same picture again


def merge_neighbours(
    shots: Iterable[ScoredShot],
    *,
    join_fraction: float = JOIN_FRACTION,
    max_length_s: float = MAX_MOMENT_S,
) -> list[Moment]:
    """Return moments, best first, ties by title and shot; every shot that scores is in exactly one.

    The best shot that is still free begins a moment, which takes in its better neighbour again
    and again until that one scores below `join_fraction` of the best, belongs to another moment
    or would make it longer than `max_length_s` (by the payload's `start_s` and `end_s`; a shot
    without these stands alone). One that was found by its words then goes on to where the
    sentence begins and ends, if those shots are here, whatever they score.
    """
    ranked = sorted(shots, key=lambda shot: (-shot.score, shot.title_id, shot.shot))
    free = {(shot.title_id, shot.shot): shot for shot in ranked}
    moments = []
    for best in ranked:
        if best.score > 0 and (best.title_id, best.shot) in free:
            moments.append(_grow(best, free, best.score * join_fraction, max_length_s))
    return moments


def _grow(
    best: ScoredShot,
    free: dict[tuple[str, int], ScoredShot],
    least_score: float,
    max_length_s: float,
) -> Moment:
    """Take a moment's shots out of `free`, the best one and those around it."""
    members = [free.pop((best.title_id, best.shot))]
    while True:
        ends = (members[0].shot - 1, members[-1].shot + 1)
        around = [free[best.title_id, shot] for shot in ends if (best.title_id, shot) in free]
        joining = [
            shot
            for shot in around
            if shot.score >= least_score
            and _length_s(min(members[0], shot, key=_number), max(members[-1], shot, key=_number))
            <= max_length_s
        ]
        if not joining:
            break
        chosen = max(joining, key=lambda shot: (shot.score, -shot.shot))
        members.append(free.pop((chosen.title_id, chosen.shot)))
        members.sort(key=_number)
    if any(best.shares.get(space) for space in WORDS):
        _finish_sentences(members, free, max_length_s)
    return Moment(
        title_id=best.title_id,
        first=members[0].shot,
        end=members[-1].shot + 1,
        score=best.score,
        shares=best.shares,
        shots=tuple(members),
        best=best,
    )


def _finish_sentences(
    members: list[ScoredShot], free: dict[tuple[str, int], ScoredShot], max_length_s: float
) -> None:
    """Take in the shots in which the first sentence begins and the last one ends."""
    title_id = members[0].title_id
    while (before := free.get((title_id, members[0].shot - 1))) and _goes_on(before, members[0]):
        if _length_s(before, members[-1]) > max_length_s:
            break
        members.insert(0, free.pop((title_id, before.shot)))
    while (after := free.get((title_id, members[-1].shot + 1))) and _goes_on(members[-1], after):
        if _length_s(members[0], after) > max_length_s:
            break
        members.append(free.pop((title_id, after.shot)))


def _goes_on(earlier: ScoredShot, later: ScoredShot) -> bool:
    """Whether a sentence goes on from one shot into the next.

    A cue that lasts over the cut is told in both; or the last one ends without a full stop and the
    next begins without a capital.
    """
    said, after = (
        str(shot.hit.payload.get("dialogue") or "").splitlines() for shot in (earlier, later)
    )
    if not said or not after:
        return False
    ends = said[-1].rstrip(CLOSING).endswith(ENDS)
    return said[-1] == after[0] or (not ends and after[0][:1].islower())


def _number(shot: ScoredShot) -> int:
    return shot.shot


def _length_s(first: ScoredShot, last: ScoredShot) -> float:
    start_s, end_s = first.hit.payload.get("start_s"), last.hit.payload.get("end_s")
    if start_s is None or end_s is None:
        return float("inf")
    return float(end_s) - float(start_s)
