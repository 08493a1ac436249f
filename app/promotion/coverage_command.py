"""`trimbin coverage`: which scenes of a title no asset has used."""

from __future__ import annotations

import json
from pathlib import Path

import click

from app.options import json_option, library_option


@click.command("coverage")
@click.argument("title")
@click.argument("clips", nargs=-1, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--list",
    "names",
    multiple=True,
    metavar="LIST",
    help="A shortlist.  [all of the library's, or none where CLIPS are named]",
)
@click.option("--keep", metavar="LIST", help="Keep the unused scenes in this shortlist.")
@library_option
@json_option
def coverage_command(
    title: str, clips: tuple[Path, ...], names: tuple[str, ...], keep: str | None, root: Path,
    as_json: bool,
) -> None:  # fmt: skip
    """Tell which scenes of a title are shown by shortlists and CLIPS, and which by none.

    Scenes are neighbouring shots that are alike; docs/promotion.md says how they are parted.

    \b
    Example: trimbin coverage "Big Buck Bunny" --list Teaser
             trimbin coverage "Big Buck Bunny" --keep "Not used yet"
    """
    from app.places import find_title
    from app.promotion.assets import conformed, listed
    from app.promotion.coverage import coverage_of, keep_unused
    from indexer.library import Library

    library = Library.open(root)
    manifest = find_title(title, library)
    assets = listed(library, names or None if not clips else names)
    assets += [conformed(library, clip) for clip in clips]
    coverage = coverage_of(library, manifest, assets)
    if keep is not None:
        keep_unused(library, keep, coverage)
    if as_json:
        click.echo(json.dumps(coverage.to_json(), ensure_ascii=False))
        return
    for scene in coverage.scenes:
        told = "nothing to show" if scene.is_empty else "unused"
        told = f"{scene.used_s:.1f} s in {', '.join(scene.by)}" if scene.by else told
        click.echo(f"{scene.passage.line()}  {scene.passage.seconds:6.1f} s  {told}")
    unused = coverage.unused
    click.echo(
        f"{coverage.share:.1%} of {coverage.title} used; {len(unused)} of {len(coverage.scenes)} "
        f"scenes unused, {sum(scene.passage.seconds for scene in unused):.1f} s",
        err=True,
    )
    for note in coverage.notes:
        click.echo(note, err=True)
