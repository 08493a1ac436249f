"""Profiles: which models make a library's vectors, and how its similarities are read.

    profile = load_profile("clip")            # one that comes with Trimbin
    profile = load_profile("house.toml")      # one's own

A profile is a TOML file beside this module or anywhere else. It is checked as a whole before a
library is bound to it: an unknown key is an error, not a silence.
"""

from __future__ import annotations

from pathlib import Path

from indexer.profiles.parse import EncoderSpec, Endpoint, Profile, parse_profile
from qdrant.errors import UsageError

__all__ = ["BUILT_IN", "EncoderSpec", "Endpoint", "Profile", "load_profile"]

BUILT_IN = ("clip", "mediafm", "offline")


def load_profile(name_or_path: str | Path) -> Profile:
    """Return a built-in profile by its name, or one's own by the path of its TOML file.

    A library's copy of a built-in profile may be older than [likeness]: then it means what the
    built-in one says, as long as their vectors are the same. Raises `UsageError` for a name that
    is neither, and for a file that is not a whole profile.
    """
    if str(name_or_path) in BUILT_IN:
        path = Path(__file__).parent / f"{name_or_path}.toml"
    else:
        path = Path(name_or_path).expanduser()
        if not path.is_file():
            raise UsageError(
                f"There is no profile {str(name_or_path)!r}. There are {', '.join(BUILT_IN)}; "
                "or give the path of a TOML file."
            )
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"The profile {path} cannot be read ({error}).") from error
    profile = parse_profile(text, source=str(path))
    if str(name_or_path) in BUILT_IN or profile.name not in BUILT_IN:
        return profile
    built_in = load_profile(profile.name)
    if built_in.version != profile.version:
        return profile
    return parse_profile(text, source=str(path), likeness=built_in.likeness)
