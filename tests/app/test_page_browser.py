"""The page in a real browser, over a library that was indexed for real."""

from __future__ import annotations

import csv
import io
import re
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from harness import run_trimbin
from playwright.sync_api import Browser, expect
from reel import COINS
from shelf import make_film
from visiting import NEEDS_BROWSER, SEE_WITHIN_MS, Visit, playing, start_page, stop

from app.views.look import DISCLAIMER

HOSTILE_TITLE = "<script>alert(1)</script> **[x](javascript:alert(2))**"
HOSTILE_LINE = "quixotic <img src=x onerror=alert(3)> [x](javascript:alert(4)) :red[hot] $x^2$"

pytestmark = NEEDS_BROWSER


def test_an_editor_finds_plays_keeps_and_takes_away_a_moment(visit: Visit) -> None:
    page = visit.page
    page.goto(visit.address)
    expect(page).to_have_title("Trimbin")
    expect(page.get_by_text(DISCLAIMER)).to_be_visible(timeout=SEE_WITHIN_MS)

    visit.search("a cat")
    best = page.locator(".card").first
    expect(best.locator("h3")).to_have_text("Photographs")
    expect(best.locator(".tc")).to_have_text(re.compile(r"00:00:00:00 . 00:00:02:00"))
    expect(best.locator(".why")).to_contain_text("Picture")
    expect(page).to_have_url(re.compile(r"q=a(\+|%20)cat"))

    chosen = page.get_by_role("combobox", name="Shortlist to add to")
    expect(chosen).to_have_value("Add to: Selects")
    chosen.fill("Cats & Co")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("q=a"))
    best.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("button", name="Added", exact=True)).to_be_disabled()

    page.get_by_role("button", name="Play", exact=True).first.click()
    state = playing(visit.page)
    assert 0 <= state["now"] <= 2.0
    assert state["width"] == 480
    films = [r for r in visit.responses if "/film/" in r.url]
    assert films
    assert {r.status for r in films} == {206}

    page.get_by_role("button", name="Close").click()
    page.get_by_role("link", name="Shortlist").click()
    expect(visit.card("Photographs")).to_contain_text("a cat")
    page.get_by_placeholder("Note").fill("=the cat looks up")
    page.keyboard.press("Enter")
    page.wait_for_timeout(1000)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download CSV").click()
    assert download.value.suggested_filename == "Cats _ Co.csv"
    sheet = Path(download.value.path()).read_text(encoding="utf-8-sig")
    [row] = csv.DictReader(io.StringIO(sheet))
    assert (row["title"], row["in"], row["out"]) == ("Photographs", "00:00:00:00", "00:00:02:00")
    assert (row["frames"], row["query"], row["note"]) == ("48", "a cat", "'=the cat looks up")
    assert row["path"].endswith("Photographs.mp4")

    page.get_by_role("link", name="Library").click()
    listed = page.locator(".tb-row").filter(has_text="Photographs")
    expect(listed).to_contain_text("6 shots")
    expect(listed).to_contain_text("480 x 270")

    page.get_by_role("link", name="Shortlist").click()
    page.get_by_role("button", name="Remove").click()
    expect(visit.card("Photographs")).to_have_count(0)


def test_a_moment_in_the_midst_starts_at_its_in_point_and_stops_at_its_out_point(
    visit: Visit,
) -> None:
    """The coins are seen from 6 to 8 seconds."""
    start_s, end_s = 2.0 * COINS, 2.0 * COINS + 2
    visit.page.goto(f"{visit.address}/?q=the+lighthouse+keeper+never+came+home")
    expect(visit.page.locator(".card").first).to_contain_text("The lighthouse keeper never came")
    visit.page.get_by_role("button", name="Play", exact=True).first.click()
    assert start_s <= playing(visit.page)["now"] <= end_s
    visit.page.wait_for_function(
        """() => {
            const inside = root => [...root.querySelectorAll('*')].flatMap(
                e => [e, ...(e.shadowRoot ? inside(e.shadowRoot) : [])]);
            return inside(document).find(e => e.tagName === 'VIDEO').paused;
        }"""
    )
    assert playing(visit.page)["now"] == pytest.approx(end_s, abs=0.1)
    visit.page.get_by_role("button", name="Replay moment").click()
    visit.page.get_by_role("button", name="One frame back").click()
    assert start_s - 0.1 <= playing(visit.page)["now"] < end_s


def test_a_link_opens_the_same_search_again(visit: Visit) -> None:
    visit.page.goto(f"{visit.address}/?q=a+cat&title=Photographs")
    expect(visit.page.get_by_placeholder("Describe a moment")).to_have_value("a cat")
    expect(visit.page.get_by_role("combobox", name="Title")).to_have_value("Photographs")
    expect(visit.page.locator(".card").first).to_contain_text("Photographs")


def test_weak_hits_stand_apart(visit: Visit) -> None:
    visit.page.goto(f"{visit.address}/?q=parliamentary+procedure+of+1832")
    heading = visit.page.get_by_role("heading", name="Nothing good found; nearest:")
    expect(heading.or_(visit.page.get_by_text("Nothing found for"))).to_be_visible()


@pytest.mark.slow
def test_a_film_that_comes_while_the_page_is_open_shows_up_stays_text_and_plays(
    visit: Visit, library_root: Path
) -> None:
    """It has a hostile name and a hostile line, and is ProRes: browsers need a preview of it."""
    page = visit.page
    page.goto(f"{visit.address}/library")
    expect(page.locator(".tb-row").filter(has_text="Photographs")).to_be_visible()
    index_hostile_film(library_root)
    listed = page.locator(".tb-row").filter(has_text="javascript:alert(2)")
    expect(listed.locator("h3")).to_contain_text(HOSTILE_TITLE, timeout=5_000)

    page.goto(visit.address)
    visit.search("quixotic")
    card = page.locator(".card").filter(has_text="quixotic")
    expect(card.locator("h3")).to_have_text(HOSTILE_TITLE)
    expect(card.locator(".said")).to_contain_text("(javascript:alert(4))")

    page.get_by_role("combobox", name="Title").click()
    page.get_by_role("option", name=HOSTILE_TITLE).click()
    expect(page.locator(".card").filter(has_text="Photographs")).to_have_count(0)
    expect(card.locator("h3")).to_have_text(HOSTILE_TITLE)
    page.locator(".card").first.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("button", name="Added", exact=True)).to_be_visible()

    page.get_by_role("button", name="Play", exact=True).first.click()
    state = playing(visit.page)
    assert state["width"] == 320
    assert any("/proxy?" in r.url and r.status == 206 for r in visit.responses)
    assert state["now"] < state["end"]
    page.get_by_role("button", name="Close").click()
    page.get_by_role("link", name="Shortlist").click()
    expect(visit.card(HOSTILE_TITLE)).to_be_visible()
    assert page.locator("a[href^='javascript'], img[src='x']").count() == 0


def index_hostile_film(library_root: Path) -> None:
    options = ("-c:v", "prores_ks", "-pix_fmt", "yuv422p10le", "-c:a", "pcm_s16le")
    path = make_film(library_root.parent / "late" / "late.mov", *options, seconds=4)
    cue = f"1\n00:00:00,200 --> 00:00:01,500\n{HOSTILE_LINE}\n"
    path.with_suffix(".srt").write_text(cue, encoding="utf-8")
    with path.with_name("titles.csv").open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([["path", "title"], [path.name, HOSTILE_TITLE]])
    run_trimbin("index", path, "--library", library_root)


def test_another_sites_name_is_turned_away(address: str) -> None:
    assert status_of(address, host="elsewhere.example") == 400


def test_a_port_that_is_taken_is_a_sentence(address: str, library_root: Path) -> None:
    port = address.rsplit(":", 1)[1]
    command = ["ui", "--library", str(library_root), "--port", port, "--no-browser"]
    finished = subprocess.run(
        [sys.executable, "-m", "app", *command], capture_output=True, text=True, timeout=60
    )
    assert finished.returncode == 3
    assert f"Port {port} on 127.0.0.1 is taken. Choose another one with `--port`" in finished.stderr


@pytest.mark.slow
def test_it_stops_in_order_even_under_a_player_and_lets_the_library_go(
    reel_library: Path, browser: Browser, tmp_path: Path
) -> None:
    root = tmp_path / "library"
    shutil.copytree(reel_library, root)
    server, address = start_page(root)
    page = browser.new_page()
    try:
        page.goto(f"{address}/?q=a+cat")
        page.get_by_role("button", name="Play", exact=True).first.click(timeout=SEE_WITHIN_MS)
        page.locator("video").wait_for()
        assert stop(server) == 0
    finally:
        server.kill()
        page.close()
    assert "Photographs" in run_trimbin("search", "a cat", "--library", root)


def test_the_page_starts_without_a_library_and_finds_one_that_is_made(
    reel_library: Path, browser: Browser, tmp_path: Path
) -> None:
    """On every address, as in a container: loopback's names are answered to, others are not."""
    root = tmp_path / "library"
    server, address = start_page(root, "--host", "0.0.0.0")
    pages = [browser.new_page() for _ in range(2)]
    try:
        for page, path in zip(pages, ("/", "/library"), strict=True):
            page.goto(address + path)
            empty = page.locator(".tb-empty")
            expect(empty).to_contain_text("Nothing is indexed here yet.")
            expect(empty).to_contain_text(f"trimbin index PATH --library {root}")
            expect(page.locator(".tb-alert")).to_have_count(0)
        assert not root.exists()
        assert status_of(address, host="elsewhere.example") == 400
        assert status_of(address, host="localhost") == 200
        shutil.copytree(reel_library, tmp_path / "made")
        (tmp_path / "made").rename(root)
        expect(pages[0].get_by_placeholder("Describe a moment")).to_be_visible(
            timeout=SEE_WITHIN_MS
        )
        expect(pages[1].locator(".tb-row").first).to_be_visible(timeout=SEE_WITHIN_MS)
        assert stop(server) == 0
    finally:
        server.kill()
        for page in pages:
            page.close()


def status_of(address: str, *, host: str) -> int:
    request = urllib.request.Request(address, headers={"Host": host})
    try:
        with urllib.request.urlopen(request, timeout=10) as reply:
            return int(reply.status)
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code


@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_is_wider_than_the_window(width: int, browser: Browser, address: str) -> None:
    page = browser.new_page(viewport={"width": width, "height": 844})
    for path, mark in (("/?q=a+cat", ".card"), ("/library", ".tb-row")):
        page.goto(address + path)
        page.locator(mark).first.wait_for(timeout=SEE_WITHIN_MS)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.locator(mark).first.evaluate("e => e.getBoundingClientRect().right") <= width
    page.close()
