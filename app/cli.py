"""The command line: each command parses, calls one function, prints what came of it.

Results go to stdout, all else to stderr. Heavy imports stay inside the commands, so that `--help`
is instant.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.conforming.command import conform
from app.evaluating import evaluate
from app.exporting import export
from app.finetune import finetune
from app.importing.command import import_command
from app.keeping import relink, remove
from app.labels.command import label
from app.mapping import draw_map
from app.options import device_option, json_option, library_option
from app.promotion.ads_command import ads_command
from app.promotion.coverage_command import coverage_command
from app.promotion.moments_command import moments_command
from app.promotion.similar_command import similar_command
from app.searching import search
from app.serving import serve
from app.shortlisting import shortlist
from app.tagging import tag
from app.versions import rebuild, versions
from indexer import environment
from indexer.choices import DETECTORS, TRANSCRIBING
from indexer.memory import keep_few_kernels, multiply_in_one_thread
from qdrant.errors import TrimbinError

if TYPE_CHECKING:
    from indexer.studio import Studio

FAILED_INPUTS_EXIT = 1
UNEXPECTED_EXIT = 3


class Commands(click.Group):
    """The commands, with every error told as one sentence and its exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; a traceback is shown only with TRIMBIN_DEBUG=1."""
        try:
            return super().invoke(ctx)
        except TrimbinError as error:
            _complain(str(error))
            ctx.exit(error.exit_code)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except Exception as error:
            _complain(
                f"Something went wrong that should not have ({type(error).__name__}: {error}). "
                "Set TRIMBIN_DEBUG=1 to see where, and please report it."
            )
            ctx.exit(UNEXPECTED_EXIT)


def _complain(sentence: str) -> None:
    if environment.is_debugging():
        traceback.print_exc()
    click.echo(f"trimbin: {sentence}", err=True)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="trimbin")
@click.option("-v", "--verbose", is_flag=True, help="Tell what each stage took, on stderr.")
def main(verbose: bool) -> None:
    """Find the moment: contextual shot search for films, episodes and podcasts."""
    logging.basicConfig(
        level=logging.INFO if verbose else logging.WARNING,
        format="%(name)s: %(message)s",
        stream=sys.stderr,
    )
    for chatty in ("httpx", "httpcore", "urllib3", "huggingface_hub", "transformers"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    keep_few_kernels()
    multiply_in_one_thread()


@main.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@library_option
@click.option("--profile", help="Which models: clip, mediafm, offline, or a TOML file.  [clip]")
@click.option(
    "--allow-endpoint",
    is_flag=True,
    help="Agree that dialogue is sent to the endpoint the profile names; kept for this library.",
)
@click.option(
    "--detector",
    type=click.Choice(DETECTORS),
    help="What finds the cuts: ours, PySceneDetect's adaptive one, TransNetV2 alone.  [cascade]",
)
@click.option(
    "--transcribe",
    type=click.Choice(TRANSCRIBING),
    help="Write down what people say; auto: where there are no subtitles.  [auto]",
)
@click.option("--ocr/--no-ocr", default=None, help="Read what is written in the pictures.  [no]")
@click.option(
    "--stream", metavar="v:0,a:1", help="The main streams, where ours is the wrong choice."
)
@click.option("--tell-progress", is_flag=True, hidden=True, help="Print progress as JSON, too.")
@device_option
@json_option
def index(
    paths: tuple[Path, ...],
    root: Path,
    profile: str | None,
    allow_endpoint: bool,
    detector: str | None,
    transcribe: str | None,
    ocr: bool | None,
    stream: str | None,
    tell_progress: bool,
    device: str,
    as_json: bool,
) -> None:
    """Index films, episodes and podcasts: files, or folders of them.

    An unchanged title costs nothing; an interrupted run goes on where it stopped. What was chosen
    for a title is kept with it.

    Example: trimbin index ~/Films --profile offline
    """
    from app.studio import ProgressLines, build_search_index, open_studio, publishing
    from indexer.library import Library
    from indexer.pipeline import index as index_paths

    library = Library.open(root, create=True, profile=profile)
    failed = 0
    chosen = {"detector": detector, "transcribe": transcribe, "ocr": ocr, "stream": stream}
    with open_studio(library, device=device, allow_endpoint=allow_endpoint) as studio:
        studio.chosen = chosen
        if tell_progress:
            studio.progress = ProgressLines()
        with publishing(studio, command="trimbin index") as catalogue:
            for result in index_paths(paths, studio):
                failed += result.status == "failed"
                _print_result(result, as_json=as_json)
            build_search_index(catalogue, studio)
        _say_if_training_is_due(studio)
    if failed:
        raise click.exceptions.Exit(FAILED_INPUTS_EXIT)


def _print_result(result: Any, *, as_json: bool) -> None:
    from dataclasses import asdict

    if as_json:
        click.echo(json.dumps(asdict(result), ensure_ascii=False))
    elif result.status == "failed":
        click.echo(f"trimbin: {result.reason}", err=True)
    else:
        minutes, seconds = divmod(round(result.seconds), 60)
        note = f"  ({result.reason})" if result.reason else ""
        click.echo(
            f"{Path(result.path).name}: {result.status}, {result.shots} shots in "
            f"{minutes}:{seconds:02}, took {result.took_s:.1f} s{note}"
        )


def _say_if_training_is_due(studio: Studio) -> None:
    from indexer.learning import context_due

    if context_due(studio.library) == "again":
        studio.say(
            "The library has quadrupled since its context model was learned: "
            "`trimbin train` is due."
        )


@main.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@library_option
@click.option("--profile", help="Which models: clip, mediafm, offline, or a TOML file.  [clip]")
@click.option(
    "--settled",
    type=click.FloatRange(min=1),
    default=10,
    show_default=True,
    help="Seconds without change after which a recording is finished.",
)
@click.option("--once", is_flag=True, help="End when nothing grows any more.")
@device_option
@json_option
def watch(
    folder: Path,
    root: Path,
    profile: str | None,
    settled: float,
    once: bool,
    device: str,
    as_json: bool,
) -> None:
    """Watch a folder: index what is finished, follow what grows, HLS playlists too.

    Shots are published some seconds after they were written. Ctrl-C ends it; nothing is lost.

    Example: trimbin watch ~/Recordings
    """
    from app.watching import watch_library

    done = watch_library(
        folder,
        root=root,
        profile=profile,
        settled_s=settled,
        once=once,
        device=device,
        tell=lambda result: _print_result(result, as_json=as_json),
    )
    if not done:
        raise click.exceptions.Exit(FAILED_INPUTS_EXIT)


@main.command()
@library_option
@click.option("--steps", type=click.IntRange(1), help="Training steps.  [by the library's size]")
@json_option
def train(root: Path, steps: int | None, as_json: bool) -> None:
    """Learn the library's context model anew, from all of its titles.

    Example: trimbin train
    """
    from dataclasses import asdict

    from app.studio import open_studio, publishing
    from indexer.learning import bring_into_context, learn_context
    from indexer.library import Library

    library = Library.open(root)
    with open_studio(library) as studio, publishing(studio, command="trimbin train"):
        metrics = learn_context(studio, steps=steps, seconds=None)
        bring_into_context(studio)
        studio.published()
    if as_json:
        click.echo(json.dumps({**asdict(metrics), "worthy": metrics.worthy}))


@main.command()
@library_option
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(1, 65535), default=8501, show_default=True)
@click.option("--no-browser", is_flag=True, help="Do not open a browser.")
@click.option(
    "--allow-host",
    multiple=True,
    metavar="NAME",
    help="A name by which browsers may call this machine, beside localhost and its own.",
)
@click.option(
    "--allow-changes",
    is_flag=True,
    help="Let others who can open the page add, relink and remove titles; they type paths of "
    "this machine.",
)
def ui(
    root: Path,
    host: str,
    port: int,
    no_browser: bool,
    allow_host: tuple[str, ...],
    allow_changes: bool,
) -> None:
    """Open the page: search, play, shortlist. On this machine only, unless told otherwise.

    Example: trimbin ui --port 8600
    """
    from app.hosting import leave
    from app.server import serve_page

    serve_page(
        root,
        host=host,
        port=port,
        open_browser=not no_browser,
        allow_hosts=allow_host,
        allow_changes=allow_changes,
    )
    leave()


@main.command()
@library_option
@click.option(
    "--server-plan",
    metavar="SHOTS",
    help="Instead: the Qdrant server that so many shots want, 250k, 10M, 80M, and its arithmetic.",
)
@click.option("--profile", help="Which vectors, for --server-plan.  [clip]")
@json_option
def doctor(root: Path, server_plan: str | None, profile: str | None, as_json: bool) -> None:
    """Tell what is installed, reachable and writable, and which profiles can run here.

    \b
    Example: trimbin doctor
             trimbin doctor --server-plan 10M
    """
    if server_plan is not None:
        from app.server_plan import plan_of, tell_plan

        plan = plan_of(server_plan, profile=profile)
        click.echo(json.dumps(plan.to_json()) if as_json else tell_plan(plan))
        return
    from app.doctor import examine

    findings = examine(root)
    if as_json:
        click.echo(json.dumps([finding.to_json() for finding in findings], ensure_ascii=False))
    else:
        for finding in findings:
            click.echo(finding.line())
    if any(finding.is_fatal for finding in findings):
        raise click.exceptions.Exit(3)


@main.command()
@click.option(
    "--library",
    "root",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(".demo/library"),
    show_default=True,
    help="The demo's own library.",
)
@click.option(
    "--films",
    type=click.Path(path_type=Path, exists=True),
    help="A folder of your own films instead of Big Buck Bunny.",
)
@click.option("--serve/--no-serve", default=True, help="Open the page in the end.")
@click.option("--port", type=click.IntRange(1, 65535), default=8501, show_default=True)
def demo(root: Path, films: Path | None, serve: bool, port: int) -> None:
    """Index a real film with the offline profile, show what three queries find, open the page.

    Example: trimbin demo --no-serve
    """
    from app.demo import run_demo

    if run_demo(root, films=films, serve=serve, port=port):
        raise click.exceptions.Exit(FAILED_INPUTS_EXIT)


main.add_command(versions)
main.add_command(evaluate)
main.add_command(conform)
main.add_command(export)
main.add_command(finetune)
main.add_command(import_command)
main.add_command(rebuild)
main.add_command(draw_map)
main.add_command(label)
main.add_command(ads_command)
main.add_command(coverage_command)
main.add_command(moments_command)
main.add_command(similar_command)
main.add_command(relink)
main.add_command(remove)
main.add_command(search)
main.add_command(serve)
main.add_command(shortlist)
main.add_command(tag)
