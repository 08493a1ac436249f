"""Every entry is asked of every shot in words, as a search asks, in the spaces that words reach."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from indexer.catalogue import read_tower
from indexer.encoders.load import EncoderSet
from indexer.encoders.protocol import ReadsWords, Vectors, unit
from indexer.learning import asked_by_words
from indexer.library import Library
from indexer.manifest import Manifest
from indexer.tagging.confidence import Floats
from indexer.tagging.vocabulary import Entry
from indexer.tower.keep import Asker
from indexer.workbench import digest, load_vectors
from qdrant.calibration import Calibration
from qdrant.errors import UsageError
from qdrant.schema import SOUND, TOLD, VIDEO


@dataclass(frozen=True)
class Answers:
    """How a title's shots answer entries."""

    evidence: Floats  # (num_shots, num_entries) 0..1, as a search counts it; 0: `unlike` is nearer
    levels: Floats  # the best space's similarity as a share of its band, uncut; NaN: none to ask


@dataclass(frozen=True)
class AskedWords:
    """Entries in every space that words reach.

    A row of `wanted` is an entry, the mean of its phrases; a row of `unlike` is one phrase, and
    `taken_for` says of which entry. All of unit length; a row of zeros is not asked in that space.
    """

    entries: tuple[Entry, ...]
    wanted: Mapping[str, Vectors]  # space -> (num_entries, dim)
    unlike: Mapping[str, Vectors]  # space -> (num_phrases, dim)
    taken_for: tuple[int, ...]  # (num_phrases,)
    bands: Mapping[str, Calibration]

    def answers(self, library: Library, manifest: Manifest) -> Answers:
        """Return how a title's shots answer, read from its folder alone."""
        shape = manifest.num_shots, len(self.entries)
        levels, wanted = np.full(shape, np.nan), np.zeros(shape)
        unlike = np.zeros((manifest.num_shots, len(self.taken_for)))
        for space in (space for space in self.wanted if space in manifest.spaces):
            path = library.folder(manifest.title_id) / manifest.spaces[space]
            shots = load_vectors(path)["shots"][: manifest.num_shots]
            band, near = self.bands[space], _similarities(shots, self.wanted[space])
            levels = np.fmax(levels, (near - band.floor) / (band.ceiling - band.floor))
            wanted += _weights(near, band)
            unlike += _weights(_similarities(shots, self.unlike[space]), band)
        worst = np.zeros(shape)
        for phrase, entry in enumerate(self.taken_for):
            worst[:, entry] = np.maximum(worst[:, entry], unlike[:, phrase])
        return Answers(np.where(wanted > worst, -np.expm1(-wanted), 0.0), levels)


def version_of_words(entries: Sequence[Entry], library: Library, encoders: EncoderSet) -> str:
    """Return a hash of the entries, of what would encode them and of the bands; nothing is loaded.

    Raises `UsageError` where no encoder that is here reads words.
    """
    profile = library.profile
    reading = [space for space in asked_by_words(profile) if space not in encoders.missing]
    if not reading:
        raise UsageError(
            f"No encoder of profile {profile.name!r} that is here reads words, so nothing can be "
            "tagged in words. `trimbin doctor` tells what is missing; a probe needs no words."
        )
    bands = [f"{space} {band}" for space, band in sorted(profile.ranking.items())]
    made_by = [library.version, library.checkpoint_id(), sorted(encoders.missing), bands]
    return digest([repr(entry) for entry in entries], made_by)


def ask_in_words(entries: Sequence[Entry], library: Library, encoders: EncoderSet) -> AskedWords:
    """Return entries encoded into every space that words reach: pictures, words, context, sound."""
    profile, bands = library.profile, dict(library.profile.ranking)
    told = [entry.phrases for entry in entries]
    unlike = [(phrase,) for entry in entries for phrase in entry.unlike]
    wanted_in: dict[str, Vectors] = {}
    unlike_in: dict[str, Vectors] = {}
    for space in asked_by_words(profile):
        encoder = encoders.of(space)
        if isinstance(encoder, ReadsWords):
            wanted_in[space] = _means(told, encoder.encode_words)
            unlike_in[space] = _means(unlike, encoder.encode_words)
    tower, its_band = read_tower(library)
    if tower is not None:
        bands.update(its_band)
        wanted_in[TOLD], unlike_in[TOLD] = _told(tower, wanted_in), _told(tower, unlike_in)
    hearing = encoders.of(SOUND)
    if isinstance(hearing, ReadsWords):
        wanted_in[SOUND] = _means([entry.sounds for entry in entries], hearing.encode_words)
        unlike_in[SOUND] = np.zeros((len(unlike), wanted_in[SOUND].shape[1]), np.float32)
    taken_for = [n for n, entry in enumerate(entries) for _ in entry.unlike]
    says = np.array([not entry.is_seen for entry in entries], np.float32)
    for space in wanted_in.keys() - {VIDEO}:  # what is of pictures alone is asked of them alone
        wanted_in[space] = wanted_in[space] * says[:, None]
        unlike_in[space] = unlike_in[space] * says[taken_for][:, None]
    return AskedWords(
        entries=tuple(entries),
        wanted=wanted_in,
        unlike=unlike_in,
        taken_for=tuple(taken_for),
        bands=bands,
    )


def _means(phrases: Sequence[Sequence[str]], encode: Callable[[Sequence[str]], Vectors]) -> Vectors:
    """Return the mean of each row of phrases, (num_rows, dim) unit length; zero of no phrases."""
    told = list(dict.fromkeys(phrase for row in phrases for phrase in row)) or ["nothing"]
    vectors = encode(told)
    place = {phrase: n for n, phrase in enumerate(told)}
    means = np.zeros((len(phrases), vectors.shape[1]), np.float32)
    for n, row in enumerate(phrases):
        if row:
            means[n] = vectors[[place[phrase] for phrase in row]].mean(axis=0)
    return unit(means)


def _told(tower: Asker, rows: Mapping[str, Vectors]) -> Vectors:
    """Return rows of words, space -> (num_rows, dim), as the tower takes them to what is told."""
    num_rows = len(next(iter(rows.values())))
    asked = [tower.ask({space: of[n] for space, of in rows.items()}) for n in range(num_rows)]
    return np.stack(asked) if asked else np.zeros((0, 1), np.float32)


def _similarities(shots: Vectors, asked: Vectors) -> Floats:
    """Return (num_shots, num_rows) cosines; NaN where a shot or a row has no vector there."""
    if not len(asked):
        return np.zeros((len(shots), 0))
    near = (shots @ asked.T).astype(np.float64)
    near[~shots.any(axis=1)] = np.nan
    near[:, ~asked.any(axis=1)] = np.nan
    return near


def _weights(near: Floats, band: Calibration) -> Floats:
    """Return `-log(1 - evidence)`, which adds up over spaces; what cannot be asked adds nothing."""
    weights: Floats = np.nan_to_num(-np.log1p(-band.evidence(near)))
    return weights
