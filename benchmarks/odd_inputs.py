"""The table of odd inputs: what each file is, and what came out of it, as Markdown.

The rows and what must come out are those of the tests. Usage: odd_inputs.py [--quick]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from figures import report
from odd_media import Outcome, Row, complaints, outcome_of
from odd_table import ROWS

QUICK_EVERY = 4
AT_LEAST = 40


def told(row: Row, outcome: Outcome, folder: Path) -> str:
    """Return what came out, in a cell."""
    if outcome.refusal is not None:
        return "refused: " + outcome.refusal.replace(f"{folder}/", "").replace("\n", "\\n")
    assert outcome.media is not None
    picture = outcome.media.picture
    if picture is None:
        return f"sound alone, {outcome.end_s:.2f} s"
    words = [f"{outcome.frames} frames at {picture.rate}", f"{len(outcome.shots)} shots"]
    words += [f"{outcome.end_s - outcome.start_s:.2f} s"]
    words += [f"from {outcome.media.start_timecode}"] if outcome.media.start_timecode else []
    words += [f"turned {picture.rotation}"] if picture.rotation else []
    words += [f"pixels {picture.pixel_aspect}"] if picture.pixel_aspect != 1 else []
    words += [f"{picture.field_order} field first"] if picture.is_interlaced else []
    words += [f"pace {picture.pace}"] if picture.pace != "even" else []
    words += [f"{picture.bit_depth} bit"] if picture.bit_depth != 8 else []
    words += ["partial"] if outcome.partial else []
    words += [note.replace(f"{folder}/", "") for note in outcome.media.notes]
    return ", ".join(words)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    rows = ROWS[::QUICK_EVERY] if parser.parse_args().quick else ROWS
    wrong = 0
    print("| input | what came out | |\n|---|---|---|")
    for row in rows:
        with tempfile.TemporaryDirectory(prefix="trimbin-odd-") as name:
            path = Path(name, row.name)
            row.make(path)
            outcome = outcome_of(path)
            amiss = complaints(row, outcome)
            wrong += bool(amiss)
            verdict = "as it should be" if not amiss else "; ".join(amiss)
            print(f"| {row.what} | {told(row, outcome, path.parent)} | {verdict} |")
    figures = {
        "inputs": {"value": len(rows), "target": AT_LEAST, "ok": len(rows) >= AT_LEAST},
        "wrong": {"value": wrong, "target": 0, "ok": wrong == 0},
    }
    report("odd_inputs", figures)


if __name__ == "__main__":
    main()
