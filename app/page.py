"""What the page's process holds: one library, one open store, one set of encoders.

The page's scripts run anew at every click, in many threads; what is opened here stays open.
"""

from __future__ import annotations

import logging
import threading
from pathlib import Path

import streamlit as st

from app.request import Request
from app.search import Answer, search
from app.studio import encoders_of
from indexer import environment
from indexer.catalogue import Catalogue
from indexer.encoders.load import EncoderSet
from indexer.library import SETTINGS_FILE, Library
from indexer.query import encode_words
from qdrant.errors import CannotRunNow, TrimbinError

logger = logging.getLogger(__name__)

COMMAND = "trimbin ui"
ANSWERS_KEPT = 200
LEAVE_AFTER_S = 10.0
"""How long a version that is no longer in use stays open for searches under way."""

_turn = threading.RLock()
_catalogue: Catalogue | None = None
_encoders: EncoderSet | None = None
_is_closed = False
_is_warm = threading.Event()


def catalogue() -> Catalogue:
    """Return the library's catalogue, opened once for the whole process and kept in step.

    Raises `UsageError` while there is no library: asking again later finds a new one.
    """
    global _catalogue
    with _turn:
        if _is_closed:
            raise CannotRunNow("The page is being closed. Start it again with `trimbin ui`.")
        if _catalogue is not None and not _catalogue.library.is_current():
            _leave(_catalogue)
        if _catalogue is None:
            library = Library.open(environment.library_root())
            _catalogue = Catalogue(library, command=COMMAND)
            _catalogue.keep_in_step()
            warm_up()
        return _catalogue


def find_library() -> Library | None:
    """Return the library, or None while there is none; one that is made later is found then.

    The page never makes a library itself: that would bind it to a profile nobody chose.
    """
    with _turn:
        if _catalogue is None and not _settings_file().is_file():
            return None
        return library()


def library() -> Library:
    """Return the library. Needs no store, so titles can be listed and played without one."""
    return catalogue().library


def encoders() -> EncoderSet:
    """Return the encoders of the library's profile; each loads once, when it is first used."""
    global _encoders
    with _turn:
        opened = library()  # where another version is in use by now, the old one's are let go
        if _encoders is None:
            _encoders = encoders_of(opened)
        return _encoders


def is_warm() -> bool:
    """Return whether the models that read words are loaded."""
    return _is_warm.is_set()


def warm_up() -> None:
    """Load the models that read words in the background, unless words would leave the machine."""
    threading.Thread(target=_warm_up, name="warm-up", daemon=True).start()


def close() -> None:
    """Give the store up for good. Whoever waits for it may take it over."""
    global _catalogue, _is_closed
    with _turn:
        _is_closed = True
        if _catalogue is not None:
            _catalogue.close()
            _catalogue = None


def _leave(former: Catalogue) -> None:
    """Let the version go that another one has followed; searches under way in it end first."""
    global _catalogue, _encoders
    _catalogue = _encoders = None
    closing = threading.Timer(LEAVE_AFTER_S, former.close)
    closing.daemon = True
    closing.start()


def _settings_file() -> Path:
    return environment.library_root().expanduser() / SETTINGS_FILE


def _warm_up() -> None:
    try:
        if library().profile.endpoint is None:
            encode_words("a film", encoders())
            _is_warm.set()
    except TrimbinError as error:
        logger.info("not warmed up: %s", error)  # the first search will say it on the page


def generations() -> dict[str, str]:
    """Return what can be searched now, title_id -> generation: nothing without a library."""
    return catalogue().generations() if find_library() else {}


def answer(request: Request) -> Answer:
    """Return the answer to a request; the same one again while the library stays the same."""
    seen = tuple(sorted(generations().items()))
    found = _answer(request, seen=seen)
    _is_warm.set()
    return found


@st.cache_data(max_entries=ANSWERS_KEPT, show_spinner=False, hash_funcs={Request: repr})
def _answer(request: Request, seen: tuple[tuple[str, str], ...]) -> Answer:
    """Search. `seen` is there for the cache: titles that come or go make another question of it."""
    with _turn:  # both of one version, whatever is switched to meanwhile
        opened, of_it = catalogue(), encoders()
    return search(opened, of_it, request)


@st.cache_data(max_entries=1000, show_spinner=False)
def _spans(title_id: str, generation: str) -> list[tuple[int, int]]:
    """Return a title's shots as `[start_frame, end_frame)`, in order."""
    shots = library().shots(title_id)
    return list(zip(shots["start_frame"].tolist(), shots["end_frame"].tolist(), strict=True))


def shot_at(title_id: str, generation: str, frame: int) -> int:
    """Return the number of the shot that shows a frame; the last one for a frame past the end."""
    spans = _spans(title_id, generation)
    return next((n for n, (_, end_frame) in enumerate(spans) if frame < end_frame), len(spans) - 1)
