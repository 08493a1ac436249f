"""`trimbin finetune`: the video encoder learns from shots and what is said of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.options import device_option, json_option

if TYPE_CHECKING:
    from indexer.finetune.run import FineTuned
    from indexer.progress import Progress


@click.command()
@click.argument("pairs", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option(
    "--out", required=True, type=click.Path(path_type=Path, file_okay=False),
    help="A folder for the new model and its profile.",
)  # fmt: skip
@click.option("--profile", default="clip", show_default=True, help="Whose video encoder to train.")
@click.option("--base", metavar="MODEL:PRETRAINED", help="Another open_clip model to begin with.")
@click.option(
    "--descriptions", type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The audio description of the one film given (WebVTT, SubRip ...).",
)  # fmt: skip
@click.option(
    "--adapters", type=click.Choice(["lora", "none"]),
    help="Low-rank adapters in both towers, or only what lies behind them.  [lora]",
)  # fmt: skip
@click.option("--rank", type=click.IntRange(1, 256), help="Of the adapters.  [8]")
@click.option(
    "--pool", type=click.Choice(["mean", "temporal"]),
    help="How a shot's frames become one vector.  [as the profile has it]",
)  # fmt: skip
@click.option("--epochs", type=click.IntRange(1), help="At most.  [10]")
@click.option("--batch", type=click.IntRange(2), help="Pairs that compete.  [32]")
@click.option("--frames", type=click.IntRange(1, 32), help="Pictures a shot.  [4]")
@click.option("--rate", type=click.FloatRange(0, min_open=True), help="Learning rate.  [5e-4]")
@click.option("--held-out", type=click.FloatRange(0.01, 0.9), help="Share of the pairs.  [0.2]")
@click.option("--seed", type=int, help="Of all that is drawn.")
@click.option(
    "--centre-sound", is_flag=True, help="Also centre the profile's sounds on those of the pairs."
)
@device_option
@json_option
def finetune(
    pairs: tuple[Path, ...],
    out: Path,
    profile: str,
    base: str | None,
    descriptions: Path | None,
    pool: str | None,
    centre_sound: bool,
    device: str,
    as_json: bool,
    **chosen: Any,
) -> None:
    """Fine-tune the video encoder on pairs: tables with clip, start, end and caption.

    A film with an audio description beside it (FILM.descriptions.en.vtt) gives pairs too. The
    result is a profile for a new library: its video encoder is another version.

    Example: trimbin finetune pairs.csv --out tuned, then trimbin index ~/Films --profile
    tuned/clip-tuned.toml --library ~/tuned-library
    """
    from indexer.finetune.run import finetune as fine_tune
    from indexer.finetune.run import recipe_of

    with _drawn() as progress:
        done = fine_tune(
            pairs,
            out=out,
            profile=profile,
            base=base,
            recipe=recipe_of(profile, base=base, pool=pool, **chosen),
            descriptions=descriptions,
            centre_sound=centre_sound,
            device=device,
            progress=progress,
            say=lambda sentence: click.echo(sentence, err=True),
        )
    if as_json:
        click.echo(json.dumps(done.to_json(), ensure_ascii=False))
    else:
        _tell(done)


def _tell(done: FineTuned) -> None:
    before, after = done.trained.before, done.trained.after
    click.echo(
        f"Captions of held-out pairs that find their shot first, among {after.num_pairs}: "
        f"{before.recall_at_1:.0%} before, {after.recall_at_1:.0%} now; "
        f"among the first five: {before.recall_at_5:.0%} before, {after.recall_at_5:.0%} now "
        f"(drawn blindly: {after.chance_at_1:.0%})."
    )
    if not done.trained.best:
        click.echo("No epoch did better on them than the model as it came, which is kept.")
    click.echo(f"{done.profile}  (epoch {done.trained.best}, {done.seconds:.0f} s)")


@contextmanager
def _drawn() -> Iterator[Progress]:
    """Draw progress as a bar on stderr."""
    from rich.console import Console
    from rich.progress import Progress as Bars

    console = Console(stderr=True)
    with Bars(console=console, transient=True, disable=not console.is_terminal) as bars:
        task = bars.add_task("", total=None, visible=False)

        def draw(stage: str, done: float, total: float) -> None:
            bars.update(
                task, description=stage, completed=done, total=total or None, visible=done < total
            )

        yield draw
