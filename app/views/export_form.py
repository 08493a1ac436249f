"""Shortlists taken away from the page: formats chosen, files made, handed over."""

from __future__ import annotations

import mimetypes
import tempfile
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from app.export.assembling import Settings, ascii_name
from app.export.delivery import Delivered, deliver, pack
from app.export.formats import FORMATS, Options, format_named
from app.shortlist import Shortlists
from app.views import look
from indexer.library import Library
from qdrant.errors import TrimbinError

MADE = "export-made"
USUAL = ("csv", "edl")


@dataclass(frozen=True)
class Made:
    """An export that waits to be handed over."""

    names: tuple[str, ...]
    file_name: str
    content: bytes
    told: Delivered


def show(names: list[str], library: Library, shortlists: Shortlists) -> None:
    """Draw the choice of formats for these lists, and what was made of them."""
    kept = shortlists.look(names[0])
    with st.expander("Export", key="export"):
        chosen = st.multiselect(
            "Formats",
            list(FORMATS),
            default=list(USUAL),
            format_func=lambda name: f"{name}: {FORMATS[name].what}",
            key="export-formats",
        )
        with st.container(horizontal=True, vertical_alignment="bottom"):
            handles = st.number_input(
                "Handles, frames", 0, 1000, kept.handles if kept else 0, width=160
            )
            expired = st.checkbox(
                "Moments out of their rights too",
                help="Recorded in the library.",
                key="export-expired",
            )
            burn = st.checkbox("Timecode in the picture of clips", key="export-burn")
            pressed = st.button("Make files", disabled=not chosen, icon=":material/movie_edit:")
        if pressed:
            st.session_state.pop(MADE, None)
            settings = Settings(handles=int(handles), allow_expired=expired)
            _make(names, chosen, library, settings, Options(burn_timecode=burn))
        made: Made | None = st.session_state.get(MADE)
        if made and made.names == tuple(names):
            _hand_over(made)


def _make(
    names: list[str], formats: list[str], library: Library, settings: Settings, options: Options
) -> None:
    bar = st.progress(0.0)

    def progress(stage: str, done: float, total: float) -> None:
        bar.progress(min(1.0, done / total) if total else 0.0, text=stage)

    chosen = [format_named(name) for name in formats]
    with tempfile.TemporaryDirectory(prefix="trimbin-export-") as folder:
        into = Path(folder) / ascii_name("_".join(names))
        try:
            told = deliver(library, names, chosen, into, settings=settings, options=options,
                           progress=progress)  # fmt: skip
            file = told.files[0] if len(told.files) == 1 else None
            if told.files and file is None:
                file = into.with_suffix(".zip")
                pack(into, file)
            if file:
                st.session_state[MADE] = Made(tuple(names), file.name, file.read_bytes(), told)
        except TrimbinError as error:
            look.tell(error)
            return
        finally:
            bar.empty()
    if not told.files:
        for sentence in told.failed:
            look.alert(sentence)


def _hand_over(made: Made) -> None:
    for sentence in made.told.failed:
        look.alert(sentence)
    for note in made.told.notes:
        look.remark(note)
    st.download_button(
        f"Download {made.file_name}",
        data=made.content,
        file_name=made.file_name,
        mime=mimetypes.guess_type(made.file_name)[0] or "application/octet-stream",
        icon=":material/download:",
        on_click="ignore",
    )
