"""Which scenes of a title the shortlists have used, on its page: a bar, and the unused ones."""

from __future__ import annotations

import streamlit as st

from app.promotion.assets import listed
from app.promotion.coverage import Coverage, Scene, coverage_of, keep_unused
from app.shortlist import Shortlists
from app.views import look, passage_rows, shortlist_page
from indexer.library import Library
from indexer.manifest import Manifest

MOST_ROWS = 40
"""Unused scenes that are shown as rows."""


def show(library: Library, manifest: Manifest, list_name: str) -> None:
    """Draw what the chosen shortlists show of the title."""
    names = Shortlists.of(library).names()
    chosen = st.multiselect("Shown in", names, default=names, key="coverage-lists")
    coverage = coverage_of(library, manifest, listed(library, chosen))
    unused = coverage.unused
    st.html(_bar(coverage))
    look.remark(
        f"{coverage.share:.0%} of the title is used; {len(unused)} of {len(coverage.scenes)} "
        f"scenes are unused, {sum(one.passage.seconds for one in unused):.0f} s."
    )
    for note in coverage.notes:
        look.remark(f"{note[0].upper()}{note[1:]}.")
    rows = [_row(scene) for scene in unused[:MOST_ROWS]]
    passage_rows.show(library, manifest, rows, key="coverage")
    if len(unused) > MOST_ROWS:
        look.remark(f"And {len(unused) - MOST_ROWS} more.")
    if unused and st.button("Add the unused", icon=":material/add:", key="coverage-keep"):
        kept = keep_unused(library, list_name, coverage)
        st.session_state[shortlist_page.CHOSEN] = list_name
        st.toast(f"{kept} unused scenes are in {list_name}.")


def _bar(coverage: Coverage) -> str:
    """Return the title's scenes side by side, to scale; how much of each is used is its filling."""
    scenes = "".join(_piece(scene) for scene in coverage.scenes)
    return (
        f'<div class="tb-coverage" role="img" aria-label="Scenes, used and unused">{scenes}</div>'
    )


def _piece(scene: Scene) -> str:
    seconds = max(scene.passage.seconds, 0.001)
    by = ", ".join(scene.by) or ("nothing to show" if scene.is_empty else "unused")
    kind = "tb-used" if scene.is_used else ""
    told = look.text(f"{scene.passage.line()}: {by}")
    filled = min(scene.used_s / seconds, 1)
    return (
        f'<span class="{kind}" style="flex-grow:{seconds:.3f}" title="{told}">'
        f'<i style="height:{100 * filled:.0f}%"></i></span>'
    )


def _row(scene: Scene) -> passage_rows.Row:
    first, end = scene.shots
    passage = scene.passage
    return passage_rows.Row(
        shot=(first + end) // 2,
        start_s=passage.start_s,
        end_s=passage.end_s,
        when=passage.line(),
        told=f"{passage.seconds:.1f} s, {end - first} shot{'' if end - first == 1 else 's'}",
    )
