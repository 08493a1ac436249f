"""What lies beside a film: its subtitles, and what people say of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from indexer.identity import Identity
from indexer.media.timed_text import Sidecar, sidecar_of
from indexer.metadata import metadata_of
from indexer.studio import Studio
from indexer.workbench import digest
from qdrant.errors import InputError


@dataclass(frozen=True)
class Beside:
    """What a title is made from, apart from its media and the library's profile."""

    sidecar: Sidecar | None
    metadata: Mapping[str, Any]  # the title's row of titles.csv
    inputs: Mapping[str, str]  # hashes: when they change, the title is made anew


def gather(identity: Identity, studio: Studio) -> Beside:
    """Look for subtitles and metadata; a table that cannot be read leaves metadata as it was."""
    library = studio.library
    sidecar = sidecar_of(identity.path, languages=library.profile.text_languages)
    try:
        metadata = metadata_of(identity.path, title_id=identity.title_id, library_root=library.root)
    except InputError as error:
        studio.say(str(error))
        metadata = dict(identity.known.metadata) if identity.known else {}
    inputs = {
        "words": digest(sidecar.path.name, sidecar.content_hash) if sidecar else "",
        "metadata": digest(metadata),
        "missing": digest(sorted(studio.encoders.missing)),
    }
    return Beside(sidecar, metadata, inputs)
