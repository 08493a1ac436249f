"""A simulated catalogue: what a labelled one would have, from a written story model. Simulation.

A title has a genre, a style, a theme and a few storylines. A storyline has a lead and other people,
places, a subject that moves on from scene to scene, a tone. Scenes belong to storylines and take
turns; some are cut into each other. A shot is of a scene: it shows some of the people and, now and
then, the place; somebody may speak, of the scene's subject or of what happened in the storyline's
scene before. Of all that, the three vectors of a shot are noisy partial views, and each shot has
content of its own that has nothing to do with any other.

`strength` says how much of what is seen, and of what is asked, lies in the story (1) and how much
in the shot alone (0). At 0 shots are independent of one another: there is no context to learn, and
a gain there would refute whoever claims one. Everything else is fixed in `World`, set down before
a model was trained on it.

Usage: world.py [--titles N] [--strength S] [--seed N]   describes what it makes
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

GENRES = ("Action", "Anime", "Comedy", "Documentary", "Drama", "Fantasy", "Horror", "Kids",
          "Romance", "Sci-fi", "Thriller")  # fmt: skip
TASKS = ("ads", "popularity", "tone", "genre", "retrieval")
MODALITIES = ("video", "audio", "text")
SCALES = {"ads": 1.3, "tone": 0.9, "genre": 0.85, "popularity": 1.2, "retrieval": 1.45}
"""The deviation of what each task asks of the story, so that all weigh the same."""
PLACE, PERSON, SUBJECT, TONE, STYLE, OWN = 16, 16, 16, 12, 8, 16
"""Numbers of each latent."""


@dataclass(frozen=True)
class World:
    """The story model's parameters; the same `seed` gives the same world and titles."""

    strength: float = 0.5
    seed: int = 0
    dim: int = 64  # numbers in a modality's vector
    median_shots: float = 1273.0  # of a title: the median of 100 features
    shots_spread: float = 0.35  # of the logarithm
    scene_shots: float = 14.0  # in the mean; geometric, so most are shorter
    storylines: tuple[int, int] = (3, 5)  # from, to
    people: tuple[int, int] = (2, 4)  # of a storyline
    places: tuple[int, int] = (2, 5)
    moves_on: float = 0.35  # how far a subject goes from scene to scene of its storyline
    turns: float = 0.12  # of the scenes are turning points: subject and tone jump
    intercut: float = 0.25  # of the scenes are cut into the next one
    seen_place: float = 0.5  # of the shots show where they are
    spoken: float = 0.45  # of the shots have a line, whence text
    looks_back: float = 0.3  # of the lines speak of the storyline's scene before
    scored: float = 0.4  # of the scenes have music, which tells tone and tension
    silent: float = 0.03  # of the shots have no sound at all
    noise: float = 1.0  # beside views of length 1
    tones: int = 20
    categories: int = 12  # of advertisements
    clips: int = 32  # asked about, of a title
    clip_shots: tuple[int, int] = (3, 12)
    disagreement: float = 0.3  # of annotators, beside scores of deviation 1


@dataclass(frozen=True)
class Title:
    """One title: what is seen of it, and what is true of it."""

    number: int
    parts: dict[str, Floats]  # modality -> (num_shots, dim), unit rows; zeros where it is missing
    about: Floats  # (dim,) what a synopsis would tell: genre, style, theme; unit
    scene: NDArray[np.int32]  # (num_shots,)
    storyline: NDArray[np.int32]  # (num_shots,)
    subject: Floats  # (num_shots, SUBJECT) of its scene
    line: Floats  # (num_shots, SUBJECT) what is said in the shot; zeros without a line
    place: Floats  # (num_shots, PLACE) of its scene
    mood: Floats  # (num_shots, TONE + 3) of its scene: tone, tension, turning point, the lead's
    seen: Floats  # (num_shots, PERSON + PLACE) what the shot itself shows; zeros where no place
    genre: int
    clips: NDArray[np.int32]  # (num_clips, 2) half-open shots
    labels: dict[str, Floats]  # task -> (num_clips, num_classes), or (num_clips, 1)

    @property
    def num_shots(self) -> int:
        return len(self.scene)


@dataclass(frozen=True)
class _Story:
    """The latents of a title's shots, in order: each (num_shots, ...)."""

    scene: NDArray[np.int32]
    storyline: NDArray[np.int32]
    place: Floats
    subject: Floats
    before: Floats  # the subject of the storyline's scene before
    tone: Floats
    tension: Floats  # (num_shots, 1)
    turning: Floats  # (num_shots, 1) 1 in turning points
    has_lead: Floats  # (num_shots, 1) 1 where the scene is the lead's
    is_scored: NDArray[np.bool_]
    people: list[NDArray[np.int32]]  # who is in the scene, by index into the cast


class Catalogue:
    """Titles of one world, each made when it is asked for: none has to be stored."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._random = np.random.default_rng([world.seed, 0])
        self._views = {m: self._mixers() for m in MODALITIES}
        draw = self._random.standard_normal
        self._genre_tone = draw((len(GENRES), TONE)) / np.sqrt(TONE)
        self._genre_subject = draw((len(GENRES), SUBJECT)) / np.sqrt(SUBJECT)
        self._genre_style = draw((len(GENRES), STYLE)) / np.sqrt(STYLE)
        self._synopsis = draw((len(GENRES) + STYLE + SUBJECT, world.dim))
        self._asked = {task: self._questions(task) for task in TASKS}

    def titles(self, first: int, end: int) -> Iterator[Title]:
        """Yield titles `[first, end)`."""
        return (self.title(number) for number in range(first, end))

    def title(self, number: int) -> Title:
        """Return a title; the same number gives the same title."""
        world = self.world
        random = np.random.default_rng([world.seed, 1, number])
        genre = int(random.integers(len(GENRES)))
        style = self._genre_style[genre] + 0.7 * random.standard_normal(STYLE) / np.sqrt(STYLE)
        theme = self._genre_subject[genre] + random.standard_normal(SUBJECT) / np.sqrt(SUBJECT)
        num_shots = round(random.lognormal(np.log(world.median_shots), world.shots_spread))
        cast = random.standard_normal((40, PERSON)) / np.sqrt(PERSON)
        story = self._story(max(40, num_shots), genre, theme, random)
        own = random.standard_normal((len(story.scene), OWN)) / np.sqrt(OWN)
        parts, line, seen = self._see(story, own, style, cast, random)
        known = np.concatenate([np.eye(len(GENRES))[genre], style, theme])
        about = known @ self._synopsis + 0.5 * random.standard_normal(world.dim)
        clips = self._clips(len(story.scene), random)
        return Title(
            number=number, parts=parts, about=_unit(about), scene=story.scene,
            storyline=story.storyline, subject=story.subject, line=line, place=story.place,
            mood=np.concatenate(
                [story.tone, story.tension, story.turning, story.has_lead], axis=1
            ),
            seen=seen,
            genre=genre, clips=clips,
            labels=self._labels(story, own, genre, theme, clips, random),
        )  # fmt: skip

    def asked(self, task: str) -> dict[str, Floats]:
        """Return what a task asks of each latent: (numbers, classes)."""
        return self._asked[task]

    def view(self, modality: str, **latents: Floats) -> Floats:
        """Return (num, dim) unit rows: these latents as a modality's encoder sees them."""
        mixers = self._views[modality]
        return _unit(sum(latent @ mixers[name] for name, latent in latents.items()))

    def _mixers(self) -> dict[str, Floats]:
        """Return how each latent shows in one modality: (numbers, dim) each."""
        sizes = {"place": PLACE, "person": PERSON, "subject": SUBJECT, "tone": TONE + 1,
                 "style": STYLE, "own": OWN}  # fmt: skip
        return {
            name: np.float32(self._random.standard_normal((size, self.world.dim)) / np.sqrt(size))
            for name, size in sizes.items()
        }

    def _questions(self, task: str) -> dict[str, Floats]:
        """Return what a task asks of the shot and of its story: (numbers, classes) each."""
        classes = {"ads": self.world.categories, "tone": self.world.tones, "genre": len(GENRES)}
        num = classes.get(task, 1)
        asked = {"own": (OWN, num), "tone": (TONE, num), "place": (PLACE, num),
                 "subject": (SUBJECT, num)}  # fmt: skip
        return {
            name: np.float32(self._random.standard_normal(shape)) for name, shape in asked.items()
        }

    def _story(
        self, num_shots: int, genre: int, theme: Floats, random: np.random.Generator
    ) -> _Story:
        """Return a title's story, scene by scene, as latents of its shots."""
        world = self.world
        lines = [
            self._storyline(genre, theme, random)
            for _ in range(random.integers(world.storylines[0], world.storylines[1] + 1))
        ]
        weights = 1 / np.arange(1, len(lines) + 1)
        lengths = random.geometric(1 / world.scene_shots, size=num_shots) + 1
        num_scenes = int(np.searchsorted(np.cumsum(lengths), num_shots)) + 1
        order = _intercut(lengths[:num_scenes], world.intercut, random)[:num_shots]
        scenes = []
        for scene in range(num_scenes):
            line = lines[random.choice(len(lines), p=weights / weights.sum())]
            scenes.append(line.next_scene(scene / num_scenes, world, random))
        which = {id(line): n for n, line in enumerate(lines)}

        def of_shots(name: str) -> Floats:
            return np.float32([scenes[s][name] for s in order])

        return _Story(
            scene=order,
            storyline=np.int32([which[scenes[s]["line"]] for s in order]),
            place=of_shots("place"), subject=of_shots("subject"), before=of_shots("before"),
            tone=of_shots("tone"), tension=of_shots("tension"), turning=of_shots("turning"),
            has_lead=of_shots("has_lead"),
            is_scored=np.array([scenes[s]["is_scored"] for s in order]),
            people=[scenes[s]["people"] for s in order],
        )  # fmt: skip

    def _storyline(self, genre: int, theme: Floats, random: np.random.Generator) -> _Storyline:
        world = self.world
        num_people = random.integers(world.people[0], world.people[1] + 1)
        num_places = random.integers(world.places[0], world.places[1] + 1)
        return _Storyline(
            people=np.int32(random.choice(40, size=num_people, replace=False)),
            places=random.standard_normal((num_places, PLACE)) / np.sqrt(PLACE),
            subject=theme + random.standard_normal(SUBJECT) / np.sqrt(SUBJECT),
            tone=self._genre_tone[genre] + 0.7 * random.standard_normal(TONE) / np.sqrt(TONE),
        )

    def _see(
        self, story: _Story, own: Floats, style: Floats, cast: Floats, random: np.random.Generator
    ) -> tuple[dict[str, Floats], Floats, Floats]:
        """Return the three views of every shot, what is said in each, and what each shows."""
        world, num = self.world, len(story.scene)
        seen, speaker = np.zeros((num, PERSON)), np.zeros((num, PERSON))
        for shot, people in enumerate(story.people):
            shown = random.choice(people, size=min(len(people), random.integers(1, 3)))
            seen[shot] = cast[shown].mean(axis=0)
            speaker[shot] = cast[random.choice(people)]
        place = story.place * (random.random((num, 1)) < world.seen_place)
        mood = np.concatenate([story.tone, story.tension], axis=1)
        is_spoken = random.random((num, 1)) < world.spoken
        looks_back = random.random((num, 1)) < world.looks_back
        said = np.where(looks_back, story.before, story.subject)
        shown = {
            "video": [("place", place, 1.0), ("person", seen, 1.0), ("tone", mood, 0.5),
                      ("style", np.broadcast_to(style, (num, STYLE)), 0.5)],
            "audio": [("place", story.place, 0.6), ("person", speaker * is_spoken, 0.8),
                      ("tone", mood * story.is_scored[:, None], 1.0)],
            "text": [("subject", said, 1.2), ("person", speaker, 0.4)],
        }  # fmt: skip
        missing = {
            "audio": random.random((num, 1)) < world.silent,
            "text": ~is_spoken,
        }
        parts = {}
        for modality, latents in shown.items():
            mixers = self._views[modality]
            story_view = sum(weight * latent @ mixers[name] for name, latent, weight in latents)
            view = np.sqrt(world.strength) * _unit(story_view)
            view += np.sqrt(1 - world.strength) * _unit(own @ mixers["own"])
            view += world.noise * random.standard_normal((num, world.dim)) / np.sqrt(world.dim)
            parts[modality] = np.where(missing.get(modality, False), 0, _unit(view)).astype("f4")
        return parts, np.float32(said * is_spoken), np.float32(np.hstack([seen, place]))

    def _clips(self, num_shots: int, random: np.random.Generator) -> NDArray[np.int32]:
        """Return clips, none of which overlaps another."""
        world = self.world
        edges = np.linspace(0, num_shots, world.clips + 1).astype(int)
        clips = []
        for first, end in itertools.pairwise(edges):
            length = min(end - first, random.integers(world.clip_shots[0], world.clip_shots[1] + 1))
            start = random.integers(first, end - length + 1)
            clips.append((start, start + length))
        return np.int32(clips)

    def _labels(
        self, story: _Story, own: Floats, genre: int, theme: Floats,
        clips: NDArray[np.int32], random: np.random.Generator,
    ) -> dict[str, Floats]:  # fmt: skip
        """Return every task's labels of the clips."""
        about_theme = _normal(np.sum(story.subject * theme, axis=1, keepdims=True))
        drama = story.tension + story.turning + story.has_lead + 0.5 * about_theme
        told = {
            "ads": lambda q: story.subject @ q["subject"] + 0.5 * story.place @ q["place"],
            "tone": lambda q: story.tone @ q["tone"],
            "genre": lambda q: np.tile(3.0 * np.eye(len(GENRES))[genre], (len(story.scene), 1)),
            "popularity": lambda q: 1.5 * drama + story.tone @ q["tone"],
            "retrieval": lambda q: 2.0 * drama + 0.5 * story.tone @ q["tone"],
        }
        strength = self.world.strength
        labels = {}
        for task in TASKS:
            asked = self._asked[task]
            of_story, of_own = told[task](asked) / SCALES[task], own @ asked["own"]
            scores = np.stack(
                [
                    np.sqrt(strength) * of_story[a:b].mean(axis=0)
                    + np.sqrt(1 - strength) * of_own[a:b].sum(axis=0) / np.sqrt(b - a)
                    for a, b in clips
                ]
            )
            scores += self.world.disagreement * random.standard_normal(scores.shape)
            labels[task] = self._answered(task, scores)
        return labels

    def _answered(self, task: str, scores: Floats) -> Floats:
        """Return labels: 0 or 1 a class, or a number to rank by."""
        if task == "popularity":
            return np.float32(scores)
        if task == "genre":
            return np.float32(scores == scores.max(axis=1, keepdims=True))
        if task == "retrieval":  # one in four of a title
            return np.float32(scores >= np.quantile(scores, 0.75))
        return np.float32(scores > 1.0)  # about one in six


@dataclass
class _Storyline:
    """Where a storyline stands."""

    people: NDArray[np.int32]
    places: Floats
    subject: Floats
    tone: Floats

    def next_scene(self, position: float, world: World, random: np.random.Generator) -> dict:
        """Move on by a scene; return its latents."""
        before, turning = self.subject, random.random() < world.turns
        far = 1.0 if turning else world.moves_on
        self.subject = self.subject + far * random.standard_normal(SUBJECT) / np.sqrt(SUBJECT)
        self.subject = self.subject / max(1.0, float(np.linalg.norm(self.subject)) / 1.5)
        if turning:
            self.tone = 0.6 * self.tone + 0.6 * random.standard_normal(TONE) / np.sqrt(TONE)
        in_scene = random.random(len(self.people)) < (0.8, *[0.5] * (len(self.people) - 1))
        present = self.people[in_scene] if in_scene.any() else self.people[:1]
        rising = np.sin(np.pi * min(1.0, position / 1.7)) ** 2  # to a climax late in the title
        return {
            "line": id(self),
            "place": self.places[min(len(self.places) - 1, random.geometric(0.5) - 1)],
            "subject": self.subject,
            "before": before,
            "tone": self.tone + 0.4 * random.standard_normal(TONE) / np.sqrt(TONE),
            "tension": [rising - 0.5 + 0.4 * random.standard_normal()],
            "turning": [float(turning)],
            "has_lead": [float(self.people[0] in present)],
            "is_scored": random.random() < world.scored,
            "people": present,
        }


def _intercut(
    lengths: NDArray[np.int64], share: float, random: np.random.Generator
) -> NDArray[np.int32]:
    """Return each shot's scene, some scenes cut into the one after them."""
    order: list[int] = []
    scene = 0
    while scene < len(lengths):
        shots = [scene] * int(lengths[scene])
        if scene + 1 < len(lengths) and random.random() < share:
            shots += [scene + 1] * int(lengths[scene + 1])
            turns = np.cumsum(random.geometric(0.4, size=len(shots)))
            side = np.searchsorted(turns, np.arange(len(shots)), side="right") % 2
            mixed, left = [], {0: shots.count(scene), 1: shots.count(scene + 1)}
            for wanted in side.tolist():
                chosen = wanted if left[wanted] else 1 - wanted
                left[chosen] -= 1
                mixed.append(scene + chosen)
            shots, scene = mixed, scene + 1
        order += shots
        scene += 1
    return np.int32(order)


def _unit(rows: NDArray[np.floating]) -> Floats:
    norms = np.linalg.norm(rows, axis=-1, keepdims=True)
    return np.float32(rows / np.maximum(norms, 1e-9))


def _normal(values: Floats) -> Floats:
    """Return values as so many deviations from their mean."""
    return np.float32((values - values.mean()) / (values.std() + 1e-6))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--titles", type=int, default=20)
    parser.add_argument("--strength", type=float, default=World.strength)
    parser.add_argument("--seed", type=int, default=World.seed)
    parser.add_argument("--quick", action="store_true", help="five titles")
    given = parser.parse_args()
    catalogue = Catalogue(World(strength=given.strength, seed=given.seed))
    titles = list(catalogue.titles(0, 5 if given.quick else given.titles))
    print(f"SIMULATION, strength {given.strength}, seed {given.seed}: {len(titles)} titles")
    print(f"shots {[title.num_shots for title in titles]}")
    print(f"shots a scene {np.mean([t.num_shots / len(set(t.scene)) for t in titles]):.1f}")
    for modality in MODALITIES:
        has = np.mean([np.any(t.parts[modality], axis=1).mean() for t in titles])
        print(f"{modality}: {has:.0%} of the shots")
    for task in TASKS:
        labels = np.concatenate([t.labels[task] for t in titles])
        print(f"{task}: {labels.shape[1]} classes, mean {labels.mean():.3f}, {labels.std():.3f}")


if __name__ == "__main__":
    main()
