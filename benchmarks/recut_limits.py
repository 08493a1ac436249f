"""What aligning takes, and how far strangers come: no clip needs to be made for these."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from benchmarks.recut_judging import Bands
from indexer.aligning.align import align
from indexer.aligning.paths import PRICES
from indexer.aligning.shots import ShotRow
from indexer.aligning.titles import LIKELY
from indexer.encoders.protocol import unit
from qdrant.schema import AUDIO, TEXT, VIDEO

SIZES = ((60, 3000, 1.0), (2000, 2000, 5.0))
"""Shots of a clip, of a title, and the seconds it may take."""
DIMS = {VIDEO: 384, AUDIO: 288, TEXT: 384}

ELSEWHERE_SHOTS, STEP_SHOTS, APART_SHOTS = 30, 10, 3
"""Shots taken for a clip, from one clip to the next, and from it to the rest of its film."""

Figures = dict[str, dict[str, Any]]


def measure_speed(film: ShotRow, bands: Bands) -> Figures:
    """Time a clip of 60 shots against a title of 3000, and two versions of a feature.

    Their shots are like nothing: how long it takes does not depend on the film.
    """
    figures = {}
    for num_asked, num_shots, target_s in SIZES:
        clip, title = (_strangers(count) for count in (num_asked, num_shots))
        started, cpu = time.perf_counter(), time.process_time()
        align(clip, title, bands=bands)
        took_s, cpu_s = time.perf_counter() - started, time.process_time() - cpu
        print(f"{num_asked} x {num_shots} shots: {took_s:.2f} s wall, {cpu_s:.2f} s CPU")
        figures[f"align_{num_asked}_by_{num_shots}_s"] = {
            "value": round(took_s, 2), "target": target_s, "ok": took_s <= target_s,
        }  # fmt: skip
        figures[f"align_{num_asked}_by_{num_shots}_cpu_s"] = figure(cpu_s)
    return figures


def _strangers(num_shots: int) -> ShotRow:
    generator = np.random.default_rng(num_shots)
    vectors = {
        space: unit(generator.standard_normal((num_shots, dim), np.float32))
        for space, dim in DIMS.items()
    }
    ends = np.cumsum(generator.uniform(1, 6, num_shots))
    return ShotRow(np.append(0.0, ends[:-1]), ends, vectors)


def measure_strangers(film: ShotRow, bands: Bands) -> Figures:
    """Lay pieces of a film along the rest of it: as like as what is not the origin can be."""
    scores = []
    for first in range(0, len(film) - ELSEWHERE_SHOTS + 1, STEP_SHOTS):
        end = first + ELSEWHERE_SHOTS
        far = [i for i in range(len(film)) if not first - APART_SHOTS <= i < end + APART_SHOTS]
        clip, rest = _only(film, list(range(first, end))), _only(film, far)
        scores += [align(clip, rest, bands=bands, order=order).score for order in PRICES]
    print(f"{ELSEWHERE_SHOTS} shots against the rest of their film: score {np.median(scores):.2f} "
          f"in the middle, {max(scores):.2f} at most; likely from {LIKELY}")  # fmt: skip
    return {
        "elsewhere_median_score": figure(np.median(scores)),
        "elsewhere_max_score": {
            "value": round(max(scores), 3), "target": LIKELY, "ok": max(scores) < LIKELY,
        },
    }  # fmt: skip


def _only(film: ShotRow, shots: list[int]) -> ShotRow:
    vectors = {space: rows[shots] for space, rows in film.vectors.items()}
    return ShotRow(film.start_s[shots], film.end_s[shots], vectors)


def figure(value: Any, target: float | None = None) -> dict[str, Any]:
    value = round(float(value), 3)
    return {"value": value, "target": target, "ok": target is None or value >= target}
