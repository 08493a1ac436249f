"""Clip-worthy moments: a title's best few, unlike one another, that last so long together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from app.promotion.passage import Passage, passage_of
from app.shortlist import Pick, Shortlists
from indexer.library import Library
from indexer.manifest import Manifest
from indexer.probes.rows import Row, shot_vectors
from indexer.promotion.fitting import Shots, Stretch, best_stretches
from indexer.promotion.worth import By, Worth, worth_of
from qdrant.errors import InputError, UsageError
from qdrant.schema import CONTEXT

COUNT, LENGTH_S = 6, 30.0
BEFORE = 0.8
"""The first part of a title that moments come from, unless told otherwise: no ending is told."""
MOST = 100
"""Moments at most."""
LEAST_S = 0.5
"""Seconds that a moment lasts at least, in the mean: less is a flicker."""
HOW: Mapping[By, str] = {
    "probe": "a probe that your labels taught",
    "measures": "what stands out: nobody has labelled clips for this library",
}
NAMED = 2
"""How many of a moment's measures its note names."""


@dataclass(frozen=True)
class WorthShowing:
    """A moment worth showing, and in what it stands out."""

    passage: Passage
    worth: float  # 0..1, comparable within the title
    why: Mapping[str, float]  # measure -> rank in the title 0..1, what counts most first
    best_shot: int  # whose picture stands for it

    @property
    def told(self) -> str:
        """In what it stands out most."""
        return ", ".join(f"{name} {rank:.0%}" for name, rank in [*self.why.items()][:NAMED])


@dataclass(frozen=True)
class Moments:
    """What a title has that is worth showing."""

    found: tuple[WorthShowing, ...]  # best first
    by: By
    seconds: float  # in all
    notes: tuple[str, ...]

    def to_json(self) -> Mapping[str, Any]:
        """Return it as the documented JSON."""
        rows = [
            {**asdict(one.passage), "worth": round(one.worth, 4), "why": one.why}
            for one in self.found
        ]
        return {"moments": rows, "by": self.by, "seconds": self.seconds, "notes": self.notes}


def moments_of(
    library: Library,
    manifest: Manifest,
    *,
    count: int = COUNT,
    length_s: float = LENGTH_S,
    before: float = BEFORE,
) -> Moments:
    """Return a title's moments, best first: whole shots, or the beginning of a long one.

    All end within the first `before` of the title. Raises `UsageError` where so many cannot last
    so long, `InputError` where nothing there can be shown.
    """
    if length_s < count * LEAST_S:
        raise UsageError(
            f"{count} moments in {length_s:g} s would flicker; ask for fewer, or for "
            f"{count * LEAST_S:g} s and more."
        )
    shots = library.shots(manifest.title_id).iloc[: manifest.num_shots]
    worth = worth_of(library, manifest)
    allowed = (shots["end_s"] <= before * manifest.duration_s).to_numpy()
    usable = worth.showable & allowed
    if not usable.any():
        raise InputError(
            f"{manifest.title} shows nothing but black in its first {before:.0%}, or its first "
            "shot is longer than that; let more of it be shown with `--before`."
        )
    stretches = best_stretches(
        Shots(
            bounds=shots[["start_frame", "end_frame"]].to_numpy(np.int64),
            worth=worth.scores,
            usable=usable,
            vectors=shot_vectors(library, manifest, _row_of(manifest)),
        ),
        count=count,
        num_frames=int(length_s * manifest.frame_rate),
    )
    found = tuple(
        _described(one, worth, passage_of(manifest, shots, one.start_frame, one.end_frame))
        for one in stretches
    )
    seconds = round(sum(one.passage.seconds for one in found), 2)
    return Moments(found, worth.by, seconds, tuple(_notes(found, worth, manifest, count, length_s)))


def keep_moments(library: Library, name: str, found: Sequence[WorthShowing]) -> int:
    """Add moments to a shortlist in one change, with what they stand out in as a note."""
    picks = [
        Pick.of(
            library.manifest(one.passage.title_id),
            one.passage.start_frame,
            one.passage.end_frame,
            note=one.told,
        )
        for one in found
    ]
    if picks:
        what = f"Added {len(picks)} moments of {found[0].passage.title}"
        Shortlists.of(library).add_all(name, picks, what=what)
    return len(picks)


def _row_of(manifest: Manifest) -> Row:
    return "context" if CONTEXT in manifest.spaces else "fused"


def _described(stretch: Stretch, worth: Worth, passage: Passage) -> WorthShowing:
    shots = range(stretch.first, stretch.end)
    best = max(shots, key=lambda shot: float(worth.scores[shot]))
    why = {name: round(rank, 3) for name, rank in worth.why(best).items()}
    return WorthShowing(passage, max(stretch.worth, 0.0), why, best)


def _notes(
    found: Sequence[WorthShowing], worth: Worth, manifest: Manifest, count: int, length_s: float
) -> list[str]:
    notes = [f"chosen by {HOW[worth.by]}"]
    if worth.by == "measures":
        missing = [name for name, ranks in worth.told.items() if np.isnan(ranks).all()]
        notes += [f"not measured in this title: {', '.join(missing)}"] if missing else []
    if CONTEXT not in manifest.spaces:
        notes.append("no context model has read this title: `trimbin train` learns one")
    if len(found) < count:
        notes.append(f"only {len(found)} of {count} moments fit without touching one another")
    return notes
