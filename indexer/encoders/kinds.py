"""The kinds of encoder there are: which space each fills, where its code is, what can be set.

Read by profiles to check a TOML file and by `load` to find the class, so nothing heavy is here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from indexer.encoders.precision import PRECISIONS
from qdrant.schema import AUDIO, SOUND, TEXT, VIDEO

SPACES = (VIDEO, AUDIO, TEXT)
"""The spaces that are fused, in the order of fusing."""
ENCODED_SPACES = (*SPACES, SOUND)
"""All that encoders fill. What is not fused is stored and asked for, and no context knows it."""
HEARD_SPACES = (AUDIO, SOUND)
"""Those whose encoders listen."""


CHOICES: Mapping[str, tuple[str, ...]] = {"precision": PRECISIONS}
"""Settings that take one of a few words, whatever the kind."""


@dataclass(frozen=True)
class Kind:
    """A kind of encoder. `required` and `optional` are its settings and their types."""

    space: str
    module: str
    class_name: str
    required: Mapping[str, type] = field(default_factory=dict)
    optional: Mapping[str, type] = field(default_factory=dict)
    is_remote: bool = False  # sends its items to an endpoint
    comes_in_wheels: bool = False  # weights come with the `offline` extra, never from the hub
    reads_words: bool = True
    revision: int = 1  # raised when our code makes other vectors of the same weights


KINDS: Mapping[str, Kind] = {
    "open_clip": Kind(
        VIDEO,
        "indexer.encoders.video",
        "OpenClipFrames",
        required={"model": str, "pretrained": str},
        optional={"pool": str, "precision": str},
    ),
    "wav2vec2": Kind(
        AUDIO,
        "indexer.encoders.audio",
        "Wav2Vec2Sound",
        required={"model": str},
        optional={"centre": str, "precision": str},
        reads_words=False,
        revision=2,
    ),
    "clap": Kind(
        SOUND,
        "indexer.encoders.named_sound",
        "ClapSound",
        required={"model": str},
        optional={"query_prefix": str, "precision": str},
    ),
    "sentence": Kind(
        TEXT,
        "indexer.encoders.text",
        "SentenceText",
        required={"model": str},
        optional={"query_prefix": str, "passage_prefix": str, "max_tokens": int, "precision": str},
    ),
    "openai": Kind(
        TEXT,
        "indexer.encoders.endpoint",
        "EndpointText",
        required={"model": str},
        is_remote=True,
    ),
    "conse": Kind(VIDEO, "indexer.encoders.conse", "ConseFrames", comes_in_wheels=True, revision=2),
    "moonshine": Kind(
        AUDIO,
        "indexer.encoders.speech",
        "MoonshineSound",
        comes_in_wheels=True,
        reads_words=False,
    ),
    "minilm": Kind(TEXT, "indexer.encoders.sentences", "MiniLmText", comes_in_wheels=True),
}


def version_of(kind: str, settings: Mapping[str, Any]) -> str:
    """Return `<kind>-<8 hex>`: changes with the settings, and with our code by its revision."""
    told = json.dumps([kind, dict(settings), KINDS[kind].revision], sort_keys=True)
    return f"{kind}-{hashlib.sha256(told.encode()).hexdigest()[:8]}"
