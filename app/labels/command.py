"""`trimbin label`: labels made by a few answers, told, asked on, found, taken elsewhere."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.labels.names import FEED_TITLES
from app.options import json_option, library_option

if TYPE_CHECKING:
    from app.labels.book import Labels
    from indexer.labelling.pool import Pool
    from indexer.library import Library

FAILED_INPUTS_EXIT = 1
by_option = click.option("--by", "who", default="", metavar="NAME", help="Whose answer this is.")
name_argument = click.argument("name", metavar="LABEL")


@click.group(invoke_without_command=True)
@library_option
@json_option
@click.pass_context
def label(ctx: click.Context, root: Path, as_json: bool) -> None:
    """List the labels; make one by a few answers, and find what it holds of.

    After ten answers of both kinds a classifier exists, and learns anew from every further one.

    \b
    Example: trimbin label begin "Slow burn" --describe "Dread that builds without a cut"
             trimbin label answer "Slow burn" "A Film" 1:10 1:24 --yes
             trimbin label ask "Slow burn"
             trimbin label find "Slow burn" --top 30 --list Teaser
    """
    if ctx.get_parameter_source("root") is not click.core.ParameterSource.DEFAULT:
        # What stands before the subcommand's name counts for it too.
        ctx.default_map = {command: {"root": str(root)} for command in label.commands}
    if ctx.invoked_subcommand is not None:
        return
    _, labels = _open(root)
    found = [named for name in labels.names() if (named := labels.look(name))]
    if as_json:
        click.echo(json.dumps([asdict(named) for named in found], ensure_ascii=False))
        return
    for named in found:
        click.echo(f"{named.name}  ({named.num_yes} yes, {named.num_no} no)")


@label.command()
@name_argument
@click.option("--describe", "description", default="", help="What it means, for those who answer.")
@library_option
def begin(name: str, description: str, root: Path) -> None:
    """Begin a label.

    Example: trimbin label begin "Slow burn" --describe "Dread that builds without a cut"
    """
    _, labels = _open(root)
    click.echo(labels.begin(name, description))


@label.command()
@name_argument
@click.argument("title")
@click.argument("start", metavar="IN")
@click.argument("end", metavar="[OUT]", required=False)
@click.option("--yes/--no", "holds", required=True, help="Whether it holds there.")
@by_option
@library_option
def answer(
    name: str, title: str, start: str, end: str | None, holds: bool, who: str, root: Path
) -> None:
    """Say whether a label holds of a stretch of a title; without OUT, of the shot at IN.

    A label that is not there is begun.

    Example: trimbin label answer "Slow burn" "A Film" 1:10 1:24 --yes
    """
    from app.labels.asking import stretch_of

    library, labels = _open(root, who)
    title_id, span = stretch_of(title, start, end, library)
    labels.answer(name, title_id, span, holds=holds)


@label.command()
@name_argument
@by_option
@library_option
def undo(name: str, who: str, root: Path) -> None:
    """Take one's own last answer back.

    Example: trimbin label undo "Slow burn"
    """
    _, labels = _open(root, who)
    taken = labels.take_back(name)
    click.echo("Nothing is left to take back." if taken is None else "Taken back.", err=True)


@label.command()
@name_argument
@library_option
def delete(name: str, root: Path) -> None:
    """Delete a label that is not used as a filter.

    Example: trimbin label delete "Slow burn"
    """
    from app.labels.filters import delete_label

    library, labels = _open(root)
    delete_label(library, labels, name)


@label.command()
@name_argument
@library_option
@json_option
def ask(name: str, root: Path, as_json: bool) -> None:
    """Tell which shots to answer of next: the likeliest, the undecided, the least likely, some
    by chance.

    Example: trimbin label ask "Slow burn"
    """
    from app.labels.asking import next_round
    from app.tell import line_of

    library, labels = _open(root)
    found = next_round(library, _pool(library), labels, name)
    if as_json:
        feeds = {feed: [asdict(m) for m in moments] for feed, moments in found.feeds.items()}
        click.echo(json.dumps({"feeds": feeds, "took_ms": round(found.took_ms, 1)}))
        return
    for feed, moments in found.feeds.items():
        click.echo(f"{FEED_TITLES[feed]}:")
        for place, moment in enumerate(moments, start=1):
            click.echo(line_of(place, moment))
    if found.learned is None:
        click.echo(f"trimbin: {found.missing}", err=True)


@label.command()
@name_argument
@click.option("--top", type=click.IntRange(1, 5000), default=20, show_default=True)
@click.option("--list", "list_name", help="Keep them in this shortlist.")
@library_option
@json_option
def find(name: str, top: int, list_name: str | None, root: Path, as_json: bool) -> None:
    """Find the shots of which a label most likely holds.

    Example: trimbin label find "Slow burn" --top 30 --list Teaser
    """
    from app.labels.asking import likeliest
    from app.shortlist import Pick, Shortlists
    from app.tell import line_of

    library, labels = _open(root)
    moments = likeliest(library, _pool(library), labels, name, top=top)
    if list_name:
        picks = [
            Pick.of(library.manifest(m.title_id), m.start_frame, m.end_frame, query=f"label {name}")
            for m in moments
        ]
        Shortlists.of(library).add_all(list_name, picks)
    if as_json:
        click.echo(json.dumps([asdict(moment) for moment in moments], ensure_ascii=False))
        return
    for place, moment in enumerate(moments, start=1):
        click.echo(line_of(place, moment))


@label.command()
@name_argument
@click.option("--off", is_flag=True, help="Use it no longer.")
@click.option("--tell-progress", is_flag=True, hidden=True, help="Print progress as JSON, too.")
@library_option
@json_option
def use(name: str, off: bool, tell_progress: bool, root: Path, as_json: bool) -> None:
    """Use a label as a filter: keep its classifier, and tag every shot of which it holds.

    Titles that come later are tagged by `trimbin tag --only own`, where one can also say how sure
    a classifier must be.

    \b
    Example: trimbin label use "Slow burn"
             trimbin search 'a face label:"Slow burn"'
    """
    from app.labels.filters import stop_using, use_label
    from app.studio import ProgressLines, open_studio, publishing

    library, labels = _open(root)
    with open_studio(library) as studio:
        if tell_progress:
            studio.progress = ProgressLines()
        with publishing(studio, command="trimbin label use"):
            used = (stop_using if off else use_label)(studio, labels, name)
    if as_json:
        click.echo(json.dumps(asdict(used), ensure_ascii=False))
    elif not off:
        click.echo(f"{used.name}: {used.shots} of {used.of_shots} shots carry it.")
    for sentence in used.failed:
        click.echo(f"trimbin: {sentence}", err=True)
    if used.failed:
        raise click.exceptions.Exit(FAILED_INPUTS_EXIT)


@label.command()
@name_argument
@library_option
@json_option
def agreement(name: str, root: Path, as_json: bool) -> None:
    """Tell how far the people agree who answered of the same shots.

    Example: trimbin label agreement "Slow burn"
    """
    from app.labels.agreement import agreements

    _, labels = _open(root)
    found = agreements(labels.answers(name))
    if as_json:
        click.echo(json.dumps([asdict(one) for one in found], ensure_ascii=False))
        return
    for one in found:
        click.echo(one.told)
    if not found:
        click.echo("trimbin: No two people have answered of the same shots yet.", err=True)


@label.command("export")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("names", metavar="[LABEL]...", nargs=-1)
@library_option
def export_labels(file: Path, names: tuple[str, ...], root: Path) -> None:
    """Write labels, by default all of them, to a CSV file that `import` and `evaluate` read.

    Example: trimbin label export labels.csv "Slow burn"
    """
    from app.labels.sheet import write_labels

    library, labels = _open(root)
    answers = [one for name in names or labels.names() for one in labels.answers(name)]
    write_labels(file, answers, library)
    click.echo(f"{len(answers)} answers in {file.name}.", err=True)


@label.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@by_option
@library_option
def import_labels(file: Path, who: str, root: Path) -> None:
    """Read answers from a CSV file: title, start, end, label, and if given value and by.

    Example: trimbin label import labels.csv --by Ana
    """
    from app.labels.sheet import read_labels

    library, labels = _open(root, who)
    count = labels.take_over(one for one in read_labels(file, library) if one.label)
    click.echo(f"{count} answers from {file.name}.", err=True)


def _open(root: Path, who: str = "") -> tuple[Library, Labels]:
    from app.labels.book import Labels
    from indexer.library import Library

    library = Library.open(root)
    return library, Labels.of(library, who=who)


def _pool(library: Library) -> Pool:
    from app.studio import bars
    from indexer.labelling.pool import pool_of

    with bars() as drawn:
        return pool_of(library, progress=drawn.draw)
