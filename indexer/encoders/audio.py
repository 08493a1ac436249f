"""Sound: wav2vec 2.0 over a shot's samples (Baevski et al., arXiv 2006.11477)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.encoders.centre import NONE, ORDINARY, centre_of, centred, from_text
from indexer.encoders.derived import derived
from indexer.encoders.kinds import version_of
from indexer.encoders.ordinary import SAMPLE_RATE_HZ, synthetic
from indexer.encoders.pace import paced
from indexer.encoders.precision import precise_enough
from indexer.encoders.protocol import Sound, Vectors
from indexer.encoders.weights import from_hub, missing_on_disk, pick_device
from indexer.encoders.windows import Window, overlapping
from indexer.profiles.parse import EncoderSpec

LONGEST_WINDOW = 15 * SAMPLE_RATE_HZ
"""The model was trained on 15.6 s at most, and memory grows with the square."""
OVERLAP = 3 * SAMPLE_RATE_HZ
"""Its convolution over positions looks 1.28 s to either side, so what counts sees no edge."""
RECEPTIVE_FIELD_SAMPLES = 400
"""One step of its convolutions: less sound than this gives none."""
BATCH_SAMPLES = {"cpu": 30 * SAMPLE_RATE_HZ}
BATCH_SAMPLES_ELSEWHERE = 240 * SAMPLE_RATE_HZ
"""On a CPU a large batch gains nothing, and its first convolutions want 6 MB a second of sound."""
VARIANCE_FLOOR = 1e-7
"""As in the library's own feature extractor."""
WEIGHT_FILES = ("model.safetensors", "pytorch_model.bin")


class Wav2Vec2Sound:
    """A shot's sound as one unit vector: the mean over time of the last layer, less the centre.

    Windows of like length share a batch. Where the model's first norm is over layers, the shorter
    ones are padded and the padding is masked. The base model takes no mask, for its group norm
    sees the padding: there only windows of exactly one length go together.
    """

    def __init__(self, spec: EncoderSpec, *, device: str) -> None:
        self.name = str(spec.settings["model"])
        self.version = version_of(spec.kind, spec.settings)
        self._device = pick_device(device)
        self._precision = str(spec.settings.get("precision", "auto"))
        with from_hub(self.name):
            from transformers import Wav2Vec2Model

            here_only = Path(self.name).is_dir()
            model: Any = Wav2Vec2Model.from_pretrained(self.name, local_files_only=here_only)
            self._model = model.float().to(self._device).eval().requires_grad_(False)
        self.dim = int(model.config.hidden_size)
        self._takes_mask = model.config.feat_extract_norm == "layer"
        self._centre = self._centre_of(str(spec.settings.get("centre", ORDINARY)))

    @staticmethod
    def obstacle(spec: EncoderSpec) -> str | None:
        """Return why it cannot load without network, or None. Loads nothing."""
        return missing_on_disk(spec.settings["model"], files=WEIGHT_FILES)

    @paced
    def encode(self, items: Sequence[Sound | None]) -> Vectors:
        """Return (num_shots, dim) float32 unit vectors; zeros for a shot without samples."""
        return centred(self.hear(items), self._centre)

    def hear(self, items: Sequence[Sound | None]) -> Vectors:
        """Return (num_shots, dim) float32, the means over time as they are: not centred."""
        windows = [
            (shot, window)
            for shot, samples in enumerate(items)
            if samples is not None
            for window in _windows(samples)
        ]
        sums = np.zeros((len(items), self.dim), np.float32)
        counts = np.zeros((len(items), 1), np.float32)
        for batch in self._batches(windows):
            steps = self._listen([window.samples for _, window in batch])
            for (shot, window), heard in zip(batch, steps, strict=True):
                counting = window.counting(len(heard))
                sums[shot] += heard[counting].sum(axis=0)
                counts[shot] += counting.sum()
        return np.asarray(sums / np.maximum(counts, 1))

    def _batches(self, windows: list[tuple[int, Window]]) -> Iterator[list[tuple[int, Window]]]:
        """Yield windows by their length, as many at a time as may share a batch."""
        most = BATCH_SAMPLES.get(self._device.type, BATCH_SAMPLES_ELSEWHERE)
        ordered = sorted(windows, key=lambda item: -len(item[1].samples))  # the longest first
        alike = groupby(ordered, key=lambda item: 0 if self._takes_mask else len(item[1].samples))
        for _, group in alike:
            batch: list[tuple[int, Window]] = []
            for item in group:
                if batch and (len(batch) + 1) * len(batch[0][1].samples) > most:
                    yield batch
                    batch = []
                batch.append(item)
            yield batch

    def _listen(self, sounds: Sequence[Sound]) -> list[NDArray[np.float32]]:
        """Return each sound's steps, (num_steps, dim) float32: those of the padding left out."""
        import torch

        lengths = [len(sound) for sound in sounds]
        block = np.zeros((len(sounds), max(lengths)), np.float32)
        mask = np.zeros(block.shape, np.int64)
        for row, (sound, length) in enumerate(zip(sounds, lengths, strict=True)):
            block[row, :length], mask[row, :length] = sound, 1
        given: dict[str, Any] = {"input_values": torch.from_numpy(block).to(self._device)}
        if self._takes_mask:
            given["attention_mask"] = torch.from_numpy(mask).to(self._device)
        with torch.inference_mode(), precise_enough(self._device, self._precision):
            heard = self._model(**given).last_hidden_state.float().cpu().numpy()
        num_steps = [int(self._model._get_feat_extract_output_lengths(n)) for n in lengths]
        return [steps[:count] for steps, count in zip(heard, num_steps, strict=True)]

    def _centre_of(self, setting: str) -> Vectors | None:
        if setting == NONE:
            return None
        if setting != ORDINARY:
            return from_text(setting, dim=self.dim)
        last = list(self._model.parameters())[-1].cpu().numpy()  # other weights, another centre
        return derived(
            "wav2vec2-centre",
            made_of=f"{self.name} {self.version} {last.tobytes().hex()}",
            make=lambda: centre_of(self.hear(list(synthetic()))),
        )


def _windows(samples: Sound) -> list[Window]:
    """Return a shot's windows, at the level the model was trained with: mean 0, variance 1."""
    if not len(samples):
        return []
    level = (samples - samples.mean()) / np.sqrt(samples.var() + VARIANCE_FLOOR)
    return overlapping(
        np.asarray(level, np.float32),
        longest=LONGEST_WINDOW,
        overlap=OVERLAP,
        at_least=RECEPTIVE_FIELD_SAMPLES,
    )
