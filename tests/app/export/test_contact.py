"""Contact sheets show every kept moment, and nothing that people wrote becomes markup."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Sequence
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from counted import AAC, X264, cut_list, make_counted
from PIL import Image
from pypdf import PdfReader
from shelf import add_title, make_library

from app.export import contact_html, contact_pdf, typefaces
from app.export.cutlist import CutList
from app.export.formats import Options
from indexer.library import Library
from indexer.progress import silent

HOSTILE = "<script>alert('x')</script> & \"quoted\""
FRAMES = 400


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return make_library(tmp_path / "library")


@pytest.fixture
def cuts(library: Library, tmp_path: Path) -> CutList:
    film = make_counted(tmp_path / "film.mp4", *X264, *AAC, frames=FRAMES, rate=24)
    rights = {"rights_from": "2024-01-01", "rights_to": "2030-12-31", "territories": "DE AT"}
    manifest = add_title(library, film, num_frames=FRAMES, title="Der Süden", metadata=rights,
                         dialogue=[HOSTILE, "Ça va?"])  # fmt: skip
    spans = [(manifest, start, start + 20) for start in range(0, 260, 20)]
    made = cut_list(library, *spans, name="Sélection <1>", note=HOSTILE)
    first = made.cuts[0]
    marked = replace(first, item=replace(first.item, stars=4, colour="green"), is_expired=True)
    return replace(made, cuts=(marked, *made.cuts[1:]), notes=("Handles <short>.",))


class Page(HTMLParser):
    """What a browser would make of a page: its elements, and the text within."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def test_html_shows_every_moment_and_runs_nothing(cuts: CutList, tmp_path: Path) -> None:
    (path,) = contact_html.write(cuts, tmp_path, options=Options(), progress=silent)
    assert path.name == "Selection_1_contact.html"
    text = path.read_text(encoding="utf-8")
    page = Page(text)
    assert len(page.all("figure")) == len(page.all("img")) == 13
    assert page.all("script") == []
    assert all(not name.startswith("on") for _, attributes in page.elements for name in attributes)
    policy = next(m["content"] for m in page.all("meta") if "http-equiv" in m)
    assert policy is not None and policy.startswith("default-src 'none'; img-src data:")
    assert not re.search(r"https?://|url\(", text)
    for words in (HOSTILE, "Sélection <1>", "Der Süden", "00:00:00:00 – 00:00:00:20",  # noqa: RUF001
                  "01:00:00:00", "★★★★☆", "2030-12-31", "OUT OF ITS RIGHTS", "Handles <short>.",
                  "0.8 s, 20 frames"):  # fmt: skip
        assert words in page.words
    assert [s["aria-label"] for s in page.all("span")] == ["label: green"]


def test_the_pictures_are_those_of_the_moments(cuts: CutList, tmp_path: Path) -> None:
    (path,) = contact_html.write(cuts, tmp_path, options=Options(), progress=silent)
    sources = [image["src"] for image in Page(path.read_text(encoding="utf-8")).all("img")]
    for cut, source in zip(cuts.cuts, sources, strict=True):
        assert source is not None
        jpeg = base64.b64decode(source.removeprefix("data:image/jpeg;base64,"))
        row = np.asarray(Image.open(io.BytesIO(jpeg)).convert("L"), float)[20]
        bits = row.reshape(10, -1).mean(axis=1) > 128
        assert sum(1 << bit for bit, is_set in enumerate(bits) if is_set) == cut.start_frame + 10


def test_pdf_has_twelve_a_page_and_its_words_can_be_read(cuts: CutList, tmp_path: Path) -> None:
    (path,) = contact_pdf.write(cuts, tmp_path, options=Options(), progress=silent)
    pages = PdfReader(path).pages
    assert [len(page.images) for page in pages] == [12, 1]
    first, second = (page.extract_text() for page in pages)
    for words in ("Sélection <1>", "1. Der Süden", "12. Der Süden", "00:00:00:00", "Ça va?",
                  "<script>alert('x')</script>", "OUT OF ITS RIGHTS WINDOW", "1 / 2"):  # fmt: skip
        assert words in first
    assert "13. Der Süden" in second
    assert pages[0].mediabox.width > pages[0].mediabox.height


def test_what_no_typeface_has_is_seen_to_be_missing(
    cuts: CutList, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine without fonts has reportlab's own, which knows the west of Europe."""
    monkeypatch.setattr(typefaces, "FOLDERS", ())
    typefaces.typeface.cache_clear()
    face = typefaces.typeface()
    typefaces.typeface.cache_clear()
    assert face.name == "Trimbin-Vera"
    shown = list(face.runs("Süd €\u200b 東京 한국 שלום я"))
    box = face.box
    assert shown == [
        ("Trimbin-Vera", "Süd € "), ("HeiseiKakuGo-W5", "東京"), ("Trimbin-Vera", " "),
        ("HYGothic-Medium", "한국"), ("Trimbin-Vera", f" {box * 4} {box}"),
    ]  # fmt: skip
    monkeypatch.setattr(contact_pdf, "typeface", lambda: face)
    (path,) = contact_pdf.write(cuts, tmp_path, options=Options(), progress=silent)
    assert "4 of 5" in PdfReader(path).pages[0].extract_text()


def test_lines_are_broken_at_words_and_what_does_not_fit_is_told() -> None:
    face = typefaces.typeface()
    width = face.width("one two three", 10)
    assert face.lines("one two three four", 10, width=width, most=2) == ["one two three", "four"]
    (line,) = face.lines("one two three four", 10, width=width, most=1)
    assert line.endswith("…") and face.width(line, 10) <= width
    assert face.lines("W" * 50, 10, width=width, most=9)[0] != ""
    assert "".join(face.lines("W" * 50, 10, width=width, most=99)) == "W" * 50
    assert face.lines("", 10, width=width, most=2) == []


def test_what_is_off_line_has_the_librarys_picture_or_a_grey_one(
    library: Library, tmp_path: Path
) -> None:
    film = make_counted(tmp_path / "film.mp4", *X264, *AAC, frames=100, rate=24)
    manifest = add_title(library, film, num_frames=100)
    Image.new("RGB", (64, 36), (200, 30, 30)).save(library.thumbnail(manifest.title_id, 1))
    film.unlink()
    cuts = cut_list(library, (manifest, 0, 20), (manifest, 50, 90))
    (path,) = contact_html.write(cuts, tmp_path, options=Options(), progress=silent)
    colours = []
    for image in Page(path.read_text(encoding="utf-8")).all("img"):
        jpeg = base64.b64decode(str(image["src"]).partition(",")[2])
        colours.append(Image.open(io.BytesIO(jpeg)).convert("RGB").getpixel((5, 5)))
    assert colours[0] == pytest.approx((96, 96, 96), abs=3)
    assert colours[1] == pytest.approx((200, 30, 30), abs=6)
    assert contact_pdf.write(cuts, tmp_path, options=Options(), progress=silent)
