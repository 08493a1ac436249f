"""The context model as a function: shapes, missing things, batches, long titles."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch

from indexer.context.config import context_dim
from indexer.context.crops import TrainingTitle, collate, draw_crops
from indexer.context.model import ContextConfig, ContextModel
from indexer.context.optimisers import MuonInFloat32, make_optimisers, rate_share, split_parameters
from indexer.context.sequence import TitleSequence
from indexer.context.vectors import contextualise, expected, predict
from qdrant.errors import ProfileMismatch

DIMS = {"video": 6, "audio": 4, "text": 6}


def config(**changes):
    sizes = {"hidden": 16, "heads": 2, "max_shots": 32}
    return ContextConfig(dims=DIMS, global_dim=5, **(sizes | changes))


def make_model(**changes) -> ContextModel:
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        return ContextModel(config(**changes)).eval()


def make_title(num_shots: int, *, name="a title", known=True, seed=0) -> TitleSequence:
    random = np.random.default_rng(seed)
    fused = random.normal(size=(num_shots, 16)).astype(np.float32)
    fused /= np.linalg.norm(fused, axis=1, keepdims=True)
    known_vector = random.normal(size=5).astype(np.float32)
    return TitleSequence(name, fused, known_vector if known else None)


POSITIONS = pytest.mark.parametrize("positions", ["rotary", "relative", "learned"])


@POSITIONS
@pytest.mark.parametrize("num_shots", [0, 1, 2, 32, 33, 100])
def test_every_shot_of_a_title_of_any_length_gets_a_unit_vector(positions, num_shots):
    vectors = contextualise(make_model(positions=positions), make_title(num_shots))
    assert vectors.shots.shape == (num_shots, context_dim(DIMS)) and vectors.title.shape == (16,)
    assert vectors.shots.dtype == vectors.title.dtype == np.float32
    assert np.linalg.norm(vectors.shots, axis=1) == pytest.approx(np.ones(num_shots), abs=1e-5)
    assert np.linalg.norm(vectors.title) == pytest.approx(1, abs=1e-5)


@POSITIONS
def test_padding_changes_nothing(positions):
    model, short, long = make_model(positions=positions), make_title(5), make_title(20, seed=1)
    with torch.inference_mode():
        together = model(collate([short, long], model.config))
        alone = model(collate([short], model.config))
    torch.testing.assert_close(together.shots[:1, :5], alone.shots)
    torch.testing.assert_close(together.cls[:1], alone.cls)


@POSITIONS
def test_vectors_do_not_depend_on_what_was_read_before(positions):
    model, first, second = make_model(positions=positions), make_title(5), make_title(70, seed=1)
    once = contextualise(model, first)
    contextualise(model, second)
    model.train()  # dropout must not reach a reader
    again = contextualise(model, first)
    assert np.array_equal(once.shots, again.shots) and np.array_equal(once.title, again.title)


@POSITIONS
def test_context_order_and_metadata_all_matter(positions):
    model, title = make_model(positions=positions), make_title(12)
    shots = contextualise(model, title).shots
    other = title.fused.copy()
    other[0] = -other[0]
    reordered = np.roll(title.fused[1:], 4, axis=0)  # the other shots, in another order
    changes = [
        TitleSequence("a", other, title.global_vector),
        TitleSequence("a", np.vstack([title.fused[:1], reordered]), title.global_vector),
        TitleSequence("a", title.fused, None),
        TitleSequence("a", title.fused, np.zeros(5, np.float32)),
    ]
    views = [shots, *(contextualise(model, change).shots for change in changes)]
    places = [3, 0]  # shot 3 where another shot changed, shot 0 where the rest was reordered
    assert not np.allclose(views[1][places[0]], shots[places[0]], atol=1e-4)
    assert not np.allclose(views[2][places[1]], shots[places[1]], atol=1e-4)
    assert not np.allclose(views[3], shots, atol=1e-4)
    assert not np.allclose(views[3], views[4], atol=1e-4)  # unknown is not the same as zero


def test_a_shot_with_nothing_in_it_is_read_from_its_neighbours():
    model, title = make_model(), make_title(8)
    title.fused[3] = 0
    one = contextualise(model, title).shots[3]
    title.fused[2] = -title.fused[2]
    assert np.linalg.norm(one) == pytest.approx(1, abs=1e-5)
    assert not np.allclose(contextualise(model, title).shots[3], one, atol=1e-4)


def test_a_hidden_shot_looks_like_an_empty_one_and_not_like_itself():
    model, title = make_model(), make_title(8)
    hidden = np.arange(8) == 3
    guess = predict(model, title, hidden_shots=hidden).shots
    title.fused[3] = 0
    assert np.array_equal(guess, predict(model, title).shots)


def test_what_is_expected_of_a_shot_is_told_by_the_others_alone():
    model, title = make_model(), make_title(12)
    before = expected(model, title)
    assert np.linalg.norm(before, axis=1) == pytest.approx(np.ones(12), abs=1e-5)
    title.fused[3] = -title.fused[3]
    after = expected(model, title)
    assert np.array_equal(after[[3, 8]], before[[3, 8]])  # every fifth shot is hidden with it
    assert not np.allclose(after[4], before[4], atol=1e-4)
    asked = np.arange(12) == 3
    alone = expected(model, title, asked=asked)
    assert alone[3] == pytest.approx(predict(model, title, hidden_shots=asked).shots[3])
    assert not alone[~asked].any()


def test_a_contextual_vector_is_the_shot_beside_what_is_expected_of_it():
    model, title = make_model(), make_title(7)
    title.fused[2] = 0
    own, told = np.split(contextualise(model, title).shots, 2, axis=1)
    assert own * np.sqrt(2) == pytest.approx(title.fused, abs=1e-6)
    lengths = np.full(7, np.sqrt(0.5))
    lengths[2] = 1
    assert told == pytest.approx(expected(model, title) * lengths[:, None], abs=1e-6)


def test_hiding_a_modality_is_not_the_same_as_missing_it():
    model, title = make_model(), make_title(6)
    hidden = torch.zeros(1, 6, 3, dtype=torch.bool)
    hidden[0, 2, 2] = True  # the text of shot 2
    with torch.inference_mode():
        masked = model(collate([title], model.config), hidden).shots
        title.fused[2, 10:] = 7.0  # whatever stands there is out of sight
        assert torch.equal(model(collate([title], model.config), hidden).shots, masked)
        title.fused[2, 10:] = 0
        missing = model(collate([title], model.config)).shots
    assert not torch.allclose(missing, masked, atol=1e-4)


@POSITIONS
def test_a_long_title_is_stitched_from_its_windows(positions):
    model, title = make_model(positions=positions), make_title(48)
    shots = predict(model, title).shots
    first = predict(model, title.excerpt(0, 32)).shots
    last = predict(model, title.excerpt(16, 48)).shots
    # Shots 16..31 lie in both windows; the seam falls in their middle.
    assert np.array_equal(shots, np.concatenate([first[:24], last[8:]]))


@pytest.mark.parametrize("wrong", [
    TitleSequence("odd", np.ones((3, 15), np.float32)),
    TitleSequence("odd", np.ones((3, 16), np.float32), np.ones(4, np.float32)),
])  # fmt: skip
def test_vectors_of_another_profile_are_refused_by_name(wrong):
    with pytest.raises(ProfileMismatch, match=r"title odd .*run `trimbin train`"):
        contextualise(make_model(), wrong)


def test_crops_stay_within_titles_and_carry_their_targets():
    titles = [
        TrainingTitle(make_title(n, name=str(n), known=n > 10, seed=n), np.arange(n) % 2 == 0)
        for n in (3, 20, 90)
    ]
    settings = config(batch_shots=400, global_dropout=0.5)
    batch, targetable = draw_crops(titles, settings, generator=torch.Generator().manual_seed(0))
    assert 400 <= batch.present.sum() < 400 + settings.max_shots
    assert not (targetable & ~batch.present).any()
    whole = {shot.tobytes(): place % 2 == 0 for title in titles
             for place, shot in enumerate(title.sequence.fused)}  # fmt: skip
    for row in range(len(batch.fused)):
        for shot in range(int(batch.present[row].sum())):
            assert whole[batch.fused[row, shot].numpy().tobytes()] == targetable[row, shot]
    assert batch.has_global.any() and not batch.has_global.all()


@pytest.mark.parametrize("wrong", [
    {"positions": "absolute"}, {"projections": "both"}, {"optimiser": "sgd"}, {"patience": 3},
    {"visible_weight": 1.5}, {"modality_dropout": -0.1}, {"relative_reach": 0},
], ids=str)  # fmt: skip
def test_a_config_that_means_nothing_is_refused(wrong):
    with pytest.raises(AssertionError):
        config(**wrong)


def test_far_shots_are_all_as_far_as_the_reach_to_relative_positions():
    """Only order beyond the reach is lost: two shots far from the third may change places."""
    model, title = make_model(positions="relative", relative_reach=3, layers=1), make_title(12)
    swapped = title.fused.copy()
    swapped[[8, 11]] = swapped[[11, 8]]
    shots = predict(model, title).shots
    other = predict(model, TitleSequence("a", swapped, title.global_vector)).shots
    assert np.allclose(shots[:6], other[:6], atol=1e-6)
    assert not np.allclose(shots[6:8], other[6:8], atol=1e-4)


def test_near_shots_count_more_at_the_start_of_relative_positions():
    """ALiBi's slopes for four heads: 2^-2, 2^-4, 2^-6, 2^-8 for each shot between."""
    model = make_model(positions="relative", heads=4, relative_reach=5)
    assert model.relative_bias is not None
    bias = model.relative_bias(10).detach()
    assert bias.shape == (4, 10, 10) and not bias[:, :2].any() and not bias[:, :, :2].any()
    assert bias[:, 2, 3].tolist() == bias[:, 3, 2].tolist() == [-(2.0**-n) for n in (2, 4, 6, 8)]
    assert bias[0, 2].tolist() == [0, 0, 0, -0.25, -0.5, -0.75, -1, -1.25, -1.25, -1.25]


NORMS_AND_TOKENS = {
    "mask", "cls", "absent_global", "out_norm.weight", "out_norm.bias",
    "layers.0.attention_norm.weight", "layers.0.attention_norm.bias",
    "layers.0.ffn_norm.weight", "layers.0.ffn_norm.bias",
    "in_projection.bias", "global_projection.bias", "out_projection.bias",
    "layers.0.attention.gather.bias", "layers.0.widen.bias", "layers.0.narrow.bias",
}  # fmt: skip
BORDERS = {"in_projection.weight", "global_projection.weight", "out_projection.weight"}
HIDDEN_MATRICES = {
    "layers.0.attention.gather.weight", "layers.0.widen.weight", "layers.0.narrow.weight",
}  # fmt: skip
APART = [f"layers.0.attention.{part}." for part in ("query", "key", "value")]
TOGETHER = ["layers.0.attention.query_key_value."]


@pytest.mark.parametrize(("positions", "table"), [
    ("rotary", set()), ("learned", {"learned_positions.weight"}),
    ("relative", {"relative_bias.by_distance"}),
])  # fmt: skip
@pytest.mark.parametrize(("projections", "qkv"), [("apart", APART), ("together", TOGETHER)])
@pytest.mark.parametrize("optimiser", ["muon", "adamw"])
def test_each_parameter_has_the_optimiser_it_should(positions, table, projections, qkv, optimiser):
    model = make_model(layers=1, positions=positions, projections=projections, optimiser=optimiser)
    matrices = HIDDEN_MATRICES | {name + "weight" for name in qkv}
    split = split_parameters(model)
    assert set(split.muon) == (matrices if optimiser == "muon" else set())
    assert set(split.adamw_decayed) == BORDERS | (matrices if optimiser == "adamw" else set())
    assert set(split.adamw) == NORMS_AND_TOKENS | table | {name + "bias" for name in qkv}

    names = {id(parameter): name for name, parameter in model.named_parameters()}
    config_ = replace(model.config, muon_lr=0.5, adamw_lr=0.25, weight_decay=0.125)
    moved = [
        (type(optimiser), group["lr"], group["weight_decay"], names[id(parameter)])
        for optimiser in make_optimisers(model, config_)
        for group in optimiser.param_groups
        for parameter in group["params"]
    ]
    assert len(moved) == len(names)  # each once
    assert set(moved) == (
        {(MuonInFloat32, 0.5, 0.125, name) for name in split.muon}
        | {(torch.optim.AdamW, 0.25, 0.125, name) for name in split.adamw_decayed}
        | {(torch.optim.AdamW, 0.25, 0.0, name) for name in split.adamw}
    )


@pytest.mark.parametrize(("projections", "shapes"), [
    ("apart", {(16, 16): 4, (64, 16): 1, (16, 64): 1}),
    ("together", {(48, 16): 1, (16, 16): 1, (64, 16): 1, (16, 64): 1}),
])  # fmt: skip
def test_muon_orthogonalises_query_key_and_value_apart_or_together(projections, shapes):
    model = make_model(layers=1, projections=projections)
    muon = make_optimisers(model, model.config)[0]
    assert isinstance(muon, torch.optim.Muon)
    assert Counter(tuple(p.shape) for p in muon.param_groups[0]["params"]) == shapes


def test_muon_on_the_processor_is_torchs_without_its_rounding():
    """One step against the same arithmetic in float64; torch's own, in bfloat16, is far off."""
    before, gradient = np.random.default_rng(3).normal(size=(2, 24, 40))
    expected = before - 0.1 * 0.2 * np.sqrt(40) * orthogonalised(gradient)
    off = {}
    for kind in (MuonInFloat32, torch.optim.Muon):
        weight = torch.nn.Parameter(torch.tensor(before, dtype=torch.float32))
        weight.grad = torch.tensor(gradient, dtype=torch.float32)
        kind([weight], lr=0.1, weight_decay=0, adjust_lr_fn="match_rms_adamw").step()
        off[kind] = np.abs(weight.detach().numpy() - expected).max()
    assert off[MuonInFloat32] < 1e-5 < 1e-4 < off[torch.optim.Muon]


def orthogonalised(gradient):
    """Return Muon's Newton-Schulz iteration of a first step, which is along the gradient."""
    x = gradient / np.linalg.norm(gradient)
    for _ in range(5):
        gram = x @ x.T
        x = 3.4445 * x + (-4.775 * gram + 2.0315 * gram @ gram) @ x
    return x


def test_the_learning_rate_warms_up_and_dies_away():
    shares = [rate_share(step, steps=100, warmup_share=0.1) for step in range(100)]
    assert shares[:3] == pytest.approx([0.1, 0.2, 0.3]) and shares[9] == shares[10] == 1
    assert shares[55] == pytest.approx(0.5) and 0 < shares[99] < 0.001
    assert shares[10:] == sorted(shares[10:], reverse=True)
