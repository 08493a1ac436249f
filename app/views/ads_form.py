"""Ad moments, on a title's page: a brief in words finds the breaks that it fits."""

from __future__ import annotations

import streamlit as st

from app import page
from app.promotion.ads import DEFAULT_AVOID, WINDOW_S, AdBreak, AdBreaks
from app.views import look, passage_rows
from indexer.library import Library
from indexer.manifest import Manifest

ASKED = "ads-asked"
"""What was asked for, of which title: (title_id, brief, what to avoid)."""
SHOWN_S = 8.0
"""How much of what is before a break is played, and half as much of what comes after."""


def show(library: Library, manifest: Manifest, list_name: str) -> None:
    """Draw the form, and the breaks that were found by it."""
    with (
        st.form("ads", border=False),
        st.container(key="ads-asking", horizontal=True, vertical_alignment="bottom"),
    ):
        brief = st.text_input("Brief", placeholder="a picnic on a meadow", max_chars=300)
        avoid = st.text_input("Keep away from", ", ".join(DEFAULT_AVOID), max_chars=300)
        if st.form_submit_button("Find breaks", type="primary"):
            labels = tuple(label.strip() for label in avoid.split(",") if label.strip())
            st.session_state[ASKED] = manifest.title_id, brief, labels
    asked = st.session_state.get(ASKED)
    if asked is None or asked[0] != manifest.title_id:
        return
    with st.spinner("Searching…" if page.is_warm() else "Loading the models, then searching…"):
        found = page.ad_breaks(asked[1], avoid=asked[2], title_id=manifest.title_id)
    _show(library, manifest, found)


def _show(library: Library, manifest: Manifest, found: AdBreaks) -> None:
    for note in found.notes:
        look.remark(note)
    if found.breaks:
        rows = [_row(one, manifest) for one in found.breaks]
        passage_rows.show(library, manifest, rows, key="ads")
    if found.avoid:
        look.heading("To be avoided", f"within {WINDOW_S:.0f} s of what is to be kept away from")
        rows = [_row(one, manifest) for one in found.avoid]
        passage_rows.show(library, manifest, rows, key="shunned")


def _row(one: AdBreak, manifest: Manifest) -> passage_rows.Row:
    parts = [", ".join(one.signs), f"fits at {one.best_tc}", f"{one.score:.2f}"]
    parts += [] if one.confident else ["weak"]
    return passage_rows.Row(
        shot=one.best_shot,
        start_s=max(one.at_s - SHOWN_S, 0.0),
        end_s=min(one.at_s + SHOWN_S / 2, manifest.duration_s),
        when=one.tc,
        told=" · ".join([*map(str, one.reasons), *parts]),
    )
