"""The context model and its loss once more: slow, obvious, in NumPy, a shot and a head at a time.

Nothing here knows of batches, padding or dropout. Weights go by their names in a checkpoint.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from indexer.context.config import ContextConfig

Array = np.ndarray
Weights = Mapping[str, Array]


def read_title(
    weights: Weights,
    config: ContextConfig,
    fused: Array,
    *,
    known: Array | None,
    hidden: Array,
) -> tuple[Array, Array]:
    """Return the model's word for each shot (S, D), and [CLS] (H,).

    `fused` (S, D) are the shots, `known` (G,) is what is known of the title, `hidden` (S, M) says
    which modality of which shot is under [MASK].
    """
    tokens = [weights["cls"], _global_token(weights, known)]
    for shot, covered in zip(fused, hidden, strict=True):
        tokens.append(linear(weights, "in_projection", _cover(weights, config, shot, covered)
                             * math.sqrt(len(shot))))  # fmt: skip
    if config.positions == "learned":
        tokens = [t + weights["learned_positions.weight"][n] for n, t in enumerate(tokens)]
    for layer in range(config.layers):
        tokens = _encode(weights, config, f"layers.{layer}.", tokens)
    tokens = [norm(weights, "out_norm", token) for token in tokens]
    shots = [linear(weights, "out_projection", token) for token in tokens[2:]]
    return np.array(shots), tokens[0]


def batch_loss(
    outputs: list[Array],
    truths: list[Array],
    *,
    targets: list[Array],
    visible: list[Array],
    config: ContextConfig,
) -> float:
    """Return the loss of sequences: the guesses', and a share of what the shots in sight cost."""
    guessed, seen = [], []
    for output, truth, is_target, is_visible in zip(outputs, truths, targets, visible, strict=True):
        for shot in range(len(truth)):
            if is_target[shot]:
                guessed.append(shot_loss(output[shot], truth[shot], config))
            if is_visible[shot]:
                seen.append(shot_loss(output[shot], truth[shot], config))
    guessing = sum(guessed) / len(guessed) if guessed else 0.0
    seeing = sum(seen) / len(seen) if seen else 0.0
    return (1 - config.visible_weight) * guessing + config.visible_weight * seeing


def shot_loss(output: Array, truth: Array, config: ContextConfig) -> float:
    """Return a shot's cosine distance as a whole, and as the mean of those modalities it has."""
    apart = [
        cosine_distance(output[part], truth[part]) for part in parts(config) if truth[part].any()
    ]
    whole = cosine_distance(output, truth)
    return (1 - config.modality_weight) * whole + config.modality_weight * sum(apart) / len(apart)


def cosine_distance(a: Array, b: Array) -> float:
    return float(1 - a @ b / (math.sqrt(a @ a) * math.sqrt(b @ b)))


def parts(config: ContextConfig) -> list[slice]:
    """Return where each modality lies in a fused shot."""
    ends = np.cumsum(list(config.dims.values()))
    return [slice(end - dim, end) for end, dim in zip(ends, config.dims.values(), strict=True)]


def _cover(weights: Weights, config: ContextConfig, shot: Array, covered: Array) -> Array:
    if not shot.any():
        return weights["mask"]
    shown = shot.copy()
    for part, under in zip(parts(config), covered, strict=True):
        if under:
            shown[part] = weights["mask"][part]
    return shown


def _global_token(weights: Weights, known: Array | None) -> Array:
    if known is None:
        return weights["absent_global"]
    return linear(weights, "global_projection", known * math.sqrt(len(known)))


def _encode(weights: Weights, config: ContextConfig, name: str, tokens: list[Array]) -> list[Array]:
    normed = [norm(weights, name + "attention_norm", token) for token in tokens]
    gathered = _attend(weights, config, name + "attention.", normed)
    tokens = [token + more for token, more in zip(tokens, gathered, strict=True)]
    after = []
    for token in tokens:
        wide = linear(weights, name + "widen", norm(weights, name + "ffn_norm", token))
        wide = np.array([0.5 * x * (1 + math.erf(x / math.sqrt(2))) for x in wide])  # GELU
        after.append(token + linear(weights, name + "narrow", wide))
    return after


def _attend(weights: Weights, config: ContextConfig, name: str, tokens: list[Array]) -> list[Array]:
    size = config.hidden // config.heads
    projected = [_query_key_value(weights, config, name, token) for token in tokens]
    gathered = []
    for i in range(len(tokens)):
        heads = []
        for head in range(config.heads):
            mine = slice(head * size, (head + 1) * size)
            query = _turn(projected[i][0][mine], i, config)
            scores = []
            for j in range(len(tokens)):
                score = query @ _turn(projected[j][1][mine], j, config) / math.sqrt(size)
                scores.append(score + _bias(weights, config, head, i, j))
            shares = np.exp(np.array(scores) - max(scores))
            shares /= shares.sum()
            heads.append(
                sum(share * projected[j][2][mine] for j, share in enumerate(shares.tolist()))
            )
        gathered.append(linear(weights, name + "gather", np.concatenate(heads)))
    return gathered


def _query_key_value(
    weights: Weights, config: ContextConfig, name: str, token: Array
) -> list[Array]:
    if config.projections == "together":
        return np.split(linear(weights, name + "query_key_value", token), 3)
    return [linear(weights, name + which, token) for which in ("query", "key", "value")]


def _turn(vector: Array, place: int, config: ContextConfig) -> Array:
    """Return a query or key turned, pair by pair, each pair at its own speed."""
    if config.positions != "rotary":
        return vector
    turned, pairs = vector.copy(), len(vector) // 2
    for pair in range(pairs):
        angle = place * config.rotary_base ** (-pair / pairs)
        a, b = vector[pair], vector[pair + pairs]
        turned[pair] = a * math.cos(angle) - b * math.sin(angle)
        turned[pair + pairs] = a * math.sin(angle) + b * math.cos(angle)
    return turned


def _bias(weights: Weights, config: ContextConfig, head: int, i: int, j: int) -> float:
    """Return what token i's score for token j gains; tokens 0 and 1 are [CLS] and [GLOBAL]."""
    if config.positions != "relative" or i < 2 or j < 2:
        return 0.0
    reach = config.relative_reach
    distance = max(-reach, min(reach, j - i))
    return float(weights["relative_bias.by_distance"][head, distance + reach])


def linear(weights: Weights, name: str, x: Array) -> Array:
    return weights[name + ".weight"] @ x + weights[name + ".bias"]


def norm(weights: Weights, name: str, x: Array) -> Array:
    centred = x - x.mean()
    return (
        centred / np.sqrt(np.mean(centred**2) + 1e-5) * weights[name + ".weight"]
        + weights[name + ".bias"]
    )
