"""What encoders can be told: windows over long sound, centres, pools, precision; and their pace."""

import logging
from pathlib import Path

import numpy as np
import pytest
import torch

from indexer.encoders.centre import centre_of, centred, from_text, to_text
from indexer.encoders.pace import TELL_EVERY_S, Pace, pace_of, paced
from indexer.encoders.precision import precise_enough
from indexer.encoders.protocol import Vectors, unit
from indexer.encoders.temporal import (
    PoolConfig,
    TemporalPool,
    load_pool,
    pool_frames,
    pool_to_bytes,
)
from indexer.encoders.windows import back_to_back, overlapping
from indexer.profiles import load_profile
from qdrant.errors import UsageError, WeightsUnavailable


@pytest.mark.parametrize("num_samples", [1, 99, 100, 101, 160, 161, 555, 1000])
def test_every_moment_counts_once_and_away_from_the_edges_of_windows(num_samples: int) -> None:
    longest, overlap = 100, 40
    sound = np.arange(1, num_samples + 1, dtype=np.float32)
    windows = overlapping(sound, longest=longest, overlap=overlap, at_least=10)
    lengths = {len(window.samples) for window in windows}
    assert len(lengths) == 1
    assert max(lengths) <= longest
    counted: list[float] = []
    for number, window in enumerate(windows):
        counting = window.counting(len(window.samples))
        counted += window.samples[counting].tolist()
        places = np.flatnonzero(counting)
        if number > 0:
            assert places[0] >= overlap / 2 - 1
        if number < len(windows) - 1:
            assert len(counting) - 1 - places[-1] >= overlap / 2 - 1
    assert [n for n in counted if n] == sound.tolist()
    assert len(windows) == (1 if num_samples <= longest else -(-(num_samples - 40) // 60))


def test_no_sound_gives_no_windows_and_little_is_padded() -> None:
    assert overlapping(np.zeros(0, np.float32), longest=10, overlap=2, at_least=4) == []
    (window,) = overlapping(np.ones(1, np.float32), longest=10, overlap=2, at_least=4)
    assert window.samples.tolist() == [1, 0, 0, 0]
    (part,) = back_to_back(np.ones(1, np.float32), longest=10, at_least=4)
    assert part.tolist() == [1, 0, 0, 0]


def test_a_centre_takes_away_what_all_share_and_leaves_zeros_alone() -> None:
    crowd = unit(np.array([[10, 1, 0], [10, 0, 1], [10, -1, 0], [0, 0, 0]], np.float32))
    centre = centre_of(crowd)
    alike = centred(crowd, None)
    apart = centred(crowd, centre)
    assert alike[0] @ alike[2] > 0.9
    assert apart[0] @ apart[2] < -0.5
    np.testing.assert_allclose(np.linalg.norm(apart[:3], axis=1), 1, atol=1e-6)
    assert not apart[3].any()
    with pytest.raises(UsageError, match="at least one shot with sound"):
        centre_of(crowd[3:])


def test_a_centre_is_text_in_a_profile_and_what_is_no_centre_is_refused() -> None:
    centre = np.linspace(-1, 1, 8, dtype=np.float32)
    np.testing.assert_allclose(from_text(to_text(centre), dim=8), centre, atol=1e-3)
    for text, dim in (("!", 8), (to_text(centre), 9), (to_text(np.full(8, np.nan, "f4")), 8)):
        with pytest.raises(UsageError, match="--centre-sound"):
            from_text(text, dim=dim)


def a_pool(*, trained: bool) -> TemporalPool:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        pool = TemporalPool(PoolConfig(dim=6, width=8, layers=1, heads=2))
        if trained:
            torch.nn.init.normal_(pool.out.weight)
    return pool.eval()


def test_an_untrained_pool_is_the_mean_and_a_trained_one_sees_order() -> None:
    frames = torch.nn.functional.normalize(torch.arange(24.0).reshape(1, 4, 6).sin(), dim=-1)
    backwards = frames.flip(1)
    mean = pool_frames(None, frames)
    with torch.inference_mode():
        torch.testing.assert_close(pool_frames(a_pool(trained=False), frames), mean)
        forth = pool_frames(a_pool(trained=True), frames)
        back = pool_frames(a_pool(trained=True), backwards)
    assert (forth - mean).abs().max() > 0.01
    assert (forth - back).abs().max() > 0.001
    torch.testing.assert_close(forth.norm(dim=-1), torch.ones(1))


def test_a_pool_is_read_as_it_was_written_and_fits_its_model(tmp_path: Path) -> None:
    pool, path = a_pool(trained=True), tmp_path / "pool.safetensors"
    path.write_bytes(pool_to_bytes(pool))
    again = load_pool(path, dim=6)
    for name, tensor in pool.state_dict().items():
        torch.testing.assert_close(again.state_dict()[name], tensor, rtol=0, atol=0)
    with pytest.raises(WeightsUnavailable, match="for vectors of 6 numbers, and the model gives 7"):
        load_pool(path, dim=7)
    path.write_bytes(b"no pool")
    with pytest.raises(WeightsUnavailable, match=r"pool\.safetensors cannot be read"):
        load_pool(path, dim=6)


def test_sixteen_bits_are_for_accelerators_unless_asked_for() -> None:
    cpu = torch.device("cpu")
    one = torch.ones(2, 2)
    for precision, dtype in (("auto", torch.float32), ("float32", torch.float32),
                             ("bfloat16", torch.bfloat16)):  # fmt: skip
        with precise_enough(cpu, precision):
            assert (one @ one).dtype == dtype
    assert isinstance(precise_enough(torch.device("mps"), "auto"), torch.autocast)
    with pytest.raises(UsageError, match="may say auto, float32, bfloat16"):
        precise_enough(cpu, "float8")


def test_a_profile_may_say_how_and_is_told_what_there_is(tmp_path: Path) -> None:
    clip = load_profile("clip").to_toml()
    path = tmp_path / "house.toml"
    path.write_text(clip.replace('"webli"', '"webli"\npool = "mean"\nprecision = "bfloat16"'))
    own = load_profile(path)
    assert own.encoders["video"].settings["precision"] == "bfloat16"
    assert own.version != load_profile("clip").version
    path.write_text(clip.replace('"webli"', '"webli"\nprecision = "float8"'))
    with pytest.raises(UsageError, match="'precision' that is not one of auto, float32, bfloat16"):
        load_profile(path)


def test_a_rate_is_told_now_and_then(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Slow:
        name = "slow one"

        @paced
        def encode(self, items: list[int]) -> Vectors:
            now[0] += 4.0
            return np.zeros((len(items), 1), np.float32)

    now = [0.0]
    monkeypatch.setattr("indexer.encoders.pace.perf_counter", lambda: now[0])
    encoder = Slow()
    with caplog.at_level(logging.INFO, logger="indexer.encoders.pace"):
        for _ in range(5):
            encoder.encode([1, 2])
    assert TELL_EVERY_S == 10
    assert caplog.messages == ["slow one: 6 items, 0.5 a second"]
    assert pace_of(encoder).items == 10
    assert Pace().items_per_s == 0
