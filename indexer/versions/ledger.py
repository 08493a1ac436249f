"""Which versions a library has, what is known of each, and which titles each still lacks."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from indexer.assembly import STAGES
from indexer.disk import explained, write_atomically
from indexer.library import PROFILE_FILE, VERSIONS_FOLDER, Library
from indexer.manifest import Manifest
from indexer.probes.kept_labels import kept_labels_hashes
from indexer.profiles import Profile
from indexer.workbench import Workbench, digest
from qdrant.errors import UsageError

RECORD_FILE = "version.json"
"""In a version's home, written last: from then on the version is there."""
CARRIED = "carried_from"
"""In a title's facts: the state of the title elsewhere that this version's was made from."""


@dataclass(frozen=True)
class Record:
    """What is kept of a version beside its titles."""

    registered_at: str = ""  # ISO 8601, UTC; empty for the version the library began with
    validated_at: str = ""
    validated_state: str = ""  # of its titles when it passed: another state has to pass again
    findings: tuple[Mapping[str, Any], ...] = ()  # of the last validation, passed or not


@dataclass(frozen=True)
class Version:
    """A version of a library, as it stands now."""

    id: str
    profile: str
    titles: int  # whole and up to date
    total: int  # that it should have
    in_use: bool
    validated: bool  # and nothing of it has changed since
    registered_at: str
    validated_at: str
    context_model: str | None = field(default=None)

    @property
    def is_complete(self) -> bool:
        """Whether no title is lacking."""
        return self.titles == self.total


def versions_of(library: Library) -> list[Version]:
    """Return every version of a library, the one it began with first, the others by age."""
    return [_standing(version, library) for version in _all(library)]


def version_named(library: Library, version_id: str) -> Library:
    """Return the library as it is in that version. Raises `UsageError` where there is none."""
    versions = list(_all(library))
    for version in versions:
        if version_id in (version.version, version.beside):
            return version
    known = ", ".join(version.version for version in versions)
    raise UsageError(f"The library at {library.root} has no version {version_id!r}, only {known}.")


def register(library: Library, profile: Profile, *, anew: bool = False) -> Library:
    """Make a home for a profile's version beside the others; one that is there stays as it is.

    With `anew`, a further version of encoders that the library has already: they are not run
    again, and a context model is learned from the beginning. Raises `UsageError` where there is
    nothing new in a version, `CannotRunNow` where the library takes nothing.
    """
    known = {v.version: v for v in _all(library) if v.profile.version == profile.version}
    if known and not anew:
        if library.version in known:
            raise UsageError(
                f"The library at {library.root} uses the encoders of {library.version} already. "
                "Register a profile with others, or `--anew` for another context model."
            )
        return known[profile.version] if profile.version in known else next(iter(known.values()))
    name = profile.version if not known else f"{profile.version}-{len(known) + 1}"
    home = library.root / VERSIONS_FOLDER / name
    with explained(library.root):
        home.mkdir(parents=True, exist_ok=True)
        write_atomically(home / PROFILE_FILE, profile.to_toml().encode())
        if not library.beside and not (library.root / PROFILE_FILE).is_file():
            # So that one can come back: until now its name was enough.
            write_atomically(library.root / PROFILE_FILE, library.profile.to_toml().encode())
    version = library.at(name)
    keep_record(version, Record(registered_at=now()))
    return version


def lacking(version: Library, source: Library) -> dict[str, Manifest]:
    """Return the titles that a version lacks or has in an older state: id -> as the source has it.

    The source is the version in use. That one itself lacks what was indexed into others only.
    """
    if version.beside != source.beside:
        return {m.title_id: m for m in source.in_use() if not is_up_to_date(version, source, m)}
    own = {manifest.title_id for manifest in version.in_use()}
    return {m.title_id: m for other, m in elsewhere(version) if m.title_id not in own}


def elsewhere(version: Library) -> Iterator[tuple[Library, Manifest]]:
    """Yield the titles that were indexed into other versions, not carried there from another."""
    for other in _all(version):
        if other.beside != version.beside:
            for manifest in other.in_use():
                if carried_from(other, manifest.title_id) is None:
                    yield other, manifest


def is_up_to_date(version: Library, source: Library, manifest: Manifest) -> bool:
    """Whether a version has a title as the source has it now."""
    known = version.find(manifest.title_id)
    if known is None or known.version != version.version:
        return False
    made_from = carried_from(version, manifest.title_id)
    if made_from is None:  # it was indexed under this version
        return _made_of(known) == _made_of(manifest)
    return made_from == state_of(source, manifest)


def _made_of(manifest: Manifest) -> tuple[str, dict[str, str]]:
    """Return what a title was indexed from; which encoders were missing is each version's own."""
    return manifest.content_hash, {k: v for k, v in manifest.inputs.items() if k != "missing"}


def carried_from(version: Library, title_id: str) -> str | None:
    """Return the state a title had where it was carried over from; None: it was indexed here."""
    state: str | None = _bench(version, title_id).facts.get(CARRIED)
    return state


def state_of(library: Library, manifest: Manifest) -> str:
    """Return a hash of all that a title has apart from its vectors and its tags."""
    done = _bench(library, manifest.title_id).done
    plain = asdict(replace(manifest, spaces={}, checkpoint=None, generation="", indexed_at=""))
    told = {name: value for name, value in plain.items() if name not in ("tags", "tag_names")}
    return digest([done.get(stage) for stage in STAGES], told)


def whole_state(version: Library) -> str:
    """Return a hash of all that a version passes its gates with.

    Its titles, its context model, and the labels that the library keeps, where it keeps any.
    """
    labels = kept_labels_hashes(version)
    told = [sorted(m.generation for m in version.in_use()), version.checkpoint_id()]
    return digest(*told, labels) if labels else digest(*told)


def record_of(version: Library) -> Record:
    """Return what is kept of a version; nothing of the one a library began with, at first."""
    try:
        kept = json.loads((version.home / RECORD_FILE).read_text(encoding="utf-8"))
        return Record(**{**kept, "findings": tuple(kept["findings"])})
    except (OSError, ValueError, TypeError, KeyError):
        return Record()


def keep_record(version: Library, record: Record) -> None:
    """Write down what is known of a version. Raises `CannotRunNow`."""
    with explained(version.root):
        payload = json.dumps(asdict(record), indent=1, ensure_ascii=False)
        write_atomically(version.home / RECORD_FILE, payload.encode())


def now() -> str:
    """Return the time, ISO 8601, UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def is_validated(version: Library) -> bool:
    """Whether a version passed, with the titles, context model and labels there are now."""
    return record_of(version).validated_state == whole_state(version)


def _all(library: Library) -> Iterator[Library]:
    """Yield the library in each of its versions, by age."""
    yield library.at(None)
    homes = library.root.glob(f"{VERSIONS_FOLDER}/*/{RECORD_FILE}")
    others = [library.at(path.parent.name) for path in homes]
    yield from sorted(others, key=lambda v: (record_of(v).registered_at, v.version))


def _standing(version: Library, source: Library) -> Version:
    record, wanting = record_of(version), lacking(version, source)
    in_use = version.beside == source.beside
    own = len(version.in_use())
    return Version(
        id=version.version,
        profile=version.profile.name,
        titles=own if in_use else len(source.in_use()) - len(wanting),
        total=own + len(wanting) if in_use else len(source.in_use()),
        in_use=in_use,
        validated=is_validated(version),
        registered_at=record.registered_at,
        validated_at=record.validated_at,
        context_model=version.checkpoint_id(),
    )


def _bench(library: Library, title_id: str) -> Workbench:
    """Return what a title's folder says of its making. To be read, not to be worked at."""
    return Workbench(library.folder(title_id), library_root=library.root)
