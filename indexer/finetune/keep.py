"""A fine-tuned model on disk: a folder that open_clip reads, and a profile that names it.

    OUT/<name>.toml                     the profile: `trimbin index --profile OUT/<name>.toml`
    OUT/video-<hash>/                   open_clip's config, weights and tokenizer, the pool
    OUT/finetune.json                   how it was trained, and what the held-out pairs say

The folder is named after its weights, so that other weights are another version of the encoder.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tomlkit
from safetensors.torch import save_file

from indexer.disk import write_atomically
from indexer.encoders.temporal import pool_to_bytes
from indexer.encoders.video import CONFIG_FILE, FOLDER, MEAN, OpenClipFrames
from indexer.finetune.towers import Towers
from indexer.profiles import EncoderSpec, Profile, load_profile
from qdrant.errors import CannotRunNow

WEIGHTS_FILE = "open_clip_model.safetensors"
POOL_FILE = "pool.safetensors"
RECORD_FILE = "finetune.json"
SUFFIX = "-tuned"
LONGEST_NAME = 32
SAME = 0.01
"""How far a vector may be from itself after saving: accelerators reckon in 16 bits."""


def save_model(out: Path, towers: Towers) -> dict[str, str]:
    """Write the model's folder; return the settings of an encoder that uses it.

    Raises `CannotRunNow` where the folder cannot be written.
    """
    part = out / f".video-{uuid.uuid4().hex[:8]}.part"
    try:
        part.mkdir(parents=True)
        _write(part, towers)
        folder = out.resolve() / f"video-{_hash_of(part)}"
        if not folder.exists():  # else it is this very model
            part.rename(folder)
    except OSError as error:
        raise CannotRunNow(
            f"The model cannot be written to {out} ({error.strerror or error}); make room, or "
            "choose another `--out`."
        ) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    pool = str(folder / POOL_FILE) if towers.pool else MEAN
    return {"model": f"{FOLDER}{folder}", "pretrained": "", "pool": pool}


def check_saved(settings: Mapping[str, Any], towers: Towers, captions: Sequence[str]) -> int:
    """Load what was written as `trimbin index` will, and compare; return the vectors' numbers.

    Raises `CannotRunNow` where captions get other vectors: open_clip would read the folder
    otherwise than the model that was trained.
    """
    import torch

    encoder = OpenClipFrames(EncoderSpec("open_clip", 0, settings), device=str(towers.device))
    with torch.inference_mode():
        meant = towers.captions(captions).cpu().numpy()
    if not np.allclose(encoder.encode_words(captions), meant, atol=SAME):
        raise CannotRunNow(
            f"{encoder.name} gives captions other vectors than the model that was trained, so no "
            "profile was written; open_clip cannot keep this kind of model in a folder."
        )
    return int(encoder.dim)


def save_profile(
    out: Path,
    base: Profile,
    *,
    settings: Mapping[str, str],
    dim: int,
    band: tuple[float, float] | None = None,
    centre: str | None = None,
) -> Path:
    """Write the base's profile with the new encoder in it; return its path.

    `band` is the ranking's floor and ceiling for pictures, `centre` that of sounds.
    """
    document: Any = tomlkit.parse(base.to_toml())
    name = base.name.removesuffix(SUFFIX)[: LONGEST_NAME - len(SUFFIX)] + SUFFIX
    document["name"] = name
    video = document["encoders"]["video"]
    video["dim"] = dim
    video.pop("repository", None)
    for key, value in settings.items():
        video["settings"][key] = value
    if band:
        floor, ceiling = band
        document["ranking"]["video"]["floor"] = floor
        document["ranking"]["video"]["ceiling"] = ceiling
        document["ranking"]["video"].comment("measured on the held-out pairs of the fine-tuning")
    if centre:
        document["encoders"]["audio"]["settings"]["centre"] = centre
    path = out.resolve() / f"{name}.toml"
    write_atomically(path, tomlkit.dumps(document).encode())
    load_profile(path)  # whole, or this is our mistake
    return path


def save_record(out: Path, record: Mapping[str, Any]) -> None:
    """Write how the model was made."""
    write_atomically(out / RECORD_FILE, json.dumps(record, indent=1, default=str).encode())


def _write(folder: Path, towers: Towers) -> None:
    state = {name: t.detach().cpu().contiguous() for name, t in towers.model.state_dict().items()}
    save_file(state, folder / WEIGHTS_FILE)
    config = {"model_cfg": towers.config, "preprocess_cfg": towers.model.visual.preprocess_cfg}
    (folder / CONFIG_FILE).write_text(json.dumps(config, indent=1), encoding="utf-8")
    if "hf_tokenizer_name" in towers.config.get("text_cfg", {}):
        towers.tokenize.save_pretrained(folder)
    if towers.pool is not None:
        (folder / POOL_FILE).write_bytes(pool_to_bytes(towers.pool))


def _hash_of(folder: Path) -> str:
    """Return eight digits that change with anything in a folder."""
    told = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            told.update(path.name.encode())
            with path.open("rb") as stream:
                told.update(hashlib.file_digest(stream, "sha256").digest())
    return told.hexdigest()[:8]
