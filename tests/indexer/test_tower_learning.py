"""A library's tower: learned where there is enough to learn from, kept with its context model."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from indexer.context.checkpoint import save_checkpoint
from indexer.context.config import ContextConfig
from indexer.context.reader import load_reader
from indexer.context.sequence import TitleSequence
from indexer.context.train import Trained, train
from indexer.encoders.protocol import unit
from indexer.tower import learning
from indexer.tower.evaluation import TowerEvaluation, evaluate_tower
from indexer.tower.keep import KeptTower, kept
from indexer.tower.learning import learn_tower
from indexer.tower.model import Tower, TowerConfig
from indexer.tower.train import ask, keys_of, train_tower
from qdrant.errors import CannotRunNow

DIMS = {"video": 8, "audio": 4, "text": 8}
ASKED = ("video", "text")


def make_title(name: str, num_shots: int = 60, *, spoken: bool = True) -> TitleSequence:
    """Scenes of ten shots that look and sound alike; every second shot has a line."""
    random = np.random.default_rng(list(name.encode()))
    scenes = np.repeat(random.standard_normal((num_shots // 10 + 1, 20)), 10, axis=0)[:num_shots]
    fused = scenes + 0.5 * random.standard_normal((num_shots, 20))
    fused[1 if spoken else 0 :: 2 if spoken else 1, 12:] = 0
    about = unit(random.standard_normal(8)).astype(np.float32)
    return TitleSequence(name, unit(fused), about)


@pytest.fixture(scope="module")
def titles() -> list[TitleSequence]:
    return [make_title(f"title {number}") for number in range(10)]


@pytest.fixture(scope="module")
def trained(titles: list[TitleSequence]) -> Trained:
    config = ContextConfig(dims=DIMS, global_dim=8, hidden=32, heads=4)
    return train(titles, config, steps=40, seconds_limit=60, seed=0)


def make_kept(seed: int = 0) -> KeptTower:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        tower = Tower(TowerConfig(dims=DIMS, asked=ASKED, key_dim=16, heads=2, ask_hidden=8))
    torch.nn.init.normal_(tower.ask_narrow.weight)
    return kept(tower.eval(), TowerEvaluation(10, 0.5, 0.25, floor=0.1, ceiling=0.8))


@pytest.mark.parametrize(
    ("few", "sentence"),
    [
        ([make_title(f"{n}") for n in range(4)], "there are 4 with 120"),
        ([make_title(f"{n}", 20) for n in range(6)], "there are 6 with 60"),
        ([make_title(f"{n}", spoken=False) for n in range(9)], "there are 0 with 0"),
    ],
)
def test_too_little_to_learn_from_is_said(trained, few, sentence):
    tower, verdict = learn_tower(few, trained.model, asked=ASKED, seed=0)
    assert tower is None and sentence in verdict


def test_a_tower_is_kept_where_it_beats_the_control(trained, titles, monkeypatch):
    results = []

    def judged(tower, held_out, *, seed):
        found = evaluate_tower(tower, held_out, seed=seed)
        assert len(held_out) == 1 and 0 <= found.recall <= 1 and found.floor < found.ceiling
        results.append(TowerEvaluation(
            found.num_questions, found.recall, found.recall + (0.1 if results else -0.1),
            found.floor, found.ceiling,
        ))  # fmt: skip
        return results[-1]

    monkeypatch.setattr(learning, "evaluate_tower", judged)
    for keeps in (True, False):
        tower, verdict = learn_tower(titles, trained.model, asked=ASKED, seed=0, steps=3)
        assert (tower is not None) is keeps
        assert ("may reach it" in verdict) is keeps


def test_a_taught_tower_finds_titles_it_has_not_seen(trained, titles):
    told = [learning._told(t, learning._parts(t, trained.model), trained.model) for t in titles]
    config = TowerConfig(dims=DIMS, asked=ASKED, key_dim=32, looseness=0.5, questions=80)
    learned = train_tower(told[:8], config, steps=120, seconds_limit=60, seed=0).tower
    found = evaluate_tower(learned, told[8:], seed=0)
    assert found.num_questions == 120
    assert found.recall > 0.3  # ten of 120 by chance


def test_a_kept_tower_asks_and_keys_as_it_did():
    tower = make_kept()
    random = np.random.default_rng(0)
    words = {m: unit(random.standard_normal(DIMS[m])).astype(np.float32) for m in ASKED}
    fused = unit(np.concatenate([words["video"], np.zeros(4), words["text"]]))[None]
    restored = tower.restore()
    assert tower.asker().ask(words) == pytest.approx(ask(restored, fused)[0], abs=1e-5)
    alone = tower.asker().ask({"text": words["text"]})
    assert np.linalg.norm(alone) == pytest.approx(1) and not np.allclose(
        alone, ask(restored, fused)[0], atol=1e-3
    )


def test_a_checkpoint_carries_its_tower(trained, titles, tmp_path):
    tower = make_kept()
    plain = save_checkpoint(tmp_path, trained, fingerprint="")
    with_tower = save_checkpoint(tmp_path, trained, fingerprint="", tower=tower)
    assert with_tower != plain, "another tower, another model version"
    ready = load_reader(tmp_path)
    assert ready.id == with_tower and ready.tower is not None
    title = titles[0]
    these, those = (
        keys_of(each.restore(), title.fused, title.fused) for each in (tower, ready.tower)
    )
    assert np.array_equal(these, those)
    assert (ready.tower.floor, ready.tower.ceiling) == (0.1, 0.8)
    save_checkpoint(tmp_path, trained, fingerprint="", tower=make_kept(1))
    assert len(list(tmp_path.glob("*.safetensors"))) == 2  # nothing of the former is left
    next(tmp_path.glob("tower-*")).write_bytes(b"torn")
    with pytest.raises(CannotRunNow, match="not those that were saved"):
        load_reader(tmp_path)
    next(tmp_path.glob("tower-*")).unlink()
    with pytest.raises(CannotRunNow, match="cannot be used"):
        load_reader(tmp_path)
