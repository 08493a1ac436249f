"""The page: what Streamlit runs at every click. Started by `trimbin ui` (see `app/server.py`)."""

from __future__ import annotations

import streamlit as st

from app.views import (
    browse_page,
    label_page,
    library_page,
    look,
    search_page,
    shortlist_page,
    title_page,
)
from qdrant.errors import TrimbinError


def main() -> None:
    """Draw the page that was chosen; an error becomes its sentence, the rest stays usable."""
    st.set_page_config(page_title="Trimbin", page_icon=str(look.ICON), layout="wide")
    chosen = st.navigation(
        [
            st.Page(search_page.show, title="Search", url_path="search", default=True),
            st.Page(shortlist_page.show, title="Shortlist", url_path="shortlist"),
            st.Page(browse_page.show, title="Browse", url_path="browse"),
            st.Page(label_page.show, title="Labels", url_path="labels"),
            library_page.as_page(),
            st.Page(
                title_page.show, title="Title", url_path=title_page.URL_PATH, visibility="hidden"
            ),
        ],
        position="top",
    )
    look.dress()
    look.tell_trouble()
    try:
        chosen.run()
    except TrimbinError as error:
        look.tell(error)
    look.foot()


if __name__ == "__main__":
    main()
