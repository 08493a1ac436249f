"""A moment as people and programs receive it: in frames, seconds and timecode."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from typing import Any

from app.request import Place
from indexer.library import Library
from indexer.manifest import Manifest
from indexer.media.timecode import Clock
from indexer.tagging.tags import Tags, read_tags
from indexer.tagging.vocabulary import PAYLOAD, Group
from qdrant import moments
from qdrant.errors import InputError
from qdrant.schema import CONTEXT, DENSE_SPACES, LINE, TEXT, TOLD

MAX_DIALOGUE_CHARACTERS = 500
TAGS_TOLD: tuple[Group, ...] = ("label", "tone", "genre")
"""Groups of tags as the store tells them apart: own labels are among the labels."""


@dataclass(frozen=True)
class Source:
    """Something in the film that the words were found in."""

    kind: str  # "line", "ocr", "caption" or "neighbour"
    text: str
    start_s: float


@dataclass(frozen=True)
class Moment:
    """One shot, or neighbouring shots that match together. All spans are half-open."""

    hit_id: str  # "<title_id>:<start_frame>-<end_frame>": the same moment, the same id
    title_id: str
    title: str
    path: str
    shots: tuple[int, int]
    start_frame: int
    end_frame: int
    rate: str
    start_s: float
    end_s: float
    start_tc: str | None  # None: sound alone has no timecode
    end_tc: str | None
    score: float  # 0..1, comparable within one answer only
    why: Mapping[str, float | None]  # shares of the score; None: not asked, or absent here
    sources: tuple[Source, ...]
    dialogue: str
    best_shot: int  # the shot that matched best; its picture stands for the moment
    steps: tuple[tuple[int, int], ...] = ()  # where steps follow one another: each one's frames
    repeats: int = 0  # how many more moments show the same picture and say the same
    tags: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # label, tone, genre: names


def describe(found: moments.Moment, library: Library) -> Moment:
    """Return a found moment with everything a person needs to see and cut it."""
    manifest = library.manifest(found.title_id)
    first, last = found.shots[0].hit.payload, found.shots[-1].hit.payload
    clock = Clock.of(manifest)
    start_frame, end_frame = int(first["start_frame"]), int(last["end_frame"])
    return Moment(
        hit_id=f"{found.title_id}:{start_frame}-{end_frame}",
        title_id=found.title_id,
        title=manifest.title,
        path=manifest.path,
        shots=(found.first, found.end),
        start_frame=start_frame,
        end_frame=end_frame,
        rate=manifest.rate,
        start_s=float(first["start_s"]),
        end_s=float(last["end_s"]),
        start_tc=clock.timecode(start_frame),
        end_tc=clock.timecode(end_frame),
        score=round(found.score, 4),
        why=_why(found),
        sources=_sources(found),
        dialogue=" ".join(_dialogue(found))[:MAX_DIALOGUE_CHARACTERS],
        best_shot=found.best.shot,
        steps=tuple(_frames(step.hit.payload) for step in found.steps),
        repeats=found.repeats,
        tags=_tags([shot.hit.payload for shot in found.shots]),
    )


def of_shots(library: Library, manifest: Manifest, first: int, end: int) -> Moment:
    """Return shots `[first, end)` of a title as a moment that nobody searched for.

    Raises `InputError` where the title has no such shots.
    """
    table = library.shots(manifest.title_id)
    rows = table.iloc[first:end].to_dict("records")
    if not rows:
        raise InputError(f"{manifest.title!r} has {len(table)} shots, and not {first}.")
    clock = Clock.of(manifest)
    start_frame, end_frame = int(rows[0]["start_frame"]), int(rows[-1]["end_frame"])
    said = [str(row.get("dialogue") or "") for row in rows]
    tags = read_tags(library.folder(manifest.title_id), manifest) or Tags("")
    lines = list(dict.fromkeys(line for text in said for line in text.splitlines() if line))
    return Moment(
        hit_id=f"{manifest.title_id}:{start_frame}-{end_frame}",
        title_id=manifest.title_id,
        title=manifest.title,
        path=manifest.path,
        shots=(first, first + len(rows)),
        start_frame=start_frame,
        end_frame=end_frame,
        rate=manifest.rate,
        start_s=float(rows[0]["start_s"]),
        end_s=float(rows[-1]["end_s"]),
        start_tc=clock.timecode(start_frame),
        end_tc=clock.timecode(end_frame),
        score=0.0,
        why={},
        sources=(),
        dialogue=" ".join(lines)[:MAX_DIALOGUE_CHARACTERS],
        best_shot=first + len(rows) // 2,
        tags=_tags([tags.payload_of(shot) for shot in range(first, first + len(rows))]),
    )


def place_of(moment: Moment, library: Library) -> Place:
    """Return a moment as a question names it: by its title's name, or id where two have it."""
    manifest = library.manifest(moment.title_id)
    named = [m for m in library.titles() if m.title.casefold() == manifest.title.casefold()]
    name = manifest.title if len(named) == 1 else manifest.title_id
    if moment.start_tc is None or moment.end_tc is None or manifest.is_variable_rate:
        return Place(name, f"{moment.start_s:.3f}", f"{min(moment.end_s, manifest.duration_s):.3f}")
    last = Clock.of(manifest).timecode(moment.end_frame - 1)  # the end may be past the film's last
    is_short = moment.end_frame - moment.start_frame < 2
    return Place(name, moment.start_tc, None if is_short else last)


def _why(found: moments.Moment) -> dict[str, float | None]:
    """Return each space's share; what titles tell of their shots, and lines near by, is context."""
    shares = dict(found.shares)
    if TOLD in shares:
        shares[CONTEXT] = shares.get(CONTEXT, 0.0) + shares.pop(TOLD)
    return {
        space: round(shares[space], 4) if space in shares else None
        for space in (*DENSE_SPACES, LINE)
    }


def _tags(payloads: Sequence[Mapping[str, Any]]) -> dict[str, tuple[str, ...]]:
    """Return what shots carry, group by group: what most of them carry comes first."""
    told: dict[str, tuple[str, ...]] = {}
    for group in TAGS_TOLD:
        counts = Counter(name for payload in payloads for name in payload.get(PAYLOAD[group], ()))
        if counts:
            told[group] = tuple(name for name, _ in counts.most_common())
    return told


def _dialogue(found: moments.Moment) -> list[str]:
    """Return what is said in the moment; a cue that spans a cut is told once."""
    spoken = [str(shot.hit.payload.get("dialogue") or "") for shot in found.shots]
    lines = [line for shot in spoken for line in shot.splitlines() if line]
    return [line for i, line in enumerate(lines) if line not in lines[:i]]


def _sources(found: moments.Moment) -> tuple[Source, ...]:
    """Return what is said, told and written in the best shot, where words took part in the score.

    What is said near a shot without words, beyond the moment, comes as "neighbour". A line has
    its own time; a description and what is written have the shot's.
    """
    if found.best.heard_near:
        near = found.best.heard_near
        told = _told_in(near.payload)
        within = found.first <= near.shot < found.end
        return told if within else tuple(replace(line, kind="neighbour") for line in told)
    if not any(found.shares.get(space) for space in (LINE, TEXT)):
        return ()
    return _told_in(found.best.hit.payload)


def _told_in(payload: Mapping[str, Any]) -> tuple[Source, ...]:
    start_s = float(payload["start_s"])
    lines = str(payload.get("dialogue") or "").splitlines()
    times = [float(at_s) for at_s in payload.get("dialogue_at_s", ())]
    spoken = zip_longest(lines, times[: len(lines)], fillvalue=start_s)
    return (
        *(Source("line", str(line), float(at_s)) for line, at_s in spoken),
        *(Source("caption", line, start_s) for line in _lines(payload, "description")),
        *(Source("caption", f"[{sound}]", start_s) for sound in payload.get("sounds", ())),
        *(Source("ocr", line, start_s) for line in _lines(payload, "screen_text")),
    )


def _frames(payload: Mapping[str, Any]) -> tuple[int, int]:
    return int(payload["start_frame"]), int(payload["end_frame"])


def _lines(payload: Mapping[str, Any], field: str) -> list[str]:
    return str(payload.get(field) or "").splitlines()
