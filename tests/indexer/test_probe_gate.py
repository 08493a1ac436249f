"""The gate of labels and of shots in step: what is equal passes, what is spoilt is named."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from labelled import (
    DIM,
    NUM_SHOTS,
    creepy_labels,
    make_labelled,
    popularity_labels,
    vectors_of,
    write_title,
)

from indexer.context.checkpoint import save_checkpoint
from indexer.context.config import ContextConfig
from indexer.context.sequence import TitleSequence
from indexer.context.train import Trained, train
from indexer.context.vectors import contextualise
from indexer.encoders.fuse import fuse
from indexer.library import Library
from indexer.probes.alignment import beside, shots_are_in_step
from indexer.probes.gate import probes_hold
from indexer.probes.kept_labels import keep_labels
from indexer.progress import silent
from indexer.versions import Finding, register, switch, validate, versions_of
from qdrant.errors import UsageError

NUM_TITLES = 10
Vectors = dict[str, np.ndarray]


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """A library that keeps labels of two tasks."""
    library = make_labelled(tmp_path, NUM_TITLES)
    keep_labels(library, "retrieval", creepy_labels(NUM_TITLES))
    keep_labels(library, "popularity", popularity_labels(NUM_TITLES))
    return library


@pytest.fixture
def version(library: Library) -> Library:
    """Another version of it, without titles yet."""
    return register(library, library.profile, anew=True)


def filled(version: Library, *, spoilt: str = "", noise: float = 0.0, shift: int = 0) -> Library:
    """Give a version its titles: as they are, with one space drowned in noise, or moved."""
    for number in range(NUM_TITLES):
        vectors = vectors_of(number)
        if spoilt:
            random = np.random.default_rng(1000 + number)
            rows = vectors[spoilt] + noise * random.standard_normal((NUM_SHOTS, DIM))
            rows = np.roll(rows / np.linalg.norm(rows, axis=1, keepdims=True), shift, axis=0)
            vectors[spoilt] = rows.astype(np.float32)
        write_title(version, number, vectors)
    return version


def found(gate: Iterator[Finding]) -> dict[str, str]:
    """Return what a gate found, by the first word of it: a task, a space or a title."""
    return {finding.told.split(":")[0]: f"{finding.verdict}: {finding.told}" for finding in gate}


def test_an_equal_version_passes(library: Library, version: Library) -> None:
    filled(version, spoilt="audio", noise=0.02)  # as good as the same
    told = found(probes_hold(version, library, progress=silent))
    assert set(told) == {"retrieval", "popularity", "winner"}
    assert all(sentence.startswith("ok: ") for sentence in told.values()), told
    assert "ok: retrieval: AP 0." in told["retrieval"]
    findings = validate(version, library)
    assert {f.gate for f in findings} == {"titles", "vectors", "context", "shots", "probes"}
    assert versions_of(library)[1].validated


def test_a_version_that_sees_worse_is_not_switched_to_and_it_says_where(
    library: Library, version: Library
) -> None:
    filled(version, spoilt="video", noise=5.0)
    told = found(probes_hold(version, library, progress=silent))
    assert told["retrieval"].startswith("fail: retrieval: AP 0.")
    assert "it falls by more than the noise, -0." in told["retrieval"]
    assert told["popularity"].startswith("fail: popularity: tau ")
    assert found(probes_hold(library, version, progress=silent))["retrieval"].startswith("ok: ")

    validate(version, library)
    assert not versions_of(library)[1].validated
    with pytest.raises(UsageError, match=r"did not pass when .*: .*retrieval: AP 0\.\d+, in use"):
        switch(library, version)
    assert Library.open(library.root).version == library.version


def test_new_labels_ask_for_another_validation(library: Library, version: Library) -> None:
    validate(filled(version), library)
    assert versions_of(library)[1].validated
    keep_labels(library, "tone", creepy_labels(NUM_TITLES))
    assert not versions_of(library)[1].validated
    with pytest.raises(UsageError, match="not been validated as it is now"):
        switch(library, version)


def test_labels_that_say_too_little_are_told_and_let_pass(
    library: Library, version: Library
) -> None:
    keep_labels(library, "retrieval", creepy_labels(5))
    keep_labels(library, "popularity", popularity_labels(3))
    told = found(probes_hold(filled(version), library, progress=silent))
    assert told["retrieval"].startswith("warn: retrieval: no label holds in 8 titles or more")
    assert any(
        s.startswith("warn: The labels for popularity are of 3 titles") for s in told.values()
    )


@pytest.mark.parametrize("shift", [1, -1])
def test_an_encoder_off_by_a_shot_is_named(library: Library, version: Library, shift: int) -> None:
    filled(version, spoilt="audio", noise=0.1, shift=shift)
    told = found(shots_are_in_step(version, library, progress=silent))
    assert list(told) == ["audio"]
    assert told["audio"].startswith("fail: audio: likeness between shots agrees")
    assert "it is off by a shot" in told["audio"]


@pytest.mark.parametrize("noise", [1.0, 5.0])  # alike, and with nothing in common
def test_another_encoder_is_not_taken_for_one_that_is_off(
    library: Library, version: Library, noise: float
) -> None:
    filled(version, spoilt="video", noise=noise)
    assert found(shots_are_in_step(version, library, progress=silent)) == {
        "Vectors lie nearest to their own shots.": "ok: Vectors lie nearest to their own shots."
    }


@pytest.fixture(scope="module")
def trained() -> Trained:
    """A context model of the hand-made titles, hardly trained."""
    config = ContextConfig(
        dims={"video": DIM, "audio": DIM, "text": DIM}, global_dim=DIM, layers=1, hidden=32
    )
    titles = [sequence_of(vectors_of(number)) for number in range(NUM_TITLES)]
    return train(titles, config, steps=5, seconds_limit=30, seed=0)


def sequence_of(vectors: Vectors) -> TitleSequence:
    silence = np.zeros((NUM_SHOTS, DIM), np.float32)
    return TitleSequence("any", fuse([vectors.get(m, silence) for m in ("video", "audio", "text")]))


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        ("nothing", None),
        ("both halves", r"of the shots themselves in context, \d+% lie nearer to a neighb"),
        ("own half", r"of the shots themselves in context, \d+% lie nearer to a neighb"),
        ("other half", r"of what is expected of them in context, \d+% lie nearer to a neighb"),
        ("without sound", r"the shots themselves in context are not those of its vectors"),
        ("another model", r"what is expected of them in context are not those of its vectors"),
    ],
)
def test_context_that_is_not_of_its_shots_is_named(
    version: Library, library: Library, trained: Trained, spoil: str, sentence: str | None
) -> None:
    save_checkpoint(version.context_folder, trained, fingerprint="by hand")
    for number in range(NUM_TITLES):
        vectors = vectors_of(number)
        given = {k: v for k, v in vectors.items() if spoil != "without sound" or k != "audio"}
        made = contextualise(trained.model, sequence_of(given)).shots
        own, awaited = np.split(made, 2, axis=1)
        if spoil in ("both halves", "own half"):
            own = np.roll(own, 1, axis=0)
        if spoil in ("both halves", "other half"):
            awaited = np.roll(awaited, 1, axis=0)
        if spoil == "another model":
            awaited = -awaited
        vectors["context"] = np.concatenate([own, awaited], axis=1)
        write_title(version, number, vectors)
    findings = list(shots_are_in_step(version, library, progress=silent))
    if sentence is None:
        assert [f.verdict for f in findings] == ["ok"]
    else:
        assert {f.verdict for f in findings} == {"fail"}
        assert any(re.search(sentence, f.told) for f in findings), findings


def test_beside_counts_shots_that_lie_nearer_to_a_neighbour() -> None:
    rows = np.eye(4, dtype=np.float32)
    filled_ = np.array([True, True, True, False])
    assert beside(rows, rows, filled_).elsewhere == 0
    moved = beside(np.roll(rows, 1, axis=0), rows, filled_)
    # The first holds the last one's, which has nothing; the others hold the one's before them.
    assert moved.elsewhere == pytest.approx(2 / 3)
    assert (moved.cosine, moved.moved) == (0, 1)
    same = np.ones((4, 3), np.float32)  # all alike: no shot is nearer to another
    assert beside(same, same, filled_).elsewhere == 0
