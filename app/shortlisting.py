"""`trimbin shortlist`: the lists of kept moments, told and changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.options import json_option, library_option

if TYPE_CHECKING:
    from app.shortlist import Item, Shortlists
    from indexer.library import Library

by_option = click.option("--by", "who", default="", metavar="NAME", help="Whose change this is.")
list_argument = click.argument("name", metavar="LIST")
item_argument = click.argument("item_id", metavar="ITEM", type=int)


@click.group(invoke_without_command=True)
@library_option
@json_option
@click.pass_context
def shortlist(ctx: click.Context, root: Path, as_json: bool) -> None:
    """List the shortlists; show one, and change what is on it.

    Every change is kept, and can be undone. An ITEM is the number that `show` tells.

    \b
    Example: trimbin shortlist
             trimbin shortlist add "A Film" 1:10 1:14.5 --list Trailer
             trimbin shortlist show Trailer
             trimbin shortlist trim 3 --in 00:01:10:12
             trimbin shortlist undo Trailer
    """
    if ctx.get_parameter_source("root") is not click.core.ParameterSource.DEFAULT:
        # What stands before the subcommand's name counts for it too.
        ctx.default_map = {command: {"root": str(root)} for command in shortlist.commands}
    if ctx.invoked_subcommand is not None:
        return
    _, lists = _open(root)
    counted = {name: len(lists.items(name)) for name in lists.names()}
    if as_json:
        rows = [{"name": name, "moments": count} for name, count in counted.items()]
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    for name, count in counted.items():
        click.echo(f"{name}  ({count} moment{'' if count == 1 else 's'})")


@shortlist.command()
@list_argument
@library_option
@json_option
def show(name: str, root: Path, as_json: bool) -> None:
    """Show a list's moments in their order.

    Example: trimbin shortlist show Trailer --json
    """
    library, lists = _open(root)
    found = lists.look(name)
    if found is None:
        raise _no_list(name)
    if as_json:
        click.echo(json.dumps(asdict(found), ensure_ascii=False))
        return
    for item in found.items:
        click.echo(_line(item, library))


@shortlist.command()
@click.argument("title")
@click.argument("start", metavar="IN")
@click.argument("end", metavar="OUT")
@click.option("--list", "name", default="Selects", show_default=True, help="The list to add to.")
@click.option("--note", default="", help="A note to it.")
@by_option
@library_option
def add(title: str, start: str, end: str, name: str, note: str, who: str, root: Path) -> None:
    """Keep a moment: IN and OUT are timecode, seconds, M:SS, or frames as `120f`.

    Example: trimbin shortlist add "A Film" 1:10 1:14.5 --list Trailer
    """
    from app.places import find_title, frame_of
    from app.shortlist import Pick

    library, lists = _open(root, who)
    manifest = find_title(title, library)
    span = (frame_of(point, manifest, library) for point in (start, end))
    item = lists.add(name, Pick.of(manifest, *span, note=note))
    click.echo(_line(item, library))


@shortlist.command()
@item_argument
@by_option
@library_option
def remove(item_id: int, who: str, root: Path) -> None:
    """Take a moment off its list.

    Example: trimbin shortlist remove 3
    """
    _, lists = _open(root, who)
    _there(lists.remove(item_id), item_id)


@shortlist.command()
@item_argument
@click.option("--before", type=int, metavar="ITEM", help="Put it before this one.")
@click.option("--after", type=int, metavar="ITEM", help="Put it after this one.  [the last]")
@by_option
@library_option
def move(item_id: int, before: int | None, after: int | None, who: str, root: Path) -> None:
    """Put a moment elsewhere in its list.

    Example: trimbin shortlist move 3 --before 1
    """
    _, lists = _open(root, who)
    _there(lists.move(item_id, before=before, after=after), item_id)


@shortlist.command()
@item_argument
@click.option("--in", "start", metavar="TIME", help="The new in point; +5f, -5f: from now.")
@click.option("--out", "end", metavar="TIME", help="The new out point, likewise.")
@by_option
@library_option
def trim(item_id: int, start: str | None, end: str | None, who: str, root: Path) -> None:
    """Set where a moment begins or ends.

    Example: trimbin shortlist trim 3 --in 00:01:10:12 --out +5f
    """
    from app.places import frame_of

    library, lists = _open(root, who)
    item = lists.item(item_id)
    if item is None:
        _there(False, item_id)
        return
    manifest = library.manifest(item.title_id)

    def frame(text: str | None, now: int) -> int | None:
        if text and text[0] in "+-":
            ahead = frame_of(text[1:], manifest, library)
            return now + ahead if text[0] == "+" else now - ahead
        return frame_of(text, manifest, library) if text else None

    lists.trim(
        item_id,
        start_frame=frame(start, item.start_frame),
        end_frame=frame(end, item.end_frame),
        num_frames=manifest.num_frames,
    )
    _tell(lists, item_id, library)


@shortlist.command()
@item_argument
@click.argument("words")
@by_option
@library_option
def note(item_id: int, words: str, who: str, root: Path) -> None:
    """Write a note to a moment.

    Example: trimbin shortlist note 3 "slow zoom, cut before the laugh"
    """
    library, lists = _open(root, who)
    _there(lists.annotate(item_id, words), item_id)
    _tell(lists, item_id, library)


@shortlist.command()
@item_argument
@click.argument("stars", type=click.IntRange(0, 5))
@by_option
@library_option
def star(item_id: int, stars: int, who: str, root: Path) -> None:
    """Give a moment 0 to 5 stars.

    Example: trimbin shortlist star 3 5
    """
    library, lists = _open(root, who)
    _there(lists.star(item_id, stars), item_id)
    _tell(lists, item_id, library)


@shortlist.command()
@list_argument
@click.argument("new_name", metavar="NEW_NAME")
@by_option
@library_option
def rename(name: str, new_name: str, who: str, root: Path) -> None:
    """Rename a list.

    Example: trimbin shortlist rename Trailer "Trailer, first cut"
    """
    _open(root, who)[1].rename(name, new_name)


@shortlist.command()
@list_argument
@click.option("--recover", is_flag=True, help="Bring it back instead.")
@by_option
@library_option
def delete(name: str, recover: bool, who: str, root: Path) -> None:
    """Delete a list; it can be brought back.

    \b
    Example: trimbin shortlist delete Trailer
             trimbin shortlist delete Trailer --recover
    """
    lists = _open(root, who)[1]
    act: Callable[[str], object] = lists.recover if recover else lists.delete
    act(name)


@shortlist.command()
@list_argument
@click.option("--redo", is_flag=True, help="Make the change again that was undone last.")
@by_option
@library_option
def undo(name: str, redo: bool, who: str, root: Path) -> None:
    """Take a list's last change back.

    Example: trimbin shortlist undo Trailer
    """
    lists = _open(root, who)[1]
    done = lists.redo(name) if redo else lists.undo(name)
    click.echo(done or f"There is nothing to {'redo' if redo else 'undo'}.", err=not done)


@shortlist.command()
@list_argument
@click.option("--restore", type=int, metavar="CHANGE", help="Bring the list back as it was then.")
@by_option
@library_option
@json_option
def history(name: str, restore: int | None, who: str, root: Path, as_json: bool) -> None:
    """Tell a list's changes, newest first: number, when, by whom, what.

    \b
    Example: trimbin shortlist history Trailer
             trimbin shortlist history Trailer --restore 12
    """
    lists = _open(root, who)[1]
    if restore is not None:
        lists.restore(name, restore)
    changes = lists.history(name)
    if as_json:
        click.echo(json.dumps([asdict(change) for change in changes], ensure_ascii=False))
        return
    for change in changes:
        mark = "  (undone)" if change.is_undone else ""
        by = f"  {change.who}" if change.who else ""
        click.echo(f"{change.change_id:>5}  {change.at}{by}  {change.what}{mark}")


def _open(root: Path, who: str = "") -> tuple[Library, Shortlists]:
    from app.shortlist import Shortlists
    from indexer.library import Library

    library = Library.open(root)
    return library, Shortlists.of(library, who=who)


def _there(was_there: bool, item_id: int) -> None:
    from qdrant.errors import UsageError

    if not was_there:
        raise UsageError(f"No list has an item {item_id}; `trimbin shortlist show LIST` tells.")


def _no_list(name: str) -> Exception:
    from app.shortlists.rows import unknown

    return unknown(name)


def _tell(lists: Shortlists, item_id: int, library: Library) -> None:
    if item := lists.item(item_id):
        click.echo(_line(item, library))


def _line(item: Item, library: Library) -> str:
    from app.shortlists.timing import points_of

    start, end = points_of(item, library)
    marks = "".join([f"  {'*' * item.stars}" if item.stars else "",
                     f"  {item.colour}" if item.colour else "",
                     f'  "{item.note}"' if item.note else ""])  # fmt: skip
    return f"{item.item_id:>4}  {start} - {end}  {item.title}{marks}"
