"""The moments that were kept: put in order, trimmed, watched again, noted, taken away."""

from __future__ import annotations

import re
from collections.abc import Callable

import streamlit as st

from app import page
from app.export.spreadsheet import MIME, to_csv
from app.shortlist import Item, Shortlists, seconds_of
from app.shortlists.timing import points_of
from app.tell import clock
from app.views import conform_form, export_form, import_form, look, player, shortlist_manage
from app.views.shortlist_rows import PLAYING, SAID, rows, shot_of
from indexer.library import Library
from qdrant.errors import TrimbinError

CHOSEN = "list"
"""The widget and the part of the address that say which shortlist is shown."""
LOOK_EVERY_S = 1.5
"""How soon what others change shows up."""


def show() -> None:
    """Draw the shortlist page."""
    library = page.find_library()
    if library is None:
        look.empty("No moment has been kept yet.", "Search, and press `Add` under a moment.")
        return
    who = st.session_state.get(shortlist_manage.WHO, "")
    shortlists = Shortlists.of(library, who=who)
    names = shortlists.names()
    with st.container(key="choose", horizontal=True, vertical_alignment="bottom"):
        name = _chosen(names) if names else None
        shortlist_manage.manage(name, shortlists, CHOSEN)
        import_form.show(library, name, CHOSEN, who)
        conform_form.show(library, who)
        if name:
            shortlist_manage.history_button(name, shortlists)
    import_form.tell_what_came()
    conform_form.tell(CHOSEN)
    if name is None:
        look.empty("No moment has been kept yet.", "Search, and press `Add` under a moment.")
        return
    playing = st.session_state.get(PLAYING)
    st.session_state[f"{PLAYING}-shown"] = playing  # before the list looks whether it is to play
    _list(name, tuple(names), library, shortlists)
    _export(_together(name, names), library, shortlists)
    if playing and (item := shortlists.item(playing)):
        _play(item, library)


def _chosen(names: list[str]) -> str:
    if st.session_state.get(CHOSEN) not in (None, *names):
        del st.session_state[CHOSEN]  # somebody renamed or deleted it
    name = st.selectbox(
        "Shortlist", names, key=CHOSEN, label_visibility="collapsed", bind="query-params"
    )
    return name or names[0]


@st.fragment(run_every=LOOK_EVERY_S)
def _list(name: str, names: tuple[str, ...], library: Library, shortlists: Shortlists) -> None:
    try:
        now = shortlists.look(name)
        changed = now is None or tuple(shortlists.names()) != names
    except TrimbinError as error:
        look.tell(error)
        return
    if (changed or _is_asked_to_play()) and not shortlist_manage.is_busy():
        st.rerun()
    if now is None:
        return
    seconds = sum(end - start for start, end in (seconds_of(i, library) for i in now.items))
    count = "1 moment" if len(now.items) == 1 else f"{len(now.items)} moments"
    handles = f" · handles of {now.handles} frames" if now.handles else ""
    with st.container(key="shelf-head", horizontal=True, vertical_alignment="center"):
        look.heading(name, f"{count} · {clock(seconds)}{handles}")
        for label, icon, act, can in (
            ("Undo", ":material/undo:", shortlists.undo, now.can_undo),
            ("Redo", ":material/redo:", shortlists.redo, now.can_redo),
        ):
            st.button(
                label,
                icon=icon,
                key=f"shelf-{label.lower()}",
                disabled=not can,
                on_click=look.guarded(_turn),
                args=(act, name, label),
            )
    if not now.items:
        look.remark("Nothing is on this list. Search, and press `Add` under a moment.")
    rows(now, library, shortlists)


def _turn(act: Callable[[str], str], name: str, label: str) -> None:
    what = act(name)
    st.session_state[SAID] = (f"{label}: {what}" if what else "", False, False)


def _is_asked_to_play() -> bool:
    """Whether a row's play was pressed since the page was drawn."""
    asked = st.session_state.get(PLAYING)
    return asked is not None and asked != st.session_state.get(f"{PLAYING}-shown")


def _together(name: str, names: list[str]) -> list[str]:
    """Return the lists that are taken away: the one shown, and those chosen beside it."""
    others = [other for other in names if other != name]
    if not others:
        return [name]
    beside = st.multiselect(
        "Together with", others, key=f"beside-{name}", placeholder="Other shortlists to take along"
    )
    return [name, *beside]


def _export(names: list[str], library: Library, shortlists: Shortlists) -> None:
    """Offer these lists for taking away."""

    def items() -> list[Item]:
        return [item for name in names for item in shortlists.items(name)]

    if len(names) > 1:
        spans = [seconds_of(item, library) for item in items()]
        length = clock(sum(end_s - start_s for start_s, end_s in spans))
        look.remark(f"{len(names)} lists, {len(spans)} moments · {length}")
    st.download_button(
        "Download CSV",
        data=lambda: to_csv(items(), library),
        file_name=re.sub(r"[^\w -]", "_", " + ".join(names)) + ".csv",
        mime=MIME,
        icon=":material/download:",
        on_click="ignore",
    )
    export_form.show(names, library, shortlists)


def _stopped() -> None:
    st.session_state.pop(PLAYING, None)
    st.session_state.pop(f"{PLAYING}-shown", None)


@st.dialog("Moment", width="large", on_dismiss=_stopped)
def _play(item: Item, library: Library) -> None:
    start_s, end_s = seconds_of(item, library)
    try:
        manifest = library.manifest(item.title_id)
        player.play(library, manifest, start_s=start_s, end_s=end_s, shot=shot_of(item, manifest))
    except TrimbinError as error:
        look.tell(error)
        return
    start, end = points_of(item, library)
    st.html(
        f'<p class="tb-tc tb-tc-large">{look.text(start)} – {look.text(end)}</p>'  # noqa: RUF001
        f"<h3>{look.text(manifest.title)}</h3>"
        f'<p class="tb-path">{look.text(manifest.path)}</p>'
    )
