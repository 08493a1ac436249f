"""Fine-tuning from beginning to end: pairs -> pictures -> training -> a profile to index with."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from indexer.encoders.video import FOLDER, MEAN
from indexer.finetune.holding_out import Split, hold_out
from indexer.finetune.keep import check_saved, save_model, save_profile, save_record
from indexer.finetune.objective import same_captions
from indexer.finetune.pairs import read_pairs
from indexer.finetune.pictures import Pictures, decoded_pictures
from indexer.finetune.sounds import centre_of_sounds
from indexer.finetune.towers import HUB, Towers, load_towers
from indexer.finetune.train import Recipe, Trained, train
from indexer.profiles import Profile, load_profile
from indexer.progress import Progress, silent
from qdrant.errors import UsageError
from qdrant.schema import VIDEO

CHECKED = 8
"""So many captions are encoded again by what was saved."""
NARROWEST_BAND = 0.02
"""Between the ranking's floor and ceiling."""


@dataclass(frozen=True)
class FineTuned:
    """What came of it."""

    profile: Path
    trained: Trained
    num_training: int  # pairs
    split_by: str
    left_out: tuple[str, ...]  # sentences: pairs that could not be used
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """Return what a program may read; fields may be added, never removed."""
        return {
            "profile": str(self.profile),
            "before": asdict(self.trained.before),
            "after": asdict(self.trained.after),
            "best_epoch": self.trained.best,
            "epochs": [asdict(epoch) for epoch in self.trained.epochs],
            "training_pairs": self.num_training,
            "held_out": self.split_by,
            "left_out": list(self.left_out),
            "seconds": round(self.seconds, 1),
        }


def recipe_of(profile: str | Path, *, base: str | None = None, **chosen: Any) -> Recipe:
    """Return the standard recipe with what was chosen; None was not.

    The pool is by default the one that the model to begin with has.
    """
    has_pool = _settings(load_profile(profile), base).get("pool", MEAN) != MEAN
    standard = Recipe(pool="temporal" if has_pool else "mean")
    return replace(standard, **{key: value for key, value in chosen.items() if value is not None})


def finetune(
    sources: Sequence[Path],
    *,
    out: Path,
    profile: str | Path = "clip",
    base: str | None = None,
    recipe: Recipe | None = None,
    descriptions: Path | None = None,
    centre_sound: bool = False,
    device: str = "auto",
    progress: Progress = silent,
    say: Callable[[str], None] = print,
) -> FineTuned:
    """Fine-tune a profile's video encoder on pairs of shots and captions; write a new profile.

    `base` ("MODEL:PRETRAINED", as open_clip names them) takes the place of the profile's model.
    Without a recipe, `recipe_of`. With `centre_sound`
    the profile's sounds are centred on those of the pairs. Raises `UsageError` for pairs or a
    profile that cannot be used, `WeightsUnavailable`, `CannotRunNow`.
    """
    started = time.perf_counter()
    whole = load_profile(profile)
    settings = _settings(whole, base)
    recipe = recipe or recipe_of(profile, base=base)
    pairs = read_pairs(sources, descriptions=descriptions)
    hold_out(pairs, share=recipe.held_out, seed=recipe.seed)  # too few are told before decoding
    towers = load_towers(settings, pool=recipe.pool, device=device, seed=recipe.seed)
    with decoded_pictures(
        pairs, num_frames=recipe.frames, to_pixels=towers.to_pixels, progress=progress
    ) as pictures:
        for sentence in pictures.left_out:
            say(sentence)
        split = hold_out(pictures.pairs, share=recipe.held_out, seed=recipe.seed)
        say(_plan(split, recipe))
        trained = train(
            towers, pictures, split, recipe,
            told=lambda step, steps, loss: progress(f"Learning, loss {loss:.3f}", step, steps),
        )  # fmt: skip
        progress("Learning", 1, 1)
        band = _band(towers, pictures, split)
        captions = [pair.caption for pair in pictures.pairs[:CHECKED]]
        centre = centre_of_sounds(whole, pictures.pairs, device=device) if centre_sound else None
    saved = save_model(out, towers)
    dim = check_saved(saved, towers, captions)
    path = save_profile(out, whole, settings=saved, dim=dim, band=band, centre=centre)
    done = FineTuned(
        path, trained, len(split.training), split.by, pictures.left_out,
        time.perf_counter() - started,
    )  # fmt: skip
    save_record(out, {"base": settings, "recipe": asdict(recipe), **done.to_json()})
    return done


def _settings(profile: Profile, base: str | None) -> dict[str, Any]:
    """Return the settings of the open_clip encoder to begin with."""
    spec = profile.encoders.get(VIDEO)
    if spec is None or spec.kind != "open_clip":
        kind = spec.kind if spec else "none"
        raise UsageError(
            f"The profile {profile.name!r} has no open_clip encoder for pictures ({kind}), and "
            "no other can be fine-tuned; choose one that has, such as `--profile clip`."
        )
    settings = dict(spec.settings)
    if base is None:
        return settings
    own = base.startswith((FOLDER, HUB))
    model, colon, pretrained = (base, ":", "") if own else base.partition(":")
    if not colon:
        raise UsageError(
            f"{base!r} names no weights; give `--base MODEL:PRETRAINED`, as "
            "open_clip.list_pretrained() names them, or a checkpoint's path after the colon."
        )
    return {**settings, "model": model, "pretrained": pretrained, "pool": MEAN}


def _plan(split: Split, recipe: Recipe) -> str:
    what = f"adapters of rank {recipe.rank}" if recipe.adapters == "lora" else "projections alone"
    pool = ", a temporal pool" if recipe.pool == "temporal" else ""
    return (
        f"Training {what}{pool} on {len(split.training)} pairs; "
        f"{len(split.held_out)} are held out: {split.by}."
    )


def _band(towers: Towers, pictures: Pictures, split: Split) -> tuple[float, float]:
    """Return where evidence begins and where it is full, by the held-out pairs.

    A shot that does not match lies at the floor in the middle; a quarter of those that do reach
    the ceiling.
    """
    import torch

    places = list(split.held_out)
    captions = [pictures.pairs[place].caption for place in places]
    with torch.inference_mode():
        shots = torch.cat([towers.shots(pictures.pixels[[place]]).cpu() for place in places])
        cosines = (shots @ towers.captions(captions).cpu().T).numpy()
    same = same_captions(captions).numpy()
    others = cosines[~same] if not same.all() else np.zeros(1)
    floor, ceiling = float(np.median(others)), float(np.quantile(cosines[same], 0.75))
    return round(floor, 3), round(max(ceiling, floor + NARROWEST_BAND), 3)
