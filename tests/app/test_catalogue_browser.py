"""A title's page, the map and the library in a real browser, over films indexed for real."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from harness import need_offline_profile, run_trimbin
from playwright.sync_api import Browser, Page, expect
from reel import CAT, COINS, LINE, make_reel
from shelf import make_film
from visiting import NEEDS_BROWSER, SEE_WITHIN_MS, page_over, playing

from indexer.library import Library

HOSTILE = "<img src=x onerror=alert(1)> **Mute**"

pytestmark = [pytest.mark.slow, NEEDS_BROWSER]


@dataclass
class Shelf:
    """A library of two films, the second with a hostile name, behind a page that is open."""

    address: str
    root: Path
    films: Path
    reel: str  # title id of the photographs


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    need_offline_profile()
    folder = tmp_path_factory.mktemp("catalogue")
    make_reel(folder / "films", name="Photographs.mp4")
    make_reel(folder / "films", name="Mute.mp4", sound=False, subtitles=False)
    table = (
        "path,title,kind,genres,year,synopsis\n"
        "Photographs.mp4,Photographs,short,art,1998,Pictures one after another\n"
        f'Mute.mp4,"{HOSTILE}",episode,technical,2021,\n'
    )
    (folder / "films" / "titles.csv").write_text(table, encoding="utf-8")
    root = folder / "library"
    run_trimbin("index", folder / "films", "--library", root, "--profile", "offline")
    ids = {Path(m.path).stem: m.title_id for m in Library.open(root).titles()}
    with page_over(root) as address:
        yield Shelf(address, root, folder / "films", ids["Photographs"])


@pytest.fixture(scope="module")
def address(shelf: Shelf) -> str:
    return shelf.address


def test_a_titles_page_plays_the_shot_that_is_clicked(page: Page, shelf: Shelf) -> None:
    page.goto(f"{shelf.address}/title?id={shelf.reel}")
    expect(page.locator(".tb-title-head")).to_contain_text("Photographs")
    expect(page.locator(".tb-synopsis")).to_have_text("Pictures one after another")
    expect(page.locator(".tb-about")).to_contain_text("1998")
    timeline = page.locator(".timeline")
    expect(timeline).to_have_attribute("data-ready", "6")
    timeline.locator(f".shot[data-shot='{COINS}']").click()
    assert 2 * COINS <= playing(page)["now"] <= 2 * COINS + 2.1
    expect(page.get_by_role("dialog")).to_contain_text(LINE)
    page.get_by_role("button", name="Close").click()

    box = timeline.locator("canvas").bounding_box()
    assert box
    page.mouse.click(box["x"] + box["width"] * (2 * CAT + 1) / 12, box["y"] + 40)
    assert playing(page)["now"] <= 2.1


def test_the_keyboard_walks_plays_and_keeps(page: Page, shelf: Shelf) -> None:
    page.goto(f"{shelf.address}/title?id={shelf.reel}")
    timeline = page.locator(".timeline")
    expect(timeline).to_have_attribute("data-ready", "6")
    timeline.focus()
    page.keyboard.press("End")
    expect(timeline.locator(".where")).to_contain_text("Shot 6 of 6")
    page.keyboard.press("ArrowLeft")
    expect(timeline.locator(".where")).to_contain_text("Shot 5 of 6 · 00:00:08:00")
    page.keyboard.press("a")
    expect(page.get_by_text("Shot 5 is in Selects.")).to_be_visible()
    page.goto(f"{shelf.address}/shortlist")
    expect(page.get_by_label("In point")).to_have_value("00:00:08:00")


def test_a_query_lights_up_where_it_matches(page: Page, shelf: Shelf) -> None:
    page.goto(f"{shelf.address}/title?id={shelf.reel}&q=the+lighthouse+keeper+never+came+home")
    timeline = page.locator(".timeline")
    expect(timeline.locator(".where")).to_contain_text("score")
    expect(timeline.locator(".where")).to_contain_text(f"Shot {COINS + 1} of 6")
    expect(timeline.locator(f".shot[data-shot='{COINS}'] .hit")).to_have_count(1)
    field = page.get_by_placeholder("Search in this title")
    expect(field).to_have_value("the lighthouse keeper never came home")
    field.fill("")
    page.keyboard.press("Enter")
    expect(timeline.locator(".hit")).to_have_count(0)


def test_similar_titles_lead_to_their_pages_and_names_stay_text(page: Page, shelf: Shelf) -> None:
    page.goto(f"{shelf.address}/title?id={shelf.reel}")
    alike = page.locator(".tb-like")
    expect(alike).to_contain_text(HOSTILE)
    expect(page.get_by_text("It knows nothing of plot")).to_be_visible()
    alike.click()
    expect(page.locator(".tb-title-head h2")).to_contain_text(HOSTILE)
    assert page.locator("img[src='x']").count() == 0


def test_an_address_of_no_title_is_a_sentence(page: Page, shelf: Shelf) -> None:
    for id_ in ("", "../../etc", "016e4b69-0000-542d-9b89-486ff5f6b9f3"):
        page.goto(f"{shelf.address}/title?id={id_}")
        expect(page.locator(".tb-empty")).to_contain_text("This title is not here.")


def test_a_lasso_on_the_map_lists_shots_and_adds_them(page: Page, shelf: Shelf) -> None:
    page.goto(f"{shelf.address}/browse")
    atlas = page.locator(".atlas")
    expect(atlas).to_have_attribute("data-ready", "12", timeout=180_000)
    expect(page.locator(".tb-empty")).to_contain_text("Draw around shots")
    box = atlas.locator("canvas").bounding_box()
    assert box
    left, top = box["x"] + 3, box["y"] + 3
    right, bottom = left + box["width"] - 6, top + box["height"] - 6
    page.mouse.move(left, top)
    page.mouse.down()
    for x, y in ((right, top), (right, bottom), (left, bottom)):
        page.mouse.move(x, y, steps=5)
    page.mouse.up()
    expect(page.locator(".tb-mini")).to_have_count(12)
    expect(page.locator(".tb-mini").filter(has_text=HOSTILE)).to_have_count(6)
    page.get_by_role("combobox", name="Shortlist to add to").fill("From the map")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Add all").click()
    expect(page.get_by_text("12 shots are in From the map.")).to_be_visible()
    page.get_by_role("button", name="Play", exact=True).first.click()
    playing(page)


def test_filters_and_orders_of_the_library(page: Page, shelf: Shelf) -> None:
    page.goto(f"{shelf.address}/library")
    expect(page.locator(".tb-row")).to_have_count(2)
    page.get_by_role("combobox", name="Kind").click()
    page.get_by_role("option", name="episode").click()
    expect(page.locator(".tb-row")).to_have_count(1)
    expect(page.locator(".tb-row")).to_contain_text("technical")


def test_a_video_is_added_while_a_search_goes_on_then_relinked_and_removed(
    page: Page, browser: Browser, shelf: Shelf
) -> None:
    new = make_film(shelf.root.parent / "late" / "Late.mp4", seconds=40, size="640x360")
    bad = new.with_name("bad.mp4")
    bad.write_text("no film", encoding="utf-8")
    page.goto(f"{shelf.address}/library")
    page.get_by_text("Add videos").click()
    page.get_by_role("textbox", name="Films, sound").fill("relative/path.mp4")
    page.get_by_role("button", name="Index them").click()
    expect(page.locator(".tb-alert")).to_contain_text("is no whole path")
    page.get_by_role("textbox", name="Films, sound").fill(f"{bad}\n{new}")
    page.get_by_role("button", name="Index them").click()
    expect(page.locator(".st-key-adding")).to_be_visible()

    other = browser.new_page()
    other.set_default_timeout(SEE_WITHIN_MS)
    other.goto(f"{shelf.address}/title?id={shelf.reel}&q=a+cat")
    expect(other.locator(".timeline .hit").first).to_be_visible()
    other.close()

    page.reload()  # the work belongs to the server, not to this visit
    added = page.locator(".tb-added")
    expect(added).to_contain_text("Late.mp4: indexed", timeout=180_000)
    expect(added.locator(".tb-failed")).to_contain_text("bad.mp4")
    expect(page.locator(".tb-row").filter(has_text="Late")).to_be_visible()
    page.get_by_role("button", name="Put away").click()
    expect(added).to_have_count(0)

    moved = shutil.move(new, new.with_name("moved.mp4"))
    page.reload()
    row = page.locator(".tb-row").filter(has_text="Late")
    expect(row).to_contain_text("offline")
    row.locator("h3 a").click()
    expect(page.locator(".tb-alert-calm")).to_contain_text("Off line")
    expect(page.locator(".timeline")).to_have_attribute("data-ready", "1")
    page.get_by_role("textbox", name="Where its file is now").fill(str(moved))
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Relink").click()
    expect(page.locator(".tb-path")).to_contain_text("moved.mp4")
    expect(page.locator(".tb-alert-calm")).to_have_count(0)

    page.get_by_role("button", name="Remove…").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove", exact=True).click()
    expect(page.get_by_text("Late has been removed.")).to_be_visible()
    expect(page.locator(".tb-row")).to_have_count(2)
    assert [p.parent.name for p in shelf.root.glob("removed/*/first")]


@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_is_wider_than_the_window(width: int, browser: Browser, shelf: Shelf) -> None:
    page = browser.new_page(viewport={"width": width, "height": 844})
    pages = (
        (f"/title?id={shelf.reel}&q=cat", ".timeline"),
        ("/browse", ".atlas"),
        ("/library", ".tb-row"),
    )
    for path, mark in pages:
        page.goto(shelf.address + path)
        page.locator(mark).first.wait_for(timeout=SEE_WITHIN_MS)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.locator(mark).first.evaluate("e => e.getBoundingClientRect().right") <= width
    page.close()


def test_a_page_for_others_changes_nothing(browser: Browser, shelf: Shelf, tmp_path: Path) -> None:
    root = tmp_path / "library"
    shutil.copytree(shelf.root, root, ignore=shutil.ignore_patterns("qdrant"))
    with page_over(root, "--host", "0.0.0.0") as address, browser.new_page() as page:
        page.goto(f"{address}/library")
        expect(page.locator(".tb-row")).to_have_count(2)
        assert page.get_by_text("Add videos").count() == 0
        page.goto(f"{address}/title?id={shelf.reel}")
        expect(page.get_by_text("trimbin ui --allow-changes")).to_be_visible()
        assert page.get_by_role("button", name="Remove…").count() == 0
