"""Probes: their numbers are scikit-learn's and SciPy's, titles are never split, labels are kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from labelled import SHOT_FRAMES, creepy_labels, make_labelled, popularity_labels
from scipy.stats import kendalltau
from sklearn.linear_model import Ridge
from sklearn.metrics import average_precision_score

from indexer.library import Library
from indexer.probes.clips import clips_of
from indexer.probes.evaluation import calibration_of, evaluate, probe_to_keep
from indexer.probes.intervals import difference, draws_of, interval
from indexer.probes.kept import keep_probe, kept_probe
from indexer.probes.kept_labels import keep_labels, kept_labels
from indexer.probes.label import Label
from indexer.probes.linear import Asked, fold_of_title, held_out_scores, solver
from indexer.probes.metrics import quick_value_of, value_of, values_of_draws
from indexer.probes.rows import shot_vectors
from indexer.probes.task import TASKS
from qdrant.errors import InputError, UsageError

NUM_TITLES = 6


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    return make_labelled(tmp_path_factory.mktemp("labelled"))


def answers(seed: int, *, classes: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return scores with ties, labels 0 or 1 and titles of 60 clips."""
    random = np.random.default_rng(seed)
    said = random.integers(0, 8, (60, classes)).astype(np.float32)
    labels = (random.random((60, classes)) < 0.3).astype(np.float32)
    return said, labels, (np.arange(60) % NUM_TITLES).astype(np.int32)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("measure", "average"), [("macro AP", "macro"), ("micro AP", "micro")])
def test_the_quick_average_precision_is_scikit_learns(
    measure: str, average: str, seed: int
) -> None:
    said, labels, title = answers(seed, classes=4)
    draws = draws_of(NUM_TITLES, seed=seed, num_draws=5)
    wanted = [
        average_precision_score(labels, said, average=average, sample_weight=draw[title])
        for draw in draws
    ]
    assert values_of_draws(measure, said, labels, title, draws) == pytest.approx(wanted)
    once = average_precision_score(labels, said, average=average)
    assert value_of(measure, said, labels, title) == pytest.approx(once)
    untied = said + np.random.default_rng(seed).random(said.shape).astype(np.float32)
    once = average_precision_score(labels, untied, average=average)
    assert quick_value_of(measure, untied, labels, title) == pytest.approx(once)


def test_popularity_is_scipys_tau_within_each_title() -> None:
    said, _, title = answers(0, classes=1)
    labels = np.random.default_rng(9).random((60, 1)).astype(np.float32)
    labels[title == 2] = 1.0  # nobody preferred any of them: the title tells nothing
    taus = [
        kendalltau(said[title == t, 0], labels[title == t, 0]).statistic for t in (0, 1, 3, 4, 5)
    ]
    assert value_of("tau", said, labels, title) == pytest.approx(np.mean(taus))
    twice = np.array([[2.0, 0, 5, 0, 0, 0], [0, 0, 0, 1, 1, 0]])
    drawn = values_of_draws("tau", said, labels, title, twice)
    assert drawn == pytest.approx([taus[0], (taus[2] + taus[3]) / 2])


def test_the_winner_is_counted_over_chance() -> None:
    labels = np.float32([[3], [1], [1], [1], [0], [5]])
    title = np.int32([0, 0, 0, 0, 1, 1])
    right_and_wrong = np.float32([[9], [1], [1], [1], [7], [6]])
    chance = (1 / 4 + 1 / 2) / 2
    found = value_of("top-1 over chance", right_and_wrong, labels, title)
    assert found == pytest.approx(0.5 - chance)
    undecided = np.zeros((6, 1), np.float32)  # names any of them as likely as another
    assert value_of("top-1 over chance", undecided, labels, title) == pytest.approx(0)


def test_classes_that_tell_nothing_are_left_out() -> None:
    said = np.float32([[3, 1, 1], [2, 2, 2], [1, 3, 3]])
    labels = np.float32([[1, 0, 1], [0, 0, 1], [0, 0, 1]])
    title = np.int32([0, 1, 2])
    assert value_of("macro AP", said, labels, title) == 1.0  # that of the first class alone
    assert np.isnan(value_of("AP", said[:, 1:2], labels[:, 1:2], title))
    assert np.isnan(
        values_of_draws("AP", said[:, 1:2], labels[:, 1:2], title, np.ones((2, 3)))
    ).all()


@pytest.mark.parametrize("num_clips", [12, 200])  # fewer clips than numbers in a vector, and more
def test_a_probe_is_scikit_learns_ridge(num_clips: int) -> None:
    random = np.random.default_rng(num_clips)
    vectors = random.standard_normal((num_clips, 20)).astype(np.float32)
    labels = (random.random((num_clips, 3)) < 0.4).astype(np.float32)
    asked = Asked(TASKS["ads"], vectors, labels, np.arange(num_clips, dtype=np.int32))
    mean, deviation = vectors.mean(axis=0), vectors.std(axis=0) + 1e-6
    for strength in (1.0, 100.0):
        ridge = Ridge(alpha=strength).fit((vectors - mean) / deviation, labels)
        wanted = ridge.predict((vectors - mean) / deviation)
        assert solver(asked)(strength).said(vectors) == pytest.approx(wanted, abs=1e-4)


def test_titles_are_never_split() -> None:
    title = np.repeat(np.arange(7), 3).astype(np.int32)
    folds = fold_of_title(title, 3, seed=0)
    assert all(len(set(folds[title == one])) == 1 for one in range(7))
    assert sorted(np.bincount(folds[::3])) == [2, 2, 3]
    assert fold_of_title(title, 10, seed=0).max() == 6  # never more folds than titles


def test_what_is_true_of_one_title_alone_is_not_learned() -> None:
    """Labels that name the title: a split by clips would tell them, a split by titles cannot."""
    random = np.random.default_rng(0)
    title = np.repeat(np.arange(10), 20).astype(np.int32)
    centres = 5 * random.standard_normal((10, 30))
    vectors = np.float32(centres[title] + random.standard_normal((200, 30)))
    labels = np.float32(random.permutation(10) < 5)[title][:, None]
    said = held_out_scores(Asked(TASKS["retrieval"], vectors, labels, title), 10)
    assert value_of("AP", said, labels, title) < 0.8
    assert value_of("AP", labels, labels, title) == 1.0


def test_intervals_hold_the_truth_and_differences_are_paired() -> None:
    random = np.random.default_rng(1)
    title = np.repeat(np.arange(40), 10).astype(np.int32)
    labels = (random.random((400, 1)) < 0.3).astype(np.float32)
    good = labels + random.standard_normal((400, 1)).astype(np.float32)
    worse = good + 0.2 * random.standard_normal((400, 1)).astype(np.float32)
    draws = draws_of(40)
    own = interval("AP", good, labels, title, draws)
    assert own.low < own.value < own.high
    same = difference("AP", good, good, labels, title, draws)
    assert (same.value, same.low, same.high) == (0, 0, 0)
    fallen = difference("AP", worse, good, labels, title, draws)
    assert fallen.low < fallen.value < fallen.high
    assert fallen.high - fallen.low < own.high - own.low  # of the same titles: surer than either


def test_clips_are_read_from_labels() -> None:
    say = [
        Label("b", 0, 48, "creepy"), Label("b", 0, 48, "funny", 0), Label("b", 48, 96, ""),
        Label("a", 0, 48, "creepy", 1, "Ann"), Label("a", 0, 48, "creepy", 0, "Bo"),
        Label("a", 0, 48, "creepy", 1, "Cy"), Label("a", 48, 96, "funny"),
        *(Label(title, 0, 48, label) for title in "cde" for label in ("creepy", "funny")),
    ]  # fmt: skip
    clips = clips_of(TASKS["tone"], say)
    assert clips.classes == ("creepy", "funny")
    assert clips.title_ids == ("a", "b", "c", "d", "e")
    assert clips.spots[:4] == (("a", 0, 48), ("a", 48, 96), ("b", 0, 48), ("b", 48, 96))
    assert clips.labels[:4].tolist() == [[1, 0], [0, 1], [1, 0], [0, 0]]


@pytest.mark.parametrize(
    ("task", "labels", "sentence"),
    [
        ("tone", creepy_labels(4), "are of 4 titles, .* label clips of 5 or more"),
        ("retrieval", [*creepy_labels(), Label("film-0", 0, 48, "dull")], "creepy, dull; give one"),
        ("popularity", creepy_labels(), "give each clip's number under `value`"),
        ("genre", [Label(f"film-{n}", 0, 48, "Drama") for n in range(6)], "nothing can be learned"),
    ],
)
def test_labels_that_are_too_few_are_refused_in_a_sentence(
    task: str, labels: list[Label], sentence: str
) -> None:
    if task == "popularity":
        labels = [Label(each.title_id, each.start_frame, each.end_frame, "x") for each in labels]
    with pytest.raises(UsageError, match=sentence):
        clips_of(TASKS[task], labels)


def test_the_row_that_knows_wins(library: Library) -> None:
    found = evaluate(TASKS["retrieval"], creepy_labels(), [library])
    rows = {row.row: row for row in found.rows}
    assert list(rows) == ["video", "audio", "fused"]
    assert rows["video"].own.value > 0.9 > rows["fused"].own.value > rows["audio"].own.value
    assert rows["audio"].own.low < rows["audio"].own.value < rows["audio"].own.high < 0.7
    gain = rows["audio"].gain
    assert gain is not None and gain.high < 0 and rows["audio"].against == "video"
    assert found.best(library.version) is rows["video"]
    assert any("no text vectors" in note for note in found.notes)
    with pytest.raises(UsageError, match="leave out `--row context`"):
        evaluate(TASKS["retrieval"], creepy_labels(), [library], rows=["context"])


def test_the_winner_is_named_by_the_probe_of_popularity(library: Library) -> None:
    [tau] = evaluate(TASKS["popularity"], popularity_labels(), [library], rows=["video"]).rows
    [top] = evaluate(TASKS["winner"], popularity_labels(), [library], rows=["video"]).rows
    assert tau.own.value > 0.8
    assert top.own.value > 0.5  # of 1 - 1/12, were it always right


def test_labels_of_a_title_that_has_gone(library: Library) -> None:
    with pytest.raises(
        InputError, match=r"lacks 1 of the 9 labelled titles; run `trimbin versions"
    ):
        evaluate(TASKS["retrieval"], creepy_labels(9), [library])


def test_a_probe_is_kept_and_tells_how_likely_a_label_is(tmp_path: Path) -> None:
    library = make_labelled(tmp_path)
    assert kept_probe(library, "tone") is None
    found = evaluate(TASKS["tone"], creepy_labels(), [library])
    best = found.best(library.version)
    assert best is not None
    keep_probe(library, probe_to_keep(found, library, best, labels_hash="abc"))
    probe = kept_probe(library, "tone")
    assert probe is not None
    assert (probe.classes, probe.row, probe.labels_hash) == (("creepy",), "video", "abc")
    assert (probe.num_clips, probe.version) == (96, library.version)
    [manifest] = [m for m in library.titles() if m.title == "Film 3"]
    scores = probe.scores(shot_vectors(library, manifest, "video"))
    said = [label.label == "creepy" for label in creepy_labels() if label.title_id == "film-3"]
    assert scores.shape == (12, 1)
    assert (scores[:, 0] > 0.5).tolist() == said  # none of them near the middle

    other = tmp_path / "other"
    other.mkdir()
    renamed = make_labelled(other)
    (renamed.models_folder / "probes").mkdir(parents=True)
    for file in (library.models_folder / "probes").iterdir():
        (renamed.models_folder / "probes" / file.name).write_bytes(file.read_bytes())
    assert kept_probe(renamed, "tone") is not None  # the same encoders: it reads their vectors
    weights = renamed.models_folder / "probes" / "tone.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"?")
    assert kept_probe(renamed, "tone") is None  # not the weights that were written


def test_calibrated_scores_are_as_likely_as_they_say() -> None:
    random = np.random.default_rng(0)
    logits = 2 * random.standard_normal((4000, 1))
    holds = np.float32(random.random((4000, 1)) < 1 / (1 + np.exp(-logits)))
    slope, offset = calibration_of(TASKS["tone"], np.float32(logits / 50 + 3), holds)[:, 0]
    assert slope == pytest.approx(50, rel=0.1)
    assert offset == pytest.approx(-150, rel=0.1)
    noise = random.standard_normal((4000, 1)).astype(np.float32) - 5 * holds  # the wrong way round
    slope, offset = calibration_of(TASKS["tone"], noise, holds)[:, 0]
    assert slope == 0
    assert 1 / (1 + np.exp(-offset)) == pytest.approx(holds.mean(), abs=0.01)


def test_labels_are_kept_for_all_versions(tmp_path: Path) -> None:
    library = make_labelled(tmp_path, 1)
    labels = [Label("film-0", 0, SHOT_FRAMES, "a, b", 0.031, "Ann"), Label("film-0", 1, 2, "")]
    assert kept_labels(library, "tone") == []
    assert len(keep_labels(library, "tone", labels)) == 64
    assert kept_labels(library, "tone") == labels
