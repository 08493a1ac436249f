"""Shots kept from anywhere on the page: which shortlist, and the keeping."""

from __future__ import annotations

from collections.abc import Iterable

import streamlit as st

from app import page
from app.shortlist import DEFAULT_LIST, Pick, Shortlists
from app.views import shortlist_page
from indexer.library import Library
from qdrant.errors import InputError

KEEP_IN = "keep-in"
CHOICE_PX = 240
"""Width of the select box."""
MOST_AT_ONCE = 500
"""Shots that are added by one press."""


def chosen_list(library: Library) -> str:
    """Put the choice of a shortlist in; return the one to add to."""
    names = Shortlists.of(library).names() or [DEFAULT_LIST]
    chosen = st.selectbox(
        "Shortlist to add to; type a name for a new one",
        names,
        format_func=lambda name: f"Add to: {name}",
        key=KEEP_IN,
        accept_new_options=True,
        label_visibility="collapsed",
        width=CHOICE_PX,
        persist_state="session",
    )
    return chosen or names[0]


def keep(library: Library, name: str, shots: Iterable[tuple[str, int]], *, query: str = "") -> int:
    """Add shots, as (title_id, number), to a shortlist; return how many there were.

    A title that has gone meanwhile is passed over.
    """
    picks = []
    for title_id, shot in shots:
        try:
            manifest = library.manifest(title_id)
            start_frame, end_frame = page.span_of(title_id, manifest.generation, shot)
        except (InputError, OSError, IndexError):
            continue
        picks.append(Pick.of(manifest, start_frame, end_frame, query=query))
    if picks:
        Shortlists.of(library).add_all(name, picks)
    st.session_state[shortlist_page.CHOSEN] = name  # what that page opens with
    return len(picks)
