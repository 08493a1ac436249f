from pathlib import Path

import numpy as np
import pytest

from indexer.encoders.load import EncoderSet, can_run, load_encoders
from indexer.profiles import load_profile
from indexer.query import MAX_CHARACTERS, encode_sound_words, encode_words, like_shots
from qdrant.errors import UsageError


@pytest.fixture(scope="module")
def encoders(tmp_path_factory: pytest.TempPathFactory) -> EncoderSet:
    profile = load_profile("offline")
    absent = {space: why for space, why in can_run(profile).items() if why}
    if absent:
        pytest.skip(f"the offline extra is not whole here: {absent}")
    return load_encoders(profile, cache_dir=tmp_path_factory.mktemp("cache"))


def test_words_go_wherever_words_can(encoders: EncoderSet) -> None:
    query, notes = encode_words("  a cat\nin the rain ", encoders)
    assert set(query.vectors) == {"video", "text"}
    for vector in query.vectors.values():
        assert vector.shape == (384,)
        assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)
    assert query.line == "a cat in the rain"
    assert notes == ["sound: words cannot reach the audio space of profile 'offline'"]


def test_searching_does_not_load_what_hears_or_sees(encoders: EncoderSet) -> None:
    encode_words("a cat", encoders)
    assert set(encoders._loaded) == {"video", "text"}
    assert "_classifier" not in vars(encoders.video)


def test_a_sound_that_no_encoder_reads_is_looked_for_in_captions(encoders: EncoderSet) -> None:
    question, notes = encode_sound_words("glass breaks", encoders)
    assert (question.line, question.vectors) == ("glass breaks", {})
    assert notes == [
        "sound: no encoder of profile 'offline' hears words, so only captions of sounds are "
        "searched; clip and mediafm have one"
    ]


def test_shots_ask_with_their_mean_weighed_by_length() -> None:
    near, far = np.eye(2, dtype=np.float32)
    question = like_shots([({"video": near}, 3.0), ({"video": far, "told": far}, 4.0), ({}, 1.0)])
    assert question.band == "likeness" and not question.line
    assert set(question.vectors) == {"video"}
    np.testing.assert_allclose(question.vectors["video"], [0.6, 0.8], atol=1e-6)


def test_shots_without_vectors_ask_nothing() -> None:
    with pytest.raises(UsageError, match="nothing to compare with"):
        like_shots([({}, 1.0)])


@pytest.mark.parametrize("nothing", ["", "  \n "])
def test_no_words_are_an_error(encoders: EncoderSet, nothing: str) -> None:
    with pytest.raises(UsageError, match="nothing to look for"):
        encode_words(nothing, encoders)


def test_a_long_text_is_cut_between_words_and_that_is_said(encoders: EncoderSet) -> None:
    query, notes = encode_words("lighthouse " * 200, encoders)
    assert len(query.line) <= MAX_CHARACTERS
    assert query.line.endswith("lighthouse")
    assert f"Only the first {len(query.line)} characters of the question were used." in notes


@pytest.mark.parametrize(
    ("words", "is_strange"),
    [
        ("кот под дождём", True),
        ("a 猫", True),
        ("crème brûlée, Øl, 1ª", False),
        ("12:30 — ?", False),
        ("ein Hase im Wald", True),
        ("un homme sous la pluie", True),
        ("el perro de la casa", True),
        ("a bird in the tree", False),
        ("her face when she hears it", False),
        ("la la land", False),
        ("van Gogh", False),
    ],
)
def test_a_language_the_profile_does_not_know_is_named(
    encoders: EncoderSet, words: str, is_strange: bool
) -> None:
    _, notes = encode_words(words, encoders)
    assert any("knows English only" in note for note in notes) == is_strange


def test_a_space_that_is_left_out_is_named_with_its_reason(tmp_path: Path) -> None:
    reasons = {"video": "it is not installed", "audio": "no wheel", "text": "no wheel either"}
    nothing = EncoderSet(load_profile("offline"), device="cpu", cache_dir=tmp_path, missing=reasons)
    query, notes = encode_words("a cat", nothing)
    assert not query.vectors
    assert notes[0] == "pictures: the video space is left out here (it is not installed)"
