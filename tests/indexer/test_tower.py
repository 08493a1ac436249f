"""A tower learns which shots a question means, from questions that titles ask of themselves."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from indexer.encoders.protocol import unit
from indexer.tower.lessons import ToldTitle, draw_lesson
from indexer.tower.model import Tower, TowerConfig
from indexer.tower.train import ask, contrast, keys_of, train_tower

DIMS = {"video": 6, "audio": 4, "text": 8}
EVERY_THIRD = 3
"""Shots of which one is spoken."""


def make_title(num_shots: int = 30, seed: int = 0) -> ToldTitle:
    random = np.random.default_rng(seed)
    parts = {
        m: unit(random.standard_normal((num_shots, dim))).astype("f4") for m, dim in DIMS.items()
    }
    parts["text"][np.arange(num_shots) % EVERY_THIRD != 0] = 0
    expected = unit(random.standard_normal((num_shots, sum(DIMS.values())))).astype("f4")
    about = {"text": unit(random.standard_normal(DIMS["text"])).astype("f4")}
    return ToldTitle(str(seed), parts, expected, {"text": parts["text"]}, about)


def make_config(**changes) -> TowerConfig:
    small = {"key_dim": 16, "heads": 2, "ask_hidden": 32, "max_shots": 12, "questions": 40}
    return TowerConfig(dims=DIMS, asked=("video", "text"), **{**small, "looseness": 0.0, **changes})


def make_tower(**changes) -> Tower:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return Tower(make_config(**changes)).eval()


def text_of(rows):
    return rows[..., 10:18]


def test_a_line_asks_for_a_shot_that_does_not_show_it():
    title, config = make_title(), make_config()
    random, seen = np.random.default_rng(1), set()
    for _ in range(40):
        lesson = draw_lesson([title], config, random=random)
        assert lesson.shots.shape == (12, 36) and len(lesson.questions) == len(lesson.answers)
        places = [int(np.abs(title.expected - row).sum(axis=1).argmin()) for row in
                  lesson.shots[:, 18:]]  # fmt: skip
        for question, answer in zip(lesson.questions, lesson.answers, strict=True):
            said = text_of(question)
            lines = unit(title.parts["text"]) @ unit(said[None])[0]
            if lines.max() < 0.999:  # it asks for something else
                continue
            line, shot = int(lines.argmax()), places[answer]
            if not text_of(lesson.shots[answer, :18]).any():
                assert abs(line - shot) <= config.near
                seen.add("its own, hidden" if line == shot else "near by")
            else:
                assert line == shot
                seen.add("its own, in sight")
    assert seen == {"its own, hidden", "near by", "its own, in sight"}


def test_words_that_say_nothing_of_a_slot_are_noise_there_and_others_stay_near():
    title = make_title()
    lesson = draw_lesson(
        [title], make_config(looseness=1.0, questions=200), random=np.random.default_rng(0)
    )
    assert np.linalg.norm(lesson.questions, axis=1) == pytest.approx(np.ones(len(lesson.answers)))
    assert not lesson.questions[:, 6:10].any()  # no words reach sound
    assert lesson.questions[:, :6].any(axis=1).all() and text_of(lesson.questions).any(axis=1).all()


def test_a_title_without_a_word_asks_by_its_pictures():
    title = make_title()
    silent = ToldTitle(
        "silent", {**title.parts, "text": np.zeros_like(title.parts["text"])}, title.expected,
        {"text": np.zeros_like(title.parts["text"])}, {},
    )  # fmt: skip
    lesson = draw_lesson([silent], make_config(), random=np.random.default_rng(0))
    assert len(lesson.answers) > 0
    assert lesson.questions[:, :6].any(axis=1).all() and not text_of(lesson.questions).any()


def test_keys_are_unit_and_read_from_the_neighbours():
    title, tower = make_title(), make_tower()
    before = keys_of(tower, title.fused, title.expected)
    assert before.shape == (30, 16) and before.dtype == np.float32
    assert np.linalg.norm(before, axis=1) == pytest.approx(np.ones(30), abs=1e-5)
    changed = title.fused.copy()
    changed[4] = changed[20]
    after = keys_of(tower, changed, title.expected)
    assert not np.allclose(after[5], before[5], atol=1e-4)
    assert np.array_equal(after[25:], before[25:])  # no window holds both
    alone = make_tower(layers=0)
    these, those = (keys_of(alone, rows, title.expected) for rows in (title.fused, changed))
    assert np.array_equal(np.delete(these, 4, axis=0), np.delete(those, 4, axis=0))


@pytest.mark.parametrize("num_shots", [0, 1, 12, 13])
def test_a_title_of_any_length_gets_its_keys(num_shots):
    rows = np.zeros((num_shots, 18), np.float32)
    assert keys_of(make_tower(), rows, rows).shape == (num_shots, 16)


def test_the_loss_is_the_cross_entropy_over_the_shots_that_count():
    tower, config = make_tower(spared=1), make_config(spared=1)
    titles = [make_title(5, seed=1), make_title(3, seed=2)]
    random = np.random.default_rng(0)
    lessons = [draw_lesson([title], config, random=random) for title in titles]
    keys = [
        tower.keys(torch.from_numpy(lesson.shots)[None], torch.ones(1, len(lesson.shots)).bool())[0]
        for lesson in lessons
    ]
    scale, losses = tower.log_scale.exp().item(), []
    for number, lesson in enumerate(lessons):
        for question, answer in zip(ask(tower, lesson.questions), lesson.answers, strict=True):
            scores = [key.detach().numpy() @ question * scale for key in keys]
            counted = [
                score
                for n, of_lesson in enumerate(scores)
                for shot, score in enumerate(of_lesson)
                if n != number or abs(shot - answer) != 1
            ]
            losses.append(np.log(np.exp(counted).sum()) - scores[number][answer])
    assert contrast(tower, lessons).item() == pytest.approx(np.mean(losses), abs=1e-4)


def test_training_learns_who_hears_which_line():
    titles = [make_title(30, seed=seed) for seed in range(4)]
    config = make_config(key_dim=32, questions=80, dropout=0.0)
    trained = train_tower(titles, config, steps=150, seconds_limit=120, seed=0)
    assert trained.steps == 150
    lines = np.arange(3, 27, EVERY_THIRD)
    near = []
    for title in titles:
        keys = keys_of(trained.tower, title.fused, title.expected)
        words = np.zeros((len(lines), 18), np.float32)
        words[:, 10:18] = title.parts["text"][lines]
        scores = ask(trained.tower, words) @ keys.T
        scores[:, np.arange(30) % EVERY_THIRD == 0] = -1  # who listens?
        first = np.argsort(-scores, axis=1)[:, :2]
        near.append((np.abs(first - lines[:, None]) <= config.near).mean())
    assert np.mean(near) > 0.6  # 4 of 20 by chance


def test_the_same_seed_gives_the_same_tower_and_leaves_chance_alone():
    titles = [make_title(seed=seed) for seed in range(2)]
    before = torch.get_rng_state()
    one, other = (train_tower(titles, make_config(), steps=3, seed=5).tower for _ in range(2))
    assert torch.equal(torch.get_rng_state(), before)
    for name, weights in one.state_dict().items():
        assert torch.equal(weights, other.state_dict()[name]), name


def test_words_must_reach_something():
    with pytest.raises(AssertionError, match="words must reach something"):
        TowerConfig(dims=DIMS, asked=())
