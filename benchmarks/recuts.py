"""A clip laid along whole titles: a real trailer, and re-cuts made by a seed, back to their film.

The trailer of Big Buck Bunny (fades, captions, a crossfade, a sepia shot at half speed, an end
card) and five re-cuts of the film (shots dropped, highlights, blocks reordered, shuffled, another
opening), each with a foreign shot and encoded anew, ask as one clip each. The film and the other
films given answer; the first of the others is where foreign shots come from.

A shot of a clip is right when the film's shots it is given overlap the second of film that is seen
in its middle, or when it is given none and is not from the film. "Alone": the film's most similar
shot to each, without order, none left out. Seconds off: the film's second that a place gives for
the first frame of a shot, against the true one; told where lengths place a stretch inside its
shots, else what is given is the beginning of the film's shot. No number was chosen on this seed.

Usage: recuts.py --others FILM [FILM ...] [--labels FOLDER] [--quick] [--library FOLDER] [--seed N]
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

from app.demo import fetch_film, fetch_trailer
from app.studio import open_studio
from benchmarks.clip_questions import TRUTH, segments_of
from benchmarks.figures import report
from benchmarks.recut_judging import Judged, Truth, given, judge
from benchmarks.recut_limits import Figures, figure, measure_speed, measure_strangers
from benchmarks.recut_making import KINDS, Kind, make, plan
from indexer import environment
from indexer.aligning.align import align
from indexer.aligning.paths import PRICES, Order
from indexer.aligning.shots import ShotRow, shots_of_clip, shots_of_title
from indexer.aligning.titles import origins_of
from indexer.aligning.worth import worth_of
from indexer.clip import Clip, encode_clip
from indexer.library import Library
from indexer.pipeline import index
from indexer.studio import Studio

SEED = 1000
QUICK_KINDS: tuple[Kind, ...] = ("highlights", "blocks reordered")
TARGET_RIGHT = 0.8
TARGET_SEGMENTS = 5
"""What asking each segment of the trailer alone finds: `benchmarks/trailer.py`."""


def recuts(
    studio: Studio, film: ShotRow, other: Path, kinds: Sequence[Kind], seed: int
) -> Iterator[tuple[str, Order, Clip, Truth]]:
    """Make and encode the re-cuts of a seed, one after the other."""
    shots = list(zip(film.start_s.tolist(), film.end_s.tolist(), strict=True))
    for kind in kinds:
        recut = plan(kind, shots, seed=seed)
        with tempfile.TemporaryDirectory(prefix="trimbin-bench-") as folder:
            path = make(recut, Path(folder) / "recut.mp4", film=fetch_film(), foreign=other)
            clip = encode_clip(path, studio.encoders)
        yield kind, "in order" if recut.is_in_order else "any order", clip, recut.film_s


def measure_recuts(
    studio: Studio, film_id: str, other: Path, kinds: Sequence[Kind], seed: int
) -> Figures:
    library = studio.library
    film, bands = shots_of_title(library, library.manifest(film_id)), library.profile.likeness
    print(f"{'':18} {'order':10} shots  right  alone  foreign none   off told, s  off untold, s  "
          "titles, score")  # fmt: skip
    all_judged, first, took_s = [], 0, []
    for kind, own_order, clip, truth in recuts(studio, film, other, kinds, seed):
        asked = shots_of_clip(clip)
        for order in PRICES:
            started = time.perf_counter()
            origins = origins_of(clip, library, order=order)
            took_s.append(time.perf_counter() - started)
            judged = judge(asked, film, align(asked, film, bands=bands, order=order), truth, bands)
            print(_line(kind, order, judged, [(s.manifest.title, s.alignment.score)
                                              for s in origins]))  # fmt: skip
            if order == own_order:
                all_judged.append(judged)
                first += bool(origins) and origins[0].manifest.title_id == film_id
    right, alone, foreign, places, sure = (
        np.concatenate([getattr(judged, name) for judged in all_judged])
        for name in ("right", "alone", "foreign", "places", "confidence")
    )
    told = np.concatenate([judged.off_told_s for judged in all_judged])
    untold = np.concatenate([judged.off_untold_s for judged in all_judged])
    print(f"confidence {sure.mean():.2f} where {right.mean():.2f} are right; "
          f"Brier {((sure - right) ** 2).mean():.3f}")  # fmt: skip
    return {
        "recuts": figure(len(all_judged)),
        "shots": figure(len(right)),
        "shots_right": figure(right.mean(), TARGET_RIGHT),
        "shots_right_alone": figure(alone.mean()),
        "film_shots_right": figure(right[~foreign].mean()),
        "film_shots_right_alone": figure(alone[~foreign].mean()),
        "foreign_shots": figure(foreign.sum()),
        "foreign_given_none": figure(right[foreign].mean()),
        "wrong_among_places": figure(1 - right[places].mean()),
        "origin_first": figure(first / len(all_judged), 1.0),
        "told_median_off_s": figure(np.median(told)),
        "told_p90_off_s": figure(np.percentile(told, 90)),
        "untold_median_off_s": figure(np.median(untold)),
        "brier": figure(((sure - right) ** 2).mean()),
        "median_library_s": figure(np.median(took_s)),
    }


def _line(kind: str, order: str, judged: Judged, titles: Sequence[tuple[str, float]]) -> str:
    foreign = [ok for ok, is_foreign in zip(judged.right, judged.foreign, strict=True)
               if is_foreign]  # fmt: skip
    told, untold = (
        f"{np.median(off):.2f} ({len(off)})" if off else "-"
        for off in (judged.off_told_s, judged.off_untold_s)
    )
    named = ", ".join(f"{title[:14]} {score:.2f}" for title, score in titles)
    return (
        f"{kind:18} {order:10} {len(judged.right):5}  {sum(judged.right):5}  "
        f"{sum(judged.alone):5}  {sum(foreign)} of {len(foreign):2}         {told:>12} "
        f"{untold:>13}   {named}"
    )


def measure_trailer(studio: Studio, film_id: str, labels: Path) -> Figures:
    """Lay the trailer along the film as one clip, and ask each of its segments alone."""
    library = studio.library
    film, bands = shots_of_title(library, library.manifest(film_id)), library.profile.likeness
    trailer = encode_clip(fetch_trailer(), studio.encoders)
    clip, segments = shots_of_clip(trailer), segments_of(labels)

    def segment_at(time_s: float) -> int | None:
        """Return the segment that is seen; of two that cross, the later one."""
        return max((i for i, segment in enumerate(segments)
                    if segment.start_s <= time_s < segment.end_s), default=None)  # fmt: skip

    def truth(time_s: float) -> float | None:
        number = segment_at(time_s)
        return None if number is None else segments[number].film_s(time_s)

    alone = []
    for segment in segments:
        whole = encode_clip(
            fetch_trailer(), studio.encoders, in_s=segment.start_s, out_s=segment.end_s
        )
        ends = np.array([whole.start_s]), np.array([whole.end_s])
        one = ShotRow(*ends, {space: vector[None] for space, vector in whole.vectors.items()})
        best = int(worth_of(one, film, bands)[0, 0].argmax())
        alone.append(bool(film.start_s[best] < segment.film_end_s
                          and film.end_s[best] > segment.film_start_s))  # fmt: skip
    figures = {"segments_alone": figure(sum(alone))}
    owner = [segment_at(float(middle)) for middle in (clip.start_s + clip.end_s) / 2]
    for order in PRICES:
        found = align(clip, film, bands=bands, order=order)
        judged, seconds = judge(clip, film, found, truth, bands), given(found, clip, film)
        num_found = 0
        print(f"\ntrailer as one clip, {order}: score {found.score:.2f}, others "
              + ", ".join(f"{origin.manifest.title} {origin.alignment.score:.2f}"
                          for origin in origins_of(trailer, library, order=order)
                          if origin.manifest.title_id != film_id))  # fmt: skip
        for number, segment in enumerate(segments):
            shots = [shot for shot, whose in enumerate(owner) if whose == number]
            right = [shot for shot in shots if judged.right[shot]]
            share = clip.seconds[right].sum() / max(clip.seconds[shots].sum(), 1e-9)
            num_found += bool(share > 0.5)
            off = [
                abs(seconds[shot][1] - segment.film_s(float(clip.start_s[shot]))) for shot in right
            ]
            told = ", ".join(f"{second:.2f}" for second in off)
            print(f"  {segment.name:10} {'found' if share > 0.5 else 'not found':9} "
                  f"{len(right)} of {len(shots)} shots, off {told or '-'} s; alone "
                  f"{'found' if alone[number] else 'not found'}")  # fmt: skip
        cards = [shot for shot, whose in enumerate(owner) if whose is None]
        none = sum(judged.right[shot] for shot in cards)
        print(f"  end card   {none} of {len(cards)} said not to be from the film, confidence "
              + ", ".join(f"{judged.confidence[shot]:.2f}" for shot in cards))  # fmt: skip
        key = order.replace(" ", "_")
        target = TARGET_SEGMENTS if order == "in order" else None
        figures[f"trailer_{key}_segments_found"] = figure(num_found, target)
        figures[f"trailer_{key}_shots_right"] = figure(np.mean(judged.right))
        figures[f"trailer_{key}_end_card_none"] = figure(none / max(len(cards), 1), 1.0)
        figures[f"trailer_{key}_score"] = figure(found.score)
    figures["trailer_shots_right_alone"] = figure(np.mean(judged.alone))
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two re-cuts, and keep the library")
    parser.add_argument("--labels", type=Path, default=os.environ.get("TRIMBIN_LABELS"))
    parser.add_argument("--others", type=Path, nargs="+", default=[], help="films it is not from")
    parser.add_argument("--library", type=Path, help="use this library of the films, or make it")
    parser.add_argument("--seed", type=int, default=SEED)
    asked = parser.parse_args()
    if not asked.others:
        print("No --others, no foreign shots: NOTHING IS MEASURED.", file=sys.stderr)
        report("recuts", {})
        return
    torch.set_num_threads(1)
    kept = asked.library or (environment.user_cache() / "recuts-library" if asked.quick else None)
    with tempfile.TemporaryDirectory(prefix="trimbin-bench-") as folder:
        library = Library.open(kept or Path(folder) / "library", create=True, profile="offline")
        with open_studio(library) as studio:
            results = list(index([fetch_film(), *asked.others], studio))
            film_id = next(r.title_id for r in results if Path(r.path) == fetch_film())
            kinds = QUICK_KINDS if asked.quick else KINDS
            figures = measure_recuts(studio, film_id, asked.others[0], kinds, asked.seed)
            if asked.labels and (Path(asked.labels) / TRUTH).is_file():
                figures |= measure_trailer(studio, film_id, Path(asked.labels))
            else:
                print(f"{TRUTH} is not in --labels: no trailer.", file=sys.stderr)
            film = shots_of_title(library, library.manifest(film_id))
            for measure in (measure_speed, measure_strangers):
                figures |= measure(film, library.profile.likeness)
    report("recuts", figures)


if __name__ == "__main__":
    main()
