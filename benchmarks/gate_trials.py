"""The gate put to the test: equal versions must pass, each kind of spoilt one must not.

A library of the simulated world (see `world`) is laid on disk, its titles labelled for the five
tasks; the context model in use has learned from other titles. A version beside it is made, equal or
spoilt, and goes through the very gates of `trimbin versions validate`. SIMULATION throughout.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from safetensors.numpy import save_file

from benchmarks.world import MODALITIES, Catalogue, Title, World
from indexer.context.checkpoint import save_checkpoint
from indexer.context.config import ContextConfig
from indexer.context.model import ContextModel
from indexer.context.sequence import TitleSequence
from indexer.context.train import Trained, train
from indexer.context.vectors import expected
from indexer.encoders.fuse import fuse
from indexer.encoders.protocol import unit
from indexer.library import Library
from indexer.manifest import Manifest
from indexer.probes.kept_labels import keep_labels
from indexer.probes.label import Label
from indexer.probes.task import GENRES, TASKS
from indexer.progress import silent
from indexer.versions import GATES, register

Floats = NDArray[np.float32]
Parts = dict[str, Floats]
"""modality -> (num_shots, dim)."""

DIM = 32
SHOT_FRAMES = 48
WORLD = World(dim=DIM, median_shots=160, clips=12)
PROFILE = """
name = "simulated"
description = "Vectors of a simulated world; nothing encodes them."
confidence_floor = 0.0
[encoders.video]
kind = "open_clip"
dim = 32
[encoders.video.settings]
model = "none"
pretrained = "none"
[encoders.audio]
kind = "wav2vec2"
dim = 32
[encoders.audio.settings]
model = "none"
[encoders.text]
kind = "sentence"
dim = 32
languages = ["en"]
[encoders.text.settings]
model = "none"
[ranking]
video = { floor = -1.0, ceiling = 1.0 }
audio = { floor = -1.0, ceiling = 1.0 }
text = { floor = -1.0, ceiling = 1.0 }
line = { floor = 0.0, ceiling = 1.0, half = 5.0 }
context = { floor = -1.0, ceiling = 1.0 }
"""
OFF_BY_ONE = ("every encoder", "one encoder", "context", "context, own half", "context, other half")


@dataclass(frozen=True)
class Size:
    """How much is made and learned."""

    titles: int  # in the library, labelled
    taught: int  # others, that context models learn from
    steps: int
    trials: int  # of each kind


FULL, QUICK = Size(32, 48, 300, 10), Size(16, 24, 200, 2)


@dataclass(frozen=True)
class Made:
    """All vectors of a version, title by title, and its context model."""

    parts: list[Parts]
    context: list[Floats]  # (num_shots, context_dim)
    trained: Trained


class Trials:
    """A library on disk, a version in use, and what can be made of it."""

    def __init__(self, root: Path, size: Size, *, seed: int) -> None:
        catalogue = Catalogue(replace(WORLD, seed=seed))
        self.size, self.seed = size, seed
        self.titles = list(catalogue.titles(0, size.titles))
        others = catalogue.titles(size.titles, size.titles + size.taught)
        self.lessons = [sequence_of(title, title.parts) for title in others]
        self.good = self.made(self.learned(seed))
        (root / "simulated.toml").write_text(PROFILE)
        profile = str(root / "simulated.toml")
        self.library = Library.open(root / "library", create=True, profile=profile)
        self.version = register(self.library, self.library.profile, anew=True)
        for task in WORLD_TASKS:
            keep_labels(self.library, task, labels_of(self.titles, task))
        self.write(self.library, self.good)

    def learned(self, seed: int) -> Trained:
        config = ContextConfig(
            dims=dict.fromkeys(MODALITIES, DIM), global_dim=DIM, layers=1, hidden=96
        )
        return train(self.lessons, config, steps=self.size.steps, seconds_limit=600, seed=seed)

    def made(self, trained: Trained, parts: list[Parts] | None = None) -> Made:
        parts = parts or [title.parts for title in self.titles]
        return Made(parts, [context_of(trained.model, t, p)
                            for t, p in zip(self.titles, parts, strict=True)], trained)  # fmt: skip

    def write(self, version: Library, made: Made) -> None:
        """Lay a version on disk, its manifests last."""
        save_checkpoint(version.context_folder, made.trained, fingerprint="simulated")
        for title, parts, context in zip(self.titles, made.parts, made.context, strict=True):
            folder = version.folder(name_of(title))
            folder.mkdir(parents=True, exist_ok=True)
            for space, rows in {**parts, "context": context}.items():
                told = {"title": title.about[None]} if space == "text" else {}
                save_file({"shots": np.ascontiguousarray(rows), **told}, folder / f"{space}@1")
            table_of(title).to_parquet(folder / "shots.parquet")
            version.finish(manifest_of(title, version))

    # -- what becomes of a version -------------------------------------------------------------

    def equal(self, trial: int) -> tuple[str, Made]:
        """Learned anew from another seed."""
        return "", self.made(self.learned(self.seed + 1000 + trial))

    def shuffled(self, trial: int) -> tuple[str, Made]:
        """The model in use, the numbers of each of its matrices in another order."""
        random = np.random.default_rng(trial)
        model = ContextModel(self.good.trained.model.config)
        state = {
            name: torch.from_numpy(random.permutation(t.numpy().ravel()).reshape(t.shape))
            if t.ndim > 1
            else t
            for name, t in self.good.trained.model.state_dict().items()
        }
        model.load_state_dict(state)
        return "", self.made(replace(self.good.trained, model=model.eval()))

    def missing(self, trial: int) -> tuple[str, Made]:
        """One modality gone: its vectors, or only from what the context was made of."""
        gone = MODALITIES[trial % len(MODALITIES)]
        without = [{**t.parts, gone: np.zeros_like(t.parts[gone])} for t in self.titles]
        made = self.made(self.good.trained, without)
        if trial % 2:
            return f"{gone}, in context alone", replace(made, parts=self.good.parts)
        return gone, made

    def off_by_one(self, trial: int) -> tuple[str, Made]:
        """Vectors filed under the shot before or after."""
        way, shift = OFF_BY_ONE[trial % len(OFF_BY_ONE)], (1, -1)[trial // len(OFF_BY_ONE) % 2]
        told = f"{way}, by {shift:+d}"
        if "encoder" in way:
            moved = MODALITIES if way == "every encoder" else MODALITIES[trial % 3 :][:1]
            parts = [
                {m: np.roll(rows, shift, axis=0) if m in moved else rows for m, rows in p.items()}
                for p in self.good.parts
            ]
            return told, self.made(self.good.trained, parts)
        halves = {"context": (0, 1), "context, own half": (0,), "context, other half": (1,)}[way]
        context = [
            np.concatenate([np.roll(half, shift, axis=0) if number in halves else half
                            for number, half in enumerate(np.split(rows, 2, axis=1))], axis=1)
            for rows in self.good.context
        ]  # fmt: skip
        return told, replace(self.good, context=context)


WORLD_TASKS = tuple(task.name for task in TASKS.values() if task.learned_as == task.name)


def sequence_of(title: Title, parts: Parts) -> TitleSequence:
    return TitleSequence(name_of(title), fuse([parts[m] for m in MODALITIES]), title.about)


def context_of(model: ContextModel, title: Title, parts: Parts) -> Floats:
    """Return a title's shots as `contextualise` has them."""
    sequence = sequence_of(title, parts)
    return unit(np.concatenate([sequence.fused, expected(model, sequence)], axis=1))


def name_of(title: Title) -> str:
    return f"simulated-{title.number:04d}"


def table_of(title: Title) -> pd.DataFrame:
    starts = SHOT_FRAMES * np.arange(title.num_shots)
    return pd.DataFrame({"start_frame": starts, "end_frame": starts + SHOT_FRAMES})


def manifest_of(title: Title, version: Library) -> Manifest:
    name, frames = name_of(title), SHOT_FRAMES * title.num_shots
    return Manifest(
        title_id=name, path=name, content_hash=name, size=0, mtime_ns=0, title=name, kind="film",
        metadata={}, inputs={}, rate="24/1", drop_frame=False, start_timecode=None,
        num_frames=frames, duration_s=frames / 24, width=16, height=9, container="mp4",
        video_codec="h264", pixel_format="yuv420p", audio_codec="aac", language="en",
        num_shots=title.num_shots, spaces={s: f"{s}@1" for s in (*MODALITIES, "context")},
        checkpoint=version.checkpoint_id(), version=version.version,
        generation=str(version.checkpoint_id()),
    )  # fmt: skip


def labels_of(titles: list[Title], task: str) -> list[Label]:
    """Return a task's labels as people would write them down."""
    labels = []
    for title in titles:
        for (a, b), answers in zip(title.clips, title.labels[task], strict=True):
            spot = (name_of(title), SHOT_FRAMES * int(a), SHOT_FRAMES * int(b))
            if TASKS[task].form == "labels":  # type: ignore[index]
                named = GENRES if task == "genre" else [f"{task} {n}" for n in range(len(answers))]
                held = [n for n, holds in zip(named, answers, strict=True) if holds]
                labels += [Label(*spot, one) for one in held or [""]]
            else:
                labels.append(Label(*spot, task, float(answers[0])))
    return labels


def run_trials(size: Size, *, seed: int = 0) -> Iterator[dict[str, Any]]:
    """Yield a record of every trial."""
    with tempfile.TemporaryDirectory() as folder:
        trials = Trials(Path(folder), size, seed=seed)
        kinds = {"equal": trials.equal, "shuffled weights": trials.shuffled,
                 "missing modality": trials.missing, "off by one": trials.off_by_one}  # fmt: skip
        for kind, make in kinds.items():
            for trial in range(size.trials):
                started = time.perf_counter()
                told, made = make(trial)
                trials.write(trials.version, made)
                findings = [
                    f for gate in GATES
                    for f in gate(trials.version, trials.library, progress=silent)
                ]  # fmt: skip
                failed = [f for f in findings if f.verdict == "fail"]
                yield {
                    "kind": kind, "trial": trial, "what": told,
                    "caught_by": sorted({f.gate for f in failed}),
                    "probes": [f.told for f in findings if f.gate == "probes"],
                    "context": [f.told for f in findings if f.gate == "context"],
                    "took_s": round(time.perf_counter() - started, 1),
                }  # fmt: skip


def figures_of_gate(size: Size, *, seed: int = 0) -> dict[str, dict[str, Any]]:
    """Return what the gate lets pass and what it catches, each trial told on stderr."""
    passed: dict[str, list[bool]] = {}
    probes: dict[str, list[bool]] = {}
    for record in run_trials(size, seed=seed):
        passed.setdefault(record["kind"], []).append(not record["caught_by"])
        probes.setdefault(record["kind"], []).append("probes" in record["caught_by"])
        what = f" ({record['what']})" if record["what"] else ""
        print(
            f"SIMULATION {record['kind']} {record['trial']}{what}: "
            f"{'caught by ' + ', '.join(record['caught_by']) if record['caught_by'] else 'passed'}"
            f", {record['took_s']} s",
            *record["context"], *record["probes"], sep="\n  ", file=sys.stderr, flush=True,
        )  # fmt: skip
    figures = {}
    for kind, let in passed.items():
        if kind == "equal":
            value, target = float(np.mean(let)), 0.9
            figures["gate: equal versions passed"] = figure(value, target)
        else:
            figures[f"gate: {kind}, caught"] = figure(1 - float(np.mean(let)), 1.0)
            by_probes = float(np.mean(probes[kind]))
            figures[f"gate: {kind}, caught by probes alone"] = {
                "value": by_probes, "target": None, "ok": True}  # fmt: skip
    return figures


def figure(value: float, target: float) -> dict[str, Any]:
    return {"value": round(value, 3), "target": target, "ok": value >= target}
