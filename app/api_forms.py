"""What the API takes and gives, as its documentation shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from app.dials import DEFAULT_TOP, MAX_TOP
from app.moment import Moment
from app.parsing import MAX_CHARACTERS
from indexer.library import Library
from indexer.manifest import Manifest
from indexer.media.timecode import Clock

PUBLIC_FIELDS = (
    "title_id", "title", "kind", "path", "metadata", "rate", "drop_frame", "start_timecode",
    "num_frames", "duration_s", "width", "height", "container", "video_codec", "pixel_format",
    "audio_codec", "language", "num_shots", "version", "notes", "is_interlaced",
    "is_variable_rate", "loudness_lufs", "partial", "live", "is_online", "indexed_at",
)  # fmt: skip
"""What of a title's manifest is told; how it was made and kept is nobody's business."""
SHOT_COLUMNS = ("shot", "start_frame", "end_frame", "start_s", "end_s", "transition", "dialogue")

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class Dials(BaseModel):
    """How an answer is to be."""

    model_config = ConfigDict(extra="forbid")

    top: int = Field(DEFAULT_TOP, ge=1, le=MAX_TOP, description="How many moments.")
    title: str | None = Field(None, description="Only this title: its name or its id.")
    before: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] | None = Field(
        None, description="Spoiler guard: only up to this part of each title."
    )
    per_title: Annotated[int, Field(ge=1)] | None = Field(
        None, description="At most so many moments of a title."
    )
    variety: Share = Field(0.0, description="0: the best; towards 1: as different as can be.")
    all_modalities: bool = Field(False, description="Pictures and words must both fit.")
    floor: Share | None = Field(None, description="Scores below are weak; else the profile's.")

    def as_request(self, query: str) -> dict[str, Any]:
        """Return what `request_of` takes."""
        return {**self.model_dump(exclude={"query"}), "query": query}


class Ask(Dials):
    """A question."""

    query: str = Field(
        max_length=MAX_CHARACTERS, description='In the query language: `rain & "let\'s go" -night`'
    )


class AskBesides(Dials):
    """What is asked for beside the file that was sent."""

    query: str = Field(
        "",
        max_length=MAX_CHARACTERS,
        description="`clip:NAME@1:10-1:20` in it means the file that was sent with that name.",
    )


@dataclass(frozen=True)
class Hit(Moment):
    """A moment, and whether its score is above the confidence floor."""

    confident: bool = True


@dataclass(frozen=True)
class Found:
    """What `trimbin search --json` prints too: moments, best first."""

    query: str
    hits: list[Hit]
    notes: list[str]
    took_ms: int


@dataclass(frozen=True)
class Trouble:
    """Why there is no answer, in one sentence."""

    error: str


@dataclass(frozen=True)
class Health:
    """Whether the server can answer."""

    status: str  # "ok", or "starting" until the library is open
    warm: bool  # whether the models that read words are loaded: the first question waits for them


def title_form(manifest: Manifest) -> dict[str, Any]:
    """Return a title as JSON values."""
    return {name: getattr(manifest, name) for name in PUBLIC_FIELDS}


def shot_forms(library: Library, manifest: Manifest) -> list[dict[str, Any]]:
    """Return a title's shots as JSON values, in order; spans are half-open."""
    clock = Clock.of(manifest)
    table = library.shots(manifest.title_id)
    columns = [name for name in SHOT_COLUMNS if name in table]
    rows = table[columns].astype(object).where(table[columns].notna(), None).to_dict("records")
    return [
        {
            **shot,
            "start_tc": clock.timecode(int(shot["start_frame"])),
            "end_tc": clock.timecode(int(shot["end_frame"])),
            "thumbnail": f"/titles/{manifest.title_id}/shots/{shot['shot']}/thumbnail",
        }
        for shot in ({str(name): value for name, value in row.items()} for row in rows)
    ]
