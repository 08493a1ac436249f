"""What a hostile or unlucky user does: one sentence each, nothing lost, the exit code as stated."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from harness import need_offline_profile, run_trimbin
from reel import make_reel


def trimbin(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "app", *map(str, arguments)],
        capture_output=True, text=True, timeout=240, check=False,
        env={**os.environ, **environment},
    )  # fmt: skip


def sentences(finished: subprocess.CompletedProcess[str]) -> list[str]:
    assert "Traceback" not in finished.stderr
    return [line for line in finished.stderr.splitlines() if line.startswith("trimbin: ")]


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of good and bad films, indexed once; the finished process is kept as JSON."""
    need_offline_profile()
    folder = tmp_path_factory.mktemp("mixed")
    films = folder / "films"
    make_reel(films, name="Silent.mp4", sound=False, subtitles=False)
    make_reel(films, name="Radio.m4a", picture=False, subtitles=False)
    make_reel(films, name="Garbled.mp4", subtitles=False)
    (films / "Garbled.srt").write_text("this is no subtitle file")
    (films / "words.mp4").write_text("just words\n" * 100)
    (films / "empty.mp4").touch()
    whole = make_reel(folder / "whole", name="cut.mkv", subtitles=False).path
    (films / "cut.mkv").write_bytes(whole.read_bytes()[: whole.stat().st_size * 2 // 3])
    finished = trimbin(
        "index", films, "--library", folder / "library", "--profile", "offline", "--json"
    )
    (folder / "stdout").write_text(finished.stdout)
    (folder / "stderr").write_text(finished.stderr)
    (folder / "code").write_text(str(finished.returncode))
    return folder


def test_a_bad_file_stops_no_good_one(mixed: Path) -> None:
    lines = [json.loads(line) for line in (mixed / "stdout").read_text().splitlines()]
    became = {Path(line["path"]).name: line["status"] for line in lines}
    assert became == {
        "Silent.mp4": "indexed", "Radio.m4a": "indexed", "Garbled.mp4": "indexed",
        "cut.mkv": "indexed", "words.mp4": "failed", "empty.mp4": "failed",
    }  # fmt: skip
    assert (mixed / "code").read_text() == "1"
    assert "Traceback" not in (mixed / "stderr").read_text()


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("words.mp4", "not a film or sound that can be read"),
        ("empty.mp4", "is empty (0 bytes)"),
        ("Silent.mp4", "It has no sound."),
        ("Radio.m4a", "It has no picture"),
        ("Garbled.mp4", "A track of words is left out: Garbled.srt"),
        ("cut.mkv", "frames could be decoded"),
    ],
)
def test_each_shortcoming_is_told_with_its_file(mixed: Path, name: str, told: str) -> None:
    lines = [json.loads(line) for line in (mixed / "stdout").read_text().splitlines()]
    line = next(line for line in lines if Path(line["path"]).name == name)
    assert told in line["reason"]
    assert line["status"] != "failed" or name in line["reason"]


def test_sound_alone_is_timed_in_milliseconds(mixed: Path) -> None:
    manifests = [json.loads(p.read_text()) for p in mixed.glob("library/titles/*/manifest.json")]
    radio = next(m for m in manifests if m["title"] == "Radio")
    assert (radio["rate"], radio["kind"]) == ("1000/1", "podcast")
    assert radio["num_frames"] == pytest.approx(12_000, abs=100)


def test_a_missing_path_is_named(tmp_path: Path) -> None:
    finished = trimbin("index", tmp_path / "nowhere.mp4", "--library", tmp_path / "l",
                       "--profile", "offline")  # fmt: skip
    assert finished.returncode == 1
    assert "nowhere.mp4 cannot be opened" in sentences(finished)[0]


def test_an_empty_folder_is_used_wrongly(tmp_path: Path) -> None:
    (tmp_path / "films").mkdir()
    finished = trimbin("index", tmp_path / "films", "--library", tmp_path / "l",
                       "--profile", "offline")  # fmt: skip
    assert finished.returncode == 2
    assert "no film or sound to index" in sentences(finished)[0]


def test_an_unwritable_library_is_named(tmp_path: Path) -> None:
    """A file stands where the library's folder should be made; root may write anywhere else."""
    (tmp_path / "taken").write_text("a file")
    finished = trimbin("index", tmp_path, "--library", tmp_path / "taken" / "library",
                       "--profile", "offline")  # fmt: skip
    assert finished.returncode == 3
    [sentence] = sentences(finished)
    assert "taken/library cannot be written" in sentence
    assert "--library" in sentence


def test_a_library_that_is_not_there_is_named(tmp_path: Path) -> None:
    finished = trimbin("search", "a cat", "--library", tmp_path / "none")
    assert finished.returncode == 2
    assert "There is no library at" in sentences(finished)[0]


def test_another_profile_is_refused(reel_library: Path) -> None:
    films = reel_library.parent / "films"
    finished = trimbin("index", films, "--library", reel_library, "--profile", "clip")
    assert finished.returncode == 2
    assert "is bound to profile 'offline'" in sentences(finished)[0]


def test_weights_that_cannot_be_had_name_the_way_out(tmp_path: Path) -> None:
    make_reel(tmp_path / "films", subtitles=False, sound=False)
    finished = trimbin(
        "index", tmp_path / "films", "--library", tmp_path / "l",
        HF_HUB_OFFLINE="1", HF_HOME=str(tmp_path / "hub"),
    )  # fmt: skip
    assert finished.returncode == 3
    [sentence] = sentences(finished)
    assert "--profile offline" in sentence
    run_trimbin("index", tmp_path / "films", "--library", tmp_path / "l", "--profile", "offline")


def test_a_remote_endpoint_needs_consent(tmp_path: Path) -> None:
    make_reel(tmp_path / "films", sound=False)
    finished = trimbin("index", tmp_path / "films", "--library", tmp_path / "l",
                       "--profile", "mediafm", OPENAI_API_KEY="sk-test")  # fmt: skip
    assert finished.returncode == 3
    assert "--allow-endpoint" in sentences(finished)[0]


def test_a_library_with_a_living_owner_is_searched_through_it(reel_library: Path) -> None:
    from indexer.catalogue import open_catalogue
    from indexer.library import Library

    with open_catalogue(Library.open(reel_library), command="test owner") as owner:
        assert owner.store.owned
        found = run_trimbin("search", "a rocket", "--json", "--library", reel_library)
        assert json.loads(found)["hits"]


@contextmanager
def another_owner(library: Path, then: str) -> Iterator[subprocess.Popen[str]]:
    """Let a process of its own hold the library's shard, and then do something."""
    hold = (
        "import os, signal, sys, time; from pathlib import Path\n"
        "from indexer.catalogue import Catalogue; from indexer.library import Library\n"
        "c = Catalogue(Library.open(Path(sys.argv[1])), command='another owner')\n"
        f"assert c.store.owned; print('held', flush=True); {then}\n"
    )
    owner = subprocess.Popen(
        [sys.executable, "-c", hold, library], stdout=subprocess.PIPE, text=True
    )
    assert owner.stdout is not None
    try:
        assert owner.stdout.readline() == "held\n"
        yield owner
    finally:
        owner.kill()
        owner.wait()
        owner.stdout.close()


def test_an_owner_that_died_is_no_obstacle(reel_library: Path) -> None:
    with another_owner(reel_library, "time.sleep(60)") as owner:
        owner.send_signal(signal.SIGKILL)
        owner.wait()
        found = run_trimbin("search", "a rocket", "--json", "--library", reel_library)
        assert json.loads(found)["hits"]


def test_an_owner_that_does_not_answer_is_named(reel_library: Path) -> None:
    with another_owner(reel_library, "os.kill(os.getpid(), signal.SIGSTOP)"):
        time.sleep(0.2)
        finished = trimbin("search", "a rocket", "--library", reel_library)
    assert finished.returncode == 3
    assert "another owner" in sentences(finished)[0]


@pytest.mark.parametrize(
    "sign",
    [
        pytest.param("stages.json", marks=pytest.mark.slow),
        "sound.parquet",
        pytest.param("manifest.json", marks=pytest.mark.slow),
    ],
)
def test_a_killed_run_goes_on_and_shows_no_half_title(tmp_path: Path, sign: str) -> None:
    """Killed as soon as a stage has left its sign: the title is there whole, or not at all."""
    need_offline_profile()
    make_reel(tmp_path / "films", name="One.mp4")
    library = tmp_path / "library"
    arguments = ("index", tmp_path / "films", "--library", library, "--profile", "offline")
    run = subprocess.Popen(
        [sys.executable, "-m", "app", *map(str, arguments)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    while run.poll() is None and not list(library.glob(f"titles/*/{sign}")):
        time.sleep(0.005)
    run.kill()
    run.wait()
    seen = json.loads(run_trimbin("search", "a rocket", "--json", "--library", library))["hits"]
    whole = bool(list(library.glob("titles/*/manifest.json")))
    assert bool(seen) == whole

    result = json.loads(run_trimbin(*arguments, "--json"))
    assert (result["status"], result["shots"]) == ("unchanged" if whole else "indexed", 6)
    found = json.loads(run_trimbin("search", "a rocket", "--json", "--library", library))
    assert found["hits"][0]["start_tc"] == "00:00:04:00"


@pytest.mark.parametrize(
    "words", ["", "   ", "\x00\x01", "🐇" * 30, "a" * 100_000, "'; --", "%s{}"]
)
def test_odd_words_get_an_answer_or_a_sentence(reel_library: Path, words: str) -> None:
    from app.parsing import parse
    from app.search import search
    from app.studio import encoders_of
    from indexer.catalogue import open_catalogue
    from indexer.library import Library
    from qdrant.errors import UsageError

    library = Library.open(reel_library)
    with open_catalogue(library, command="test") as catalogue:
        try:
            answer = search(catalogue, encoders_of(library), parse(words))
        except UsageError as error:
            assert len(str(error)) > 10
        else:
            assert answer.hits or answer.notes
