"""The catalogue as a map: shots that are alike lie together, and are drawn around to be taken."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from app import page
from app.mapping import begin_map, drawing
from app.serve_media import thumbnail_address
from app.views import cards, keep, library_page, look, title_page
from indexer import environment
from indexer.atlas.atlas import Atlas, read_atlas
from indexer.library import Library
from indexer.manifest import Manifest
from indexer.tagging.tags import read_tags
from indexer.tagging.vocabulary import Group

LOOK_EVERY_S = 1
MOST_LISTED = 60
"""Chosen shots that are shown beside the map; all of them are added together."""
MOST_COLOURS = 16
"""Values that get a colour of their own; the others are grey together."""
OTHERS = "others"
LABEL_CHARACTERS = 34

COLOURS: dict[str, Callable[[Manifest], str]] = {
    "Genre": lambda m: next(iter(cards.genres_of(m)), "none told"),
    "Title": lambda m: m.title,
    "Kind": lambda m: m.kind,
    "Year": lambda m: str(m.metadata.get("year") or "none told"),
}
"""What points are coloured by, beside their group; of several genres the first."""
OF_SHOTS: dict[str, Group] = {"Tone": "tone", "Clip genre": "genre"}
"""Points are coloured by their own strongest tag, too, where any shot has been tagged so."""
NO_TAG = "none told"
FACETS = ("Kind", "Genre", "Year")

SPACES = {"context": "what they show, sound and say, in the context of their title",
          "fused": "what they show, sound and say"}  # fmt: skip


@dataclass(frozen=True)
class Shown:
    """What of a map is drawn."""

    points: list[int]  # numbers on the map, after the facets
    titles: list[Manifest | None]  # of the map's `title_ids`; None: it has gone


def show() -> None:
    """Draw the browse page."""
    library = page.find_library()
    if library is None or not library.titles():
        look.nothing_indexed(environment.library_root())
        return
    atlas = _read(library, _stamp(library))
    if atlas is None or not atlas.is_of(library):
        _draw_it(library, is_first=atlas is None)
    if atlas is not None:
        _map(atlas, library)


def _stamp(library: Library) -> int:
    try:
        return (library.cache_folder / f"map-{library.version}.npz").stat().st_mtime_ns
    except OSError:
        return 0


@st.cache_resource(
    max_entries=2, show_spinner=False, hash_funcs={Library: lambda library: str(library.root)}
)
def _read(library: Library, stamp: int) -> Atlas | None:
    return read_atlas(library)


def _draw_it(library: Library, *, is_first: bool) -> None:
    """Have the map drawn in a child process, once; a failure waits for somebody's press."""
    work = drawing.work
    if work is None or (not work.is_running and not work.trouble):
        begin_map(library.root)
    _progress(is_first=is_first)


@st.fragment(run_every=LOOK_EVERY_S)
def _progress(*, is_first: bool) -> None:
    work = drawing.work
    if work is None:  # another visit saw its end
        st.rerun()
    if work.is_running:
        what = "The map is being drawn" if is_first else "The map is being brought up to date"
        st.progress(work.share, text=f"{what}: {work.stage or 'starting'}")
    elif work.trouble:
        st.html(f'<div class="tb-alert" role="alert">{look.sentence(work.trouble)}</div>')
        st.button("Try again", key="map-again", on_click=drawing.put_away)
    else:
        drawing.put_away()
        st.rerun()


def _map(atlas: Atlas, library: Library) -> None:
    titles = [library.find(title_id) for title_id in atlas.title_ids]
    with st.container(key="facets", horizontal=True, vertical_alignment="bottom"):
        by = st.selectbox(
            "Colour by",
            ["Group", *(name for name, group in OF_SHOTS.items() if _any(titles, group)), *COLOURS],
            key="map-colour",
            format_func=lambda name: f"Colour: {name.lower()}",
            label_visibility="collapsed",
            width=library_page.CHOICE_PX,
        )
        names = sorted({m.title for m in titles if m})
        chosen = {f: library_page.facet(f, [m for m in titles if m]) for f in FACETS}
        of_titles = st.multiselect(
            "Title", names, key="map-titles", placeholder="Title", label_visibility="collapsed",
            width=library_page.CHOICE_PX,
        )  # fmt: skip
    takes = [
        m is not None
        and (not of_titles or m.title in of_titles)
        and library_page.Wanted("", chosen, "").takes(m)
        for m in titles
    ]
    points = np.flatnonzero(np.array(takes, bool)[atlas.title]).tolist()
    shown = Shown(points, titles)
    wide, beside = st.columns([2.4, 1], gap="medium")
    with wide:
        result = _component()(
            key="atlas",
            data=_data(atlas, shown, by or "Group", library),
            default={"selected": []},
            on_selected_change=lambda: None,
            on_act_change=lambda: None,
        )
        _caption(atlas)
    with beside:
        _chosen(atlas, shown, library, _points(result.get("selected"), shown))
    acted = result.get("act")
    if isinstance(acted, dict) and (found := _points([acted.get("point")], shown)):
        _play(atlas, library, found[0])


def _points(asked: object, shown: Shown) -> list[int]:
    """Return the points that the browser names, if they are on the map."""
    there = set(shown.points)
    return (
        [p for p in asked if isinstance(p, int) and p in there] if isinstance(asked, list) else []
    )


def _data(atlas: Atlas, shown: Shown, by: str, library: Library) -> dict[str, Any]:
    points = np.array(shown.points, np.intp)
    places = np.round(atlas.places[points], 4)
    colour, legend = _coloured(atlas, shown, by, library)
    return {
        "ids": shown.points,
        "x": places[:, 0].tolist(),
        "y": places[:, 1].tolist(),
        "title": atlas.title[points].tolist(),
        "shot": atlas.shot[points].tolist(),
        "colour": colour,
        "legend": legend,
        "labels": _labels(atlas, points) if by == "Group" else [],
        "titles": [
            {"id": id_, "name": m.title if m else "", "has_picture": bool(m and m.width)}
            for id_, m in zip(atlas.title_ids, shown.titles, strict=True)
        ],
    }


def _coloured(atlas: Atlas, shown: Shown, by: str, library: Library) -> tuple[list[int], list[str]]:
    """Return each point's number in the legend, and the legend, the commonest value first."""
    if by == "Group":
        values: Sequence[str] = [atlas.names[atlas.group[point]] for point in shown.points]
    elif by in OF_SHOTS:
        of_titles = [_strongest(library, m, OF_SHOTS[by]) for m in shown.titles]
        values = [of_titles[atlas.title[p]].get(int(atlas.shot[p]), NO_TAG) for p in shown.points]
    else:
        of_title = [COLOURS[by](m) if m else OTHERS for m in shown.titles]
        values = [of_title[atlas.title[point]] for point in shown.points]
    common = [value for value, _ in Counter(values).most_common()]
    legend = common if len(common) <= MOST_COLOURS else [*common[: MOST_COLOURS - 1], OTHERS]
    numbers = {value: min(n, len(legend) - 1) for n, value in enumerate(common)}
    return [numbers[value] for value in values], legend


def _any(titles: Sequence[Manifest | None], group: Group) -> bool:
    return any(manifest is not None and manifest.tag_names.get(group) for manifest in titles)


def _strongest(library: Library, manifest: Manifest | None, group: Group) -> dict[int, str]:
    """Return the strongest tag of each of a title's shots that carries one."""
    if manifest is None or manifest.tags is None:
        return {}
    return _tags_in(library, manifest.title_id, manifest.tags, group)


@st.cache_data(
    max_entries=2000, show_spinner=False, hash_funcs={Library: lambda library: str(library.home)}
)
def _tags_in(library: Library, title_id: str, file: str, group: Group) -> dict[int, str]:
    """Read them once for each file of tags."""
    manifest = library.find(title_id)
    tags = read_tags(library.folder(title_id), manifest) if manifest else None
    if manifest is None or tags is None:
        return {}
    names = tags.strongest(group, manifest.num_shots)
    return {shot: name for shot, name in enumerate(names) if name}


def _labels(atlas: Atlas, points: Any) -> list[dict[str, Any]]:
    """Return groups' names, each in the midst of its shots; the largest come first."""
    labels = []
    for group, name in enumerate(atlas.names):
        members = points[atlas.group[points] == group]
        if len(members):
            x, y = np.median(atlas.places[members], axis=0).tolist()
            labels.append({"name": name[:LABEL_CHARACTERS], "x": x, "y": y, "size": len(members)})
    return sorted(labels, key=lambda label: -int(label["size"]))


def _caption(atlas: Atlas) -> None:
    every = f" One of {atlas.every} shots of each title is shown." if atlas.every > 1 else ""
    look.remark(
        f"Shots lie together that are alike in {SPACES[atlas.space]}; far apart means little. "
        "A group is called by words told in its shots far more often than elsewhere, else by the "
        f"title most of it is from.{every}"
    )


def _chosen(atlas: Atlas, shown: Shown, library: Library, points: list[int]) -> None:
    """Draw the chosen shots, each to be played, all to be added."""
    if not points:
        look.empty("Draw around shots on the map.", "They are listed here, to play and to add.")
        return
    count = "1 shot" if len(points) == 1 else f"{len(points):,} shots"
    look.heading(count)
    list_name = keep.chosen_list(library)
    taken = points[: keep.MOST_AT_ONCE]
    if st.button(
        "Add all" if len(taken) == len(points) else f"Add the first {len(taken)}",
        key="take-chosen",
        icon=":material/add:",
    ):
        shots = [(atlas.title_ids[atlas.title[p]], int(atlas.shot[p])) for p in taken]
        kept = keep.keep(library, list_name, shots)
        st.toast(f"{kept} shots are in {list_name}.")
    with st.container(key="map-list", height=460, border=False):
        for point in points[:MOST_LISTED]:
            _row(atlas, shown, library, point)
    if len(points) > MOST_LISTED:
        look.remark(f"{len(points) - MOST_LISTED:,} more.")


def _row(atlas: Atlas, shown: Shown, library: Library, point: int) -> None:
    manifest = shown.titles[atlas.title[point]]
    if manifest is None:
        return
    shot = int(atlas.shot[point])
    picture = (
        f'<img src="{look.text(thumbnail_address(manifest.title_id, shot))}" alt="" loading="lazy">'
        if manifest.width
        else "<span>sound</span>"
    )
    with st.container(key=f"map-shot-{point}", horizontal=True, vertical_alignment="center"):
        st.html(
            f'<div class="tb-mini">{picture}<div><p>{look.text(manifest.title)}</p>'
            f"<p>shot {shot + 1} of {manifest.num_shots}</p></div></div>"
        )
        if st.button("Play", key=f"mini-play-{point}", icon=":material/play_arrow:"):
            _play(atlas, library, point)


def _play(atlas: Atlas, library: Library, point: int) -> None:
    title_id, shot = atlas.title_ids[atlas.title[point]], int(atlas.shot[point])
    title_page.play_shot(library, library.manifest(title_id), shot)


@cache
def _component() -> Any:
    """Return the map, registered once. What it is given as data never becomes markup."""
    html, css, js = (
        Path(__file__).with_name(f"atlas.{kind}").read_text(encoding="utf-8")
        for kind in ("html", "css", "js")
    )
    return st.components.v2.component("trimbin_atlas", html=html, css=css, js=js)
