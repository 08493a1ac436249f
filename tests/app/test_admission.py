"""The token: none on loopback, kept for its owner alone elsewhere."""

import os
import stat
from pathlib import Path

import pytest

from app.admission import TOKEN, TOKEN_FILE, token_for
from qdrant.errors import CannotRunNow, UsageError


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_on_loopback_none_is_needed(host: str, tmp_path: Path) -> None:
    assert token_for(host, tmp_path, given=None) is None
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "edit.example", ""])
def test_elsewhere_it_is_made_once_and_kept(host: str, tmp_path: Path) -> None:
    made = token_for(host, tmp_path, given=None)
    assert made is not None and TOKEN.fullmatch(made)
    assert token_for(host, tmp_path, given=None) == made
    assert stat.S_IMODE((tmp_path / TOKEN_FILE).stat().st_mode) == 0o600


def test_two_libraries_have_two(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    made = {token_for("0.0.0.0", tmp_path / name, given=None) for name in ("a", "b")}
    assert len(made) == 2


def test_a_given_one_counts_everywhere(tmp_path: Path) -> None:
    given = "x" * 16
    assert token_for("127.0.0.1", tmp_path, given=given) == given
    assert token_for("0.0.0.0", tmp_path, given=given) == given


@pytest.mark.parametrize("given", ["short", "with a space in it ", "naïve-token-of-letters", ""])
def test_one_that_is_easily_guessed_is_refused(given: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="TRIMBIN_TOKEN must be 16 to 200"):
        token_for("0.0.0.0", tmp_path, given=given)


def test_a_file_that_others_read_is_refused(tmp_path: Path) -> None:
    token_for("0.0.0.0", tmp_path, given=None)
    (tmp_path / TOKEN_FILE).chmod(0o640)
    with pytest.raises(CannotRunNow, match="Others can read the token"):
        token_for("0.0.0.0", tmp_path, given=None)


def test_a_file_without_a_token_is_refused(tmp_path: Path) -> None:
    (tmp_path / TOKEN_FILE).touch(0o600)
    with pytest.raises(CannotRunNow, match="holds no token"):
        token_for("0.0.0.0", tmp_path, given=None)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_library_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(CannotRunNow, match="Set TRIMBIN_TOKEN instead"):
        token_for("0.0.0.0", tmp_path, given=None)
