"""What is done with the moments on the search page, and what lies around one of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import streamlit as st

from app import around, editing, page
from app.moment import Moment, of_shots, place_of
from app.parsing import parse
from app.request import Field, Image, Like, Term
from app.views import cards, grid, look, query_bar, watching
from indexer.library import Library
from qdrant.errors import TrimbinError

AROUND = "around"
"""Which moment's surroundings are shown: (AROUND or SCENE, the moment)."""

HEADINGS = {grid.AROUND: "Before and after", grid.SCENE: "Same scene"}


@dataclass(frozen=True)
class Desk:
    """Grids of moments and what their actions do."""

    library: Library
    query: str
    keep: Callable[[Moment], None]
    kept: set[tuple[str, int, int]]

    def is_kept(self, moment: Moment) -> bool:
        """Whether the shortlist in use holds just this span."""
        return (moment.title_id, moment.start_frame, moment.end_frame) in self.kept

    def show(
        self, key: str, moments: Sequence[Moment], shown: Sequence[grid.Card], *, heading: str
    ) -> None:
        """Put a grid in, and the player where a moment of it is to be played."""
        by_id = {moment.hit_id: moment for moment in moments}

        def act(action: grid.Action) -> None:
            if moment := by_id.get(action.card_id):
                look.guarded(self._act)(action.name, moment)

        picked = grid.show(shown, key=key, heading=heading, on_action=act)
        if picked and picked.card_id in by_id and picked.name == grid.PLAY:
            at = list(by_id).index(picked.card_id)
            watching.play(list(by_id.values()), at, self.library, self.keep)

    def show_around(self) -> None:
        """Put the shots around a moment in, where somebody asked for them."""
        asked = st.session_state.get(AROUND)
        if asked is None:
            return
        kind, moment = asked
        try:
            manifest = self.library.manifest(moment.title_id)
            num_shots = manifest.num_shots
            shots = (
                around.neighbours(moment, num_shots)
                if kind == grid.AROUND
                else around.scene(moment, page.catalogue())
            )
            found = [of_shots(self.library, manifest, shot, shot + 1) for shot in shots]
        except TrimbinError as error:
            look.tell(error)
            return
        shown = [cards.card_of(m, self.library, is_added=self.is_kept(m)) for m in found]
        for card, shot in zip(shown, shots, strict=True):
            if moment.shots[0] <= shot < moment.shots[1]:
                card["badges"] = [*card["badges"], ("good", "this moment")]
        with st.container(key="around", border=True):
            heading = f"{HEADINGS[kind]}: {cards.span_of(moment)}, {moment.title}"
            self.show("around-grid", found, shown, heading=heading)
            st.button("Close", key="around-close", on_click=_close_around)

    def _act(self, name: str, moment: Moment) -> None:
        """Do what can be done before the page is drawn."""
        if name == grid.ADD:
            self.keep(moment)
        elif name in (grid.LIKE, grid.UNLIKE):
            like = Term(Like(place_of(moment, self.library)), is_unwanted=name == grid.UNLIKE)
            query_bar.change(lambda text: _with(text, like))
            _close_around()
        elif name == grid.MATCH:
            query_bar.change(lambda _text: self._match_cut(moment))
            _close_around()
        elif name == grid.TITLE:
            st.session_state[query_bar.TITLE] = moment.title
            _close_around()
        elif name in HEADINGS:
            st.session_state[AROUND] = (name, moment)

    def _match_cut(self, moment: Moment) -> str:
        """Return the question for what looks as the moment's last shot does, in other titles.

        By pictures alone. Where there is no other title, the same one is searched.
        """
        path = self.library.thumbnail(moment.title_id, moment.shots[1] - 1)
        text = editing.with_term("", Term(Image(str(path))))
        if len(self.library.titles()) < 2:
            return text
        name = place_of(moment, self.library).title
        return editing.with_term(text, Term(Field("title", (name,)), is_unwanted=True))


def _with(text: str, like: Term) -> str:
    """Return a question with a likeness more; one of several steps makes way for it."""
    if len(parse(text).steps) > 1 and not like.is_unwanted:
        return editing.with_term("", like)
    return editing.with_term(text, like)


def _close_around() -> None:
    st.session_state.pop(AROUND, None)
