"""What lies beside a film: its subtitles, and what people say of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from indexer.choices import Choices
from indexer.identity import Identity
from indexer.media.probe import content_hash
from indexer.metadata import metadata_of
from indexer.studio import Studio
from indexer.words.sidecars import beside
from indexer.workbench import digest
from qdrant.errors import InputError


@dataclass(frozen=True)
class Beside:
    """What a title is made from, apart from its media and the library's profile."""

    metadata: Mapping[str, Any]  # the title's row of titles.csv
    inputs: Mapping[str, str]  # hashes: when they change, the title is made anew


def gather(identity: Identity, studio: Studio, *, choices: Choices) -> Beside:
    """Look for subtitles and metadata; a table that cannot be read leaves metadata as it was."""
    library = studio.library
    try:
        metadata = metadata_of(identity.path, title_id=identity.title_id, library_root=library.root)
    except InputError as error:
        studio.say(str(error))
        metadata = dict(identity.known.metadata) if identity.known else {}
    inputs = {
        "words": digest([(path.name, _hash(path)) for path in beside(identity.path)]),
        "metadata": digest(metadata),
        "missing": digest(sorted(studio.encoders.missing)),
        "choices": digest(choices.kept()),
    }
    return Beside(metadata, inputs)


def _hash(path: Path) -> str:
    """Return the hash of a subtitle file; empty where it cannot be read, which reading it tells."""
    try:
        return content_hash(path)
    except InputError:
        return ""
