"""A training run cut short and taken up again is the run that was never cut short."""

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from indexer.context.config import ContextConfig
from indexer.context.resume import RESUME_NAME
from indexer.context.sequence import TitleSequence
from indexer.context.train import train
from indexer.encoders.protocol import unit
from qdrant.errors import CannotRunNow

CONFIG = ContextConfig(
    dims={"video": 6, "audio": 4, "text": 6}, global_dim=5, hidden=16, heads=2, layers=2,
    max_shots=24, batch_shots=48, modality_dropout=0.3, dropout=0.2,
)  # fmt: skip
STEPS, SAVE_EVERY = 9, 3


class PowerCut(Exception):
    """What ends a run from outside."""


def make_titles(num_titles: int = 7) -> list[TitleSequence]:
    random = np.random.default_rng(0)
    return [
        TitleSequence(str(n), unit(random.normal(size=(10 + 5 * n, 16)).astype(np.float32)))
        for n in range(num_titles)
    ]


def retouched(titles: list[TitleSequence]) -> list[TitleSequence]:
    """Return the titles with one number changed."""
    titles[4].fused[3, 2] += 1e-6
    return titles


def run(folder: Path | None, *, cut_after: int | None = None, config=CONFIG, titles=None, **other):
    """Train; return what was trained and the steps that were told of."""
    told = []

    def progress(line):
        told.append(line.step)
        if line.step == cut_after:
            raise PowerCut

    settings = {"steps": STEPS, "seed": 4, "seconds_limit": 300, "save_every": SAVE_EVERY} | other
    done = train(
        titles or make_titles(), config, progress=progress, resume_folder=folder, **settings
    )
    return done, told


def weights_of(done) -> dict[str, torch.Tensor]:
    return done.model.state_dict()


def same_weights(one, other) -> bool:
    mine, theirs = weights_of(one), weights_of(other)
    return all(torch.equal(mine[name], theirs[name]) for name in mine)


@pytest.mark.parametrize("knobs", [
    {},
    {"positions": "relative", "projections": "together", "validate_every": 2},
    {"optimiser": "adamw", "validate_every": 4, "patience": 9},
], ids=str)  # fmt: skip
@pytest.mark.parametrize("cut_after", [2, 3, 8])
def test_a_run_cut_short_goes_on_to_the_same_weights_to_the_bit(cut_after, knobs, tmp_path):
    config = replace(CONFIG, **knobs)
    whole, _ = run(None, config=config)
    with pytest.raises(PowerCut):
        run(tmp_path, cut_after=cut_after, config=config)
    saved = cut_after // SAVE_EVERY * SAVE_EVERY
    assert (tmp_path / RESUME_NAME).exists() == (saved > 0)
    torch.rand(17)  # whatever the process did meanwhile
    again, told = run(tmp_path, config=config)
    assert told == list(range(saved + 1, STEPS + 1))
    assert same_weights(again, whole)
    assert again.losses == whole.losses
    assert again.metrics.looks == whole.metrics.looks
    assert again.metrics.best_step == whole.metrics.best_step
    assert again.metrics.evaluation == whole.metrics.evaluation


def test_a_run_cut_short_twice_and_a_finished_one_leave_nothing_behind(tmp_path):
    whole, _ = run(None)
    for cut_after in (4, 7):
        with pytest.raises(PowerCut):
            run(tmp_path, cut_after=cut_after)
    again, told = run(tmp_path)
    assert told == [7, 8, 9] and same_weights(again, whole)
    assert list(tmp_path.iterdir()) == []
    assert run(tmp_path)[1] == list(range(1, STEPS + 1))


def test_dropout_would_tell_if_its_generator_were_not_kept(tmp_path):
    """The runs above could not fail otherwise: without dropout's state they would differ."""
    with pytest.raises(PowerCut):
        run(tmp_path, cut_after=5)
    path = tmp_path / RESUME_NAME
    kept = torch.load(path, weights_only=True)
    kept["state"]["random_states"]["cpu"] = torch.Generator().manual_seed(1).get_state()
    torch.save(kept, path)
    assert not same_weights(run(tmp_path)[0], run(None)[0])


@pytest.mark.parametrize("other", [
    {"seed": 5}, {"steps": 10}, {"config": replace(CONFIG, dropout=0.3)},
    {"titles": make_titles(8)}, {"titles": retouched(make_titles())}, {"precision": "bfloat16"},
], ids=["seed", "steps", "config", "titles", "vectors", "precision"])  # fmt: skip
def test_another_run_begins_anew(other, tmp_path, caplog):
    with pytest.raises(PowerCut):
        run(tmp_path, cut_after=4)
    with caplog.at_level(logging.INFO):
        _, told = run(tmp_path, **other)
    assert told[0] == 1 and "of another run: training begins anew" in caplog.text


def test_a_damaged_file_is_passed_over_and_said(tmp_path, caplog):
    (tmp_path / RESUME_NAME).write_bytes(b"not a run")
    done, told = run(tmp_path)
    assert told[0] == 1 and "cannot be read" in caplog.text
    assert same_weights(done, run(None)[0])


def test_the_random_state_is_put_back_also_after_a_cut(tmp_path):
    before = torch.get_rng_state()
    with pytest.raises(PowerCut):
        run(tmp_path, cut_after=2)
    assert torch.equal(torch.get_rng_state(), before)
    run(tmp_path)
    assert torch.equal(torch.get_rng_state(), before)


def test_the_time_limit_counts_what_was_spent_before(tmp_path):
    with pytest.raises(PowerCut):
        run(tmp_path, cut_after=5)
    path = tmp_path / RESUME_NAME
    kept = torch.load(path, weights_only=True)
    kept["state"]["run"]["seconds"] = 1000.0
    torch.save(kept, path)
    content = path.read_bytes()
    done, told = run(tmp_path, seconds_limit=999)
    assert told == [] and done.metrics.steps == 3 and done.metrics.hit_time_limit
    path.write_bytes(content)
    assert 1000 < run(tmp_path, seconds_limit=2000)[0].metrics.seconds < 1900


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "runs").write_text("a file")
    with pytest.raises(CannotRunNow, match=r"training cannot be kept in .*runs"):
        run(tmp_path / "runs" / "one")
