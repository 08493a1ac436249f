"""`trimbin versions` and `trimbin rebuild`: the library's model versions, and its store anew."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from app.options import device_option, json_option, library_option

if TYPE_CHECKING:
    from indexer.versions import Backfilled, Finding, Version

FAILED_INPUTS_EXIT = 1

id_argument = click.argument("version_id", metavar="ID")


@click.group(invoke_without_command=True)
@library_option
@json_option
@click.pass_context
def versions(ctx: click.Context, root: Path, as_json: bool) -> None:
    """List the library's model versions; register, backfill, validate, switch, roll back.

    A version is what makes a title's vectors: a profile's encoders and the context model learned
    from them. Another one is made beside the one in use, while searching goes on.

    \b
    Example: trimbin versions
             trimbin versions register --profile house.toml
             trimbin versions backfill house-1a2b3c4d
             trimbin versions validate house-1a2b3c4d
             trimbin versions switch house-1a2b3c4d
             trimbin versions roll-back
    """
    if ctx.get_parameter_source("root") is not ParameterSource.DEFAULT:
        # What stands before the subcommand's name counts for it too.
        ctx.default_map = {name: {"root": str(root)} for name in versions.commands}
    if ctx.invoked_subcommand is not None:
        return
    from indexer.library import Library
    from indexer.versions import versions_of

    found = versions_of(Library.open(root))
    if as_json:
        click.echo(json.dumps([_as_json(version) for version in found], ensure_ascii=False))
        return
    width = max(len(version.id) for version in found)
    for version in found:
        click.echo(_line(version, width))


@versions.command()
@click.option("--profile", help="clip, mediafm, offline, or a TOML file.  [the one in use]")
@click.option(
    "--anew", is_flag=True, help="Encoders the library has already, with another context model."
)
@library_option
@json_option
def register(profile: str | None, anew: bool, root: Path, as_json: bool) -> None:
    """Make a version known to the library, empty and not in use.

    Example: trimbin versions register --profile house.toml
    """
    from indexer.library import Library
    from indexer.profiles import load_profile
    from indexer.versions import register as make_known

    library = Library.open(root)
    wanted = load_profile(profile) if profile else library.profile
    version = make_known(library, wanted, anew=anew)
    if as_json:
        click.echo(json.dumps({"id": version.version, "profile": version.profile.name}))
    else:
        click.echo(f"{version.version} is registered.")
    click.echo(f"Next: trimbin versions backfill {version.version}", err=True)


@versions.command()
@id_argument
@library_option
@click.option(
    "--allow-endpoint",
    is_flag=True,
    help="Agree that dialogue is sent to the endpoint the profile names; kept for this version.",
)
@device_option
@json_option
def backfill(version_id: str, root: Path, allow_endpoint: bool, device: str, as_json: bool) -> None:
    """Encode every title into a version, beside the one in use.

    Shots and words stay as they are. An interrupted run goes on where it stopped; a title that has
    changed since is made anew.

    Example: trimbin versions backfill house-1a2b3c4d
    """
    from app.studio import open_studio, publishing
    from indexer.library import Library
    from indexer.versions import backfill as fill
    from indexer.versions import version_named

    library = Library.open(root)
    version = version_named(library, version_id)
    failed = 0
    with (
        open_studio(version, device=device, allow_endpoint=allow_endpoint) as studio,
        publishing(studio, command="trimbin versions backfill"),
    ):
        for done in fill(studio, library):
            failed += done.status == "failed"
            _tell_backfilled(done, as_json=as_json)
    left = f"{failed} title{'' if failed == 1 else 's'} left"
    click.echo(f"{version.version}: {left} to backfill.", err=True)
    if failed:
        raise click.exceptions.Exit(FAILED_INPUTS_EXIT)


@versions.command()
@id_argument
@library_option
@json_option
def validate(version_id: str, root: Path, as_json: bool) -> None:
    """Look whether a version's vectors are whole and sane, and its context model worth having.

    Example: trimbin versions validate house-1a2b3c4d
    """
    from app.studio import bars
    from indexer.library import Library
    from indexer.versions import validate as judge
    from indexer.versions import version_named

    library = Library.open(root)
    version = version_named(library, version_id)
    with bars() as drawn:
        findings = judge(version, library, progress=drawn.draw)
    passed = all(finding.verdict != "fail" for finding in findings)
    if as_json:
        told = {"id": version.version, "passed": passed}
        click.echo(json.dumps({**told, "findings": [asdict(f) for f in findings]}))
    else:
        for finding in findings:
            click.echo(_finding_line(finding))
        click.echo(f"{version.version} {'passed' if passed else 'did not pass'}.")
    if not passed:
        raise click.exceptions.Exit(FAILED_INPUTS_EXIT)


@versions.command()
@id_argument
@click.option("--force", is_flag=True, help="Though it is incomplete or did not pass.")
@library_option
@json_option
def switch(version_id: str, force: bool, root: Path, as_json: bool) -> None:
    """Use a version from now on: whoever opens the library finds the old one or the new.

    Example: trimbin versions switch house-1a2b3c4d
    """
    from indexer.library import Library
    from indexer.versions import switch as use
    from indexer.versions import version_named

    library = Library.open(root)
    version = use(library, version_named(library, version_id), force=force)
    _tell_switched(version.version, library.version, as_json=as_json)


@versions.command("roll-back")
@library_option
@json_option
def roll_back(root: Path, as_json: bool) -> None:
    """Use the version that was in use before this one again.

    Titles indexed since then are in the newer version only: `backfill` brings them.

    Example: trimbin versions roll-back
    """
    from indexer.library import Library
    from indexer.versions import roll_back as go_back

    library = Library.open(root)
    version = go_back(library)
    _tell_switched(version.version, library.version, as_json=as_json)


@click.command()
@library_option
@click.option("--version", "version_id", metavar="ID", help="Of this version.  [the one in use]")
@json_option
def rebuild(root: Path, version_id: str | None, as_json: bool) -> None:
    """Make the store anew from the title folders; nothing is decoded.

    Helps where the library's qdrant folder is damaged or gone. Searching goes on meanwhile.

    Example: trimbin rebuild
    """
    from app.studio import bars
    from indexer.library import Library
    from indexer.versions import rebuild as make_anew
    from indexer.versions import version_named

    library = Library.open(root)
    version = version_named(library, version_id) if version_id else library
    with bars() as drawn:
        rebuilt = make_anew(version, command="trimbin rebuild", progress=drawn.draw)
    if as_json:
        click.echo(json.dumps({"version": version.version, **asdict(rebuilt)}))
    else:
        click.echo(f"Published anew: {rebuilt.titles} titles, {rebuilt.shots} shots.")
    for sentence in rebuilt.damaged:
        click.echo(f"trimbin: {sentence}", err=True)
    if rebuilt.waits_for:
        click.echo(
            f"The new store waits for {rebuilt.waits_for}, which has the present one open: it is "
            "taken up when that one closes and the library is opened again.",
            err=True,
        )
    if rebuilt.damaged:
        raise click.exceptions.Exit(FAILED_INPUTS_EXIT)


def _line(version: Version, width: int) -> str:
    mark = "*" if version.in_use else " "
    validated = "not validated"
    if version.validated_at:
        validated = f"validated {version.validated_at[:16]}"
        if not version.validated:
            validated += ", changed since"
    since = f"registered {version.registered_at[:16]}" if version.registered_at else "the first"
    told = "in use" if version.in_use else since
    return (
        f"{mark} {version.id:<{width}}  {version.profile:<8}  "
        f"{version.titles} of {version.total} titles  {told}; {validated}"
    )


def _as_json(version: Version) -> dict[str, Any]:
    return {**asdict(version), "complete": version.is_complete}


def _finding_line(finding: Finding) -> str:
    return f"{finding.verdict:<5} {finding.gate:<8} {finding.told}"


def _tell_backfilled(done: Backfilled, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(asdict(done), ensure_ascii=False))
    elif done.status == "failed":
        click.echo(f"trimbin: {done.reason}", err=True)
    else:
        click.echo(f"{done.title}: {done.shots} shots, took {done.took_s:.1f} s")


def _tell_switched(now: str, before: str, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"in_use": now, "before": before}))
    else:
        click.echo(f"{now} is in use.")
        click.echo(f"What has the library open stays with {before} until opened again.", err=True)
