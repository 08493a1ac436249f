"""Reading: what is said, told and written in each shot, in every language there is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from indexer.beside import Beside
from indexer.metadata import description_of
from indexer.stages.transcribe import SAID, transcript_track
from indexer.studio import Studio
from indexer.words.cues import Cue
from indexer.words.overlap import cues_by_shot
from indexer.words.tracks import Track, in_preference, made_track, read_all
from indexer.workbench import Workbench, digest
from qdrant.schema import TEXT

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Reading:
    """A track and what it says."""

    track: Track
    cues: tuple[Cue, ...]


def read(
    tracks: Sequence[Track],
    beside: Beside,
    shots: pd.DataFrame,
    bench: Workbench,
    studio: Studio,
) -> None:
    """Lay the words over the shots and encode what is said, and what the title is about."""
    import pandas as pd

    description = description_of(beside.metadata)
    inputs = digest(
        "read", beside.inputs["words"], description, bench.done["transcribe"], studio.makes(TEXT)
    )
    if bench.is_done("read", inputs):
        return
    with bench.doing("read", inputs) as notes:
        bench.spaces.pop(TEXT, None)
        readings = _readings(tracks, bench, notes)
        bench.save_table("cues", pd.DataFrame(_cue_rows(readings), columns=CUE_COLUMNS))
        languages = studio.library.profile.text_languages
        dialogue = _best(readings, "dialogue", languages)
        bench.facts["language"] = dialogue.track.language if dialogue else None
        words = words_of(shots, dialogue, _best(readings, "description", languages))
        bench.save_table("words", words)
        _encode([*texts_of(words, shots), description or None], bench, studio)


CUE_COLUMNS = [
    "track", "source", "kind", "language", "start_s", "end_s", "text", "speaker", "sounds",
]  # fmt: skip


def _readings(tracks: Sequence[Track], bench: Workbench, notes: list[str]) -> list[Reading]:
    """Return all tracks that can be read; one that cannot costs its words and nothing more."""
    readings = []
    for track, cues, why_not in read_all(tracks):
        if why_not:
            notes.append(f"A track of words is left out: {why_not}")
        else:
            readings.append(Reading(track, cues))
    made = ((made_track("captions", language=None), "captions"), (transcript_track(bench), SAID))
    for track, table in made:
        if cues := bench.cues(table):
            readings.append(Reading(track, cues))
    return readings


def _best(readings: Sequence[Reading], kind: str, languages: Sequence[str]) -> Reading | None:
    """Return the reading to embed: of its kind, in the language the profile knows best."""
    tracks = [reading.track for reading in readings if reading.track.kind == kind]
    ordered = in_preference(tracks, languages=languages)
    return next((r for r in readings if ordered and r.track is ordered[0]), None)


def _cue_rows(readings: Sequence[Reading]) -> list[dict[str, Any]]:
    return [
        {
            "track": reading.track.name,
            "source": reading.track.source,
            "kind": reading.track.kind,
            "language": reading.track.language,
            "start_s": cue.start_s,
            "end_s": cue.end_s,
            "text": cue.text,
            "speaker": cue.speaker,
            "sounds": list(cue.sounds),
        }
        for reading in readings
        for cue in reading.cues
    ]


def words_of(
    shots: pd.DataFrame, dialogue: Reading | None, description: Reading | None
) -> pd.DataFrame:
    """Return what is said, told and heard in each shot, a row a shot."""
    import pandas as pd

    spans = list(zip(shots["start_s"], shots["end_s"], strict=True))
    said = cues_by_shot(spans, dialogue.cues if dialogue else ())
    told = cues_by_shot(spans, description.cues if description else ())
    rows = []
    for spoken, described in zip(said, told, strict=True):
        lines = [cue for cue in spoken if cue.text]
        rows.append(
            {
                "dialogue": "\n".join(cue.text for cue in lines),
                "dialogue_at_s": [cue.start_s for cue in lines],
                "description": "\n".join(cue.text for cue in described if cue.text),
                "speakers": sorted({cue.speaker for cue in spoken if cue.speaker}),
                "sounds": sorted({sound for cue in spoken for sound in cue.sounds}),
            }
        )
    return pd.DataFrame(rows)


def texts_of(words: pd.DataFrame, shots: pd.DataFrame) -> list[str | None]:
    """Return what there is to embed of each shot: lines, description, sounds, text on screen."""
    written = shots["screen_text"] if "screen_text" in shots else [""] * len(shots)
    parts = zip(words["dialogue"], words["description"], words["sounds"], written, strict=True)
    return [
        " ".join([*said.splitlines(), *told.splitlines(), *sounds, *seen.splitlines()]) or None
        for said, told, sounds, seen in parts
    ]


def _encode(items: Sequence[str | None], bench: Workbench, studio: Studio) -> None:
    """Encode each shot's words, and last the title's; without any words no model loads."""
    encoder = studio.encoders.text if any(items) else None
    if encoder is None:
        return
    studio.tell_cost([item for item in items if item])
    studio.progress("Reading", 0, len(items))
    encoded = encoder.encode(items)
    studio.progress("Reading", len(items), len(items))
    bench.save_vectors(TEXT, encoder.version, shots=encoded[:-1], title=encoded[-1:])
