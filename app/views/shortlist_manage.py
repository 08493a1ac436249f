"""The lists themselves on the page: begun, renamed, copied, deleted; and their history."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from app.shortlist import Change, Shortlists
from app.shortlists.item import MAX_HANDLE_FRAMES, MAX_NAME_CHARACTERS
from app.views import look

WHO = "who"
NEW_NAME = "shelf-new-name"
HISTORY = "shelf-history"
SHOWN_CHANGES = 60


def is_busy() -> bool:
    """Whether a dialog lies over the page, which drawing it anew would close."""
    return bool(st.session_state.get(HISTORY))


def manage(name: str | None, shortlists: Shortlists, chosen: str) -> None:
    """Put in what can be done to a list as a whole; `chosen` is the key of the list shown."""

    def acts(act: Callable[[str], str | None]) -> Callable[..., None]:
        def with_name() -> None:
            st.session_state[chosen] = act(st.session_state.get(NEW_NAME) or "")
            st.session_state[NEW_NAME] = ""

        return look.guarded(with_name)

    with st.popover("Lists", icon=":material/list:", key="lists"):
        st.text_input("Name", key=NEW_NAME, max_chars=MAX_NAME_CHARACTERS,
                      placeholder="A name for a list")  # fmt: skip
        with st.container(horizontal=True, key="shelf-naming"):
            st.button("New list", on_click=acts(shortlists.begin))
            if name:
                st.button("Rename", on_click=acts(lambda new: shortlists.rename(name, new)))
                st.button("Duplicate", on_click=acts(lambda new: shortlists.duplicate(name, new)))
        if name and (found := shortlists.look(name)):
            key = f"handles-{found.list_id}-{found.handles}"
            st.number_input("Handles, in frames", 0, MAX_HANDLE_FRAMES, found.handles, key=key,
                            on_change=look.guarded(lambda: shortlists.handle(
                                name, int(st.session_state[key]))))  # fmt: skip
        st.text_input("Your name, for the history", key=WHO, max_chars=MAX_NAME_CHARACTERS,
                      persist_state="session")  # fmt: skip
        if name:
            st.button("Delete this list", icon=":material/delete:",
                      on_click=look.guarded(shortlists.delete), args=(name,))  # fmt: skip
        for gone in shortlists.deleted():
            st.button(f"Recover {gone}", key=f"recover-{gone}",
                      on_click=look.guarded(shortlists.recover), args=(gone,))  # fmt: skip


def history_button(name: str, shortlists: Shortlists) -> None:
    """Put the button in that shows a list's history."""
    if st.button("History", icon=":material/history:"):
        st.session_state[HISTORY] = True
        _history(name, shortlists)
    else:
        st.session_state.pop(HISTORY, None)


def _closed() -> None:
    st.session_state.pop(HISTORY, None)


@st.dialog("History", width="large", on_dismiss=_closed)
def _history(name: str, shortlists: Shortlists) -> None:
    changes = shortlists.history(name, limit=SHOWN_CHANGES)
    with st.container(key="shelf-history-rows"):
        for place, change in enumerate(changes):
            with st.container(
                key=f"change-{change.change_id}", horizontal=True, vertical_alignment="center"
            ):
                st.html(_told(change))
                if place and st.button("Restore", key=f"restore-{change.change_id}"):
                    look.guarded(shortlists.restore)(name, change.change_id)
                    st.session_state.pop(HISTORY, None)
                    st.rerun()


def _told(change: Change) -> str:
    undone = " tb-undone" if change.is_undone else ""
    who = f" · {look.text(change.who)}" if change.who else ""
    at = change.at.replace("T", " ").replace("+00:00", " UTC")
    return (
        f'<p class="tb-change{undone}">{look.text(change.what)}'
        f"<span>{look.text(at)}{who}</span></p>"
    )
