"""A trailer's segments as clips, and all that a clip can be compared with in a film."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer.assembly import title_sequence
from indexer.clip import Clip, encode_clip
from indexer.context.sequence import TitleSequence
from indexer.context.vectors import contextualise
from indexer.encoders.protocol import unit
from indexer.library import Library
from indexer.manifest import Manifest
from indexer.studio import Studio
from indexer.workbench import load_vectors
from qdrant.language import Query, Question, ShotHit
from qdrant.ranking import score_shots
from qdrant.schema import AUDIO, CONTEXT, VIDEO

TRUTH = "bbb_trailer_to_film_alignment.json"
TOGETHER = "raw together"
"""As `trimbin search` scores: each space's evidence, all of it combined."""
FUSED = "fused"

Floats = NDArray[np.float32]
Similarities = NDArray[np.float64]
"""(num_questions, num_shots): of a clip, whole or shot by shot, to the film's; -inf: none."""
Comparison = Callable[..., Similarities]
"""Called with what is asked, the film, and whether the clip asks whole."""


@dataclass(frozen=True)
class Segment:
    """A piece of the trailer and where it was cut from: half-open, in seconds."""

    name: str
    start_s: float
    end_s: float
    film_start_s: float
    film_end_s: float
    speed: float

    def film_s(self, trailer_s: float) -> float:
        """Return the film's second that is shown at a second of the trailer."""
        return self.film_start_s + self.speed * (trailer_s - self.start_s)

    def trimmed(self, by_s: float) -> Segment:
        """Return the segment with as much taken off at either end."""
        start_s, end_s = self.start_s + by_s, self.end_s - by_s
        return Segment(self.name, start_s, end_s, self.film_s(start_s), self.film_s(end_s),
                       self.speed)  # fmt: skip


@dataclass(frozen=True)
class Film:
    """The film's shots as the library keeps them."""

    path: Path
    spans: tuple[tuple[float, float], ...]
    vectors: Mapping[str, Floats]  # space or "fused" -> (num_shots, dim); zeros where missing


@dataclass(frozen=True)
class Asked:
    """A segment as it is asked with: the whole clip, its shots, and both seen in context."""

    segment: Segment
    clip: Clip
    in_trailer: Floats  # (num_shots, dim) contextual, the trailer taken for its title
    alone: Floats  # (num_shots, dim) contextual, the segment taken for its title


def segments_of(labels: Path) -> list[Segment]:
    """Return the segments that are from the film."""
    return [
        Segment(
            name=told["name"],
            start_s=told["trailer"][0],
            end_s=told["trailer"][1],
            film_start_s=told["film"][0],
            film_end_s=told["film"][1],
            speed=told["speed"],
        )
        for told in json.loads((labels / TRUTH).read_text())["segments"]
        if told["film"]
    ]


def film_of(library: Library, manifest: Manifest) -> Film:
    shots = library.shots(manifest.title_id)
    folder = library.folder(manifest.title_id)
    vectors = {
        space: load_vectors(folder / file)["shots"] for space, file in manifest.spaces.items()
    }
    sequence = title_sequence(
        library, manifest.title_id, manifest.spaces, num_shots=manifest.num_shots
    )
    spans = tuple(zip(shots["start_s"].tolist(), shots["end_s"].tolist(), strict=True))
    return Film(Path(manifest.path), spans, {**vectors, FUSED: sequence.fused})


def ask(segments: Sequence[Segment], trailer: Path, studio: Studio) -> list[Asked]:
    """Make a clip of each segment, and of the trailer what stands around it."""
    whole = encode_clip(trailer, studio.encoders)
    assert studio.checkpoint is not None
    model = studio.checkpoint.model
    asked = []
    for segment in segments:
        clip = encode_clip(trailer, studio.encoders, in_s=segment.start_s, out_s=segment.end_s)
        before = [i for i, shot in enumerate(whole.shots) if shot.end_s <= clip.start_s]
        after = [i for i, shot in enumerate(whole.shots) if shot.start_s >= clip.end_s]
        around = np.concatenate([whole.fused[before], clip.fused, whole.fused[after]])
        seen = contextualise(model, TitleSequence("trailer", around)).shots
        alone = contextualise(model, TitleSequence("segment", clip.fused)).shots
        asked.append(Asked(segment, clip, seen[len(before) :][: len(clip.shots)], alone))
    return asked


def cosines(questions: Floats, shots: Floats) -> Similarities:
    """Return (num_questions, num_shots); -inf where either has no vector."""
    there = np.logical_and.outer(questions.any(axis=1), shots.any(axis=1))
    return np.where(there, questions.astype(np.float64) @ shots.T, -np.inf)


def in_space(space: str, asked: Asked, film: Film, *, whole: bool) -> Similarities:
    """Compare in one raw space."""
    dim = film.vectors[space].shape[1]
    asking = [asked.clip] if whole else asked.clip.shots
    nothing = np.zeros(dim, np.float32)
    questions = np.stack([each.vectors.get(space, nothing) for each in asking])
    return cosines(questions, film.vectors[space])


def together(asked: Asked, film: Film, *, whole: bool, studio: Studio) -> Similarities:
    """Compare in all raw spaces, scored as a search scores."""
    spaces = [space for space in studio.library.profile.dims if space in film.vectors]
    each = {space: in_space(space, asked, film, whole=whole) for space in spaces}
    rows, query = [], Query((Question(band="likeness"),))
    for question in range(len(each[VIDEO])):
        hits = [
            ShotHit("", shot, ({
                space: float(rows[question, shot]) for space, rows in each.items()
                if np.isfinite(rows[question, shot])},), {})
            for shot in range(len(film.spans))
        ]  # fmt: skip
        scored = score_shots(hits, {"likeness": studio.library.profile.likeness}, query)
        row = np.full(len(film.spans), -np.inf)
        row[[shot.shot for shot in scored]] = [shot.score for shot in scored]
        rows.append(row)
    return np.stack(rows)


def in_rows(
    rows: Callable[[Asked], Floats], space: str, asked: Asked, film: Film, *, whole: bool
) -> Similarities:
    """Compare vectors of the clip's shots, (num_shots, dim), with a space of the film."""
    questions = rows(asked)
    return cosines(asked.clip.pooled(questions)[None] if whole else questions, film.vectors[space])


def ways(studio: Studio) -> dict[str, Comparison]:
    """Return the rows of the table: what is compared with what."""
    return {
        "raw video": partial(in_space, VIDEO),
        "raw audio": partial(in_space, AUDIO),
        TOGETHER: partial(together, studio=studio),
        FUSED: partial(in_rows, lambda asked: asked.clip.fused, FUSED),
        "context, trailer its title": partial(in_rows, lambda asked: asked.in_trailer, CONTEXT),
        "context, segment alone": partial(in_rows, lambda asked: asked.alone, CONTEXT),
        # The clip is to be like the shot, and like what the film lets one expect there.
        "fused against context": partial(
            in_rows, lambda asked: unit(np.tile(asked.clip.fused, 2)), CONTEXT
        ),
    }
