"""A cut list as an Excel workbook: the spreadsheet's columns, numbers as numbers."""

from __future__ import annotations

import io
from pathlib import Path

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font

from app.export.assembling import ascii_name
from app.export.carried import carried, saved
from app.export.cutlist import CutList
from app.export.formats import Options
from app.export.spreadsheet import COLUMNS, MORE_COLUMNS, rows_of
from indexer.progress import Progress

MAX_CELL_CHARACTERS = 32_767
"""Excel's own limit."""
WIDTHS = {"title": 28, "path": 40, "dialogue": 50, "note": 30, "query": 20, "title_id": 20}
OTHER_WIDTH = 13


def write(cuts: CutList, folder: Path, *, options: Options, progress: Progress) -> list[Path]:
    """Write `<name>.xlsx`: a row a cut. No cell is a formula, whatever it begins with."""
    book = Workbook()
    sheet = book.active
    sheet.title = ascii_name(cuts.name)[:31]
    for column, name in enumerate((*COLUMNS, *MORE_COLUMNS), start=1):
        head = sheet.cell(1, column, name)
        head.font = Font(bold=True)
        sheet.column_dimensions[head.column_letter].width = WIDTHS.get(name, OTHER_WIDTH)
    for number, row in enumerate(rows_of(cuts), start=2):
        for column, value in enumerate(row, start=1):
            cell = sheet.cell(number, column)
            if isinstance(value, str):
                cell.value = ILLEGAL_CHARACTERS_RE.sub("", carried(value))[:MAX_CELL_CHARACTERS]
                cell.data_type = "s"  # text, also where it begins as a formula does
            else:
                cell.value = value
    sheet.freeze_panes = "A2"
    content = io.BytesIO()
    book.save(content)
    return [saved(folder / f"{ascii_name(cuts.name)}.xlsx", content.getvalue())]
