"""What becomes of titles after indexing: removed so that they can be brought back, and relinked.

A title may have a folder in every version's home; both actions reach all of them.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from indexer.disk import explained
from indexer.library import VERSIONS_FOLDER, Library
from indexer.manifest import MANIFEST_FILE, Manifest, read_manifest
from indexer.media.probe import content_hash, probe
from indexer.workbench import workbench
from qdrant.errors import InputError, UsageError

REMOVED_FOLDER = "removed"
"""Where removed titles wait to be brought back; nothing reads them there."""
FIRST_HOME = "first"
"""What the home without a name is called in there."""

LOOK_AGAIN = "Its file is another one than its shots were made of: run `trimbin index` on it."
"""The note of a title whose file was exchanged, until it is indexed again."""


@dataclass(frozen=True)
class Relinked:
    """What a title was relinked to."""

    manifest: Manifest
    is_same: bool  # the very same content; otherwise it is to be indexed again


def remove_title(library: Library, title_id: str) -> Path:
    """Take a title out of the library, in all its versions; return the folder it waits in.

    Whoever owns the store forgets its shots at the next sync. Its shortlisted moments, its film
    and its row in titles.csv stay. Raises `InputError` where it is not there or is being indexed.
    """
    homes = [home for home in _homes(library) if home.folder(title_id).is_dir()]
    if not any(home.has_folder(title_id) for home in homes):
        raise InputError(f"Title {title_id} is not in the library at {library.root}.")
    for home in homes:
        with workbench(home, title_id):
            pass  # raises where another process is working on it
    waiting = library.root / REMOVED_FOLDER / title_id
    with explained(library.root):
        if waiting.exists():  # removed once before, and indexed again since
            shutil.rmtree(waiting)
        waiting.mkdir(parents=True)
        for home in homes:
            home.folder(title_id).rename(waiting / (home.beside or FIRST_HOME))
        for proxy in (library.cache_folder / "proxies").glob(f"{title_id}-*"):
            proxy.unlink(missing_ok=True)
    return waiting


def bring_back(library: Library, title_id: str) -> None:
    """Put a removed title back where it was. Raises `InputError` where none waits."""
    waiting = library.root / REMOVED_FOLDER / title_id
    if not waiting.is_dir():
        raise InputError(f"No removed title {title_id} waits in {waiting.parent}.")
    with explained(library.root):
        for home in _homes(library):
            kept, folder = waiting / (home.beside or FIRST_HOME), home.folder(title_id)
            if kept.is_dir() and not home.has_folder(title_id):
                shutil.rmtree(folder, ignore_errors=True)  # a stub without a manifest
                kept.rename(folder)
        shutil.rmtree(waiting)


def removed_titles(library: Library) -> list[Manifest]:
    """Return the titles that can be brought back, by name."""
    found = (library.root / REMOVED_FOLDER).glob(f"*/*/{MANIFEST_FILE}")
    read = (read_manifest(path) for path in found)
    titles = {manifest.title_id: manifest for manifest in read if manifest}
    return sorted(titles.values(), key=lambda m: (m.title.casefold(), m.title_id))


def relink_title(library: Library, title_id: str, path: Path) -> Relinked:
    """Tell a title where its file is now: its id stays, so shortlists keep what they refer to.

    The same content is only found again. Other content (repaired, re-exported, appended) marks
    the title to be indexed again, under its id, by `trimbin index PATH`; until then its shots are
    those of the former file. Raises `InputError` for what is no film or sound, and `UsageError`
    for a file that is another title.
    """
    manifest = library.manifest(title_id)
    path = Path(path).expanduser().absolute()
    probe(path)  # raises InputError
    sha, stat = content_hash(path), path.stat()
    _refuse_another(library, manifest, sha)
    for home in _homes(library):
        if found := home.find(title_id):
            is_same = found.content_hash == sha
            moved = replace(
                found,
                path=str(path),
                content_hash=sha,
                size=stat.st_size,
                mtime_ns=stat.st_mtime_ns,
                inputs=found.inputs if is_same else {},  # none: it is not settled
                notes=found.notes if is_same else (LOOK_AGAIN, *_without_mark(found)),
            )
            with workbench(home, title_id):
                home.finish(moved)
    return Relinked(library.manifest(title_id), manifest.content_hash == sha)


def is_to_be_indexed_again(manifest: Manifest) -> bool:
    """Whether a title was relinked to other content and has not been indexed since."""
    return LOOK_AGAIN in manifest.notes


def _without_mark(manifest: Manifest) -> tuple[str, ...]:
    return tuple(note for note in manifest.notes if note != LOOK_AGAIN)


def _refuse_another(library: Library, manifest: Manifest, sha: str) -> None:
    for other in library.titles():
        if other.title_id != manifest.title_id and other.content_hash == sha:
            raise UsageError(
                f"That file is already the title {other.title!r}. Remove that one first "
                f"(`trimbin remove {other.title_id}`), or choose another file for "
                f"{manifest.title!r}."
            )


def _homes(library: Library) -> Iterator[Library]:
    """Return the library as it is in each version's home, the one in use first."""
    yield library
    beside = sorted((library.root / VERSIONS_FOLDER).glob("*/titles"))
    for name in (None, *(path.parent.name for path in beside)):
        if name != library.beside:
            yield library.at(name)
