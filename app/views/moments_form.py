"""Moments worth showing, on a title's page: how many, how long, up to where; then onto a list."""

from __future__ import annotations

import streamlit as st

from app import page
from app.promotion.moments import (
    BEFORE,
    COUNT,
    LENGTH_S,
    MOST,
    Moments,
    WorthShowing,
    keep_moments,
    moments_of,
)
from app.views import look, passage_rows, shortlist_page
from indexer.library import Library
from indexer.manifest import Manifest

ASKED = "moments-asked"
"""What was asked for, of which title: (title_id, count, seconds, part of the title)."""
LONGEST_S = 600.0


def show(library: Library, manifest: Manifest, list_name: str) -> None:
    """Draw the form, and what was found by it."""
    with (
        st.form("moments", border=False),
        st.container(key="moments-asking", horizontal=True, vertical_alignment="bottom"),
    ):
        count = st.number_input("Moments", 1, MOST, COUNT, width=120)
        length_s = st.number_input("Seconds in all", 1.0, LONGEST_S, LENGTH_S, step=5.0, width=150)
        before = st.slider("Up to, % of the title", 5, 100, round(100 * BEFORE), width=220)
        if st.form_submit_button("Find moments", type="primary"):
            st.session_state[ASKED] = manifest.title_id, count, length_s, before / 100
    asked = st.session_state.get(ASKED)
    if asked is None or asked[0] != manifest.title_id:
        return
    _, count, length_s, before = asked
    seen = manifest.generation, str(library.checkpoint_id())
    moments = _found(manifest.title_id, count, length_s, before, seen)
    rows = [_row(one) for one in moments.found]
    passage_rows.show(library, manifest, rows, key="moments")
    for note in (f"{moments.seconds:.1f} s in all", *moments.notes):
        look.remark(f"{note[0].upper()}{note[1:]}.")
    if st.button("Add all moments", icon=":material/add:", key="moments-keep"):
        kept = keep_moments(library, list_name, moments.found)
        st.session_state[shortlist_page.CHOSEN] = list_name
        st.toast(f"{kept} moments are in {list_name}.")


@st.cache_data(max_entries=100, show_spinner="Weighing every shot…", ttl=60)
def _found(
    title_id: str, count: int, length_s: float, before: float, seen: tuple[str, str]
) -> Moments:
    """Return a title's moments. `seen` is for the cache: other vectors, another answer."""
    library = page.library()
    return moments_of(
        library, library.manifest(title_id), count=count, length_s=length_s, before=before
    )


def _row(one: WorthShowing) -> passage_rows.Row:
    passage = one.passage
    return passage_rows.Row(
        shot=one.best_shot,
        start_s=passage.start_s,
        end_s=passage.end_s,
        when=passage.line(),
        told=f"{passage.seconds:.1f} s · {one.told}",
    )
