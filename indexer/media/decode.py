"""A film's pictures, decoded once, by as many decoders as there are cores.

One reader deals the packets out in runs that begin at keyframes; each decoder takes the next run
and shows its pictures to an observer of its own. What observers make of them comes back in the
order of the film, the same whatever the number of decoders.
"""

from __future__ import annotations

import logging
import math
import os
import sys
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from indexer.media.packets import Budget, Run, can_run_apart, runs
from indexer.media.probe import Media, opened
from indexer.media.relay import Dropped, Relay
from indexer.media.thrift import LeftOut, Thrift, can_be_thrifty

if TYPE_CHECKING:
    import av
    import av.container

logger = logging.getLogger(__name__)

MadeT = TypeVar("MadeT")
MadeT_co = TypeVar("MadeT_co", covariant=True)

Opener = Callable[[], "AbstractContextManager[av.container.InputContainer]"]

MAX_DECODERS = 8
SWITCH_INTERVAL_S = 0.0005
"""A decoder with a picture waits no longer for whoever is in Python; it is soon back in C."""
PICTURES_AT_A_TIME = 120
"""What an observer has made is asked for after this many pictures, so that memory stays flat."""
RUNS_IN_WAITING = 16
"""Runs begun, and not yet asked for: decoders that are this far ahead of the taker wait."""
MAKINGS_IN_WAITING = 8
"""A decoder that is this far ahead of the film waits."""
SKIPPED_LOOP_FILTER = "noref"
"""Pictures that no other leans on go without smoothing at their block edges: it cannot spread, and
is lost in scaling down."""


class Observer(Protocol[MadeT_co]):
    """Sees the pictures of a run, in order."""

    def see(self, frame: av.VideoFrame, *, time_s: float) -> None:
        """Take the next picture, shown at `time_s` of the stream's clock (NaN: nobody knows)."""
        ...

    def pass_over(self, *, time_s: float) -> None:
        """Note a picture that was left out, shown at this time between two that are seen."""
        ...

    def take(self) -> MadeT_co:
        """Return what was made of the pictures since the last time."""
        ...


@dataclass
class Decoding:
    """How a decoding went: filled in while it runs."""

    num_frames: int = 0
    damaged_packets: int = 0  # not decoded, or patched up
    ended_early: str | None = None  # why, where the file broke off
    _turn: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def count_damage(self) -> None:
        """Count a packet that could not be decoded."""
        with self._turn:
            self.damaged_packets += 1


def observed(
    media: Media,
    *,
    observer: Callable[[], Observer[MadeT]],
    report: Decoding,
    num_decoders: int | None = None,
    source: Opener | None = None,
    pictures_at_a_time: int = PICTURES_AT_A_TIME,
    whole_a_second: int | None = None,
) -> Generator[MadeT]:
    """Decode the pictures of the main video stream; yield what observers make, in film order.

    Damaged packets are passed over and counted; where the file breaks off, what came before
    stands and `report` says so. A stream whose keyframes are no safe places to start is decoded
    in one piece. `source` opens the file in another way: one that follows it while it grows, say.
    With `whole_a_second`, pictures between two that are much alike are left out, and observers are
    told when; but never the first in each of so many parts of a second.
    """
    crew = _Crew(
        media,
        observer,
        report,
        source or partial(opened, media.path),
        pictures_at_a_time,
        whole_a_second=whole_a_second if can_be_thrifty(media) else None,
    )
    with crew.at_work(num_decoders or _num_cores()):
        for makings in crew.in_order:
            yield from makings


class _Crew(Generic[MadeT]):
    """A reader and its decoders, each a thread."""

    def __init__(
        self,
        media: Media,
        observer: Callable[[], Observer[MadeT]],
        report: Decoding,
        source: Opener,
        pictures_at_a_time: int,
        *,
        whole_a_second: int | None,
    ) -> None:
        self._media, self._observer, self._report = media, observer, report
        self._whole_a_second = whole_a_second
        self._opened, self._at_a_time = source, pictures_at_a_time
        self._budget = Budget()
        self._apart = can_run_apart(media)
        self._to_do: Relay[tuple[Run, Relay[MadeT]]] = Relay(limit=1)
        self.in_order: Relay[Relay[MadeT]] = Relay(limit=RUNS_IN_WAITING)
        self._open: list[Relay[MadeT]] = []

    @contextmanager
    def at_work(self, num_decoders: int) -> Iterator[None]:
        """Let the reader and the decoders work until the block ends."""
        tasks = [self._read] + [self._decode] * (num_decoders if self._apart else 1)
        threads = [threading.Thread(target=task, daemon=True) for task in tasks]
        interval_s = sys.getswitchinterval()
        sys.setswitchinterval(SWITCH_INTERVAL_S)
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            sys.setswitchinterval(interval_s)
            self._budget.close()
            self.in_order.drop()
            self._to_do.drop()
            for makings in self._open:
                makings.drop()
            for thread in threads:
                thread.join()

    def _read(self) -> None:
        try:
            with self._opened() as container:
                packets = _packets(container, self._stream(container), self._report)
                runs(packets, apart=self._apart, begin=self._begin, budget=self._budget)
            self.in_order.finish()
        except Dropped:
            pass
        except BaseException as error:
            self.in_order.fail(error)
        finally:
            self._to_do.finish()

    def _begin(self, run: Run) -> None:
        makings: Relay[MadeT] = Relay(limit=MAKINGS_IN_WAITING)
        self._open.append(makings)
        self.in_order.put(makings)
        self._to_do.put((run, makings))

    def _decode(self) -> None:
        """Decode one run after another, with the decoder of a container opened for it alone."""
        try:
            with self._opened() as container:
                stream = self._stream(container)
                decoder, tick_s = stream.codec_context, float(stream.time_base or 0)
                decoder.thread_type = "NONE" if self._apart else "AUTO"
                decoder.options = {"skip_loop_filter": SKIPPED_LOOP_FILTER}
                for run, makings in self._to_do:
                    self._decode_run(run, makings, decoder, tick_s=tick_s)
        except BaseException as error:
            self.in_order.fail(error)
            self._to_do.drop()

    def _decode_run(
        self, run: Run, makings: Relay[MadeT], decoder: av.VideoCodecContext, *, tick_s: float
    ) -> None:
        observer, seen, left_out = self._observer(), 0, LeftOut()
        try:
            for frame in self._frames(run, decoder, left_out, tick_s=tick_s):
                for pts in left_out.before(frame.pts):
                    observer.pass_over(time_s=pts * tick_s)
                observer.see(frame, time_s=math.nan if frame.pts is None else frame.pts * tick_s)
                seen += 1
                if seen % self._at_a_time == 0:
                    makings.put(observer.take())
            if seen % self._at_a_time:
                makings.put(observer.take())
            makings.finish()
        except Dropped:
            pass
        except BaseException as error:
            makings.fail(error)
        finally:
            run.packets.drop()
            decoder.flush_buffers()

    def _frames(
        self, run: Run, decoder: av.VideoCodecContext, left_out: LeftOut, *, tick_s: float
    ) -> Iterator[av.VideoFrame]:
        import av

        thrift = None
        if self._whole_a_second:
            frame_s = float(1 / self._media.rate)
            thrift = Thrift(tick_s=tick_s, frame_s=frame_s, whole_a_second=self._whole_a_second)
        for packet in chain(run.packets, [None]):  # None: what the decoder still holds
            try:
                if packet and thrift and thrift.leaves_out(packet):
                    left_out.add(packet)
                    continue
                frames = decoder.decode(packet)
            except av.error.EOFError:
                return
            except av.error.FFmpegError as error:
                self._report.count_damage()
                logger.debug("damaged packet: %s", error)
                continue
            finally:
                self._budget.give_back(packet.size if packet else 0)
            for frame in frames:
                if run.end_pts is not None and frame.pts is not None and frame.pts >= run.end_pts:
                    continue
                if frame.is_corrupt:  # patched up by the decoder, and shown
                    self._report.count_damage()
                yield frame

    def _stream(self, container: av.container.InputContainer) -> av.VideoStream:
        import av

        assert self._media.picture is not None
        stream = container.streams[self._media.picture.index]
        assert isinstance(stream, av.VideoStream)
        return stream


def _packets(
    container: av.container.InputContainer, stream: av.VideoStream, report: Decoding
) -> Iterator[av.Packet[Any]]:
    """Read the stream's packets; where the file breaks off, the report says why."""
    import av

    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
        except av.error.FFmpegError as error:
            report.ended_early = str(error.strerror or error)
            return
        except IndexError:  # PyAV's, at the end of a file in which a stream came up midway
            return
        if packet is None:
            return
        if packet.size:
            yield packet


def _num_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return min(MAX_DECODERS, len(os.sched_getaffinity(0)))
    return min(MAX_DECODERS, os.cpu_count() or 1)
