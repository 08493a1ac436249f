"""Selects brought in and lists taken away through the page, in a real browser."""

from __future__ import annotations

import re
import zipfile
from contextlib import suppress
from pathlib import Path

import pycmx
import pytest
from playwright.sync_api import Page, expect
from playwright.sync_api import TimeoutError as TimedOut
from visiting import NEEDS_BROWSER, Visit

from app.export.formats import FORMATS
from app.shortlist import Pick, Shortlists
from app.views.export_form import USUAL
from indexer.library import Library

pytestmark = [pytest.mark.slow, NEEDS_BROWSER]

EDL = """TITLE: FROM ELSEWHERE
FCM: NON-DROP FRAME

001  AX       V     C        00:00:02:00 00:00:03:12 01:00:00:00 01:00:01:12
* FROM CLIP NAME: Photographs.mp4
002  AX       V     C        00:00:06:00 00:00:07:00 01:00:01:12 01:00:02:12
* FROM CLIP NAME: Photographs.mp4
003  AX       V     C        00:00:00:00 00:00:01:00 01:00:02:12 01:00:03:12
* FROM CLIP NAME: Another film.mov
"""


FILES = [
    "Trailer.csv", "Trailer.xlsx", "Trailer.json", "Trailer.otio", "Trailer.edl",
    "Trailer.long.edl", "Trailer.fcpxml", "Trailer.xml", "Trailer.ale", "Trailer.aaf",
    "Trailer.markers-premiere.txt", "Trailer.markers-resolve.edl", "Trailer.markers-avid.txt",
    "001_Photographs.mov", "002_Photographs.mov", "001_Photographs.png", "002_Photographs.png",
    "Trailer_contact.pdf", "Trailer_contact.html", "002_Photographs.srt", "Trailer_timeline.srt",
]  # fmt: skip
"""What all formats make of a list of two moments, the second with a line."""


def test_selects_are_brought_in_told_and_taken_back(
    visit: Visit, library_root: Path, tmp_path: Path
) -> None:
    page = visit.page
    page.goto(f"{visit.address}/shortlist")
    (tmp_path / "cut v3.edl").write_text(EDL)
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_role("button", name="Bring in")).to_be_disabled()
    page.locator("input[type=file]").set_input_files(tmp_path / "cut v3.edl")
    page.get_by_label("Into the list").fill("From the cut")
    page.get_by_role("button", name="Bring in").click()

    rows = page.locator(".tb-item")
    expect(rows).to_have_count(2)
    expect(rows.nth(0).get_by_label("In point")).to_have_value("00:00:02:00")
    expect(rows.nth(1).get_by_label("Out point")).to_have_value("00:00:07:00")
    expect(page.get_by_text("From the cut: 2 moments added.")).to_be_visible()
    expect(page.locator(".tb-alert")).to_contain_text("Another film.mov")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Undo").click()
    expect(rows).to_have_count(0)
    assert Shortlists.of(Library.open(library_root)).items("From the cut") == []


def test_every_format_is_made_and_handed_over(
    visit: Visit, library_root: Path, tmp_path: Path
) -> None:
    library = Library.open(library_root)
    [title] = library.titles()
    lists = Shortlists.of(library)
    lists.add_all("Trailer", [Pick.of(title, 0, 48, note="=first"), Pick.of(title, 144, 192)])
    page = visit.page
    page.goto(f"{visit.address}/shortlist?list=Trailer")
    page.locator(".tb-item").first.wait_for()
    page.locator(".st-key-export summary").click()
    choose(page, [name for name in FORMATS if name not in USUAL])
    page.get_by_label("Handles, frames").fill("12")
    page.get_by_role("button", name="Make files").click()
    button = page.get_by_role("button", name=re.compile(r"^(download )?Download Trailer.*\.zip"))
    button.wait_for(timeout=180_000)
    with page.expect_download() as download:
        button.click()
    expect(page.locator(".tb-alert")).to_have_count(0)

    with zipfile.ZipFile(download.value.path()) as pack:
        names = pack.namelist()
        pack.extractall(tmp_path)
    assert sorted(Path(name).name for name in names) == sorted(FILES)
    with next(tmp_path.rglob("Trailer.edl")).open() as stream:
        events = list(pycmx.parse_cmx3600(stream).events)
    assert [event.edits[0].source_out for event in events] == ["00:00:02:12", "00:00:08:12"]


def choose(page: Page, names: list[str]) -> None:
    """Add these formats to those that are chosen."""
    field = page.locator(".st-key-export-formats")
    words = field.get_by_role("combobox")
    for name in names:
        option = page.get_by_role("option", name=re.compile(rf"^{name}: "))
        for _ in range(15):  # what is typed while the page is drawn anew is gone again
            words.fill(f"{name}: ")
            with suppress(TimedOut):
                option.click(timeout=3000)
                break
        expect(field).to_contain_text(f"{name}: ")
