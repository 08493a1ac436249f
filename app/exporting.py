"""`trimbin export`: shortlists in the formats that other people's machines take."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import click

from app.export.assembling import MAX_HANDLE_FRAMES, RECORD_START, Settings
from app.export.formats import FORMATS, Options, format_named
from app.options import json_option, library_option

FAILED_INPUTS_EXIT = 1
NTSC = Fraction(1000, 1001)
FORMAT_LIST = "\n".join(f"  {kind.name:17} {kind.what}" for kind in FORMATS.values())


def _rate(_ctx: click.Context, _option: click.Parameter, told: str | None) -> Fraction | None:
    """Return `24`, `23.976`, `30000/1001` as an exact rate."""
    if told is None:
        return None
    try:
        rate = Fraction(told)
    except (ValueError, ZeroDivisionError) as error:
        raise click.BadParameter("write 24, 23.976 or 24000/1001") from error
    if not 1 <= rate <= 1000:
        raise click.BadParameter("a rate lies between 1 and 1000 frames a second")
    ntsc = round(rate) * NTSC
    return ntsc if rate.denominator != 1 and abs(rate - ntsc) < Fraction(1, 100) else rate


def _maps(
    _ctx: click.Context, _option: click.Parameter, told: tuple[str, ...]
) -> tuple[tuple[str, str], ...]:
    pairs = tuple((ours, theirs) for ours, _, theirs in (pair.partition("=") for pair in told))
    if any(not ours or not theirs for ours, theirs in pairs):
        raise click.BadParameter(r"write OLD=NEW, as in /mnt/films=S:\Films")
    return pairs


@click.command(epilog="\b\nFormats:\n" + FORMAT_LIST)
@click.argument("lists", nargs=-1, required=True, metavar="LIST...")
@click.option(
    "-f",
    "--format",
    "formats",
    multiple=True,
    required=True,
    metavar="FORMAT",
    help="One of those below; may be given several times.",
)
@click.option(
    "--into",
    type=click.Path(path_type=Path),
    default=Path(),
    show_default="the current folder",
    help="A folder; or a file that ends in .zip.",
)
@library_option
@click.option("--together", metavar="NAME", help="All lists as one, called so.")
@click.option(
    "--handles",
    type=click.IntRange(0, MAX_HANDLE_FRAMES),
    help="Frames on either side, fewer at the ends of a file.  [those of the list]",
)
@click.option(
    "--record-start",
    default=RECORD_START,
    show_default=True,
    metavar="TC",
    help="Where the record timeline begins; 01:00:00;00 makes it drop-frame.",
)
@click.option("--rate", callback=_rate, metavar="FPS", help="Conform mixed frame rates to this.")
@click.option(
    "--map",
    "maps",
    multiple=True,
    callback=_maps,
    metavar="OLD=NEW",
    help="How paths begin here, and on the machine that edits.",
)
@click.option(
    "--allow-expired", is_flag=True, help="Moments out of their rights too; this is recorded."
)
@click.option("--burn-timecode", is_flag=True, help="Source timecode in the picture of clips.")
@click.option("--reencode", is_flag=True, help="Encode clips anew also where a copy would do.")
@click.option("--workers", type=click.IntRange(1, 64), help="Clips rendered at once.  [the cores]")
@json_option
def export(
    lists: tuple[str, ...],
    formats: tuple[str, ...],
    into: Path,
    root: Path,
    together: str | None,
    handles: int | None,
    record_start: str,
    rate: Fraction | None,
    maps: tuple[tuple[str, str], ...],
    allow_expired: bool,
    burn_timecode: bool,
    reencode: bool,
    workers: int | None,
    as_json: bool,
) -> None:
    """Take shortlists to an edit, a spreadsheet, a folder of clips.

    \b
    Example: trimbin export Selects -f edl -f xml --handles 10
             trimbin export Selects Alternates -f clips -f contact-pdf --into selects.zip
             trimbin export Selects -f fcpxml --map /mnt/films=/Volumes/Films
    """
    from app.export.delivery import deliver
    from app.studio import bars
    from indexer.library import Library

    chosen = [format_named(name) for name in dict.fromkeys(formats)]
    settings = Settings(
        handles=handles,
        record_start=record_start,
        rate=rate,
        maps=maps,
        allow_expired=allow_expired,
    )
    options = Options(burn_timecode=burn_timecode, reencode=reencode, workers=workers)
    library = Library.open(root)
    with bars() as shown:
        delivered = deliver(
            library,
            list(dict.fromkeys(lists)),
            chosen,
            into,
            settings=settings,
            options=options,
            together=together,
            progress=shown.draw,
        )
    if as_json:
        told = {
            "files": [str(path) for path in delivered.files],
            "notes": delivered.notes,
            "failed": delivered.failed,
        }
        click.echo(json.dumps(told, ensure_ascii=False))
    else:
        for path in delivered.files:
            click.echo(path)
        for note in delivered.notes:
            click.echo(note, err=True)
    for sentence in delivered.failed:
        click.echo(f"trimbin: {sentence}", err=True)
    if delivered.failed:
        raise click.exceptions.Exit(FAILED_INPUTS_EXIT)
