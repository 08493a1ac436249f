"""A context model on disk: whole or not at all, older ones readable, strange ones refused."""

import json

import numpy as np
import pytest
import torch

from indexer.context.checkpoint import load_checkpoint, save_checkpoint
from indexer.context.model import ContextConfig
from indexer.context.sequence import TitleSequence
from indexer.context.train import train
from indexer.context.vectors import contextualise
from indexer.encoders.protocol import unit
from qdrant.errors import CannotRunNow

DIMS = {"video": 16, "audio": 8, "text": 16}
TINY = ContextConfig(
    dims=DIMS, global_dim=8, hidden=16, heads=2, layers=1, max_shots=64, batch_shots=64
)  # fmt: skip


def make_title(name: str, *, known: bool = True) -> TitleSequence:
    random = np.random.default_rng(list(name.encode()))
    fused = unit(random.normal(size=(40, 40)).astype(np.float32))
    return TitleSequence(name, fused, unit(random.normal(size=8)) if known else None)


def test_a_checkpoint_comes_back_the_same(tmp_path):
    titles = [make_title("one"), make_title("two", known=False)]
    done = train(titles, TINY, steps=5, seed=0)
    model_id = save_checkpoint(tmp_path / "models", done, fingerprint="of these titles")
    before = torch.get_rng_state()
    checkpoint = load_checkpoint(tmp_path / "models")
    assert torch.equal(torch.get_rng_state(), before)
    assert (checkpoint.id, checkpoint.fingerprint) == (model_id, "of these titles")
    assert checkpoint.config == TINY and list(checkpoint.config.dims) == list(DIMS)
    assert checkpoint.metrics == done.metrics
    for title in titles:
        loaded, made = contextualise(checkpoint.model, title), contextualise(done.model, title)
        assert np.array_equal(loaded.shots, made.shots)
        assert np.array_equal(loaded.title, made.title)


def test_a_new_model_replaces_the_old_and_leaves_nothing_behind(tmp_path):
    ids = [
        save_checkpoint(tmp_path, train([make_title("one")], TINY, steps=1, seed=seed),
                        fingerprint=str(seed))
        for seed in (0, 1)
    ]  # fmt: skip
    assert ids[0] != ids[1] == load_checkpoint(tmp_path).id
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        f"context-{ids[1]}.safetensors", "context.json",
    ]  # fmt: skip


def _without_weights(folder):
    next(folder.glob("*.safetensors")).unlink()


def _with_a_flipped_bit(folder):
    path = next(folder.glob("*.safetensors"))
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def _half_written(folder):
    path = folder / "context.json"
    path.write_bytes(path.read_bytes()[:100])


def _changed(**changes):
    def damage(folder):
        path = folder / "context.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))

    return damage


@pytest.mark.parametrize("damage", [
    _without_weights, _with_a_flipped_bit, _half_written, _changed(format=99), _changed(id=5),
    _changed(config={"dims": {"video": 9}, "global_dim": 8}), _changed(metrics={}),
])  # fmt: skip
def test_a_damaged_checkpoint_names_its_folder_and_the_way_out(damage, tmp_path):
    done = train([make_title("one")], TINY, steps=1, seed=0)
    save_checkpoint(tmp_path, done, fingerprint="")
    damage(tmp_path)
    with pytest.raises(CannotRunNow, match="cannot be used") as caught:
        load_checkpoint(tmp_path)
    assert str(tmp_path) in str(caught.value) and "`trimbin train`" in str(caught.value)


def test_a_checkpoint_from_before_a_setting_existed_loads_with_what_it_then_was(tmp_path):
    """The names below are those of the first checkpoints; all that came later has its default."""
    done = train([make_title("one")], TINY, steps=1, seed=0)
    save_checkpoint(tmp_path, done, fingerprint="")
    path = tmp_path / "context.json"
    record = json.loads(path.read_text())
    first = {
        "config": [
            "dims", "global_dim", "hidden", "layers", "heads", "ffn_ratio", "dropout", "max_shots",
            "window_overlap", "positions", "rotary_base", "mask_share", "modality_share",
            "global_dropout", "batch_shots", "muon_lr", "adamw_lr", "weight_decay", "warmup_share",
            "clip_norm",
        ],
        "metrics": [
            "num_titles", "num_shots", "steps", "seconds", "hit_time_limit", "first_loss",
            "final_loss", "evaluation",
        ],
    }  # fmt: skip
    old = {part: {name: record[part][name] for name in names} for part, names in first.items()}
    path.write_text(json.dumps(record | old))
    loaded = load_checkpoint(tmp_path)
    assert loaded.config == TINY and loaded.metrics == done.metrics
    title = make_title("one")
    assert np.array_equal(
        contextualise(loaded.model, title).shots, contextualise(done.model, title).shots
    )


@pytest.mark.parametrize("part", ["config", "metrics"])
def test_a_checkpoint_of_a_newer_program_says_so(part, tmp_path):
    save_checkpoint(tmp_path, train([make_title("one")], TINY, steps=1, seed=0), fingerprint="")
    path = tmp_path / "context.json"
    record = json.loads(path.read_text())
    record[part]["flux"] = 1
    path.write_text(json.dumps(record))
    with pytest.raises(CannotRunNow, match="a newer Trimbin wrote it, which knows flux"):
        load_checkpoint(tmp_path)


def test_no_checkpoint_is_its_own_sentence(tmp_path):
    with pytest.raises(CannotRunNow, match=r"There is no context model in .*`trimbin train`"):
        load_checkpoint(tmp_path)


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "models").write_text("a file")
    done = train([make_title("one")], TINY, steps=1, seed=0)
    with pytest.raises(CannotRunNow, match=r"cannot be written to .*models"):
        save_checkpoint(tmp_path / "models", done, fingerprint="")
