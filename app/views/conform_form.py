"""A finished trailer sent to the shortlist page: how far it is, and what it is cut from."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

import streamlit as st

from app.adding import Work
from app.conforming.sending import KINDS, MAX_TRAILER_MB, begin_conform, conforming, edl
from app.sent import Sent
from app.shortlist import MAX_NAME_CHARACTERS, list_name
from app.views import look
from indexer.library import Library
from qdrant.errors import UsageError

FILE, INTO, SEEN = "conform-file", "conform-into", "conform-seen"
LOOK_EVERY_S = 1
NOWHERE = "is from nowhere in the library"


def show(library: Library, who: str) -> None:
    """Put in what takes a trailer."""
    with st.popover("Conform a trailer", icon=":material/movie_edit:", key="conform"):
        held = st.file_uploader(
            "A finished trailer or promo: its moments come back from the library's films",
            KINDS,
            key=FILE,
            max_upload_size=MAX_TRAILER_MB,
            on_change=_name_list,
        )
        st.text_input("Into the list", key=INTO, max_chars=MAX_NAME_CHARACTERS)
        st.button("Conform", disabled=held is None, on_click=look.guarded(_begin),
                  args=(library, who))  # fmt: skip


def _name_list() -> None:
    """Call the list as the file is called that was just sent."""
    if held := st.session_state.get(FILE):
        st.session_state[INTO] = PurePath(held.name).stem[:MAX_NAME_CHARACTERS]


def _begin(library: Library, who: str) -> None:
    held = st.session_state.get(FILE)
    if held is None:
        raise UsageError("The trailer is not here any more; send it again.")
    name = list_name(st.session_state.get(INTO) or PurePath(held.name).stem)
    begin_conform(Sent.of(held.name, held.getvalue()), library.root, name=name, who=who)


@st.fragment(run_every=LOOK_EVERY_S)
def tell(chosen: str) -> None:
    """Tell how far a trailer is, and what came of it; `chosen` is the key of the list shown."""
    work = conforming.work
    if work is None:
        return
    with st.container(key="conform-told"):
        if work.is_running:
            st.progress(work.share, text=work.stage or "Starting")
            st.button("Stop", key="stop-conform", icon=":material/stop:", on_click=work.stop)
            return
        if st.session_state.get(SEEN) != id(work):
            st.session_state[SEEN] = id(work)
            st.rerun()  # its list is there now
        _came(work, chosen)
        st.button("Put away", key="put-conform-away", on_click=conforming.put_away)


def _came(work: Work, chosen: str) -> None:
    if work.was_stopped:
        look.remark("Stopped; nothing was kept.")
    if work.trouble:
        look.alert(work.trouble)
    for result in work.results:
        _report(result, chosen)


def _report(result: dict[str, Any], chosen: str) -> None:
    moments = int(result.get("moments", 0))
    if not moments:
        look.remark(f"Nothing of {result.get('name')} is from this library.")
    else:
        count = "1 moment" if moments == 1 else f"{moments} moments"
        look.heading(str(result.get("name")), f"{count} found")
    lines = "".join(
        f'<li class="{"tb-failed" if NOWHERE in line else ""}">{look.text(line)}</li>'
        for line in result.get("told", ())
    )
    st.html(f'<ul class="tb-notes tb-conformed">{lines}</ul>')
    for note in result.get("notes", ()):
        look.remark(str(note))
    with st.container(key="conform-next", horizontal=True):
        # Pressed, the whole page is drawn anew, and not this part of it alone.
        if moments and st.button("Show the list", key="show-conformed", on_click=_show,
                                 args=(chosen, result["list"])):  # fmt: skip
            st.rerun()
        if edl.content:
            st.download_button("Download the EDL", data=edl.content, file_name=edl.name,
                               icon=":material/download:", on_click="ignore")  # fmt: skip


def _show(chosen: str, name: str) -> None:
    st.session_state[chosen] = name
