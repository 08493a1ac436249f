"""A title encoded again, shot by shot as it was cut: looked at, listened to and read once more."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from indexer.choices import Choices
from indexer.encoders.kinds import HEARD_SPACES
from indexer.media.decode import Decoding
from indexer.media.probe import Media
from indexer.metadata import description_of
from indexer.shots.boundaries import LOOK_BACK_FRAMES, Boundary
from indexer.shots.detect import detector_of
from indexer.shots.look import READING_SIDE_PX, SHORT_SIDE_PX
from indexer.shots.strip import Strip
from indexer.shots.watch import watch
from indexer.sound.recording import recording
from indexer.stages.encoding import encoding
from indexer.stages.hear import encode_sound
from indexer.stages.listening import Heard
from indexer.stages.read import texts_of
from indexer.stages.see import batches
from indexer.studio import Studio
from indexer.workbench import Workbench
from qdrant.errors import InputError
from qdrant.schema import TEXT, VIDEO

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    import pandas as pd

SETTLED_FRAMES = LOOK_BACK_FRAMES // 2
"""A boundary is told once so many frames after it are seen: a cut may be looked at again."""


class KnownBoundaries:
    """A detector that names the boundaries of a title's table, whatever it sees."""

    wants_images = False
    missing: str | None = None

    def __init__(self, pictures: pd.DataFrame, *, bears_gaps: bool) -> None:
        self.bears_gaps = bears_gaps
        self._num_seen = 0
        rows = pictures.iloc[1:]  # the first shot begins with the film
        self._coming = [_boundary(row) for row in rows.to_dict("records")]

    @property
    def settled_frame(self) -> int:
        """No boundary will be reported any more before this frame."""
        return max(0, self._num_seen - SETTLED_FRAMES)

    def see(self, strip: Strip) -> list[Boundary]:
        """Take the next frames; return the boundaries that lie well behind them."""
        self._num_seen += len(strip)
        return self._told(before=self.settled_frame)

    def finish(self) -> list[Boundary]:
        """Return the rest, as far as there are frames."""
        return self._told(before=self._num_seen)

    def _told(self, *, before: int) -> list[Boundary]:
        told = [boundary for boundary in self._coming if boundary.frame < before]
        self._coming = self._coming[len(told) :]
        return told


def _boundary(row: Mapping[Any, Any]) -> Boundary:
    frame = int(row["start_frame"])
    return Boundary(
        frame,
        row["transition"],
        int(row["transition_start_frame"]),
        int(row["transition_end_frame"]),
        float(row["cut_confidence"]),
    )


def look_again(media: Media, bench: Workbench, studio: Studio, *, choices: Choices) -> None:
    """Encode the pictures of every shot of a film.

    Raises `InputError` where the file no longer shows the shots of the table.
    """
    table = bench.table("pictures")
    shots = watch(
        media,
        detector=KnownBoundaries(table, bears_gaps=detector_of(choices.detector).bears_gaps),
        report=Decoding(),
        progress=lambda num_frames: studio.progress("Looking", num_frames, media.expected_frames),
        short_side_px=READING_SIDE_PX if choices.ocr else SHORT_SIDE_PX,
    )
    spans = []
    with closing(shots), encoding(lambda: studio.encoders.video) as encode:
        for batch in batches(shots):
            encode([shot.samples for shot in batch])
            spans += [(shot.start_frame, shot.end_frame) for shot in batch]
        vectors = encode.vectors()
    if spans != list(zip(table["start_frame"], table["end_frame"], strict=True)):
        raise InputError(
            f"{media.path} does not show the shots it was indexed with any more; run "
            "`trimbin index` on it, then `trimbin versions backfill` again."
        )
    if studio.encoders.video:
        bench.save_vectors(VIDEO, studio.encoders.video.version, shots=vectors)


def listen_again(
    media: Media, bench: Workbench, studio: Studio, *, spaces: Iterable[str] = HEARD_SPACES
) -> None:
    """Encode the sound of every shot into these spaces, as far as the profile has them."""
    wanted = [(space, encoder) for space in spaces if (encoder := studio.encoders.of(space))]
    if not wanted or media.sound is None:
        return
    table = bench.table("pictures")
    spans = list(zip(table["start_s"], table["end_s"], strict=True))
    with recording(media) as sound:
        for space, encoder in wanted:
            vectors = encode_sound(Heard(sound, None, ()), spans, encoder, studio)
            bench.save_vectors(space, encoder.version, shots=vectors)


def read_again(metadata: Mapping[str, Any], bench: Workbench, studio: Studio) -> None:
    """Encode the words of every shot, and last what the title is about; no media is needed."""
    shots, words = bench.table("pictures"), bench.table("words")
    items = [*texts_of(words, shots), description_of(metadata) or None]
    encoder = studio.encoders.text if any(items) else None
    if encoder is None:
        return
    studio.tell_cost([item for item in items if item])
    studio.progress("Reading", 0, len(items))
    encoded = encoder.encode(items)
    studio.progress("Reading", len(items), len(items))
    bench.save_vectors(TEXT, encoder.version, shots=encoded[:-1], title=encoded[-1:])
