"""From one version to another, and back: the store made whole first, then one file replaced.

Whoever opens the library finds the old version or the new one: `trimbin.toml` decides, each version
has its own titles and its own shard, and both stay where they are.
"""

from __future__ import annotations

from indexer.catalogue import open_catalogue
from indexer.library import Library
from indexer.versions.ledger import is_validated, lacking, record_of
from qdrant.errors import CannotRunNow, UsageError

TITLES_NAMED = 5
"""How many titles a message lists."""
FAILURES_TOLD = 3
"""And how many things that did not pass."""


def obstacles(version: Library, in_use: Library) -> list[str]:
    """Return what speaks against switching to a version, a sentence each; none: nothing does."""
    sentences = []
    if wanting := lacking(version, in_use):
        names = ", ".join(manifest.title for manifest in list(wanting.values())[:TITLES_NAMED])
        more = f" and {len(wanting) - TITLES_NAMED} more" if len(wanting) > TITLES_NAMED else ""
        sentences.append(
            f"It lacks {len(wanting)} of {len(in_use.in_use())} titles ({names}{more}): run "
            f"`trimbin versions backfill {version.version}`."
        )
    if not is_validated(version):
        if told := failures(version):
            sentences.append(f"It did not pass when it was last validated: {' '.join(told)}")
        sentences.append(
            "It has not been validated as it is now: run "
            f"`trimbin versions validate {version.version}`."
        )
    return sentences


def failures(version: Library) -> list[str]:
    """Return what a version did not pass at when it was last validated, a sentence each."""
    found = [f["told"] for f in record_of(version).findings if f.get("verdict") == "fail"]
    more = [f"There are {len(found) - FAILURES_TOLD} more." for _ in found[FAILURES_TOLD:]][:1]
    return [*found[:FAILURES_TOLD], *more]


def switch(library: Library, version: Library, *, force: bool = False) -> Library:
    """Make a version the one in use; return the library in it.

    Its store is brought in step first. Raises `UsageError` where something speaks against it and
    it is not forced, `CannotRunNow` where its store or the library cannot be written.
    """
    in_use = Library.open(library.root)
    if version.beside == in_use.beside:
        raise UsageError(f"{version.version} is the version in use already.")
    if not force and (sentences := obstacles(version, in_use)):
        raise UsageError(
            f"{version.version} cannot be switched to. {' '.join(sentences)} `--force` switches "
            "all the same."
        )
    former = [home for home in in_use.used_before() if home != version.beside]
    with open_catalogue(version, command="trimbin versions switch") as catalogue:
        if not catalogue.wait_until_in_step() and not force:
            raise CannotRunNow(
                f"The store of {version.version} lacks some of its titles; make it anew with "
                f"`trimbin rebuild --version {version.version}`, then switch."
            )
        version.use(before=[*former, in_use.beside])
    return version


def roll_back(library: Library) -> Library:
    """Make the version used before this one the one in use; return the library in it.

    Raises `UsageError` where there was none, `CannotRunNow` as `switch` does.
    """
    in_use = Library.open(library.root)
    before = in_use.used_before()
    if not before:
        raise UsageError(f"{in_use.version} is the first version used; there is none before it.")
    *former, last = before
    version = in_use.at(last)
    with open_catalogue(version, command="trimbin versions roll-back"):
        version.use(before=former)
    return version
