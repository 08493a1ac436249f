"""A label made by clicking in a real browser: begun, searched, answered, asked on, kept."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from harness import need_offline_profile, run_trimbin
from playwright.sync_api import Browser, Page, expect
from reel import make_reel
from visiting import NEEDS_BROWSER

from app.labels.book import Labels
from app.shortlist import Shortlists
from indexer.library import Library

NAME, HOSTILE = "In colour", "<img src=x onerror=alert(1)> **Two**"
FIRST_HALF = ("00:00:00", "00:00:02", "00:00:04")
"""Timecodes at which the shots of a reel's first half begin."""

pytestmark = [pytest.mark.slow, NEEDS_BROWSER]


@pytest.fixture(scope="module")
def library_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library of two reels of six photographs each: cats among them."""
    need_offline_profile()
    folder = tmp_path_factory.mktemp("labels")
    make_reel(folder / "films", name="Photographs.mp4")
    make_reel(folder / "films", name="Mute.mp4", sound=False, subtitles=False)
    run_trimbin("index", folder / "films", "--library", folder / "library", "--profile", "offline")
    return folder / "library"


def answer(page: Page, labels: Labels, *, with_key: bool = False) -> tuple[int, int]:
    """Answer of the first card, yes in the first half of a reel, and wait for another card.

    Returns how many yes and no there are now.
    """
    before = labels.look(NAME)
    assert before
    card = page.locator(".card").first
    yes = (card.locator(".tc").text_content() or "").startswith(FIRST_HALF)
    if with_key:
        card.focus()
        page.keyboard.press("y" if yes else "n")
    else:
        card.get_by_role("button", name="Yes" if yes else "No").click()
    now = (before.num_yes + yes, before.num_no + (not yes))
    expect(page.locator(".tb-heading").first).to_contain_text(f"{now[0]} yes, {now[1]} no")
    return now


def test_ten_answers_by_mouse_and_keyboard_make_a_classifier(
    page: Page, address: str, library_root: Path
) -> None:
    labels = Labels.of(Library.open(library_root))
    page.goto(f"{address}/labels")
    expect(page.locator(".tb-empty")).to_contain_text("No label has been begun yet.")
    page.get_by_role("button", name="New label").click()
    page.get_by_label("Name", exact=True).fill(NAME)
    page.get_by_label("What it means").fill(HOSTILE)
    page.get_by_role("button", name="Begin").click()
    expect(page.locator(".tb-heading").first).to_contain_text("0 yes, 0 no")
    expect(page.locator(".tb-remark").first).to_contain_text(HOSTILE)
    page.keyboard.press("Escape")

    page.get_by_placeholder("Search for what it means").fill("a cat")
    page.keyboard.press("Enter")
    expect(page.locator(".heading").filter(has_text="Found by “a cat”")).to_be_visible()
    for _ in range(8):
        before = answer(page, labels)
    answer(page, labels, with_key=True)
    page.get_by_role("button", name="Undo").click()
    heading = page.locator(".tb-heading").first
    expect(heading).to_contain_text(f"{before[0]} yes, {before[1]} no")
    answer(page, labels)
    answer(page, labels)
    expect(heading).to_contain_text("learned in")
    expect(page.locator(".heading").filter(has_text="Most likely")).to_be_visible()

    page.get_by_role("button", name="Use").click()
    page.get_by_label("So many of the likeliest shots").fill("5")
    page.get_by_label("Into the shortlist").fill("Beasts")
    page.get_by_role("button", name="Keep them").click()
    expect(page.get_by_text("5 shots are in Beasts.")).to_be_visible()
    assert len(Shortlists.of(Library.open(library_root)).items("Beasts")) == 5

    page.get_by_role("button", name="Use it as a filter").click()
    expect(page.get_by_text(re.compile(r'label:"In colour" finds \d+ of 12 shots'))).to_be_visible(
        timeout=120_000
    )
    page.goto(f"{address}/?q=label:%22{NAME}%22")
    expect(page.locator(".card .tags").first).to_contain_text(NAME)


@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_fits_its_window(
    width: int, browser: Browser, address: str, library_root: Path, tmp_path: Path
) -> None:
    labels = Labels.of(Library.open(library_root))
    if "Wide" not in labels.names():
        labels.begin("Wide", "what is looked at")
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.goto(f"{address}/labels?label=Wide")
    expect(page.locator(".card").first).to_be_visible()
    page.wait_for_timeout(1500)
    page.screenshot(path=f"/tmp/label-{width}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()
