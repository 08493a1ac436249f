"""The dialogue as sparse vectors: BM25 without its idf, which the store multiplies in.

The same tokens whichever backend stores them: lower case, accents folded, English stop words
left out and English endings cut. Text without spaces (Japanese, say) is split into words too.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qdrant_client import models
    from qdrant_edge import Bm25, SparseVector

TYPICAL_TOKENS = 8.0
"""Tokens of dialogue in a shot that has any (stop words not counted).

A shot of four seconds holds about ten spoken words, some of them stop words. It only decides
which shots count as long, so it need not be exact; all shots must share it.
"""


def document(dialogue: str) -> models.SparseVector | None:
    """Return the stored vector of a shot's dialogue, or None where no word is left to store."""
    return _sparse(_model().embed_document(dialogue))


def question(line: str) -> models.SparseVector | None:
    """Return the vector that asks for a line, or None where it has nothing but stop words."""
    return _sparse(_model().embed_query(line))


@lru_cache(maxsize=1)
def _model() -> Bm25:
    from qdrant_edge import Bm25, Bm25Config, TokenizerType

    return Bm25(
        Bm25Config(
            avg_len=TYPICAL_TOKENS,
            tokenizer=TokenizerType.Multilingual,
            language="english",
            ascii_folding=True,
        )
    )


def _sparse(vector: SparseVector) -> models.SparseVector | None:
    from qdrant_client import models

    if not vector.indices:
        return None
    return models.SparseVector(indices=vector.indices, values=vector.values)
