"""Words: an OpenAI-compatible embeddings endpoint. Dialogue leaves the machine, and costs money."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from indexer.encoders.kinds import version_of
from indexer.encoders.paid_cache import PaidCache
from indexer.encoders.pooling import with_words
from indexer.encoders.protocol import Vectors, unit
from indexer.profiles.parse import EncoderSpec, Endpoint
from qdrant.errors import CannotRunNow, WeightsUnavailable

if TYPE_CHECKING:
    import httpx
    import openai

logger = logging.getLogger(__name__)

MAX_INPUTS = 512
MAX_TOKENS = 200_000
"""A request may hold 2,048 inputs and 300,000 tokens; ours are estimates, so we stay below."""
MAX_INPUT_BYTES = 8_191 * 3
"""An input may hold 8,191 tokens, and a token is seldom under three bytes."""
BYTES_A_TOKEN = 4
"""OpenAI's rule of thumb for English; other scripts have more bytes a letter and more tokens."""
MAX_RETRIES = 6
TIMEOUT_S = 60.0


class EndpointText:
    """Dialogue and questions as unit vectors, asked for once and then kept on disk.

    The key is read from the environment when a request is made; it is never stored or shown.
    """

    def __init__(
        self,
        spec: EncoderSpec,
        *,
        endpoint: Endpoint,
        cache_dir: Path,
        http_client: httpx.Client | None = None,
    ) -> None:
        self._model = str(spec.settings["model"])
        self.name = f"{self._model} at {endpoint.url}"
        self.version = version_of(spec.kind, {**spec.settings, "dim": spec.dim})
        self.dim = spec.dim
        self._endpoint = endpoint
        self._http_client = http_client
        self._cache = PaidCache(
            cache_dir / "embeddings.sqlite3", asked=[endpoint.url, self._model, self.dim]
        )

    @staticmethod
    def obstacle(spec: EncoderSpec, endpoint: Endpoint) -> str | None:
        """Return why it cannot be used here, or None. Asks nobody."""
        if not os.environ.get(endpoint.api_key_env):
            return f"the environment variable {endpoint.api_key_env} holds no key"
        return None

    def encode(self, items: Sequence[str | None]) -> Vectors:
        """Return (num_items, dim) float32 unit vectors; zeros where nothing is said.

        Raises `WeightsUnavailable` without a key, `CannotRunNow` where the endpoint refuses or
        does not answer; what was paid for by then is kept.
        """
        vectors = np.zeros((len(items), self.dim), np.float32)
        texts = {place: _cut(items[place] or "") for place in with_words(items)}
        wanted = list(dict.fromkeys(texts.values()))
        known = self._cache.find(wanted)
        for batch in batches([text for text in wanted if text not in known]):
            asked = dict(zip(batch, self._ask(batch), strict=True))
            self._cache.keep(asked)
            known |= asked
        for place, text in texts.items():
            vectors[place] = known[text]
        return unit(vectors)

    def encode_words(self, words: Sequence[str]) -> Vectors:
        """Return (num_queries, dim) float32 unit vectors."""
        return self.encode(words)

    def estimate_cost(self, texts: Sequence[str]) -> tuple[int, float]:
        """Return (tokens, US dollars), about, for the texts that are not on disk yet."""
        wanted = {_cut(texts[place]) for place in with_words(texts)}
        tokens = sum(map(estimate_tokens, wanted - self._cache.find(list(wanted)).keys()))
        return tokens, tokens * self._endpoint.usd_per_million_tokens / 1e6

    @cached_property
    def _client(self) -> openai.OpenAI:
        import openai

        key = os.environ.get(self._endpoint.api_key_env)
        if not key:
            raise WeightsUnavailable(
                f"{self._model} needs a key and the environment variable "
                f"{self._endpoint.api_key_env} holds none; set it, or use `--profile offline`."
            )
        return openai.OpenAI(
            api_key=key,
            base_url=self._endpoint.url,
            max_retries=MAX_RETRIES,  # the client waits as long as a 429's Retry-After says
            timeout=TIMEOUT_S,
            http_client=cast(Any, self._http_client),  # typed for its own fork of httpx; takes both
        )

    def _ask(self, texts: Sequence[str]) -> list[Vectors]:
        import openai

        refusal: CannotRunNow | None = None
        try:
            answer = self._client.embeddings.create(
                model=self._model, input=list(texts), dimensions=self.dim, encoding_format="float"
            )
        except openai.AuthenticationError:
            refusal = self._refused("does not accept the key", "Check the key's variable")
        except openai.APIStatusError as error:
            refusal = self._refused(f"answered {error.status_code}", "Try again later")
        except openai.APIError as error:
            refusal = self._refused(f"does not answer ({type(error).__name__})", "Try again later")
        if refusal:
            # Outside the handlers: an endpoint may quote the key in its answer, and a chained
            # cause would put that into tracebacks.
            raise refusal
        rows = sorted(answer.data, key=lambda row: row.index)
        vectors = [np.asarray(row.embedding, np.float32) for row in rows]
        if [len(row) for row in vectors] != [self.dim] * len(texts):
            raise self._refused(
                f"sent vectors that are not {len(texts)} of {self.dim} numbers",
                "Correct the profile's model or dim",
            )
        return vectors

    def _refused(self, what: str, way_out: str) -> CannotRunNow:
        return CannotRunNow(
            f"The endpoint {self._endpoint.url} {what} for {self._model}. {way_out} "
            f"({self._endpoint.api_key_env}); what has been embedded is kept."
        )


def estimate_tokens(text: str) -> int:
    """Return about how many tokens a text has."""
    return -(-len(text.encode()) // BYTES_A_TOKEN)


def batches(texts: Sequence[str]) -> Iterator[list[str]]:
    """Yield the texts in order, as many at a time as one request may hold."""
    batch: list[str] = []
    tokens = 0
    for text in texts:
        more = estimate_tokens(text)
        if batch and (len(batch) == MAX_INPUTS or tokens + more > MAX_TOKENS):
            yield batch
            batch, tokens = [], 0
        batch.append(text)
        tokens += more
    if batch:
        yield batch


def _cut(text: str) -> str:
    return text.encode()[:MAX_INPUT_BYTES].decode(errors="ignore")
