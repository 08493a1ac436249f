"""Two profiles of tiny real models, made in a moment: `house`, and `garden` to move to.

They differ in eyes and ears and share the encoder of words; only the garden hears what words can
name. Their weights are random, so what they find first means nothing; that they find it again does.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tiny_clap import make_tiny_clap

from indexer.profiles import Profile, load_profile

DIM = 16
NAMES = ("house", "garden")
TINY_CLIP = {
    "embed_dim": DIM,
    "vision_cfg": {"image_size": 32, "layers": 1, "width": 32, "patch_size": 16, "head_width": 16},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1},
}
NAMED = """
[encoders.sound]
kind = "clap"
dim = 16
languages = ["en"]
[encoders.sound.settings]
model = "{folder}/named"
"""
PROFILE = """
name = "{name}"
description = "Tiny models with random weights."
confidence_floor = 0.0
[encoders.video]
kind = "open_clip"
dim = 16
[encoders.video.settings]
model = "tiny-shelf"
pretrained = "{folder}/eyes-{name}.pt"
[encoders.audio]
kind = "wav2vec2"
dim = 16
[encoders.audio.settings]
model = "{folder}/ears-{name}"
[encoders.text]
kind = "sentence"
dim = 16
languages = ["en"]
[encoders.text.settings]
model = "{folder}/reader"
[ranking]
video = {{ floor = -1.0, ceiling = 1.0 }}
audio = {{ floor = -1.0, ceiling = 1.0 }}
text = {{ floor = -1.0, ceiling = 1.0 }}
line = {{ floor = 0.0, ceiling = 1.0, half = 5.0 }}
context = {{ floor = -1.0, ceiling = 1.0 }}
sound = {{ floor = -1.0, ceiling = 1.0 }}
"""


def make_profiles(folder: Path) -> dict[str, Path]:
    """Write the weights, and a profile's file of each name."""
    import torch

    folder.mkdir(parents=True, exist_ok=True)
    know_eyes(folder)
    with torch.random.fork_rng():
        for seed, name in enumerate(NAMES):
            torch.manual_seed(seed)
            _make_eyes(folder / f"eyes-{name}.pt")
            _make_ears(folder / f"ears-{name}")
        _make_reader(folder / "reader")
    make_tiny_clap(folder / "named")
    texts = {"house": PROFILE, "garden": PROFILE.replace("[ranking]", f"{NAMED}[ranking]")}
    for name, text in texts.items():
        (folder / f"{name}.toml").write_text(text.format(name=name, folder=folder))
    return {name: folder / f"{name}.toml" for name in NAMES}


def know_eyes(folder: Path) -> None:
    """Tell open_clip, in this process, what the eyes look like."""
    import open_clip

    (folder / "tiny-shelf.json").write_text(json.dumps(TINY_CLIP), encoding="utf-8")
    open_clip.add_model_config(folder / "tiny-shelf.json")


def _make_eyes(path: Path) -> None:
    import open_clip
    import torch

    model = open_clip.create_model("tiny-shelf", pretrained=None, load_weights=False)
    torch.save(model.state_dict(), path)


def _make_ears(folder: Path) -> None:
    from transformers import Wav2Vec2Config, Wav2Vec2Model

    config = Wav2Vec2Config(
        hidden_size=DIM,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        conv_dim=(16,) * 7,
        num_conv_pos_embeddings=16,
        num_conv_pos_embedding_groups=2,
    )
    Wav2Vec2Model(config).save_pretrained(folder)


def _make_reader(folder: Path) -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    letters = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *"abcdefghijklmnopqrstuvwxyzCTWYNI:,.? "]
    vocabulary = {word: n for n, word in enumerate(letters)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    wrap: Any = PreTrainedTokenizerFast
    wrap(tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]").save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=DIM,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=128,
    )
    BertModel(config).save_pretrained(folder)


def profile_at(path: Path) -> Profile:
    """Return a profile of the two, its eyes known to open_clip in this process."""
    know_eyes(path.parent)
    return load_profile(path)
