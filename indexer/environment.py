"""Every environment variable Trimbin reads, in one place."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs


def library_root() -> Path:
    """Return where the library lies: TRIMBIN_LIBRARY, else the platform's user data folder."""
    named = os.environ.get("TRIMBIN_LIBRARY")
    return Path(named) if named else Path(platformdirs.user_data_dir("trimbin")) / "library"


def user_cache() -> Path:
    """Return where downloads and derived weights are kept: TRIMBIN_CACHE, else the user's cache."""
    return Path(os.environ.get("TRIMBIN_CACHE") or platformdirs.user_cache_dir("trimbin"))


def server_url() -> str | None:
    """Return the Qdrant server to use instead of the embedded shard: QDRANT_URL."""
    return os.environ.get("QDRANT_URL") or None


def server_key() -> str | None:
    """Return the Qdrant server's API key: QDRANT_API_KEY."""
    return os.environ.get("QDRANT_API_KEY") or None


def search_server() -> str | None:
    """Return the Trimbin server to ask instead of opening a library: TRIMBIN_SERVER."""
    return os.environ.get("TRIMBIN_SERVER") or None


def token() -> str | None:
    """Return what lets us in at a Trimbin server, or others in at ours: TRIMBIN_TOKEN."""
    return os.environ.get("TRIMBIN_TOKEN") or None


def is_debugging() -> bool:
    """Whether tracebacks are wanted: TRIMBIN_DEBUG=1."""
    return os.environ.get("TRIMBIN_DEBUG", "") not in ("", "0")
