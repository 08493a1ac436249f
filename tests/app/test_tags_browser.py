"""Tags on the page: asked for, seen on a card, over time and on the map."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from harness import run_trimbin
from playwright.sync_api import Browser, expect
from reel import CAT
from visiting import NEEDS_BROWSER, SEE_WITHIN_MS, Visit

from indexer.library import Library
from indexer.probes.kept import KeptProbe, keep_probe
from indexer.probes.rows import shot_vectors

pytestmark = [pytest.mark.slow, NEEDS_BROWSER]

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def library_root(library_root: Path) -> Path:
    """The page's library, tagged by a probe that finds the cat creepy and all else hostile."""
    library = Library.open(library_root)
    [title] = library.titles()
    vectors = shot_vectors(library, title, "video")
    cat = vectors[CAT] - vectors.mean(axis=0)
    probe = KeptProbe(
        task="tone",
        classes=("creepy", HOSTILE),
        row="video",
        weights=np.stack([cat, -cat], axis=1).astype(np.float32) * 40,
        bias=np.zeros(2, np.float32),
        calibration=np.array([[1, 1], [0, 0]], np.float32),
        version=library.version,
        checkpoint=None,
    )
    keep_probe(library, probe)
    run_trimbin("tag", "--library", library_root)
    return library_root


def test_a_tone_is_asked_for_and_seen(visit: Visit) -> None:
    page = visit.page
    page.goto(visit.address)
    visit.search("tone:creepy")
    expect(page.locator(".chips li")).to_contain_text("creepy")
    expect(page.locator(".card")).to_have_count(1)
    card = page.locator(".card").first
    expect(card.locator(".tc")).to_have_text(re.compile(r"00:00:00:00 . 00:00:02:00"))
    expect(card.locator(".tags .tone")).to_have_text(["creepy"])
    expect(card.locator(".tags .label")).to_contain_text(["animal"])
    card.get_by_role("button", name="Play", exact=True).click()
    expect(page.get_by_role("dialog").locator(".tb-tag-tone")).to_have_text("creepy")
    page.keyboard.press("Escape")
    visit.search("tone:crepy")
    expect(page.locator(".tb-alert")).to_contain_text(f"There are: {HOSTILE}, creepy")


def test_a_tone_is_chosen_from_the_menu(visit: Visit) -> None:
    page = visit.page
    page.goto(visit.address)
    visit.search("a cat")
    expect(page.locator(".card").first).to_be_visible(timeout=SEE_WITHIN_MS)
    page.get_by_role("button", name="Filter").click()
    page.get_by_role("combobox", name="Tone").click()
    page.get_by_role("option", name="creepy").click()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Apply").click()
    expect(page.locator(".chips li")).to_contain_text(["a cat", "creepy"])
    expect(page.locator(".card")).to_have_count(1)


def test_words_that_came_as_tags_stay_words(visit: Visit) -> None:
    page = visit.page
    page.goto(visit.address)
    visit.search("position:0.2.. -tone:creepy")
    expect(page.locator(".tags .tone").first).to_have_text(HOSTILE)
    expect(page.locator(".tags img")).to_have_count(0)


def test_tones_are_seen_over_time_and_on_the_map(visit: Visit) -> None:
    page = visit.page
    page.goto(visit.address)
    page.get_by_role("link", name="Library").click()
    page.get_by_role("link", name="Photographs").first.click()
    legend = page.locator(".legend li")
    expect(legend).to_have_text([HOSTILE, "creepy"], timeout=SEE_WITHIN_MS)
    expect(page.locator(".where")).to_contain_text("creepy")  # of the first shot, which is chosen
    page.get_by_role("link", name="Browse").click()
    colour = page.get_by_role("combobox", name="Colour by")
    colour.click()
    page.get_by_role("option", name="Colour: tone").click()
    expect(page.locator(".legend li").filter(has_text="creepy")).to_be_visible()


def test_tags_fit_a_phone(browser: Browser, address: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(f"{address}/?q=tone:creepy")
    expect(page.locator(".card .tags .tone")).to_have_text("creepy", timeout=SEE_WITHIN_MS)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    context.close()
