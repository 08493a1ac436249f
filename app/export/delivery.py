"""Shortlists delivered: any number of lists in any number of formats, into a folder or a zip."""

from __future__ import annotations

import json
import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from app.export.assembling import Settings, ascii_name, assemble
from app.export.cutlist import CutList
from app.export.formats import Format, Options
from app.shortlist import Shortlist, Shortlists
from indexer.library import Library
from indexer.progress import Progress, silent
from qdrant.errors import CannotRunNow, InputError, TrimbinError, UsageError

RECORD_FILE = "exports.jsonl"
"""In the library's folder: a line for each delivery, with what was allowed for it."""


@dataclass(frozen=True)
class Delivered:
    """What an export came to."""

    files: tuple[Path, ...]
    notes: tuple[str, ...]  # what was clamped, conformed, expired: sentences
    failed: tuple[str, ...] = ()  # what could not be written, and why: sentences


@dataclass
class _Delivery:
    """A delivery under way."""

    options: Options
    progress: Progress
    files: list[Path] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def take(self, cuts: CutList, formats: Sequence[Format], folder: Path) -> None:
        """Write one cut list in every format; a format that cannot say it is told, others go on."""
        self.notes += [note for note in cuts.notes if note not in self.notes]
        folder.mkdir(parents=True, exist_ok=True)
        for kind in formats:
            try:
                self.files += kind.writer()(
                    cuts, folder, options=self.options, progress=self.progress
                )
            except (UsageError, InputError) as error:
                self.failed.append(f"{kind.name} of {cuts.name!r}: {error}")


def deliver(
    library: Library,
    names: Sequence[str],
    formats: Sequence[Format],
    into: Path,
    *,
    settings: Settings | None = None,
    options: Options | None = None,
    together: str | None = None,
    progress: Progress = silent,
) -> Delivered:
    """Write shortlists in every format asked for, and return the files.

    One list goes straight into the folder `into`, several into a folder each, or all as one list
    that is called `together`. Where `into` ends in `.zip`, a zip is made of them instead. Raises
    `UsageError` for a list that is not there or must not go out as it is, and `CannotRunNow` where
    nothing can be written; a format or a source that fails is told in `failed`, and the rest is
    delivered.
    """
    settings, options = settings or Settings(), options or Options()
    shortlists = Shortlists.of(library)
    kept = [_look(shortlists, name) for name in names]
    if together:
        items = tuple(item for one in kept for item in one.items)
        kept = [replace(kept[0], name=together, items=items, handles=max(k.handles for k in kept))]
    handles = [one.handles if settings.handles is None else settings.handles for one in kept]
    lists = [
        assemble(one.name, one.items, library, replace(settings, handles=frames))
        for one, frames in zip(kept, handles, strict=True)
    ]
    delivery = _Delivery(options, progress)
    with _explained(into), _folder_for(into) as folder:
        for cuts in lists:
            delivery.take(cuts, formats, folder / ascii_name(cuts.name) if lists[1:] else folder)
        if folder != into:
            pack(folder, into)
            delivery.files = [into]
    _record(library, lists, formats, asdict(settings) | {"handles": handles})
    return Delivered(tuple(delivery.files), tuple(delivery.notes), tuple(delivery.failed))


def _look(shortlists: Shortlists, name: str) -> Shortlist:
    found = shortlists.look(name)
    if found is None:
        known = ", ".join(map(repr, shortlists.names())) or "none"
        raise UsageError(f"There is no shortlist {name!r}. There are: {known}.")
    return found


@contextmanager
def _folder_for(into: Path) -> Iterator[Path]:
    """Yield the folder to write into: `into`, or a passing one beside the zip of that name."""
    if into.suffix.lower() != ".zip":
        into.mkdir(parents=True, exist_ok=True)
        yield into
        return
    into.parent.mkdir(parents=True, exist_ok=True)
    passing = Path(tempfile.mkdtemp(prefix=f".{into.stem}-", dir=into.parent))
    try:
        yield passing
    finally:
        shutil.rmtree(passing, ignore_errors=True)


def pack(folder: Path, into: Path) -> None:
    """Make a zip of a folder, there whole or not at all."""
    part = folder.with_suffix(".part")
    try:
        with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
            for path in sorted(folder.rglob("*")):
                packed.write(path, Path(into.stem) / path.relative_to(folder))
        part.replace(into)
    finally:
        part.unlink(missing_ok=True)


def _record(
    library: Library,
    lists: Sequence[CutList],
    formats: Sequence[Format],
    settings: Mapping[str, object],
) -> None:
    """Leave a line in the library: what went out, and what was out of its rights."""
    told = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "lists": [cuts.name for cuts in lists],
        "formats": [kind.name for kind in formats],
        "settings": settings,
        "expired": [
            {"title": cut.source.title, "in": cut.source_in, "out": cut.source_out}
            for cuts in lists
            for cut in cuts.cuts
            if cut.is_expired
        ],
    }
    line = json.dumps(told, ensure_ascii=False, default=str) + "\n"
    try:
        with (library.root / RECORD_FILE).open("a", encoding="utf-8") as record:
            record.write(line)
    except OSError as error:
        if told["expired"]:
            raise CannotRunNow(
                f"The export is made, but {library.root / RECORD_FILE} cannot be written "
                f"({error.strerror or error}), and moments out of their rights must be recorded."
            ) from error


@contextmanager
def _explained(into: Path) -> Iterator[None]:
    try:
        yield
    except TrimbinError:
        raise
    except OSError as error:
        raise CannotRunNow(
            f"{into} cannot be written ({error.strerror or error}). Choose another place with "
            "`--into`, or check its permissions and free space."
        ) from error
