"""Coverage: which scenes of a title the assets made of it show, and which none has used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from app.promotion.assets import NOT_USED_YET, Asset
from app.promotion.passage import Passage, passage_of
from app.shortlist import Pick, Shortlists
from indexer.library import Library
from indexer.manifest import Manifest
from indexer.promotion.scenes import scenes_of
from indexer.promotion.worth import showable

GLIMPSE_S = 0.25
"""Less of a scene than this in all assets together is a cut that was missed by a hair: unused."""


@dataclass(frozen=True)
class Scene:
    """Neighbouring shots that are alike, and what of them has been used."""

    passage: Passage
    shots: tuple[int, int]  # half-open
    used_s: float  # seconds of it that some asset shows
    by: tuple[str, ...]  # the assets that show some of it
    is_empty: bool = False  # black or flat throughout: nothing that anybody could use

    @property
    def is_used(self) -> bool:
        """Whether any asset shows it."""
        return bool(self.by)


@dataclass(frozen=True)
class Coverage:
    """A title's scenes in order, and how much of the title the assets show."""

    title: str
    scenes: tuple[Scene, ...]
    assets: tuple[str, ...]
    seconds: float
    used_s: float
    notes: tuple[str, ...]

    @property
    def share(self) -> float:
        """How much of the title has been used, 0..1."""
        return self.used_s / self.seconds if self.seconds else 0.0

    @property
    def unused(self) -> list[Scene]:
        """The scenes that no asset has used, though there is something to be seen."""
        return [scene for scene in self.scenes if not scene.is_used and not scene.is_empty]

    def to_json(self) -> Mapping[str, Any]:
        """Return it as the documented JSON."""
        rows = [
            {**asdict(one.passage), "shots": one.shots, "used": one.is_used, "empty": one.is_empty,
             "used_s": one.used_s, "by": one.by}
            for one in self.scenes
        ]  # fmt: skip
        return {
            "title": self.title, "assets": self.assets, "seconds": self.seconds,
            "used_s": self.used_s, "used_percent": round(100 * self.share, 1),
            "scenes": rows, "notes": self.notes,
        }  # fmt: skip


def coverage_of(library: Library, manifest: Manifest, assets: Sequence[Asset]) -> Coverage:
    """Return which of a title's scenes the assets show."""
    shots = library.shots(manifest.title_id).iloc[: manifest.num_shots]
    shown = [(asset.name, asset.of(manifest.title_id)) for asset in assets]
    all_shown = [span for _, spans in shown for span in spans]

    def seconds(spans: Sequence[tuple[int, int]]) -> float:
        passages = [passage_of(manifest, shots, start, end) for start, end in spans]
        return round(sum(passage.seconds for passage in passages), 3)

    shows, scenes = showable(shots), []
    for first, end in scenes_of(library, manifest):
        frames = int(shots["start_frame"].iloc[first]), int(shots["end_frame"].iloc[end - 1])
        by = [name for name, spans in shown if seconds(within(spans, frames)) >= GLIMPSE_S]
        used_s = seconds(within(all_shown, frames))
        scenes.append(
            Scene(
                passage_of(manifest, shots, *frames),
                (first, end),
                used_s,
                tuple(by),
                not shows[first:end].any(),
            )
        )
    whole = int(shots["start_frame"].iloc[0]), int(shots["end_frame"].iloc[-1])
    return Coverage(
        title=manifest.title,
        scenes=tuple(scenes),
        assets=tuple(asset.name for asset in assets),
        seconds=seconds([whole]),
        used_s=seconds(within(all_shown, whole)),
        notes=tuple(_notes(manifest, shown)),
    )


def within(spans: Sequence[tuple[int, int]], frames: tuple[int, int]) -> list[tuple[int, int]]:
    """Return what spans have of `[start, end)` frames, in order, each frame once."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted((max(s, frames[0]), min(e, frames[1])) for s, e in spans):
        if start >= end:
            continue
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], end)
        else:
            joined.append((start, end))
    return joined


def keep_unused(library: Library, name: str, coverage: Coverage) -> int:
    """Add the scenes that no asset has used to a shortlist, in one change; return how many."""
    picks = [
        Pick.of(library.manifest(p.title_id), p.start_frame, p.end_frame, note=NOT_USED_YET)
        for p in (scene.passage for scene in coverage.unused)
    ]
    if picks:
        what = f"Added {len(picks)} unused scenes of {coverage.title}"
        Shortlists.of(library).add_all(name, picks, what=what)
    return len(picks)


def _notes(manifest: Manifest, shown: Sequence[tuple[str, Sequence[object]]]) -> list[str]:
    notes = [f"{name} shows nothing of {manifest.title}" for name, spans in shown if not spans]
    if not shown:
        notes.append("nothing has been made of it that the library knows of: no shortlist, no clip")
    return notes
