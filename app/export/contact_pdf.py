"""A contact sheet to print: A4 landscape, twelve pictures a page with what is known of each."""

from __future__ import annotations

import io
from pathlib import Path

from reportlab.lib.colors import HexColor, black
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from app.export.assembling import ascii_name
from app.export.cutlist import CutList
from app.export.formats import Options
from app.export.tiles import SWATCHES, Tile, starred, summary_of, tiles_of
from app.export.typefaces import Typeface, typeface
from app.export.writing import whole
from indexer.progress import Progress

COLUMNS, ROWS = 4, 3
PAGE_WIDTH, PAGE_HEIGHT = landscape(A4)  # points, 1/72 inch
MARGIN, GAP = 28.0, 10.0
HEAD = 26.0
"""Above the pictures: the list's name and the page's number."""
TILE_WIDTH = (PAGE_WIDTH - 2 * MARGIN - (COLUMNS - 1) * GAP) / COLUMNS
TILE_HEIGHT = (PAGE_HEIGHT - 2 * MARGIN - HEAD - (ROWS - 1) * GAP) / ROWS
PICTURE_HEIGHT = 92.0
SIZE, LEADING = 6.8, 8.2
GREY, LIGHT = HexColor("#555555"), HexColor("#e8e8e8")
DIALOGUE_LINES, NOTE_LINES, RIGHTS_LINES = 2, 1, 2


def write(cuts: CutList, folder: Path, *, options: Options, progress: Progress) -> list[Path]:
    """Write the sheet and return it. What is off line is shown by the library's picture."""
    face = typeface()
    path = folder / f"{ascii_name(cuts.name)}_contact.pdf"
    paper = io.BytesIO()
    canvas = Canvas(paper, pagesize=(PAGE_WIDTH, PAGE_HEIGHT), pageCompression=1)
    canvas.setTitle(cuts.name)
    pages = -(-len(cuts.cuts) // (COLUMNS * ROWS))
    for place, tile in enumerate(tiles_of(cuts, progress, stage="contact sheet")):
        page, on_page = divmod(place, COLUMNS * ROWS)
        if not on_page:
            if page:
                canvas.showPage()
            _head(canvas, face, cuts, f"{page + 1} / {pages}")
        row, column = divmod(on_page, COLUMNS)
        _Corner(canvas, face, MARGIN + column * (TILE_WIDTH + GAP),
                PAGE_HEIGHT - MARGIN - HEAD - row * (TILE_HEIGHT + GAP)).draw(tile)  # fmt: skip
    canvas.save()
    with whole(path) as part:
        part.write_bytes(paper.getvalue())
    return [path]


def _head(canvas: Canvas, face: Typeface, cuts: CutList, page: str) -> None:
    top = PAGE_HEIGHT - MARGIN - 12
    (name, *_) = face.lines(cuts.name, 13, width=PAGE_WIDTH / 2, most=1)
    draw_text(canvas, face, name, MARGIN, top, 13)
    told = f"{summary_of(cuts)}   {page}"
    canvas.setFillColor(GREY)
    draw_text(canvas, face, told, PAGE_WIDTH - MARGIN - face.width(told, 8), top, 8)
    canvas.setFillColor(black)


def draw_text(canvas: Canvas, face: Typeface, text: str, x: float, y: float, size: float) -> None:
    """Draw one line, each piece in the typeface that has it."""
    for name, run in face.runs(text):
        canvas.setFont(name, size)
        canvas.drawString(x, y, run)
        x += canvas.stringWidth(run, name, size)


class _Corner:
    """Draws a tile from its upper left corner down."""

    def __init__(self, canvas: Canvas, face: Typeface, left: float, top: float) -> None:
        self.canvas, self.face, self.left, self.top = canvas, face, left, top
        self.y = top - PICTURE_HEIGHT - LEADING

    def draw(self, tile: Tile) -> None:
        self._picture(tile)
        self._title(tile)
        self.canvas.setFillColor(GREY)
        self._text(f"{tile.source_span}  ({tile.length})")
        self._text(f"record {tile.record_span}")
        self.canvas.setFillColor(black)
        self._text(tile.dialogue, most=DIALOGUE_LINES)
        self._text(tile.note, most=NOTE_LINES)
        self._text(tile.rights, most=RIGHTS_LINES)

    def _picture(self, tile: Tile) -> None:
        bottom = self.top - PICTURE_HEIGHT
        self.canvas.setFillColor(LIGHT)
        self.canvas.rect(self.left, bottom, TILE_WIDTH, PICTURE_HEIGHT, stroke=0, fill=1)
        self.canvas.setFillColor(black)
        self.canvas.drawImage(
            ImageReader(io.BytesIO(tile.jpeg)), self.left, bottom, TILE_WIDTH, PICTURE_HEIGHT,
            preserveAspectRatio=True, anchor="c",
        )  # fmt: skip

    def _title(self, tile: Tile) -> None:
        right = self.left + TILE_WIDTH
        if tile.colour:
            self.canvas.setFillColor(HexColor(SWATCHES[tile.colour]))
            self.canvas.circle(right - 3, self.y + 2.2, 3, stroke=0, fill=1)
            self.canvas.setFillColor(black)
            right -= 9
        if tile.stars:
            has_stars = {ord("★"), ord("☆")} <= self.face.known
            told = starred(tile.stars) if has_stars else f"{tile.stars} of 5"
            right -= self.face.width(told, SIZE)
            draw_text(self.canvas, self.face, told, right, self.y, SIZE)
        self._text(f"{tile.number}. {tile.title}", size=SIZE + 1, width=right - 4 - self.left)

    def _text(
        self, text: str, *, most: int = 1, size: float = SIZE, width: float = TILE_WIDTH
    ) -> None:
        for line in self.face.lines(text, size, width=width, most=most):
            draw_text(self.canvas, self.face, line, self.left, self.y, size)
            self.y -= LEADING
