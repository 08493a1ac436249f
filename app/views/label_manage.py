"""What is done with a label as a whole: found, kept, used as a filter, taken elsewhere, deleted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import streamlit as st

from app import page
from app.labels.asking import likeliest
from app.labels.book import Labels
from app.labels.filters import begin_using, delete_label, name_in_use, using
from app.labels.sheet import read_labels, write_labels
from app.moment import Moment
from app.sent import Sent
from app.shortlist import DEFAULT_LIST, MAX_NAME_CHARACTERS, Pick, Shortlists
from app.views import look, shortlist_page
from app.views.shortlist_manage import WHO
from indexer.library import Library

MOST, USUAL = 500, 30
LIST, HOW_MANY, FILE = "label-list", "label-how-many", "label-file"
MAX_MB = 20
LOOK_EVERY_S = 1.0


def show(library: Library, labels: Labels, name: str | None) -> None:
    """Put in what can be done with the label that is shown."""
    with st.popover("Use", icon=":material/bookmark:", key="label-use"):
        st.text_input("Your name, beside your answers", key=WHO, max_chars=MAX_NAME_CHARACTERS,
                      persist_state="session")  # fmt: skip
        if name:
            st.number_input("So many of the likeliest shots", 1, MOST, USUAL, key=HOW_MANY)
            st.text_input("Into the shortlist", name, key=f"{LIST}-{name}",
                          max_chars=MAX_NAME_CHARACTERS)  # fmt: skip
            st.button("Keep them", on_click=look.guarded(_keep_likeliest),
                      args=(library, labels, name))  # fmt: skip
            is_used = name_in_use(library, name) is not None
            st.button(
                "Use it no longer" if is_used else "Use it as a filter",
                disabled=using.work is not None and using.work.is_running,
                on_click=look.guarded(begin_using),
                args=(library.root, name),
                kwargs={"off": is_used},
            )
            st.download_button(
                "Download answers",
                data=lambda: _sheet(library, labels),
                file_name="labels.csv",
                mime="text/csv",
                on_click="ignore",
            )
        held = st.file_uploader("Answers from a CSV file", ("csv",), key=FILE,
                                max_upload_size=MAX_MB)  # fmt: skip
        st.button("Take them over", disabled=held is None, on_click=look.guarded(_take_over),
                  args=(library, labels))  # fmt: skip
        if name:
            st.button(
                "Delete this label",
                icon=":material/delete:",
                on_click=look.guarded(delete_label),
                args=(library, labels, name),
            )


@st.fragment(run_every=LOOK_EVERY_S)
def tell_filtering() -> None:
    """Tell how far a label is that becomes a filter, and what came of it, until it is put away."""
    work = using.work
    if work is None:
        return
    if work.is_running:
        st.progress(work.share, text=f"Filter {work.what}: {work.stage or 'starting'}")
        return
    if work.trouble:
        look.alert(work.trouble)
    for used in work.results:
        look.remark(f'`label:"{used["name"]}"` finds {used["shots"]} of {used["of_shots"]} shots.')
    st.button("Put away", key="put-filter-away", on_click=using.put_away)


def keep(library: Library, moments: Sequence[Moment], name: str) -> str:
    """Keep moments in the list that is named for a label; return what it is called."""
    into = st.session_state.get(f"{LIST}-{name}") or name or DEFAULT_LIST
    picks = [
        Pick.of(library.manifest(m.title_id), m.start_frame, m.end_frame, query=f"label {name}")
        for m in moments
    ]
    Shortlists.of(library, who=st.session_state.get(WHO, "")).add_all(into, picks)
    st.session_state[shortlist_page.CHOSEN] = into
    return into


def _keep_likeliest(library: Library, labels: Labels, name: str) -> None:
    top = int(st.session_state.get(HOW_MANY) or USUAL)
    moments = likeliest(library, page.pool(), labels, name, top=top)
    st.toast(f"{len(moments)} shots are in {keep(library, moments, name)}.")


def _sheet(library: Library, labels: Labels) -> bytes:
    answers = [one for name in labels.names() for one in labels.answers(name)]
    with TemporaryDirectory(prefix="trimbin-labels-") as folder:
        path = Path(folder) / "labels.csv"
        write_labels(path, answers, library)
        return path.read_bytes()


def _take_over(library: Library, labels: Labels) -> None:
    held = st.session_state[FILE]
    sent = Sent.of(held.name, held.getvalue())
    with TemporaryDirectory(prefix="trimbin-labels-") as folder:
        path = Path(folder) / sent.name
        path.write_bytes(sent.content)
        count = labels.take_over(one for one in read_labels(path, library) if one.label)
    st.toast(f"{count} answers are taken over.")
