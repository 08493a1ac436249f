"""Validation titles, early stop, the log, the curve, and mixed precision."""

import logging
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from indexer.context.checkpoint import load_checkpoint, save_checkpoint
from indexer.context.config import ContextConfig
from indexer.context.curve import BLUE, ORANGE, draw_curve, smooth, ticks
from indexer.context.evaluation import hold_out
from indexer.context.masking import masked_loss
from indexer.context.model import ContextModel
from indexer.context.sequence import TitleSequence
from indexer.context.train import train
from indexer.context.validation import (
    Look,
    Validation,
    best_of,
    keep_for_validation,
    out_of_patience,
)
from indexer.encoders.protocol import unit
from qdrant.errors import UsageError

CONFIG = ContextConfig(
    dims={"video": 6, "audio": 4, "text": 6}, global_dim=5, hidden=16, heads=2, layers=1,
    max_shots=24, batch_shots=48, validate_every=2,
)  # fmt: skip


def make_titles(num_titles: int = 12) -> list[TitleSequence]:
    """Return titles of 8 to 30 shots, from noise: nothing learnt of one holds for another."""
    random = np.random.default_rng(0)
    return [
        TitleSequence(str(n), unit(random.normal(size=(8 + 2 * n, 16)).astype(np.float32)))
        for n in range(num_titles)
    ]


def make_looks(*losses: float) -> list[Look]:
    return [Look(10 * (n + 1), loss, 0.1, 0.2) for n, loss in enumerate(losses)]


@pytest.mark.parametrize("num_titles", [6, 12, 30])
def test_validation_titles_are_whole_and_not_those_of_the_evaluation(num_titles):
    titles = make_titles(num_titles)
    held_out = hold_out(titles, seed=1)
    kept = keep_for_validation(titles, held_out, seed=1)
    tested = {number for number, mask in enumerate(held_out.shots) if mask.any()}
    assert len(kept) == max(1, round(0.1 * (num_titles - len(tested))))
    assert not tested & set(kept)
    assert keep_for_validation(titles, held_out, seed=1) == kept
    assert len({keep_for_validation(titles, hold_out(titles, seed=s), seed=s)
                for s in range(20)}) > 1  # fmt: skip


def test_no_more_titles_are_kept_than_a_look_needs(monkeypatch):
    titles = make_titles(60)
    held_out = hold_out(titles, seed=1)
    many = keep_for_validation(titles, held_out, seed=1)
    monkeypatch.setattr("indexer.context.validation.MOST_SHOTS", 100)
    few = keep_for_validation(titles, held_out, seed=1)
    assert set(few) < set(many) and len(many) == 5
    sizes = [titles[number].num_shots for number in few]
    assert sum(sizes) >= 100 > sum(sizes) - max(sizes)


def test_training_never_reads_a_validation_title():
    """Whatever stands in it, the weights of the last step are the same."""
    titles = make_titles()
    (kept,) = keep_for_validation(titles, hold_out(titles, seed=0), seed=0)
    other = list(titles)
    other[kept] = TitleSequence(titles[kept].title_id, -titles[kept].fused[::-1].copy())
    config = replace(CONFIG, batch_shots=600)  # more than there are: each is read in some step
    runs = [train(each, config, steps=4, seed=0) for each in (titles, other)]
    assert runs[0].losses == runs[1].losses
    assert runs[0].metrics.looks != runs[1].metrics.looks


def test_a_look_is_the_masked_loss_of_every_window_once_and_always_the_same():
    config = replace(CONFIG, batch_shots=20, dropout=0.5, visible_weight=0.0)
    titles = [t for t in make_titles() if t.num_shots in (8, 12, 30)]  # 30: two windows
    validation = Validation(titles, config, seed=0)
    model = ContextModel(config).train()
    read = sorted(
        tuple(shot.tolist())
        for batch, _ in validation.lessons
        for row, present in zip(batch.fused, batch.present, strict=True)
        for shot in row[present]
    )
    everything = np.concatenate([title.fused for title in titles])
    windows = [8, 12, 24, 24]
    assert len(read) == sum(windows) and set(read) == {tuple(s) for s in everything.tolist()}
    looks = [validation.look(model, step=n, precision="float32") for n in (1, 2)]
    assert looks[1] == replace(looks[0], step=2) and model.training
    distances, counts = [], []
    with torch.inference_mode():
        for batch, masks in validation.lessons:
            output = model.eval()(batch, masks.hidden_modalities).shots
            distances.append(float(masked_loss(output, batch.fused, masks.targets)))
            counts.append(int(masks.targets.sum()))
    assert counts and sum(counts) == sum(round(0.2 * size) for size in windows)
    expected = sum(d * c for d, c in zip(distances, counts, strict=True)) / sum(counts)
    assert looks[0].loss == pytest.approx(expected, abs=1e-6)


def test_patience_by_hand():
    looks = make_looks(0.9, 0.5, 0.6, 0.5, 0.7)
    assert best_of(looks) == looks[1]  # of equals the first
    assert not out_of_patience(looks, patience=4) and out_of_patience(looks, patience=3)
    assert not out_of_patience(looks, patience=0)
    assert not out_of_patience([], patience=1)


def test_training_stops_when_the_validation_titles_get_no_better_and_keeps_the_best():
    """Noise is learnt by heart: the loss of other titles rises sooner or later."""
    titles = make_titles()
    config = replace(CONFIG, patience=3, dropout=0.0, validate_every=5, adamw_lr=1e-2)
    done = train(titles, config, steps=400, seed=0, seconds_limit=300)
    looks = done.metrics.looks
    assert done.metrics.stopped_early and not done.metrics.hit_time_limit
    assert [look.step for look in looks] == list(range(5, done.metrics.steps + 1, 5))
    best = best_of(looks)
    assert best is not None and best.step == done.metrics.best_step == done.metrics.steps - 15
    (kept,) = keep_for_validation(titles, hold_out(titles, seed=0), seed=0)
    validation = Validation([titles[kept]], config, seed=0)
    assert validation.look(done.model, step=best.step, precision="float32") == best


def test_the_last_weights_are_looked_at_too():
    done = train(make_titles(), CONFIG, steps=5, seed=0, seconds_limit=300)
    assert [look.step for look in done.metrics.looks] == [2, 4, 5]
    assert not done.metrics.stopped_early


def test_without_validation_titles_the_last_weights_are_kept(caplog):
    plain = train(make_titles(5), replace(CONFIG, validate_every=0), steps=4, seed=0)
    assert plain.metrics.looks == () and plain.metrics.best_step is None and not caplog.records
    few = train(make_titles(5), replace(CONFIG, patience=1), steps=4, seed=0)
    assert "5 titles are too few" in caplog.text
    assert few.losses == plain.losses and not few.metrics.stopped_early


def test_every_look_and_every_so_many_steps_have_a_line_in_the_log(caplog, monkeypatch):
    monkeypatch.setattr("indexer.context.fitting.LOG_EVERY", 3)
    told = []
    with caplog.at_level(logging.INFO, logger="indexer.context.fitting"):
        train(make_titles(), CONFIG, steps=6, seed=0, seconds_limit=300, progress=told.append)
    lines = [record.getMessage() for record in caplog.records]
    assert [line.split(":")[0] for line in lines] == [f"step {n} of 6" for n in (2, 3, 4, 6)]
    look = told[1].look
    assert f"loss {told[1].loss:.4f}, validation {look.loss:.4f}" in lines[0]
    assert (
        f"centred cosine {look.centred_cosine:.3f}, pairwise {look.pairwise_cosine:.3f}"
        in (lines[0])
    )
    assert "shots/s" in lines[1] and "validation" not in lines[1]
    assert [line.step for line in told if line.look] == [2, 4, 6]


def test_a_checkpoint_carries_the_looks_and_a_curve(tmp_path):
    done = train(make_titles(), replace(CONFIG, patience=9), steps=5, seed=0, seconds_limit=300)
    save_checkpoint(tmp_path, done, fingerprint="")
    loaded = load_checkpoint(tmp_path)
    assert loaded.metrics == done.metrics and len(loaded.metrics.looks) == 3
    assert loaded.config == done.model.config
    assert (tmp_path / "training.png").read_bytes() == draw_curve(done.losses, done.metrics.looks)


def find(image: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    """Return (column, row) of each pixel of exactly this colour."""
    return np.argwhere((image == colour).all(axis=-1))[:, ::-1]


def test_the_curve_shows_a_loss_that_falls_and_validation_that_rises_again():
    losses = np.linspace(1.0, 0.2, 200).tolist()
    png = draw_curve(losses, make_looks(0.9, 0.6, 0.5, 0.7, 0.8))
    image = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
    assert len(png) < 100_000 and image.shape == (420, 720, 3)
    training, validation = (find(image[40:372, 64:], colour) for colour in (BLUE, ORANGE))
    early, late = training[training[:, 0] < 60], training[training[:, 0] > 560]
    assert early[:, 1].mean() < late[:, 1].mean() - 150  # rows count downwards
    # 50 steps of 200, on 640 columns: the looks end there, and the third is the lowest.
    assert 160 <= validation[:, 0].max() <= 164 + 7
    lowest = validation[validation[:, 1].argmax()]
    assert abs(lowest[0] - 0.15 * 640) <= 7


def test_ticks_and_smoothing_by_hand():
    assert ticks(0, 1.05) == [0, 0.2, 0.4, 0.6, 0.8, 1.0]
    assert ticks(0, 120) == [0, 20, 40, 60, 80, 100, 120]
    assert ticks(0, 2) == [0, 0.5, 1, 1.5, 2]
    assert smooth([1.0, 3.0]) == [1.0, 2.0]
    assert smooth([*[0.0] * 5, *[1.0] * 20])[-1] == 1.0


@pytest.mark.parametrize("positions", ["rotary", "relative", "learned"])
def test_bfloat16_trains_weights_that_stay_in_float32(positions):
    config = replace(CONFIG, positions=positions, visible_weight=0.2, modality_weight=0.5)
    exact, mixed = (
        train(make_titles(), config, steps=4, seed=0, seconds_limit=300, precision=precision)
        for precision in ("float32", "bfloat16")
    )
    assert (exact.metrics.precision, mixed.metrics.precision) == ("float32", "bfloat16")
    assert mixed.losses != exact.losses
    assert mixed.losses == pytest.approx(exact.losses, abs=0.02)
    assert {tensor.dtype for tensor in mixed.model.state_dict().values()} == {torch.float32}


def test_the_cpu_is_exact_unless_asked():
    chosen = train(make_titles(), CONFIG, steps=1, seed=0).metrics.precision
    assert chosen == "float32"
    with pytest.raises(UsageError, match=r"no precision 'half'; choose one of auto, float32"):
        train(make_titles(), CONFIG, steps=1, seed=0, precision="half")
