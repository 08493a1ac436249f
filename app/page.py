"""What the page's process holds, and what it remembers between two clicks.

The page's scripts run anew at every click, in many threads; what is opened here stays open.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from app.opened import Opened
from app.promotion import ads
from app.request import Request
from app.search import Answer
from app.sent import Sent, answer_with, asked_for
from indexer import environment
from indexer.catalogue import Catalogue
from indexer.library import SETTINGS_FILE, Library

if TYPE_CHECKING:
    from indexer.labelling.pool import Pool

ANSWERS_KEPT = 200

_held = Opened(environment.library_root, command="trimbin ui")


def find_library() -> Library | None:
    """Return the library, or None while there is none; one that is made later is found then.

    The page never makes a library itself: that would bind it to a profile nobody chose.
    """
    if not _held.is_open and not _settings_file().is_file():
        return None
    return library()


def library() -> Library:
    """Return the library. Needs no store, so titles can be listed and played without one."""
    return _held.library


def is_warm() -> bool:
    """Return whether the models that read words are loaded."""
    return _held.is_warm


def close() -> None:
    """Give the store up for good. Whoever waits for it may take it over."""
    _held.close()


def _settings_file() -> Path:
    return environment.library_root().expanduser() / SETTINGS_FILE


def generations() -> dict[str, str]:
    """Return what can be searched now, title_id -> generation: nothing without a library."""
    return _held.catalogue.generations() if find_library() else {}


def answer(request: Request, sent: Sequence[Sent] = ()) -> Answer:
    """Return the answer to a request; the same one again while the library stays the same.

    `sent` are the files that the page holds, of which the request may name some.
    """
    named = asked_for(request, sent)
    return _answer(
        request,
        digests=tuple(one.digest for one in named),
        seen=tuple(sorted(generations().items())),
        _sent=named,
    )


@st.cache_data(max_entries=ANSWERS_KEPT, show_spinner=False, hash_funcs={Request: repr})
def _answer(
    request: Request,
    digests: tuple[str, ...],
    seen: tuple[tuple[str, str], ...],
    _sent: Sequence[Sent],
) -> Answer:
    """Search. `digests` and `seen` are for the cache: other files or titles, another question."""
    if not _sent:
        return _held.answer(request)
    found, reach = answer_with(request, _sent, _held.answer)
    return replace(found, query=str(request), notes=tuple(map(reach.told, found.notes)))


def pool() -> Pool:
    """Return all shots at hand for labels, anew when titles have come or gone."""
    return _pool(tuple(sorted((m.title_id, m.generation) for m in library().in_use())))


@st.cache_resource(max_entries=1, show_spinner="Reading all shots…")
def _pool(seen: tuple[tuple[str, str], ...]) -> Pool:
    from indexer.labelling.pool import pool_of

    return pool_of(library())


def ad_breaks(brief: str, *, avoid: Sequence[str], title_id: str) -> ads.AdBreaks:
    """Return the breaks of a title that fit a brief; the same again while it stays the same."""
    return _ad_breaks(brief, tuple(avoid), title_id, generations().get(title_id, ""))


@st.cache_data(max_entries=ANSWERS_KEPT, show_spinner=False)
def _ad_breaks(brief: str, avoid: tuple[str, ...], title_id: str, generation: str) -> ads.AdBreaks:
    """Find breaks. `generation` is for the cache: a title made anew, another answer."""
    return ads.ad_breaks(_held.catalogue, _held.encoders, brief, avoid=avoid, title=title_id)


def catalogue() -> Catalogue:
    """Return the library as it can be searched."""
    return _held.catalogue


@st.cache_data(max_entries=1000, show_spinner=False)
def _spans(title_id: str, generation: str) -> list[tuple[int, int]]:
    """Return a title's shots as `[start_frame, end_frame)`, in order."""
    shots = library().shots(title_id)
    return list(zip(shots["start_frame"].tolist(), shots["end_frame"].tolist(), strict=True))


def shot_at(title_id: str, generation: str, frame: int) -> int:
    """Return the number of the shot that shows a frame; the last one for a frame past the end."""
    spans = _spans(title_id, generation)
    return next((n for n, (_, end_frame) in enumerate(spans) if frame < end_frame), len(spans) - 1)


def span_of(title_id: str, generation: str, shot: int) -> tuple[int, int]:
    """Return a shot's frames, `[start_frame, end_frame)`. Raises `IndexError` for none."""
    return _spans(title_id, generation)[shot]
