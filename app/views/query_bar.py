"""The bar that a question is put together in: words, chips of what was understood, menus."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import streamlit as st

from app import editing
from app.fields import TAGS
from app.parsing import parse
from app.request import Clip, Field, Image, Line, Request, Sound, Term, Words
from app.saved import SavedSearches
from app.sent import CLIP_KINDS, MAX_CLIP_MB, MAX_PICTURE_MB, PICTURE_KINDS, Sent
from app.shortlist import DEFAULT_LIST, Shortlists
from app.views import chips, look
from indexer.library import Library
from indexer.manifest import Manifest
from indexer.tagging.tags import known_names
from qdrant.errors import UsageError

Q, TITLE, PER_TITLE, VARIETY, FLOOR = "q", "title", "per_title", "variety", "floor"
"""Widgets, and the parts of the address that keep them: a link opens the same search again."""
KEEP_IN = "shortlist"
ALL_TITLES = "All titles"
CHOICE_PX = 240
LONGEST_S, QUIETEST_LUFS = 60.0, -60.0
"""The ends of sliders: there a side is open."""
GAPS = {"within 30 s": "", "within 5 s": "5s", "within 10 s": "10s", "in the next shot": "1shots",
        "within 3 shots": "3shots"}  # fmt: skip
TAG_NAMES = {"label": "Label", "tone": "Tone", "clipgenre": "Clip genre"}
SHARES = {"speech": "Speech", "music": "Music", "brightness": "Brightness", "motion": "Motion"}


@dataclass(frozen=True)
class Asked:
    """What was asked for on the page."""

    text: str
    request: Request | None  # None: nothing, or nothing that can be understood
    sent: tuple[Sent, ...]
    keep_in: str  # the shortlist that moments are added to


def show(library: Library, titles: list[Manifest]) -> Asked:
    """Draw the bar; return what was asked for. What is not understood is told beside it."""
    names = [ALL_TITLES, *dict.fromkeys(manifest.title for manifest in titles)]
    with st.container(key="ask", horizontal=True, vertical_alignment="bottom"):
        words = st.text_input(
            "Search",
            key=Q,
            type="search",
            placeholder="Describe a moment",
            label_visibility="collapsed",
            bind="query-params",
        )
        title = st.selectbox(
            "Title",
            names,
            key=TITLE,
            label_visibility="collapsed",
            bind="query-params",
            width=CHOICE_PX,
        )
    text = (words or "").strip()
    chosen = None if title in (None, ALL_TITLES) else title
    understood, trouble = _understood(text)
    if trouble:
        look.tell(trouble)
    elif understood:
        chips.show(editing.chips_of(understood), key="chips", on_remove=_remove)
    with st.container(key="menus", horizontal=True, vertical_alignment="center"):
        _menu_of_terms()
        _menu_of_fields(titles)
        sent = _menu_of_files()
        dials = _menu_of_dials()
        _menu_of_saved(library)
        keep_in = _chosen_list(Shortlists.of(library))
    request = None
    if understood:
        of_title = [Field("title", (chosen,))] if chosen else []
        request = parse(text, **dials).where(*of_title)
    return Asked(text, request, sent, keep_in)


def change(edit: Callable[[str], str]) -> None:
    """Change the question, in a callback: the page is drawn with the new one."""

    def write() -> None:
        st.session_state[Q] = edit(st.session_state.get(Q) or "")

    look.guarded(write)()


def _understood(text: str) -> tuple[Request | None, UsageError | None]:
    if not text:
        return None, None
    try:
        return parse(text), None
    except UsageError as error:
        return None, error


def _remove(chip_id: str) -> None:
    change(lambda text: editing.without(text, chip_id))


def _menu_of_terms() -> None:
    """Put the menu in that adds what is to be avoided, what follows, what is said."""
    with (
        st.popover("Add", icon=":material/add:"),
        st.form("add-term", clear_on_submit=True, border=False),
    ):
        st.text_input("Words", key="term", placeholder="night, two people, we have to go")
        st.selectbox("within", GAPS, key="term-gap", label_visibility="collapsed")
        with st.container(key="term-buttons", horizontal=True):
            for label, edit in TERMS.items():
                st.form_submit_button(label, on_click=_add_term, args=(edit,))


def _add_term(edit: Callable[[str, str, str], str]) -> None:
    words = " ".join((st.session_state.get("term") or "").split())
    gap = GAPS.get(st.session_state.get("term-gap") or "", "")
    if words:
        change(lambda text: edit(text, words, gap))


def _avoid(text: str, words: str, gap: str) -> str:
    return editing.with_term(text, Term(Words(words), is_unwanted=True))


def _follow(text: str, words: str, gap: str) -> str:
    return editing.followed(text, words, gap=gap)


def _said(text: str, words: str, gap: str) -> str:
    return editing.with_term(text, Term(Line(words)))


def _heard(text: str, words: str, gap: str) -> str:
    return editing.with_term(text, Term(Sound(words, is_measured=False)))


def _meanwhile(text: str, words: str, gap: str) -> str:
    return editing.at_once(text, words)


TERMS = {
    "Exclude": _avoid,
    "Then": _follow,
    "Line that is said": _said,
    "At the same time": _meanwhile,
    "Sound": _heard,
}
"""What can be done with words that are typed into the menu."""


def _menu_of_fields(titles: list[Manifest]) -> None:
    """Put the menu of filters in; one that is moved becomes a chip."""
    kinds = sorted({manifest.kind for manifest in titles})
    years = [y for m in titles if isinstance(y := m.metadata.get("year"), int)]
    with (
        st.popover("Filter", icon=":material/tune:"),
        st.form("fields", clear_on_submit=True, border=False),
    ):
        st.multiselect("Kind", kinds, key="f-kind")
        for name, groups in TAGS.items():
            if known := known_names(titles, *groups):
                st.multiselect(TAG_NAMES[name], known, key=f"f-{name}")
        if years:
            span = (min(years), max(years) + (min(years) == max(years)))
            st.slider("Year", *span, span, key="f-year")
        st.slider("Spoiler guard: up to this part of a title, %", 0, 100, 100, key="f-position")
        st.slider("Length, seconds", 0.0, LONGEST_S, (0.0, LONGEST_S), key="f-length")
        st.slider("Loudness, LUFS", QUIETEST_LUFS, 0.0, (QUIETEST_LUFS, 0.0), key="f-loudness")
        for name, label in SHARES.items():
            st.slider(label, 0.0, 1.0, (0.0, 1.0), step=0.05, key=f"f-{name}")
        st.pills("Sound", ["silence", "speech", "music"], key="f-sound")
        st.form_submit_button("Apply", on_click=_add_fields, args=(years,), type="primary")


def _add_fields(years: list[int]) -> None:
    value: Callable[[str], Any] = lambda name: st.session_state.get(f"f-{name}")  # noqa: E731
    fields = [Field(name, tuple(value(name))) for name in ("kind", *TAGS) if value(name)]
    if years:
        fields += _between("year", value("year"), min(years), max(years) + (len(set(years)) == 1))
    if (share := value("position")) is not None and share < 100:
        fields.append(Field("position", high=share / 100))
    fields += _between("length", value("length"), 0.0, LONGEST_S)
    fields += _between("loudness", value("loudness"), QUIETEST_LUFS, 0.0)
    for name in SHARES:
        fields += _between(name, value(name), 0.0, 1.0)

    def edit(text: str) -> str:
        for field in fields:
            text = editing.with_field(text, field)
        if heard := value("sound"):
            text = editing.with_term(text, Term(Sound(heard, is_measured=True)))
        return text

    change(edit)


def _between(
    name: str, span: tuple[float, float] | None, lowest: float, highest: float
) -> list[Field]:
    """Return the field that a slider stands for: a side at its end is open, both are no field."""
    low, high = span or (lowest, highest)
    bounds = (low if low > lowest else None, high if high < highest else None)
    return [] if bounds == (None, None) else [Field(name, (), *bounds)]


def _menu_of_files() -> tuple[Sent, ...]:
    """Put the menu in that takes a clip or a picture; return those that it holds."""
    with st.popover("Clip or picture", icon=":material/upload_file:"):
        clip = st.file_uploader(
            "Moments like a clip",
            CLIP_KINDS,
            key="clip-file",
            max_upload_size=MAX_CLIP_MB,
            on_change=_name_file,
            args=("clip-file", Clip),
        )
        picture = st.file_uploader(
            "Moments that look like a picture",
            PICTURE_KINDS,
            key="picture-file",
            max_upload_size=MAX_PICTURE_MB,
            on_change=_name_file,
            args=("picture-file", Image),
        )
    return tuple(Sent.of(held.name, held.getvalue()) for held in (clip, picture) if held)


def _name_file(key: str, kind: type[Clip | Image]) -> None:
    """Put a file that was just sent into the question."""
    held = st.session_state.get(key)
    if held:
        named = kind(Sent.of(held.name, b"").name)
        change(lambda text: editing.with_term(text, Term(named)))


def _menu_of_dials() -> dict[str, Any]:
    """Put the dials in; return what they say as fields of a request."""
    with st.popover("Dials", icon=":material/instant_mix:"):
        most = st.number_input(
            "Moments of one title, at most (0: any number)",
            0,
            100,
            key=PER_TITLE,
            bind="query-params",
        )
        variety = st.slider(
            "Variety: from the best to the most different",
            0.0,
            1.0,
            step=0.05,
            key=VARIETY,
            bind="query-params",
        )
        floor = st.slider(
            "Weak below this score (0: as the profile says)",
            0.0,
            1.0,
            step=0.05,
            key=FLOOR,
            bind="query-params",
        )
    return {"per_title": int(most) or None, "variety": float(variety), "floor": floor or None}


def _menu_of_saved(library: Library) -> None:
    """Put the menu of saved searches in."""
    saved = SavedSearches.of(library)
    known = saved.all()
    with st.popover("Saved", icon=":material/bookmark:"):
        for n, (name, search) in enumerate(known.items()):
            with st.container(key=f"saved-{n}", horizontal=True, vertical_alignment="center"):
                st.button(name, key=f"open-{name}", on_click=_open, args=(search,), width="stretch")
                st.button(
                    "Delete",
                    key=f"delete-{name}",
                    on_click=look.guarded(saved.remove),
                    args=(name,),
                )
        with st.form("save-search", clear_on_submit=True, border=False):
            st.text_input("Save this search as", key="save-as")
            st.form_submit_button("Save", on_click=look.guarded(_save), args=(saved,))


def _save(saved: SavedSearches) -> None:
    state = st.session_state
    search = {name: str(state[name]) for name in (Q, TITLE, PER_TITLE, VARIETY, FLOOR)
              if state.get(name) not in (None, "", 0, 0.0, ALL_TITLES)}  # fmt: skip
    if not search.get(Q):
        raise UsageError("There is no search to save yet; ask for something first.")
    saved.save(state.get("save-as") or "", search)


def _open(search: dict[str, str]) -> None:
    st.session_state[Q] = search.get(Q, "")
    st.session_state[TITLE] = search.get(TITLE, ALL_TITLES)
    for name, kind in ((PER_TITLE, int), (VARIETY, float), (FLOOR, float)):
        try:
            st.session_state[name] = kind(search.get(name, "0"))
        except ValueError:
            st.session_state[name] = kind(0)


def _chosen_list(shortlists: Shortlists) -> str:
    names = shortlists.names() or [DEFAULT_LIST]
    chosen = st.selectbox(
        "Shortlist to add to; type a name for a new one",
        names,
        format_func=lambda name: f"Add to: {name}",
        key=KEEP_IN,
        accept_new_options=True,
        label_visibility="collapsed",
        width=CHOICE_PX,
        persist_state="session",
    )
    return chosen or names[0]
