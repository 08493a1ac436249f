"""Model versions: registered, backfilled beside the one in use, validated, switched to, and back.

    library/trimbin.toml           names the version in use; replaced in one step
    library/titles, models         of the first version
    library/versions/<id>/         of every other: profile.toml, titles, models, version.json
    library/qdrant/<id>/           each version's shard

A version is what makes a title's vectors: a profile's encoders with their versions, and the
context model learned from them. Its id is the profile's (`offline-1a2b3c4d`) and names its store.

    candidate = register(library, load_profile("house.toml"))
    for done in backfill(candidate, library): ...
    validate(candidate, library)
    switch(library, candidate)
"""

from __future__ import annotations

from indexer.versions.backfilling import Backfilled, backfill
from indexer.versions.gate import Finding, Gate
from indexer.versions.ledger import Version, register, version_named, versions_of
from indexer.versions.rebuilding import Rebuilt, rebuild
from indexer.versions.switching import obstacles, roll_back, switch
from indexer.versions.validation import GATES, validate

__all__ = [
    "GATES", "Backfilled", "Finding", "Gate", "Rebuilt", "Version", "backfill", "obstacles",
    "rebuild", "register", "roll_back", "switch", "validate", "version_named", "versions_of",
]  # fmt: skip
