"""Selects that were made elsewhere, brought onto a shortlist from the page."""

from __future__ import annotations

import streamlit as st

from app.importing.bring import Imported, import_selects
from app.importing.reading import MAX_BYTES, selects_in
from app.shortlist import DEFAULT_LIST, MAX_NAME_CHARACTERS
from app.views import look
from indexer.library import Library

KINDS = ("edl", "csv", "tsv", "txt", "otio", "ale", "xml", "fcpxml")
FILE, INTO, OF_TITLE, CAME = "import-file", "import-into", "import-title", "import-came"
SENTENCES_SHOWN = 12


def show(library: Library, name: str | None, chosen: str, who: str) -> None:
    """Put in what brings a file's selects into a list; `chosen` is the key of the list shown."""
    with st.popover("Import", icon=":material/upload:", key="import"):
        held = st.file_uploader(
            "Selects: EDL, CSV, OTIO, ALE, XML, or markers of Premiere, Resolve or Avid",
            KINDS,
            key=FILE,
            max_upload_size=MAX_BYTES // 1_000_000,
        )
        st.text_input(
            "Into the list", name or DEFAULT_LIST, key=f"{INTO}-{name}",
            max_chars=MAX_NAME_CHARACTERS,
        )  # fmt: skip
        st.text_input("The title they are all of, where the file does not say", key=OF_TITLE)
        st.button("Bring in", disabled=held is None, on_click=look.guarded(_bring),
                  args=(library, name, chosen, who))  # fmt: skip


def _bring(library: Library, name: str | None, chosen: str, who: str) -> None:
    st.session_state.pop(CAME, None)
    held = st.session_state[FILE]
    into = st.session_state.get(f"{INTO}-{name}") or DEFAULT_LIST
    title = (st.session_state.get(OF_TITLE) or "").strip() or None
    found = selects_in(held.getvalue(), held.name)
    came = import_selects(library, found, origin=held.name, name=into, title=title, who=who)
    st.session_state[CAME] = came
    if came.items:
        st.session_state[chosen] = came.list


def tell_what_came() -> None:
    """Tell what came of the last import, until it is put away."""
    came: Imported | None = st.session_state.get(CAME)
    if came is None:
        return
    with st.container(key="import-told"):
        look.remark(came.told)
        for sentences, show_one in ((came.problems, look.alert), (came.notes, look.remark)):
            for sentence in sentences[:SENTENCES_SHOWN]:
                show_one(sentence)
            if len(sentences) > SENTENCES_SHOWN:
                look.remark(f"And {len(sentences) - SENTENCES_SHOWN} more like these.")
        st.button("Put away", key="put-import-away", on_click=st.session_state.pop,
                  args=(CAME, None))  # fmt: skip
