"""Everything a context model is made and trained with; a checkpoint carries it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

Positions = Literal["rotary", "relative", "learned"]
Projections = Literal["apart", "together"]
Optimiser = Literal["muon", "adamw"]

NUM_PREFIX_TOKENS = 2
"""[CLS] and [GLOBAL] stand before the shots."""


KEY_DIM = 192
"""Numbers in the key by which words find a shot in its context."""


@dataclass(frozen=True)
class ContextConfig:
    """Everything a context model is made and trained with; a share is 0..1."""

    # What goes in.
    dims: Mapping[str, int]  # modality -> numbers in its vector, in the order they are fused
    global_dim: int  # numbers in the title-metadata vector, whether or not titles have one

    # The encoder.
    hidden: int = 192  # numbers in a token inside the model
    layers: int = 3
    heads: int = 4
    ffn_ratio: int = 4  # the feed-forward layer's width over `hidden`
    dropout: float = 0.1
    max_shots: int = 512  # shots read together; a longer title is read in windows
    window_overlap: float = 0.5  # share of a window that the next one sees again
    positions: Positions = "relative"
    rotary_base: float = 100.0  # slowest turn: about 2 pi times this many shots, just over a window
    relative_reach: int = 32  # shots; farther ones are, to `relative`, as far as this
    projections: Projections = "apart"  # query, key and value: a matrix each, or one for all

    # Masked Shot Modelling.
    mask_share: float = 0.2  # of the shots of a sequence are chosen to be predicted
    modality_share: float = 0.5  # of the chosen keep one or two modalities; the rest keep none
    global_dropout: float = 0.1  # of the sequences are read as if nothing was known of the title
    modality_dropout: float = 0.0  # of the sequences lack a modality throughout, as silent film
    modality_weight: float = 0.0  # of a shot's loss: the mean of its modalities' own distances
    visible_weight: float = 0.2  # of the loss: that of the shots in sight, which are to stay near

    # Optimisation.
    optimiser: Optimiser = "muon"  # of the hidden matrices; AdamW moves all else
    batch_shots: int = 512  # shots in a step, over all its sequences
    muon_lr: float = 3e-3  # hidden matrices, where Muon moves them
    adamw_lr: float = 3e-3  # all that AdamW moves
    weight_decay: float = 0.1
    warmup_share: float = 0.1  # of the steps; the rate then falls to nothing along a cosine
    clip_norm: float = 1.0  # longest gradient, over all parameters together
    validate_every: int = 0  # steps between looks at validation titles; 0: none are kept for it
    patience: int = 0  # looks that may pass without a better one; 0: training goes to its end

    def __post_init__(self) -> None:
        object.__setattr__(self, "dims", dict(self.dims))  # our own copy, plain for JSON
        assert self.dims and all(dim > 0 for dim in self.dims.values()), self.dims
        assert self.global_dim > 0, "a model that never sees metadata still needs its size"
        assert self.hidden % (2 * self.heads) == 0, "a head turns its numbers in pairs"
        assert self.positions in get_args(Positions), self.positions
        assert self.projections in get_args(Projections), self.projections
        assert self.optimiser in get_args(Optimiser), self.optimiser
        assert self.relative_reach > 0, self.relative_reach
        assert self.validate_every or not self.patience, "patience with nothing to wait for"
        for share in ("modality_dropout", "modality_weight", "visible_weight"):
            assert 0 <= getattr(self, share) <= 1, f"{share} is a share"

    @property
    def fused_dim(self) -> int:
        """Return how many numbers a fused shot has."""
        return sum(self.dims.values())


def context_dim(dims: Mapping[str, int]) -> int:
    """Return how many numbers a shot's contextual vector has: what it is, and what is expected."""
    return 2 * sum(dims.values())


def faithful(dims: Mapping[str, int], global_dim: int, **changes: Any) -> ContextConfig:
    """Return MediaFM as published (Netflix, 2026-02-23), whatever our own defaults become.

    Three layers over up to 512 shots, learned positions, a fifth of the shots hidden whole, cosine
    distance at the hidden ones alone, [GLOBAL] always, Muon for the hidden matrices. `changes` are
    for what the recipe leaves open, sizes and rates say, and for ablations.
    """
    published: dict[str, Any] = {
        "layers": 3,
        "max_shots": 512,
        "positions": "learned",
        "mask_share": 0.2,
        "modality_share": 0.0,
        "global_dropout": 0.0,
        "modality_dropout": 0.0,
        "modality_weight": 0.0,
        "visible_weight": 0.0,
        "optimiser": "muon",
    }
    return ContextConfig(dims=dims, global_dim=global_dim, **(published | changes))
