"""The shortlist page in a real browser: by mouse, by keyboard, and by two at once.

All of the random run: TRIMBIN_SHELF_EDITS=500 pytest -k two_browsers tests/app
"""

from __future__ import annotations

import os
import random
import re
import time
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect
from shelf import add_title, make_film, make_library
from visiting import NEEDS_BROWSER

from app.shortlist import Item, Pick, Shortlists

EDITS = int(os.environ.get("TRIMBIN_SHELF_EDITS", "40"))
HOSTILE = "<img src=x onerror=alert(1)> **bold** $x$"

pytestmark = [pytest.mark.slow, NEEDS_BROWSER]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library of two films of 288 frames at 24, one of them hostile by name and off line."""
    base = tmp_path_factory.mktemp("shelf")
    library = make_library(base / "library")
    for name, title in (("harbour.mp4", "Harbour"), ("gone.mp4", HOSTILE)):
        size = "320x180" if title == "Harbour" else "320x240"
        manifest = add_title(library, make_film(base / name, size=size), title=title)
        for shot in range(manifest.num_shots):
            picture = Image.new("RGB", (320, 180), (40 * shot, 90, 160 - 20 * shot))
            picture.save(library.thumbnail(manifest.title_id, shot))
    (base / "gone.mp4").unlink()
    return library.root


@pytest.fixture(scope="module")
def library_root(root: Path) -> Path:
    return root


def fill(root: Path, name: str, spans: int = 4) -> tuple[Shortlists, list[Item]]:
    """Begin a list of two-second spans of Harbour, the last of the film that is off line."""
    from indexer.library import Library

    library = Library.open(root)
    titles = {manifest.title: manifest for manifest in library.titles()}
    lists = Shortlists.of(library)
    for n in range(spans):
        manifest = titles[HOSTILE if n == spans - 1 else "Harbour"]
        start = 10 + 60 * (n % 4) + n // 4
        lists.add(name, Pick.of(manifest, start, start + 48, query="boats <b>"))
    return lists, lists.items(name)


def open_list(page: Page, address: str, name: str) -> Locator:
    page.goto(f"{address}/shortlist?list={name}")
    rows = page.locator(".tb-item")
    expect(page.locator(".tb-heading")).to_contain_text(name)
    rows.first.wait_for()
    return rows


def row(page: Page, item: Item) -> Locator:
    return page.locator(f".tb-item[data-id='{item.item_id}']")


def order(page: Page) -> list[int]:
    ids = page.locator(".tb-item").evaluate_all("rows => rows.map(row => Number(row.dataset.id))")
    return list(ids)


def until(condition, within_s: float = 15.0) -> None:  # type: ignore[no-untyped-def]
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.05)


def test_an_editor_builds_a_list_by_mouse(page: Page, root: Path, address: str) -> None:
    lists, (a, b, c, d) = fill(root, "Mouse")
    rows = open_list(page, address, "Mouse")
    expect(rows).to_have_count(4)
    expect(row(page, d).locator("h3")).to_have_text(HOSTILE)
    expect(row(page, d)).to_contain_text("Off line")
    expect(row(page, d).get_by_role("button", name="Play")).to_be_disabled()

    grip, target = row(page, a).locator(".grip").bounding_box(), row(page, c).bounding_box()
    assert grip and target
    page.mouse.move(grip["x"] + 5, grip["y"] + 5)
    page.mouse.down()
    page.mouse.move(target["x"] + 5, target["y"] + target["height"] * 0.8, steps=8)
    page.mouse.up()
    moved = [b.item_id, c.item_id, a.item_id, d.item_id]
    until(lambda: order(page) == moved)
    assert [item.item_id for item in lists.items("Mouse")] == moved

    for _ in range(5):  # quicker than the page answers: none may be lost
        row(page, b).get_by_role("button", name="In one frame later").click()
    row(page, b).get_by_role("button", name="Out one frame earlier").click()
    until(lambda: (lists.item(b.item_id).start_frame, lists.item(b.item_id).end_frame) == (75, 117))
    expect(row(page, b).get_by_label("In point")).to_have_value("00:00:03:03")
    expect(row(page, b).locator(".length")).to_have_text("1.75 s")

    row(page, b).get_by_role("button", name="4 stars").click()
    row(page, b).get_by_label("Colour").select_option("cyan")
    until(lambda: (lists.item(b.item_id).stars, lists.item(b.item_id).colour) == (4, "cyan"))
    row(page, c).get_by_role("button", name="Remove").click()
    expect(rows).to_have_count(3)
    page.locator(".take-back").click()
    expect(rows).to_have_count(4)
    assert order(page) == moved

    page.get_by_role("button", name="Undo", exact=True).first.click()
    until(lambda: lists.item(b.item_id).colour == "")
    page.get_by_role("button", name="Redo").click()
    until(lambda: lists.item(b.item_id).colour == "cyan")

    page.get_by_role("button", name="History").click()
    added = page.locator("[class*='st-key-change-']").filter(has_text=re.compile(r"Added <img"))
    added.get_by_role("button", name="Restore").click()
    until(lambda: lists.items("Mouse") == [a, b, c, d])
    until(lambda: order(page) == [item.item_id for item in (a, b, c, d)])


def test_everything_works_by_keyboard_alone(page: Page, root: Path, address: str) -> None:
    lists, (a, b, c, d) = fill(root, "Keys")
    open_list(page, address, "Keys")
    note = row(page, a).get_by_placeholder("Note")
    note.focus()
    page.keyboard.type("=slow zoom")
    page.keyboard.press("Alt+ArrowDown")
    page.keyboard.press("Alt+ArrowDown")
    until(lambda: order(page) == [i.item_id for i in (b, c, a, d)])
    expect(note).to_be_focused()
    expect(note).to_have_value("=slow zoom")
    page.keyboard.type(", then cut")
    page.keyboard.press("Enter")
    until(lambda: lists.item(a.item_id).note == "=slow zoom, then cut")

    out = row(page, b).get_by_label("Out point")
    out.focus()
    page.keyboard.press("Control+a")
    page.keyboard.type("00:00:04:00")
    page.keyboard.press("Enter")
    until(lambda: lists.item(b.item_id).end_frame == 96)
    page.keyboard.press("Control+a")
    page.keyboard.type("nonsense")
    page.keyboard.press("Enter")
    expect(page.locator(".said")).to_contain_text("is no time")
    expect(row(page, b).locator(".out")).to_have_value("00:00:04:00")

    page.keyboard.press("Tab")
    expect(row(page, b).get_by_role("button", name="Out one frame later")).to_be_focused()
    page.keyboard.press("Space")
    until(lambda: lists.item(b.item_id).end_frame == 97)


def test_a_moment_is_played_while_the_list_goes_on_looking(
    page: Page, root: Path, address: str
) -> None:
    _, (a, *_) = fill(root, "Play")
    open_list(page, address, "Play")
    row(page, a).get_by_role("button", name="Play").click()
    page.locator("video").wait_for()
    page.wait_for_timeout(4000)
    expect(page.locator("video")).to_have_count(1)
    page.get_by_role("button", name="Close").click()
    expect(page.locator("video")).to_have_count(0)
    page.wait_for_timeout(2500)
    expect(page.locator("video")).to_have_count(0)


def test_lists_are_begun_renamed_copied_deleted_and_recovered(
    page: Page, root: Path, address: str
) -> None:
    lists, items = fill(root, "House")
    open_list(page, address, "House")

    def name_and_press(name: str, button: str) -> None:
        page.get_by_role("button", name="Lists").click()
        page.get_by_placeholder("A name for a list").fill(name)
        page.get_by_role("button", name=button, exact=True).click()

    name_and_press("Home", "Rename")
    expect(page.locator(".tb-heading")).to_contain_text("Home")
    assert [i.item_id for i in lists.items("Home")] == [i.item_id for i in items]
    page.keyboard.press("Escape")
    name_and_press("Home 2", "Duplicate")
    expect(page.locator(".tb-heading")).to_contain_text("Home 2")
    assert len(lists.items("Home 2")) == 4
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Lists").click()
    page.get_by_role("button", name="Delete this list").click()
    until(lambda: "Home 2" not in lists.names())
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Lists").click()
    page.get_by_role("button", name="Recover Home 2").click()
    until(lambda: "Home 2" in lists.names())


def test_two_browsers_editing_one_list_lose_nothing(
    browser: Browser, root: Path, address: str
) -> None:
    """Each notes, trims, stars and moves its own rows: all of it must be there in the end."""
    lists, items = fill(root, "Both", spans=8)
    numbers = random.Random(7)
    pages = [browser.new_page(viewport={"width": w, "height": 900}) for w in (1280, 1000)]
    mine = (items[0::2], items[1::2])
    expected = {i.item_id: [i.note, i.stars, i.start_frame] for i in items}
    half_typed = row(pages[1], items[7]).get_by_placeholder("Note")
    try:
        for page in pages:
            open_list(page, address, "Both")
        for n in range(EDITS):
            who = numbers.randrange(2)
            page, item = pages[who], numbers.choice(mine[who][:3])
            there, is_of = row(page, item), expected[item.item_id]
            what = numbers.choice(("note", "star", "in", "move"))
            if what == "note":
                is_of[0] = f"note {n}"
                there.get_by_placeholder("Note").fill(is_of[0])
                there.get_by_placeholder("Note").press("Enter")
            elif what == "star":
                stars = numbers.choice([s for s in range(1, 6) if s != is_of[1]])
                is_of[1] = stars
                there.locator(".stars button").nth(stars - 1).click()
            elif what == "in":
                by = 1 if is_of[2] < item.start_frame + 5 else -1
                is_of[2] += by
                there.locator(f"[data-act='in{by:+}']").click()
            else:
                there.locator(f"[data-act={numbers.choice(('up', 'down'))}]").click()
            if n == EDITS // 2:
                half_typed.focus()
                half_typed.press_sequentially("half typ")
                time.sleep(4)  # drawn anew meanwhile, with what the other did
                assert half_typed.input_value() == "half typ"
                half_typed.press("Escape")

        def is_all_there() -> bool:
            now = {i.item_id: [i.note, i.stars, i.start_frame] for i in lists.items("Both")}
            return now == expected

        try:
            until(is_all_there, within_s=30)
        finally:
            now = {i.item_id: [i.note, i.stars, i.start_frame] for i in lists.items("Both")}
            assert now == expected

        def is_shown() -> bool:
            kept = [item.item_id for item in lists.items("Both")]
            return all(order(page) == kept for page in pages)

        until(is_shown, within_s=30)

        lists.annotate(items[0].item_id, "seen by both")
        for page in pages:
            expect(row(page, items[0]).get_by_placeholder("Note")).to_have_value("seen by both")
    finally:
        for page in pages:
            page.close()


@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_is_wider_than_the_window(
    width: int, browser: Browser, root: Path, address: str
) -> None:
    lists, items = fill(root, f"Wide{width}")
    lists.star(items[1].item_id, 3)
    lists.colour(items[1].item_id, "blue")
    lists.annotate(items[1].item_id, "long " * 40)
    page = browser.new_page(viewport={"width": width, "height": 900})
    open_list(page, address, f"Wide{width}")
    page.wait_for_timeout(1000)
    if folder := os.environ.get("TRIMBIN_SHELF_PICTURES"):
        page.screenshot(path=f"{folder}/shortlist-{width}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for selector in (".tb-item", ".remove", ".note", ".edge"):
        for edge in page.locator(selector).evaluate_all(
            "all => all.map(e => e.getBoundingClientRect().right)"
        ):
            assert edge <= width
    page.close()
