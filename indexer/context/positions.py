"""How a shot's place reaches attention: turned into queries and keys, or added to the scores.

Letters as in `model.py`: B batch, T tokens, S = T - 2 shots, N heads, K numbers in a head.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from indexer.context.config import NUM_PREFIX_TOKENS, ContextConfig

ALIBI_STEEPEST = 8
"""The slopes of N heads are 2^(-8/N), 2^(-16/N) and so on to 2^-8, as ALiBi's authors have them."""


def rotations(num_tokens: int, config: ContextConfig, device: torch.device) -> Tensor:
    """Return the cosine and sine by which each token's pairs are turned: (2, T, K / 2)."""
    pairs = config.hidden // config.heads // 2
    speeds = config.rotary_base ** -(torch.arange(pairs, device=device) / pairs)
    angles = torch.outer(torch.arange(num_tokens, device=device), speeds)  # (T, K / 2)
    return torch.stack([angles.cos(), angles.sin()])


def rotate(x: Tensor, turn: Tensor) -> Tensor:
    """Return queries or keys (B, N, T, K) turned by their places (RoFormer, arXiv 2104.09864)."""
    cos, sin = turn  # (T, K / 2) each
    first, second = x.chunk(2, dim=-1)
    return torch.cat([first * cos - second * sin, first * sin + second * cos], dim=-1)


class RelativeBias(nn.Module):
    """A learned number for each head and distance, added to attention's scores in every layer.

    As in T5 (arXiv 1910.10683), but with distances clipped (Shaw et al., arXiv 1803.02155), not
    put into buckets, and with ALiBi (arXiv 2108.12409) to start from: near shots count more than
    far ones, to some heads much more. From zeros it learns far more slowly. [CLS] and [GLOBAL]
    have no place: what they see and who sees them gets 0.
    """

    def __init__(self, config: ContextConfig) -> None:
        super().__init__()
        self.reach = config.relative_reach
        slopes = 2.0 ** (-ALIBI_STEEPEST * torch.arange(1, config.heads + 1) / config.heads)
        distances = torch.arange(-self.reach, self.reach + 1).abs()
        self.by_distance = nn.Parameter(-torch.outer(slopes, distances))  # (N, 2 * reach + 1)

    def forward(self, num_tokens: int) -> Tensor:
        """Return what is added to the scores of queries (rows) for keys (columns): (N, T, T)."""
        num_shots = num_tokens - NUM_PREFIX_TOKENS
        farthest = max(num_shots - 1, 0)
        distances = torch.arange(-farthest, farthest + 1, device=self.by_distance.device)
        along = self.by_distance[:, distances.clamp(-self.reach, self.reach) + self.reach]
        # Row i is `along` from distance -i on: a slice, for to gather S x S numbers is slow.
        among_shots = along.unfold(1, farthest + 1, 1).flip(1)[:, :num_shots, :num_shots]
        return functional.pad(among_shots, (NUM_PREFIX_TOKENS, 0, NUM_PREFIX_TOKENS, 0))
