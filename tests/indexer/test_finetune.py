"""Fine-tuning: pairs read, pictures decoded, a tiny real model trained, a profile written."""

import json
import logging
import random
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from captioned import CAPTIONS, RATE, SHOT_FRAMES, write_clip, write_pairs, write_tiny_profile

from indexer.encoders.load import load_encoders
from indexer.encoders.protocol import ReadsWords
from indexer.finetune.adapters import adapt, merge
from indexer.finetune.holding_out import hold_out
from indexer.finetune.objective import contrastive_loss, found, same_captions
from indexer.finetune.pairs import Moment, Pair, read_pairs
from indexer.finetune.pictures import pictures_of
from indexer.finetune.run import FineTuned, finetune
from indexer.finetune.train import Recipe, rate_share
from indexer.profiles import load_profile
from qdrant.errors import InputError, UsageError

QUICK = Recipe(epochs=8, batch=12, frames=2, rate=5e-3, held_out=0.2, seed=1)


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    """Models this small are slower in two threads, much slower where others work too."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("finetune")
    write_pairs(folder, num_clips=8)
    write_tiny_profile(folder)
    return folder


@pytest.fixture(scope="module")
def tuned(folder: Path) -> FineTuned:
    return finetuned(folder, folder / "tuned", QUICK)


def finetuned(folder: Path, out: Path, recipe: Recipe) -> FineTuned:
    return finetune(
        [folder / "pairs.csv"], out=out, profile=folder / "tiny.toml", recipe=recipe,
        device="cpu", say=lambda sentence: None,
    )  # fmt: skip


def test_captions_find_their_shots_after_training(tuned: FineTuned) -> None:
    before, after = tuned.trained.before, tuned.trained.after
    assert after.num_pairs == 2 * len(CAPTIONS)
    assert after.chance_at_1 == pytest.approx(1 / len(CAPTIONS))
    assert before.recall_at_1 < 0.3
    assert after.recall_at_1 > 0.6
    assert after.recall_at_5 >= after.recall_at_1
    assert after.loss < before.loss
    assert tuned.num_training == 6 * len(CAPTIONS)
    assert "2 of 8 clips" in tuned.split_by


def test_the_profile_that_is_written_indexes_with_what_was_learned(
    tuned: FineTuned, folder: Path, tmp_path: Path
) -> None:
    base, profile = load_profile(folder / "tiny.toml"), load_profile(tuned.profile)
    assert profile.name == "tiny-tuned"
    assert profile.version != base.version
    assert profile.encoders["video"].repository == ""
    encoder = load_encoders(profile, cache_dir=tmp_path, device="cpu").of("video")
    assert isinstance(encoder, ReadsWords)
    held_out = read_pairs([folder / "pairs.csv"])[: len(CAPTIONS)]
    shots = encoder.encode([np.stack(pictures_of(pair, num_frames=2)) for pair in held_out])
    words = encoder.encode_words([pair.caption for pair in held_out])
    right = (words @ shots.T).argmax(axis=1) == np.arange(len(held_out))
    assert right.mean() > 0.6
    record = json.loads((tuned.profile.parent / "finetune.json").read_text())
    assert record["after"]["recall_at_1"] == tuned.trained.after.recall_at_1
    assert record["recipe"]["adapters"] == "lora"


def test_the_same_seed_gives_the_same_weights_and_leaves_random_states_alone(
    tuned: FineTuned, folder: Path
) -> None:
    def states() -> list[object]:
        return [random.getstate(), str(np.random.get_state()), torch.get_rng_state().tolist()]

    before = states()
    again = finetuned(folder, folder / "again", QUICK)
    assert states() == before
    assert again.trained.after == tuned.trained.after
    (name,) = (path.name for path in (folder / "again").glob("video-*"))
    assert (folder / "tuned" / name).is_dir()


def test_projections_and_a_temporal_pool_learn_alone(folder: Path, tmp_path: Path) -> None:
    recipe = Recipe(adapters="none", pool="temporal", epochs=3, batch=12, frames=2, rate=5e-3)
    done = finetuned(folder, tmp_path / "out", recipe)
    assert done.trained.after.loss < done.trained.before.loss
    profile = load_profile(done.profile)
    settings = profile.encoders["video"].settings
    assert Path(settings["pool"]).is_file()
    encoder = load_encoders(profile, cache_dir=tmp_path, device="cpu").of("video")
    assert encoder is not None
    frames = np.random.default_rng(0).integers(0, 256, (5, 40, 40, 3), dtype=np.uint8)
    forth, back = encoder.encode([frames, frames[::-1]])
    assert not np.allclose(forth, back, atol=1e-4)  # it sees order, which a mean cannot


def test_training_that_makes_nothing_better_keeps_the_model(
    tuned: FineTuned, folder: Path, tmp_path: Path
) -> None:
    ruinous = Recipe(adapters="none", epochs=9, batch=12, frames=2, rate=30.0, patience=2)
    done = finetune([folder / "pairs.csv"], out=tmp_path, profile=tuned.profile, recipe=ruinous,
                    device="cpu", say=lambda sentence: None)  # fmt: skip
    assert done.trained.best == 0
    assert len(done.trained.epochs) == 3
    assert done.trained.after == done.trained.before


def test_adapters_change_nothing_untrained_and_vanish_when_merged() -> None:
    model = torch.nn.ModuleDict(
        {"attention": torch.nn.MultiheadAttention(8, 2, batch_first=True),
         "mlp": torch.nn.Linear(8, 6), "proj": torch.nn.Linear(6, 6)}
    )  # fmt: skip
    names = set(model.state_dict())
    given = torch.arange(24.0).reshape(1, 3, 8).sin()

    def out() -> torch.Tensor:
        seen = model["attention"](given, given, given, need_weights=False)[0]
        told: torch.Tensor = model["proj"](model["mlp"](seen))
        return told.detach()

    before = out()
    assert adapt(model, rank=2, untouched=("proj.",)) == 3
    torch.testing.assert_close(out(), before)
    ups = [p for name, p in model.named_parameters() if name.endswith(".up")]
    assert {tuple(up.shape) for up in ups} == {(24, 2), (8, 2), (6, 2)}
    for up in ups:
        torch.nn.init.ones_(up)
    adapted = out()
    assert (adapted - before).abs().max() > 0.01
    merge(model)
    torch.testing.assert_close(out(), adapted)
    assert set(model.state_dict()) == names


def test_the_loss_is_what_a_slow_reckoning_gives() -> None:
    random_ = np.random.default_rng(0)
    shots, texts = (v / np.linalg.norm(v, axis=1, keepdims=True)
                    for v in random_.standard_normal((2, 4, 5)))  # fmt: skip
    captions = ["a cat", "A  cat", "a dog", "a bird"]
    same = [[0, 1], [0, 1], [2], [3]]
    slow = 0.0
    for rows, columns in ((shots, texts), (texts, shots)):
        for row in range(4):
            logits = [3.0 * float(rows[row] @ columns[n]) for n in range(4)]
            total = sum(np.exp(logit) for logit in logits)
            slow -= np.mean([np.log(np.exp(logits[n]) / total) for n in same[row]]) / 8
    told = contrastive_loss(
        torch.tensor(shots), torch.tensor(texts), scale=torch.tensor(3.0),
        same=same_captions(captions),
    )  # fmt: skip
    assert float(told) == pytest.approx(float(slow))


def test_recall_counts_any_shot_that_bears_the_caption() -> None:
    axes = torch.eye(3)
    same = same_captions(["a", "a", "b"])
    swapped = found(axes, axes[[1, 0, 2]], scale=torch.tensor(1.0), same=same)
    assert (swapped.recall_at_1, swapped.num_pairs) == (1.0, 3)
    wrong = found(axes, axes[[2, 2, 0]], scale=torch.tensor(1.0), same=same)
    assert (wrong.recall_at_1, wrong.recall_at_5) == (0.0, 1.0)
    assert wrong.chance_at_1 == pytest.approx(5 / 9)


def test_the_rate_rises_in_a_line_and_falls_to_nothing() -> None:
    shares = [rate_share(step, steps=100, warmup=0.1) for step in range(100)]
    assert shares[:10] == pytest.approx([n / 10 for n in range(1, 11)])
    assert shares[10:] == sorted(shares[10:], reverse=True)
    assert shares[99] < 0.001


def pairs_of(*clips: int) -> list[Pair]:
    return [
        Pair(Path(f"{clip}.mp4"), Moment("0"), Moment("1"), f"{clip} {n}")
        for clip, count in enumerate(clips)
        for n in range(count)
    ]


def test_whole_clips_are_held_out() -> None:
    pairs = pairs_of(5, 3, 4, 8)
    for seed in range(10):
        split = hold_out(pairs, share=0.2, seed=seed)
        held = {pairs[place].clip for place in split.held_out}
        assert held.isdisjoint(pairs[place].clip for place in split.training)
        assert len(split.held_out) >= 4
        assert sorted(split.held_out + split.training) == list(range(20))
    assert len({hold_out(pairs, share=0.2, seed=seed).held_out for seed in range(10)}) > 1


def test_of_one_clip_the_last_part_is_held_out_and_too_few_pairs_are_refused() -> None:
    split = hold_out(pairs_of(10), share=0.2, seed=0)
    assert split.held_out == (8, 9)
    assert "only clip" in split.by
    with pytest.raises(UsageError, match="3 pairs from 1 clips leave 1 to train on and 2"):
        hold_out(pairs_of(3), share=0.2, seed=0)
    with pytest.raises(UsageError, match="each needs 2"):
        hold_out(pairs_of(1, 1), share=0.2, seed=0)


@pytest.mark.parametrize(
    ("text", "start_timecode", "seconds"),
    [
        ("12.5", None, 12.5),
        ("7", "01:00:00:00", 7.0),
        ("1:02", None, 62.0),
        ("01:02:03.250", None, 3723.25),
        ("00:00:01,5", None, 1.5),
        ("00:00:02:12", None, 2.5),
        ("01:00:00:06", "01:00:00:00", 0.25),
    ],
)
def test_times_are_seconds_clocks_or_the_clips_own_timecode(
    text: str, start_timecode: str | None, seconds: float
) -> None:
    moment = Moment(text)
    assert moment.seconds(rate=Fraction(24), start_timecode=start_timecode) == seconds


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("clip,start,caption\n", "has no column 'end'"),
        ("clip,start,end,caption\na.mp4,0,,x\n", "Line 2 of .* has no end"),
        ("clip,start,end,caption\na.mp4,0,1,x\na.mp4,soon,1,x\n", "Line 3 .* the start 'soon'"),
    ],
)
def test_a_table_that_is_wrong_is_told_where(tmp_path: Path, table: str, message: str) -> None:
    path = tmp_path / "pairs.csv"
    path.write_text(table)
    with pytest.raises(UsageError, match=message):
        read_pairs([path])


def test_a_film_with_an_audio_description_gives_pairs(tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    write_clip(film, CAPTIONS[:2], seed=0)
    with pytest.raises(UsageError, match=r"film\.descriptions\.en\.vtt"):
        read_pairs([film])
    told = (
        "WEBVTT\n\n1\n00:00:00.000 --> 00:00:00.400\nA red square.\n\n2\n00:00.500 --> 00:00.900\n"
    )
    (tmp_path / "film.descriptions.en.vtt").write_text(told + "Another.\n")
    first, second = read_pairs([film])
    assert (first.caption, second.caption) == ("A red square.", "Another.")
    assert float(second.start.text) == 0.5
    assert read_pairs([film], descriptions=tmp_path / "film.descriptions.en.vtt") == [first, second]
    with pytest.raises(UsageError, match="belongs to one film and 2"):
        read_pairs([film, film], descriptions=film)


def test_pictures_are_those_of_the_stretch(folder: Path) -> None:
    for pair in read_pairs([folder / "pairs.csv"])[:6]:
        first, last = pictures_of(pair, num_frames=2)
        half = 0 if "left" in pair.caption else 48
        box = last[:, half : half + 48].reshape(-1, 3).astype(int)
        assert np.abs(first.astype(int) - last).mean() < 12
        brightest = box[box.sum(axis=1).argmax()]
        assert brightest.max() > 150, pair.caption
    one_frame = Pair(pair.clip, Moment("0"), Moment(str(0.5 / RATE)), "x")
    assert len(pictures_of(one_frame, num_frames=3)) == 3
    beyond = Pair(pair.clip, Moment("100"), Moment("101"), "x")
    with pytest.raises(InputError, match="no picture between 100 and 101"):
        pictures_of(beyond, num_frames=2)
    backwards = Pair(pair.clip, Moment("1"), Moment("0.5"), "x")
    with pytest.raises(InputError, match="no stretch of it"):
        pictures_of(backwards, num_frames=2)
    assert SHOT_FRAMES / RATE == 0.5


def test_a_pair_that_cannot_be_decoded_is_left_out_and_named(folder: Path, tmp_path: Path) -> None:
    table = folder / "with-a-hole.csv"
    table.write_text((folder / "pairs.csv").read_text() + "missing.mp4,0,1,nothing\n")
    told: list[str] = []
    recipe = Recipe(adapters="none", epochs=1, batch=12, frames=1)
    done = finetune([table], out=tmp_path / "out", profile=folder / "tiny.toml", recipe=recipe,
                    device="cpu", say=told.append)  # fmt: skip
    assert "missing.mp4" in told[0]
    assert done.left_out == (told[0],)


def test_only_open_clip_can_be_fine_tuned(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"'offline' has no open_clip .*--profile clip"):
        finetune([folder / "pairs.csv"], out=tmp_path, profile="offline")
    with pytest.raises(UsageError, match="MODEL:PRETRAINED"):
        finetune([folder / "pairs.csv"], out=tmp_path, profile="clip", base="ViT-B-32")


def test_nothing_is_logged_as_an_error(tuned: FineTuned, caplog: pytest.LogCaptureFixture) -> None:
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
