import numpy as np
import pytest

from indexer.encoders.fuse import fuse


def test_parts_stand_side_by_side_at_unit_length() -> None:
    video = np.array([[1, 0], [0, 1]], np.float32)
    text = np.array([[0, 0, 1], [0, 0, 0]], np.float32)
    fused = fuse([video, text])
    half = np.sqrt(0.5)
    np.testing.assert_allclose(fused, [[half, 0, 0, 0, half], [0, 1, 0, 0, 0]], atol=1e-6)
    assert fused.dtype == np.float32


def test_a_shot_that_has_nothing_stays_zero() -> None:
    assert not fuse([np.zeros((1, 2), np.float32), np.zeros((1, 3), np.float32)]).any()


def test_parts_of_different_titles_do_not_fuse() -> None:
    with pytest.raises(ValueError, match="dimension"):
        fuse([np.zeros((1, 2), np.float32), np.zeros((2, 2), np.float32)])
