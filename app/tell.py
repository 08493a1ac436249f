"""An answer as lines of text, for a person at a terminal."""

from __future__ import annotations

import click

from app.moment import Moment
from app.search import Answer


def tell(answer: Answer) -> None:
    """Print moments to stdout, best first, and what is to be known about them to stderr."""
    for place, moment in enumerate(answer.hits, start=1):
        click.echo(line_of(place, moment))
    if answer.weak:
        click.echo("Nearest, but below the confidence floor:" if not answer.hits else "Weaker:")
        for place, moment in enumerate(answer.weak, start=len(answer.hits) + 1):
            click.echo(line_of(place, moment))
    for note in answer.notes:
        click.echo(note, err=True)


def line_of(place: int, moment: Moment) -> str:
    """Return a moment as a line, after its place among others."""
    span = (
        f"{moment.start_tc} - {moment.end_tc}"
        if moment.start_tc
        else f"{clock(moment.start_s)} - {clock(moment.end_s)}"
    )
    shares = [f"{space} {share:.0%}" for space, share in moment.why.items() if share]
    why = f"  [{', '.join(shares)}]" if shares else ""
    said = f'  "{moment.dialogue[:60]}"' if moment.dialogue else ""
    return f"{place:>3}  {moment.score:.2f}  {span}  {moment.title}{why}{said}"


def clock(seconds: float) -> str:
    """Return seconds as `M:SS`, or `H:MM:SS` from an hour on; a second begun is not counted."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
