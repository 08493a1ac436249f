"""An open_clip model taken apart for training: pictures on one side, captions on the other."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from indexer.encoders.precision import precise_enough
from indexer.encoders.temporal import PoolConfig, TemporalPool, load_pool, pool_frames
from indexer.encoders.video import CONFIG_FILE, FOLDER, MEAN
from indexer.encoders.weights import from_hub, pick_device
from indexer.finetune.adapters import adapt, merge
from indexer.finetune.pictures import Picture
from qdrant.errors import UsageError

PROJECTIONS = (
    "visual.proj", "visual.head.", "visual.attn_pool.", "visual.trunk.attn_pool.",
    "visual.trunk.head.", "text_projection", "text.text_projection", "text.proj.", "logit_scale",
)  # fmt: skip
"""How the parameters behind the towers begin, in all of open_clip's kinds of model."""
HUB = "hf-hub:"


@dataclass(frozen=True)
class Towers:
    """A model, how it wants its pictures and captions, and what it takes to write it down."""

    model: Any  # open_clip's CLIP or CustomTextCLIP, in evaluation mode: nothing is dropped
    pool: TemporalPool | None
    tokenize: Any
    look: Any  # a PIL picture -> (3, side, side) float32, 0..1
    normalise: Any  # the same pictures, less their mean, over their deviation
    config: Mapping[str, Any]  # open_clip's `model_cfg`
    device: torch.device

    def to_pixels(self, picture: Picture) -> Picture:
        """Return (3, side, side) uint8 of an (height, width, 3) uint8 RGB picture."""
        from PIL import Image

        return np.asarray((self.look(Image.fromarray(picture)) * 255).round().numpy(), np.uint8)

    def shots(self, pixels: Picture) -> Tensor:
        """Return (B, D) float32 unit vectors of (B, F, 3, side, side) uint8 pictures."""
        batch, num_frames = pixels.shape[:2]
        frames = torch.from_numpy(np.array(pixels)).to(self.device).flatten(0, 1)
        with precise_enough(self.device, "auto"):
            seen = self.model.encode_image(self.normalise(frames.float() / 255))
        vectors = functional.normalize(seen.float(), dim=-1)
        return pool_frames(self.pool, vectors.reshape(batch, num_frames, -1))

    def captions(self, texts: Sequence[str]) -> Tensor:
        """Return (B, D) float32 unit vectors."""
        tokens = self.tokenize(list(texts)).to(self.device)
        with precise_enough(self.device, "auto"):
            read = self.model.encode_text(tokens)
        return functional.normalize(read.float(), dim=-1)

    @property
    def scale(self) -> Tensor:
        """What cosines are multiplied by before they compete: the model's own, learned."""
        learned: Tensor = self.model.logit_scale.exp()
        return learned

    def learned(self) -> dict[str, nn.Parameter]:
        """Return the parameters that training moves, by name."""
        named = {f"model.{name}": p for name, p in self.model.named_parameters()}
        if self.pool is not None:
            named |= {f"pool.{name}": p for name, p in self.pool.named_parameters()}
        return {name: p for name, p in named.items() if p.requires_grad}

    def make_learnable(self, *, rank: int | None) -> None:
        """Freeze all but the projections and the pool; with a rank, adapt the towers too."""
        self.model.requires_grad_(False)
        for name, parameter in self.model.named_parameters():
            parameter.requires_grad_(name.startswith(PROJECTIONS))
        if rank is not None:
            adapt(self.model, rank=rank, untouched=PROJECTIONS)
        if self.pool is not None:
            self.pool.requires_grad_(True)

    def merge(self) -> None:
        """Take the adapters into the weights."""
        merge(self.model)


def load_towers(settings: Mapping[str, Any], *, pool: str, device: str, seed: int) -> Towers:
    """Return the model that an encoder's settings name; `pool` is "mean" or "temporal".

    A pool that the settings name is trained further. Raises `WeightsUnavailable`, and
    `UsageError` for a model that cannot be written down again.
    """
    name, pretrained = settings["model"], settings["pretrained"]
    with from_hub(f"open_clip {name} {pretrained}".strip()):
        import open_clip

        where = pick_device(device)
        model, preprocess = open_clip.create_model_from_pretrained(
            name, pretrained or None, device=where
        )
        tokenize = open_clip.get_tokenizer(name)
        config = _config_of(name)
        with torch.inference_mode():
            dim = model.encode_text(tokenize(["a"]).to(where)).shape[1]
        own = settings.get("pool", MEAN)
        return Towers(
            model.eval(), _pool(pool, own, dim=dim, seed=seed, device=where), tokenize,
            type(preprocess)(preprocess.transforms[:-1]), preprocess.transforms[-1], config, where,
        )  # fmt: skip


def _pool(kind: str, own: str, *, dim: int, seed: int, device: torch.device) -> TemporalPool | None:
    if kind == MEAN:
        return None
    if own != MEAN:
        return load_pool(Path(own), dim=dim).to(device)
    torch.manual_seed(seed)  # inside `from_hub`, which leaves the random state as it was
    width = min(PoolConfig.width, dim)
    heads = PoolConfig.heads if width % (2 * PoolConfig.heads) == 0 else 1
    return TemporalPool(PoolConfig(dim=dim, width=width - width % 2, heads=heads)).to(device)


def _config_of(name: str) -> dict[str, Any]:
    import open_clip

    if name.startswith(FOLDER):
        text = (Path(name.removeprefix(FOLDER)) / CONFIG_FILE).read_text(encoding="utf-8")
        return dict(json.loads(text)["model_cfg"])
    if name.startswith(HUB):
        from huggingface_hub import hf_hub_download

        file = hf_hub_download(name.removeprefix(HUB), CONFIG_FILE)
        return dict(json.loads(Path(file).read_text(encoding="utf-8"))["model_cfg"])
    config = open_clip.get_model_config(name.replace("/", "-"))
    if config is None:
        raise UsageError(f"open_clip knows no model {name!r}; see open_clip.list_models().")
    return copy.deepcopy(dict(config))
