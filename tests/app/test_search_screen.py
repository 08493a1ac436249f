"""The search screen in a real browser: what an editor does there, with the pointer and without."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from urllib.parse import quote

import pytest
from harness import run_trimbin
from imageio_ffmpeg import get_ffmpeg_exe
from playwright.sync_api import Browser, Locator, Page, expect
from reel import CAT, COINS, SHOT_FRAMES
from visiting import NEEDS_BROWSER, Visit, page_over, playing, visiting

from app.shortlist import Shortlists
from indexer.library import Library

pytestmark = [pytest.mark.slow, NEEDS_BROWSER]


def box(page: Page) -> Locator:
    return page.get_by_placeholder("Describe a moment")


def open_at(visit: Visit, query: str) -> Page:
    visit.page.goto(f"{visit.address}/?q={query}")
    visit.page.locator(".card").first.wait_for()
    return visit.page


def card(page: Page, shot: int) -> Locator:
    """Return the card of a photograph's shot, by the timecode it begins at."""
    return page.locator(".card").filter(has_text=f"00:00:{2 * shot:02}:00 ").first


def menu(page: Page, name: str) -> None:
    page.locator(".st-key-menus").get_by_role("button", name=name).click()


def test_more_like_this_and_less_like_this_become_chips_and_go_again(
    browser: Browser, reel_library: Path, tmp_path: Path
) -> None:
    """A darker copy of the reel is in the library too: its cat is what is like the cat."""
    root = tmp_path / "library"
    shutil.copytree(reel_library, root)
    [reel] = Library.open(root).titles()
    night = tmp_path / "Night.mp4"
    darker = ["-vf", "eq=brightness=-0.12,hflip", "-c:a", "copy", str(night)]
    subprocess.run([get_ffmpeg_exe(), "-v", "error", "-i", reel.path, *darker], check=True)
    run_trimbin("index", night, "--library", root)
    with page_over(root) as address, visiting(browser, address) as visit:
        page = open_at(visit, "length:..60&title=Photographs")
        card(page, CAT).get_by_role("button", name="More like this").click()
        value = 'length:..60 like:"Photographs"@00:00:00:00-00:00:01:23'
        expect(box(page)).to_have_value(value)
        chip = page.locator(".chip").filter(has_text="like")
        expect(chip).to_contain_text("Photographs 00:00:00:00")
        expect(page.get_by_text("Nothing found for")).to_be_visible()  # but itself, in this title

        page.goto(f"{address}/?q={quote(value)}")
        best = page.locator(".card").first
        expect(best).to_contain_text("Night")
        expect(best.locator(".tc")).to_contain_text("00:00:00:00")
        best.get_by_role("button", name="More", exact=True).click()
        page.get_by_role("menuitem", name="Less like this").click()
        expect(box(page)).to_have_value(re.compile(r'unlike:"Night"@00:00:00:00-[0-9:]+$'))
        expect(page.locator(".card")).to_have_count(0)  # none that is not like that, too
        page.locator(".chip").filter(has_text="unlike").get_by_role("button").click()
        expect(box(page)).to_have_value(value)
        expect(best).to_contain_text("Night")
        expect(page).to_have_url(re.compile("like%3A"))


def test_exclude_then_and_line_come_from_a_menu(visit: Visit) -> None:
    page = open_at(visit, "a+cat")
    for words, button, value in (
        ("stars", "Exclude", "a cat -stars"),
        ("the lighthouse keeper", "Line that is said", 'a cat -stars "the lighthouse keeper"'),
        ("coins", "Then", 'a cat -stars "the lighthouse keeper" >> coins'),
    ):
        menu(page, "Add")
        page.get_by_label("Words", exact=True).fill(words)
        page.get_by_role("button", name=button, exact=True).click()
        expect(box(page)).to_have_value(value)
        page.keyboard.press("Escape")
    expect(page.locator(".chip .text")).to_have_text(
        ["a cat", "stars", "the lighthouse keeper", "coins"]
    )
    expect(page.locator(".chip .kind")).to_have_text(["words", "not", "line", "words"])
    expect(page.locator(".joint")).to_have_text("then")


def test_a_line_and_a_step_find_their_shots(visit: Visit) -> None:
    page = open_at(visit, '"the lighthouse keeper never came home"')
    expect(page.locator(".card").first.locator(".tc")).to_contain_text("00:00:06:00")
    expect(page.locator(".card").first.locator(".said")).to_contain_text("lighthouse keeper")
    page = open_at(visit, '"the lighthouse keeper" >> "count them again"')
    expect(page.locator(".card").first.locator(".tc")).to_contain_text("00:00:06:00")


def test_a_filter_is_a_chip_and_the_dials_are_in_the_address(visit: Visit) -> None:
    page = open_at(visit, "a+cat&per_title=1")
    expect(page.locator(".card")).to_have_count(1)
    menu(page, "Filter")
    page.locator(".st-key-f-sound").get_by_text("silence", exact=True).click()
    page.get_by_role("button", name="Apply").click()
    expect(box(page)).to_have_value("a cat sound:silence")
    expect(page).to_have_url(re.compile("per_title=1"))


def test_what_cannot_be_understood_is_told_beside_the_bar(visit: Visit) -> None:
    visit.page.goto(f"{visit.address}/?q=length:6..2")
    expect(visit.page.locator(".tb-alert")).to_contain_text("runs backwards; swap its bounds")
    expect(visit.page.locator(".card")).to_have_count(0)


def test_a_search_is_saved_opened_and_deleted(visit: Visit) -> None:
    page = open_at(visit, "a+cat")
    menu(page, "Saved")
    page.get_by_label("Save this search as").fill("Cats <b>")
    page.get_by_role("button", name="Save", exact=True).click()
    saved = page.get_by_role("button", name="Cats <b>", exact=True)
    expect(saved).to_be_visible()
    page.keyboard.press("Escape")
    visit.search("a rocket")
    expect(page.locator(".chip")).to_contain_text("a rocket")
    menu(page, "Saved")
    saved.click()
    expect(box(page)).to_have_value("a cat")
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(saved).to_have_count(0)


def test_a_clip_that_is_sent_along_finds_where_it_is_from(
    visit: Visit, library_root: Path, tmp_path: Path
) -> None:
    film = Library.open(library_root).titles()[0].path
    page = visit.page
    page.goto(visit.address)
    menu(page, "Clip or picture")
    clip = tmp_path / "my reel.mp4"
    clip.write_bytes(Path(film).read_bytes())
    page.locator(".st-key-clip-file input[type=file]").set_input_files(clip)
    expect(box(page)).to_have_value('clip:"my_reel.mp4"')
    expect(page.locator(".chip")).to_contain_text("my_reel.mp4")
    expect(page.locator(".card").first).to_contain_text("Photographs", timeout=90_000)


def test_what_comes_before_and_after_and_the_same_scene(visit: Visit) -> None:
    page = open_at(visit, '"the lighthouse keeper never came home"')
    page.locator(".card").first.focus()
    page.keyboard.press("b")
    around = page.locator(".st-key-around")
    expect(around.locator(".card")).to_have_count(6)
    expect(around.locator(".card").filter(has_text="this moment")).to_contain_text("00:00:06:00")
    around.locator(".card").nth(COINS).focus()
    page.keyboard.press("s")
    expect(around.locator("h2")).to_contain_text("Same scene")
    around.get_by_role("button", name="Close", exact=True).click()
    expect(around).to_have_count(0)


def test_a_match_cut_asks_for_the_picture_alone(visit: Visit) -> None:
    page = open_at(visit, "a+cat")
    page.locator(".card").first.focus()
    page.keyboard.press("f")
    expect(page.locator(".chip").filter(has_text="picture")).to_contain_text("00000.jpg")


def test_without_a_pointer(visit: Visit, library_root: Path) -> None:
    """Search, walk to a moment, play it, set in and out, keep it, go on to the next."""
    page = visit.page
    page.goto(visit.address)
    box(page).focus()
    page.keyboard.type("length:..60")
    page.keyboard.press("Enter")
    page.locator(".card").first.wait_for()
    first = page.locator(".card").first
    for _ in range(40):
        page.keyboard.press("Tab")
        if first.evaluate("e => e === e.getRootNode().activeElement"):
            break
    expect(first).to_be_focused()
    page.keyboard.press("?")
    expect(page.locator(".help")).to_contain_text("from card to card")
    page.keyboard.press("?")
    page.keyboard.press("ArrowRight")
    second = page.locator(".card").nth(1)
    expect(second).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(first).to_be_focused()
    page.keyboard.press("End")
    expect(page.locator(".card").last).to_be_focused()
    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    playing(visit.page)
    page.keyboard.press("k")
    page.keyboard.press("p")
    page.keyboard.press("k")
    for _ in range(4):
        page.keyboard.press("ArrowLeft")
    page.keyboard.press("Home")
    where = page.locator("output.where")
    playing(visit.page)
    page.keyboard.press("i")
    begin = where.inner_text()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
        playing(visit.page)
    page.keyboard.press("o")
    expect(page.locator("output.marks")).to_contain_text(f"{begin} ")
    page.keyboard.press("a")
    expect(page.get_by_text("Kept: 6 frames.")).to_be_visible()
    kept = Shortlists.of(Library.open(library_root)).items("Selects")[-1]
    assert kept.end_frame - kept.start_frame == 6
    assert 0 <= kept.start_frame < SHOT_FRAMES
    page.keyboard.press("]")
    expect(page.get_by_text(re.compile(r"2 of \d"))).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("video")).to_have_count(0)
    page.keyboard.press("?")


def test_the_pointer_runs_through_a_moment(visit: Visit) -> None:
    page = open_at(visit, "a+cat")
    frame = page.locator(".card .frame").first
    with page.expect_response(re.compile("/sheets/")) as sheet:
        frame.hover(position={"x": 5, "y": 40})
    assert sheet.value.status == 200
    layer = frame.locator(".scrub")
    page.mouse.move(0, 0)
    frame.hover(position={"x": 6, "y": 40})
    expect(layer).to_be_visible()
    first = layer.evaluate("e => e.style.backgroundPosition")
    frame.hover(position={"x": 150, "y": 40})
    assert layer.evaluate("e => e.style.backgroundPosition") != first


def test_a_list_shows_the_same_moments(visit: Visit) -> None:
    page = open_at(visit, "length:..60")
    count = page.locator(".card").count()
    page.get_by_role("button", name="List").click()
    expect(page.locator(".moments.as-list .card")).to_have_count(count)
    page.reload()
    expect(page.locator(".moments.as-list .card")).to_have_count(count)
    page.get_by_role("button", name="Grid", exact=True).click()


def test_a_still_and_the_guides(visit: Visit) -> None:
    page = open_at(visit, "a+cat")
    page.locator(".card .frame").first.click()
    playing(visit.page)
    page.keyboard.press("k")
    page.get_by_role("button", name="9:16").click()
    expect(page.locator(".guide.tall")).to_be_visible()
    with page.expect_download() as download:
        page.locator("a.still").click()
    assert re.fullmatch(r"[0-9a-f]{8}-\d{6}\.png", download.value.suggested_filename)
    assert Path(download.value.path()).read_bytes().startswith(b"\x89PNG")
