"""The story of one recording: it is followed to its edge, and when it has settled it is finished.

Its pictures are decoded once, from the beginning to where it ends, as a whole film's are: so its
shots are those that `trimbin index` finds in the finished file. Each is published when it is final.
"""

from __future__ import annotations

import hashlib
import queue
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from indexer.assembly import assemble, contextualise_title
from indexer.beside import gather
from indexer.choices import Choices, choices_of
from indexer.identity import Identity
from indexer.live.hearing import HeardAlready, Hearing, hearing
from indexer.live.source import Source, source_of
from indexer.live.title import LiveTitle
from indexer.media.decode import Decoding
from indexer.media.probe import Media, content_hash, probe
from indexer.progress import silent
from indexer.shots.detect import detector_of
from indexer.shots.watch import WatchedShot, watch
from indexer.stages.hear import hear
from indexer.stages.listening import Listening, listening
from indexer.stages.read import read
from indexer.stages.see import PARTIAL_SHARE, inputs_of_seeing, see, what_is_missing
from indexer.stages.transcribe import transcribe
from indexer.studio import Studio
from indexer.words.tracks import tracks_of
from indexer.workbench import Workbench, workbench
from qdrant.errors import CannotRunNow, InputError

PICTURES_AT_A_TIME = 12
"""Half a second: what is seen is asked for so often."""
SHOTS_IN_WAITING = 8
LOOK_S = 0.5
"""How often it is asked whether something can be published, while no shot comes."""


@dataclass(frozen=True)
class Followed:
    """What became of a recording that was followed."""

    path: Path
    title_id: str | None
    shots: int
    seconds: float  # of film
    is_finished: bool  # False: it goes on, and so will the next run
    reason: str  # sentences: what is missing, or why it ended


class NotYet(InputError):
    """A recording that cannot be read before it is finished."""


def follow(path: Path, studio: Studio, *, settled_s: float, stop: threading.Event) -> Followed:
    """Follow a recording until it has settled, vanished, or `stop` is set.

    Raises `NotYet` for what cannot be read before it is finished, `InputError` for what cannot be
    read, and `CannotRunNow` where the finished title cannot be written.
    """
    source = source_of(path, settled_s=settled_s, stop=stop)
    identity = _identity(source, studio)
    choices = choices_of(identity.known.choices if identity.known else {}, studio.chosen)
    media = _first_look(source, choices)
    beside = gather(identity, studio, choices=choices)
    with workbench(studio.library, identity.title_id) as bench, ExitStack() as ends:
        quiet = replace(studio, progress=silent)  # what is published so far draws no bar
        title = LiveTitle(media, identity, beside, bench, quiet, choices=choices)
        report = Decoding()
        sound = ends.enter_context(hearing(media, source))
        shots = ends.enter_context(_looking(title, source, report))
        ends.callback(source.edge.end)
        try:
            _grow(title, shots, sound, studio)
        except InputError as error:
            report.ended_early = str(error)
        source.edge.end()
        if source.edge.cause == "stopped":
            return _left(title)
        return _finished(title, source, report, sound, bench, studio)


def _first_look(source: Source, choices: Choices) -> Media:
    try:
        media = source.first_look(stream=choices.stream)
    except InputError as error:
        raise NotYet(
            f"{source.path.name} cannot be read before it is finished; it is indexed then."
        ) from error
    if media.picture is None:
        raise NotYet(f"{source.path.name} is sound alone; it is indexed when it is finished.")
    return media


def _identity(source: Source, studio: Studio) -> Identity:
    """Return the title that this recording is, known from an earlier run or new."""
    title_id = source.title_id()
    stat = source.path.stat()
    return Identity(
        title_id=title_id,
        path=source.path,
        content_hash="",  # nobody knows it yet
        size=stat.st_size,
        mtime_ns=stat.st_mtime_ns,
        known=studio.library.find(title_id),
    )


def _grow(
    title: LiveTitle, shots: Iterator[WatchedShot | None], sound: Hearing, studio: Studio
) -> None:
    """Publish shots as they become final; a library that takes nothing now is tried again."""
    trouble = ""
    for shot in shots:
        if shot is not None:
            title.add(shot)
        title.hear(sound)
        if not title.is_due:
            continue
        try:
            title.publish()
            trouble = ""
        except CannotRunNow as error:
            if str(error) != trouble:
                studio.say(f"{title.media.path.name} goes on without being published: {error}")
            trouble = str(error)


@contextmanager
def _looking(
    title: LiveTitle, source: Source, report: Decoding
) -> Iterator[Iterator[WatchedShot | None]]:
    """Look in a thread of its own; yields shots as they are final, and None when none has come."""
    final: queue.Queue[WatchedShot | BaseException | None] = queue.Queue(SHOTS_IN_WAITING)
    left = threading.Event()

    def hand_over(item: WatchedShot | BaseException | None) -> bool:
        while not left.is_set():
            try:
                final.put(item, timeout=LOOK_S)
                return True
            except queue.Full:
                continue
        return False

    def look() -> None:
        shots = watch(
            title.media,
            detector=detector_of(title.choices.detector, prompt=True),
            report=report,
            captions=title.captions.see,
            source=source.opened,
            pictures_at_a_time=PICTURES_AT_A_TIME,
        )
        try:
            for shot in shots:
                # The last shots of a film that goes on are not final.
                if source.edge.cause == "stopped" or not hand_over(shot):
                    break
            hand_over(None)
        except BaseException as error:
            hand_over(error)

    def taken() -> Iterator[WatchedShot | None]:
        while True:
            try:
                item = final.get(timeout=LOOK_S)
            except queue.Empty:
                yield None
                continue
            if isinstance(item, BaseException):
                raise item
            if item is None:
                return
            yield item

    thread = threading.Thread(target=look, name="looking", daemon=True)
    thread.start()
    try:
        yield taken()
    finally:
        left.set()
        thread.join()


def _left(title: LiveTitle, *reasons: str) -> Followed:
    """Leave a recording as it is published; the next run goes on with it."""
    if title.is_ahead:
        title.publish()
    return Followed(
        path=title.media.path,
        title_id=title.identity.title_id,
        shots=title.num_published,
        seconds=round(title.end_s, 3),
        is_finished=False,
        reason=" ".join(reasons),
    )


def _finished(
    title: LiveTitle,
    source: Source,
    report: Decoding,
    sound: Hearing,
    bench: Workbench,
    studio: Studio,
) -> Followed:
    """Finish a title whose recording has ended, as `index_title` does."""
    broke_off = [why for why in (source.edge.why_gone, sound.trouble) if why]
    if len(title.rows) < title.num_published:
        return _left(title, *broke_off, "Less of it can be read now than is published; that stays.")
    if not title.rows:
        raise InputError(f"No picture of {source.path} can be decoded. Re-export it.")
    identity = _as_finished(title.identity, source)
    whole = source.is_whole()
    media = replace(title.media, duration_s=title.end_s)
    if whole:
        media = probe(source.path, stream=title.choices.stream)
    if not whole or (_is_what_was_seen(title, media, report) and not title.choices.ocr):
        _keep_looking(title, identity, media, report, broke_off, studio)
    choices, beside = title.choices, gather(identity, studio, choices=title.choices)
    tracks = tracks_of(source.path, languages=studio.library.profile.text_languages)
    with _heard(media, sound, whole=whole) as heard:
        shots = see(media, identity, heard, bench, studio, choices=choices)
        hear(heard, shots, bench, studio)
        transcribe(heard, beside, tracks, bench, studio, choices=choices)
        read(tracks, beside, shots, bench, studio)
        contextualise_title(bench, studio)
        manifest = assemble(media, identity, beside, bench, studio, choices=choices)
    studio.published()
    return Followed(source.path, manifest.title_id, manifest.num_shots,
                    round(manifest.duration_s, 3), True, " ".join(manifest.notes))  # fmt: skip


def _as_finished(identity: Identity, source: Source) -> Identity:
    """Return the identity of a recording that has ended.

    What is no whole file has a hash of its own, which no other content has.
    """
    try:
        stat = source.path.stat()
        sha = content_hash(source.path)
    except (OSError, InputError):
        sha = hashlib.sha256(identity.title_id.encode()).hexdigest()
        return replace(identity, content_hash=sha)
    if not source.is_whole():
        sha = hashlib.sha256(f"{identity.title_id} {sha}".encode()).hexdigest()
    return replace(identity, content_hash=sha, size=stat.st_size, mtime_ns=stat.st_mtime_ns)


def _is_what_was_seen(title: LiveTitle, media: Media, report: Decoding) -> bool:
    """Whether the finished file is what its beginning said; else it is looked at again."""
    seen, is_now = title.media.picture, media.picture
    if seen is None or is_now is None or report.ended_early:
        return False
    alike = ("index", "rate", "width", "height", "pixel_aspect", "codec", "rotation")
    return report.num_frames >= PARTIAL_SHARE * media.expected_frames and all(
        getattr(seen, name) == getattr(is_now, name) for name in alike
    )


def _keep_looking(
    title: LiveTitle,
    identity: Identity,
    media: Media,
    report: Decoding,
    broke_off: list[str],
    studio: Studio,
) -> None:
    is_partial = bool(broke_off) or report.ended_early is not None
    if report.ended_early:
        broke_off = [*broke_off, f"It broke off ({report.ended_early})."]
    missing = list(what_is_missing(report, 0))
    title.keep_looking(
        inputs=inputs_of_seeing(identity, title.choices, studio),
        facts={"partial": is_partial},
        notes=[*broke_off, *missing, *media.notes],
    )


def _heard(media: Media, sound: Hearing, *, whole: bool) -> AbstractContextManager[Listening]:
    """Return a title's sound: decoded again from a whole file, whose length is known."""
    return listening(media) if whole else nullcontext(HeardAlready(media, sound))
