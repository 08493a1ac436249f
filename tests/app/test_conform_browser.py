"""A trailer sent to the shortlist page, in a real browser."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

import imageio_ffmpeg
import pytest
from playwright.sync_api import Page, expect
from visiting import NEEDS_BROWSER, Visit

from app.shortlist import Shortlists
from indexer.library import Library

pytestmark = [pytest.mark.slow, NEEDS_BROWSER]

WITHIN_MS = 120_000
PICTURES = os.environ.get("TRIMBIN_SCREENSHOTS")
"""A folder in which the page is left as it looked."""


def send(page: Page, path: Path) -> None:
    page.get_by_role("button", name="Conform a trailer").click()
    expect(page.get_by_role("button", name="Conform", exact=True)).to_be_disabled()
    page.locator(".st-key-conform-file input[type=file]").set_input_files(path)
    expect(page.get_by_label("Into the list")).to_have_value(path.stem)
    page.get_by_role("button", name="Conform", exact=True).click()
    page.keyboard.press("Escape")


def look(page: Page, name: str) -> None:
    if PICTURES:
        for width in (1280, 390):
            page.set_viewport_size({"width": width, "height": 900})
            page.wait_for_timeout(800)
            page.screenshot(path=f"{PICTURES}/{name}-{width}.png")
        page.set_viewport_size({"width": 1280, "height": 900})


def test_a_trailer_is_sent_and_comes_back_as_a_list(
    visit: Visit, library_root: Path, tmp_path: Path
) -> None:
    library = Library.open(library_root)
    film, page = library.titles()[0].path, visit.page
    trailer = tmp_path / "teaser <b>.mp4"
    graph = (
        "[0:v]trim=start_frame=54:end_frame=90,setpts=PTS-STARTPTS[a];"
        "smptebars=size=480x270:rate=24:duration=1[b];[a][b]concat=n=2,eq=gamma=0.8[v]"
    )
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-i", film,
               "-filter_complex", graph, "-map", "[v]", "-an", "-c:v", "libx264"]  # fmt: skip
    subprocess.run([*command, str(trailer)], check=True, timeout=120)
    page.goto(f"{visit.address}/shortlist")
    send(page, trailer)

    told = page.locator(".st-key-conform-told")
    expect(told.locator("h2")).to_contain_text("1 moment found", timeout=WITHIN_MS)
    lines = told.locator(".tb-conformed li")
    expect(lines).to_have_count(2)
    expect(lines.nth(0)).to_contain_text("0:00.00 - 0:01.50 Photographs 00:00:02:")
    expect(lines.nth(1)).to_have_text("0:01.50 - 0:02.50 is from nowhere in the library")
    look(page, "conformed")
    with page.expect_download() as edl:
        told.get_by_role("button", name="Download the EDL").click()
    assert "M2" not in edl.value.path().read_text()
    assert "01:00:00:00 01:00:01:12" in edl.value.path().read_text()

    told.get_by_role("button", name="Show the list").click()
    expect(page.locator(".tb-item")).to_have_count(1)
    [item] = Shortlists.of(library).items("teaser <b>")
    assert 48 <= item.start_frame < item.end_frame <= 96
    told.get_by_role("button", name="Put away").click()
    expect(told).to_have_count(0)
    assert not list(Path(tempfile.gettempdir()).glob("trimbin-conform-*"))


def test_what_is_no_film_is_told_and_leaves_nothing(visit: Visit, tmp_path: Path) -> None:
    broken, page = tmp_path / "broken.mp4", visit.page
    broken.write_bytes(b"this is no film" * 100)
    page.goto(f"{visit.address}/shortlist")
    send(page, broken)
    told = page.locator(".st-key-conform-told")
    expect(told.locator(".tb-alert")).to_contain_text("is not a film", timeout=WITHIN_MS)
    assert not list(Path(tempfile.gettempdir()).glob("trimbin-conform-*"))
    told.get_by_role("button", name="Put away").click()
