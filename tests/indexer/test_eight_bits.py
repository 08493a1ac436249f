"""Weights made signed: the same numbers to the bit, and left alone where they would not be."""

from importlib.util import find_spec

import numpy as np
import pytest

from indexer.encoders import eight_bits, speech
from indexer.encoders.weights import onnx_session, package_folder

pytestmark = pytest.mark.skipif(
    find_spec("moonshine_voice") is None or find_spec("onnxruntime") is None,
    reason="pip install 'trimbin[offline]' first: moonshine_voice is not installed",
)


def as_it_comes() -> bytes:
    return (package_folder(speech.PACKAGE) / speech.MODEL).read_bytes()


def steps(session, samples):
    mask = np.ones((1, len(samples)), np.int64)
    (found,) = session.run(None, {"input_values": samples[None], "attention_mask": mask})
    return found


def test_signed_weights_say_the_same_to_the_bit():
    if not eight_bits.multiplies_exactly():
        pytest.skip("this processor adds pairs of products in sixteen bits: signed is not exact")
    theirs = onnx_session(as_it_comes(), threads=1)
    ours = onnx_session(eight_bits.signed(as_it_comes()), threads=1)
    sounds = [*list(speech.ordinary_sounds())[::5], np.zeros(895, np.float32)]
    loud = np.sign(np.sin(np.arange(16_000) / 9)).astype(np.float32)
    for sound in (*sounds, loud):
        assert np.array_equal(steps(theirs, sound), steps(ours, sound))


def test_another_model_is_refused():
    signed = eight_bits.signed(as_it_comes())
    with pytest.raises(ValueError, match="without a sign"):
        eight_bits.signed(signed)


@pytest.mark.parametrize("why", ["inexact", "no reader"])
def test_where_signed_weights_cannot_be_had_they_stay_as_they_come(why, monkeypatch, tmp_path):
    def refuse(model: bytes) -> bytes:
        raise ImportError(why)

    monkeypatch.setenv("TRIMBIN_CACHE", str(tmp_path))
    monkeypatch.setattr(speech, "signed", refuse)
    monkeypatch.setattr(speech, "multiplies_exactly", lambda: why != "inexact")
    session = speech.encoder_session.__wrapped__()
    sound = next(speech.ordinary_sounds())
    theirs = onnx_session(as_it_comes(), threads=1)
    assert np.array_equal(steps(session, sound), steps(theirs, sound))
