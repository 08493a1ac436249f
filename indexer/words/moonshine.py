"""Speech to words, offline: Moonshine tiny-en (arXiv 2410.15608), out of its wheel; English only.

The wheel's package wants a sound card's library, so it is located and never imported.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.encoders.speech import PACKAGE, RECEPTIVE_FIELD_SAMPLES, encoder_session
from indexer.encoders.weights import OFFLINE_EXTRA, absent_wheels, onnx_session, package_folder
from indexer.words.alignment import times_of
from indexer.words.transcribe import SAMPLE_RATE_HZ, Word

FOLDER = "assets/tiny-en"
DECODER = "decoder_model_merged.ort"
TOKENS = "tokenizer.bin"

OPENS, CLOSES = 1, 2
"""The tokens before and after a text."""
SPACE = "▁".encode()
MARK = b"<"  # <unk>, <s>, </s>, <<ST_0>> to <<ST_767>>: no words
NO_CACHE = np.zeros((1, 8, 0, 36), np.float32)  # batch, heads, tokens so far, numbers a head
STEP_SAMPLES = 384
"""The encoder's three convolutions stride 64, 3 and 2 samples."""

TOKENS_PER_S = 6.5
"""Upstream's limit, faster than people talk: where it is reached the decoder goes round."""
LONGEST_PHRASE = 12  # tokens; looked for at the end of a text that reached the limit
GUESS = -0.65
"""A mean log probability a token below this is noise taken for speech.

Measured: speech -.01 to -.52; what silero takes for speech in a film without a word, -.71 to -1.5.
"""


@dataclass(frozen=True)
class Text:
    """What the decoder wrote for one sound, and what it kept in mind."""

    tokens: tuple[int, ...]  # without the opening and the closing one
    log_probabilities: NDArray[np.float32]  # of each: (num_tokens,)
    steps: NDArray[np.float32]  # of the encoder: (1, num_steps, 288)
    cache: Mapping[str, NDArray[np.float32]]  # keys and values, of the text and of the sound


class MoonshineTranscriber:
    """Moonshine tiny-en, greedy and in one thread: the same sound gives the same words."""

    name = "Moonshine tiny-en"
    version = "moonshine-tiny-en-1"
    languages: tuple[str, ...] = ("en",)
    longest_s = 15.0  # beyond it phrases were left out or said over

    def __init__(self) -> None:
        self._encoder, self._decoder = encoder_session(), _decoder_session()
        self._vocabulary = read_tokens((package_folder(PACKAGE) / FOLDER / TOKENS).read_bytes())

    @staticmethod
    def obstacle() -> str | None:
        """Return why it cannot run here, or None. Loads nothing."""
        absent = absent_wheels(PACKAGE, "onnxruntime")
        if absent is None and not (package_folder(PACKAGE) / FOLDER / DECODER).is_file():
            return f"this release of {PACKAGE} carries no weights; {OFFLINE_EXTRA}"
        return absent

    def transcribe(self, sound: NDArray[np.float32], *, start_s: float) -> list[Word]:
        """Return the words of one stretch of speech, on the title's clock.

        `sound` is (num_samples,) -1..1 at 16 kHz, at most 30 s, and begins at `start_s`. A text
        that is only a guess is no text. Word times are good to a few tenths of a second.
        """
        if len(sound) < RECEPTIVE_FIELD_SAMPLES:
            return []
        text = self._write(sound)
        if not text.tokens or text.log_probabilities.mean() < GUESS:
            return []
        words, firsts = self._words_of(text.tokens)
        edges = [*firsts, len(text.tokens)]

        def loss(first: int, last: int, time_s: float) -> NDArray[np.float32]:
            tokens = self._loss(text, edges[first], edges[last], time_s)
            inner = np.array(edges[first:last]) - edges[first]
            found: NDArray[np.float32] = np.maximum.reduceat(tokens, inner)
            return found

        return [
            Word(start_s + begins_s, start_s + ends_s, word)
            for word, (begins_s, ends_s) in zip(words, times_of(words, sound, loss), strict=True)
        ]

    def _write(self, sound: NDArray[np.float32]) -> Text:
        """Write greedily, a token at a time, until the closing token or the limit."""
        mask = np.ones((1, len(sound)), np.int64)
        (steps,) = self._encoder.run(None, {"input_values": sound[None], "attention_mask": mask})
        cache: dict[str, NDArray[np.float32]] = {}
        tokens, log_probabilities = [OPENS], []
        limit = int(len(sound) / SAMPLE_RATE_HZ * TOKENS_PER_S) + 1
        while len(tokens) <= limit:
            logs, cache = self._ask(tokens[-1:], steps, cache)
            tokens.append(int(logs[0].argmax()))
            log_probabilities.append(logs[0].max())
            if tokens[-1] == CLOSES:
                break
        closed = tokens[-1] == CLOSES
        written = tokens[1:-1] if closed else without_loop(tokens[1:])
        return Text(tuple(written), np.array(log_probabilities[: len(written)]), steps, cache)

    def _loss(self, text: Text, first: int, last: int, time_s: float) -> NDArray[np.float32]:
        """Return what tokens lose with the sound after a moment hidden: (last - first,)."""
        num_steps = max(1, round(time_s * SAMPLE_RATE_HZ / STEP_SAMPLES))
        cache = {
            name: kept[:, :, :first] if ".decoder." in name else kept[:, :, :num_steps]
            for name, kept in text.cache.items()
        }
        tokens = (OPENS, *text.tokens)
        logs, _ = self._ask(list(tokens[first:last]), text.steps[:, :num_steps], cache)
        wanted = list(tokens[first + 1 : last + 1])
        lost: NDArray[np.float32] = (
            text.log_probabilities[first:last] - logs[np.arange(len(wanted)), wanted]
        )
        return lost

    def _ask(
        self,
        tokens: list[int],
        steps: NDArray[np.float32],
        cache: Mapping[str, NDArray[np.float32]],
    ) -> tuple[NDArray[np.float32], dict[str, NDArray[np.float32]]]:
        """Return log probabilities after each token, (num_tokens, 32768), and the cache grown."""
        names = [put.name for put in self._decoder.get_inputs() if put.name.startswith("past_")]
        mask = np.ones((1, steps.shape[1] * STEP_SAMPLES + RECEPTIVE_FIELD_SAMPLES), np.int64)
        logits, *kept = self._decoder.run(
            None,
            {
                "input_ids": np.array([tokens]),
                "encoder_hidden_states": steps,
                "encoder_attention_mask": mask,
                "use_cache_branch": np.array([bool(cache)]),
                **{name: cache.get(name, NO_CACHE) for name in names},
            },
        )
        # The sound's keys and values are made once, in the first call, and left out after it.
        grown = {
            name: cache[name] if cache and ".encoder." in name else new
            for name, new in zip(names, kept, strict=True)
        }
        return _log_softmax(logits[0]), grown

    def _words_of(self, tokens: tuple[int, ...]) -> tuple[list[str], list[int]]:
        """Return words and the number of each one's first token; sound marks are left out."""
        words: list[bytes] = []
        firsts: list[int] = []
        for number, token in enumerate(tokens):
            piece = self._vocabulary[token]
            if not words or (piece.startswith(SPACE) and words[-1]):
                words.append(b"")
                firsts.append(number)
            words[-1] += b"" if piece.startswith(MARK) else piece.replace(SPACE, b"")
        return [word.decode("utf-8", "replace") for word in words], firsts


def read_tokens(table: bytes) -> list[bytes]:
    """Return the bytes of each token of a `tokenizer.bin`: a length of one or two bytes, then they.

    A length of 128 or more is the low seven bits, and the next byte the high ones.
    """
    tokens = []
    at = 0
    while at < len(table):
        length, at = table[at], at + 1
        if length >= 128:
            length, at = length - 128 + 128 * table[at], at + 1
        tokens.append(table[at : at + length])
        at += length
    return tokens


def without_loop(tokens: list[int]) -> list[int]:
    """Return tokens that end in a phrase said three times or more with that phrase once."""
    for length in range(1, LONGEST_PHRASE + 1):
        phrase = tokens[-length:]
        end = len(tokens)
        while tokens[max(0, end - length) : end] == phrase:
            end -= length
        if len(tokens) - end >= 3 * length:
            return tokens[: end + length]
    return tokens


def _log_softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    shifted = logits - logits.max(1, keepdims=True)
    found: NDArray[np.float32] = shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
    return found


@lru_cache(maxsize=1)
def _decoder_session() -> Any:
    """Return the decoder in one thread; the second is wanted by decoding pictures."""
    return onnx_session(str(package_folder(PACKAGE) / FOLDER / DECODER), threads=1)
