"""A tiny training run, its every loss checked against the slow NumPy version of model and loss."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from context_reference import batch_loss, read_title

from indexer.context.config import ContextConfig, faithful
from indexer.context.crops import TrainingTitle, draw_crops
from indexer.context.evaluation import hold_out
from indexer.context.fitting import Trainer
from indexer.context.masking import draw_masks, drop_modalities
from indexer.context.model import ContextModel
from indexer.context.sequence import TitleSequence
from indexer.context.train import train, training_titles
from indexer.context.vectors import predict
from indexer.encoders.protocol import unit

DIMS = {"video": 5, "audio": 3, "text": 4}
PLAIN = ContextConfig(
    dims=DIMS, global_dim=4, hidden=8, heads=2, layers=2, dropout=0.0, max_shots=10, batch_shots=14,
    global_dropout=0.3, relative_reach=3,
)  # fmt: skip
KNOBS = [
    {},
    {"positions": "learned"},
    {"positions": "relative"},
    {"positions": "relative", "layers": 1, "heads": 4, "relative_reach": 50},
    {"rotary_base": 7.0, "ffn_ratio": 2},
    {"projections": "together"},
    {"optimiser": "adamw"},
    {"modality_share": 0.0, "mask_share": 0.4, "global_dropout": 0.0},
    {"modality_share": 1.0, "clip_norm": 0.01, "warmup_share": 0.9},
    {"modality_dropout": 0.7},
    {"modality_weight": 0.4},
    {"visible_weight": 0.25},
    {"modality_dropout": 0.5, "modality_weight": 1.0, "visible_weight": 0.5,
     "positions": "relative", "projections": "together", "optimiser": "adamw"},
]  # fmt: skip
STEPS = 3


def make_titles() -> list[TitleSequence]:
    """Return three titles of 5, 10 and 16 shots with gaps in them, one of them unknown."""
    random, titles = np.random.default_rng(0), []
    for num_shots in (5, 10, 16):
        fused = random.normal(size=(num_shots, 12)).astype(np.float32)
        fused[::3, 8:] = 0  # no text
        fused[1, :8] = 0  # text alone
        fused[3] = 0  # nothing
        known = None if num_shots == 10 else random.normal(size=4).astype(np.float32)
        titles.append(TitleSequence(str(num_shots), unit(fused), known))
    return titles


def exact(model: ContextModel) -> dict[str, np.ndarray]:
    return {name: tensor.double().numpy() for name, tensor in model.state_dict().items()}


def slow_step_loss(trainer: Trainer, lessons: list[TrainingTitle]) -> float:
    """Return the loss that the trainer's next step is to find; its generator is left as it was."""
    config, generator = trainer.model.config, torch.Generator()
    generator.set_state(trainer.generator.get_state())
    batch, targetable = draw_crops(lessons, config, generator=generator)
    seen = drop_modalities(batch.fused, config=config, generator=generator)
    masks = draw_masks(seen, targetable=targetable, config=config, generator=generator)
    weights, lengths = exact(trainer.model), batch.present.sum(dim=1).tolist()
    outputs = [
        read_title(
            weights,
            config,
            seen[row, :length].double().numpy(),
            known=batch.global_vector[row].double().numpy() if batch.has_global[row] else None,
            hidden=masks.hidden_modalities[row, :length].numpy(),
        )[0]
        for row, length in enumerate(lengths)
    ]
    return batch_loss(
        outputs,
        [batch.fused[row, :length].double().numpy() for row, length in enumerate(lengths)],
        targets=[masks.targets[row, :length].numpy() for row, length in enumerate(lengths)],
        visible=[masks.visible[row, :length].numpy() for row, length in enumerate(lengths)],
        config=config,
    )


def start(config: ContextConfig) -> Trainer:
    """Return a trainer whose model has no weight left at a telling 0 or 1, as norms begin with."""
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.default_generator.manual_seed(0)
        model = ContextModel(config).train()
        for parameter in model.parameters():
            parameter += 0.2 * torch.randn(parameter.shape)
    return Trainer.start(model, seed=5)


@pytest.mark.parametrize("knobs", KNOBS, ids=str)
def test_every_step_finds_the_loss_that_the_slow_version_finds(knobs):
    lessons = [TrainingTitle(title, title.filled) for title in make_titles()]
    lessons[2].targetable[5:9] = False
    trainer = start(replace(PLAIN, **knobs))
    for _ in range(STEPS):
        expected = slow_step_loss(trainer, lessons)
        found, _ = trainer.take_step(lessons, rate=1.0, precision="float32")
        assert found == pytest.approx(expected, abs=2e-6)


def test_a_run_starts_at_the_slow_versions_loss():
    titles, losses = make_titles(), []
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(3)
        model = ContextModel(PLAIN)
    done = train(titles, PLAIN, steps=2, seed=3, progress=lambda line: losses.append(line.loss))
    lessons = training_titles(titles, hold_out(titles, seed=3))
    expected = slow_step_loss(Trainer.start(model, seed=3), lessons)
    assert losses[0] == pytest.approx(expected, abs=2e-6)
    assert losses == list(done.losses) and done.metrics.first_loss == losses[0]


@pytest.mark.parametrize("positions", ["rotary", "relative", "learned"])
def test_a_trained_model_reads_a_title_as_the_slow_version_does(positions):
    title = make_titles()[1]
    model = train(
        make_titles(), replace(PLAIN, positions=positions, dropout=0.2), steps=3, seed=0
    ).model
    hidden = np.arange(10) % 4 == 2
    everything = np.repeat(hidden[:, None], 3, axis=1)
    shots, cls = read_title(
        exact(model), model.config, title.fused.astype(float), known=None, hidden=everything
    )
    found = predict(model, title, hidden_shots=hidden)
    assert found.shots == pytest.approx(unit(shots), abs=1e-5)
    assert found.title == pytest.approx(unit(cls), abs=1e-5)


def test_the_faithful_recipe_is_learned_positions_whole_masks_and_the_plain_loss():
    recipe = faithful(DIMS, 4)
    assert (recipe.positions, recipe.layers, recipe.max_shots) == ("learned", 3, 512)
    assert (recipe.mask_share, recipe.modality_share, recipe.global_dropout) == (0.2, 0, 0)
    assert recipe.modality_dropout == recipe.modality_weight == recipe.visible_weight == 0
    assert recipe.optimiser == "muon"
    assert faithful(DIMS, 4, layers=6, adamw_lr=1e-3).layers == 6
    titles = make_titles()
    lessons = [TrainingTitle(title, title.filled) for title in titles]
    small = faithful(DIMS, 4, hidden=8, heads=2, dropout=0.0, batch_shots=24)
    trainer = start(small)
    expected = slow_step_loss(trainer, lessons)
    assert trainer.take_step(lessons, rate=1.0, precision="float32")[0] == pytest.approx(
        expected, abs=2e-6
    )
