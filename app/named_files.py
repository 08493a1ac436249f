"""Files that a question names, `clip:FILE` and `image:FILE`, where somebody else's disk holds them.

Whoever asks a server reaches what they sent along, and what lies in the folder that the server
shares. Nothing else, whatever a path says: no `..`, no link that leads out, not even whether a
file is there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from app.places import seconds_of
from app.request import Clip, Image, Request, Step, Term
from indexer.media.probe import probe
from qdrant.errors import UsageError

MAX_CLIP_S = 600.0
"""How much of a film one question may have looked at and listened to."""

NamedFile = Clip | Image


class NotShared(UsageError):
    """A question names a file that its asker may not reach."""


@dataclass(frozen=True)
class Reach:
    """Which files a question may name: those sent along, and those in a folder."""

    sent: Mapping[str, Path] = field(default_factory=dict)  # the name it was sent with -> the file
    folder: Path | None = None

    def resolve(self, request: Request) -> Request:
        """Return the request with each named file as it lies on this disk.

        Raises `NotShared` for any other file, `UsageError` for more of a film than `MAX_CLIP_S`,
        `InputError` for a clip that is none.
        """
        return with_files(request, self._resolved)

    def _resolved(self, named: NamedFile) -> NamedFile:
        path = self.sent.get(named.path) or self._in_folder(named.path)
        found = replace(named, path=str(path))
        return bounded(found) if isinstance(found, Clip) else found

    def _in_folder(self, asked: str) -> Path:
        if self.folder is None:
            raise NotShared(
                "This server opens no file that a question names; send the file along, to "
                "/search/clip or /search/image, or start the server with `--allow-files FOLDER`."
            )
        folder = self.folder.resolve()
        try:
            path = (folder / asked).resolve(strict=True)
            if path.is_relative_to(folder) and path.is_file():
                return path
        except (OSError, ValueError, RuntimeError):
            pass  # not there, no name at all, a loop of links: all the same to whoever asks
        raise NotShared(f"There is no file {asked!r} in the folder that this server shares.")

    def told(self, text: str) -> str:
        """Return a sentence without the folders of this disk."""
        folders = {path.parent for path in self.sent.values()}
        folders |= {self.folder.resolve()} if self.folder else set()
        for folder in folders:
            text = text.replace(f"{folder}/", "").replace(str(folder), "")
        return text


def named_files(request: Request) -> Iterator[NamedFile]:
    """Yield the files that a request names, from left to right."""
    for step in request.steps:
        for term in step.terms:
            if isinstance(term.what, Clip | Image):
                yield term.what


def with_files(request: Request, change: Callable[[NamedFile], NamedFile]) -> Request:
    """Return the request with another file in the place of each that it names."""

    def changed(term: Term) -> Term:
        if isinstance(term.what, Clip | Image):
            return replace(term, what=change(term.what))
        return term

    def step_with(step: Step) -> Step:
        return replace(step, parts=tuple(tuple(map(changed, part)) for part in step.parts))

    return replace(request, steps=tuple(map(step_with, request.steps)))


def along_with(request: Request, named: NamedFile) -> Request:
    """Return a request that asks for this file too, unless it names files itself."""
    if any(named_files(request)):
        return request
    first, *rest = request.steps
    first = replace(first, parts=((*first.parts[0], Term(named)), *first.parts[1:]))
    return replace(request, steps=(first, *rest))


def bounded(clip: Clip) -> Clip:
    """Return the clip, whose end is stated, if it is not too long."""
    start_s = seconds_of(clip.start) if clip.start else 0.0
    length_s = probe(Path(clip.path)).duration_s
    end_s = seconds_of(clip.end) if clip.end else length_s or start_s + MAX_CLIP_S
    if end_s - start_s > MAX_CLIP_S:
        name = Path(clip.path).name
        raise UsageError(
            f"A question takes at most {MAX_CLIP_S:.0f} s of a film; say which, as in "
            f'`clip:"{name}"@1:10-1:20`.'
        )
    if clip.end or length_s:
        return clip
    return replace(clip, start=clip.start or "0", end=f"{end_s:g}")
