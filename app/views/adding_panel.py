"""Films added from the page: paths typed in, and how far they are, whoever looks."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from app.adding import Work, add_videos, adding
from app.permission import may_change, need_permission, paths_typed
from app.views import look
from indexer.library import SETTINGS_FILE
from qdrant.errors import UsageError

LOOK_EVERY_S = 1
PATHS = "add-paths"


def show(library_root: Path) -> None:
    """Draw where films are added, where this page may do that in a library that is there."""
    if not may_change() or not (library_root.expanduser() / SETTINGS_FILE).is_file():
        return
    is_wanted = adding.work is not None or bool(st.session_state.get(PATHS))
    with st.expander("Add videos", icon=":material/add:", expanded=is_wanted):
        st.text_area(
            "Films, sound or folders of them: paths on the machine that runs Trimbin, a line each",
            key=PATHS,
            height=80,
            placeholder="/films/The Long Night.mov",
        )
        st.button("Index them", on_click=look.guarded(_add), args=(library_root,))
        _progress()


def _add(library_root: Path) -> None:
    need_permission()
    paths = paths_typed(st.session_state.get(PATHS, ""))
    for path in paths:  # one sentence, whatever is there: the page tells nobody what the disk holds
        if not path.exists():
            raise UsageError(f"There is no film or sound to index in {path}.")
    add_videos(paths, library_root)
    st.session_state[PATHS] = ""


@st.fragment(run_every=LOOK_EVERY_S)
def _progress() -> None:
    work = adding.work
    if work is None:
        return
    with st.container(key="adding"):
        if work.is_running:
            stage = work.stage or "Starting"
            st.progress(work.share, text=f"{_as_text(work.what)}: {stage}")
            st.button("Stop", key="stop-adding", icon=":material/stop:", on_click=work.stop)
        else:
            told = "Stopped; what was finished stays." if work.was_stopped else "Done."
            look.remark(told if not work.trouble else "It ended early.")
            st.button("Put away", key="put-away", on_click=adding.put_away)
        _results(work)


def _results(work: Work) -> None:
    if work.trouble:
        st.html(f'<div class="tb-alert" role="alert">{look.sentence(work.trouble)}</div>')
    lines = []
    for result in work.results:
        name = look.text(Path(str(result.get("path", ""))).name)
        if result.get("status") == "failed":
            lines.append(f'<li class="tb-failed">{look.sentence(result.get("reason", name))}</li>')
        else:
            shots, status = result.get("shots", 0), look.text(result.get("status", ""))
            lines.append(f"<li>{name}: {status}, {shots} shots</li>")
    if lines:
        st.html(f'<ul class="tb-notes tb-added">{"".join(lines)}</ul>')


def _as_text(words: str) -> str:
    """Return words that Streamlit shows as they are: progress bars read markdown."""
    return "".join(
        f"\\{letter}" if letter in "\\`*_{}[]()<>#+-.!|$:~" else letter for letter in words
    )
