"""CLAP with random weights and two seconds of hearing, saved as the hub has it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

DIM = 16
HEARS_S = 2
LETTERS = "abcdefghijklmnopqrstuvwxyzCTWYNI:,.? "


def make_tiny_clap(folder: Path, *, fusing: bool = False, seed: int = 0) -> None:
    """Write model, tokenizer and feature extractor; `fusing`: one of those with feature fusion."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import (
        ClapConfig,
        ClapFeatureExtractor,
        ClapModel,
        PreTrainedTokenizerFast,
    )

    vocabulary = {word: n for n, word in enumerate(["<s>", "<pad>", "</s>", "<unk>", *LETTERS])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    wrap: Any = PreTrainedTokenizerFast
    wrap(tokenizer_object=tokenizer, pad_token="<pad>", unk_token="<unk>").save_pretrained(folder)
    ears: Any = ClapFeatureExtractor
    ears(
        feature_size=16, max_length_s=HEARS_S, truncation="fusion" if fusing else "rand_trunc"
    ).save_pretrained(folder)
    config = ClapConfig(
        projection_dim=DIM,
        text_config={
            "vocab_size": len(vocabulary),
            "hidden_size": 16,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "intermediate_size": 32,
            "max_position_embeddings": 128,
        },
        audio_config={
            "num_mel_bins": 16,
            "spec_size": 64,
            "window_size": 4,
            "depths": [1, 1],
            "num_attention_heads": [1, 2],
            "patch_embeds_hidden_size": 8,
            "hidden_size": 16,
            "enable_fusion": fusing,
            "fusion_type": "aff_2d" if fusing else None,
        },
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        ClapModel(config).eval().save_pretrained(folder)
