"""A title's promotion in a real browser: moments onto a list, its coverage, breaks for a brief."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness import run_trimbin
from playwright.sync_api import Page, expect
from reel import COFFEE
from visiting import NEEDS_BROWSER, page_over, playing

from app.shortlist import Shortlists
from indexer.library import SHOTS_FILE, Library

pytestmark = [pytest.mark.slow, NEEDS_BROWSER]


@pytest.fixture(scope="module")
def library(reel_library: Path, tmp_path_factory: pytest.TempPathFactory) -> Library:
    """The reel, its coffee silent: one may break before and after it."""
    root = tmp_path_factory.mktemp("promotion") / "library"
    shutil.copytree(reel_library, root)
    library = Library.open(root)
    [manifest] = library.titles()
    shots = library.shots(manifest.title_id)
    shots["silent"] = [n == COFFEE for n in range(len(shots))]
    shots.to_parquet(library.folder(manifest.title_id) / SHOTS_FILE)
    return library


@pytest.fixture(scope="module")
def address(library: Library) -> Iterator[str]:
    with page_over(library.root) as address:
        yield address


@pytest.fixture
def page(page: Page, address: str, library: Library) -> Page:
    """The title's page, open."""
    page.goto(f"{address}/title?id={library.titles()[0].title_id}")
    return page


def choose(page: Page, tool: str) -> None:
    page.locator(".st-key-promotion").get_by_text(tool, exact=True).click()


def test_moments_are_found_played_and_kept_and_then_count_as_used(
    page: Page, library: Library
) -> None:
    """Two moments of two seconds each of a reel of twelve: a third of it is used afterwards."""
    page.get_by_label("Moments", exact=True).fill("2")
    page.get_by_label("Seconds in all").fill("4")
    page.get_by_role("button", name="Find moments").click()
    rows = page.locator(".tb-passage")
    expect(rows).to_have_count(2)
    expect(page.get_by_text("4.0 s in all.")).to_be_visible()
    expect(page.get_by_text("Chosen by what stands out")).to_be_visible()
    first = rows.first.locator(".tb-when").inner_text()
    page.get_by_role("button", name=re.compile(r"Play 00:00")).first.click()
    start_s = int(first.split(" - ")[0].split(":")[2])
    assert start_s <= playing(page)["now"] <= start_s + 2.1
    page.get_by_role("button", name="Close").click()

    page.get_by_role("button", name="Add all moments").click()
    expect(page.get_by_text("2 moments are in Selects.")).to_be_visible()
    kept = Shortlists.of(library).items("Selects")
    assert [item.end_frame - item.start_frame for item in kept] == [48, 48]

    choose(page, "Coverage")
    expect(page.get_by_text(re.compile(r"^33% of the title is used"))).to_be_visible()
    expect(page.locator(".tb-coverage > .tb-used").first).to_be_visible()
    told = run_trimbin("coverage", "Photographs", "--library", library.root)
    assert "2.0 s in Selects" in told or "4.0 s in Selects" in told


def test_a_brief_finds_the_break_after_it_and_what_to_avoid_stands_apart(page: Page) -> None:
    choose(page, "Ad moments")
    page.get_by_label("Brief").fill("a cat")
    page.get_by_label("Keep away from").fill("")
    page.get_by_role("button", name="Find breaks").click()
    expect(page.locator(".tb-passage").first).to_contain_text("00:00:02:00")
    expect(page.locator(".tb-passage").first).to_contain_text("fits at 00:00:00:00")
    page.get_by_label("Keep away from").fill("a rocket")
    page.get_by_role("button", name="Find breaks").click()
    expect(page.get_by_role("heading", name="To be avoided")).to_be_visible()
    expect(page.locator(".tb-passage").first).to_contain_text("a rocket at 00:00:04:00")
    page.get_by_label("Brief").fill("  ")
    page.get_by_role("button", name="Find breaks").click()
    expect(page.get_by_role("alert").first).to_contain_text("There is nothing to look for")


def test_nothing_is_wider_than_a_phone(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.get_by_role("button", name="Find moments").click()
    expect(page.locator(".tb-passage").first).to_be_visible()
    for tool in ("Coverage", "Ad moments"):
        choose(page, tool)
        expect(page.get_by_label("Shown in" if tool == "Coverage" else "Brief")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
