"""The five tasks that vectors are judged by, and the one that names each title's winner."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

TaskName = Literal["ads", "popularity", "tone", "genre", "retrieval", "winner"]
TASK_NAMES: tuple[TaskName, ...] = get_args(TaskName)
Form = Literal["labels", "yes or no", "ranks"]
Measure = Literal["macro AP", "micro AP", "AP", "tau", "top-1 over chance"]

GENRES = ("Action", "Anime", "Comedy", "Documentary", "Drama", "Fantasy", "Horror", "Kids",
          "Romance", "Sci-fi", "Thriller")  # fmt: skip
FOLDS = 10
FEWEST_TITLES = 5
"""Fewer make no folds, and no draw of them says how sure a number is."""


@dataclass(frozen=True)
class Task:
    """What is asked of a clip's vector, and how the answers are counted."""

    name: TaskName
    form: Form  # several labels a clip, one yes or no, or a place among its title's clips
    measure: Measure
    about: str  # what its labels say
    learned_as: TaskName  # whose labels it reads and whose probe it judges


TASKS: dict[TaskName, Task] = {
    task.name: task
    for task in (
        Task("ads", "labels", "macro AP", "which advertisements fit", "ads"),
        Task("popularity", "ranks", "tau", "how much a clip was clicked", "popularity"),
        Task("tone", "labels", "micro AP", "which tones a clip has", "tone"),
        Task("genre", "labels", "macro AP", "which genre a clip is", "genre"),
        Task("retrieval", "yes or no", "AP", "whether a clip is worth showing", "retrieval"),
        Task("winner", "ranks", "top-1 over chance", "how much a clip was clicked", "popularity"),
    )
}
"""All are split by title, `FOLDS` times; popularity is counted within each title."""

MEASURES: dict[Measure, str] = {
    "macro AP": "average precision, mean over labels",
    "micro AP": "average precision over all labels together",
    "AP": "average precision",
    "tau": "Kendall's tau within a title, mean over titles",
    "top-1 over chance": "share of titles whose most popular clip is named, less chance",
}
