"""The player's timecode, counted in the browser, is the page's own."""

import json
import shutil
import subprocess
from fractions import Fraction
from pathlib import Path

import pytest

from app.views import player
from indexer.media.timecode import DROPPED_A_MINUTE, Clock, frames_of, timecode_of

NODE = shutil.which("node")
FRAMES = [0, 1, 29, 30, 59, 1799, 1800, 1801, 3598, 3600, 17981, 17982, 17983, 107892, 2589407]


@pytest.mark.skipif(NODE is None, reason="NO NODE: the player's timecode is untested")
@pytest.mark.parametrize(
    "rate, drop, start",
    [
        ("24/1", False, "00:00:00:00"),
        ("24000/1001", False, "01:00:00:00"),
        ("25/1", False, "23:59:59:24"),
        ("30000/1001", True, "01:00:00;00"),
        ("60000/1001", True, "00:09:59;59"),
        ("120/1", False, "00:00:00:000"),
    ],
)
def test_it_counts_as_python_does(rate: str, drop: bool, start: str) -> None:
    clock = Clock(Fraction(rate), drop, frames_of(start, rate=Fraction(rate)))
    told = {
        "nominal": round(clock.rate),
        "dropped": DROPPED_A_MINUTE.get(clock.rate, 0) if drop else 0,
        "start": clock.start_frame,
        "is_drop": drop,
    }
    script = Path(player.__file__).with_suffix(".js").read_text(encoding="utf-8")
    script += (
        f"\nconsole.log(JSON.stringify({FRAMES}.map((f) => timecode(f, {json.dumps(told)}))));"
    )
    done = subprocess.run(
        [str(NODE), "--input-type=module"], input=script, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == [clock.timecode(frame) for frame in FRAMES]


def test_the_numbers_are_known_by_hand() -> None:
    """17,982 frames in ten minutes of 29.97 drop-frame."""
    assert timecode_of(17_982, rate=Fraction(30000, 1001), drop_frame=True) == "00:10:00;00"
