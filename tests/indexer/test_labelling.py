"""A few answers become a classifier: all shots at hand, what is learned, what is asked next."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from heaps import add_heaps, is_dark, make_heaps
from shelf import SHOT_FRAMES, make_library

from indexer.labelling.feeds import APART, Feed, feeds_of
from indexer.labelling.learner import (
    answered,
    calibrated_from,
    learn,
    learned_from,
    span_vector,
)
from indexer.labelling.pool import EXPECTED_WEIGHT, Pool, pool_of
from indexer.library import Library
from indexer.probes.label import Label
from indexer.probes.rows import shot_vectors
from qdrant.errors import CannotRunNow


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    return make_heaps(tmp_path_factory.mktemp("heaps"))


@pytest.fixture(scope="module")
def pool(library: Library) -> Pool:
    return pool_of(library)


def label(pool: Pool, place: int, *, holds: bool) -> Label:
    manifest, _ = pool.shot_of(place)
    start, end = pool.bounds[place].tolist()
    return Label(manifest.title_id, start, end, "dark", float(holds))


def dark(pool: Pool) -> np.ndarray:
    return np.array([is_dark(pool.shot_of(place)[1]) for place in range(pool.num_shots)])


def test_the_pool_has_every_shot_and_keeps_what_tells_them_apart(
    library: Library, pool: Pool
) -> None:
    assert pool.num_shots == 45
    assert [m.title for m in pool.titles] == ["Harbour", "Night"]
    manifest, shot = pool.shot_of(31)
    assert (manifest.title, shot) == ("Night", 1)
    assert pool.bounds[31].tolist() == [SHOT_FRAMES, 2 * SHOT_FRAMES]
    whole = np.concatenate([shot_vectors(library, m, "context") for m in pool.titles])
    whole[:, whole.shape[1] // 2 :] *= EXPECTED_WEIGHT
    apart = np.linalg.norm(whole[:, None] - whole, axis=-1)
    kept = np.linalg.norm(pool.vectors[:, None] - pool.vectors, axis=-1) * pool.basis.scale
    assert kept == pytest.approx(apart, abs=2e-3)  # as many directions as shots: nothing is lost


def test_the_pool_comes_from_its_cache_and_only_what_came_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = make_heaps(tmp_path)
    first = pool_of(library)
    read: list[str] = []

    def counted(asked: Library, manifest, row):  # type: ignore[no-untyped-def]
        read.append(manifest.title)
        return shot_vectors(asked, manifest, row)

    monkeypatch.setattr("indexer.labelling.pool.shot_vectors", counted)
    assert (pool_of(library).vectors == first.vectors).all()
    assert read == []
    add_heaps(library, tmp_path / "Third.mp4", seconds=12, seed=3)
    assert pool_of(library).num_shots == 51
    assert read == ["Third"]
    damaged = next((library.cache_folder / "pool").glob(f"{first.titles[0].title_id}-*"))
    damaged.write_bytes(b"cut off")
    assert pool_of(library).num_shots == 51
    assert read == ["Third", "Harbour"]


def test_a_library_without_shots_says_so(tmp_path: Path) -> None:
    with pytest.raises(CannotRunNow, match="index a title first"):
        pool_of(make_library(tmp_path / "library"))


def test_ten_answers_tell_the_heaps_apart(pool: Pool) -> None:
    holds = dark(pool)
    places = [0, 3, 6, 9, 1, 2, 4, 5, 7, 8]
    answers = [label(pool, place, holds=bool(holds[place])) for place in places]
    assert learned_from(pool, answers[:9]) is None
    assert learned_from(pool, [a for a in answers if a.value]) is None
    learned = learned_from(pool, answers)
    assert learned is not None
    assert (learned.num_yes, learned.num_no) == (4, 6)
    scores = learned.scores(pool.vectors)
    assert scores[holds].min() > scores[~holds].max()


def test_what_is_used_as_a_filter_is_as_sure_as_unseen_answers_let_it_be(pool: Pool) -> None:
    holds = dark(pool)
    answers = [label(pool, place, holds=bool(holds[place])) for place in range(20)]
    learned, calibrated = learned_from(pool, answers), calibrated_from(pool, answers)
    assert learned
    assert calibrated
    sure = calibrated.scores(pool.vectors)
    assert sure[holds].min() > 0.8 > 0.2 > sure[~holds].max()
    assert sure[holds].mean() > learned.scores(pool.vectors)[holds].mean()
    assert calibrated_from(pool, answers[:9]) is None

    random = np.random.default_rng(0)  # answers that have nothing to do with the shots
    lies = [label(pool, place, holds=bool(random.random() < 0.5)) for place in range(40)]
    doubtful = calibrated_from(pool, lies)
    assert doubtful
    assert np.ptp(doubtful.scores(pool.vectors)) < 0.8


def test_weights_are_the_same_for_the_titles_own_vectors(library: Library, pool: Pool) -> None:
    learned = learn(pool.vectors[:20], dark(pool)[:20], pool.vectors)
    weights, bias = pool.basis.outward(learned.weights, learned.bias)
    whole = np.concatenate([shot_vectors(library, m, "context") for m in pool.titles])
    inside = pool.basis.along(whole) @ learned.weights + learned.bias
    assert whole @ weights + bias == pytest.approx(inside, abs=1e-3)


def test_a_stretch_is_the_mean_of_what_it_touches(pool: Pool) -> None:
    title_id = pool.titles[0].title_id
    half = SHOT_FRAMES // 2
    found = span_vector(pool, Label(title_id, half, SHOT_FRAMES + SHOT_FRAMES, "dark"))
    wanted = (pool.vectors[0] * half + pool.vectors[1] * SHOT_FRAMES) / (half + SHOT_FRAMES)
    assert found == pytest.approx(wanted, abs=1e-5)
    assert span_vector(pool, Label("gone", 0, 10, "dark")) is None
    assert np.flatnonzero(answered(pool, [Label(title_id, 50, 100, "dark")])).tolist() == [1, 2]


def test_feeds_ask_the_likeliest_the_undecided_the_unlikeliest_and_chance() -> None:
    scores = np.arange(129, dtype=np.float32) / 128  # exact, so that a tie is one
    title = np.zeros(129, np.int32)
    each: dict[Feed, int] = {"likely": 2, "borderline": 2, "unlikely": 1, "chance": 3}
    found = feeds_of(scores, title, np.zeros(129, bool), each=each, seed=0)
    assert found["likely"] == [128, 128 - APART]
    assert found["unlikely"] == [0]
    assert found["borderline"] == [64, 64 - APART]
    assert len({place for places in found.values() for place in places}) == 8


def test_what_was_answered_is_not_asked_again_nor_what_stands_beside_it_while_there_is_more() -> (
    None
):
    scores = np.linspace(0, 1, 20, dtype=np.float32)
    title = np.repeat([0, 1], 10).astype(np.int32)
    done = np.zeros(20, bool)
    done[10] = True  # the first of its title: what ends the title before is no neighbour
    [places] = feeds_of(scores, title, done, each={"unlikely": 20}, seed=0).values()
    assert 10 not in places
    assert places[:7] == [0, 3, 6, 9, 13, 16, 19]
    assert sorted(places) == [place for place in range(20) if place != 10]
    assert feeds_of(scores, title, np.ones(20, bool), each={"chance": 3}, seed=0) == {"chance": []}
