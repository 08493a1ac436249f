"""What a server's process holds: one library, one open store, one set of encoders.

Many threads ask at once; what is opened here stays open until another version is in use.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from app.request import Request
from app.search import Answer, search
from app.studio import encoders_of
from indexer.catalogue import Catalogue
from indexer.encoders.load import EncoderSet
from indexer.library import Library
from indexer.query import encode_words
from qdrant.errors import CannotRunNow, TrimbinError

logger = logging.getLogger(__name__)

LEAVE_AFTER_S = 10.0
"""How long a version that is no longer in use stays open for searches under way."""


class Opened:
    """A library that is opened at first use, kept in step and shared by threads."""

    def __init__(
        self, find_root: Callable[[], Path], *, command: str, device: str = "auto"
    ) -> None:
        """Take where the library lies, asked anew until it is open, and what this process is."""
        self._find_root = find_root
        self._command = command
        self._device = device
        self._turn = threading.RLock()
        self._catalogue: Catalogue | None = None
        self._encoders: EncoderSet | None = None
        self._is_closed = False
        self._is_warm = threading.Event()
        self._warming = threading.Lock()

    @property
    def is_open(self) -> bool:
        """Whether the library has been opened."""
        return self._catalogue is not None

    @property
    def is_warm(self) -> bool:
        """Whether the models that read words are loaded."""
        return self._is_warm.is_set()

    @property
    def catalogue(self) -> Catalogue:
        """The library's catalogue, opened once for the whole process and kept in step.

        Raises `UsageError` while there is no library: asking again later finds a new one.
        """
        with self._turn:
            if self._is_closed:
                raise CannotRunNow(f"This is being closed. Start it again with `{self._command}`.")
            if self._catalogue is not None and not self._catalogue.library.is_current():
                self._leave(self._catalogue)
            if self._catalogue is None:
                library = Library.open(self._find_root())
                self._catalogue = Catalogue(library, command=self._command)
                self._catalogue.keep_in_step()
                self.warm_up()
            return self._catalogue

    @property
    def library(self) -> Library:
        """The library. Needs no store, so titles can be listed and played without one."""
        return self.catalogue.library

    @property
    def encoders(self) -> EncoderSet:
        """The encoders of the library's profile; each loads once, when it is first used."""
        with self._turn:
            opened = self.library  # where another version is in use by now, the old one's go
            if self._encoders is None:
                self._encoders = encoders_of(opened, device=self._device)
            return self._encoders

    def answer(self, request: Request) -> Answer:
        """Return the answer to a request; raises as `search` does."""
        with self._turn:  # both of one version, whatever is switched to meanwhile
            opened, of_it = self.catalogue, self.encoders
        with self._warming:
            pass  # two threads that import transformers at once trip over each other
        found = search(opened, of_it, request)
        self._is_warm.set()
        return found

    def warm_up(self) -> None:
        """Load the models that read words in the background, unless words would be sent away."""
        threading.Thread(target=self._warm_up, name="warm-up", daemon=True).start()

    def close(self) -> None:
        """Give the store up for good. Whoever waits for it may take it over."""
        with self._turn:
            self._is_closed = True
            if self._catalogue is not None:
                self._catalogue.close()
                self._catalogue = None

    def _leave(self, former: Catalogue) -> None:
        """Let the version go that another one has followed; searches under way in it end first."""
        self._catalogue = self._encoders = None
        closing = threading.Timer(LEAVE_AFTER_S, former.close)
        closing.daemon = True
        closing.start()

    def _warm_up(self) -> None:
        try:
            if self.library.profile.endpoint is None:
                encoders = self.encoders
                with self._warming:
                    encode_words("a film", encoders)
                self._is_warm.set()
        except TrimbinError as error:
            logger.info("not warmed up: %s", error)  # the first search will say it
