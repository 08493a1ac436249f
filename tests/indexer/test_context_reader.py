"""The context model without torch says what the model in torch says, whatever its config."""

import itertools
import subprocess
import sys

import numpy as np
import pytest
import torch

from indexer.context.checkpoint import load_checkpoint, save_checkpoint
from indexer.context.config import ContextConfig
from indexer.context.reader import load_reader
from indexer.context.sequence import TitleSequence
from indexer.context.train import train
from indexer.context.vectors import contextualise, expected
from indexer.encoders.protocol import unit
from qdrant.errors import CannotRunNow

DIMS = {"video": 16, "audio": 8, "text": 16}
SAME = 1e-5


def config_of(positions: str, projections: str) -> ContextConfig:
    return ContextConfig(
        dims=DIMS, global_dim=8, hidden=16, heads=2, layers=2, max_shots=32, batch_shots=64,
        relative_reach=5, positions=positions, projections=projections,
    )  # fmt: skip


def make_title(num_shots: int, *, known: bool = True) -> TitleSequence:
    random = np.random.default_rng(num_shots)
    fused = unit(random.normal(size=(num_shots, 40)).astype(np.float32))
    fused[::3, 24:] = 0  # no text
    fused[4:5] = 0  # nothing at all
    return TitleSequence(str(num_shots), fused, unit(random.normal(size=8)) if known else None)


@pytest.mark.parametrize(
    ("positions", "projections"),
    list(itertools.product(["rotary", "relative", "learned"], ["apart", "together"])),
)
def test_both_forms_say_the_same(positions, projections, tmp_path):
    titles = [make_title(20), make_title(40, known=False), make_title(90)]  # the last in windows
    done = train(titles, config_of(positions, projections), steps=5, seed=0)
    with torch.no_grad():  # larger weights than five steps give, so that nothing is near linear
        for parameter in done.model.parameters():
            parameter.mul_(2)
    saved = save_checkpoint(tmp_path, done, fingerprint="")
    in_torch, reader = load_checkpoint(tmp_path).model, load_reader(tmp_path)
    assert reader.id == saved and reader.model.config == in_torch.config
    for title in (*titles, make_title(1), make_title(0)):
        theirs, ours = contextualise(in_torch, title), contextualise(reader.model, title)
        assert ours.shots.dtype == ours.title.dtype == np.float32
        assert np.abs(ours.shots - theirs.shots).max(initial=0) < SAME
        assert np.abs(ours.title - theirs.title).max() < SAME
        hidden = expected(in_torch, title) - expected(reader.model, title)
        assert np.abs(hidden).max(initial=0) < SAME


def test_weights_that_do_not_fit_their_config_are_damage(tmp_path):
    done = train([make_title(20)], config_of("relative", "apart"), steps=1, seed=0)
    save_checkpoint(tmp_path, done, fingerprint="")
    record = tmp_path / "context.json"
    record.write_text(record.read_text().replace('"relative_reach": 5', '"relative_reach": 9'))
    with pytest.raises(CannotRunNow, match=r"cannot be used .*`trimbin train`"):
        load_reader(tmp_path)


def test_reading_needs_no_torch(tmp_path):
    save_checkpoint(
        tmp_path, train([make_title(20)], config_of("relative", "apart"), steps=1, seed=0),
        fingerprint="",
    )  # fmt: skip
    told = subprocess.run(
        [sys.executable, "-c", "import sys; from pathlib import Path\n"
         "from indexer.context.reader import load_reader; import indexer.context.vectors\n"
         f"load_reader(Path({str(tmp_path)!r})); print('torch' in sys.modules)"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert told.stdout.strip() == "False"
