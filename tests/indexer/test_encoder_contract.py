"""One suite over every kind of encoder: real weights offline, real tiny models for the rest."""

import json
import os
import random
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from tiny_clap import make_tiny_clap

from indexer.encoders.centre import to_text
from indexer.encoders.kinds import KINDS
from indexer.encoders.load import _class_of
from indexer.encoders.protocol import AnyEncoder, ReadsWords
from indexer.profiles import EncoderSpec, Endpoint

CLOSE = 1e-5
CLOSE_IN_16_BITS = 0.03
"""bfloat16 has eight bits of precision; what is summed in another order differs by some of them."""
TINY_CLIP = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": 1, "width": 32, "patch_size": 16, "head_width": 16},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1},
}
WORDS = ("a cat", "never came home", "Where are you going, and what will you do when you arrive?")


def picture(seed: int, *, frames: int = 1, height: int = 72, width: int = 128) -> Any:
    shape = (frames, height, width, 3)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def sound(seed: int, *, seconds: float) -> Any:
    samples = np.random.default_rng(seed).standard_normal(int(seconds * 16_000))
    return (0.1 * samples).astype(np.float32)


ITEMS: dict[str, list[Any]] = {
    "video": [
        picture(1, frames=3),
        None,
        picture(2, height=200, width=90),
        picture(3, frames=0),
        picture(4, frames=40),
    ],
    "audio": [
        sound(1, seconds=2),
        None,
        sound(2, seconds=0.01),
        sound(3, seconds=0),
        sound(4, seconds=31),
        sound(5, seconds=2),
        sound(6, seconds=2.03),
    ],
    "sound": [
        sound(1, seconds=2),
        None,
        sound(2, seconds=0.01),
        np.zeros(16_000, np.float32),
        sound(4, seconds=9),
        sound(5, seconds=2),
        sound(6, seconds=0.7),
    ],
    "text": [
        "Count them again, slowly.",
        None,
        "The lighthouse keeper never came home. " * 80,
        "  ",
        "Yes.",
        "No, I said.",
    ],
}


@dataclass
class Case:
    """An encoder, a way to make it anew, and items of its space: places 1 and 3 are empty."""

    encoder: AnyEncoder
    make: Callable[[], AnyEncoder]
    items: list[Any]
    dim: int
    kind: str
    close: float = CLOSE  # how near is the same


@dataclass(frozen=True)
class Setting:
    """A kind of encoder with settings of its own, beside the kind as it comes."""

    kind: str
    settings: Mapping[str, Any]
    close: float = CLOSE


OWN_CENTRE = to_text(np.full(16, 0.1, np.float32))
IN_16_BITS = {"precision": "bfloat16"}
SETTINGS = {
    "open_clip, temporal": Setting("open_clip", {"pool": "pool.safetensors"}),
    "open_clip, bfloat16": Setting("open_clip", IN_16_BITS, CLOSE_IN_16_BITS),
    "wav2vec2, masked": Setting("wav2vec2", {"model": "layer", "centre": OWN_CENTRE}),
    "wav2vec2, bfloat16": Setting("wav2vec2", {**IN_16_BITS, "centre": "none"}, CLOSE_IN_16_BITS),
    "clap, fusing": Setting("clap", {"query_prefix": "This is a sound of "}),
    "clap, bfloat16": Setting("clap", IN_16_BITS, CLOSE_IN_16_BITS),
    "sentence, bfloat16": Setting("sentence", IN_16_BITS, CLOSE_IN_16_BITS),
}
Make = Callable[[], AnyEncoder]


def make_offline(kind: str, folder: Path, settings: Mapping[str, Any]) -> tuple[Make, int]:
    dim = 288 if kind == "moonshine" else 384
    spec = EncoderSpec(kind, dim)
    why = _class_of(spec).obstacle(spec)
    if why:
        pytest.skip(f"the offline extra is not whole here: {why}")
    return lambda: _class_of(spec)(spec, device="cpu"), dim


def make_open_clip(kind: str, folder: Path, settings: Mapping[str, Any]) -> tuple[Make, int]:
    import open_clip
    import torch

    (folder / "tiny-clip.json").write_text(json.dumps(TINY_CLIP))
    open_clip.add_model_config(folder / "tiny-clip.json")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = open_clip.create_model("tiny-clip", pretrained=None, load_weights=False)
    torch.save(model.state_dict(), folder / "tiny.pt")
    own: dict[str, Any] = {"model": "tiny-clip", "pretrained": str(folder / "tiny.pt"), **settings}
    if "pool" in own:
        own["pool"] = str(make_pool(folder / own["pool"]))
    spec = EncoderSpec(kind, 16, own)
    return lambda: _class_of(spec)(spec, device="cpu"), 16


def make_pool(path: Path) -> Path:
    """Write a temporal pool whose last layer is no longer zero."""
    import torch

    from indexer.encoders.temporal import PoolConfig, TemporalPool, pool_to_bytes

    with torch.random.fork_rng():
        torch.manual_seed(1)
        pool = TemporalPool(PoolConfig(dim=16, width=8, layers=1, heads=2))
        torch.nn.init.normal_(pool.out.weight)
    path.write_bytes(pool_to_bytes(pool))
    return path


def make_wav2vec2(kind: str, folder: Path, settings: Mapping[str, Any]) -> tuple[Make, int]:
    import torch
    from transformers import Wav2Vec2Config, Wav2Vec2Model

    config = Wav2Vec2Config(
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        conv_dim=(16,) * 7,
        num_conv_pos_embeddings=16,
        num_conv_pos_embedding_groups=2,
        feat_extract_norm=settings.get("model", "group"),
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        Wav2Vec2Model(config).save_pretrained(folder)
    spec = EncoderSpec(kind, 16, {**settings, "model": str(folder)})
    return lambda: _class_of(spec)(spec, device="cpu"), 16


def make_clap(kind: str, folder: Path, settings: Mapping[str, Any]) -> tuple[Make, int]:
    make_tiny_clap(folder, fusing="query_prefix" in settings)
    spec = EncoderSpec(kind, 16, {**settings, "model": str(folder)})
    return lambda: _class_of(spec)(spec, device="cpu"), 16


def make_sentence(kind: str, folder: Path, settings: Mapping[str, Any]) -> tuple[Make, int]:
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    letters = "abcdefghijklmnopqrstuvwxyzCTWYNI:,.? "
    vocabulary = {word: n for n, word in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", *letters])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    wrap: Any = PreTrainedTokenizerFast
    wrap(tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]").save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=128,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        BertModel(config).save_pretrained(folder)
    own = {"model": str(folder), "query_prefix": "query: ", "passage_prefix": "passage: ",
           "max_tokens": 128, **settings}  # fmt: skip
    spec = EncoderSpec(kind, 16, own)
    return lambda: _class_of(spec)(spec, device="cpu"), 16


def make_openai(kind: str, folder: Path, settings: Mapping[str, Any]) -> tuple[Make, int]:
    def numbers(text: str, dim: int) -> list[float]:
        return [float(ord(letter)) for letter in text.ljust(dim)[:dim]]

    def answer(request: httpx.Request) -> httpx.Response:
        asked = json.loads(request.content)
        rows = [
            {"object": "embedding", "index": n, "embedding": numbers(text, asked["dimensions"])}
            for n, text in enumerate(asked["input"])
        ]
        usage = {"prompt_tokens": 1, "total_tokens": 1}
        return httpx.Response(200, json={"object": "list", "data": rows[::-1],
                                         "model": asked["model"], "usage": usage})  # fmt: skip

    spec = EncoderSpec(kind, 8, {"model": "text-embedding-3-large"})
    endpoint = Endpoint("http://127.0.0.1:9/v1", "TRIMBIN_TEST_KEY", 0.13)
    folders = iter(range(1000))

    def make() -> AnyEncoder:
        encoder: AnyEncoder = _class_of(spec)(
            spec,
            endpoint=endpoint,
            cache_dir=folder / str(next(folders)),
            http_client=httpx.Client(transport=httpx.MockTransport(answer)),
        )
        return encoder

    return make, 8


MAKERS = {
    "conse": make_offline,
    "moonshine": make_offline,
    "minilm": make_offline,
    "open_clip": make_open_clip,
    "wav2vec2": make_wav2vec2,
    "clap": make_clap,
    "sentence": make_sentence,
    "openai": make_openai,
}


@pytest.fixture(scope="module", params=[*sorted(KINDS), *SETTINGS])
def case(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Case]:
    chosen = SETTINGS.get(request.param) or Setting(request.param, {})
    folder = tmp_path_factory.mktemp(chosen.kind)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRIMBIN_TEST_KEY", "sk-test")
        make, dim = MAKERS[chosen.kind](chosen.kind, folder, chosen.settings)
        items = ITEMS[KINDS[chosen.kind].space]
        yield Case(make(), make, items, dim, chosen.kind, chosen.close)


def test_vectors_have_the_stated_shape_and_unit_length(case: Case) -> None:
    vectors = case.encoder.encode(case.items)
    assert case.encoder.dim == case.dim
    assert vectors.shape == (len(case.items), case.dim)
    assert vectors.dtype == np.float32
    full = [place for place in range(len(case.items)) if place not in (1, 3)]
    np.testing.assert_allclose(np.linalg.norm(vectors[full], axis=1), 1, atol=CLOSE)


def test_an_item_that_is_missing_or_empty_gives_zeros(case: Case) -> None:
    vectors = case.encoder.encode(case.items)
    assert not vectors[[1, 3]].any()
    assert not case.encoder.encode([None, case.items[3]]).any()


def test_no_items_give_no_rows(case: Case) -> None:
    assert case.encoder.encode([]).shape == (0, case.dim)


def test_one_by_one_and_in_a_batch_are_the_same(case: Case) -> None:
    together = case.encoder.encode(case.items)
    alone = np.concatenate([case.encoder.encode([item]) for item in case.items])
    np.testing.assert_allclose(together, alone, atol=case.close)


def test_order_is_kept(case: Case) -> None:
    forth = case.encoder.encode(case.items)
    back = case.encoder.encode(case.items[::-1])
    np.testing.assert_allclose(forth, back[::-1], atol=case.close)
    assert not np.allclose(forth[0], forth[2], atol=1e-3)


def test_an_encoder_made_anew_gives_the_same_vectors_under_the_same_version(case: Case) -> None:
    again = case.make()
    assert again.version == case.encoder.version
    np.testing.assert_allclose(
        again.encode(case.items[:3]), case.encoder.encode(case.items[:3]), atol=CLOSE
    )


def test_random_states_are_left_alone(case: Case) -> None:
    import torch

    def states() -> list[Any]:
        return [random.getstate(), str(np.random.get_state()), torch.get_rng_state().tolist()]

    before = states()
    case.make().encode(case.items[:3])
    assert states() == before


def test_words_reach_the_space_that_says_so(case: Case) -> None:
    assert isinstance(case.encoder, ReadsWords) == KINDS[case.kind].reads_words
    if isinstance(case.encoder, ReadsWords):
        together = case.encoder.encode_words(WORDS)
        assert together.shape == (len(WORDS), case.dim)
        assert together.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=CLOSE)
        alone = np.concatenate([case.encoder.encode_words([words]) for words in WORDS])
        np.testing.assert_allclose(together, alone, atol=case.close)
        assert case.encoder.encode_words([]).shape == (0, case.dim)


def test_names_can_be_shown_and_versions_can_name_files(case: Case) -> None:
    assert case.encoder.name
    assert not set(case.encoder.version) & set('/\\:*?"<>| @' + os.sep)


def test_the_suite_covers_every_kind() -> None:
    assert set(MAKERS) == set(KINDS)


def test_moonshine_is_read_without_importing_its_package() -> None:
    if find_spec("moonshine_voice") is None:
        pytest.skip("pip install 'trimbin[offline]' first: moonshine_voice is not installed")
    assert "moonshine_voice" not in sys.modules
