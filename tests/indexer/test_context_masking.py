"""Masked Shot Modelling against slow, obvious versions of itself."""

import numpy as np
import pytest
import torch

from indexer.context.masking import draw_masks, masked_loss, modalities_present
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
