"""A contact sheet in one HTML file, for a browser and its printer.

Pictures are inside; nothing is fetched and no script is run: a content security policy forbids
both, and every word is escaped.
"""

from __future__ import annotations

import base64
import hashlib
from html import escape
from pathlib import Path

from app.export.assembling import ascii_name
from app.export.cutlist import CutList
from app.export.formats import Options
from app.export.tiles import SWATCHES, Tile, starred, summary_of, tiles_of
from app.export.writing import whole
from indexer.progress import Progress

STYLE = """
@page { size: A4 landscape; margin: 10mm }
:root { color-scheme: light dark }
body { font: 14px/1.4 system-ui, sans-serif; margin: 1.5rem }
h1 { font-size: 1.4rem; margin: 0 }
main { display: grid; grid-template-columns: repeat(auto-fill, minmax(17rem, 1fr)); gap: 1.2rem;
  margin-top: 1rem }
figure { margin: 0; break-inside: avoid; overflow-wrap: anywhere }
img { width: 100%; height: auto; aspect-ratio: 16 / 9; object-fit: contain; background: #000;
  display: block }
h2 { font-size: 1rem; margin: .3rem 0 0 }
p { margin: .1rem 0 }
.clock { font-variant-numeric: tabular-nums; font-size: .85rem; opacity: .8 }
.note { font-style: italic }
.rights { font-size: .85rem; font-weight: 600 }
.stars { color: #b8860b }
.label { display: inline-block; width: .8rem; height: .8rem; border-radius: 50% }
@media print { body { margin: 0; font-size: 10px }
  main { grid-template-columns: repeat(4, 1fr); gap: 4mm } }
""" + "".join(f".{name} {{ background: {colour} }}\n" for name, colour in SWATCHES.items())


def write(cuts: CutList, folder: Path, *, options: Options, progress: Progress) -> list[Path]:
    """Write the sheet and return it. What is off line is shown by the library's picture."""
    figures = "\n".join(_figure(tile) for tile in tiles_of(cuts, progress, stage="contact sheet"))
    path = folder / f"{ascii_name(cuts.name)}_contact.html"
    with whole(path) as part:
        part.write_text(_page(cuts, figures), encoding="utf-8", newline="\n")
    return [path]


def _page(cuts: CutList, figures: str) -> str:
    style = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; img-src data:; style-src 'sha256-{style}'"
    notes = "".join(f"<li>{escape(note)}</li>" for note in cuts.notes)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width">
<title>{escape(cuts.name)}</title>
<style>{STYLE}</style>
</head>
<body>
<header><h1>{escape(cuts.name)}</h1><p>{escape(summary_of(cuts))}</p></header>
<main>
{figures}
</main>
{f"<footer><ul>{notes}</ul></footer>" if notes else ""}
</body>
</html>
"""


def _figure(tile: Tile) -> str:
    picture = base64.b64encode(tile.jpeg).decode()
    label = ""
    if tile.colour:
        name = escape(tile.colour)
        label = f' <span class="label {name}" role="img" aria-label="label: {name}"></span>'
    lines = [
        ("clock", f"{tile.source_span} ({tile.length})"),
        ("clock", f"record {tile.record_span}"),
        ("stars", starred(tile.stars)),
        ("dialogue", tile.dialogue),
        ("note", tile.note),
        ("rights", tile.rights),
    ]
    told = "\n".join(f'<p class="{kind}">{escape(text)}</p>' for kind, text in lines if text)
    return f"""<figure>
<img alt="" width="{tile.width}" height="{tile.height}" src="data:image/jpeg;base64,{picture}">
<figcaption>
<h2>{tile.number}. {escape(tile.title)}{label}</h2>
{told}
</figcaption>
</figure>"""
