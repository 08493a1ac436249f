"""What every title is made with: the library, its encoders, its context model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from indexer.encoders.load import EncoderSet
from indexer.encoders.protocol import Priced
from indexer.library import Library
from indexer.progress import Progress, silent

if TYPE_CHECKING:
    from indexer.context.checkpoint import Checkpoint


@dataclass
class Studio:
    """What titles are made with, loaded once and only when it is first needed."""

    library: Library
    encoders: EncoderSet
    progress: Progress = silent
    say: Callable[[str], None] = print  # takes a sentence for the person who waits
    published: Callable[[], None] = lambda: None  # called when title folders have changed

    @cached_property
    def checkpoint(self) -> Checkpoint | None:
        """The library's context model, or None where it has none yet."""
        if self.library.checkpoint_id() is None:
            return None
        from indexer.context.checkpoint import load_checkpoint

        return load_checkpoint(self.library.context_folder)

    def forget_checkpoint(self) -> None:
        """Load the context model anew at its next use: another has been trained."""
        self.__dict__.pop("checkpoint", None)

    def tell_cost(self, texts: Sequence[str]) -> None:
        """Say what embedding these texts will cost, where the text encoder is paid for."""
        encoder = self.encoders.text
        if isinstance(encoder, Priced) and texts:
            tokens, dollars = encoder.estimate_cost(texts)
            self.say(f"Embedding about {tokens:,} tokens of dialogue: about ${dollars:.4f}.")
