"""Whether vectors are of the very shots they are filed under: no labels are needed for that.

A context vector is two halves: the shot's own fused vector, and what the others let one expect of
it. The own half must be the shot's fused vector, and nearer to it than to its neighbours'. The
other half is made of the neighbours and may well be nearer to them; so it is made once more, by the
version's own model, and must be nearer to what comes out for that shot than for the next or the one
before. What the encoders made is laid beside the version in use: which shots are like which others
must agree best where the two are not shifted against each other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.assembly import title_sequence
from indexer.encoders.protocol import Vectors, unit
from indexer.library import Library
from indexer.manifest import Manifest
from indexer.probes.rows import shot_vectors
from indexer.progress import Progress
from indexer.versions.gate import Finding
from indexer.workbench import load_vectors
from qdrant.schema import CONTEXT

TITLES_READ_AGAIN = 6
"""Whose context is made once more: some seconds each for a long film."""
TITLES_COMPARED = 12
SHOTS_COMPARED = 256
"""Of a title: each with each other."""
FEWEST_SHOTS = 8
"""Fewer tell nothing of a shift."""
SHIFTS = (-1, 0, 1)
ALIKE = 0.99
"""Mean cosine between what is stored and what it must be; rounding costs less than .001."""
SLACK = 1e-4
"""By as much a neighbour may be nearer: shots of one setup are all but the same."""
MOST_ELSEWHERE = 0.1
"""Share of the shots that may lie nearer to a neighbour's."""
SHIFT_GAIN = 0.01
"""By as much better, in correlation, two versions must agree when shifted to be called shifted."""
LEAST_AGREEMENT = 0.2
"""A correlation: encoders that agree on less have too little in common to tell a shift."""
MOST_TITLES = 0.75
"""Share of the titles in which they must agree better."""


@dataclass(frozen=True)
class Beside:
    """How near vectors lie to those they should be, and to those of the neighbours."""

    cosine: float  # mean, -1..1
    moved: float  # the same to the shots before or after, whichever are nearer
    elsewhere: float  # share of the shots nearer to a neighbour's


def shots_are_in_step(
    version: Library, in_use: Library, *, progress: Progress
) -> Iterator[Finding]:
    """Fail for context that is of other shots or vectors, and encoders off by a shot."""
    trouble = [*_context_trouble(version, progress), *_shifted(version, in_use, progress)]
    yield from (Finding("shots", "fail", sentence) for sentence in trouble)
    compared = [m for m in version.in_use() if m.num_shots >= FEWEST_SHOTS]
    if not trouble and compared:
        yield Finding("shots", "ok", "Vectors lie nearest to their own shots.")


def beside(ours: Vectors, theirs: Vectors, filled: NDArray[np.bool_]) -> Beside:
    """Return how near a title's vectors lie to others of the same shots: (num_shots, dim) each."""
    near = np.full((len(SHIFTS), len(ours)), -np.inf)
    ours, theirs = unit(ours), unit(theirs)
    shots = np.arange(len(ours))
    for place, shift in enumerate(SHIFTS):
        other = shots + shift
        told = (other >= 0) & (other < len(ours))
        told[told] &= filled[other[told]]
        near[place, told] = np.sum(ours[told] * theirs[other[told]], axis=1)
    own = near[SHIFTS.index(0), filled]
    sides = [near[SHIFTS.index(shift), filled] for shift in (-1, 1)]
    return Beside(
        cosine=float(own.mean()),
        moved=max(float(side[np.isfinite(side)].mean()) for side in sides),
        elsewhere=float((np.maximum(*sides) > own + SLACK).mean()),
    )


def _context_trouble(version: Library, progress: Progress) -> Iterator[str]:
    """Say which titles' context is not what their vectors and the version's model make of them."""
    if version.checkpoint_id() is None:
        return
    from indexer.context.reader import load_reader
    from indexer.context.vectors import expected

    model = load_reader(version.context_folder).model
    titles = [m for m in version.in_use() if m.num_shots >= FEWEST_SHOTS and CONTEXT in m.spaces]
    read_again = {m.title_id for m in _spread(titles, TITLES_READ_AGAIN)}
    for number, manifest in enumerate(titles):
        progress("Looking at context", number, len(titles))
        stored = load_vectors(version.folder(manifest.title_id) / manifest.spaces[CONTEXT])["shots"]
        sequence = title_sequence(
            version, manifest.title_id, manifest.spaces, num_shots=manifest.num_shots
        )
        if sequence.filled.sum() < FEWEST_SHOTS:
            continue
        own, awaited = np.split(stored, 2, axis=1)
        found = {"the shots themselves": beside(own, sequence.fused, sequence.filled)}
        if manifest.title_id in read_again:
            made = expected(model, sequence)
            found["what is expected of them"] = beside(awaited, made, sequence.filled)
        for half, told in found.items():
            if told.moved >= max(ALIKE, told.cosine) and told.elsewhere > MOST_ELSEWHERE:
                yield (
                    f"{manifest.title}: of {half} in context, {told.elsewhere:.0%} lie nearer to a "
                    "neighbouring shot: it is off by a shot."
                )
            elif told.cosine < ALIKE:
                yield (
                    f"{manifest.title}: {half} in context are not those of its vectors (mean "
                    f"cosine {told.cosine:.3f}): it was made of others."
                )
    progress("Looking at context", len(titles), len(titles))


def _shifted(version: Library, in_use: Library, progress: Progress) -> Iterator[str]:
    """Say which encoders' vectors agree better with those in use when moved by a shot."""
    if version.beside == in_use.beside:
        return
    known = {m.title_id: m for m in in_use.in_use()}
    both = [
        m for m in version.in_use()
        if m.num_shots >= FEWEST_SHOTS
        and m.title_id in known and known[m.title_id].num_shots == m.num_shots
    ]  # fmt: skip
    chosen = _spread(both, TITLES_COMPARED)
    for space in version.profile.dims:
        if space not in in_use.profile.dims:
            continue
        progress(f"Comparing {space}", 0, 1)
        found = [
            agreement
            for m in chosen
            if (agreement := _agreement(
                shot_vectors(in_use, known[m.title_id], space),  # type: ignore[arg-type]
                shot_vectors(version, m, space),  # type: ignore[arg-type]
            ))
        ]  # fmt: skip
        progress(f"Comparing {space}", 1, 1)
        if not found:
            continue
        agreements = np.array(found)  # (num_titles, num_shifts)
        gains = agreements - agreements[:, [SHIFTS.index(0)]]
        best = int(np.argmax(gains.mean(axis=0)))
        is_clear = agreements[:, best].mean() > LEAST_AGREEMENT
        is_better = gains[:, best].mean() > SHIFT_GAIN
        if is_clear and is_better and (gains[:, best] > 0).mean() >= MOST_TITLES:
            yield (
                f"{space}: likeness between shots agrees with the version in use better when moved "
                f"by a shot (correlation {agreements[:, best].mean():.2f}, in place "
                f"{agreements[:, SHIFTS.index(0)].mean():.2f}): it is off by a shot."
            )


def _agreement(ours: Vectors, theirs: Vectors) -> tuple[float, ...] | None:
    """Return the correlation of two versions' likenesses between a title's shots, by shift.

    None where too few shots have both, or all are alike.
    """
    ours, theirs = ours[:SHOTS_COMPARED], theirs[:SHOTS_COMPARED]
    found = []
    for shift in SHIFTS:
        shots = np.arange(max(0, -shift), len(ours) - max(0, shift))
        both = shots[ours[shots].any(axis=1) & theirs[shots + shift].any(axis=1)]
        if len(both) < FEWEST_SHOTS:
            return None
        pairs = np.triu_indices(len(both), 1)
        likeness = [(rows @ rows.T)[pairs] for rows in (ours[both], theirs[both + shift])]
        if min(values.std() for values in likeness) < SLACK:
            return None
        found.append(float(np.corrcoef(likeness[0], likeness[1])[0, 1]))
    return tuple(found)


def _spread(titles: list[Manifest], most: int) -> list[Manifest]:
    """Return at most so many titles, from all over the list."""
    places = np.unique(np.linspace(0, len(titles) - 1, min(most, len(titles))).astype(int))
    return [titles[place] for place in places]
