"""How far people agree on a label, beyond what chance would make them agree."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from indexer.probes.label import Label

Stretch = tuple[str, int, int]  # title_id, start_frame, end_frame


@dataclass(frozen=True)
class Agreement:
    """Two people on what both have seen."""

    one: str
    other: str
    num_both: int  # stretches that both answered
    share: float  # of these, on which they say the same
    kappa: float | None  # Cohen's, -1..1, 0 is chance; None where both always say one thing
    apart: tuple[Stretch, ...]  # on which they do not

    @property
    def told(self) -> str:
        """It, in a sentence."""
        beyond = "" if self.kappa is None else f", kappa {self.kappa:.2f}"
        one, other = (name or "somebody without a name" for name in (self.one, self.other))
        return f"{one} and {other} agree on {self.share:.0%} of {self.num_both} shots{beyond}."


def agreements(answers: Sequence[Label]) -> list[Agreement]:
    """Return how far each two people agree who have answered of the same stretches."""
    said: dict[str, dict[Stretch, bool]] = {}
    for one in answers:
        stretch = (one.title_id, one.start_frame, one.end_frame)
        said.setdefault(one.by, {})[stretch] = one.value > 0
    pairs = itertools.combinations(sorted(said), 2)
    return [_agreement(a, b, said[a], said[b]) for a, b in pairs if said[a].keys() & said[b].keys()]


def _agreement(
    one: str, other: str, first: dict[Stretch, bool], second: dict[Stretch, bool]
) -> Agreement:
    both = [stretch for stretch in first if stretch in second]
    apart = tuple(stretch for stretch in both if first[stretch] != second[stretch])
    share = 1 - len(apart) / len(both)
    yes = [sum(said[stretch] for stretch in both) / len(both) for said in (first, second)]
    by_chance = yes[0] * yes[1] + (1 - yes[0]) * (1 - yes[1])
    kappa = (share - by_chance) / (1 - by_chance) if by_chance < 1 else None
    return Agreement(one, other, len(both), share, kappa, apart)
