"""Captioned clips of plain shapes, and a tiny open_clip model in a folder to begin with."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

RATE = 12
SHOT_FRAMES = 6
WIDTH, HEIGHT = 96, 72
COLOURS = {
    "red": (220, 40, 40), "green": (40, 200, 60), "blue": (50, 70, 230), "yellow": (230, 220, 50),
    "white": (240, 240, 240), "purple": (160, 50, 200),
}  # fmt: skip
PLACES = {"on the left": 0.25, "on the right": 0.75}
CAPTIONS = tuple(f"a {colour} square {place}" for colour in COLOURS for place in PLACES)
TINY = {
    "embed_dim": 32,
    "vision_cfg": {"image_size": 32, "layers": 2, "width": 64, "patch_size": 8, "head_width": 16},
    "text_cfg": {"context_length": 16, "vocab_size": 49408, "width": 64, "heads": 4, "layers": 2},
}
PROFILE = """
name = "tiny"
description = "A tiny model, for tests."
confidence_floor = 0.1
[encoders.video]
kind = "open_clip"
dim = 32
languages = ["en"]
repository = "nobody/nothing"
[encoders.video.settings]
model = "{model}"
pretrained = ""
[ranking.video]
floor = 0.1
ceiling = 0.9
[ranking.line]
floor = 0.15
ceiling = 0.75
"""


def write_clip(path: Path, captions: Sequence[str], *, seed: int) -> None:
    """Write a clip with a shot a caption, each SHOT_FRAMES long, on a ground drawn by a seed."""
    random = np.random.default_rng(seed)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for caption in captions:
            ground = random.integers(0, 60, (HEIGHT // 8, WIDTH // 8, 3), dtype=np.uint8)
            top = int(random.integers(8, HEIGHT - 40))
            for _ in range(SHOT_FRAMES):
                image = _picture(caption, np.kron(ground, np.ones((8, 8, 1), np.uint8)), top=top)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode())


def _picture(caption: str, ground: NDArray[np.uint8], *, top: int) -> NDArray[np.uint8]:
    colour = next(value for name, value in COLOURS.items() if name in caption)
    place = next(value for name, value in PLACES.items() if name in caption)
    left = round(WIDTH * place) - 16
    ground[top : top + 32, left : left + 32] = colour
    return ground


def write_pairs(folder: Path, *, num_clips: int, seed: int = 0) -> Path:
    """Write clips, every caption once in each, and the table of their pairs; return the table."""
    random = np.random.default_rng(seed)
    lines = ["clip,start,end,caption"]
    for number in range(num_clips):
        captions = [str(caption) for caption in random.permutation(CAPTIONS)]
        write_clip(folder / f"clip{number}.mp4", captions, seed=seed + number)
        for shot, caption in enumerate(captions):
            start, end = (n * SHOT_FRAMES / RATE for n in (shot, shot + 1))
            lines.append(f"clip{number}.mp4,{start},{end},{caption}")
    table = folder / "pairs.csv"
    table.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return table


def write_tiny_profile(folder: Path) -> Path:
    """Write a tiny model with weights drawn by a seed, and a profile that names it."""
    import open_clip
    import torch
    from safetensors.torch import save_file

    model_folder = folder / "tiny"
    model_folder.mkdir()
    (model_folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": TINY}))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = open_clip.create_model(
            f"local-dir:{model_folder}", load_weights=False, device="cpu"
        )
    save_file(model.state_dict(), model_folder / "open_clip_model.safetensors")
    profile = folder / "tiny.toml"
    profile.write_text(PROFILE.format(model=f"local-dir:{model_folder}"), encoding="utf-8")
    return profile
