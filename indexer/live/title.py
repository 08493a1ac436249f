"""What is final of a recording that grows: published, a generation after another, as a live title.

Tables, vectors and pictures of the title's folder are written anew each time, the manifest last.
They only ever get longer, so that whoever reads by an older manifest finds all it names.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from indexer.assembly import STAGES, assemble, key_shots, title_sequence
from indexer.beside import Beside
from indexer.choices import Choices
from indexer.encoders.kinds import ENCODED_SPACES, HEARD_SPACES
from indexer.encoders.protocol import Vectors
from indexer.identity import Identity
from indexer.live.hearing import Hearing
from indexer.manifest import Manifest
from indexer.media.probe import Media
from indexer.metadata import description_of
from indexer.shots.measures import Look
from indexer.shots.watch import WatchedShot
from indexer.stages.hear import encode_sound, measures_of
from indexer.stages.read import Reading, texts_of, words_of
from indexer.stages.see import row_of, write_look
from indexer.studio import Studio
from indexer.words.captions import CaptionDecoder
from indexer.words.tracks import made_track
from indexer.workbench import Workbench, digest
from qdrant.schema import CONTEXT, TEXT, TOLD, VIDEO

if TYPE_CHECKING:
    import pandas as pd

logger = logging.getLogger(__name__)

MIN_PAUSE_S = 1.0
"""Between two publications; more where they take long, see `REST`."""
REST = 4
"""A publication writes the whole title, so it takes a fifth of the time at most."""
SOUND_PATIENCE_S = 5.0
"""A shot whose sound has not come by now is published without; the end makes it good."""
GROWS = "It is still being recorded: these are the shots that are final so far."


class LiveTitle:
    """A title that grows shot by shot."""

    def __init__(
        self,
        media: Media,
        identity: Identity,
        beside: Beside,
        bench: Workbench,
        studio: Studio,
        *,
        choices: Choices,
    ) -> None:
        self.media, self.identity, self.beside = media, identity, beside
        self.choices = choices
        self.captions = CaptionDecoder()
        self.rows: list[dict[str, Any]] = []
        self._bench, self._studio = bench, studio
        self._pictures: list[Vectors] = []  # (1, dim) each
        self._sounds: list[dict[str, Any]] = []
        self._heard: dict[str, list[Vectors]] = {}  # space -> (1, dim) each
        self._read: dict[str, Vectors] = {}  # texts of the last publication, (dim,) each
        self._looks: dict[int, Look] = {}  # of shots not yet published
        self._seen_at: list[float] = []
        self._context: tuple[str, Vectors] | None = None  # of which model
        known = identity.known
        self._promised = known.num_shots if known else 0  # never less than there is already
        self._num_published = 0
        self._next_s = 0.0  # when to publish again

    @property
    def num_published(self) -> int:
        """How many shots can be found now, from this run or the one before."""
        return max(self._num_published, self._promised)

    @property
    def end_s(self) -> float:
        """When the last final shot ends."""
        return float(self.rows[-1]["end_s"]) if self.rows else 0.0

    def add(self, shot: WatchedShot) -> None:
        """Take the next shot that is final, and encode what it looks like."""
        if encoder := self._studio.encoders.video:
            self._pictures.append(encoder.encode([shot.samples]))
        self.rows.append({**row_of(shot), "screen_text": ""})
        self._looks[shot.number] = shot.look
        self._seen_at.append(time.monotonic())

    def hear(self, sound: Hearing) -> None:
        """Measure and encode what the shots sound like, as far as the sound has got."""
        while len(self._sounds) < len(self.rows) and not sound.is_silent_film:
            number = len(self._sounds)
            span = (self.rows[number]["start_s"], self.rows[number]["end_s"])
            late_s = time.monotonic() - self._seen_at[number]
            if not sound.has_reached(span[1]) and late_s < SOUND_PATIENCE_S:
                return
            heard = sound.around(span)
            self._sounds.append(measures_of(heard, span))
            for space in HEARD_SPACES:
                if encoder := self._studio.encoders.of(space):
                    vector = encode_sound(heard, [span], encoder, self._studio)
                    self._heard.setdefault(space, []).append(vector)

    @property
    def num_ready(self) -> int:
        """How many shots are seen and heard."""
        return len(self.rows) if self.media.sound is None else len(self._sounds)

    @property
    def is_ahead(self) -> bool:
        """Whether more shots are ready than are published."""
        return self.num_ready > self._num_published and self.num_ready >= self._promised

    @property
    def is_due(self) -> bool:
        """Whether it is time to publish."""
        return self.is_ahead and time.monotonic() >= self._next_s

    def publish(self) -> Manifest:
        """Publish what is final so far. Raises `CannotRunNow` where the library takes nothing."""
        started = time.monotonic()
        self._next_s = started + MIN_PAUSE_S
        num = self.num_ready
        for number in [n for n in self._looks if n < num]:
            write_look(self._bench, number, self._looks[number])
        words, pictures = self._write_tables(num)
        self._write_vectors(num, texts_of(words, pictures))
        self._mark(num, words)
        self._contextualise(num)
        manifest = assemble(self.media, self.identity, self.beside, self._bench, self._studio,
                            choices=self.choices)  # fmt: skip
        self._looks = {n: look for n, look in self._looks.items() if n >= num}
        self._num_published = num
        self._studio.published()
        took_s = time.monotonic() - started
        self._next_s = time.monotonic() + max(MIN_PAUSE_S, REST * took_s)
        logger.info("%s: %d shots published in %.1f s", self.media.path.name, num, took_s)
        return manifest

    def keep_looking(self, *, inputs: str, facts: dict[str, Any], notes: Sequence[str]) -> None:
        """Record all looking as done, as `see` would have: the title need not be decoded again."""
        import pandas as pd

        with self._bench.doing("see", inputs) as told:
            self._bench.spaces.pop(VIDEO, None)
            for number, look in self._looks.items():
                write_look(self._bench, number, look)
            self._bench.save_table("pictures", pd.DataFrame(self.rows))
            self._bench.save_cues("captions", self.captions.cues())
            encoder = self._studio.encoders.video
            if encoder and self._pictures:
                vectors = np.concatenate(self._pictures)
                self._bench.save_vectors(VIDEO, encoder.version, shots=vectors)
            self._bench.facts.update(facts)
            told += notes

    def _write_tables(self, num: int) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Write the tables of the first shots; return their words and their pictures."""
        import pandas as pd

        pictures = pd.DataFrame(self.rows[:num])
        sounds = self._sounds[:num] or [{"loudness": None}] * num
        cues = self.captions.cues()
        said = Reading(made_track("captions", language=None), cues) if cues else None
        words = words_of(pictures, said, None)
        for name, table in (("pictures", pictures), ("sound", pd.DataFrame(sounds))):
            self._bench.save_table(name, table)
        self._bench.save_table("words", words)
        return words, pictures

    def _write_vectors(self, num: int, texts: Sequence[str | None]) -> None:
        encoders, bench = self._studio.encoders, self._bench
        for space in ENCODED_SPACES:
            bench.spaces.pop(space, None)
        if encoders.video:
            bench.save_vectors(VIDEO, encoders.video.version, shots=_rows(self._pictures[:num]))
        for space, heard in self._heard.items():
            if encoder := encoders.of(space):
                bench.save_vectors(space, encoder.version, shots=_rows(heard[:num]))
        about = description_of(self.beside.metadata) or None
        wanted = [text for text in {*texts, about} if text]
        encoder = encoders.text if wanted else None
        if encoder is None:
            return
        new = sorted(text for text in wanted if text not in self._read)
        encoded = encoder.encode(new) if new else ()
        self._read = {**{t: self._read[t] for t in wanted if t in self._read},
                      **dict(zip(new, encoded, strict=True))}  # fmt: skip
        nothing = np.zeros(encoder.dim, np.float32)
        rows = [self._read[text] if text else nothing for text in (*texts, about)]
        bench.save_vectors(TEXT, encoder.version, shots=np.stack(rows[:-1]), title=rows[-1][None])

    def _mark(self, num: int, words: pd.DataFrame) -> None:
        """Record the stages as done from what they are made of: never as those of a whole title."""
        made_of = digest("live", self.rows[:num], self._sounds[:num], words.to_dict("records"))
        bench = self._bench
        bench.done.update({stage: digest(stage, made_of) for stage in STAGES})
        bench.notes.clear()
        bench.facts.update(partial=False, language=None, loudness_lufs=None)
        with bench.doing("see", bench.done["see"]) as notes:
            notes.append(GROWS)

    def _contextualise(self, num: int) -> None:
        """Read the tail anew, as much as the model takes at once; what lies before it stays."""
        checkpoint, bench = self._studio.checkpoint, self._bench
        for space in (CONTEXT, TOLD):
            bench.spaces.pop(space, None)
        if checkpoint is None:
            return
        from indexer.context.vectors import contextualise

        sequence = title_sequence(
            self._studio.library, self.identity.title_id, bench.spaces, num_shots=num
        )
        earlier = self._context[1] if self._context and self._context[0] == checkpoint.id else None
        num_earlier = len(earlier) if earlier is not None else 0
        first, kept = tail_of(num_earlier, num, size=checkpoint.model.config.max_shots)
        vectors = contextualise(checkpoint.model, sequence.excerpt(first, num))
        shots = vectors.shots
        if earlier is not None:
            shots = np.concatenate([earlier[:kept], shots[kept - first :]])
        self._context = checkpoint.id, shots
        bench.done["context"] = digest("live", checkpoint.id, bench.done["see"])
        bench.save_vectors(CONTEXT, checkpoint.id, shots=shots, title=vectors.title[None])
        key_shots(bench, checkpoint, shots)


def tail_of(num_earlier: int, num: int, *, size: int) -> tuple[int, int]:
    """Return from which shot on a title is read anew, and how many keep the vectors they have.

    What fits the model's window is read anew from the beginning. Of a longer one the last window
    is; at its own beginning that lacks what came before, so a quarter of it stays as it was.
    """
    first = max(0, min(num - size, num_earlier))
    return first, min(num_earlier, first + size // 4) if first else 0


def _rows(vectors: Sequence[Vectors]) -> Vectors:
    return np.concatenate(vectors)
