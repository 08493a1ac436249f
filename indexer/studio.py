"""What every title is made with: the library, its encoders, its context model."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from indexer.encoders.load import EncoderSet
from indexer.encoders.protocol import Priced
from indexer.library import Library
from indexer.progress import Progress, silent

if TYPE_CHECKING:
    from indexer.context.reader import ReadyCheckpoint

STAGE_FORMAT = 3
"""Raised when a stage would make something else of the same inputs: earlier work is made anew."""


@dataclass
class Studio:
    """What titles are made with, loaded once and only when it is first needed."""

    library: Library
    encoders: EncoderSet
    chosen: Mapping[str, Any] = field(default_factory=dict)  # of `Choices`; None: not asked
    progress: Progress = silent
    say: Callable[[str], None] = print  # takes a sentence for the person who waits
    published: Callable[[], None] = lambda: None  # called when title folders have changed
    _checkpoint: ReadyCheckpoint | None = field(default=None, repr=False)
    _loading: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def checkpoint(self) -> ReadyCheckpoint | None:
        """The library's context model in use now, or None where it has none yet."""
        checkpoint_id = self.library.checkpoint_id()
        if checkpoint_id is None:
            return None
        with self._loading:
            if self._checkpoint is None or self._checkpoint.id != checkpoint_id:
                from indexer.context.reader import load_reader

                self._checkpoint = load_reader(self.library.context_folder)
            return self._checkpoint

    def makes(self, space: str) -> list[object]:
        """Return what decides how a space's vectors come out: another answer, other vectors."""
        missing = self.encoders.missing.get(space)
        return [STAGE_FORMAT, self.library.version, missing]

    def tell_cost(self, texts: Sequence[str]) -> None:
        """Say what embedding these texts will cost, where the text encoder is paid for."""
        encoder = self.encoders.text
        if isinstance(encoder, Priced) and texts:
            tokens, dollars = encoder.estimate_cost(texts)
            self.say(f"Embedding about {tokens:,} tokens of dialogue: about ${dollars:.4f}.")
