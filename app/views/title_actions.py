"""What can be done with a title: found again where its file is, indexed again, removed."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from app.adding import add_videos
from app.permission import WHY_NOT, may_change, need_permission, paths_typed
from app.views import look
from indexer.keeping import is_to_be_indexed_again, relink_title, remove_title
from indexer.library import Library
from indexer.manifest import Manifest
from qdrant.errors import InputError, TrimbinError, UsageError

RELINK_PATH = "relink-path"
REMOVED = "removed-title"
"""Where the name of a title that was just removed waits to be told."""


def tell_if_off_line(manifest: Manifest) -> None:
    """Say that a title is off line, where it is, and what that means."""
    if manifest.is_online:
        return
    st.html(
        '<div class="tb-alert tb-alert-calm" role="status">Off line: its file is not at '
        f"{look.text(manifest.path)}. Its shots can be found and kept, not played. Put the file "
        "back, or say below where it is now.</div>"
    )


def show(library: Library, manifest: Manifest) -> None:
    """Draw what can be done with a title."""
    if not may_change():
        look.remark(WHY_NOT)
        return
    if is_to_be_indexed_again(manifest):
        st.button(
            "Index it again",
            icon=":material/refresh:",
            on_click=look.guarded(_index_again),
            args=(library, manifest),
        )
    with st.container(key="title-actions", horizontal=True, vertical_alignment="bottom"):
        st.text_input(
            "Where its file is now",
            key=RELINK_PATH,
            placeholder="/path/on/this/machine/film.mp4",
        )
        st.button(
            "Relink",
            icon=":material/link:",
            on_click=look.guarded(_relink),
            args=(library, manifest),
        )
        if st.button("Remove…", icon=":material/delete:"):
            _confirm(library, manifest)


def _relink(library: Library, manifest: Manifest) -> None:
    need_permission()
    [path, *others] = paths_typed(st.session_state.get(RELINK_PATH, ""))
    if others:
        raise UsageError("A title has one file; type one path.")
    if not path.is_file():
        raise InputError(f"There is no film or sound to index in {path}.")
    relinked = relink_title(library, manifest.title_id, path)
    if relinked.is_same:
        st.toast(f"{manifest.title}: the same film, found again.")
    else:
        _index_again(library, relinked.manifest)
        st.toast(f"{manifest.title}: another file. It is being indexed again under its id.")
    st.session_state[RELINK_PATH] = ""


def _index_again(library: Library, manifest: Manifest) -> None:
    need_permission()
    add_videos([Path(manifest.path)], library.root)


@st.dialog("Remove this title?")
def _confirm(library: Library, manifest: Manifest) -> None:
    st.html(
        f"<p><strong>{look.text(manifest.title)}</strong> will be found no more. Its film is not "
        "touched and shortlists keep its moments. What was made of it waits in the library's "
        f"folder <code>removed</code>: <code>trimbin remove --undo {look.text(manifest.title_id)}"
        "</code> brings it back.</p>"
    )
    if st.button("Remove", type="primary", key="confirm-remove"):
        try:
            need_permission()
            remove_title(library, manifest.title_id)
        except TrimbinError as error:
            look.tell(error)
            return
        st.session_state[REMOVED] = manifest.title
        from app.views import library_page

        st.switch_page(library_page.as_page())
