"""A clip laid along a title: made of vectors, so that the truth is known."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest

from indexer.aligning.align import Alignment, align
from indexer.aligning.paths import Block, Order
from indexer.aligning.shots import ShotRow
from indexer.aligning.titles import LIKELY
from indexer.encoders.protocol import Vectors, unit
from qdrant.calibration import Calibration
from qdrant.errors import UsageError
from qdrant.schema import AUDIO, TEXT, VIDEO

DIMS = {VIDEO: 64, AUDIO: 48, TEXT: 32}
BANDS = dict.fromkeys(DIMS, Calibration(0.5, 0.95))
RATE = Fraction(24)


def strangers(num_shots: int, *, seed: int, spaces: Sequence[str] = (VIDEO, AUDIO)) -> ShotRow:
    """Return shots that are like nothing else, of one to six seconds."""
    generator = np.random.default_rng(seed)
    vectors = {space: unit(generator.standard_normal((num_shots, DIMS[space]))) for space in spaces}
    frames = generator.integers(24, 145, num_shots)
    return row(frames.tolist(), vectors)


def row(frames: Sequence[int], vectors: dict[str, Vectors]) -> ShotRow:
    ends = np.cumsum(np.array(frames, np.int64))
    starts = ends - frames
    bounds = np.stack([starts, ends], axis=1)
    return ShotRow(starts / 24.0, ends / 24.0, vectors, bounds, RATE)


def cut(title: ShotRow, shots: Sequence[int], *, noise: float = 0.0, seed: int = 0) -> ShotRow:
    """Return a clip of a title's shots; negative ones are foreign. Noise 1 is as long."""
    generator = np.random.default_rng(seed)
    assert title.frames is not None
    lengths = title.frames[:, 1] - title.frames[:, 0]
    vectors = {}
    for space, rows in title.vectors.items():
        made = []
        for shot in shots:
            other = unit(generator.standard_normal(rows.shape[1]))
            is_missing = shot >= 0 and not rows[shot].any()
            made.append(np.zeros_like(other) if is_missing else
                        other if shot < 0 else unit(rows[shot] + noise * other))  # fmt: skip
        vectors[space] = np.stack(made)
    return row([48 if shot < 0 else int(lengths[shot]) for shot in shots], vectors)


def laid(clip: ShotRow, title: ShotRow, order: Order = "in order") -> Alignment:
    return align(clip, title, bands=BANDS, order=order)


def places(alignment: Alignment) -> list[Block | None]:
    return [match.title_shots for match in alignment.matches]


def singly(shots: Sequence[int]) -> list[Block | None]:
    return [None if shot < 0 else (shot, shot + 1) for shot in shots]


def test_a_title_laid_along_itself_is_one_run() -> None:
    title = strangers(30, seed=1)
    found = laid(title, title)
    assert places(found) == singly(range(30))
    [stretch] = found.stretches
    assert stretch.clip_shots == stretch.title_shots == (0, 30)
    assert stretch.title_s == stretch.clip_s
    assert found.score > 0.95 and found.matched_s == found.clip_s
    assert all(match.confidence > 0.95 for match in found.matches)


def test_a_recut_with_shots_removed_and_inserted() -> None:
    title = strangers(60, seed=2)
    shots = [10, 11, 13, 14, 15, -1, 16, 30, 31, -1, -1, 50]
    found = laid(cut(title, shots, noise=0.5), title)
    assert places(found) == singly(shots)
    stretches = [stretch.title_shots for stretch in found.stretches]
    assert stretches == [(10, 12), (13, 16), (16, 17), (30, 32), (50, 51)]
    assert all(match.evidence == 0 for match in found.matches if match.title_shots is None)


def test_a_trailer_goes_back_only_where_any_order_is_asked() -> None:
    title = strangers(60, seed=3)
    shots = [40, 41, 42, 7, 8, 9, 10, 55, 20, 21]
    clip = cut(title, shots, noise=0.4)
    free, kept = laid(clip, title, "any order"), laid(clip, title, "in order")
    assert places(free) == singly(shots)
    firsts = [block[0] for block in places(kept) if block is not None]
    assert firsts == sorted(firsts) and len(firsts) < len(shots)
    assert kept.score < free.score


def test_a_version_with_another_opening() -> None:
    title = strangers(40, seed=4)
    shots = [-1, -1, -1, *range(5, 40)]
    found = laid(cut(title, shots, noise=0.5), title)
    assert places(found) == singly(shots)
    assert [stretch.title_shots for stretch in found.stretches] == [(5, 40)]


@pytest.mark.parametrize("order", ["in order", "any order"])
def test_a_film_that_is_not_the_origin_stays_below_the_floor(order: Order) -> None:
    clip = cut(strangers(60, seed=5), range(20, 50))
    for seed in range(6, 12):
        assert laid(clip, strangers(300, seed=seed), order).score < LIKELY


def test_the_origin_wins_over_a_film_with_a_shot_in_common() -> None:
    title, other = strangers(50, seed=12), strangers(50, seed=13)
    clip = cut(title, range(10, 20), noise=0.5)
    for space, rows in other.vectors.items():
        rows[25] = clip.vectors[space][3]
    assert laid(clip, other).stretches[0].title_shots == (25, 26)
    assert laid(clip, other).score < LIKELY < laid(clip, title).score


def test_one_shot() -> None:
    title = strangers(20, seed=14)
    found = laid(cut(title, [7]), title)
    assert places(found) == [(7, 8)]
    assert places(laid(title, cut(title, [7]))) == [None] * 7 + [(0, 1)] + [None] * 12


def test_two_places_that_are_alike_halve_the_confidence() -> None:
    title = strangers(20, seed=15)
    for rows in title.vectors.values():
        rows[15] = rows[4]
    alone = laid(cut(title, [4]), title)
    assert alone.matches[0].confidence == pytest.approx(0.5, abs=0.05)
    among = laid(cut(title, [14, 15, 16]), title)
    assert places(among) == singly([14, 15, 16])
    assert among.matches[1].confidence > 0.9


def test_a_silent_clip_and_a_space_that_one_lacks() -> None:
    title = strangers(30, seed=16, spaces=(VIDEO, AUDIO, TEXT))
    shots = [3, 4, 5, 9, 10]
    clip = cut(title, shots, noise=0.3)
    silent = ShotRow(clip.start_s, clip.end_s, {VIDEO: clip.vectors[VIDEO]})
    assert places(laid(silent, title)) == singly(shots)
    clip.vectors[AUDIO][1:3] = 0
    title.vectors[TEXT][:20] = 0
    assert places(laid(clip, title)) == singly(shots)


def test_other_music_does_not_say_no() -> None:
    title = strangers(30, seed=17)
    clip = cut(title, [3, 4, 5], noise=0.3)
    clip.vectors[AUDIO][:] = strangers(3, seed=18).vectors[AUDIO]
    assert places(laid(clip, title)) == singly([3, 4, 5])


def test_nothing_to_compare_is_no_match() -> None:
    title = strangers(10, seed=19, spaces=(AUDIO,))
    clip = strangers(3, seed=20, spaces=(VIDEO,))
    for found in (laid(clip, title), laid(clip, strangers(0, seed=0))):
        assert places(found) == [None] * 3
        assert (found.stretches, found.score, found.matched_s, found.likeness) == ((), 0, 0, 0)


def test_cuts_that_only_one_of_them_has() -> None:
    title = strangers(20, seed=21)
    # The clip's detector overlooked the cut between 6 and 7, and saw one inside 12.
    merged = cut(title, [5, 6, 8, 11, 12, 12, 13])
    lengths = title.frames[:, 1] - title.frames[:, 0]  # type: ignore[index]
    for rows, own in ((merged.vectors[space], title.vectors[space]) for space in title.vectors):
        rows[1] = unit(own[6] * lengths[6] + own[7] * lengths[7])
    frames = [lengths[5], lengths[6] + lengths[7], lengths[8], lengths[11], lengths[12] // 2,
              lengths[12] - lengths[12] // 2, lengths[13]]  # fmt: skip
    found = laid(row([int(n) for n in frames], dict(merged.vectors)), title)
    assert places(found) == [(5, 6), (6, 8), (8, 9), (11, 12), (12, 13), (12, 13), (13, 14)]
    assert [stretch.title_shots for stretch in found.stretches] == [(5, 9), (11, 14)]


def test_half_speed() -> None:
    title = strangers(20, seed=22)
    clip = cut(title, range(5, 9), noise=0.3)
    slow = ShotRow(2 * clip.start_s, 2 * clip.end_s, clip.vectors)
    found = laid(slow, title)
    assert places(found) == singly(range(5, 9))
    assert found.stretches[0].told == (False, False)


def test_lengths_tell_where_a_run_begins_inside_its_first_shot() -> None:
    title = row([100, 144, 72, 60, 120], {VIDEO: np.eye(5, 8, dtype=np.float32)})
    clip = row([29, 72, 60, 48], {VIDEO: np.eye(5, 8, dtype=np.float32)[1:]})
    [stretch] = laid(clip, title).stretches
    assert stretch.title_shots == (1, 5)
    assert stretch.told == (True, True)
    assert stretch.title_frames == (100 + 144 - 29, 100 + 144 + 72 + 60 + 48)
    assert stretch.title_s == pytest.approx((215 / 24, 424 / 24))


def test_a_shot_alone_tells_nothing_of_where_in_it() -> None:
    title = row([100, 144, 72], {VIDEO: np.eye(3, 8, dtype=np.float32)})
    [stretch] = laid(row([29], {VIDEO: title.vectors[VIDEO][1:2]}), title).stretches
    assert (stretch.title_frames, stretch.told) == ((100, 244), (False, False))
    [whole] = laid(row([144], {VIDEO: title.vectors[VIDEO][1:2]}), title).stretches
    assert (whole.title_frames, whole.told) == ((100, 244), (True, True))


@pytest.mark.parametrize("order", ["in order", "any order"])
@pytest.mark.parametrize("seed", range(8))
def test_the_true_alignment_is_recovered_through_noise(seed: int, order: Order) -> None:
    """Noise of .8 leaves a cosine of .78 in the middle: below what other takes of a scene have."""
    generator = np.random.default_rng(100 + seed)
    title = strangers(200, seed=200 + seed)
    firsts = sorted(generator.choice(np.arange(0, 196, 4), 14, replace=False).tolist())
    if order == "any order":
        generator.shuffle(firsts)
    shots: list[int] = []
    for first in firsts:
        shots += range(first, first + int(generator.integers(1, 5)))
        shots += [-1] * int(generator.random() < 0.3)
    found = laid(cut(title, shots, noise=0.8, seed=seed), title, order)
    right = sum(a == b for a, b in zip(places(found), singly(shots), strict=True))
    assert right >= 0.95 * len(shots)
    assert found.score > LIKELY


def test_what_cannot_be_compared_is_refused() -> None:
    title = strangers(5, seed=23)
    with pytest.raises(UsageError, match="without shots"):
        laid(strangers(0, seed=0), title)
    with pytest.raises(UsageError, match="no calibration for `video`"):
        align(title, title, bands={AUDIO: BANDS[AUDIO]})
    with pytest.raises(UsageError, match="library's own profile"):
        laid(row([24], {VIDEO: np.ones((1, 7), np.float32)}), title)
    with pytest.raises(UsageError, match="Shot 1 ends before"):
        ShotRow(np.array([0.0, 2.0]), np.array([2.0, 2.0]), {})
    with pytest.raises(UsageError, match="a row each"):
        ShotRow(np.array([0.0]), np.array([2.0]), {VIDEO: np.ones((2, 7), np.float32)})
