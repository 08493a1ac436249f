"""Training and evaluation, on small worlds where the truth is known."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from indexer.context.evaluation import (
    HeldOut,
    hold_out,
    mean_cosine,
    mean_pairwise_cosine,
    neighbour_mean,
)
from indexer.context.model import ContextConfig
from indexer.context.sequence import TitleSequence
from indexer.context.train import train, training_titles
from indexer.context.vectors import contextualise
from indexer.encoders.protocol import unit
from qdrant.errors import CannotRunNow, InputError, ProfileMismatch

DIMS = {"video": 16, "audio": 8, "text": 16}
CONFIG = ContextConfig(
    dims=DIMS, global_dim=8, hidden=64, heads=4, max_shots=64, batch_shots=256
)  # fmt: skip
TINY = replace(CONFIG, hidden=16, layers=1, heads=2, batch_shots=64)


def make_title(name: str, *, num_shots: int = 64, known: bool = True) -> TitleSequence:
    """Return scenes of shot and reverse shot: each is like the one two back, not its neighbour.

    Every fourth shot is without text, and one is empty.
    """
    random = np.random.default_rng(list(name.encode()))
    shots: list[np.ndarray] = []
    while len(shots) < num_shots:
        cameras = random.normal(size=(2, 40))
        for turn in range(random.integers(8, 14)):
            shots.append(cameras[turn % 2] + 0.2 * random.normal(size=40))
    fused = unit(np.array(shots[:num_shots]))
    fused[::4, 24:] = 0
    fused[num_shots // 2] = 0
    return TitleSequence(name, unit(fused), unit(random.normal(size=8)) if known else None)


@pytest.fixture(scope="module")
def trained():
    titles = [make_title("one"), make_title("two", known=False)]
    lines = []
    before, threads = torch.get_rng_state(), torch.get_num_threads()
    done = train(titles, CONFIG, steps=150, seed=0, seconds_limit=300, progress=lines.append)
    assert torch.equal(torch.get_rng_state(), before) and torch.get_num_threads() == threads
    return titles, done, lines


def test_a_model_learns_what_the_neighbours_cannot_tell(trained):
    _, done, lines = trained
    found = done.metrics.evaluation
    assert done.metrics.final_loss < 0.5 * done.metrics.first_loss
    assert found.held_out == "shots" and found.num_held_out == 12
    assert found.loss < 0.8 * found.control_loss and done.metrics.worthy
    assert found.centred_cosine > found.control_centred_cosine + 0.1
    assert found.pairwise_cosine < 0.6  # not collapsed into one answer
    assert found.self_cosine > 0.7
    assert (
        [line.step for line in lines] == list(range(1, 151)) == list(range(1, lines[0].steps + 1))
    )
    assert lines[-1].eta_s == 0 and lines[0].shots_per_s > 0


def test_neighbours_win_where_neighbours_are_alike_and_the_model_has_learnt_nothing():
    drift = np.cumsum(np.random.default_rng(0).normal(size=(64, 40)) * 0.1, axis=0) + 1
    done = train([TitleSequence("slow", unit(drift))], TINY, steps=1, seed=0)
    assert not done.metrics.worthy


def test_the_same_seed_gives_the_same_weights_to_the_bit():
    titles = [make_title("one"), make_title("two")]
    runs = [train(titles, TINY, steps=4, seed=seed) for seed in (7, 7, 8)]
    first, again, other = (run.model.state_dict() for run in runs)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["in_projection.weight"], other["in_projection.weight"])
    assert runs[0].metrics.evaluation == runs[1].metrics.evaluation


def test_held_out_shots_are_never_targets_in_training():
    title = make_title("one")
    mask = hold_out([title], seed=0).shots[0]
    assert mask.sum() == 6 and not mask[~title.filled].any()  # a tenth of the 63 filled
    assert (
        training_titles([title], hold_out([title], seed=0))[0].targetable.tolist()
        == (title.filled & ~mask).tolist()
    )
    # A title whose shots are all held out, or empty, is not trained on at all.
    kept = TitleSequence("one", np.where(mask[:, None], title.fused, 0).astype(np.float32))
    everything = HeldOut("shots", (mask,))
    assert training_titles([kept], everything) == []


def test_five_titles_hold_out_a_whole_one():
    titles = [make_title(str(n), num_shots=20 + n) for n in range(5)]
    held_out = hold_out(titles, seed=0)
    sizes = [int(mask.sum()) for mask in held_out.shots]
    assert held_out.kind == "titles" and sorted(sizes)[:4] == [0] * 4
    assert max(sizes) == int(titles[int(np.argmax(sizes))].filled.sum())
    assert [int(m.sum()) for m in hold_out(titles[::-1], seed=0).shots] == sizes[::-1]
    assert len({int(np.argmax([m.sum() for m in hold_out(titles, seed=s).shots]))
                for s in range(20)}) > 1  # fmt: skip
    evaluation = train(titles, TINY, steps=2, seed=0).metrics.evaluation
    assert (evaluation.held_out, evaluation.num_held_out) == ("titles", max(sizes))


def test_neighbour_mean_skips_empty_shots_by_hand():
    fused = np.array([[1, 0], [0, 0], [0, 1], [0.6, 0.8], [0, 0]], np.float32)
    half = np.sqrt(0.5)
    expected = [[0, 1], [half, half], unit([[1.6, 0.8]])[0], [0, 1], [0.6, 0.8]]
    assert neighbour_mean(TitleSequence("t", fused)) == pytest.approx(np.array(expected))
    assert neighbour_mean(TitleSequence("t", fused[:1])).tolist() == [[0, 0]]


def test_cosines_against_slow_versions():
    these, those = np.random.default_rng(0).normal(size=(2, 7, 5)).astype(np.float32)

    def cosine(a, b):
        return a @ b / np.linalg.norm(a) / np.linalg.norm(b)

    assert mean_cosine(these, those) == pytest.approx(
        np.mean([cosine(a, b) for a, b in zip(these, those, strict=True)]), abs=1e-6
    )
    assert mean_pairwise_cosine(these) == pytest.approx(
        np.mean([cosine(these[i], these[j]) for i in range(7) for j in range(7) if i != j]),
        abs=1e-6,
    )


def test_the_time_limit_binds_and_says_so(caplog):
    done = train([make_title("one")], TINY, steps=1000, seed=0, seconds_limit=0)
    assert done.metrics.hit_time_limit and done.metrics.steps == 1
    assert "stopped at its limit of 0 s after 1 of 1000 steps" in caplog.text


def test_titles_longer_than_the_window_train_and_evaluate():
    done = train([make_title("long", num_shots=150)], TINY, steps=2, seed=0)
    assert done.metrics.num_shots == 150 and done.metrics.evaluation.num_held_out == 15


@pytest.mark.parametrize("num_shots", [0, 1, 2])
def test_a_library_too_small_to_learn_from_says_so(num_shots):
    tiny = TitleSequence("short", make_title("one").fused[1 : 1 + num_shots])
    with pytest.raises(CannotRunNow, match=rf"has {num_shots} shots with .*`trimbin index`"):
        train([tiny], TINY, steps=1, seed=0)
    with pytest.raises(CannotRunNow, match="has 0 shots with"):
        train([], TINY, steps=1, seed=0)


def test_short_and_empty_titles_do_not_stop_the_others():
    empty = TitleSequence("empty", np.zeros((3, 40), np.float32))
    none = TitleSequence("none", np.zeros((0, 40), np.float32))
    single = TitleSequence("single", make_title("one").fused[1:2])
    done = train([empty, none, single, make_title("two")], TINY, steps=2, seed=0)
    assert np.isfinite(done.metrics.evaluation.loss)
    assert np.isfinite(contextualise(done.model, empty).shots).all()


@pytest.mark.parametrize("num_long", [1, 4, 5])
def test_titles_too_short_to_hold_out_are_left_to_training(num_long):
    short = [TitleSequence(f"s{n}", make_title(str(n)).fused[1:2]) for n in range(20)]
    long = [make_title(f"l{n}", num_shots=8) for n in range(num_long)]
    held_out = hold_out([*short, *long], seed=0)
    assert held_out.kind == ("titles" if num_long >= 5 else "shots")
    assert not any(mask.any() for mask in held_out.shots[:20])
    assert sum(mask.any() for mask in held_out.shots) == (1 if num_long >= 5 else num_long)
    assert train([*short, *long], TINY, steps=1, seed=0).metrics.evaluation.num_held_out > 0
    with pytest.raises(CannotRunNow, match="has 1 shots with"):
        train(short, TINY, steps=1, seed=0)


def test_bad_vectors_are_refused_by_name():
    broken = make_title("broken")
    broken.fused[2, 3] = np.nan
    with pytest.raises(InputError, match="title broken"):
        train([make_title("fine"), broken], TINY, steps=1, seed=0)
    with pytest.raises(ProfileMismatch, match="title narrow"):
        train([TitleSequence("narrow", np.ones((9, 3), np.float32))], TINY, steps=1, seed=0)
