"""Masked Shot Modelling against slow, obvious versions of itself."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from indexer.context.masking import (
    draw_masks,
    drop_modalities,
    masked_loss,
    modalities_present,
    objective,
)
from indexer.context.model import ContextConfig

CONFIG = ContextConfig(dims={"video": 3, "audio": 2, "text": 3}, global_dim=4, hidden=16, heads=2)
VIDEO, AUDIO, TEXT = slice(0, 3), slice(3, 5), slice(5, 8)


def fused(*, sequences: int = 4, shots: int = 50, seed: int = 0) -> torch.Tensor:
    """Return shots of which every fifth has no text, every seventh nothing at all."""
    values = torch.randn(sequences, shots, 8, generator=torch.Generator().manual_seed(seed))
    values[:, ::5, TEXT] = 0
    values[:, ::7] = 0
    return values


def masks_for(values, *, seed=0, config=CONFIG, targetable=None):
    if targetable is None:
        targetable = torch.ones(values.shape[:2], dtype=torch.bool)
    generator = torch.Generator().manual_seed(seed)
    return draw_masks(values, targetable=targetable, config=config, generator=generator)


def slow_loss(outputs: np.ndarray, truth: np.ndarray, targets: np.ndarray) -> float:
    distances = []
    for sequence in range(truth.shape[0]):
        for shot in range(truth.shape[1]):
            if targets[sequence, shot]:
                a, b = outputs[sequence, shot], truth[sequence, shot]
                distances.append(1 - a @ b / (np.sqrt(a @ a) * np.sqrt(b @ b)))
    return sum(distances) / len(distances)


def test_loss_is_the_mean_cosine_distance_at_the_targets_only():
    values = fused()
    outputs = torch.randn(values.shape, generator=torch.Generator().manual_seed(9))
    targets = masks_for(values).targets

    expected = slow_loss(outputs.double().numpy(), values.double().numpy(), targets.numpy())

    assert masked_loss(outputs, values, targets).item() == pytest.approx(expected, abs=1e-6)
    spoilt_elsewhere = torch.where(targets[..., None], outputs, 1e3)
    assert masked_loss(spoilt_elsewhere, values, targets) == masked_loss(outputs, values, targets)


def test_loss_without_targets_is_zero_and_has_a_gradient():
    values = fused()
    outputs = values.clone().requires_grad_()
    loss = masked_loss(outputs, values, torch.zeros(values.shape[:2], dtype=torch.bool))
    torch.autograd.backward(loss)
    assert loss.item() == 0
    assert outputs.grad is not None and not outputs.grad.any()


def test_modalities_present_are_those_with_any_number():
    row = torch.tensor([[[0.0, 0, 1, 0, 0, 2, 0, 0], [0.0] * 8]])
    assert modalities_present(row, CONFIG).tolist() == [[[True, False, True], [False] * 3]]


def test_a_fifth_of_the_filled_shots_is_chosen_and_never_an_empty_one():
    values = fused()
    targets = masks_for(values).targets
    assert targets.sum(dim=1).tolist() == [round(0.2 * 42)] * 4  # 8 of 50 shots are empty
    assert not targets[:, ::7].any()


def test_shots_that_may_not_be_targets_never_are():
    values = fused()
    targetable = torch.zeros(values.shape[:2], dtype=torch.bool)
    targetable[:, 1] = targetable[:, 7] = True  # shot 7 is empty
    targets = masks_for(values, targetable=targetable).targets
    assert targets.sum(dim=1).tolist() == [1] * 4
    assert targets[:, 1].all()


def test_partly_hidden_shots_keep_one_or_two_modalities_and_hide_another():
    values = fused(sequences=64)
    masks = masks_for(values)
    wholly = masks.hidden_modalities.all(dim=-1) & masks.targets
    partly = masks.targets & ~wholly
    kept = (modalities_present(values, CONFIG) & ~masks.hidden_modalities).sum(dim=-1)
    assert set(kept[partly].tolist()) == {1, 2}
    assert masks.hidden_modalities[partly].any(dim=-1).all()
    assert 0.4 < partly.sum() / masks.targets.sum() < 0.6
    assert not masks.hidden_modalities[~masks.targets].any()


def test_a_missing_modality_stays_visibly_missing_when_its_shot_is_partly_hidden():
    values = fused(sequences=64)
    masks = masks_for(values)
    partly = masks.targets & ~masks.hidden_modalities.all(dim=-1)
    without_text = partly & ~modalities_present(values, CONFIG)[..., 2]
    assert without_text.any()
    assert not masks.hidden_modalities[without_text][:, 2].any()


def test_a_shot_of_one_modality_is_hidden_whole_or_not_at_all():
    values = fused()
    values[..., AUDIO] = values[..., TEXT] = 0
    masks = masks_for(values)
    assert torch.equal(masks.hidden_modalities.any(-1), masks.targets)
    assert torch.equal(masks.hidden_modalities.all(-1), masks.targets)


def test_masks_follow_their_generator_and_leave_the_global_state_alone():
    before = torch.get_rng_state()
    first, again, other = masks_for(fused()), masks_for(fused()), masks_for(fused(), seed=1)
    assert torch.equal(first.hidden_modalities, again.hidden_modalities)
    assert not torch.equal(first.targets, other.targets)
    assert torch.equal(torch.get_rng_state(), before)


def test_the_shots_in_sight_are_the_targetable_ones_that_are_no_targets():
    values = fused()
    targetable = torch.ones(values.shape[:2], dtype=torch.bool)
    targetable[:, 10:20] = False  # held out: nothing is to be learnt of them, not even to copy
    masks = masks_for(values, targetable=targetable)
    filled = modalities_present(values, CONFIG).any(dim=-1)
    assert torch.equal(masks.visible, targetable & filled & ~masks.targets)
    assert masks.visible.any() and not (masks.visible & masks.hidden_modalities.any(-1)).any()


@pytest.mark.parametrize(("modality_weight", "visible_weight"), [
    (0.0, 0.0), (0.3, 0.0), (1.0, 0.0), (0.0, 0.25), (0.5, 1.0),
])  # fmt: skip
def test_the_objective_weighs_modalities_and_shots_in_sight(modality_weight, visible_weight):
    config = replace(CONFIG, modality_weight=modality_weight, visible_weight=visible_weight)
    values = fused(sequences=2, shots=20)
    outputs = torch.randn(values.shape, generator=torch.Generator().manual_seed(9))
    masks = masks_for(values)

    def distance(a, b):
        return 1 - a @ b / np.sqrt(a @ a) / np.sqrt(b @ b)

    def mean_distance(counted):
        costs = []
        for place in np.argwhere(counted.numpy()).tolist():
            a, b = (x[tuple(place)].double().numpy() for x in (outputs, values))
            apart = [distance(a[p], b[p]) for p in (VIDEO, AUDIO, TEXT) if b[p].any()]
            costs.append((1 - modality_weight) * distance(a, b) + modality_weight * np.mean(apart))
        return np.mean(costs)

    expected = (1 - visible_weight) * mean_distance(masks.targets)
    expected += visible_weight * mean_distance(masks.visible)
    assert objective(outputs, values, masks, config).item() == pytest.approx(expected, abs=1e-6)


def test_the_objective_without_its_extras_is_the_published_loss():
    values = fused()
    outputs = torch.randn(values.shape, generator=torch.Generator().manual_seed(9))
    masks = masks_for(values)
    plain = replace(CONFIG, modality_weight=0.0, visible_weight=0.0)
    assert objective(outputs, values, masks, plain) == masked_loss(outputs, values, masks.targets)


def dropped(values, *, share, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return drop_modalities(
        values, config=replace(CONFIG, modality_dropout=share), generator=generator
    )


def test_some_sequences_lack_one_modality_throughout_and_the_rest_has_unit_length():
    values = torch.nn.functional.normalize(fused(sequences=300, shots=8), dim=-1)
    left = dropped(values, share=0.4)
    before, after = (modalities_present(each, CONFIG) for each in (values, left))
    lost = (before & ~after).any(dim=1)  # (B, M)
    assert not (after & ~before).any()
    assert set(lost.sum(dim=-1).tolist()) == {0, 1}
    assert 0.3 < lost.any(dim=-1).float().mean() < 0.5
    assert (lost.sum(dim=0) > 20).all()  # each of the three by turns
    assert not (after & lost[:, None]).any()  # throughout
    assert torch.equal(left[~lost.any(dim=-1)], values[~lost.any(dim=-1)])
    lengths = left.norm(dim=-1)
    assert torch.allclose(lengths[after.any(dim=-1)], torch.tensor(1.0), atol=1e-6)
    row = int(lost[:, 2].nonzero()[0])  # without text: pictures and sound as they were, scaled
    both = torch.nn.functional.normalize(values[row, :, :5], dim=-1)
    assert torch.allclose(left[row, :, :5], both, atol=1e-6) and not left[row, :, TEXT].any()


def test_a_sequence_keeps_its_only_modality():
    values = fused()
    values[..., AUDIO] = values[..., TEXT] = 0
    assert torch.equal(dropped(values, share=1.0), values)


def test_where_no_modality_is_dropped_nothing_is_drawn():
    """Seeds then give the masks they gave before there was such a thing."""
    generator = torch.Generator().manual_seed(0)
    before, values = generator.get_state(), fused()
    assert drop_modalities(values, config=CONFIG, generator=generator) is values
    assert torch.equal(generator.get_state(), before)
